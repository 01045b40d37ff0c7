//! Progress output during long operations: bars on a terminal, lines elsewhere. All of it goes to stderr.

use std::{
    io::IsTerminal as _,
    time::{Duration, Instant},
};

use graft_core::{Event, EventKind, InterimScores, Phase};
use indicatif::{ProgressBar, ProgressStyle};

use crate::output::{bytes, seconds};

/// Lines of steps come no faster than this.
const PAUSE: Duration = Duration::from_secs(5);

/// Shows the events of a training.
pub(crate) struct Training {
    bar: Option<ProgressBar>,
    shown: Option<Instant>,
    /// While held-out examples are answered.
    answers: Option<Counter>,
    say: fn(&str),
}

impl Training {
    /// For a person at a terminal, or for a log; both on stderr.
    pub(crate) fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(0);
            bar.set_style(style("{bar:30} {pos}/{len} steps  {msg}"));
            bar.enable_steady_tick(Duration::from_millis(250));
            bar
        });
        Self { bar, shown: None, answers: None, say: crate::output::complain }
    }

    /// A bar for a person at a terminal; plain lines on stdout otherwise.
    pub(crate) fn for_directory() -> Self {
        Self { say: crate::output::print, ..Self::new() }
    }

    /// Shows one event.
    pub(crate) fn event(&mut self, event: &Event) {
        match &event.kind {
            EventKind::Phase { phase } => self.say(phase_name(*phase)),
            EventKind::Prepared { train, eval, too_long, tokens, supervised, steps, memory, .. } => {
                let long = if *too_long == 0 { String::new() } else { format!(", {too_long} skipped as too long") };
                self.say(&format!(
                    "{train} training examples, {eval} held out{long}; {tokens} tokens \
                     ({supervised} supervised), {steps} steps, about {} of memory",
                    bytes(*memory)
                ));
                if let Some(bar) = &self.bar {
                    bar.set_length(*steps);
                }
            }
            EventKind::Step { .. } => self.step(&event.kind),
            EventKind::Eval { step, loss, best, scores, .. } => {
                let best = if *best { ", the best so far" } else { "" };
                let scores = scores.as_ref().map_or_else(String::new, |scores| format!("; {}", interim(scores)));
                self.say(&format!("step {step}: held-out loss {loss:.4}{best}{scores}"));
            }
            EventKind::Checkpoint { .. } => {}
            EventKind::Answered { done, of } => {
                self.answers.get_or_insert_with(|| Counter::new("held-out examples", *of)).set(*done, *of);
            }
            EventKind::Resumed { step } => self.say(&format!("Continuing from step {step}.")),
            EventKind::Note { text } => self.say(text),
            EventKind::Done { steps, final_loss } => {
                self.say(&format!("Done after {steps} steps; loss {final_loss:.4}."));
                self.clear();
            }
            EventKind::Failed { .. } => self.clear(),
        }
    }

    fn step(&mut self, kind: &EventKind) {
        let EventKind::Step { step, of, loss, lr, tokens_per_s, eta_s, .. } = kind else { return };
        let numbers = format!("loss {loss:.4}  lr {lr:.2e}  {tokens_per_s:.0} tokens/s  {} left", seconds(*eta_s));
        if let Some(bar) = &self.bar {
            bar.set_length(*of);
            bar.set_position(*step);
            bar.set_message(numbers);
            return;
        }
        let due = self.shown.is_none_or(|shown| shown.elapsed() >= PAUSE);
        if due || step == of {
            self.shown = Some(Instant::now());
            self.say(&format!("step {step}/{of}  {numbers}"));
        }
    }

    fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None => (self.say)(line),
        }
    }

    fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Scores during a training.
pub(crate) fn interim(scores: &InterimScores) -> String {
    let f1 = scores.f1.map_or_else(String::new, |f1| format!(", F1 {f1:.3}"));
    format!("accuracy {:.3}{f1} on {} held-out examples", scores.accuracy, scores.examples)
}

/// Shows how far a download has come.
pub(crate) struct Download {
    bar: Option<ProgressBar>,
    file: String,
    done_bytes: u64,
    shown: Option<Instant>,
}

impl Download {
    pub(crate) fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(0);
            bar.set_style(style("{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}  {msg}"));
            bar
        });
        Self { bar, file: String::new(), done_bytes: 0, shown: None }
    }

    pub(crate) fn show(&mut self, progress: graft_hub::Progress<'_>) {
        let fresh = self.file != progress.file;
        progress.file.clone_into(&mut self.file);
        if let Some(bar) = &self.bar {
            bar.set_length(progress.total_bytes);
            bar.set_position(progress.done_bytes);
            bar.set_message(self.file.clone());
            return;
        }
        let done = progress.done_bytes == progress.total_bytes && self.done_bytes < progress.total_bytes;
        self.done_bytes = progress.done_bytes;
        if fresh
            || done
            || progress.done_bytes < progress.total_bytes && self.shown.is_none_or(|shown| shown.elapsed() >= PAUSE)
        {
            self.shown = Some(Instant::now());
            eprintln!("{}: {} of {}", self.file, bytes(progress.done_bytes), bytes(progress.total_bytes));
        }
    }

    pub(crate) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Shows how many of a known number of things are done.
pub(crate) struct Counter {
    bar: Option<ProgressBar>,
    what: String,
    shown: Instant,
}

impl Counter {
    pub(crate) fn new(what: &str, of: usize) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(of as u64);
            bar.set_style(style("{bar:30} {pos}/{len}  {msg}  {eta} left"));
            bar.set_message(what.to_owned());
            bar
        });
        Self { bar, what: what.to_owned(), shown: Instant::now() }
    }

    pub(crate) fn set(&mut self, done: usize, of: usize) {
        if let Some(bar) = &self.bar {
            bar.set_length(of as u64);
            bar.set_position(done as u64);
        } else if self.shown.elapsed() >= PAUSE {
            self.shown = Instant::now();
            eprintln!("{}: {done} of {of}", self.what);
        }
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Download => "Downloading the base model …",
        Phase::Prepare => "Preparing the data and the base model …",
        Phase::Search => "Searching …",
        Phase::Train => "Training …",
        Phase::Evaluate => "Measuring the held-out loss …",
    }
}
