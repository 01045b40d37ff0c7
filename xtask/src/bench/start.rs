//! From the start of a process to its first answer, with the weights in the page cache, compared with transformers until
//! its model is loaded; and the installed size.

use std::time::Instant;

use anyhow::Context as _;

use super::{
    Settings, built, infer, lines, number, peer,
    report::{Rounds, plain},
    train,
};

pub(super) fn run(settings: &Settings) -> anyhow::Result<Option<String>> {
    let home = infer::adapter(&settings.base)?;
    let message = "Picked up 3 boxes of apples from Trader Joe's, dropped off at the pantry";
    let (mut first, mut answer, mut peers) = (Rounds::default(), Rounds::default(), Rounds::default());
    let folder = settings.base.parent().context("the base model lies in no folder")?;
    for _ in 0..settings.rounds {
        let mut command = peer::python()?;
        command.arg(train::PEER).arg(folder).arg(train::DATA).args(["--train", "0", "--test", "0"]);
        let said = lines(&mut command)?.first().context("the peer said nothing")?.clone();
        peers.push(number(&said, "import_s")? + number(&said, "load_s")?);
        for (rounds, most) in [(&mut first, "1"), (&mut answer, "400")] {
            let clock = Instant::now();
            infer::answer(&home, &["--max-tokens", most, "--message", message])?;
            rounds.push(clock.elapsed().as_secs_f64());
        }
    }
    let size = std::fs::metadata(built("graft")?.get_program())?.len() as f64 / 1e6;
    println!("\n| | graft | transformers, until the model is loaded | ratio |\n|---|---|---|---|");
    for (name, ours) in [("first token", &first), ("whole answer", &answer)] {
        println!(
            "| process started to {name}, s | {} | {} | {} |",
            ours.shown(),
            peers.shown(),
            peers.over(ours).shown()
        );
    }
    println!("| size of the command, MB | {} | | |", plain(size));
    Ok(None)
}
