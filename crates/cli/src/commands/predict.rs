use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use graft_core::{ComputeDevice, ExitCode};
use graft_engine::{
    Chosen, ContestantKind, Engine, Error, Input, Serving, Task, Told, read_inputs,
    records::{self, ExampleFilter},
    serving::{Answer, AnswerOptions, Deployment, Sampling, answer_line},
};
use graft_tasks::score::{Diff, diff};
use serde_json::{Map, Value, json};

use super::{examples::answer, import::TableColumns};
use crate::{
    failure::{Failure, Result},
    output::{Reply, Table, brief, print},
    progress::Counter,
};

/// Number of inputs per written block of lines.
const CHUNK: usize = 64;
/// The same on a GPU, so that its batch runs empty less often.
const GPU_CHUNK: usize = 512;
/// Number of held-out messages that `validate` uses without `--samples`.
const SAMPLES: usize = 10;

/// The version that answers, and how it generates.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Task; needed if several tasks have versions.
    #[arg(long)]
    task: Option<String>,
    /// Version, or path of an adapter folder (must contain a `/`) [default: the active version].
    #[arg(long, value_name = "NAME_OR_DIR")]
    version: Option<String>,
    /// Base model of an adapter folder that Graft did not train [default: the one its config names].
    #[arg(long, value_name = "MODEL")]
    base: Option<String>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "How answers are written")]
pub(crate) struct How {
    /// Number of answers generated at the same time [default: 24, on a GPU 64].
    #[arg(long, value_name = "N")]
    batch_size: Option<usize>,
    /// Where answers are computed: auto (the first GPU that works, otherwise the CPU), cpu, gpu or gpu:N [default: the
    /// setting `device`].
    #[arg(long, value_name = "DEVICE")]
    device: Option<ComputeDevice>,
    /// Maximum tokens of one answer.
    #[arg(long, default_value_t = AnswerOptions::MAX_TOKENS, value_name = "N")]
    max_tokens: usize,
    /// Sampling temperature [default: greedy decoding].
    #[arg(long, value_name = "T")]
    temperature: Option<f32>,
    /// With --temperature: nucleus sampling; sample from the most likely tokens with this total probability.
    #[arg(long, default_value_t = 1.0, requires = "temperature", value_name = "P")]
    top_p: f32,
    /// With --temperature: random seed; the same seed gives the same answers.
    #[arg(long, default_value_t = 42, requires = "temperature", value_name = "N")]
    seed: u64,
}

impl How {
    /// What answers, and how each answer is written.
    fn start(&self, engine: &Engine) -> Result<(Serving, AnswerOptions)> {
        let sane = self.temperature.is_none_or(|t| t > 0.0 && t.is_finite()) && self.top_p > 0.0 && self.top_p <= 1.0;
        if !sane || self.batch_size == Some(0) || self.max_tokens == 0 {
            let hint = "temperature above 0, top-p above 0 and at most 1, batch-size and max-tokens at least 1";
            return Err(Failure::usage("use these settings", hint));
        }
        let sampling = self.temperature.map(|temperature| Sampling { temperature, top_p: self.top_p, seed: self.seed });
        let options = AnswerOptions { max_tokens: Some(self.max_tokens), sampling, ..AnswerOptions::default() };
        let engine = self.device.map_or_else(|| engine.clone(), |device| engine.on_device(device));
        Ok((Serving::once(engine, self.batch_size), options))
    }
}

/// Answer messages with a version; prints one JSON line per message.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub(crate) struct Infer {
    #[command(flatten)]
    which: Which,
    /// Message to answer.
    #[arg(long, value_name = "TEXT", group = "what")]
    message: Option<String>,
    /// JSON lines with a text and a ts or id, a table (.csv, .tsv, .xlsx), a Slack export, or a text file with one
    /// message per line.
    #[arg(long, value_name = "FILE_OR_EXPORT", group = "what")]
    input_file: Option<PathBuf>,
    /// File to write [default: stdout].
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    table: TableColumns,
    #[command(flatten)]
    how: How,
}

/// Check that a version loads and that its answers follow the task's schema or labels.
#[derive(Debug, Args)]
pub(crate) struct Validate {
    #[command(flatten)]
    which: Which,
    /// Messages to answer, in the forms of `infer --input-file` [default: some held-out ones].
    #[arg(long, value_name = "FILE")]
    samples: Option<PathBuf>,
    #[command(flatten)]
    table: TableColumns,
    #[command(flatten)]
    how: How,
}

/// Compare a version's answer with that of the baseline, another version or a contestant.
#[derive(Debug, Args)]
pub(crate) struct Compare {
    #[command(flatten)]
    which: Which,
    /// Message to answer.
    #[arg(long, value_name = "TEXT")]
    message: String,
    /// Compare with this version or contestant (rules, n-grams, nearest, most-frequent) instead of the baseline.
    #[arg(long, value_name = "VERSION")]
    with: Option<String>,
    #[command(flatten)]
    how: How,
}

impl Which {
    async fn find(&self, engine: &Engine) -> Result<Chosen> {
        if let Some(folder) = self.version.as_deref().filter(|version| is_folder(version)) {
            let told = Told { task: self.task.as_deref(), base: self.base.as_deref() };
            let chosen = engine.versions().adopt(folder.as_ref(), told).await?;
            chosen.notes.iter().for_each(|note| eprintln!("{folder}: {note}"));
            return Ok(chosen);
        }
        if self.base.is_some() {
            return Err(Failure::usage("use `--base` with a version, which has its own base model", "leave it out"));
        }
        let task = engine.versions().task_with_versions(self.task.as_deref()).await?;
        Ok(engine.versions().adapter(&task, self.version.as_deref()).await?)
    }
}

/// Reads what is to be answered, and says how where that isn't plain.
pub(super) fn read(path: &Path, table: TableColumns) -> Result<Vec<Input>> {
    let (inputs, notes) = read_inputs(path, &table.with_label(None))?;
    notes.iter().for_each(|note| eprintln!("{}: {note}", path.display()));
    Ok(inputs)
}

/// Whether the argument is a folder rather than a version's name.
pub(crate) fn is_folder(adapter: &str) -> bool {
    adapter.contains(std::path::is_separator) || adapter == "."
}

fn name(chosen: &Chosen) -> String {
    let version = chosen.version.as_ref().map(|version| version.name.clone());
    version.unwrap_or_else(|| chosen.folder.display().to_string())
}

/// Answers to inputs, in order, each with the reason where the input gets none.
async fn answers(
    serving: &Serving,
    deployment: &Arc<Deployment>,
    inputs: &[Input],
    options: &AnswerOptions,
    tell: impl FnMut(usize),
) -> Result<Vec<std::result::Result<Answer, String>>> {
    let texts: Vec<String> = inputs.iter().map(|input| input.text.clone()).collect();
    let answers = serving.answer_all(deployment, &texts, options, tell).await?;
    Ok(Answer::each(answers)?)
}

pub(crate) async fn infer(engine: &Engine, command: Infer, json: bool) -> Result<Reply> {
    let (serving, options) = command.how.start(engine)?;
    let (inputs, one) = match (command.message, command.input_file) {
        (Some(text), _) => (vec![Input { key: "", id: String::new(), text }], true),
        (None, Some(path)) => (read(&path, command.table)?, false),
        (None, None) => return Err(Failure::usage("answer nothing", "give `--message` or `--input-file`")),
    };
    let chosen = command.which.find(engine).await?;
    let version = name(&chosen);
    let deployment = serving.deploy(chosen).await?;
    let mut counter = Counter::new("answers", inputs.len());
    let mut lines = Vec::new();
    let mut invalid = 0;
    let size = if deployment.is_on_gpu() { GPU_CHUNK } else { CHUNK };
    for chunk in inputs.chunks(size) {
        let done = lines.len();
        let tell = |more| counter.set(done + more, inputs.len());
        for (input, answer) in chunk.iter().zip(answers(&serving, &deployment, chunk, &options, tell).await?) {
            invalid += usize::from(!answer.as_ref().is_ok_and(|answer| answer.valid));
            let mut line = answer_line(input, answer.as_ref(), deployment.card(), &version);
            if json {
                add_whole(&mut line, answer.as_ref().ok());
            } else if command.output.is_none() {
                print(&Value::Object(line.clone()).to_string());
            }
            lines.push(Value::Object(line));
        }
    }
    drop(counter);
    if let Some(path) = command.output {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        graft_formats::atomic::bytes(&path, text.as_bytes())?;
        let said = format!("{} answers of {version} in {}, {invalid} of them not valid.", lines.len(), path.display());
        return Ok(Reply::new(json!({"output": path, "answers": lines.len(), "invalid": invalid}), said));
    }
    let whole = if one { lines.pop().unwrap_or_default() } else { json!({"answers": lines}) };
    Ok(if json { Reply::new(whole, "") } else { Reply::silent() })
}

/// Adds what `/infer` replies to a short line, whose names stay as they are.
fn add_whole(line: &mut Map<String, Value>, answer: Option<&Answer>) {
    let Some(Ok(Value::Object(whole))) = answer.map(serde_json::to_value) else { return };
    for (name, value) in whole {
        line.entry(name).or_insert(value);
    }
}

pub(crate) async fn validate(engine: &Engine, command: Validate) -> Result<Reply> {
    let (serving, options) = command.how.start(engine)?;
    let chosen = command.which.find(engine).await?;
    let deployment = serving.deploy(chosen.clone()).await?;
    let inputs = match command.samples {
        Some(path) => read(&path, command.table)?,
        None => held_out(engine, &chosen, deployment.task()).await?,
    };
    let mut counter = Counter::new("answers", inputs.len());
    let answers = answers(&serving, &deployment, &inputs, &options, |done| counter.set(done, inputs.len())).await?;
    drop(counter);
    let mut table = Table::new(["sample", "result"]);
    let mut samples = Vec::new();
    let mut bad = 0;
    for (input, answer) in inputs.iter().zip(&answers) {
        let problem = problem(deployment.definition(), answer.as_ref());
        bad += usize::from(problem.is_some());
        table.row([input.id.clone(), problem.clone().unwrap_or_else(|| "ok".into())]);
        let written = answer.as_ref().ok().map(|answer| &answer.written);
        samples.push(json!({input.key: input.id, "ok": problem.is_none(), "problem": problem, "answer": written}));
    }
    let version = name(&chosen);
    let end = format!("{version} loads; {} of {} answers are valid.", answers.len() - bad, answers.len());
    let json = json!({"version": version, "loads": true, "samples": samples, "failed": bad});
    let reply = Reply::new(json, format!("{table}{end}"));
    Ok(if bad == 0 { reply } else { reply.with_code(ExitCode::ModelMissing) })
}

/// Some messages; held-out ones if the version's dataset is known.
async fn held_out(engine: &Engine, chosen: &Chosen, task: &str) -> Result<Vec<Input>> {
    let examples = match chosen.version.as_ref().and_then(|version| version.dataset.as_ref()) {
        Some(digest) => {
            let dataset = engine.examples().dataset(task, digest).await?;
            dataset.eval.into_iter().chain(dataset.train).collect()
        }
        None => {
            let (task, limit) = (Some(task.to_owned()), Some(SAMPLES as u32));
            engine.examples().list(&ExampleFilter { task, limit, ..ExampleFilter::default() }).await?.0
        }
    };
    let some = examples.into_iter().take(SAMPLES);
    Ok(some.map(|example| Input { key: "id", id: example.id, text: example.input }).collect())
}

/// What is wrong with an answer.
fn problem(task: &Task, answer: std::result::Result<&Answer, &String>) -> Option<String> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(reason) => return Some(reason.clone()),
    };
    if !answer.valid {
        return Some("the answer was cut short: it is longer than `--max-tokens`".into());
    }
    // The bounds and names of the card are the codec's; here is the form that people see.
    if let Err(reason) = task.accept(&answer.written) {
        return Some(reason);
    }
    let computed = task.computed.as_ref()?;
    let items = answer.written.get(&computed.list).and_then(Value::as_array).into_iter().flatten();
    let name = |item: &Value| item.get(&computed.name).and_then(Value::as_str).map(str::trim).unwrap_or_default().len();
    items.enumerate().find(|(_, item)| name(item) == 0).map(|(i, _)| format!("{}[{i}] has no name", computed.list))
}

pub(crate) async fn compare(engine: &Engine, command: Compare) -> Result<Reply> {
    let (serving, options) = command.how.start(engine)?;
    let chosen = command.which.find(engine).await?;
    let version = name(&chosen);
    let deployment = serving.deploy(chosen).await?;
    let card = deployment.card();
    let ours = one(&serving, &deployment, &command.message, &options).await?;
    let (left, theirs) = match &command.with {
        Some(other) => {
            match (serving.deployment(deployment.task(), Some(other)).await, other.parse::<ContestantKind>()) {
                (Err(Error::Store(records::Error::NoVersion { .. })), Ok(kind)) => {
                    (other.clone(), serving.contestant_says(deployment.task(), kind, &command.message).await?.answer)
                }
                (found, _) => {
                    let answer = one(&serving, &found?, &command.message, &options).await?;
                    (answer.version.unwrap_or_default(), answer.written)
                }
            }
        }
        None => match engine.tasks().baseline(deployment.definition()).await? {
            Some(parser) => (parser.name().to_owned(), parser.answer(&command.message).map_err(Error::from)?),
            None => {
                let what = format!("compare task `{}` with its baseline: it has none", deployment.task());
                return Err(Error::Unsupported(format!("{what}; name a version with `--with`")).into());
            }
        },
    };
    let found = diff(card, &deployment.definition().scoring, &theirs, &ours.written);
    let text = side_by_side(&left, &version, &found);
    let json = json!({
        "message": command.message, "task": deployment.task(),
        "left": {"name": left, "answer": theirs},
        "right": {"name": version, "answer": ours.written, "confidence": ours.confidence, "valid": ours.valid},
        "differences": found,
    });
    Ok(Reply::new(json, text))
}

async fn one(
    serving: &Serving,
    deployment: &Arc<Deployment>,
    message: &str,
    options: &AnswerOptions,
) -> Result<Answer> {
    let input = Input { key: "", id: String::new(), text: message.to_owned() };
    let answer = answers(serving, deployment, &[input], options, |_| {}).await?.remove(0);
    let hint = "shorten the message, or add a rule to the task's baseline";
    answer.map_err(|reason| Failure::usage(format!("answer the message: {reason}"), hint))
}

fn side_by_side(left: &str, right: &str, found: &Diff) -> String {
    let mut table = Table::new(["field", left, right, ""]);
    let mark = |same: bool| if same { "" } else { "differs" }.to_owned();
    for field in &found.fields {
        let name = if field.field.is_empty() { "answer" } else { &field.field };
        let short = |value: &Value| brief(&answer(value), 50);
        table.row([name.to_owned(), short(&field.left), short(&field.right), mark(field.same)]);
    }
    let item = |item: &Value| {
        let said = item.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
        brief(&said.map(|(_, value)| answer(value)).collect::<Vec<_>>().join(", "), 50)
    };
    for value in &found.both {
        table.row(["item".into(), item(value), item(value), String::new()]);
    }
    for value in &found.only_left {
        table.row(["item".into(), item(value), String::new(), format!("only {left}")]);
    }
    for value in &found.only_right {
        table.row(["item".into(), String::new(), item(value), format!("only {right}")]);
    }
    format!("{table}They agree in {:.0} % of fields and items.\n", 100.0 * found.score)
}
