use graft_core::{Assignment, Dataset, Digest, Example, ExampleId, Review, Side, Timestamp};
use serde::Serialize;
use serde_json::json;
use sqlx::any::AnyRow;
use utoipa::ToSchema;

use crate::changes::{Actor, Entry, record};
use crate::database::Tx;
use crate::examples::source;
use crate::row::from_row;
use crate::{Action, Error, Kind, Store, row, statement};

/// An entry of the list of datasets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = DatasetHead)]
pub struct DatasetInfo {
    /// Name of the task.
    pub task: String,
    /// Digest of its content.
    pub digest: Digest,
    /// Number of training examples.
    pub train: u64,
    /// Number of held-out examples.
    pub eval: u64,
    /// Who created it.
    pub created_by: String,
    /// When it was first saved.
    pub created_at: Timestamp,
}

impl Store {
    /// Which side of the split each example of earlier datasets is on, permanently. Empty before the first dataset.
    pub async fn assignment(&self, task: &str) -> Result<Assignment, Error> {
        let rows = sqlx::query(ASSIGNMENT).bind(task).fetch_all(&self.read).await?;
        rows.iter().map(assigned).collect()
    }

    /// Saves a dataset and fixes the sides of its examples. Returns whether the dataset was new. A dataset refers to
    /// revisions, so later edits of examples don't change it.
    ///
    /// # Errors
    /// [`Error::SplitChanged`] if another dataset fixed other sides since the split was computed; [`Error::NoRevision`]
    /// for an example that was never stored.
    pub async fn save_dataset(&self, task: &str, dataset: &Dataset, by: &str, at: Timestamp) -> Result<bool, Error> {
        let mut tx = self.begin().await?;
        let new = save(&mut tx, task, dataset, Actor { by, at }).await?;
        tx.commit().await?;
        Ok(new)
    }

    /// How many approved examples of the task are not in a dataset with their current revision.
    pub async fn approved_beyond(&self, task: &str, digest: &Digest) -> Result<u64, Error> {
        let count = statement::value(
            &self.read,
            "select count(*) as n from examples e
             where e.task = $1 and e.review = 'approved' and not exists
                   (select 1 from dataset_members m where m.task = e.task and m.digest = $2 and m.example = e.id
                       and m.revision = e.revision)",
            (task, digest),
        )
        .await?;
        Ok(count.unwrap_or_default())
    }

    /// The datasets of one task or of all, newest first.
    pub async fn datasets(&self, task: Option<&str>) -> Result<Vec<DatasetInfo>, Error> {
        statement::all(
            &self.read,
            "select d.task, d.digest, d.created_by, d.created_at,
                    (select count(*) from dataset_members m
                     where m.task = d.task and m.digest = d.digest and m.side = 'train') as train,
                    (select count(*) from dataset_members m
                     where m.task = d.task and m.digest = d.digest and m.side = 'eval') as eval
             from datasets d where ($1 is null or d.task = $1) order by d.created_at desc, d.digest",
            task,
        )
        .await
    }

    /// Lengths in characters of a dataset's training inputs, in dataset order. Empty if there is no such dataset.
    pub async fn training_lengths(&self, task: &str, digest: &Digest) -> Result<Vec<u32>, Error> {
        statement::values(
            &self.read,
            "select cast(length(r.input) as bigint) as chars from dataset_members m
             join example_revisions r on r.task = m.task and r.id = m.example and r.revision = m.revision
             where m.task = $1 and m.digest = $2 and m.side = 'train' order by m.position",
            (task, digest.as_str()),
        )
        .await
    }

    /// At most so many of a dataset's training inputs, at even distances. Empty if there is no such dataset.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn training_inputs(&self, task: &str, digest: &Digest, most: u32) -> Result<Vec<String>, Error> {
        let inputs = sqlx::query_scalar(
            "select r.input from dataset_members m
             join example_revisions r on r.task = m.task and r.id = m.example and r.revision = m.revision
             where m.task = $1 and m.digest = $2 and m.side = 'train'
               and m.position % (((select count(*) from dataset_members
                                   where task = $1 and digest = $2 and side = 'train') + $3 - 1) / $3) = 0
             order by m.position",
        );
        Ok(inputs.bind(task).bind(digest.as_str()).bind(i64::from(most)).fetch_all(&self.read).await?)
    }

    /// A dataset as it was saved, whatever happened to its examples since. Its assignment covers only its own examples.
    ///
    /// # Errors
    /// [`Error::NoDataset`].
    pub async fn dataset(&self, task: &str, digest: &Digest) -> Result<Dataset, Error> {
        let leaking = statement::value(
            &self.read,
            "select leaking from datasets where task = $1 and digest = $2",
            (task, digest),
        )
        .await?;
        let missing = || Error::NoDataset { task: task.to_owned(), digest: digest.clone() };
        let leaking: Vec<ExampleId> = leaking.ok_or_else(missing)?;
        let mut dataset = Dataset {
            digest: digest.clone(),
            train: Vec::new(),
            eval: Vec::new(),
            assignment: leaking.iter().map(|id| (id.clone(), Side::Train)).collect(),
            leaking,
        };
        for row in &sqlx::query(MEMBERS).bind(task).bind(digest.as_str()).fetch_all(&self.read).await? {
            let (example, side) = (member(row)?, side(row)?);
            dataset.assignment.insert(example.id.clone(), side);
            match side {
                Side::Train => dataset.train.push(example),
                Side::Eval => dataset.eval.push(example),
            }
        }
        Ok(dataset)
    }
}

/// Saves a dataset within the caller's transaction; returns whether it was new.
pub(crate) async fn save(tx: &mut Tx<'_>, task: &str, dataset: &Dataset, actor: Actor<'_>) -> Result<bool, Error> {
    freeze(tx, task, &dataset.assignment).await?;
    let leaking = serde_json::Value::from(dataset.leaking.clone());
    let added = tx
        .execute(
            "insert into datasets (task, digest, leaking, created_by, created_at) values ($1, $2, $3, $4, $5)
             on conflict do nothing",
            (task, dataset.digest.as_str(), leaking.to_string(), row::text(actor.by), actor.at),
        )
        .await?;
    let new = added == 1;
    if new {
        add_members(tx, task, dataset).await?;
        let sizes = json!({"train": dataset.train.len(), "eval": dataset.eval.len(), "leaking": leaking});
        let entry = Entry { action: Action::Add, kind: Kind::Dataset, task, subject: dataset.digest.as_str() };
        record(tx, entry, actor, None, Some(&sizes)).await?;
    }
    Ok(new)
}

from_row!(DatasetInfo { task, digest, train, eval, created_by, created_at });

const ASSIGNMENT: &str = "select example, side from assignments where task = $1";

const MEMBERS: &str = "select m.side, m.example, m.revision, m.approved_by, m.approved_at, r.task, r.input, r.output,
            e.source_kind, e.source_ref, e.source_at
     from dataset_members m
     join example_revisions r on r.task = m.task and r.id = m.example and r.revision = m.revision
     join examples e on e.task = m.task and e.id = m.example
     where m.task = $1 and m.digest = $2 order by m.side, m.position";

/// Fixes the sides of new examples, and fails if an example is fixed on the other side.
async fn freeze(tx: &mut Tx<'_>, task: &str, assignment: &Assignment) -> Result<(), Error> {
    let rows = sqlx::query(ASSIGNMENT).bind(task).fetch_all(&mut **tx).await?;
    let fixed = rows.iter().map(assigned).collect::<Result<Assignment, Error>>()?;
    for (id, side) in assignment {
        match fixed.get(id) {
            Some(before) if before == side => {}
            Some(_) => return Err(Error::SplitChanged { task: task.to_owned(), id: id.clone() }),
            None => {
                tx.execute(
                    "insert into assignments (task, example, side) values ($1, $2, $3)",
                    (task, id, side_name(*side)),
                )
                .await?;
            }
        }
    }
    Ok(())
}

async fn add_members(tx: &mut Tx<'_>, task: &str, dataset: &Dataset) -> Result<(), Error> {
    for (side, examples) in [(Side::Train, &dataset.train), (Side::Eval, &dataset.eval)] {
        for (position, example) in (0_i64..).zip(examples) {
            add_member(tx, task, &dataset.digest, (side, position), example).await?;
        }
    }
    Ok(())
}

async fn add_member(
    tx: &mut Tx<'_>,
    task: &str,
    digest: &Digest,
    (side, position): (Side, i64),
    example: &Example,
) -> Result<(), Error> {
    let (by, at) = match &example.review {
        Review::Approved { by, at } => (by.as_str(), *at),
        Review::Pending | Review::Rejected { .. } => ("", 0),
    };
    let added = tx
        .execute(
            "insert into dataset_members (task, digest, side, position, example, revision, approved_by, approved_at)
             select r.task, $3, $4, $5, r.id, r.revision, $7, $8
             from example_revisions r where r.task = $1 and r.id = $2 and r.revision = $6",
            (task, &example.id, digest.as_str(), side_name(side), position, example.revision, row::text(by), at),
        )
        .await?;
    if added == 1 {
        return Ok(());
    }
    Err(Error::NoRevision { task: task.to_owned(), id: example.id.clone(), revision: example.revision })
}

fn assigned(row: &AnyRow) -> Result<(ExampleId, Side), Error> {
    Ok((row::get(row, "example")?, side(row)?))
}

fn side(row: &AnyRow) -> Result<Side, Error> {
    let name: String = row::get(row, "side")?;
    Ok(if name == side_name(Side::Eval) { Side::Eval } else { Side::Train })
}

fn side_name(side: Side) -> &'static str {
    match side {
        Side::Train => "train",
        Side::Eval => "eval",
    }
}

fn member(row: &AnyRow) -> Result<Example, Error> {
    Ok(Example {
        id: row::get(row, "example")?,
        task: row::get(row, "task")?,
        input: row::get(row, "input")?,
        output: row::get(row, "output")?,
        source: source(row)?,
        review: Review::Approved { by: row::get(row, "approved_by")?, at: row::get(row, "approved_at")? },
        revision: row::get(row, "revision")?,
    })
}
