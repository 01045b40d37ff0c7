use std::{fs, path::PathBuf};

use clap::{Args, Subcommand};
use graft_core::Example;
use graft_engine::{
    Engine, Error, Helpful, iso8601,
    records::{Bulk, BulkReport, Change, Decision, ExampleFilter, Order, ReviewFilter, Seen},
};
use serde_json::{Value, json};

use crate::{
    failure::Result,
    output::{Reply, Table, brief, facts},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Examples {
    /// List examples with their answers and review states.
    List {
        /// Only this task.
        #[arg(long)]
        task: Option<String>,
        #[command(flatten)]
        narrow: Narrow,
        /// Sort order: imported, newest or oldest.
        #[arg(long, default_value = "imported")]
        order: Order,
        /// Maximum number to list.
        #[arg(long, default_value_t = 20, value_name = "N")]
        limit: u32,
        /// Number to skip.
        #[arg(long, default_value_t = 0, value_name = "N")]
        offset: u32,
    },
    /// Show one example.
    Show {
        /// Id as printed by `list`.
        id: String,
        /// Task of the example; needed if several tasks have this id.
        #[arg(long)]
        task: Option<String>,
        /// Print the tokens and which of them are supervised (carry loss).
        #[arg(long)]
        mask: bool,
        /// Base model whose tokenizer is used.
        #[arg(long, default_value = "smollm2-135m", requires = "mask")]
        base: String,
    },
    /// Approve examples: their answers are correct and may be trained on.
    Approve {
        #[command(flatten)]
        which: Which,
    },
    /// Reject examples: they are never trained on.
    Reject {
        #[command(flatten)]
        which: Which,
        /// Reason to record.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Set examples back to pending.
    Reopen {
        #[command(flatten)]
        which: Which,
    },
    /// Change an example's answer and approve it.
    Edit {
        /// Id as printed by `list`.
        id: String,
        /// Task of the example; needed if several tasks have this id.
        #[arg(long)]
        task: Option<String>,
        /// New answer: JSON, a label or a text.
        #[arg(long, conflicts_with = "output_file", required_unless_present = "output_file", value_name = "ANSWER")]
        output: Option<String>,
        /// File that contains the new answer.
        #[arg(long, value_name = "FILE")]
        output_file: Option<PathBuf>,
    },
    /// List the pending examples whose review would help most, with the reason for each, and the labels that need more
    /// examples.
    Helpful {
        /// Task.
        task: String,
        /// Maximum number to list, at most 20.
        #[arg(long, default_value_t = 20, value_name = "N")]
        limit: usize,
    },
    /// Show every change of an example.
    History {
        /// Id as printed by `list`.
        id: String,
        /// Task of the example; needed if several tasks have this id.
        #[arg(long)]
        task: Option<String>,
    },
}

/// The examples to change: those named, or all that match the filters.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Ids as printed by `list`.
    #[arg(
        required_unless_present = "all",
        conflicts_with_all = ["state", "source", "search", "decided_by", "field", "min_confidence", "max_confidence"]
    )]
    ids: Vec<String>,
    /// Task of the examples; needed if several tasks have an id.
    #[arg(long, required_if_eq("all", "true"))]
    task: Option<String>,
    /// All examples of the task that match the filters.
    #[arg(long, conflicts_with = "ids")]
    all: bool,
    #[command(flatten)]
    narrow: Narrow,
}

/// Filters on examples.
#[derive(Debug, Args)]
pub(crate) struct Narrow {
    /// Only examples in this state: pending, approved, rejected, or audited (approved or rejected).
    #[arg(long)]
    state: Option<ReviewFilter>,
    /// Only examples from this source: slack, ask-ai, csv, jsonl, prompt.
    #[arg(long)]
    source: Option<String>,
    /// Only examples with this text in the input, the answer or the id.
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Only examples decided by this person.
    #[arg(long, value_name = "PERSON")]
    decided_by: Option<String>,
    /// Only examples whose suggestion has this field, at any depth; the confidence filters then apply to the field.
    #[arg(long)]
    field: Option<String>,
    /// Only examples whose suggestion has at least this confidence (0 to 1).
    #[arg(long, value_name = "SHARE")]
    min_confidence: Option<f64>,
    /// Only examples whose suggestion has less than this confidence (0 to 1).
    #[arg(long, value_name = "SHARE")]
    max_confidence: Option<f64>,
}

impl Narrow {
    fn filter(self, task: Option<String>) -> ExampleFilter {
        let Self { state: review, source, search, decided_by: by, field, min_confidence, max_confidence } = self;
        let rest = ExampleFilter::default();
        ExampleFilter { task, review, source, search, by, field, min_confidence, max_confidence, ..rest }
    }
}

pub(crate) async fn run(engine: &Engine, command: Examples) -> Result<Reply> {
    match command {
        Examples::List { task, narrow, order, limit, offset } => {
            list(engine, &ExampleFilter { order, limit: Some(limit), offset, ..narrow.filter(task) }).await
        }
        Examples::Show { id, task, mask, base } => {
            let example = engine.examples().get(&id, task.as_deref()).await?;
            if mask { show_mask(engine, &example, &base).await } else { Ok(show(&example)) }
        }
        Examples::Approve { which } => decide(engine, which, "approved", &Decision::Approve).await,
        Examples::Reject { which, reason } => decide(engine, which, "rejected", &Decision::Reject(reason)).await,
        Examples::Reopen { which } => decide(engine, which, "made pending", &Decision::Reopen).await,
        Examples::Edit { id, task, output, output_file } => {
            let text = match (output, output_file) {
                (Some(text), _) => text,
                (None, Some(path)) => {
                    fs::read_to_string(&path).map_err(|source| Error::Io { doing: "read", path, source })?
                }
                (None, None) => String::new(),
            };
            let example = engine.examples().get(&id, task.as_deref()).await?;
            Ok(decided("edited and approved", &[engine.examples().edit(&example, &text).await?]))
        }
        Examples::Helpful { task, limit } => {
            let found = engine.evaluations().helpful(&task, limit).await?;
            let text = helpful(&found);
            Ok(Reply::new(found, text))
        }
        Examples::History { id, task } => {
            let example = engine.examples().get(&id, task.as_deref()).await?;
            Ok(history(&engine.examples().history(&example).await?))
        }
    }
}

async fn decide(engine: &Engine, which: Which, what: &str, decision: &Decision) -> Result<Reply> {
    if let (Some(task), true) = (&which.task, which.all) {
        let filter = which.narrow.filter(None);
        let report = engine.examples().decide_many(task, &Bulk::Matching(filter), decision).await?;
        return Ok(decided_many(what, &report));
    }
    let mut changed = Vec::new();
    for id in which.ids {
        let found = engine.examples().get(&id, which.task.as_deref()).await?;
        changed.push(engine.examples().decide(&found.task, &id, Seen::default(), decision.clone()).await?);
    }
    Ok(decided(what, &changed))
}

async fn list(engine: &Engine, filter: &ExampleFilter) -> Result<Reply> {
    let (examples, total) = engine.examples().list(filter).await?;
    let mut table = Table::new(["id", "task", "state", "input", "answer"]);
    for example in &examples {
        table.row([
            example.id.clone(),
            example.task.clone(),
            example.review.name().to_owned(),
            brief(&example.input, 60),
            example.output.as_ref().map_or_else(String::new, |output| brief(&answer(output), 40)),
        ]);
    }
    let mut text = table.or("No such examples.\n");
    if examples.len() as u64 != total {
        text += &format!("{} of {total} shown; --limit and --offset show others.\n", examples.len());
    }
    Ok(Reply::new(json!({"examples": examples, "total": total}), text))
}

fn helpful(found: &Helpful) -> String {
    let mut table = Table::new(["id", "input", "why"]);
    for one in &found.examples {
        table.row([one.listed.example.id.clone(), brief(&one.listed.example.input, 60), one.why.clone()]);
    }
    let mut text = table.or("");
    text += &format!("{}\n", found.text);
    text.extend(found.add.iter().map(|label| format!("  {}\n", label.text)));
    text
}

/// Shows a text unchanged and anything else as JSON.
pub(crate) fn answer(output: &Value) -> String {
    output.as_str().map_or_else(|| output.to_string(), str::to_owned)
}

fn show(example: &Example) -> Reply {
    let output = match &example.output {
        Some(Value::String(text)) => text.clone(),
        Some(other) => format!("{other:#}"),
        None => "none yet".to_owned(),
    };
    let review = match &example.review {
        graft_core::Review::Pending => "pending".to_owned(),
        graft_core::Review::Approved { by, at } => format!("approved by {by}, {}", iso8601(*at)),
        graft_core::Review::Rejected { by, at, reason } => format!("rejected by {by}, {}: {reason}", iso8601(*at)),
    };
    let source = &example.source;
    let at = source.at.map_or_else(String::new, |at| format!(", {}", iso8601(at)));
    let text = facts(&[
        ("id", example.id.clone()),
        ("task", example.task.clone()),
        ("source", format!("{} {}{at}", source.kind, source.reference)),
        ("review", review),
        ("revision", example.revision.to_string()),
        ("input", example.input.clone()),
        ("answer", output),
    ]);
    Reply::new(example, text)
}

async fn show_mask(engine: &Engine, example: &Example, base: &str) -> Result<Reply> {
    let tokens = engine.examples().mask(example, base).await?;
    let mut text = String::new();
    let mut supervised = false;
    for token in &tokens {
        if token.supervised != supervised {
            text += if token.supervised { "\n--- loss from here ---\n" } else { "\n--- no loss from here ---\n" };
            supervised = token.supervised;
        }
        text += &format!("[{}]", token.text.replace('\n', "⏎"));
    }
    let carry = tokens.iter().filter(|token| token.supervised).count();
    text += &format!("\n\n{} tokens, {carry} of them carry loss", tokens.len());
    let tokens: Vec<Value> =
        tokens.iter().map(|t| json!({"id": t.id, "text": t.text, "supervised": t.supervised})).collect();
    Ok(Reply::new(json!({"example": example.id, "base": base, "tokens": tokens, "supervised": carry}), text))
}

fn decided(what: &str, examples: &[Example]) -> Reply {
    let ids: Vec<&str> = examples.iter().map(|example| example.id.as_str()).collect();
    Reply::new(json!({"examples": examples}), format!("{what}: {}", ids.join(", ")))
}

fn decided_many(what: &str, report: &BulkReport) -> Reply {
    let skipped = report.skipped.iter().map(|skipped| format!("not changed: {}\n", skipped.why));
    Reply::new(report, format!("{what}: {}\n{}", report.changed, skipped.collect::<String>()))
}

fn history(changes: &[Change]) -> Reply {
    let mut table = Table::new(["when", "who", "what", "before", "after"]);
    let short = |value: &Option<Value>| value.as_ref().map_or_else(String::new, |value| brief(&value.to_string(), 50));
    for change in changes {
        table.row([
            iso8601(change.at),
            change.by.clone(),
            change.action.name().to_owned(),
            short(&change.before),
            short(&change.after),
        ]);
    }
    Reply::new(json!({"changes": changes}), table.to_string())
}
