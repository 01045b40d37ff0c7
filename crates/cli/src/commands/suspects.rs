use clap::Args;
use graft_core::Example;
use graft_engine::{Engine, Fix, FixDecision, FixVerb, Suspect, Suspects as Found};

use super::examples;
use crate::{
    failure::Result,
    output::{Reply, brief},
};

/// List approved examples whose answers are suspect: they contradict each other, a confident model, or say nothing.
///
/// Changes nothing. Each suspect is listed with the commands that fix it. Approve an example again to say that it is right
/// as it is.
#[derive(Debug, Args)]
pub(crate) struct Suspects {
    /// Task.
    task: String,
    /// Maximum number to list; `--json` lists all.
    #[arg(long, default_value_t = 20, value_name = "N")]
    limit: usize,
}

/// Examples and commands that are printed of one suspect.
const SHOWN: usize = 4;

pub(crate) async fn run(engine: &Engine, command: Suspects) -> Result<Reply> {
    let found = engine.evaluations().suspects(&command.task).await?;
    let text = text(&command, &found);
    Ok(Reply::new(found, text))
}

fn text(command: &Suspects, found: &Found) -> String {
    let all: usize = found.counts.iter().map(|one| one.count).sum();
    if all == 0 {
        return format!("Nothing suspect among {} approved examples of {}.", found.examples, command.task);
    }
    let mut text = String::new();
    for (number, suspect) in found.suspects.iter().take(command.limit).enumerate() {
        text += &format!("{}. {}\n", number + 1, suspect.reason);
        for one in suspect.examples.iter().take(SHOWN) {
            let side = if one.held_out { " (held out)" } else { "" };
            text +=
                &format!("   {}{side}: {} → {}\n", one.example.id, brief(&one.example.input, 60), answer(&one.example));
        }
        more(&mut text, suspect.count);
        suspect.fixes.iter().for_each(|fix| text += &commands(suspect, fix));
        text.push('\n');
    }
    let counts: Vec<String> = found.counts.iter().map(|one| format!("{} × {}", one.count, one.title)).collect();
    text += &format!("{all} suspects among {} approved examples: {}.\n", found.examples, counts.join("; "));
    text
}

fn answer(example: &Example) -> String {
    brief(&example.output.as_ref().map(examples::answer).unwrap_or_default(), 60)
}

fn more(text: &mut String, count: usize) {
    if count > SHOWN {
        *text += &format!("   … and {} more\n", count - SHOWN);
    }
}

/// A fix as commands.
fn commands(suspect: &Suspect, fix: &Fix) -> String {
    let task = suspect.examples.first().map(|one| one.example.task.as_str()).unwrap_or_default();
    let mut text = format!("   {}:\n", fix.title);
    for FixDecision { id, action, output, reason } in fix.decisions.iter().take(SHOWN) {
        let id = quoted(id);
        let (verb, rest) = match (action, output, reason) {
            (FixVerb::Approve, ..) => ("approve", String::new()),
            (FixVerb::Edit, output, _) => {
                let output = output.as_ref().map(examples::answer).unwrap_or_default();
                ("edit", format!(" --output {}", quoted(&output)))
            }
            (FixVerb::Reject, _, reason) => {
                ("reject", format!(" --reason {}", quoted(reason.as_deref().unwrap_or_default())))
            }
        };
        text += &format!("     graft examples {verb} {id} --task {task}{rest}\n");
    }
    more(&mut text, fix.decisions.len());
    text
}

/// One word for a shell.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}
