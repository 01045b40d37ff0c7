use clap::Args;
use graft_core::SplitRule;
use graft_engine::{
    RunRequest, Settings, SplitName,
    recipes::{Effort, Method, Recipe},
};

use crate::failure::{Failure, Result};

/// Puts the settings that were given over a recipe.
pub(crate) fn apply(settings: &Settings, recipe: &mut Recipe) -> Result<()> {
    settings.apply(recipe).map_err(|problem| {
        let flag = problem.field.as_deref().unwrap_or_default().replace('_', "-");
        Failure::usage(format!("use `--{flag}` with this method"), problem.hint)
    })
}

/// What is trained.
#[derive(Debug, Args)]
pub(crate) struct What {
    /// Task; `graft tasks list` shows them.
    pub(crate) task: String,
    /// Base model: a name, a Hub id or a path. With --from it is the version's.
    #[arg(long, default_value = "smollm2-135m")]
    pub(crate) base: String,
    /// Kind of adapter. With --from it is the version's.
    #[arg(long, value_enum, default_value = "lora")]
    pub(crate) method: Method,
    /// Start from the weights of this version and train on examples that are new or corrected since then [default: a
    /// new adapter].
    #[arg(long, value_name = "VERSION")]
    pub(crate) from: Option<String>,
    /// With --from: older examples to train on again for each new one, and at least 40 [default: 4].
    #[arg(long, value_name = "N", requires = "from")]
    pub(crate) replay: Option<usize>,
    /// Number of epochs relative to the recipe; `--epochs` overrides it.
    #[arg(long, value_enum, default_value = "recommended")]
    pub(crate) effort: Effort,
    /// Machine to train on: one of `graft machines list`, or `lambda` or `runpod` to rent one [default: this one].
    #[arg(long, value_name = "MACHINE")]
    pub(crate) on: Option<String>,
    /// Send the run to trackers such as MLflow [default: if any are configured].
    #[arg(long, overrides_with = "no_track")]
    track: bool,
    /// Don't send the run to trackers.
    #[arg(long)]
    no_track: bool,
}

impl What {
    /// A request for it, with Graft's recipe.
    pub(crate) fn request(&self) -> RunRequest {
        RunRequest {
            base: self.base.clone(),
            method: self.method,
            effort: self.effort,
            init_from: self.from.clone(),
            replay: self.replay,
            on: self.on.clone(),
            track: (self.track || self.no_track).then_some(self.track),
            ..RunRequest::new(&self.task)
        }
    }
}

/// How the held-out examples are chosen. Examples that were held out before stay held out.
#[derive(Debug, Args)]
#[command(next_help_heading = "Held-out examples")]
pub(crate) struct Split {
    /// Share of the examples to hold out.
    #[arg(long, default_value_t = 0.2, value_name = "SHARE")]
    pub(crate) eval_share: f64,
    /// Which examples are held out.
    #[arg(long, value_enum, default_value = "newest")]
    pub(crate) split: SplitName,
}

impl Split {
    /// The split rule, with the seed of a random choice.
    pub(crate) fn rule(&self, seed: Option<u64>) -> Result<SplitRule> {
        if !(0.0..1.0).contains(&self.eval_share) {
            let given = format!("use `{}` for `eval-share`", self.eval_share);
            return Err(Failure::usage(given, "from 0 to below 1"));
        }
        Ok(self.split.rule(self.eval_share, seed))
    }
}
