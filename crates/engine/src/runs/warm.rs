//! Warm starts: a training that starts from a version and trains on new and corrected examples.

use std::collections::{BTreeMap, BTreeSet};

use graft_core::{AdapterSpec, BaseRef, Dataset, Digest, Example, ExampleId, InitFrom};
use graft_tasks::cards::Task;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Problem, RunRequest, Runs,
    recipes::{Method, Recipe, warm_recipe},
};
use crate::{Error, Result};

/// Older examples that are learned again beside each new one, unless asked otherwise: what a training sees no more, it
/// forgets.
const REPLAY: usize = 4;
/// The least of them.
const LEAST_REPLAY: usize = 40;

/// What a warm start begins with.
#[derive(Clone, Debug)]
pub struct WarmStart {
    /// The version and how much of the older examples is learned again.
    pub init: InitFrom,
    /// The base model that it was trained on.
    pub base: BaseRef,
    /// Kind and shape of its adapter.
    pub adapter: AdapterSpec,
    /// The examples that are learned.
    pub learned: Learned,
}

/// Which examples a warm start learns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = WarmStartExamples)]
pub struct Learned {
    /// The version that it starts from.
    pub version: String,
    /// Examples that are new or corrected since the version was trained.
    pub new: usize,
    /// Older examples that are learned again.
    pub replayed: usize,
    /// How many of those people corrected: a version suggested something else before they were approved.
    pub corrected: usize,
    /// Older examples that are left out.
    pub left_out: usize,
    #[serde(skip)]
    pub(crate) ids: BTreeSet<ExampleId>,
}

impl Runs<'_> {
    /// What a request starts from, if that is a version.
    ///
    /// # Errors
    /// There is no such version; it has no adapter, or the request asks for another base or method than it has; its files
    /// are gone.
    pub async fn warm_start(self, request: &RunRequest, dataset: &Dataset) -> Result<Option<WarmStart>> {
        let Some(name) = &request.init_from else { return Ok(None) };
        let chosen = self.engine.versions().adapter(&request.task, Some(name)).await?;
        let refused = |what: String| Error::StartFrom { version: name.clone(), what };
        let (Some(card), Some(version)) = (chosen.card, chosen.version) else {
            return Err(refused("it answers without an adapter".into()));
        };
        if request.names_base() {
            let (asked, _) = self.engine.bases().find(&request.base).await?;
            if asked.digest != card.base.digest {
                return Err(refused(format!("it was trained on base model `{}`", card.base.name)));
            }
        }
        let method = Method::of(&card.adapter);
        // LoRA is also what is meant where nothing is said.
        if request.method != method && request.method != Method::default() {
            return Err(refused(format!("its method is `{}`", method.name())));
        }
        let older = match &version.dataset {
            Some(digest) => Some(self.engine.store.dataset(&request.task, digest).await?),
            None => None,
        };
        let new = dataset.train.len() - seen(dataset, older.as_ref()).len();
        let init = InitFrom {
            version: version.name.clone(),
            adapter: version.adapter_digest.clone(),
            dataset: version.dataset.clone(),
            replay: match new {
                0 => dataset.train.len(),
                new => new.saturating_mul(request.replay.unwrap_or(REPLAY)).max(LEAST_REPLAY),
            },
        };
        let corrected = self.engine.store.corrected_examples(&request.task).await?;
        let learned = learned(&init, dataset, older.as_ref(), &corrected);
        Ok(Some(WarmStart { init, base: card.base, adapter: card.adapter, learned }))
    }

    /// The examples that a training with this start learns; `None` for all of them.
    pub(crate) async fn learned(
        self,
        task: &str,
        init: Option<&InitFrom>,
        dataset: &Dataset,
    ) -> Result<Option<BTreeSet<ExampleId>>> {
        let Some(init) = init else { return Ok(None) };
        let older = match &init.dataset {
            Some(digest) => Some(self.engine.store.dataset(task, digest).await?),
            None => None,
        };
        let corrected = self.engine.store.corrected_examples(task).await?;
        Ok(Some(learned(init, dataset, older.as_ref(), &corrected).ids))
    }
}

impl WarmStart {
    /// The settings of a training that starts here.
    #[must_use]
    pub fn recipe(&self, task: &Task) -> Recipe {
        warm_recipe(task, &self.adapter, self.learned.ids.len())
    }

    /// Refuses settings that change the adapter's shape.
    ///
    /// # Errors
    /// They do.
    pub fn check(&self, recipe: &Recipe) -> std::result::Result<(), Problem> {
        if recipe.adapter.has_shape_of(&self.adapter) {
            return Ok(());
        }
        let what = format!("give the adapter another shape than version `{}` has", self.init.version);
        let hint = "leave out the settings of its shape, such as `rank` and `targets`, or train without a version to start from";
        Err(Problem::error(what, hint).of("init_from"))
    }
}

/// Examples of `dataset` that were learned before, as they are now.
fn seen<'d>(dataset: &'d Dataset, older: Option<&Dataset>) -> Vec<&'d Example> {
    let older = older.map(|older| older.train.as_slice()).unwrap_or_default();
    let older: BTreeMap<&str, &Example> = older.iter().map(|example| (example.id.as_str(), example)).collect();
    let is_same = |now: &Example| {
        older.get(now.id.as_str()).is_some_and(|then| then.input == now.input && then.output == now.output)
    };
    dataset.train.iter().filter(|example| is_same(example)).collect()
}

/// What is new, and a choice of the older examples that depends on nothing but the version and the example. Up to half of
/// them are examples that people corrected, which are hard for the model; the others are any.
fn learned(init: &InitFrom, dataset: &Dataset, older: Option<&Dataset>, corrected: &BTreeSet<ExampleId>) -> Learned {
    let mut seen: Vec<&str> = seen(dataset, older).iter().map(|example| example.id.as_str()).collect();
    let old = seen.len();
    seen.sort_by_cached_key(|id| Digest::of_parts([init.adapter.as_str().as_bytes(), id.as_bytes()]));
    let hard: BTreeSet<&str> =
        seen.iter().copied().filter(|id| corrected.contains(*id)).take(init.replay / 2).collect();
    // The sort is stable: the hard ones first, the others in the order of their digests.
    seen.sort_by_key(|id| !hard.contains(id));
    let left_out: BTreeSet<&str> = seen.split_off(init.replay.min(old)).into_iter().collect();
    let ids = dataset.train.iter().map(|example| &example.id).filter(|id| !left_out.contains(id.as_str()));
    Learned {
        version: init.version.clone(),
        new: dataset.train.len() - old,
        replayed: seen.len(),
        corrected: seen.iter().filter(|id| corrected.contains(**id)).count(),
        left_out: left_out.len(),
        ids: ids.cloned().collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use graft_core::{Review, Source};

    use super::*;

    fn dataset(answers: &[(usize, &str)]) -> Dataset {
        let example = |(id, answer): &(usize, &str)| Example {
            id: format!("e{id}"),
            task: "sentiment".into(),
            input: format!("text {id}"),
            output: Some((*answer).into()),
            source: Source { kind: "test".into(), reference: id.to_string(), at: None },
            review: Review::Approved { by: "me".into(), at: 1 },
            revision: 1,
        };
        Dataset {
            digest: Digest::of(format!("{answers:?}").as_bytes()),
            train: answers.iter().map(example).collect(),
            eval: Vec::new(),
            leaking: Vec::new(),
            assignment: BTreeMap::new(),
        }
    }

    #[test]
    fn warm_start_uses_new_and_corrected_and_some_older_examples() {
        let before: Vec<_> = (0..200).map(|id| (id, "good")).collect();
        let older = dataset(&before);
        let mut now = before.clone();
        now[7].1 = "bad";
        now.extend([(200, "good"), (201, "bad")]);
        let now = dataset(&now);
        let init = |replay| InitFrom {
            version: "v1".into(),
            adapter: Digest::of(b"a"),
            dataset: Some(older.digest.clone()),
            replay,
        };
        let none = BTreeSet::new();
        let found = learned(&init(40), &now, Some(&older), &none);
        assert_eq!((found.new, found.replayed, found.left_out, found.ids.len()), (3, 40, 159, 43));
        for id in ["e7", "e200", "e201"] {
            assert!(found.ids.contains(id), "{id}");
        }
        assert_eq!(found, learned(&init(40), &now, Some(&older), &none));
        // More replay keeps what was chosen with less.
        assert!(learned(&init(60), &now, Some(&older), &none).ids.is_superset(&found.ids));
        // Of an adapter made elsewhere it is not known what it has seen.
        assert_eq!(learned(&init(40), &now, None, &none).ids.len(), 202);

        // What people corrected is half of the older examples, or all of it if that is less.
        let corrected: BTreeSet<ExampleId> = (100..160).map(|id| format!("e{id}")).collect();
        let found = learned(&init(40), &now, Some(&older), &corrected);
        assert!(found.replayed == 40 && (20..40).contains(&found.corrected), "{found:?}");
        assert!(learned(&init(60), &now, Some(&older), &corrected).ids.is_superset(&found.ids));
        let few: BTreeSet<ExampleId> = ["e7", "e100", "e101"].map(String::from).into();
        assert_eq!(learned(&init(40), &now, Some(&older), &few).corrected, 2);
    }
}
