use std::{
    collections::BTreeMap,
    io::Read as _,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand, ValueEnum};
use graft_engine::{
    BaselineSpec, BaselineTrial, Columns, Engine, Error, Form, KnownTask, MadeTask, NewTask, Task, TaskDetail,
    TaskImpact, TaskOrigin, Template, TemplateFile, Understanding, iso8601,
};
use serde_json::{Value, json};

use super::examples;
use super::upstream::{self, UpstreamFlags};
use crate::{
    failure::{Failure, Result},
    output::{Reply, Table, brief, facts, print},
};

/// Maximum size in bytes of a file with a definition or schema.
const MAX_FILE: u64 = 4 << 20;

/// Create, edit, clone, rename, archive, export and import tasks.
#[derive(Debug, Subcommand)]
pub(crate) enum Tasks {
    /// Create a task.
    New {
        /// Name: lowercase letters, digits and `-`.
        name: String,
        /// Form of an answer [default: what the examples of `--from` or the template say].
        #[arg(long, value_enum, required_unless_present_any = ["from", "template"])]
        form: Option<FormName>,
        /// Make it of this template, with the template's examples; `graft tasks templates` lists them.
        #[arg(long, value_name = "TEMPLATE", conflicts_with_all = ["from", "form"])]
        template: Option<String>,
        /// With `--template`: the value of a variable, such as `text=ticket`; may be repeated.
        #[arg(long, value_name = "VARIABLE=VALUE", requires = "template")]
        fill: Vec<String>,
        /// Text file of examples, a JSON Schema, or JSON answers, or `-` for stdin: the task is inferred from them,
        /// and the examples are imported.
        #[arg(long, value_name = "FILE")]
        from: Option<PathBuf>,
        /// Import every example of the file or template as pending.
        #[arg(long)]
        pending: bool,
        #[command(flatten)]
        fields: Fields,
        /// Check the task; store nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// List the templates of tasks, with their variables.
    Templates,
    /// Show, save or delete a template.
    #[command(subcommand)]
    Template(TemplateCommand),
    /// List the tasks.
    List {
        /// List archived tasks, too.
        #[arg(long)]
        archived: bool,
    },
    /// Show a task's definition.
    Show {
        /// Task.
        task: String,
        /// Show this revision [default: the newest].
        #[arg(long, value_name = "N")]
        revision: Option<i64>,
    },
    /// Change a task, and show the effect on its examples and versions.
    Edit {
        /// Task.
        task: String,
        /// File of the new definition in TOML or JSON, or `-` for stdin; the flags change single fields.
        file: Option<PathBuf>,
        #[command(flatten)]
        fields: Fields,
        /// Only show the effect; store nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Create a task with the definition of another one, without its examples and versions.
    Clone {
        /// Task.
        task: String,
        /// Name of the new task.
        name: String,
        /// Title of the new task [default: made of its name].
        #[arg(long)]
        title: Option<String>,
    },
    /// Rename a task with its examples, runs and versions.
    Rename {
        /// Task.
        task: String,
        /// New name.
        name: String,
    },
    /// Archive a task: it is no longer listed or trained; its examples and versions are kept.
    Archive {
        /// Task.
        task: String,
        /// Restore an archived task.
        #[arg(long)]
        undo: bool,
    },
    /// Try a task's baseline on its approved examples: the score, and the examples that it gets wrong.
    TryBaseline {
        /// Task.
        task: String,
        /// Try this baseline instead of the task's: a file in TOML or JSON with `kind` and what belongs to it, or `-` for
        /// stdin. Nothing is stored.
        #[arg(long, value_name = "FILE")]
        baseline: Option<PathBuf>,
        /// Ask the newest N approved examples [default: 1000; 50 of a command or endpoint].
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=5000))]
        limit: Option<u32>,
        /// Print at most N wrong answers.
        #[arg(long, value_name = "N", default_value_t = 10)]
        wrong: usize,
    },
    /// Show or set the upstream of a task: the service that answers its requests at `/v1/chat/completions` until Graft does.
    Upstream {
        /// Task.
        task: String,
        #[command(flatten)]
        flags: UpstreamFlags,
    },
    /// Print a task's definition as a file.
    Export {
        /// Task.
        task: String,
        /// Format of the file.
        #[arg(long, value_enum, default_value = "toml")]
        format: FileFormat,
        /// Write to this file instead of stdout.
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Create a task from a file.
    Import {
        /// File in TOML or JSON, or `-` for stdin.
        file: PathBuf,
        /// Name of the task [default: the file's].
        #[arg(long)]
        name: Option<String>,
        /// Replace the definition of an existing task with that name.
        #[arg(long)]
        replace: bool,
    },
}

/// What to do with a template.
#[derive(Debug, Subcommand)]
pub(crate) enum TemplateCommand {
    /// Print a template as a file.
    Show {
        /// Template.
        name: String,
        /// Fill in a variable, such as `text=ticket`; may be repeated.
        #[arg(long, value_name = "VARIABLE=VALUE")]
        fill: Vec<String>,
    },
    /// Save a template. Every `{{name}}` of its title, instruction and guidelines becomes a variable.
    Save {
        /// Name: lowercase letters, digits and `-`.
        name: String,
        /// File of the template in TOML or JSON, or `-` for stdin.
        #[arg(required_unless_present = "task")]
        file: Option<PathBuf>,
        /// Save this task with its newest approved examples instead.
        #[arg(long, conflicts_with = "file")]
        task: Option<String>,
        /// With `--task`: how many examples.
        #[arg(long, value_name = "N", default_value_t = 12, requires = "task",
              value_parser = clap::value_parser!(u32).range(0..=1000))]
        examples: u32,
    },
    /// Delete a template that somebody saved.
    Delete {
        /// Template.
        name: String,
    },
}

/// Form of an answer.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum FormName {
    /// One of some labels.
    Labels,
    /// An object with fields, by a JSON Schema.
    Fields,
    /// Free text.
    Text,
    /// The next turn of a dialogue.
    Dialogue,
}

/// Form of a file.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum FileFormat {
    /// TOML, which people edit.
    Toml,
    /// JSON, as the API has it.
    Json,
}

/// Fields of a definition.
#[derive(Debug, Args)]
pub(crate) struct Fields {
    /// Title for people [default: made of the name].
    #[arg(long)]
    title: Option<String>,
    /// Instruction that precedes every input.
    #[arg(long, value_name = "TEXT")]
    instruction: Option<String>,
    /// A label of the form labels; may be repeated.
    #[arg(long = "label", value_name = "LABEL")]
    labels: Vec<String>,
    /// Whether answers must be one of the labels.
    #[arg(long, value_name = "YES", num_args = 0..=1, default_missing_value = "true")]
    closed: Option<bool>,
    /// File of the JSON Schema of the form fields.
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// A field that is copied word for word from the input, such as `place` or `items.name`; may be repeated.
    #[arg(long = "grounded", value_name = "PATH")]
    grounded: Vec<String>,
    /// Text file of guidelines for people who review examples.
    #[arg(long, value_name = "FILE")]
    guidelines: Option<PathBuf>,
    /// Metric that decides between versions.
    #[arg(long)]
    metric: Option<String>,
    /// File of the baseline in TOML or JSON, with `kind` and what belongs to it; `none` removes the baseline.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Whether Audit proposes the baseline's answers.
    #[arg(long, value_name = "YES", num_args = 0..=1, default_missing_value = "true")]
    prefill: Option<bool>,
    /// Whether trainings learn from variants of the examples.
    #[arg(long, value_name = "YES", num_args = 0..=1, default_missing_value = "true")]
    variants: Option<bool>,
    /// Default of a setting of its trainings, such as `epochs=4`; may be repeated.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    settings: Vec<String>,
}

impl From<FormName> for Form {
    fn from(name: FormName) -> Self {
        match name {
            FormName::Labels => Self::Labels,
            FormName::Fields => Self::Fields,
            FormName::Text => Self::Text,
            FormName::Dialogue => Self::Dialogue,
        }
    }
}

impl Fields {
    fn is_empty(&self) -> bool {
        let texts = [&self.title, &self.instruction, &self.metric];
        let lists = [&self.labels, &self.grounded, &self.settings];
        texts.iter().all(|text| text.is_none())
            && lists.iter().all(|list| list.is_empty())
            && self.schema.is_none()
            && self.guidelines.is_none()
            && self.closed.is_none()
            && self.baseline.is_none()
            && self.prefill.is_none()
            && self.variants.is_none()
    }

    fn apply(self, task: &mut Task) -> Result<()> {
        let set = |place: &mut String, given: Option<String>| given.into_iter().for_each(|text| *place = text);
        set(&mut task.title, self.title);
        set(&mut task.instruction, self.instruction);
        set(&mut task.guidelines, self.guidelines.as_deref().map(read).transpose()?);
        if !self.labels.is_empty() {
            task.labels = self.labels;
        }
        if !self.grounded.is_empty() {
            task.grounded = self.grounded;
        }
        task.closed = self.closed.unwrap_or(task.closed);
        task.schema = self.schema.as_deref().map(read).transpose()?.map(Value::from).or_else(|| task.schema.take());
        task.scoring.metric = self.metric.or_else(|| task.scoring.metric.take());
        task.prefill = self.prefill.unwrap_or(task.prefill);
        match self.baseline.as_deref() {
            None => {}
            Some(none) if none == Path::new("none") => task.baseline = None,
            Some(path) => task.baseline = Some(BaselineSpec::read(&read(path)?)?),
        }
        task.training.variants = self.variants.unwrap_or(task.training.variants);
        for setting in self.settings {
            let Some((name, value)) = setting.split_once('=') else {
                return Err(Failure::usage(format!("read the setting `{setting}`"), "write `--set NAME=VALUE`"));
            };
            let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
            task.training.settings.insert(name.replace('-', "_"), value);
        }
        Ok(())
    }
}

pub(crate) async fn run(engine: &Engine, command: Tasks) -> Result<Reply> {
    let tasks = engine.tasks();
    match command {
        Tasks::New { name, form: None, template: Some(template), fill, pending, fields, dry_run, .. } => {
            let mut new = tasks.new_of_template(&template, &values(&fill)?, &name).await?;
            fields.apply(&mut new.definition)?;
            new.pending = pending;
            let made = if dry_run { tasks.try_create_with(new).await? } else { tasks.create_with(new).await? };
            let text = about_made(&made, dry_run);
            Ok(Reply::new(made, text))
        }
        Tasks::Templates => {
            let all = tasks.templates().await?;
            let mut table = Table::new(["name", "form", "title", "from", "variables"]);
            for Template { name, saved_by, file } in &all {
                let variables: Vec<_> =
                    file.variables.iter().map(|one| format!("{}={}", one.name, one.value)).collect();
                let from = saved_by.clone().unwrap_or_else(|| "Graft".to_owned());
                table.row([
                    name.clone(),
                    file.form.name().to_owned(),
                    brief(&file.title, 40),
                    from,
                    brief(&variables.join(", "), 60),
                ]);
            }
            Ok(Reply::new(json!({"templates": all}), table.to_string()))
        }
        Tasks::Template(command) => template(engine, command).await,
        Tasks::New { name, form, from, pending, fields, dry_run, .. } => {
            let form = form.map(Form::from);
            let text = from.as_deref().map(read).transpose()?.unwrap_or_default();
            let understood =
                from.map(|_| engine.examples().understand(&text, &Columns::default(), &KnownTask::default()));
            let task = match (&understood, form) {
                (Some(found), form) => found.task(&name, form),
                (None, form) => form.map(|form| Task::blank(&name, form)),
            };
            let Some(mut definition) = task else {
                let hint = "add answers to some examples, or give the answer form with `--form`";
                return Err(Failure::usage("infer the answer form: the text has no answers", hint));
            };
            fields.apply(&mut definition)?;
            if definition.instruction.trim().is_empty() {
                let hint = "describe what the model should do: `--instruction TEXT`";
                return Err(Failure::usage("create a task without an instruction", hint));
            }
            let new = NewTask { definition, text, pending };
            let made = if dry_run { tasks.try_create_with(new).await? } else { tasks.create_with(new).await? };
            let text = understood.map(|found| said(&found)).unwrap_or_default() + &about_made(&made, dry_run);
            Ok(Reply::new(made, text))
        }
        Tasks::List { archived } => {
            let all = tasks.list(archived).await?;
            let mut table = Table::new(["name", "form", "title", "from", "revision", ""]);
            for task in &all {
                table.row([
                    task.definition.name.clone(),
                    task.definition.form.name().to_owned(),
                    brief(&task.definition.shown(), 40),
                    origin(task.origin).to_owned(),
                    task.revision.to_string(),
                    if task.archived { "archived" } else { "" }.to_owned(),
                ]);
            }
            Ok(Reply::new(json!({"tasks": all}), table.to_string()))
        }
        Tasks::Show { task, revision } => {
            let found = match revision {
                None => tasks.get(&task).await?,
                Some(wanted) => {
                    let all = tasks.revisions(&task).await?;
                    let found = all.into_iter().find(|one| one.revision == wanted);
                    let hint = "`graft tasks show` without a revision shows the newest";
                    found.ok_or_else(|| Failure::usage(format!("find revision {wanted} of task `{task}`"), hint))?
                }
            };
            let text = format!("{}\n{}", about(&found), found.definition.to_toml());
            Ok(Reply::new(found, text))
        }
        Tasks::Edit { task, file, fields, dry_run } => {
            if file.is_none() && fields.is_empty() {
                let hint = "name the file of the new definition (`graft tasks export` writes one), or give a flag";
                return Err(Failure::usage(format!("change task `{task}`: no change was given"), hint));
            }
            let before = tasks.get(&task).await?;
            let mut changed = match &file {
                Some(file) => Task::read(&read(file)?, None)?,
                None => before.definition.clone(),
            };
            fields.apply(&mut changed)?;
            let seen = Some(before.revision);
            let change = match dry_run {
                true => tasks.try_change(&task, changed, seen).await?,
                false => tasks.change(&task, changed, seen).await?,
            };
            let text = match (dry_run, change.task.revision == before.revision) {
                (_, true) => format!("Task {task} stays at revision {}.\n", before.revision),
                (true, false) => format!("Task {task} would be at revision {}.\n", change.task.revision),
                (false, false) => format!("Task {task} is at revision {}.\n", change.task.revision),
            };
            let text = text + &told(&change.impact);
            Ok(Reply::new(change, text))
        }
        Tasks::Clone { task, name, title } => {
            let made = tasks.clone_as(&task, &name, title.as_deref()).await?;
            let text = format!("Created task {name} from {task}. Next: `{}`\n", next(&made.definition));
            Ok(Reply::new(made, text))
        }
        Tasks::Rename { task, name } => {
            let renamed = tasks.rename(&task, &name).await?;
            Ok(Reply::new(renamed, format!("Task {task} is now {name}.\n")))
        }
        Tasks::Archive { task, undo } => {
            let found = tasks.archive(&task, !undo).await?;
            let text = match undo {
                true => format!("Task {task} is listed again.\n"),
                false => format!("Task {task} is archived; `graft tasks archive {task} --undo` restores it.\n"),
            };
            Ok(Reply::new(found, text))
        }
        Tasks::TryBaseline { task, baseline, limit, wrong } => {
            let baseline = baseline.map(|path| Ok::<_, Failure>(BaselineSpec::read(&read(&path)?)?)).transpose()?;
            let tried = baseline.clone().or(tasks.definition(&task).await?.baseline);
            let rules = match tried {
                Some(BaselineSpec::Rules(rules)) => rules.rules,
                _ => Vec::new(),
            };
            let trial = engine.evaluations().try_baseline(&task, baseline, limit).await?;
            let patterns: Vec<&str> = rules.iter().map(|rule| rule.pattern.as_str()).collect();
            let text = about_trial(&trial, &patterns, wrong);
            Ok(Reply::new(trial, text))
        }
        Tasks::Upstream { task, flags } => upstream::run(engine, &task, flags).await,
        Tasks::Export { task, format, output } => {
            let found = tasks.definition(&task).await?;
            let text = match format {
                FileFormat::Toml => found.to_toml(),
                FileFormat::Json => graft_core::json::pretty(&found),
            };
            let Some(path) = output else {
                print(text.trim_end());
                return Ok(Reply::silent());
            };
            graft_formats::atomic::bytes(&path, text.as_bytes())?;
            let text = format!("Task {task} is written to {}.\n", path.display());
            Ok(Reply::new(json!({"task": task, "path": path}), text))
        }
        Tasks::Import { file, name, replace } => {
            let task = Task::read(&read(&file)?, name.as_deref())?;
            let (name, hint) = (task.name.clone(), next(&task));
            if replace && tasks.get(&name).await.is_ok() {
                let change = tasks.change(&name, task, None).await?;
                let text = format!("Task {name} is at revision {}.\n{}", change.task.revision, told(&change.impact));
                return Ok(Reply::new(change, text));
            }
            let made = tasks.create(task).await?;
            Ok(Reply::new(made, format!("Task {name} is made. Next: `{hint}`\n")))
        }
    }
}

/// The score of a baseline, what became of each rule, and what it gets wrong.
fn about_trial(trial: &BaselineTrial, patterns: &[&str], wrong: usize) -> String {
    let share = |of: f64| format!("{:.1} %", of * 100.0);
    let mut text = format!("Right: {} of {} examples.\n", trial.right, trial.examples);
    let mut metrics = Table::new(["metric", "value", "95 % interval"]);
    for metric in &trial.metrics {
        let interval = format!("{} to {}", share(metric.low), share(metric.high));
        metrics.row([metric.name.clone(), share(metric.value), interval]);
    }
    text += &metrics.to_string();
    if !trial.rules.is_empty() {
        let mut table = Table::new(["rule", "used", "right", "pattern"]);
        for (place, (of, pattern)) in trial.rules.iter().zip(patterns).enumerate() {
            table.row([(place + 1).to_string(), of.used.to_string(), of.right.to_string(), brief(pattern, 60)]);
        }
        text += &format!("\n{table}");
    }
    if let Some(failure) = &trial.failure {
        text += &format!("\nNot all examples were answered: {failure}\n");
    }
    for one in trial.wrong.iter().take(wrong) {
        let said = match (&one.answer, &one.reason) {
            (Some(answer), _) => brief(&examples::answer(answer), 200),
            (None, Some(reason)) => format!("nothing: failed to {reason}"),
            (None, None) => "nothing".to_owned(),
        };
        text += &format!(
            "\n{}\n  wanted {}\n  given  {said}\n",
            brief(&one.input, 200),
            brief(&examples::answer(&one.wanted), 200)
        );
    }
    text
}

async fn template(engine: &Engine, command: TemplateCommand) -> Result<Reply> {
    let tasks = engine.tasks();
    match command {
        TemplateCommand::Show { name, fill } => {
            let found = match fill.is_empty() {
                true => tasks.template(&name).await?,
                false => tasks.fill_template(&name, &values(&fill)?).await?,
            };
            let text = found.file.to_toml();
            Ok(Reply::new(found, text))
        }
        TemplateCommand::Save { name, file, task, examples } => {
            let file = match (&file, &task) {
                (_, Some(task)) => tasks.as_template(task, examples).await?,
                (Some(file), None) => TemplateFile::read(&read(file)?)?,
                (None, None) => return Err(Failure::usage("save a template: nothing was given", "name its file")),
            };
            let saved = tasks.save_template(&name, file).await?;
            let text = format!("Saved. `graft tasks new NAME --template {name}` makes a task of it.\n");
            Ok(Reply::new(saved, text))
        }
        TemplateCommand::Delete { name } => {
            tasks.delete_template(&name).await?;
            Ok(Reply::new(json!({"deleted": name}), format!("Template {name} is deleted.\n")))
        }
    }
}

/// The values of a template's variables.
fn values(given: &[String]) -> Result<BTreeMap<String, String>> {
    let read = |text: &String| {
        let pair = text.split_once('=').map(|(name, value)| (name.trim().to_owned(), value.to_owned()));
        pair.ok_or_else(|| Failure::usage(format!("read the value `{text}`"), "write `--fill VARIABLE=VALUE`"))
    };
    given.iter().map(read).collect()
}

/// What was understood of a text, with the evidence.
fn said(found: &Understanding) -> String {
    let said = found.evidence.iter().chain(&found.notes).chain(found.hints.iter().map(|hint| &hint.text));
    let mut text: String = said.map(|line| format!("{line}\n")).collect();
    for field in &found.fields {
        text += &format!("  {} ({}): {}\n", field.path, field.types.join(", "), field.evidence.join(" "));
    }
    text
}

fn about_made(made: &MadeTask, dry_run: bool) -> String {
    let task = &made.task.definition;
    let mut text = String::new();
    for problem in &made.problems {
        text += &format!("Left out {}: {}\n", problem.at, problem.reason);
    }
    let done = if dry_run { "can be made" } else { "is made" };
    let with = match (made.examples, made.pending) {
        (0, _) => String::new(),
        (all, 0) => format!(" with {all} approved examples"),
        (all, pending) => format!(" with {all} examples, {pending} of them to be audited"),
    };
    let next = if made.ready { format!("graft train {}", task.name) } else { next(task) };
    text + &format!("Task {} ({}) {done}{with}. Next: `{next}`\n", task.name, task.form.name())
}

/// The command that brings a task its examples.
fn next(task: &Task) -> String {
    let kind = if task.form == Form::Labels { "csv" } else { "jsonl" };
    format!("graft import {kind} FILE --task {}", task.name)
}

fn origin(origin: TaskOrigin) -> &'static str {
    match origin {
        TaskOrigin::BuiltIn => "Graft",
        TaskOrigin::Changed => "Graft, changed",
        TaskOrigin::Own => "people",
    }
}

fn about(task: &TaskDetail) -> String {
    let at = task.changed_at.map(|at| format!(", {}", iso8601(at))).unwrap_or_default();
    let state = if task.archived { ", archived" } else { "" };
    facts(&[
        ("task", format!("{}{state}", task.definition.shown())),
        ("from", origin(task.origin).to_owned()),
        ("revision", format!("{} (by {}{at})", task.revision, task.changed_by)),
    ])
}

fn told(impact: &TaskImpact) -> String {
    let mut text: String = impact.notes.iter().map(|note| format!("{note}\n")).collect();
    for example in &impact.unfit_examples {
        text += &format!("  {}: {} ({})\n", example.id, example.reason, brief(&example.input, 50));
    }
    text
}

pub(super) fn read(path: &Path) -> Result<String> {
    let failed = |source| Error::Io { doing: "read", path: path.to_owned(), source };
    let mut text = String::new();
    if path == Path::new("-") {
        std::io::stdin().take(MAX_FILE).read_to_string(&mut text).map_err(failed)?;
    } else {
        let file = std::fs::File::open(path).map_err(failed)?;
        file.take(MAX_FILE).read_to_string(&mut text).map_err(failed)?;
    }
    Ok(text)
}
