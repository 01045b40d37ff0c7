use graft_core::AnswerForm;
use graft_store::Version;
use graft_tasks::score::{Comparison, Scores, compare};
use serde::Serialize;

use super::{Evaluations, SEED, Tell};
use crate::{
    Error, Result, Serving, now,
    versions::{ContestantScores, Evaluation, Seen, strongest},
};

/// The result of making a version active.
#[derive(Clone, Debug, Serialize)]
pub struct Activated {
    /// The version that is active now.
    pub version: Version,
    /// The one that was before.
    pub previous: Option<String>,
    /// What it was compared with.
    pub opponent: Option<Opponent>,
    /// The numbers; absent where nothing could be compared.
    pub comparison: Option<Comparison>,
}

/// What a version is compared with before it becomes active.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Opponent {
    /// The active version.
    Version(String),
    /// The strongest contestant.
    Baseline(String),
}

impl std::fmt::Display for Opponent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Version(name) => write!(f, "version `{name}`"),
            Self::Baseline(name) => write!(f, "the baseline ({name})"),
        }
    }
}

impl Evaluations<'_> {
    /// Makes a version active unless its headline metric is below that of the active one or of the strongest contestant on
    /// the same held-out examples; the comparison says whether the difference means anything.
    ///
    /// What it is compared with is what it replaces: the swap is refused if another version became active meanwhile.
    ///
    /// # Errors
    /// [`Error::NotBetter`] unless forced; another version is active than compared with or `seen`.
    pub async fn activate(
        self,
        task: &str,
        name: &str,
        seen: Seen<'_>,
        force: bool,
        tell: Tell<'_>,
    ) -> Result<Activated> {
        let serving = Serving::once(self.engine.clone(), None);
        self.activate_with(&serving, (task, name), seen, force, tell).await
    }

    /// The same for a version that a server answers with: one that can't be loaded there changes nothing.
    ///
    /// # Errors
    /// Why it can't answer; as [`activate`](Self::activate).
    pub async fn activate_in(
        self,
        serving: &Serving,
        (task, name): (&str, &str),
        seen: Seen<'_>,
        force: bool,
    ) -> Result<Activated> {
        serving.prepare(task, name).await?;
        let done = self.activate_with(serving, (task, name), seen, force, &mut |_, _, _| {}).await?;
        serving.follow_now(task).await;
        Ok(done)
    }

    /// The same, where `serving` answers what must be answered.
    async fn activate_with(
        self,
        serving: &Serving,
        (task, name): (&str, &str),
        seen: Seen<'_>,
        force: bool,
        tell: Tell<'_>,
    ) -> Result<Activated> {
        let version = self.engine.store.version(task, name).await?;
        let active = self.engine.store.active_version(task).await?;
        let expected = active.as_ref().map(|active| active.name.clone());
        seen.check(task, expected.as_deref())?;
        let compared = match &active {
            Some(active) if active.name == name => Vec::new(),
            _ => self.opponents(serving, &version, active.as_ref(), tell).await?,
        };
        let mut all = Vec::new();
        for (new, opponent, old) in compared {
            all.push((opponent, compare(&new, &old, SEED)?));
        }
        // The best one of all answers: a version that one of them beats does not, whichever that is.
        let beaten = (0..all.len()).filter(|&i| all[i].1.difference < 0.0);
        let hardest = beaten.min_by(|&a, &b| all[a].1.difference.total_cmp(&all[b].1.difference));
        if let (Some(at), false) = (hardest, force) {
            let (opponent, comparison) = all.swap_remove(at);
            let contestant = match &opponent {
                Opponent::Version(_) => None,
                Opponent::Baseline(name) => {
                    let measured = Evaluation::of(&self.engine.store.version(task, &version.name).await?);
                    let mut all = measured.into_iter().flat_map(|evaluation| evaluation.contestants);
                    all.find(|one| one.name == *name).map(|one| one.kind)
                }
            };
            return Err(Error::NotBetter {
                contestant,
                task: task.to_owned(),
                version: name.to_owned(),
                opponent: opponent.to_string(),
                comparison: Box::new(comparison),
            });
        }
        // What it replaces, or else the contestant.
        let (opponent, comparison) = all.into_iter().next().unzip();
        let version = self.engine.store.set_active(task, name, expected.as_deref(), &self.engine.by, now()).await?;
        self.engine.versions().show_active(&version).await?;
        Ok(Activated { version, previous: expected, opponent, comparison })
    }

    /// Scores of the version and of what it has to match on the same examples: the active version, and the strongest
    /// contestant. Nothing where there are no examples.
    async fn opponents(
        self,
        serving: &Serving,
        version: &Version,
        active: Option<&Version>,
        tell: Tell<'_>,
    ) -> Result<Vec<(Scores, Opponent, Scores)>> {
        let new = match Evaluation::of(version) {
            Some(evaluation) => evaluation,
            None => {
                let measured = self.measure_with(serving, version, false, tell).await?;
                self.keep_evaluation(version, &measured, None).await?;
                measured.evaluation
            }
        };
        let mut found = Vec::new();
        if new.adapter.n == 0 {
            return Ok(found);
        }
        if let Some(active) = active {
            let old = match Evaluation::of(active) {
                Some(old) if old.adapter.truth == new.adapter.truth => old.adapter,
                // It was measured on other examples; only the same ones can be compared.
                _ => self.score_with(serving, active, &new.dataset, tell).await?,
            };
            found.push((new.adapter.clone(), Opponent::Version(active.name.clone()), old));
        }
        // Overlap of words says too little of free text to refuse a version for an older answer that was copied.
        if !matches!(version.card.answer, AnswerForm::Text) {
            // A contestant is not compared with itself.
            let others = new.contestants.iter().filter(|one| one.kind.name() != version.method.name());
            let others: Vec<ContestantScores> = others.cloned().collect();
            let best = match strongest(&others) {
                Some(best) => Some((best.name.clone(), best.scores.clone())),
                // It was measured before all contestants were.
                None if new.contestants.is_empty() => new.baseline.clone().map(|one| (one.name, one.scores)),
                None => None,
            };
            found.extend(best.map(|(name, scores)| (new.adapter, Opponent::Baseline(name), scores)));
        }
        Ok(found)
    }
}
