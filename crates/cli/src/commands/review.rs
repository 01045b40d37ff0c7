//! `graft review`: examples one at a time, each decided on with one key.

use std::{
    io::{self, BufRead as _, BufReader, IsTerminal as _, Read as _},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use clap::Args;
use graft_core::{Example, Review as State};
use graft_engine::{
    Engine, Error, ExampleDetail,
    records::{Decision, Error as StoreError, ExampleFilter, Order, ReviewFilter, Seen},
};
use serde::Serialize;
use serde_json::Value;

use super::examples::answer;
use crate::{
    failure::{Failure, Result},
    output::{Reply, complain},
};

/// Review the examples of a task one at a time, each with one key.
///
/// Keys: `a` approve the answer shown, `1` to `9` approve with that label, `e` write another answer, `r` reject, `s` skip,
/// `u` undo the last decision, `q` quit. Keys are also read from a pipe.
#[derive(Debug, Args)]
pub(crate) struct Review {
    /// Task.
    task: String,
    /// Sort order: uncertain (the active version's least certain suggestions first), disagreeing, imported, newest or oldest.
    #[arg(long, default_value = "uncertain")]
    order: Order,
    /// Maximum number to review.
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
}

/// What was done in a sitting.
#[derive(Debug, Default, Serialize)]
struct Done {
    approved: usize,
    edited: usize,
    rejected: usize,
    skipped: usize,
    undone: usize,
}

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Approve,
    Label(usize),
    Edit,
    Reject,
    Skip,
    Undo,
    Quit,
}

impl Act {
    fn of(key: char, labels: usize) -> Option<Self> {
        Some(match key {
            'a' => Self::Approve,
            'e' => Self::Edit,
            'r' => Self::Reject,
            's' => Self::Skip,
            'u' => Self::Undo,
            // Ctrl-C and Ctrl-D, too.
            'q' | '\u{3}' | '\u{4}' => Self::Quit,
            digit => {
                let place = digit.to_digit(10)?.checked_sub(1)? as usize;
                return (place < labels).then_some(Self::Label(place));
            }
        })
    }
}

/// What was decided, after which change of the example, and what taking it back changes.
struct Last {
    at: usize,
    after: i64,
    kind: fn(&mut Done) -> &mut usize,
}

pub(crate) async fn run(engine: &Engine, command: Review) -> Result<Reply> {
    let Review { task, order, limit } = command;
    let labels = engine.examples().known_labels(&task).await?;
    let filter = ExampleFilter {
        task: Some(task.clone()),
        review: Some(ReviewFilter::Pending),
        order,
        limit: Some(limit),
        ..ExampleFilter::default()
    };
    let (examples, total) = engine.examples().list(&filter).await?;
    let mut keys = Keys::open(engine.home.path());
    let mut done = Done::default();
    // Decided on by others since the list was read.
    let mut elsewhere = 0;
    let mut last: Option<Last> = None;
    let mut at = 0;
    while let Some(example) = examples.get(at) {
        let detail = match engine.examples().detail(&task, &example.id).await {
            Ok(detail) if detail.example.review == State::Pending => detail,
            found @ (Ok(_) | Err(Error::Store(StoreError::NoExample { .. }))) => {
                let state = found.map_or("deleted", |detail| detail.example.review.name());
                complain(&format!("\n{} of {total} · {} was {state} meanwhile.", at + 1, example.id));
                elsewhere += 1;
                at += 1;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let proposal = proposal(&detail);
        complain(&shown(&detail, proposal.as_ref(), &labels, (at + 1, total)));
        keys.forget();
        let act = loop {
            let Some(key) = keys.next() else { break Act::Quit };
            match Act::of(key, labels.len()) {
                Some(act) => break act,
                None => complain(KEYS),
            }
        };
        let (decision, kind): (Decision, fn(&mut Done) -> &mut usize) = match act {
            Act::Quit => break,
            Act::Skip => {
                done.skipped += 1;
                at += 1;
                continue;
            }
            Act::Undo => {
                match last.take() {
                    None => complain("There is nothing to undo."),
                    Some(of) => match take_back(engine, &examples[of.at], of.after).await {
                        Ok(true) => {
                            *(of.kind)(&mut done) -= 1;
                            done.undone += 1;
                            at = of.at;
                        }
                        Ok(false) => complain("Nothing was undone: somebody else changed the example since."),
                        Err(error) => complain(&format!("error: failed to {}", graft_core::with_causes(&error))),
                    },
                }
                continue;
            }
            Act::Approve => match &proposal {
                None => {
                    complain("There is no answer to approve: write one with `e`, or reject it with `r`.");
                    continue;
                }
                Some((_, answer)) if detail.example.output.as_ref() == Some(answer) => {
                    (Decision::Approve, |done| &mut done.approved)
                }
                Some((_, answer)) => (Decision::Edit(answer.clone()), |done| &mut done.approved),
            },
            Act::Label(place) => (Decision::Edit(Value::from(labels[place].as_str())), |done| &mut done.edited),
            Act::Edit => match keys.written("New answer: ", proposal.as_ref().map(|(_, answer)| answer))? {
                None => continue,
                Some(text) => (Decision::Edit(Value::from(text)), |done| &mut done.edited),
            },
            Act::Reject => (Decision::Reject(keys.line("Reason: ").unwrap_or_default()), |done| &mut done.rejected),
        };
        // What somebody else changed while it was shown is shown again.
        let change = detail.history.last().map(|one| one.seq);
        let seen = Seen { revision: Some(detail.example.revision), change };
        match engine.examples().decide(&task, &example.id, seen, decision).await {
            Ok(_) => {
                *kind(&mut done) += 1;
                last = Some(Last { at, after: change.unwrap_or_default(), kind });
                at += 1;
            }
            Err(error @ (Error::BadOutput { .. } | Error::Store(_))) => {
                complain(&format!("error: failed to {}", graft_core::with_causes(&error)));
                if !keys.is_terminal() {
                    return Err(error.into());
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    let Done { approved, edited, rejected, skipped, .. } = done;
    let left = total.saturating_sub((approved + edited + rejected + elsewhere) as u64);
    let text = format!(
        "{approved} approved, {edited} with another answer, {rejected} rejected, {skipped} skipped; {left} are still pending."
    );
    Ok(Reply::new(done, text))
}

const KEYS: &str = "a approve · e write another answer · r reject · s skip · u undo · q quit";

/// Takes back the decision that is the only change of an example after another one; says whether it is.
async fn take_back(engine: &Engine, example: &Example, after: i64) -> graft_engine::Result<bool> {
    let history = engine.examples().history(example).await?;
    let mut since = history.iter().filter(|change| change.seq > after);
    let (Some(own), None) = (since.next(), since.next()) else { return Ok(false) };
    let seen = Seen { revision: None, change: Some(own.seq) };
    engine.examples().undo(&example.task, &example.id, seen).await?;
    Ok(true)
}

/// The answer to approve, and who says it: what came with the example, else the active version, else the baseline.
fn proposal(detail: &ExampleDetail) -> Option<(String, Value)> {
    let suggested = detail.suggestion.as_ref().map(|made| {
        let sure = made.prediction.note.confidence * 100.0;
        (format!("version {}, {sure:.0} % sure", made.version), made.prediction.answer.clone())
    });
    let given = detail.example.output.clone().map(|answer| ("as imported".to_owned(), answer));
    let baseline = detail.baseline.clone().map(|answer| ("the baseline".to_owned(), answer));
    given.or(suggested).or(baseline).filter(|(_, answer)| !answer.is_null())
}

fn shown(
    detail: &ExampleDetail,
    proposal: Option<&(String, Value)>,
    labels: &[String],
    (at, total): (usize, u64),
) -> String {
    let example = &detail.example;
    let mut text = format!("\n{at} of {total} · {}\n\n{}\n\n", example.id, plain(&example.input));
    text += &match proposal {
        Some((by, Value::String(answer))) => format!("Answer ({by}): {}\n", plain(answer)),
        Some((by, answer)) => format!("Answer ({by}):\n{}\n", plain(&format!("{answer:#}"))),
        None => "No answer yet.\n".to_owned(),
    };
    if let (Some(baseline), Some((by, answer))) = (&detail.baseline, proposal)
        && baseline != answer
        && by != "the baseline"
    {
        text += &format!("The baseline says: {}\n", plain(&self::answer(baseline)));
    }
    let choices = labels.iter().take(9).enumerate().map(|(place, label)| format!("{} {}", place + 1, plain(label)));
    let choices: Vec<String> = choices.collect();
    if !choices.is_empty() {
        text += &format!("{}\n", choices.join(" · "));
    }
    text + KEYS
}

/// A text of somebody else's without what a terminal would obey.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && !matches!(c, '\n' | '\t') { '\u{fffd}' } else { c }).collect()
}

/// What keys that are no characters begin with.
const ESCAPE: u8 = 0x1b;

/// A key that comes so soon after itself was held down, or pressed twice by mistake.
const AGAIN: Duration = Duration::from_millis(150);
/// How long a repeated key waits for the next one: a key that is held down comes at least ten times per second.
const NEXT: Duration = Duration::from_millis(100);

/// Tells a key that is held down from one that is pressed again: terminals tell neither releases nor repeats.
#[derive(Debug, Default)]
struct Held {
    last: Option<(char, Instant)>,
}

impl Held {
    /// Whether a key that comes `now` is no press of its own. The first repeat of a held key comes late; `followed` says
    /// whether the same key comes again within [`NEXT`].
    fn repeats(&mut self, key: char, now: Instant, followed: impl FnOnce() -> bool) -> bool {
        let before = self.last.replace((key, now)).filter(|(last, _)| *last == key);
        before.is_some_and(|(_, at)| now.saturating_duration_since(at) < AGAIN || followed())
    }
}

/// Keys of the terminal, one at a time and without Enter; or the characters of a pipe.
struct Keys {
    /// What arrives together stays together, so that it is known whether more follows.
    input: BufReader<io::Stdin>,
    /// For the file that an editor changes; nobody else reads it.
    folder: PathBuf,
    held: Held,
    #[cfg(unix)]
    usual: Option<rustix::termios::Termios>,
}

impl Keys {
    fn open(folder: &Path) -> Self {
        Self {
            input: BufReader::new(io::stdin()),
            folder: folder.to_owned(),
            held: Held::default(),
            #[cfg(unix)]
            usual: io::stdin().is_terminal().then(|| rustix::termios::tcgetattr(io::stdin()).ok()).flatten(),
        }
    }

    fn is_terminal(&self) -> bool {
        io::stdin().is_terminal()
    }

    /// Whether the terminal gives each key at once, without showing it; otherwise whole lines.
    fn each_key(&self, at_once: bool) {
        #[cfg(unix)]
        if let Some(usual) = &self.usual {
            use rustix::termios::{LocalModes, OptionalActions, tcsetattr};
            let mut wanted = usual.clone();
            if at_once {
                // Ctrl-C comes as a key, so that the terminal is left as it was.
                wanted.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
            }
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &wanted);
        }
        #[cfg(not(unix))]
        let _ = at_once;
    }

    /// Forgets keys that were pressed before what they would decide on was shown.
    fn forget(&mut self) {
        #[cfg(unix)]
        if self.usual.is_some() {
            let _ = rustix::termios::tcflush(io::stdin(), rustix::termios::QueueSelector::IFlush);
            self.input.consume(self.input.buffer().len());
        }
    }

    /// The next key; none at the end of the input. Line ends are no keys, and neither are arrows, Delete and the like, nor
    /// repeats of a key that is held down. While no key is read, Ctrl-C ends the program.
    fn next(&mut self) -> Option<char> {
        self.each_key(true);
        let key = loop {
            match self.byte() {
                Some(b'\n' | b'\r' | b' ') => {}
                Some(ESCAPE) => self.skip_sequence(),
                Some(byte) if self.is_repeat(byte) => {}
                other => break other.map(char::from),
            }
        };
        self.each_key(false);
        key
    }

    /// Whether a byte comes of a key that is held down; a pipe repeats what it means.
    fn is_repeat(&mut self, byte: u8) -> bool {
        if !self.is_terminal() {
            return false;
        }
        let Self { held, input, .. } = self;
        held.repeats(char::from(byte), Instant::now(), || comes_soon(input, byte))
    }

    fn byte(&mut self) -> Option<u8> {
        let mut byte = [0];
        match self.input.read(&mut byte) {
            Ok(1) => Some(byte[0]),
            _ => None,
        }
    }

    /// Reads the rest of what a key sends that is no character: `ESC [ 3 ~` or `ESC O P` (ECMA-48), or `ESC a` for Alt-A.
    fn skip_sequence(&mut self) {
        // Escape itself sends nothing more.
        if self.input.buffer().is_empty() {
            return;
        }
        match self.byte() {
            Some(b'[') => while self.byte().is_some_and(|byte| !(0x40..=0x7e).contains(&byte)) {},
            Some(b'O') => {
                self.byte();
            }
            _ => {}
        }
    }

    /// A line that is typed, or the rest of the line in a pipe; none if it is blank.
    fn line(&mut self, question: &str) -> Option<String> {
        if self.is_terminal() {
            eprint!("{question}");
        }
        let mut line = Vec::new();
        while let Some(byte) = self.byte().filter(|byte| *byte != b'\n') {
            line.push(byte);
        }
        let line = String::from_utf8_lossy(&line).trim().to_owned();
        (!line.is_empty()).then_some(line)
    }

    /// An answer that a person writes: in the editor of `VISUAL` or `EDITOR`, else on a line. None if it is left as it was.
    fn written(&mut self, question: &str, before: Option<&Value>) -> Result<Option<String>> {
        let editor =
            ["VISUAL", "EDITOR"].iter().find_map(|name| std::env::var(name).ok()).filter(|name| !name.is_empty());
        let (Some(editor), true) = (editor, self.is_terminal()) else { return Ok(self.line(question)) };
        let before = before.map(|answer| match answer {
            Value::String(text) => text.clone(),
            other => format!("{other:#}"),
        });
        let before = before.unwrap_or_default();
        let file = self.folder.join(format!("review-{}.json", std::process::id()));
        graft_formats::atomic::bytes(&file, before.as_bytes())?;
        let written = edited(&editor, &file);
        let _ = std::fs::remove_file(&file);
        Ok(written?.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty() && *text != before.trim()))
    }
}

/// Whether the next byte is this one and comes within [`NEXT`].
fn comes_soon(input: &mut BufReader<io::Stdin>, byte: u8) -> bool {
    #[cfg(unix)]
    if input.buffer().is_empty() {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let limit = Timespec { tv_sec: 0, tv_nsec: i64::from(NEXT.subsec_nanos()) };
        let comes = poll(&mut [PollFd::new(&io::stdin(), PollFlags::IN)], Some(&limit)).is_ok_and(|ready| ready > 0);
        return comes && input.fill_buf().is_ok_and(|bytes| bytes.first() == Some(&byte));
    }
    input.buffer().first() == Some(&byte)
}

/// What an editor leaves in a file; none if it fails.
fn edited(editor: &str, file: &Path) -> Result<Option<String>> {
    let mut words = editor.split_whitespace();
    let program = words.next().unwrap_or_default();
    let ended = Command::new(program).args(words).arg(file).status().map_err(|error| {
        Failure::usage(
            format!("start the editor `{editor}`: {error}"),
            "set `EDITOR` to the program that you edit texts with",
        )
    })?;
    if !ended.success() {
        return Ok(None);
    }
    let read = std::fs::read_to_string(file);
    Ok(Some(read.map_err(|source| Error::Io { doing: "read", path: file.to_owned(), source })?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_acts() {
        assert_eq!(Act::of('a', 0), Some(Act::Approve));
        assert_eq!((Act::of('2', 2), Act::of('3', 2), Act::of('0', 2)), (Some(Act::Label(1)), None, None));
        assert_eq!((Act::of('\u{3}', 0), Act::of('x', 9)), (Some(Act::Quit), None));
    }

    #[test]
    fn held_key_is_one_press() {
        let start = Instant::now();
        let mut held = Held::default();
        let mut acts =
            |key: char, at: u64, followed: bool| !held.repeats(key, start + Duration::from_millis(at), || followed);
        assert!(acts('a', 0, true), "the first press never waits");
        // Held down: the first repeat comes after half a second, further ones every 33 ms.
        assert_eq!([acts('a', 500, true), acts('a', 533, true), acts('a', 566, false)], [false; 3]);
        assert!(acts('a', 800, false), "pressed again");
        assert!(!acts('a', 900, false), "twice by mistake");
        assert!(acts('r', 910, true), "another key");
        assert!(acts('a', 920, true), "and back");
    }

    #[test]
    fn texts_give_the_terminal_no_orders() {
        assert_eq!(plain("a\u{1b}[31m\tb\nc\u{9b}"), "a\u{fffd}[31m\tb\nc\u{fffd}");
    }
}
