//! Contestants as versions: fitted to a dataset, measured on its held-out side, registered beside the adapters.

use graft_contestants::{Contestant, Kind};
use graft_core::{Dataset, Digest, TaskCard};
use graft_store::{Method, NewVersion, Version};
use serde_json::json;

use super::{Evaluations, Tell};
use crate::{Result, examples::USUAL_SPLIT, now, serving::apart};

impl Evaluations<'_> {
    /// Registers a contestant as a version in the stage shadow, with its numbers: fitted to the examples that the version
    /// `like` learned from, or else the active one or the newest one, or else the task's approved examples of now. The
    /// same contestant of the same examples is registered once.
    ///
    /// # Errors
    /// [`Error::Contestant`](crate::Error::Contestant) where the kind can't answer the task; there is no version `like`;
    /// there are no examples; the name is taken.
    pub async fn add_contestant(
        self,
        task: &str,
        kind: Kind,
        like: Option<&str>,
        name: Option<&str>,
        tell: Tell<'_>,
    ) -> Result<Version> {
        let (card, dataset) = self.ground(task, like).await?;
        let digest = dataset.digest.clone();
        let contestant = self.fit(kind, &card, dataset).await?;
        let file = contestant.to_bytes();
        let adapter_digest = Digest::of(&file);
        let method: Method = kind.name().parse()?;
        let same = |version: &Version| {
            version.method == method
                && version.adapter_digest == adapter_digest
                && version.card_digest == card.digest()
                && version.dataset.as_ref() == Some(&digest)
        };
        let found = self.engine.store.versions(Some(task)).await?.into_iter().find(same);
        let version = match found.filter(|version| name.is_none_or(|name| version.name == name)) {
            Some(version) => version,
            None => {
                let key = Digest::of_parts(
                    [adapter_digest.as_str(), card.digest().as_str(), digest.as_str()].map(str::as_bytes),
                );
                let adapter_dir = format!("adapters/{task}/{}-{}", kind.name(), key.short());
                let folder = self.engine.home.resolve(&adapter_dir);
                graft_formats::atomic::folder(&folder, &[(Contestant::FILE, &file)])?;
                self.engine.versions().publish(&adapter_dir).await?;
                let new = NewVersion {
                    task: task.to_owned(),
                    name: name.map(str::to_owned),
                    method,
                    run: None,
                    adapter_dir,
                    adapter_digest,
                    base: None,
                    dataset: Some(digest),
                    card,
                    metrics: json!({}),
                    parent: None,
                };
                self.engine.store.add_version(&new, &self.engine.by, now()).await?
            }
        };
        if crate::Evaluation::of(&version).is_some() {
            return Ok(version);
        }
        Ok(self.evaluate(&version, false, tell).await?.0)
    }

    /// What the contestants of a task learn from and are asked.
    pub(crate) async fn ground(self, task: &str, like: Option<&str>) -> Result<(TaskCard, Dataset)> {
        let version = match like {
            Some(name) => Some(self.engine.store.version(task, name).await?),
            None => {
                let mut learned = self.engine.store.versions(Some(task)).await?;
                learned.retain(|version| version.dataset.is_some());
                let active = learned.iter().position(|version| version.stage == graft_store::Stage::Active);
                active.map(|place| learned.swap_remove(place)).or_else(|| learned.pop())
            }
        };
        if let Some(version) = version {
            let dataset = self.dataset_of(&version).await?;
            return Ok((version.card, dataset));
        }
        let prepared = self.engine.examples().prepare(task, USUAL_SPLIT, None).await?;
        self.engine.examples().keep(&prepared).await?;
        Ok((prepared.card, prepared.dataset))
    }

    /// A contestant fitted to a dataset's examples to learn from.
    pub(crate) async fn fit(self, kind: Kind, card: &TaskCard, dataset: Dataset) -> Result<Contestant> {
        let (card, tables) = (card.clone(), self.engine.home.tables()?);
        apart(move || Ok(Contestant::fit(kind, &card, &dataset.train, &tables)?)).await
    }
}
