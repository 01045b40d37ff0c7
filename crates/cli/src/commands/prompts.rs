use std::path::PathBuf;

use clap::Subcommand;
use graft_core::ExitCode;
use graft_engine::{
    Engine, PromptBatch, PromptDiff, PromptReached, PromptVersion, Understood, iso8601, records::Prompt,
};
use serde_json::{Value, json};

use super::{examples, tasks::read};
use crate::{
    failure::Result,
    output::{Reply, Table, brief, facts},
};

/// Widest input in a list, in characters.
const WIDTH: usize = 60;

/// Submit texts for training; list, show and compare them.
#[derive(Debug, Subcommand)]
pub(crate) enum Prompts {
    /// Submit a table of texts: each becomes a dataset of its own, and one run is queued for each task and base model.
    Submit {
        /// CSV or JSON lines with the columns `prompt` (or `text`) and `model_type` (or `task`), and perhaps `priority`,
        /// `base` and `description`; `-` for stdin.
        file: PathBuf,
        /// Check the table; store nothing.
        #[arg(long)]
        dry_run: bool,
        /// Import the examples of a text even if their labels are all others than those of its task's approved examples.
        #[arg(long)]
        mix_labels: bool,
    },
    /// List submitted texts, newest first.
    List {
        /// Maximum number to list.
        #[arg(long, default_value_t = 50, value_name = "N")]
        limit: u32,
    },
    /// Show a submitted text with its versions, and what each of them reached.
    Show {
        /// Number of the text.
        id: u64,
    },
    /// Show what differs between two submitted texts: examples, settings, and what their runs reached.
    Diff {
        /// Number of the earlier text.
        before: u64,
        /// Number of the later text.
        after: u64,
    },
}

pub(crate) async fn run(engine: &Engine, command: Prompts) -> Result<Reply> {
    let runs = engine.runs();
    match command {
        Prompts::Submit { file, dry_run, mix_labels } => {
            let batch = runs.submit_prompts(&read(&file)?, mix_labels, dry_run).await?;
            let said = submitted(&batch, dry_run);
            let code = if batch.prompts.is_empty() { ExitCode::BadData } else { ExitCode::Success };
            Ok(Reply::new(batch, said).with_code(code))
        }
        Prompts::List { limit } => {
            let prompts = runs.prompts(limit, 0).await?;
            let mut table = Table::new(["number", "dataset", "version of", "examples", "run", "submitted", "text"]);
            for prompt in &prompts {
                table.row([
                    prompt.id.to_string(),
                    prompt.dataset.clone(),
                    prompt.parent.map(|parent| parent.to_string()).unwrap_or_default(),
                    prompt.examples.to_string(),
                    prompt.run.clone().unwrap_or_default(),
                    iso8601(prompt.created_at),
                    brief(prompt.preview.trim(), WIDTH),
                ]);
            }
            let text = table.or(
                "No text was submitted yet: `graft prompts submit FILE` and the page `/training/prompt` submit some.",
            );
            Ok(Reply::new(json!({"prompts": prompts}), text))
        }
        Prompts::Show { id } => {
            let prompt = runs.prompt(id).await?;
            let versions = runs.prompt_versions(id).await?;
            let text = runs.prompt_text(id).await?;
            let said = format!("{}\n{}\n{}", about(&prompt), table(&versions), text.trim_end());
            Ok(Reply::new(json!({"prompt": prompt, "versions": versions, "text": text}), said))
        }
        Prompts::Diff { before, after } => {
            let diff = runs.compare_prompts(before, after).await?;
            let said = told(&diff);
            Ok(Reply::new(diff, said))
        }
    }
}

fn submitted(batch: &PromptBatch, dry_run: bool) -> String {
    let mut table = Table::new(["line", "model type", "task", "base", "priority", "examples", "pending", "dataset"]);
    for prompt in &batch.prompts {
        table.row([
            prompt.line.to_string(),
            prompt.model_type.clone(),
            prompt.task.clone(),
            prompt.base.clone(),
            prompt.priority.name().to_owned(),
            prompt.examples.to_string(),
            prompt.pending.to_string(),
            prompt.dataset.clone().unwrap_or_default(),
        ]);
    }
    let mut said = table.or("");
    for problem in &batch.problems {
        said += &format!("line {}: {}\n", problem.line, problem.reason);
    }
    for prompt in &batch.prompts {
        said.extend(prompt.hints.iter().map(|hint| format!("line {}: {}\n", prompt.line, hint.text)));
    }
    for run in batch.runs.iter().filter(|_| !dry_run) {
        let outcome = run.run.as_ref().map(|run| format!("run {run} is queued.")).or_else(|| run.note.clone());
        said += &format!("{} with {}: {}\n", run.task, run.base, outcome.unwrap_or_default());
    }
    let (texts, runs) = (batch.prompts.len(), batch.runs.len());
    if dry_run {
        said += &format!("{texts} text(s) would be submitted, with {runs} run(s). Nothing was stored.\n");
    }
    said
}

fn about(prompt: &Prompt) -> String {
    let mut about = vec![
        ("dataset", prompt.dataset.clone()),
        ("task", prompt.task.clone()),
        ("examples", format!("{}, of which {} pending", prompt.examples, prompt.pending)),
        ("submitted", format!("{} by {}", iso8601(prompt.created_at), prompt.created_by)),
    ];
    about.extend(prompt.run.clone().map(|run| ("run", run)));
    about.extend(prompt.note.clone().map(|note| ("note", note)));
    facts(&about)
}

/// The versions of a text, with what each reached.
fn table(versions: &[PromptVersion]) -> String {
    let mut table = Table::new(["number", "version of", "examples", "state", "learned", "loss", "score", "version"]);
    for PromptVersion { prompt, reached } in versions {
        table.row([
            prompt.id.to_string(),
            prompt.parent.map(|parent| parent.to_string()).unwrap_or_default(),
            prompt.examples.to_string(),
            reached.state.map_or("not trained", |state| state.name()).to_owned(),
            reached.learned.map(|learned| learned.to_string()).unwrap_or_default(),
            reached.loss.map(|loss| format!("{loss:.4}")).unwrap_or_default(),
            score(reached),
            version(reached),
        ]);
    }
    format!("{table}A run learns from all approved examples of its task, not only from those of its text.\n")
}

fn score(reached: &PromptReached) -> String {
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let told = reached.score.as_ref().map(|metric| {
        let (value, low, high) = (percent(metric.value), percent(metric.low), percent(metric.high));
        format!("{} {value} ({low} to {high})", metric.name)
    });
    told.unwrap_or_default()
}

fn version(reached: &PromptReached) -> String {
    let name = reached.version.clone().unwrap_or_default();
    if reached.active { format!("{name} (active)") } else { name }
}

fn told(diff: &PromptDiff) -> String {
    let text = &diff.text;
    let mut lines = Vec::new();
    if let Some(heading) = &text.heading {
        let said = |heading: &Option<String>| brief(heading.as_deref().unwrap_or("none"), WIDTH);
        lines.push(format!("  heading: {} => {}", said(&heading.before), said(&heading.after)));
    }
    let setting = |value: &Value| if value.is_null() { "none".to_owned() } else { answer(Some(value)) };
    for change in &diff.settings {
        lines.push(format!("  {}: {} => {}", change.name, setting(&change.before), setting(&change.after)));
    }
    let example = |sign: char, one: &Understood| {
        format!("{sign} {} -> {}", brief(&one.input, WIDTH), answer(one.output.as_ref()))
    };
    lines.extend(text.removed.iter().map(|one| example('-', one)));
    lines.extend(text.added.iter().map(|one| example('+', one)));
    lines.extend(text.changed.iter().map(|one| {
        let (before, after) = (answer(one.before.as_ref()), answer(one.after.as_ref()));
        format!("~ {} -> {before} => {after}", brief(&one.input, WIDTH))
    }));
    let counts = &text.counts;
    lines.push(format!(
        "{} added, {} removed, {} with another answer, {} the same.\n",
        counts.added, counts.removed, counts.changed, counts.same
    ));
    lines.push(table(&[diff.before.clone(), diff.after.clone()]));
    lines.join("\n")
}

fn answer(output: Option<&Value>) -> String {
    brief(&output.map_or_else(|| "(no answer)".to_owned(), examples::answer), WIDTH)
}
