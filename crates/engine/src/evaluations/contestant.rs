//! Contestants as versions: fitted to a dataset, measured on its held-out side, registered beside the adapters.

use graft_contestants::{Contestant, Kind};
use graft_core::{Dataset, Digest, TaskCard};
use graft_store::{Method, NewVersion, Version};
use graft_tasks::cards::Task;
use serde_json::json;

use super::{Evaluations, Tell};
use crate::{
    Result,
    examples::{Prepared, USUAL_SPLIT},
    now,
    serving::apart,
};

/// What the contestants of a task learn from and are asked.
pub(crate) struct Ground {
    /// The task as it was when the version that they are like was trained, or as it is now.
    pub(crate) task: Task,
    /// Its revision, where that is known.
    pub(crate) revision: Option<i64>,
    /// Prompt and answer form.
    pub(crate) card: TaskCard,
    /// The examples.
    pub(crate) dataset: Dataset,
}

impl Evaluations<'_> {
    /// Registers a contestant as a version in the stage shadow, with its numbers: fitted to the examples that the version
    /// `like` learned from, or else the active one or the newest one, or else the task's approved examples of now. The same
    /// contestant on the same examples is registered once.
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
        let ground = self.ground(task, like).await?;
        let Ground { task: mut definition, mut revision, mut card, dataset } = ground;
        if kind == Kind::Rules {
            // The rules of now, whenever the version that it is like was trained.
            let newest = self.engine.tasks().get(task).await?;
            revision = Some(self.engine.tasks().keep(&newest).await?);
            if newest.definition.schema != definition.schema {
                card = newest.definition.card(&[])?;
            }
            definition = newest.definition;
        }
        let digest = dataset.digest.clone();
        let contestant = self.fit(kind, &definition, &card, dataset).await?;
        let file = contestant.to_bytes();
        let adapter_digest = Digest::of(&file);
        let method: Method = kind.name().parse()?;
        let same = |version: &Version| {
            version.method == method
                && version.adapter_digest == adapter_digest
                && version.card_digest == card.digest()
                && version.dataset.as_ref() == Some(&digest)
                && (kind != Kind::Rules || version.task_revision == revision)
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
                    task_revision: revision,
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
    pub(crate) async fn ground(self, task: &str, like: Option<&str>) -> Result<Ground> {
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
            let (task, dataset) = (self.engine.tasks().of(&version).await?, self.dataset_of(&version).await?);
            return Ok(Ground { task, revision: version.task_revision, card: version.card, dataset });
        }
        let prepared = self.engine.examples().prepare(task, USUAL_SPLIT, None).await?;
        self.engine.examples().keep(&prepared).await?;
        let revision = Some(self.engine.tasks().keep(&prepared.task).await?);
        let Prepared { task, card, dataset, .. } = prepared;
        Ok(Ground { task: task.definition, revision, card, dataset })
    }

    /// A contestant fitted to a dataset's examples to learn from.
    pub(crate) async fn fit(self, kind: Kind, task: &Task, card: &TaskCard, dataset: Dataset) -> Result<Contestant> {
        let (card, rules) = (card.clone(), self.engine.tasks().newest_baseline(task).await?);
        apart(move || Ok(Contestant::fit(kind, &card, &dataset.train, rules.as_ref())?)).await
    }
}
