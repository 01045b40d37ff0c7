use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use graft_core::{OptimSpec, SplitRule};
use graft_engine::{
    Drafts, Engine, Error, Imported, Plan, Settings, compact, now, point_latest,
    recipes::{Method, Recipe, ask_ai_script},
};
use graft_hub::Reference;
use graft_store::{NewRun, Run};
use graft_train::RunDir;

use super::{import, settings, train};
use crate::{
    failure::{Failure, Result},
    output::Reply,
    progress::Download,
};

#[derive(Debug, Subcommand)]
pub(crate) enum SoftPrompt {
    /// Train on an Ask AI database, in place of that system's script.
    Train(Box<Train>),
}

/// The flags of the Ask AI system's `train_soft_prompt.py`. What it called a soft prompt is LoRA; `--method
/// soft-prompt` trains a true one.
#[derive(Debug, Args)]
pub(crate) struct Train {
    /// The service's SQLite file, or a postgres:// URL.
    #[arg(long, default_value = "data/ai_automation.db", value_name = "DB")]
    db_path: String,
    /// Holds the run folders, and `latest`, a link to the last good one.
    #[arg(long, default_value = "data/ask_ai_soft_prompt", value_name = "DIR")]
    output_dir: PathBuf,
    /// The run's folder; otherwise OUTPUT_DIR/RUN_ID.
    #[arg(long, value_name = "DIR")]
    run_directory: Option<PathBuf>,
    /// The run's name; otherwise run_YYYYMMDD_HHMMSS, in UTC.
    #[arg(long, value_name = "NAME")]
    run_id: Option<String>,
    /// A name, a Hub id or a path; downloaded if it isn't on this machine.
    #[arg(long, default_value = "google/flan-t5-small", value_name = "MODEL")]
    base_model: String,
    /// At most this many questions, the newest.
    #[arg(long, default_value_t = 2000, value_name = "N")]
    max_samples: usize,
    /// Passes over the examples [default: 3].
    #[arg(long, value_name = "N")]
    epochs: Option<f64>,
    /// Peak learning rate [default: Graft's recipe; the script's was 5e-5].
    #[arg(long, value_name = "RATE")]
    learning_rate: Option<f64>,
    /// Examples a step [default: Graft's recipe; the script's was 1, twice accumulated].
    #[arg(long, value_name = "N")]
    batch_size: Option<usize>,
    /// Longest question, in tokens [default: 384].
    #[arg(long, value_name = "N")]
    source_max_tokens: Option<usize>,
    /// Longest suggestion, in tokens [default: 384].
    #[arg(long, value_name = "N")]
    target_max_tokens: Option<usize>,
    /// LoRA: inner dimension [default: 16].
    #[arg(long, value_name = "N")]
    lora_r: Option<usize>,
    /// LoRA: numerator of the scaling [default: Graft's recipe; the script's was 16].
    #[arg(long, value_name = "ALPHA")]
    lora_alpha: Option<f32>,
    /// LoRA: share of inputs dropped in training [default: 0.05].
    #[arg(long, value_name = "SHARE")]
    lora_dropout: Option<f32>,
    /// A run's folder, or a checkpoint in it, to go on with; its settings stay.
    #[arg(long, value_name = "DIR")]
    resume_from: Option<PathBuf>,
    /// LoRA, as the script trained, or a true soft prompt.
    #[arg(long, value_enum, default_value = "lora")]
    method: Method,
    /// Take approved and deployed suggestions only.
    #[arg(long)]
    approved_only: bool,
    /// Share of the examples that is held out.
    #[arg(long, default_value_t = 0.1, value_name = "SHARE")]
    eval_share: f64,
}

pub(crate) async fn run(engine: &Engine, command: SoftPrompt) -> Result<Reply> {
    let SoftPrompt::Train(command) = command;
    let (run, imported) = match &command.resume_from {
        Some(path) => (found(engine, path).await?, None),
        None => {
            let (run, imported) = fresh(engine, &command).await?;
            (run, Some(imported))
        }
    };
    let trained = train::complete(engine, &run, None).await?;
    point_latest(&command.output_dir, engine.run_dir(&run).path())?;
    Ok(trained.judge(engine, false, None).await?.with_field("import", imported))
}

/// Imports the database and makes a run of what is in it.
async fn fresh(engine: &Engine, command: &Train) -> Result<(Run, Imported)> {
    let drafts = if command.approved_only { Drafts::Skip } else { Drafts::Approve };
    let import = engine.read_ask_ai(&command.db_path, command.max_samples, drafts).await?;
    let only: BTreeSet<String> = import.examples.iter().map(|example| example.id.clone()).collect();
    let imported = engine.take_in(import, &mut |_| {}).await?;
    eprint!("{}", import::summary(&imported));
    let (base, _) = base(engine, &command.base_model).await?;
    if !(0.0..1.0).contains(&command.eval_share) {
        return Err(Failure::usage(format!("use `{}` for `eval-share`", command.eval_share), "from 0 to below 1"));
    }
    // The newest would all be held out by earlier runs whenever `--max-samples` takes only them.
    let rule = SplitRule::Random { eval_share: command.eval_share, seed: OptimSpec::default().seed };
    let prepared = engine.prepare("ask-ai", rule, Some(&only)).await?;
    let examples = prepared.dataset.train.len();
    let mut recipe = ask_ai_script(command.method, examples);
    command.apply(&mut recipe)?;
    let id = command.run_id.clone().unwrap_or_else(|| format!("run_{}", compact(now())));
    let dir = command.run_directory.clone().unwrap_or_else(|| command.output_dir.join(&id));
    let dir = std::path::absolute(&dir).map_err(|source| Error::Io { doing: "find", path: dir, source })?;
    let plan = Plan { prepared, base, recipe, run: Some(id), dir: Some(dir) };
    Ok((train::make_run(engine, &plan).await?, imported))
}

/// The base model, from this machine or else from the Hub.
async fn base(engine: &Engine, name: &str) -> Result<(graft_core::BaseRef, graft_formats::ModelFiles)> {
    match engine.base(name).await {
        Err(Error::Hub(graft_hub::Error::Missing { .. })) => {
            let mut bar = Download::new();
            let pulled = engine.pull_base(&name.parse::<Reference>()?, &mut |progress| bar.show(progress)).await;
            bar.finish();
            pulled?;
            Ok(engine.base(name).await?)
        }
        found => Ok(found?),
    }
}

impl Train {
    /// Puts the script's flags over its recipe.
    fn apply(&self, recipe: &mut Recipe) -> Result<()> {
        if Method::of(&recipe.adapter) == Method::SoftPrompt
            && (self.lora_r.is_some() || self.lora_alpha.is_some() || self.lora_dropout.is_some())
        {
            return Err(Failure::usage("use `--lora-…` for a soft prompt", "leave out `--method soft-prompt`"));
        }
        let given = Settings {
            epochs: self.epochs,
            learning_rate: self.learning_rate,
            batch_size: self.batch_size,
            max_source: self.source_max_tokens,
            max_target: self.target_max_tokens,
            rank: self.lora_r,
            alpha: self.lora_alpha,
            dropout: self.lora_dropout,
            ..Settings::default()
        };
        settings::apply(&given, recipe)?;
        recipe.limits.max_tokens = recipe.limits.max_source + recipe.limits.max_target;
        Ok(())
    }
}

/// The run of a folder, or of a checkpoint within it.
async fn found(engine: &Engine, path: &Path) -> Result<Run> {
    let path = std::path::absolute(path).map_err(|source| Error::Io { doing: "find", path: path.into(), source })?;
    let folder = path.ancestors().take(3).find(|folder| folder.join("spec.json").exists()).unwrap_or(&path);
    let spec = RunDir::new(folder).spec()?;
    match engine.store.run(&spec.run).await {
        Ok(run) => Ok(run),
        Err(graft_store::Error::NoRun(_)) => {
            let dir = folder.to_string_lossy();
            let new = NewRun { task: &spec.task.name, spec: &spec, dir: &dir, holder: None };
            Ok(engine.store.add_run(new, &engine.by, now()).await?)
        }
        Err(error) => Err(error.into()),
    }
}
