use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use graft_core::{OptimSpec, SplitRule};
use graft_engine::{
    Drafts, Engine, Error, Imported, Integration, Plan, RunRequest, Settings, SplitName, compact, now, point_latest,
    recipes::{Method, Recipe, ask_ai_script},
    records::{Run, RunState},
};
use graft_train::RunDir;

use super::{base, import, settings, train};
use crate::{
    failure::{Failure, Result},
    output::Reply,
};

#[derive(Debug, Subcommand)]
pub(crate) enum SoftPrompt {
    /// Train from an Ask AI database, with the flags and output folders of its `train_soft_prompt.py`.
    Train(Box<Train>),
}

/// The flags of the Ask AI system's `train_soft_prompt.py`. That script trained LoRA under the name soft prompt;
/// `--method soft-prompt` trains an actual soft prompt.
#[derive(Debug, Args)]
pub(crate) struct Train {
    /// The service's SQLite file or postgres:// URL.
    #[arg(long, default_value = "data/ai_automation.db", value_name = "DB")]
    db_path: String,
    /// Folder of the run folders and of `latest`, a link to the last successful run.
    #[arg(long, default_value = "data/ask_ai_soft_prompt", value_name = "DIR")]
    output_dir: PathBuf,
    /// Folder of this run [default: OUTPUT_DIR/RUN_ID].
    #[arg(long, value_name = "DIR")]
    run_directory: Option<PathBuf>,
    /// Name of the run [default: run_YYYYMMDD_HHMMSS, UTC].
    #[arg(long, value_name = "NAME")]
    run_id: Option<String>,
    /// Base model: a name, a Hub id or a path. It is downloaded if it is not on this machine.
    #[arg(long, default_value = "google/flan-t5-small", value_name = "MODEL")]
    base_model: String,
    /// Use at most this many questions, newest first.
    #[arg(long, default_value_t = 2000, value_name = "N")]
    max_samples: usize,
    /// Number of epochs [default: 3].
    #[arg(long, value_name = "N")]
    epochs: Option<f64>,
    /// Peak learning rate [default: Graft's recipe; the script used 5e-5].
    #[arg(long, value_name = "RATE")]
    learning_rate: Option<f64>,
    /// Examples per optimiser step [default: Graft's recipe; the script used 1 with 2 accumulation steps].
    #[arg(long, value_name = "N")]
    batch_size: Option<usize>,
    /// Maximum question length in tokens [default: 384].
    #[arg(long, value_name = "N")]
    source_max_tokens: Option<usize>,
    /// Maximum suggestion length in tokens [default: 384].
    #[arg(long, value_name = "N")]
    target_max_tokens: Option<usize>,
    /// LoRA rank [default: 16].
    #[arg(long, value_name = "N")]
    lora_r: Option<usize>,
    /// LoRA alpha; the adapter is scaled by alpha / rank [default: Graft's recipe; the script used 16].
    #[arg(long, value_name = "ALPHA")]
    lora_alpha: Option<f32>,
    /// LoRA dropout [default: 0.05].
    #[arg(long, value_name = "SHARE")]
    lora_dropout: Option<f32>,
    /// Resume from a run folder or one of its checkpoints, with the settings of that run.
    #[arg(long, value_name = "DIR")]
    resume_from: Option<PathBuf>,
    /// Kind of adapter: LoRA, as the script trained, or a soft prompt.
    #[arg(long, value_enum, default_value = "lora")]
    method: Method,
    /// Use only approved and deployed suggestions.
    #[arg(long)]
    approved_only: bool,
    /// Share of the examples to hold out.
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
    // A run that had already ended does not become the last run.
    let is_new = run.state != RunState::Succeeded;
    let trained = train::complete(engine, &run).await?;
    if is_new {
        point_latest(&command.output_dir, engine.home.run_dir(&run).path())?;
    } else {
        eprintln!("Run {} had already ended; `latest` is not changed.", run.id);
    }
    Ok(trained.judge(engine, false, None).await?.with_field("import", imported))
}

/// Imports the database and prepares a run from it.
async fn fresh(engine: &Engine, command: &Train) -> Result<(Run, Imported)> {
    let drafts = if command.approved_only { Drafts::Skip } else { Drafts::Approve };
    let import = engine.examples().read_ask_ai(&command.db_path, command.max_samples, drafts).await?;
    let only: BTreeSet<String> = import.examples.iter().map(|example| example.id.clone()).collect();
    let imported = engine.examples().take_in(import, &mut |_| {}).await?;
    eprint!("{}", import::summary(&imported));
    let (base, _) = base::find_or_pull(engine, &command.base_model).await?;
    if !(0.0..1.0).contains(&command.eval_share) {
        return Err(Failure::usage(format!("use `{}` for `eval-share`", command.eval_share), "from 0 to below 1"));
    }
    // The newest would all be held out by earlier runs whenever `--max-samples` takes only them.
    let rule = SplitRule::Random { eval_share: command.eval_share, seed: OptimSpec::default().seed };
    let task = engine.tasks().with(Integration::AskAi).await?;
    let prepared = engine.examples().prepare(&task.name, rule, Some(&only)).await?;
    let examples = prepared.dataset.train.len();
    let mut recipe = ask_ai_script(&task, command.method, examples);
    command.apply(&mut recipe)?;
    let id = command.run_id.clone().unwrap_or_else(|| format!("run_{}", compact(now())));
    let dir = command.run_directory.clone().unwrap_or_else(|| command.output_dir.join(&id));
    let dir = std::path::absolute(&dir).map_err(|source| Error::Io { doing: "find", path: dir, source })?;
    let plan = Plan { prepared, base, recipe, start: None, run: Some(id), dir: Some(dir) };
    let request = RunRequest {
        base: command.base_model.clone(),
        method: command.method,
        eval_share: Some(command.eval_share),
        split: Some(SplitName::Random),
        ..RunRequest::new(task.name)
    };
    Ok((train::submit(engine, &plan, &request).await?, imported))
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

/// The run of a run folder or of a checkpoint in it.
async fn found(engine: &Engine, path: &Path) -> Result<Run> {
    let path = std::path::absolute(path).map_err(|source| Error::Io { doing: "find", path: path.into(), source })?;
    let folder = path.ancestors().take(3).find(|folder| folder.join("spec.json").exists()).unwrap_or(&path);
    Ok(engine.runs().of_dir(&RunDir::new(folder)).await?)
}
