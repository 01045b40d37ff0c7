#!/usr/bin/env python3
"""Makes the messages of other groups for `cargo xtask bench quality`: python3 make.py OUT

Each wording is a group of its own: its places, foods, ways to write amounts, and sentences. Nothing of one appears in
another, nor in the sample that adapters learn from, but common foods. `tune-*` may be looked at while methods and
settings are chosen; `report-*` are only ever scored. The truth is known because each message is written from it.
"""
import json, random, sys
from pathlib import Path

UNIT = {  # how a unit may be written, singular and plural; None is a plain count
    "case": [("case", "cases")], "box": [("box", "boxes")], "bag": [("bag", "bags")], "crate": [("crate", "crates")],
    "lb": [("lb", "lbs"), ("pound", "pounds")], "dozen": [("dozen", "dozen")], "flat": [("flat", "flats")],
    "tray": [("tray", "trays")], "loaf": [("loaf", "loaves")], "gallon": [("gallon", "gallons")], "bin": [("bin", "bins")],
    "tote": [("tote", "totes")], "bunch": [("bunch", "bunches")], "bottle": [("bottle", "bottles")], "jar": [("jar", "jars")],
    "can": [("can", "cans")], "package": [("pack", "packs"), ("package", "packages")], "pallet": [("pallet", "pallets")],
    "clamshell": [("clamshell", "clamshells")],
}
WORD = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine", 10: "ten", 12: "twelve"}

def amount(rng, unit, style):
    """(text before the name, text after it, quantity, unit) of one amount."""
    q = rng.choice([1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 16, 18, 22, 30, 45])
    if unit is None:
        q = max(q, 2)
        if style == "word" and q in WORD: return f"{WORD[q]} ", "", q, None
        if style == "after": return "", f" x{q}", q, None
        if style == "colon": return "", f": {q}", q, None
        return f"{q} ", "", q, None
    one, many = rng.choice(UNIT[unit])
    of = "" if unit == "dozen" else "of "
    if unit in ("lb",): q = rng.choice([5, 8, 10, 15, 18, 22, 25, 35, 60, 75])
    u = one if q == 1 else many
    if style == "word" and q in WORD: return f"{WORD[q]} {u} {of}", "", q, unit
    if style == "after": return "", f" ({q} {u})", q, unit
    if style == "colon": return "", f": {q} {u}", q, unit
    if style == "dash": return "", f" - {q} {u}", q, unit
    if style == "short": return f"{q} {u} ", "", q, unit
    if style == "about": return f"about {q} {u} {of}", "", q, unit
    if style == "half" and unit not in ("lb", "dozen"): return f"half a {one} {of}", "", 0.5, unit
    if style == "a" and unit not in ("lb", "dozen"): return f"a {one} {of}", "", 1, unit
    return f"{q} {u} {of}", "", q, unit

def items(rng, w, most):
    out, texts = [], []
    for name, units in rng.sample(w["foods"], rng.randint(1, most)):
        if rng.random() < w.get("vague", 0.08):
            texts.append(rng.choice(w["some"]) + name); out.append({"name": name, "quantity": None, "unit": None}); continue
        before, after, q, u = amount(rng, rng.choice(units), rng.choice(w["styles"]))
        texts.append(before + name + after); out.append({"name": name, "quantity": q, "unit": u})
    return texts, out

def listed(rng, w, texts):
    if len(texts) > 2 and rng.random() < w.get("lines", 0.25):
        bullet = rng.choice(w.get("bullets", ["- "]))
        return "\n" + "\n".join(bullet.replace("#", str(n)) + t for n, t in enumerate(texts, 1))
    if len(texts) == 1: return texts[0]
    return w.get("comma", ", ").join(texts[:-1]) + rng.choice(w["last"]) + texts[-1]

def message(rng, w):
    kind = rng.choices(["inbound", "outbound", "both", "unknown"], w.get("mix", [40, 25, 25, 10]))[0]
    if kind == "unknown":
        return rng.choice(w["chatter"]), {"direction": "unknown", "rescue_location": None, "drop_off_location": None, "items": []}
    src, dst = rng.choice(w["sources"]), rng.choice(w["sinks"])
    texts, truth = items(rng, w, w.get("most", 4))
    form = rng.choice(w[kind])
    inline = "{i}" in form and not form.startswith("{i}") and form.rstrip("!. ").endswith("{i}")
    stuff = listed(rng, w, texts) if inline else listed(rng, {**w, "lines": 0}, texts)
    text = form.replace("{i}", stuff).replace("{s}", w.get("the", {}).get(src, "") + src).replace("{d}", w.get("the", {}).get(dst, "") + dst)
    text = rng.choice(w["open"]) + text + rng.choice(w["close"])
    if form.startswith("{i}"): text = text[0].upper() + text[1:] if rng.random() < 0.5 else text
    if rng.random() < w.get("lower", 0.0): text = text.lower()
    return text, {"direction": kind, "rescue_location": src if kind != "outbound" else None,
                  "drop_off_location": dst if kind != "inbound" else None, "items": truth}

W = {}
W["tune-a"] = dict(
    the={"Y on Pine": "the "},
    sources=["Riverbend Orchards", "Kim's Deli", "Panera on Main", "Hilltop Dairy", "Big Sky Wholesale", "Tomasz Bakery", "FreshCo", "Costa Verde"],
    sinks=["Grace Lutheran", "Y on Pine", "Maple House", "Eastside Commons", "Fridge 7", "Cedar Clinic"],
    foods=[("lettuce", ["case", "box", None]), ("cheddar", ["package", "lb"]), ("naan", ["bag", None]), ("cherries", ["flat", "lb"]), ("plums", ["crate", "box"]), ("hummus", ["case", None]),
           ("chili", ["tray", "gallon"]), ("rolls", ["dozen", "bag"]), ("spinach", ["box", "bag", "clamshell"]), ("turkey", [None, "case"]), ("pears", ["box", "lb"]), ("ramen", ["case", "box"]), ("baby formula", ["can", "case"])],
    styles=["of", "of", "short", "word", "after", "about"], some=["some ", "a little ", "plenty of "], last=[" and ", ", and ", " plus "], bullets=["- ", "* "],
    open=["", "", "", "Morning folks, ", "Report: ", "FYI "], close=["", "", ".", "!", " :tada:", ". See you Thursday"],
    inbound=["collected {i} at {s}", "{s} donated {i}", "{s} let us have {i}", "{i} came from {s}", "pickup at {s} done, {i}", "left {s} with {i}"],
    outbound=["unloaded {i} at {d}", "{d} received {i}", "{i} are now at {d}", "filled {d} with {i}", "handed {d} {i}"],
    both=["drove {i} from {s} over to {d}", "{s} to {d}: {i}", "{s} donated {i}, all of which is at {d} now", "moved {i} out of {s} into {d}"],
    chatter=["Can somebody cover my Friday shift?", "The freezer at Maple House makes a weird noise", "Reminder: orientation is on the 3rd", "Great work everyone", "Where do I find the keys?", "Kim's Deli is closed on Monday"])
W["tune-b"] = dict(
    sources=["Whole Pantry 22nd", "Nguyen Farms", "Sprout & Co", "Dough Bros", "Garcia Produce", "Metro Cash & Carry", "La Espiga", "Union Sq Greenmarket"],
    sinks=["Bethel AME", "Tenants Union fridge", "Rosa Parks Elementary", "Mercy Table", "Lot 12", "Block Club"],
    foods=[("collards", ["bunch", "case"]), ("eggplant", ["box", "crate"]), ("ciabatta", [None, "bag"]), ("half and half", ["case", "bottle"]), ("salsa", ["jar", "case"]), ("pita", ["bag", "package"]),
           ("beets", ["lb", "bunch"]), ("corn", ["crate", "dozen"]), ("tamales", ["dozen", "tray"]), ("ground turkey", ["lb", "package"]), ("kiwis", ["flat", None]), ("chickpeas", ["can", "case"]), ("shampoo", ["bottle", "box"])],
    styles=["short", "short", "of", "dash", "colon", "a"], some=["a few ", "random ", "assorted "], last=[", ", " & ", " and also "], bullets=["• ", "> ", ""], lines=0.4, lower=0.25,
    open=["", "", "ok so ", "quick note - ", "@here ", "done! "], close=["", "", " thx", " 🙌", " (all good)", ". van needs gas btw"],
    inbound=["got {i} off {s}", "scored {i} at {s}", "{s} run today, brought back {i}", "{s} had {i}", "from {s} we have {i}", "{s}\n{i}"],
    outbound=["{d} got {i}", "passed {i} on to {d}", "{i} to {d}", "gave {i} to {d}", "{d} is stocked, {i}"],
    both=["got {i} off {s} and gave it all to {d}", "{s} > {d} {i}", "{i}, {s} to {d}", "ran {i} from {s} down to {d}"],
    chatter=["anyone have jumper cables??", "who is driving tmrw", "pls label the bins ppl", "mercy table says thank you!!", "i will be out next week", "new door code is in the doc", "how many crates fit in the van"])
W["report-a"] = dict(
    sources=["Blue Heron Grocery", "Stonemill Bread", "Pike Place stall 9", "Danner Ranch", "Azteca Foods", "Wegley's", "Sundance Co-op", "Corner Bistro"],
    sinks=["Shiloh Baptist", "Youth Hub", "Riverside Apartments", "Sister Mary's kitchen", "Free Fridge Colfax", "Veterans Hall"],
    foods=[("arugula", ["clamshell", "case"]), ("brioche", [None, "tray"]), ("cream cheese", ["case", "package"]), ("nectarines", ["box", "lb"]), ("pork chops", ["lb", "package"]), ("quinoa", ["bag", "lb"]), ("celery", ["bunch", "crate"]),
           ("pot pies", ["case", None]), ("lemonade", ["gallon", "bottle"]), ("wipes", ["package", "box"]), ("radishes", ["bunch", "bin"]), ("pretzels", ["bag", "box"]), ("mangoes", ["flat", "case"]), ("goat cheese", [None, "box"])],
    styles=["of", "short", "after", "word", "about", "a"], some=["loads of ", "loose ", "mixed "], last=[" and ", ", along with ", ", and "],
    open=["", "", "Hello team. ", "Saturday route: ", "Heads up, "], close=["", ".", ".", " 🎉", ". Took about an hour."],
    inbound=["We were given {i} by {s}", "At {s} today they handed over {i}", "{s} sent us home with {i}", "Loaded the car at {s}: {i}", "Today's haul from {s} is {i}", "Swung by {s} for {i}"],
    outbound=["{i} ended up at {d}", "Brought {d} {i}", "{d} now has {i}", "Left {i} with the folks at {d}", "Placed {i} in {d}"],
    both=["Hauled {i} from {s} straight to {d}", "{s} sent us home with {i}, which went to {d}", "Everything {s} gave us ({i}) went to {d}", "Carried {i} across town, {s} to {d}"],
    chatter=["Is the Colfax fridge still broken?", "Big thanks to Ana and Joel!", "We need more drivers in March.", "Please park behind the building.", "Rain tomorrow, bring tarps", "Board meeting notes are posted"])
W["report-b"] = dict(
    sources=["trader marcos", "HEB Lamar", "Windy Acres CSA", "Boulangerie Nord", "Sysco dock", "Fiesta Mart", "Two Sisters Farm"],
    sinks=["ATX Community Fridge", "Angel House", "Lamar Middle School", "CommUnity Care", "Food Not Bombs", "Trinity Center"],
    foods=[("jicama", ["lb", None]), ("queso fresco", ["package", "case"]), ("pan dulce", ["dozen", "tray"]), ("poblanos", ["lb", "box"]), ("frozen pizza", [None, "case"]), ("brisket", ["lb", "tray"]), ("okra", ["lb", "crate"]),
           ("grits", ["bag", "box"]), ("kolaches", ["dozen", "box"]), ("ice", ["bag", "pallet"]), ("peaches", ["crate", "bin"]), ("toothpaste", ["box", None]), ("gatorade", ["bottle", "case"]), ("leeks", ["bunch", "box"])],
    styles=["colon", "short", "short", "dash", "of"], some=["sum ", "several ", "extra "], last=[", ", " + ", " n "], bullets=["-", "+ ", "", "~ "], lines=0.45, lower=0.45, comma=", ",
    open=["", "", "yo ", "update - ", "heyy ", "[Tues] "], close=["", "", "", " lmk if u need it", " ✅", "\npics later"],
    inbound=["{s} came thru w {i}", "hit up {s}, {i}", "{s} (pickup) {i}", "just loaded up at {s} {i}", "in the truck from {s}: {i}", "{i} via {s}"],
    outbound=["dropping {i} @ {d}", "{d} (dropoff) {i}", "{i} went out to {d}", "stopped at {d} and left {i}", "all yours {d}: {i}"],
    both=["{s} → {d} | {i}", "{i} went from {s} 2 {d}", "pickup {s}, dropoff {d}, {i}", "{s} came thru w {i}, left it @ {d}"],
    chatter=["whos got the dolly", "fridge is packed rn", "can we do 6 instead of 5?", "im sick 2day sorry yall", "lol same", "does angel house take pet food", "happy bday marisol!!"])
W["report-c"] = dict(
    sources=["Old Mill Creamery", "St. Anselm's Garden", "Pinetree Market", "Kowalski Butchers", "Golden Crust", "Harbor Fish Co", "Lidl"],
    sinks=["Parish hall", "Dorothy's Door", "Nightingale Hostel", "Ward 4 pantry", "Open Table", "Kingsway Flats"],
    the={"Parish hall": "the "},
    foods=[("parsnips", ["bag", "crate"]), ("double cream", ["bottle", "case"]), ("haddock", ["box", "lb"]), ("crumpets", ["package", "tray"]), ("courgettes", ["crate", "box"]), ("sausages", ["package", "lb"]), ("scones", ["dozen", "tray"]),
           ("baked beans", ["can", "case"]), ("washing powder", ["box", None]), ("rhubarb", ["bunch", "lb"]), ("flapjacks", ["tray", None]), ("mince", ["lb", "package"]), ("swede", [None, "bag"]), ("oat biscuits", ["package", "jar"])],
    styles=["word", "of", "of", "half", "about", "short"], some=["rather a lot of ", "a handful of ", "leftover "], last=[" and ", " as well as ", ", then "],
    open=["", "", "Good afternoon all. ", "For the log: ", "Evening. "], close=["", ".", ".", ". Many thanks.", ". All chilled within the hour."],
    inbound=["I was able to fetch {i} from {s}", "{s} kindly set aside {i} for us", "Received with thanks from {s}: {i}", "We have had {i} off {s} this week", "Fetched from {s}: {i}"],
    outbound=["{i} have been left at {d}", "{d} were very glad of {i}", "Signed over to {d}: {i}", "I have put {i} on the shelves at {d}", "Distributed {i} through {d}"],
    both=["I was able to fetch {i} from {s} and leave everything at {d}", "{s} kindly set aside {i}, and {d} took the lot", "Fetched from {s} for {d}: {i}", "From {s}, and bound for {d}, {i}"],
    chatter=["Might anyone lend us a trolley?", "The rota for next month is up.", "Could whoever has the clipboard bring it back?", "Apologies, running late.", "A reminder that Open Table shuts at four.", "Splendid effort yesterday."])
W["report-d"] = dict(
    sources=["DC-4 Reno", "Albertsons #3321", "Natural Grocers", "Rosie's Donuts", "Cal Ranch Supply", "Silver State Produce", "Store 118"],
    sinks=["Sparks Pantry", "Tent City", "Elder Meals", "Route 3 stop", "St. Vincent dining room", "Hub B"],
    foods=[("iceberg", ["case", "crate"]), ("2% milk", ["gallon", "crate"]), ("deli ham", ["lb", "package"]), ("bagged salad", ["case", "bag"]), ("russets", ["bag", "pallet"]), ("string cheese", ["box", None]), ("bottled water", ["case", "pallet"]),
           ("clementines", ["crate", "bag"]), ("hot dogs", ["package", "case"]), ("mac and cheese", ["box", "case"]), ("dog food", ["bag", None]), ("paper towels", ["case", "package"]), ("honeydew", ["bin", None]), ("egg whites", ["box", "case"])],
    styles=["short", "after", "dash", "colon"], some=["misc. ", "partial "], last=[", ", "; ", " and "], comma="; ", bullets=["- ", "#) ", "• "], lines=0.5,
    open=["", "", "LOG 0815 ", "Driver: Pete. ", "Route 3. "], close=["", "", " -P", ". Temp ok", " [signed]"],
    inbound=["PU {s} {i}", "In from {s} {i}", "{s} release: {i}", "Donor {s}. {i}", "Loaded {i} ex {s}"],
    outbound=["DO {d} {i}", "Out to {d} {i}", "{d} accepted {i}", "Consignee {d}. {i}", "Offloaded {i} for {d}"],
    both=["PU {s} DO {d} {i}", "Donor {s}, consignee {d}. {i}", "Transferred {i} ({s} to {d})", "{s} release to {d}: {i}"],
    chatter=["Truck 2 in the shop until Wed", "No show at DC-4, rebooked", "Fuel card is in the glovebox", "Dock closed for holiday", "Need 40 blank forms", "Shift swap: Pete takes Sunday"])

if __name__ == "__main__":
    out = Path(sys.argv[1])
    for number, (name, w) in enumerate(W.items()):
        rng, seen, rows = random.Random(1000 + number), set(), []
        while len(rows) < 150:
            text, truth = message(rng, w)
            if text in seen and truth["items"]: continue
            if text in seen and rng.random() < 0.9: continue
            seen.add(text); rows.append({"ts": f"{name}-{len(rows) + 1}", "text": text, "truth": truth})
        (out / f"{name}.jsonl").write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows))
