//! Batches: files of inputs that a version answers in the background. A batch is split into parts; any number of processes,
//! on one machine or several, each take a part, answer it and store its answers. Killed at any moment, a process loses at
//! most the part that it was answering, which another one begins again; every input gets one answer.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use graft_core::with_causes;
use graft_store::{Batch, BatchState, NewBatch, Part};
use serde_json::{Value, json};
use tokio::time::sleep;
use tracing::Level;

use crate::{
    Engine, Error, Input, Result, Say, Serving, compact, now,
    serving::{Answer, AnswerOptions, answer_line},
};

/// How long a part stays its holder's own without a sign of life; renewed at a third of it.
const LEASE: Duration = Duration::from_secs(30);
/// How often a process without a part looks for one.
const LOOK: Duration = Duration::from_secs(1);
/// How often an operation of the database is tried again, a second apart.
const TROUBLES: u32 = 30;
/// Attempts of a part that fails, before its batch fails.
const ATTEMPTS: u64 = 3;

/// A batch to submit.
#[derive(Clone, Debug)]
pub struct BatchRequest {
    /// The task; it may be absent if only one has versions.
    pub task: Option<String>,
    /// The version that answers; the active one if absent.
    pub version: Option<String>,
    /// Name of the file, for people.
    pub source: String,
    /// Inputs per part.
    pub part_lines: usize,
    /// Maximum tokens of one answer.
    pub max_tokens: Option<u64>,
}

impl BatchRequest {
    /// Inputs per part, where nobody says: a few minutes of work for a small model on two cores.
    pub const PART_LINES: usize = 1000;
}

/// Batches.
#[derive(Clone, Copy, Debug)]
pub struct Batches<'e> {
    engine: &'e Engine,
}

impl Engine {
    /// Files of inputs that are answered in the background.
    #[must_use]
    pub fn batches(&self) -> Batches<'_> {
        Batches { engine: self }
    }
}

impl Batches<'_> {
    /// Submits inputs; they are durable when this returns.
    ///
    /// # Errors
    /// There is no such version; the database can't be written.
    pub async fn submit(self, request: &BatchRequest, inputs: &[Input]) -> Result<Batch> {
        let task = self.engine.versions().task_with_versions(request.task.as_deref()).await?;
        let chosen = self.engine.versions().adapter(&task, request.version.as_deref()).await?;
        let version = chosen.version.map(|version| version.name).unwrap_or_default();
        let parts: Vec<(u64, String)> = inputs.chunks(request.part_lines.max(1)).map(part).collect();
        let stamp = format!("{task}-batch-{}", compact(now()).replace('_', "-"));
        let mut id = stamp.clone();
        for number in 2.. {
            let new = NewBatch {
                id: &id,
                task: &task,
                version: &version,
                source: &request.source,
                max_tokens: request.max_tokens,
                parts: &parts,
            };
            match self.engine.store.add_batch(new, &self.engine.by, now()).await {
                Err(graft_store::Error::BatchExists(_)) => id = format!("{stamp}-{number}"),
                added => return Ok(added?),
            }
        }
        Err(graft_store::Error::BatchExists(id).into())
    }

    /// The batches of a task or of all, newest first.
    pub async fn list(self, task: Option<&str>) -> Result<Vec<Batch>> {
        Ok(self.engine.store.batches(task).await?)
    }

    /// One batch.
    ///
    /// # Errors
    /// There is no such batch.
    pub async fn get(self, id: &str) -> Result<Batch> {
        Ok(self.engine.store.batch(id).await?)
    }

    /// Stops a batch; the parts that are done keep their answers.
    ///
    /// # Errors
    /// There is no such batch, or it has ended.
    pub async fn stop(self, id: &str) -> Result<Batch> {
        Ok(self.engine.store.turn_batch(id, BatchState::Stopped, &self.engine.by, now()).await?)
    }

    /// Continues a batch that was stopped or has failed.
    ///
    /// # Errors
    /// There is no such batch; it runs or is done.
    pub async fn resume(self, id: &str) -> Result<Batch> {
        Ok(self.engine.store.turn_batch(id, BatchState::Running, &self.engine.by, now()).await?)
    }

    /// Removes a batch that has ended, with its inputs and answers.
    ///
    /// # Errors
    /// There is no such batch; it runs.
    pub async fn remove(self, id: &str) -> Result<()> {
        Ok(self.engine.store.remove_batch(id, &self.engine.by, now()).await?)
    }

    /// The answers of a part, from 1: one JSON line for each input, in order. `None` while it has none.
    pub async fn answers(self, id: &str, part: u64) -> Result<Option<String>> {
        Ok(self.engine.store.part_output(id, part).await?)
    }

    /// Whether a part waits to be answered.
    pub(crate) async fn is_waiting(self) -> Result<bool> {
        self.free_parts_of_the_dead().await?;
        Ok(self.engine.store.has_waiting_part(None).await?)
    }

    /// Answers parts, one after the other: of every batch, or of `only` that one. With `once` it returns when no part is
    /// left to take; otherwise it waits for the next batch. Returns the number of inputs that it answered.
    ///
    /// # Errors
    /// The version of a batch can't be loaded here; the database can't be read or written.
    pub async fn work(self, only: Option<&str>, once: bool, say: &Say) -> Result<u64> {
        let serving = Serving::once(self.engine.clone(), None);
        let (mut answered, mut troubles) = (0, 0_u32);
        loop {
            match self.next(&serving, only, say).await {
                Ok(Some(more)) => (answered, troubles) = (answered + more, 0),
                Ok(None) if once => return Ok(answered),
                Ok(None) => sleep(LOOK).await,
                // An unreachable or full database may recover.
                Err(Error::Store(error)) if error.is_of_the_database() && (!once || troubles < TROUBLES) => {
                    troubles += 1;
                    if troubles.is_power_of_two() {
                        say(Level::WARN, &format!("failed to {}", with_causes(&error)));
                    }
                    sleep(LOOK).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Answers the next part; `None` if there is none. Returns the number of inputs that it answered.
    async fn next(self, serving: &Serving, only: Option<&str>, say: &Say) -> Result<Option<u64>> {
        self.free_parts_of_the_dead().await?;
        let (store, by) = (&self.engine.store, &self.engine.by);
        let Some(part) = store.claim_part(&self.engine.me, LEASE.as_millis() as i64, only, by, now()).await? else {
            return Ok(None);
        };
        say(Level::INFO, &format!("batch {}: part {}", part.lease.batch, part.lease.number));
        self.carry(serving, &part, say).await.map(Some)
    }

    /// Answers a part and stores its answers. A part that fails is given back.
    async fn carry(self, serving: &Serving, part: &Part, say: &Say) -> Result<u64> {
        let (store, by, lease) = (&self.engine.store, &self.engine.by, &part.lease);
        let (done, invalid) = (AtomicU64::new(0), AtomicU64::new(0));
        let mut answering = std::pin::pin!(answer(self.engine, serving, part, &done, &invalid));
        let outcome = loop {
            tokio::select! {
                outcome = &mut answering => break outcome,
                () = sleep(LEASE / 3) => {
                    match store.renew_part(lease, LEASE.as_millis() as i64, done.load(Ordering::Relaxed)).await {
                        Ok(true) => {}
                        // Stopped: another process may take it once the batch goes on.
                        Ok(false) => return Ok(store.fail_part(lease, "", u64::MAX, by, now()).await.map(|()| 0)?),
                        Err(graft_store::Error::PartLost { .. }) => return Ok(0),
                        // The next renewal may work; if none does, the part is another process's once the lease is over.
                        Err(error) if error.is_of_the_database() => {}
                        Err(error) => return Err(error.into()),
                    }
                }
            }
        };
        let outcome = outcome.map_err(|(error, stage)| {
            let failure = format!("part {}: failed to {}", lease.number, with_causes(&error));
            say(Level::ERROR, &format!("batch {}: {failure}", lease.batch));
            (failure, matches!(stage, Stage::Loading).then_some(error))
        });
        let mut troubles = 0;
        let kept = loop {
            let kept = match &outcome {
                Ok(lines) => store.finish_part(lease, lines, invalid.load(Ordering::Relaxed), by, now()).await,
                Err((failure, _)) => store.fail_part(lease, failure, ATTEMPTS, by, now()).await,
            };
            match kept {
                // Answers took long to write: they are not given up for a moment without the database.
                Err(error) if error.is_of_the_database() && troubles < TROUBLES => {
                    troubles += 1;
                    sleep(LOOK).await;
                }
                kept => break kept,
            }
        };
        match (kept, outcome) {
            (Err(graft_store::Error::PartLost { .. }), _) => Ok(0),
            (Err(error), _) => Err(error.into()),
            (Ok(()), Err((_, Some(error)))) => Err(error),
            (Ok(()), Err((_, None))) => Ok(0),
            (Ok(()), Ok(lines)) => Ok(lines.lines().count() as u64),
        }
    }

    /// Ends the leases of killed processes of this machine, so that nobody waits until they expire.
    async fn free_parts_of_the_dead(self) -> Result<()> {
        for owner in self.engine.store.part_owners().await? {
            if self.engine.is_gone(&owner) {
                self.engine.store.free_parts(&owner).await?;
            }
        }
        Ok(())
    }
}

/// Where answering a part failed: what can't be loaded here may be on another machine.
enum Stage {
    Loading,
    Answering,
}

/// The answers of a part, one line each; counts those so far, and at the end those that are not valid.
async fn answer(
    engine: &Engine,
    serving: &Serving,
    part: &Part,
    done: &AtomicU64,
    invalid: &AtomicU64,
) -> std::result::Result<String, (Error, Stage)> {
    let loading = |error| (error, Stage::Loading);
    let chosen = engine.versions().adapter(&part.task, Some(&part.version)).await.map_err(loading)?;
    let deployment = serving.deploy(chosen).await.map_err(loading)?;
    let max_tokens = part.max_tokens.and_then(|most| usize::try_from(most).ok());
    let options = AnswerOptions { max_tokens, ..AnswerOptions::default() };
    let answering = |error| (error, Stage::Answering);
    let inputs = inputs(part).map_err(answering)?;
    let texts: Vec<String> = inputs.iter().map(|input| input.text.clone()).collect();
    let tell = |count| done.store(count as u64, Ordering::Relaxed);
    let answers = serving.answer_all(&deployment, &texts, &options, tell).await.and_then(Answer::each);
    let mut lines = String::new();
    for (input, answer) in inputs.iter().zip(answers.map_err(answering)?) {
        if !answer.as_ref().is_ok_and(|answer| answer.valid) {
            invalid.fetch_add(1, Ordering::Relaxed);
        }
        lines += &Value::Object(answer_line(input, answer.as_ref(), deployment.card(), &part.version)).to_string();
        lines.push('\n');
    }
    Ok(lines)
}

/// Inputs as they are stored with a part.
fn part(inputs: &[Input]) -> (u64, String) {
    let line = |input: &Input| format!("{}\n", json!({ input.key: input.id, "text": input.text }));
    (inputs.len() as u64, inputs.iter().map(line).collect())
}

fn inputs(part: &Part) -> Result<Vec<Input>> {
    let damaged = || graft_store::Error::Damaged(format!("the inputs of batch `{}`", part.lease.batch).into());
    let input = |line: &str| -> Option<Input> {
        let value: Value = serde_json::from_str(line).ok()?;
        let key = ["ts", "id"].into_iter().find(|key| value.get(key).is_some())?;
        Some(Input { key, id: value[key].as_str()?.to_owned(), text: value["text"].as_str()?.to_owned() })
    };
    part.input.lines().map(|line| input(line).ok_or_else(|| damaged().into())).collect()
}

#[cfg(test)]
mod tests {
    use graft_store::PartLease;

    use super::*;

    #[test]
    fn inputs_come_back_from_a_part_as_they_were() {
        let given = [("ts", "1.5", "two\nlines \u{2028} \"quoted\""), ("id", "", "")];
        let given = given.map(|(key, id, text)| Input { key, id: id.into(), text: text.into() });
        let (lines, input) = part(&given);
        let lease = PartLease { batch: "b".into(), number: 1, owner: "o".into(), attempt: 1 };
        let part = Part { lease, task: "t".into(), version: "v".into(), max_tokens: None, input };
        assert_eq!(lines, 2);
        assert_eq!(inputs(&part).unwrap(), given);
    }
}
