use std::collections::{BTreeMap, BTreeSet, HashMap};

use graft_core::{Example, ExampleId, Timestamp};
use serde::Serialize;
use serde_json::Value;

use crate::examples::{Stored, examples_of};
use crate::row::from_row;
use crate::{Error, Store, Version, row, statement};

/// The answer of a version to an example that waits for its review.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Suggestion {
    /// Name of the task.
    pub task: String,
    /// The example.
    pub example: String,
    /// Revision of the example that was answered.
    pub revision: u32,
    /// The version that answered.
    pub version: String,
    /// The answer.
    pub answer: Value,
    /// Confidence, from 0 to 1.
    pub confidence: f64,
    /// Confidence of each field, by path such as `items[0].quantity`.
    pub fields: BTreeMap<String, f64>,
    /// Whether it differs from the baseline, or from the output that was imported.
    pub disagrees: bool,
    /// When.
    pub made_at: Timestamp,
}

/// A suggestion of one version, with the later review of its example.
#[derive(Clone, Debug, PartialEq)]
pub struct Suggested {
    /// The answer; null if it was invalid.
    pub answer: Value,
    /// Confidence, from 0 to 1.
    pub confidence: f64,
    /// When.
    pub made_at: Timestamp,
    /// Length of the input, in characters.
    pub chars: u32,
    /// The output that a person confirmed since.
    pub truth: Option<Value>,
}

/// An approved example, and what was suggested before.
struct Corrected {
    example: ExampleId,
    answer: Value,
    output: Value,
}

/// Suggestions that a condition chooses, newest first. `$1` is the task, `$2` whether only those that people decided on since
/// are meant, latest review first, and `$3` how many at most.
macro_rules! newest_suggestions {
    ($which:literal) => {
        // The newest are chosen by their small columns; only their large columns are read.
        concat!(
            "with known as (
                 select s.made_at, e.id, e.revision, e.reviewed_at, e.position,
                        case when e.review = 'approved' and e.touched = 1 and e.reviewed_at >= s.made_at
                             then 1 else 0 end as decided
                 from suggestions s join examples e on e.task = s.task and e.id = s.example
                 where s.task = $1 and e.review <> 'rejected'
                   and (s.revision = e.revision or exists (
                       select 1 from example_revisions a
                       join example_revisions c on c.task = a.task and c.id = a.id and c.input = a.input
                       where a.task = s.task and a.id = s.example and a.revision = s.revision
                         and c.revision = e.revision))
                   and ",
            $which,
            "), newest as (
                 select id, revision, decided, position,
                        case when $2 = 1 then reviewed_at else made_at end as moment
                 from known where decided >= $2 order by moment desc, position desc limit $3
             )
             select s.answer, s.confidence, s.made_at, cast(length(c.input) as bigint) as chars,
                    case when n.decided = 1 then c.output end as truth
             from newest n
             join suggestions s on s.task = $1 and s.example = n.id
             join example_revisions c on c.task = $1 and c.id = n.id and c.revision = n.revision
             order by n.moment desc, n.position desc"
        )
    };
}

impl Store {
    /// Stores suggestions, replacing earlier ones for the same examples. Not in the audit trail.
    pub async fn put_suggestions(&self, suggestions: &[Suggestion]) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        for new in suggestions {
            // An example that was deleted meanwhile gets no suggestion.
            tx.execute(
                "insert into suggestions
                     (task, example, revision, version, answer, confidence, disagrees, made_at, fields)
                 select e.task, e.id, $3, $4, $5, $6, $7, $8, $9 from examples e where e.task = $1 and e.id = $2
                 on conflict (task, example) do update set revision = excluded.revision,
                     version = excluded.version, answer = excluded.answer, confidence = excluded.confidence,
                     disagrees = excluded.disagrees, made_at = excluded.made_at, fields = excluded.fields",
                (
                    &new.task,
                    &new.example,
                    new.revision,
                    row::text(&new.version),
                    new.answer.to_string(),
                    if new.confidence.is_finite() { new.confidence } else { 0.0 },
                    new.disagrees,
                    new.made_at,
                    fields_json(&new.fields),
                ),
            )
            .await?;
        }
        tx.commit().await
    }

    /// The suggestion for the current revision of an example, if any.
    pub async fn suggestion(&self, task: &str, example: &str) -> Result<Option<Suggestion>, Error> {
        statement::optional(
            &self.read,
            "select s.task, s.example, s.revision, s.version, s.answer, s.confidence, s.disagrees, s.made_at, s.fields
             from suggestions s
             join examples e on e.task = s.task and e.id = s.example and e.revision = s.revision
             where s.task = $1 and s.example = $2",
            (task, example),
        )
        .await
    }

    /// What a version answered to the pending examples of its task, with its confidence, by the example's id.
    pub async fn answers_to_pending(&self, task: &str, version: &str) -> Result<HashMap<String, (Value, f64)>, Error> {
        let rows = sqlx::query(
            "select s.example, s.answer, s.confidence
             from suggestions s
             join examples e on e.task = s.task and e.id = s.example and e.revision = s.revision
             where s.task = $1 and s.version = $2 and e.review = 'pending'",
        )
        .bind(task)
        .bind(version)
        .fetch_all(&self.read)
        .await?;
        let answer = |row| Ok((row::get(row, "example")?, (row::get(row, "answer")?, row::get(row, "confidence")?)));
        rows.iter().map(answer).collect()
    }

    /// A version's newest suggestions: only those whose examples were reviewed since, latest review first, or all of
    /// them. Rejected examples, examples whose input changed, and examples of the version's own dataset are left out.
    pub async fn suggested(&self, version: &Version, decided: bool, limit: u32) -> Result<Vec<Suggested>, Error> {
        statement::all(
            &self.read,
            newest_suggestions!(
                "s.version = $4 and s.example not in (select example from dataset_members where task = $1 and digest = $5)"
            ),
            (
                &version.task,
                decided,
                limit,
                &version.name,
                version.dataset.as_ref().map_or("", |digest| digest.as_str()),
            ),
        )
        .await
    }

    /// The newest suggestions of a task, of all versions. Rejected examples and examples whose input changed are left out.
    pub async fn suggested_lately(&self, task: &str, limit: u32) -> Result<Vec<Suggested>, Error> {
        statement::all(&self.read, newest_suggestions!("1 = 1"), (task, false, limit)).await
    }

    /// Approved examples whose output is not what a version suggested before.
    pub async fn corrected_examples(&self, task: &str) -> Result<BTreeSet<ExampleId>, Error> {
        let found: Vec<Corrected> = statement::all(
            &self.read,
            "select s.example, s.answer, c.output
             from suggestions s
             join examples e on e.task = s.task and e.id = s.example
             join example_revisions c on c.task = e.task and c.id = e.id and c.revision = e.revision
             where s.task = $1 and e.review = 'approved' and e.touched = 1 and e.reviewed_at >= s.made_at",
            task,
        )
        .await?;
        Ok(found.into_iter().filter(|one| one.answer != one.output).map(|one| one.example).collect())
    }

    /// Pending examples without a suggestion of this version, newest first.
    pub async fn without_suggestion(&self, task: &str, version: &str, limit: u32) -> Result<Vec<Example>, Error> {
        let found: Vec<Stored> = statement::all(
            &self.read,
            examples_of!(
                "left join suggestions s on s.task = e.task and s.example = e.id and s.revision = e.revision
                  and s.version = $2
             where e.task = $1 and e.review = 'pending' and s.task is null
             order by coalesce(e.source_at, 0) desc, e.position desc limit $3"
            ),
            (task, version, limit),
        )
        .await?;
        Ok(found.into_iter().map(|stored| stored.example).collect())
    }
}

from_row!(Suggestion { task, example, revision, version, answer, confidence, disagrees, made_at, fields });

from_row!(Corrected { example, answer, output });

from_row!(Suggested { answer, confidence, made_at, chars, truth });

/// The confidences as JSON. Values that are not finite are left out, because JSON can't express them.
fn fields_json(fields: &BTreeMap<String, f64>) -> String {
    let finite = fields.iter().filter(|(_, confidence)| confidence.is_finite());
    finite.map(|(path, confidence)| (path.clone(), Value::from(*confidence))).collect::<Value>().to_string()
}
