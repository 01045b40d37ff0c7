//! From a cold process to its first answer, with the weights in the page cache; and what there is to install.

use std::time::Instant;

use super::{
    Settings, built, infer,
    report::{Rounds, plain},
};

pub(super) fn run(settings: &Settings) -> anyhow::Result<Option<String>> {
    let home = infer::adapter(&settings.base)?;
    let message = "Picked up 3 boxes of apples from Trader Joe's, dropped off at the pantry";
    let (mut first, mut answer) = (Rounds::default(), Rounds::default());
    for _ in 0..settings.rounds * 2 {
        for (rounds, most) in [(&mut first, "1"), (&mut answer, "400")] {
            let clock = Instant::now();
            infer::answer(&home, &["--max-tokens", most, "--message", message])?;
            rounds.push(clock.elapsed().as_secs_f64());
        }
    }
    let size = std::fs::metadata(built("graft")?.get_program())?.len() as f64 / 1e6;
    println!("\n| | |\n|---|---|");
    println!("| process started to first token, s | {} |", first.shown());
    println!("| process started to whole answer, s | {} |", answer.shown());
    println!("| size of the command, MB | {} |", plain(size));
    Ok(None)
}
