use std::collections::BTreeMap;

use graft_core::{AnswerForm, TaskCard};
use graft_store::{Counts, Run, RunFilter, RunKind, RunState, Stage};
use graft_tasks::cards::{Form, Integration, Task};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::Upkeep;
use crate::{
    Result,
    examples::READY,
    tasks::{TaskDetail, TaskOrigin},
    versions::VersionBrief,
};

/// A task with the state of its examples, its run and its versions.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TaskOverview {
    /// As users type it.
    pub name: String,
    /// For people.
    pub title: String,
    /// What an answer is.
    pub form: TaskForm,
    /// What an answer is, in the words of the definition.
    pub kind: Form,
    /// Where it comes from.
    pub origin: TaskOrigin,
    /// Counts the changes of the definition, from 1.
    pub revision: i64,
    /// Whether it is archived.
    pub archived: bool,
    /// The system that it belongs to.
    pub integration: Option<Integration>,
    /// Put before the input.
    pub instruction: String,
    /// JSON Schema of an answer, for tasks whose answers are objects.
    #[schema(value_type = Option<Object>)]
    pub schema: Option<Value>,
    /// The labels known so far, for label tasks; the first 200 of them.
    pub labels: Option<Vec<String>>,
    /// How many labels are known, for label tasks.
    pub label_count: Option<usize>,
    /// Whether something answers without a model.
    pub has_baseline: bool,
    /// States of its examples.
    pub counts: Counts,
    /// Where they came from.
    pub sources: Vec<SourceCount>,
    /// The version that answers.
    pub active: Option<VersionBrief>,
    /// The run that is queued or under way.
    pub run: Option<Run>,
    /// Whether there are enough approved examples to train.
    pub ready: bool,
    /// How many that takes.
    pub needed: u64,
    /// What a person should look at.
    pub attention: Vec<Attention>,
}

/// What an answer of a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TaskForm {
    /// An object.
    Json,
    /// One of some labels.
    Label,
    /// Free text.
    Text,
}

/// How many examples came from one kind of source.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SourceCount {
    /// `slack`, `csv`, …
    pub kind: String,
    /// How many.
    pub count: u64,
}

/// Something that needs a person's attention.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Attention {
    /// `pending`, `not-ready`, `failed-run`, `newer-version`, `no-version`.
    pub kind: &'static str,
    /// One sentence.
    pub text: String,
    /// A path of the page.
    pub link: String,
}

/// The most labels of a task that the list contains.
const LISTED_LABELS: usize = 200;

/// The versions of a task that the overview tells about.
#[derive(Default)]
struct Current {
    active: Option<VersionBrief>,
    /// The newest, if it isn't the active one.
    newer: Option<VersionBrief>,
}

impl Upkeep<'_> {
    /// Every task, in the order they are shown, with or without the archived ones.
    pub async fn overview(self, archived: bool) -> Result<Vec<TaskOverview>> {
        let store = &self.engine.store;
        let (mut counts, mut sources, mut versions) = tokio::try_join!(
            async { Ok(store.example_counts().await?) },
            async { Ok(store.source_counts().await?) },
            self.current()
        )?;
        let mut tasks = Vec::new();
        for task in self.engine.tasks().list(archived).await? {
            let name = &task.definition.name;
            let counts = counts.remove(name).unwrap_or_default();
            let kinds = sources.remove(name).unwrap_or_default();
            let sources = kinds.into_iter().map(|(kind, count)| SourceCount { kind, count }).collect();
            let current = versions.remove(name).unwrap_or_default();
            tasks.push(self.overview_of(task, counts, sources, current).await?);
        }
        Ok(tasks)
    }

    /// The active and the newest version of each task.
    async fn current(self) -> Result<BTreeMap<String, Current>> {
        let mut tasks: BTreeMap<String, Current> = BTreeMap::new();
        for head in self.engine.store.current_versions().await? {
            let (stage, current) = (head.stage, tasks.entry(head.task.clone()).or_default());
            let version = VersionBrief::from(head);
            // They come in the order they were registered: one after the active one is newer.
            match stage {
                Stage::Active => current.active = Some(version),
                _ => current.newer = Some(version),
            }
        }
        Ok(tasks)
    }

    async fn overview_of(
        self,
        task: TaskDetail,
        counts: Counts,
        sources: Vec<SourceCount>,
        current: Current,
    ) -> Result<TaskOverview> {
        let TaskDetail { definition: task, revision, origin, archived, .. } = task;
        let name = task.name.as_str();
        let labels = self.engine.examples().labels_of(&task).await?;
        // A label task has no card before it has two labels.
        let card = task.card(&labels).ok();
        let (form, schema, mut labels) = form(&task, card.as_ref(), labels);
        let label_count = labels.as_ref().map(Vec::len);
        if let Some(labels) = &mut labels {
            labels.truncate(LISTED_LABELS);
        }
        let filter = RunFilter {
            task: Some(name.to_owned()),
            kind: Some(RunKind::Train),
            limit: Some(1),
            ..RunFilter::default()
        };
        let newest = self.engine.store.runs(&filter).await?.pop();
        let ready = counts.approved >= READY as u64;
        let attention = attention(name, &counts, ready, &current, newest.as_ref());
        Ok(TaskOverview {
            name: name.to_owned(),
            title: task.shown(),
            form,
            kind: task.form,
            origin,
            revision,
            archived,
            integration: task.integration,
            instruction: task.instruction.clone(),
            schema,
            labels,
            label_count,
            has_baseline: task.baseline.is_some(),
            counts,
            sources,
            active: current.active,
            run: self.engine.store.active_run(name).await?,
            ready,
            needed: READY as u64,
            attention,
        })
    }
}

type FormParts = (TaskForm, Option<Value>, Option<Vec<String>>);

fn form(task: &Task, card: Option<&TaskCard>, labels: Vec<String>) -> FormParts {
    match card.map(|card| &card.answer) {
        Some(AnswerForm::Text) => (TaskForm::Text, None, None),
        Some(AnswerForm::Json { schema }) => (TaskForm::Json, Some(schema.clone()), None),
        Some(AnswerForm::Label { labels }) => (TaskForm::Label, None, Some(labels.clone())),
        None => match task.form {
            Form::Labels => (TaskForm::Label, None, Some(labels)),
            Form::Text | Form::Dialogue | Form::Fields => (TaskForm::Text, None, None),
        },
    }
}

fn attention(task: &str, counts: &Counts, ready: bool, versions: &Current, newest: Option<&Run>) -> Vec<Attention> {
    let mut found = Vec::new();
    let mut note = |kind, text: String, link: String| found.push(Attention { kind, text, link });
    if counts.pending > 0 {
        note(
            "pending",
            format!("{} examples wait for a review.", counts.pending),
            format!("/tasks/{task}/audit?state=pending"),
        );
    }
    if !ready && counts.pending + counts.approved > 0 {
        note(
            "not-ready",
            format!("{} of {READY} approved examples that a training needs.", counts.approved),
            format!("/tasks/{task}/audit"),
        );
    }
    if let Some(run) = newest.filter(|run| run.state == RunState::Failed) {
        note("failed-run", format!("Run {} failed.", run.id), format!("/runs/{}", run.id));
    }
    match (&versions.active, &versions.newer) {
        (None, None) if ready => note(
            "no-version",
            "There are enough approved examples to train a first version.".into(),
            format!("/tasks/{task}/train"),
        ),
        (active, Some(newer)) if active.as_ref().is_none_or(|active| active.created_at < newer.created_at) => {
            note("newer-version", waiting(newer, active.as_ref()), format!("/tasks/{task}/versions/{}", newer.name))
        }
        _ => {}
    }
    found
}

/// Says of a version that is not active yet how good it is, against the active one where both answered the same examples.
fn waiting(newer: &VersionBrief, active: Option<&VersionBrief>) -> String {
    let mut said = format!("Version {} is not active yet", newer.name);
    if let Some(mine) = &newer.scores {
        said += &format!(": {} {:.1} %", mine.metric.name.replace('_', " "), mine.metric.value * 100.0);
        if let Some(active) = active
            && let Some(theirs) = active.scores.as_ref().filter(|theirs| theirs.truth == mine.truth)
        {
            said += &format!(", against {:.1} % of {}", theirs.metric.value * 100.0, active.name);
        }
    }
    said + "."
}
