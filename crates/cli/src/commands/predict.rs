use std::path::PathBuf;

use clap::Args;
use graft_core::{AnswerForm, ExitCode, TaskCard};
use graft_engine::{Chosen, Decoding, Engine, Error, Input, Loaded, Prediction, Sampling, Told, read_inputs};
use graft_store::ExampleFilter;
use graft_tasks::{
    baseline::Baseline,
    cards,
    pounds::Tables,
    score::{Diff, diff},
};
use serde_json::{Map, Value, json};

use super::examples::answer;
use crate::{
    failure::{Failure, Result},
    output::{Reply, Table, brief, print},
    progress::Counter,
};

/// Inputs answered before their lines are written.
const CHUNK: usize = 64;
/// Held-out messages that `validate` takes where no samples are given.
const SAMPLES: usize = 10;

const TOO_LONG: &str = "the input leaves no room for an answer in the model's context";

/// Which version answers, and how.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The task, where several have versions.
    #[arg(long)]
    task: Option<String>,
    /// The version, or the path of an adapter's folder (with a `/`); otherwise the active version.
    #[arg(long, value_name = "NAME_OR_DIR")]
    version: Option<String>,
    /// The base model of a folder that was made elsewhere; otherwise the one that its files name.
    #[arg(long, value_name = "MODEL")]
    base: Option<String>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "How answers are written")]
pub(crate) struct How {
    /// Answers written side by side.
    #[arg(long, default_value_t = Decoding::default().batch, value_name = "N")]
    batch_size: usize,
    /// Most tokens of one answer.
    #[arg(long, default_value_t = Decoding::default().max_tokens, value_name = "N")]
    max_tokens: usize,
    /// Choose tokens at random, wilder above 1; otherwise the likeliest is taken.
    #[arg(long, value_name = "T")]
    temperature: Option<f32>,
    /// With --temperature: among the likeliest that together have this probability.
    #[arg(long, default_value_t = 1.0, requires = "temperature", value_name = "P")]
    top_p: f32,
    /// With --temperature: same seed, same answers.
    #[arg(long, default_value_t = 42, requires = "temperature", value_name = "N")]
    seed: u64,
}

impl How {
    fn decoding(&self) -> Result<Decoding> {
        let sane = self.temperature.is_none_or(|t| t > 0.0 && t.is_finite()) && self.top_p > 0.0 && self.top_p <= 1.0;
        if !sane || self.batch_size == 0 || self.max_tokens == 0 {
            let hint = "temperature above 0, top-p above 0 and at most 1, batch-size and max-tokens at least 1";
            return Err(Failure::usage("use these settings", hint));
        }
        let sampling = self.temperature.map(|temperature| Sampling { temperature, top_p: self.top_p, seed: self.seed });
        Ok(Decoding { max_tokens: self.max_tokens, batch: self.batch_size, sampling })
    }
}

/// Answer messages with a version, one JSON line each.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub(crate) struct Infer {
    #[command(flatten)]
    which: Which,
    /// One message.
    #[arg(long, value_name = "TEXT", group = "what")]
    message: Option<String>,
    /// JSON lines with a text and a ts or id, a Slack export, or a text file with one message a line.
    #[arg(long, value_name = "FILE_OR_EXPORT", group = "what")]
    input_file: Option<PathBuf>,
    /// Where the lines go; stdout otherwise.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    how: How,
}

/// Check that a version loads and answers in its task's form.
#[derive(Debug, Args)]
pub(crate) struct Validate {
    #[command(flatten)]
    which: Which,
    /// Messages to answer, as for `infer`; otherwise some held-out ones.
    #[arg(long, value_name = "FILE")]
    samples: Option<PathBuf>,
    #[command(flatten)]
    how: How,
}

/// Put the answers of the regex parser (or of another version) and of a version side by side.
#[derive(Debug, Args)]
pub(crate) struct Compare {
    #[command(flatten)]
    which: Which,
    /// The message.
    #[arg(long, value_name = "TEXT")]
    message: String,
    /// Compare with this version instead of the regex parser.
    #[arg(long, value_name = "VERSION")]
    with: Option<String>,
    #[command(flatten)]
    how: How,
}

impl Which {
    async fn find(&self, engine: &Engine) -> Result<Chosen> {
        if let Some(folder) = self.version.as_deref().filter(|version| is_folder(version)) {
            let told = Told { task: self.task.as_deref(), base: self.base.as_deref() };
            return Ok(engine.adopt(folder.as_ref(), told).await?);
        }
        if self.base.is_some() {
            return Err(Failure::usage("use `--base` for a version, which has a base of its own", "leave it out"));
        }
        let task = engine.task_with_versions(self.task.as_deref()).await?;
        Ok(engine.adapter(&task, self.version.as_deref()).await?)
    }
}

/// Whether people mean a folder and no version's name.
pub(crate) fn is_folder(adapter: &str) -> bool {
    adapter.contains(std::path::is_separator) || adapter == "."
}

fn name(chosen: &Chosen) -> String {
    let version = chosen.version.as_ref().map(|version| version.name.clone());
    version.unwrap_or_else(|| chosen.folder.display().to_string())
}

pub(crate) async fn infer(engine: &Engine, command: Infer, json: bool) -> Result<Reply> {
    let how = command.how.decoding()?;
    let (inputs, one) = match (command.message, command.input_file) {
        (Some(text), _) => (vec![Input { key: "", id: String::new(), text }], true),
        (None, Some(path)) => (read_inputs(&path)?, false),
        (None, None) => return Err(Failure::usage("answer nothing", "give `--message` or `--input-file`")),
    };
    let chosen = command.which.find(engine).await?;
    let loaded = engine.load(&chosen).await?;
    let (version, tables) = (name(&chosen), engine.home.tables()?);
    let mut counter = Counter::new("answers", inputs.len());
    let mut lines = Vec::new();
    let mut invalid = 0;
    for chunk in inputs.chunks(CHUNK) {
        let texts: Vec<&str> = chunk.iter().map(|input| input.text.as_str()).collect();
        let done = lines.len();
        let answers = loaded.answer(&texts, how, &mut |_, more, _| counter.set(done + more, inputs.len()))?;
        for (input, prediction) in chunk.iter().zip(answers) {
            invalid += usize::from(prediction.as_ref().is_none_or(|prediction| !prediction.valid));
            let line = line(input, prediction.as_ref(), &loaded.card, &version, &tables);
            if !json && command.output.is_none() {
                print(&line.to_string());
            }
            lines.push(line);
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

/// An answer as one JSON object: the input's key, the fields, how sure, and by whom.
fn line(input: &Input, prediction: Option<&Prediction>, card: &TaskCard, version: &str, tables: &Tables) -> Value {
    let mut line = Map::new();
    if !input.key.is_empty() {
        line.insert(input.key.into(), input.id.clone().into());
    }
    let Some(prediction) = prediction else {
        line.extend([("version".to_owned(), version.into()), ("valid".to_owned(), false.into())]);
        line.insert("error".into(), TOO_LONG.into());
        return Value::Object(line);
    };
    match (cards::finish(&card.name, prediction.answer.clone(), tables), &card.answer) {
        (Value::Object(fields), _) => line.extend(fields),
        (value, AnswerForm::Label { .. }) => drop(line.insert("label".into(), value)),
        (value, _) => drop(line.insert("text".into(), value)),
    }
    line.insert("confidence".into(), rounded(prediction.confidence));
    if !prediction.fields.is_empty() {
        let fields: Map<String, Value> =
            prediction.fields.iter().map(|(path, p)| (path.clone(), rounded(*p))).collect();
        line.insert("field_confidence".into(), fields.into());
    }
    line.insert("version".into(), version.into());
    line.insert("valid".into(), prediction.valid.into());
    Value::Object(line)
}

fn rounded(probability: f64) -> Value {
    json!((probability * 1e4).round() / 1e4)
}

pub(crate) async fn validate(engine: &Engine, command: Validate) -> Result<Reply> {
    let how = command.how.decoding()?;
    let chosen = command.which.find(engine).await?;
    let loaded = engine.load(&chosen).await?;
    let inputs = match &command.samples {
        Some(path) => read_inputs(path)?,
        None => held_out(engine, &chosen, &loaded.card.name).await?,
    };
    let texts: Vec<&str> = inputs.iter().map(|input| input.text.as_str()).collect();
    let mut counter = Counter::new("answers", inputs.len());
    let answers = loaded.answer(&texts, how, &mut |_, done, of| counter.set(done, of))?;
    drop(counter);
    let mut table = Table::new(["sample", "result"]);
    let mut samples = Vec::new();
    let mut bad = 0;
    for (input, prediction) in inputs.iter().zip(&answers) {
        let problem = problem(&loaded.card, prediction.as_ref());
        bad += usize::from(problem.is_some());
        table.row([input.id.clone(), problem.clone().unwrap_or_else(|| "ok".into())]);
        samples.push(
            json!({input.key: input.id, "ok": problem.is_none(), "problem": problem, "answer": prediction.as_ref().map(|prediction| &prediction.answer)}),
        );
    }
    let version = name(&chosen);
    let end = format!("{version} loads; {} of {} answers are as they should be.", answers.len() - bad, answers.len());
    let json = json!({"version": version, "loads": true, "samples": samples, "failed": bad});
    let reply = Reply::new(json, format!("{table}{end}"));
    Ok(if bad == 0 { reply } else { reply.with_code(ExitCode::ModelMissing) })
}

/// Some messages, such that the version has not learned from where that is known.
async fn held_out(engine: &Engine, chosen: &Chosen, task: &str) -> Result<Vec<Input>> {
    let examples = match chosen.version.as_ref().and_then(|version| version.dataset.as_ref()) {
        Some(digest) => {
            let dataset = engine.store.dataset(task, digest).await?;
            dataset.eval.into_iter().chain(dataset.train).collect()
        }
        None => {
            let limit = Some(SAMPLES as u32);
            engine
                .store
                .examples(&ExampleFilter { task: Some(task.to_owned()), limit, ..ExampleFilter::default() })
                .await?
        }
    };
    let some = examples.into_iter().take(SAMPLES);
    Ok(some.map(|example| Input { key: "id", id: example.id, text: example.input }).collect())
}

/// What is wrong with an answer.
fn problem(card: &TaskCard, prediction: Option<&Prediction>) -> Option<String> {
    let Some(prediction) = prediction else { return Some(TOO_LONG.into()) };
    if !prediction.valid {
        return Some("the answer was cut short: it is longer than `--max-tokens`".into());
    }
    let task = match cards::task(&card.name) {
        Ok(task) => task,
        Err(error) => return Some(error.to_string()),
    };
    if let Err(reason) = cards::accept(task, &prediction.answer) {
        return Some(reason);
    }
    let items = prediction.answer.get("items").and_then(Value::as_array).into_iter().flatten();
    let nameless = |item: &Value| item.get("name").and_then(Value::as_str).is_none_or(|name| name.trim().is_empty());
    items.enumerate().find(|(_, item)| nameless(item)).map(|(i, _)| format!("items[{i}] has no name"))
}

pub(crate) async fn compare(engine: &Engine, command: Compare) -> Result<Reply> {
    let how = command.how.decoding()?;
    let chosen = command.which.find(engine).await?;
    let loaded = engine.load(&chosen).await?;
    let ours = one(&loaded, &command.message, how)?;
    let (left, theirs) = match &command.with {
        Some(other) => {
            let other = engine.adapter(&loaded.card.name, Some(other)).await?;
            (name(&other), one(&engine.load(&other).await?, &command.message, how)?.answer)
        }
        None if loaded.card.name == "slack-rescue" => {
            ("regex".to_owned(), Baseline::new(&engine.home.tables()?).extract(&command.message))
        }
        None => {
            let what = format!("compare task `{}` with a regex parser, which it has not", loaded.card.name);
            return Err(Error::Unsupported(format!("{what}; name a version with `--with`")).into());
        }
    };
    let version = name(&chosen);
    let found = diff(&loaded.card, &theirs, &ours.answer);
    let text = side_by_side(&left, &version, &found);
    let json = json!({
        "message": command.message, "task": loaded.card.name,
        "left": {"name": left, "answer": theirs},
        "right": {"name": version, "answer": ours.answer, "confidence": ours.confidence, "valid": ours.valid},
        "differences": found,
    });
    Ok(Reply::new(json, text))
}

fn one(loaded: &Loaded, message: &str, how: Decoding) -> Result<Prediction> {
    let mut answers = loaded.answer(&[message], how, &mut |_, _, _| {})?;
    answers.pop().flatten().ok_or_else(|| Failure::usage(format!("answer the message: {TOO_LONG}"), "shorten it"))
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
