/** A few made-up messages for each kind of task, so that all can be tried before there is data of one's own. */
import type { Json } from "./json";

type Item = [quantity: number | null, unit: string | null, name: string, subcategory: string];

const rescue = (input: string, direction: string, from: string | null, to: string | null, items: Item[]) => ({
  input,
  output: {
    direction,
    rescue_location: from,
    drop_off_location: to,
    items: items.map(([quantity, unit, name, subcategory]) => ({ name, quantity, unit, subcategory })),
  } as Json,
});
const open = (input: string) => ({ input });

const RESCUES = [
  rescue("Picked up 5 cases of bananas from Corner Market", "inbound", "Corner Market", null, [
    [5, "case", "bananas", "produce"],
  ]),
  rescue("got 3 bags of bread and 2 boxes of bagels at Hill Bakery", "inbound", "Hill Bakery", null, [
    [3, "bag", "bread", "bakery"],
    [2, "box", "bagels", "bakery"],
  ]),
  rescue("Dropped 4 crates of apples at the Elm St fridge", "outbound", null, "Elm St fridge", [
    [4, "crate", "apples", "produce"],
  ]),
  rescue("Riverside Grocer to Hope House: 6 gallons of milk", "both", "Riverside Grocer", "Hope House", [
    [6, "gallon", "milk", "dairy"],
  ]),
  rescue("Rescued 12 sandwiches from Noon Cafe", "inbound", "Noon Cafe", null, [[12, null, "sandwiches", "prepared"]]),
  rescue("2 totes of carrots and a case of yogurt from Corner Market", "inbound", "Corner Market", null, [
    [2, "tote", "carrots", "produce"],
    [1, "case", "yogurt", "dairy"],
  ]),
  rescue("delivered 10 loaves of bread to Westside Kitchen", "outbound", null, "Westside Kitchen", [
    [10, "loaf", "bread", "bakery"],
  ]),
  rescue("Harvest Farm pickup: 8 boxes of tomatoes, 3 boxes of kale", "inbound", "Harvest Farm", null, [
    [8, "box", "tomatoes", "produce"],
    [3, "box", "kale", "produce"],
  ]),
  rescue("7 trays of soup from Noon Cafe, dropped at Hope House", "both", "Noon Cafe", "Hope House", [
    [7, "tray", "soup", "prepared"],
  ]),
  rescue("Took 2 cases of juice to the Elm St fridge", "outbound", null, "Elm St fridge", [
    [2, "case", "juice", "beverage"],
  ]),
  rescue("1 pallet of rice from Riverside Grocer", "inbound", "Riverside Grocer", null, [
    [1, "pallet", "rice", "dry goods"],
  ]),
  rescue("4 dozen eggs and 3 packages of tofu from Harvest Farm", "inbound", "Harvest Farm", null, [
    [4, "dozen", "eggs", "protein"],
    [3, "package", "tofu", "protein"],
  ]),
  open("grabbed 6 bx of bananas + 2 bags bagels from Hill Bakery, all at Westside Kitchen now"),
  open("Noon Cafe: 9 sandwiches, 2 trays salad"),
  open("dropped 3 crates of pears and 1 case milk at Hope House"),
  open("nothing at Corner Market today, sorry!"),
];

const FEELINGS = [
  ["I love how light it is", "positive"],
  ["Arrived broken, and nobody answers", "negative"],
  ["It is a kettle. It boils water.", "neutral"],
  ["Best purchase of the year", "positive"],
  ["The zip tore on the first day", "negative"],
  ["Comes in blue and in grey", "neutral"],
  ["My kids can't stop playing with it", "positive"],
  ["Far too loud for a bedroom", "negative"],
  ["Delivered on Tuesday", "neutral"],
  ["Even better than the old one", "positive"],
  ["Stopped working after a week", "negative"],
  ["The box holds twelve pieces", "neutral"],
].map(([input, output]) => ({ input, output }));

const QUESTIONS = [
  ["turn the porch light on at sunset", "Turns the porch light on every day at sunset."],
  ["heat the office before I start work", "Sets the office thermostat to 21 °C on weekdays at 07:30."],
  ["tell me when the washing machine is done", "Sends a notification when the washing machine stops drawing power."],
  ["no lights on in empty rooms", "Turns a room's lights off after ten minutes without motion."],
  ["close the blinds when it gets hot", "Closes the south blinds when it is above 26 °C outside."],
  ["wake me gently", "Brightens the bedroom lamp over 20 minutes before the alarm."],
  ["lock up at night", "Locks all doors every day at 23:00."],
  ["water the garden unless it rains", "Starts the sprinkler at 06:00 if no rain is forecast."],
  ["warn me about open windows when I leave", "Sends a notification if a window is open when everybody has left."],
  ["film mode for the living room", "Dims the living room lights when the television starts playing."],
  ["charge the car when power is cheap", "Starts charging the car between 01:00 and 05:00."],
  ["light the way to the bathroom at night", "Turns the hall light on dimly on motion between 22:00 and 06:00."],
].map(([input, output]) => ({ input, output }));

const SAMPLES: Record<string, { input?: string; output?: Json }[]> = {
  "slack-rescue": RESCUES,
  "ask-ai": [...QUESTIONS, open("switch everything off when we go to bed"), open("remind me to air the bedroom")],
  sentiment: [...FEELINGS, open("It does what it says, and I like the colour"), open("I expected more for the price")],
  "text-classification": [...FEELINGS, open("It does what it says"), open("I expected more for the price")],
};

/** The sample messages of a task as a file of JSON lines; most have an answer, some wait for one. */
export function sample(task: string): File | null {
  const lines = SAMPLES[task]?.map((line) => JSON.stringify(line));
  return lines ? new File([`${lines.join("\n")}\n`], "sample.jsonl", { type: "application/jsonl" }) : null;
}
