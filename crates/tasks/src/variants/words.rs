//! Words for invented names.

use rand::{Rng, RngExt as _, seq::IndexedRandom as _};

/// Words that stand in names of places and people.
const WORDS: &str = "Abbey Acorn Adams Alder Alma Amber Anchor Apex Arbor Ashland Aspen Aurora Avalon Baker Barley Bay Beacon \
    Bell Bergen Beth Birch Black Blossom Blue Bluff Bonita Boulder Bridge Bright Brook Brown Burke Butler Camden Canyon Carver \
    Castle Cedar Central Chapel Cherry Chestnut City Clark Clay Clearwater Clinton Cole Common Coral Corner Cotton Country \
    Cove Crescent Crest Crown Crystal Dale Davis Dawn Delta Diaz Dover Eagle East Eastgate Eden Elder Ellis Ember Evans \
    Everett Fair Falcon Family Fern Field Fisher Forest Foster Fountain Fox Franklin Fresh Garcia Garden Gate Glen Global \
    Gold Good Grace Grand Granite Grant Green Grove Hamlin Harbor Hart Haven Hawthorn Hazel Heritage Hickory High Hill \
    Holly Holt Home Horizon Hudson Imperial Iris Island Ivy Jackson Jade Jasper Jefferson Jones Juniper Kent Keystone Khan \
    Kim King Kingston Lake Lane Larkin Laurel Lee Legacy Liberty Lily Lincoln Linden Lion Little Logan Long Lopez Lotus Luna \
    Lynn Madison Magnolia Main Maple Marigold Martin Mason Mayfair Meadow Mesa Metro Midtown Mill Miller Mission Monroe \
    Moon Morgan Mosaic Mountain Myrtle Nelson New Nguyen Noble North Norwood Oak Oasis Ocean Old Olive Orange Orchid Otter \
    Pacific Palm Park Parker Patel Peace Pearl Perez Pike Pilgrim Pine Pioneer Plaza Pleasant Plum Pond Poplar Prairie \
    Prospect Quail Quarry Queen Ramos Raven Red Reed Ridge River Roberts Robin Rock Roosevelt Rose Royal Ruby Sage Salem \
    San Santa Second Shady Shaw Silver Singh Sky Smith Sol Sonoma South Spring Spruce Star State Stone Summit Sun Sunrise \
    Sunset Swan Sycamore Tanner Taylor Temple Terra Third Thistle Thompson Timber Torres Town Trinity Tudor Turner Union \
    Upper Urban Valley Vega Verde Victory Villa Vine Vista Walker Walnut Washington Water Webster Wells West Westgate White \
    Wild Williams Willow Wilson Winter Wolf Wood Wright Yale Young Zion";

/// Things that places are called by, too.
const THINGS: &str = "alley anchor anvil apple arch attic awning balcony barrel basket beacon bell bench bin bloom boat bowl \
    branch brick bridge bucket buoy cabin candle canopy canteen cedar cellar chapel circle clover corner counter crossing \
    crumb cup deck den door drum elevator entry fence ferry fork foyer fountain gate grove hallway hammer hearth hedge hollow \
    hook hut iron island jar junction kettle kitchen ladder landing lantern ledge library lighthouse loft lot mailbox meadow \
    mill nest oven pavilion path patio peg pier plate platform pond porch post pump quarter rack railing ramp ranch ridge roof \
    room root rotunda saddle sail shack shelf side silo spoon spot stairs stand stoop stove studio table tap terrace \
    threshold tower tracks trail tree tunnel vault wagon wall well wharf wheel window wing workshop yard";

/// A thing, now and then with a capital.
fn thing(random: &mut impl Rng) -> String {
    let things: Vec<&str> = THINGS.split_whitespace().collect();
    let thing = things.choose(random).copied().unwrap_or("gate");
    if random.random() { capital(thing) } else { thing.to_owned() }
}

/// An invented capitalised word: a known word, or a new one made of syllables.
pub(super) fn word(random: &mut impl Rng) -> String {
    if random.random_bool(0.35) {
        return syllables(random);
    }
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    words.choose(random).copied().unwrap_or("New").to_owned()
}

fn syllables(random: &mut impl Rng) -> String {
    const STARTS: [&str; 24] = [
        "b", "br", "c", "ch", "d", "f", "g", "gr", "h", "j", "k", "l", "m", "n", "p", "qu", "r", "s", "st", "t", "tr",
        "v", "w", "z",
    ];
    const MIDDLES: [&str; 12] = ["a", "e", "i", "o", "u", "ai", "ea", "ee", "ia", "o", "a", "ou"];
    const ENDS: [&str; 14] = ["", "", "", "n", "r", "l", "s", "m", "nd", "rt", "ck", "ll", "x", "th"];
    let mut out = String::new();
    for _ in 0..random.random_range(1..4) {
        for parts in [&STARTS[..], &MIDDLES, &ENDS] {
            out.push_str(parts.choose(random).copied().unwrap_or_default());
        }
    }
    capital(&out)
}

/// The same with a capital first letter.
pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// An invented name of a place, a person or a thing: what its kind is called (`kinds`) after words of its own, mostly.
pub(super) fn name(kinds: &[String], random: &mut impl Rng) -> String {
    let kind = |random: &mut _| kinds.choose(random).cloned().unwrap_or_default();
    let mut name = match random.random_range(0..34) {
        0..8 if random.random_bool(0.25) => format!("{} {} {}", word(random), word(random), kind(random)),
        0..8 => format!("{} {}", word(random), kind(random)),
        8 => format!("{}'s", word(random)),
        9 => format!("{}'s {}", word(random), kind(random)),
        10 => format!("St{} {}", if random.random() { "." } else { "" }, word(random)),
        11..13 => word(random),
        13 => format!("{} {}", word(random), word(random)),
        14 => format!("{} {} {}", word(random), if random.random() { "&" } else { "and" }, word(random)),
        15 => format!("{} {}", word(random).to_lowercase(), kind(random).to_lowercase()),
        16 => format!("{} {}{}", word(random), if random.random() { "#" } else { "" }, random.random_range(1..60)),
        17 => format!("{} {}", kind(random), random.random_range(1..60)),
        18 => format!("{} {} {}", word(random), word(random), word(random)),
        19 => format!("{} {}", word(random), kind(random)).to_lowercase(),
        20 => format!("{} {} {}", word(random), word(random), kind(random)).to_lowercase(),
        21 => letters(random),
        22 => format!("{} {}", letters(random), kind(random)),
        23 => format!(
            "{} {}",
            ["Mr.", "Mrs.", "Ms.", "Aunt", "Chef", "Dr."].choose(random).unwrap_or(&"Ms."),
            word(random)
        ),
        24 => format!("{} {}, {} {}", word(random), kind(random), kind(random), random.random_range(1..30)),
        25 => format!("{} No. {}", kind(random), random.random_range(1..30)),
        26..28 => format!("{} {}", word(random), thing(random)),
        28 => format!("{}'s {}", word(random), thing(random)),
        29 => format!("{} {} {}", word(random), word(random), thing(random)),
        30 => {
            const WITHIN: [&str; 6] = ["in the", "on the", "by the", "at the", "of the", "and the"];
            format!("{} {} {}", word(random), WITHIN.choose(random).unwrap_or(&"by the"), capital(&thing(random)))
        }
        31 => format!("{} {} {}", capital(&thing(random)), word(random), kind(random)),
        32 => format!("{} & {} {}", word(random), ordinal(random.random_range(2..120)), thing(random)),
        _ => format!("{} of {}", kind(random), word(random)),
    };
    if random.random_bool(0.12) {
        const AT: [&str; 5] = ["on", "on", "at", "in", "near"];
        let at = AT.choose(random).copied().unwrap_or("on");
        let street = if random.random_bool(0.6) { word(random) } else { ordinal(random.random_range(2..120)) };
        name = format!("{name} {at} {street}");
    } else if random.random_bool(0.06) {
        name = format!("{name} {}", ordinal(random.random_range(2..120)));
    } else if random.random_bool(0.04) {
        name = format!("{name} ({})", word(random));
    }
    name.trim().to_owned()
}

/// Two to four capitals, as of an abbreviation.
fn letters(random: &mut impl Rng) -> String {
    (0..random.random_range(2..5)).map(|_| char::from(random.random_range(b'A'..=b'Z'))).collect()
}

fn ordinal(number: u32) -> String {
    let ending = match (number % 10, number % 100) {
        (1, 1 | 21..) => "st",
        (2, 2 | 22..) => "nd",
        (3, 3 | 23..) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}
