//! Services to which requests for a task are passed on, and who answered.

use graft_core::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::changes::{Actor, Entry, record};
use crate::database::Tx;
use crate::row::from_row;
use crate::scope::Scope;
use crate::{Action, Error, Kind, Store, row, statement};

names! {
    /// What becomes of the upstream's answers.
    pub enum Recording {
        /// Nothing.
        Off = "off",
        /// Pending examples.
        Pending = "pending",
        /// Approved examples.
        Approved = "approved",
    }
}

/// A service with OpenAI's API to which requests for a task are passed on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// The address of its API, such as `https://api.openai.com/v1`.
    pub url: String,
    /// The model that it is asked for.
    pub model: String,
    /// The environment variable of the server that holds its key; the key itself is not stored.
    #[serde(default)]
    pub key_env: Option<String>,
    /// What becomes of its answers.
    #[serde(default = "pending")]
    pub record: Recording,
    /// Graft answers itself if its calibrated confidence is at least this. Absent: the upstream always answers.
    #[serde(default)]
    #[schema(minimum = 0.0, maximum = 1.0)]
    pub answer_above: Option<f64>,
    /// The share of Graft's answers for which the upstream is asked, too, to measure how often they agree.
    #[serde(default = "compare_share")]
    #[schema(minimum = 0.0, maximum = 1.0)]
    pub compare_share: f64,
    /// Seconds until an answer of the upstream must begin.
    #[serde(default = "timeout")]
    #[schema(minimum = 1, maximum = 600)]
    pub timeout_seconds: u32,
    /// What a million tokens of prompts cost, in whatever currency people reckon.
    #[serde(default)]
    #[schema(minimum = 0.0)]
    pub input_price: Option<f64>,
    /// What a million tokens of answers cost.
    #[serde(default)]
    #[schema(minimum = 0.0)]
    pub output_price: Option<f64>,
}

fn pending() -> Recording {
    Recording::Pending
}

fn compare_share() -> f64 {
    0.05
}

fn timeout() -> u32 {
    120
}

impl Upstream {
    /// What so many tokens cost; none without a price.
    #[must_use]
    pub fn cost(&self, prompt_tokens: u64, answer_tokens: u64) -> Option<f64> {
        let of = |tokens: u64, price: Option<f64>| tokens as f64 * price.unwrap_or(0.0) / 1e6;
        (self.input_price.is_some() || self.output_price.is_some())
            .then(|| of(prompt_tokens, self.input_price) + of(answer_tokens, self.output_price))
    }

    /// With the defaults of all other settings.
    #[must_use]
    pub fn new(url: &str, model: &str) -> Self {
        Self {
            url: url.to_owned(),
            model: model.to_owned(),
            key_env: None,
            record: pending(),
            answer_above: None,
            compare_share: compare_share(),
            timeout_seconds: timeout(),
            input_price: None,
            output_price: None,
        }
    }
}

/// What became of requests for a task that has an upstream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct UpstreamCounts {
    /// Requests that Graft answered.
    pub graft: u64,
    /// Requests that the upstream answered.
    pub upstream: u64,
    /// Requests that got no answer: the upstream refused them or could not be reached.
    pub failed: u64,
    /// Tokens of prompts, as the upstream reports them, comparisons included.
    pub prompt_tokens: u64,
    /// Tokens of the upstream's answers, likewise.
    pub answer_tokens: u64,
    /// Answers of the upstream that became examples.
    pub recorded: u64,
    /// Answers to texts that were examples already.
    pub known: u64,
    /// Answers that do not have the task's form; they are not recorded.
    pub unfit: u64,
    /// Answers of Graft that were compared with the upstream's.
    pub compared: u64,
    /// Sum of their agreement, each from 0 to 1.
    pub agreement: f64,
}

impl std::ops::AddAssign for UpstreamCounts {
    fn add_assign(&mut self, more: Self) {
        self.graft += more.graft;
        self.upstream += more.upstream;
        self.failed += more.failed;
        self.prompt_tokens += more.prompt_tokens;
        self.answer_tokens += more.answer_tokens;
        self.recorded += more.recorded;
        self.known += more.known;
        self.unfit += more.unfit;
        self.compared += more.compared;
        self.agreement += more.agreement;
    }
}

/// One day of a task that has an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct UpstreamDay {
    /// Days since 1970 (UTC).
    pub day: i64,
    /// What became of its requests.
    #[serde(flatten)]
    pub counts: UpstreamCounts,
}

impl Store {
    /// The upstream of a task.
    pub async fn upstream(&self, task: &str) -> Result<Option<Upstream>, Error> {
        statement::value(&self.read, "select settings from upstreams where task = $1", task).await
    }

    /// Every task with an upstream, and when it was set.
    pub async fn tasks_with_upstream(&self) -> Result<Vec<(String, Timestamp)>, Error> {
        statement::all(&self.read, "select task, updated_at from upstreams order by task", ()).await
    }

    /// Sets the upstream of a task, or removes it.
    pub async fn set_upstream(
        &self,
        task: &str,
        upstream: Option<&Upstream>,
        by: &str,
        at: Timestamp,
    ) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        let before: Option<Value> =
            statement::value(&mut *tx, "select settings from upstreams where task = $1", task).await?;
        let after = upstream.map(|upstream| json!(upstream));
        if before == after {
            return Ok(());
        }
        let change = match &after {
            None => sqlx::query("delete from upstreams where task = $1").bind(task),
            Some(settings) => sqlx::query(
                "insert into upstreams (task, settings, updated_by, updated_at) values ($1, $2, $3, $4)
                 on conflict (task) do update set settings = excluded.settings, updated_by = excluded.updated_by,
                     updated_at = excluded.updated_at",
            )
            .bind(task)
            .bind(row::text(&settings.to_string()))
            .bind(row::text(by))
            .bind(at),
        };
        change.execute(&mut *tx).await?;
        let entry = Entry { action: Action::Set, kind: Kind::Task, task, subject: task };
        let (old, new) = (json!({"upstream": before}), json!({"upstream": after}));
        record(&mut tx, entry, Actor { by, at }, Some(&old), Some(&new)).await?;
        tx.commit().await
    }

    /// Adds to the counts of a task's day. Not in the audit trail.
    pub async fn count_upstream(&self, task: &str, day: i64, counts: &UpstreamCounts) -> Result<(), Error> {
        let mut tx = self.begin_in(Scope::Statement).await?;
        add(&mut tx, task, day, counts).await?;
        tx.commit().await
    }

    /// The days of a task that has or had an upstream, newest first.
    pub async fn upstream_days(&self, task: &str) -> Result<Vec<UpstreamDay>, Error> {
        let days = sqlx::query_as("select * from upstream_days where task = $1 order by day desc").bind(task);
        Ok(days.fetch_all(&self.read).await?)
    }

    /// Whether a task has an example with exactly this text.
    pub async fn has_input(&self, task: &str, input: &str) -> Result<bool, Error> {
        let found = sqlx::query(
            "select 1 as one from example_revisions c
             join examples e on e.task = c.task and e.id = c.id and e.revision = c.revision
             where c.task = $1 and c.input = $2 limit 1",
        );
        Ok(found.bind(task).bind(input).fetch_optional(&self.read).await?.is_some())
    }
}

async fn add(tx: &mut Tx<'_>, task: &str, day: i64, counts: &UpstreamCounts) -> Result<(), Error> {
    tx.execute(
        "insert into upstream_days (task, day, graft, upstream, failed, prompt_tokens, answer_tokens, recorded, known,
                                    unfit, compared, agreement)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         on conflict (task, day) do update set
             graft = upstream_days.graft + excluded.graft,
             upstream = upstream_days.upstream + excluded.upstream,
             failed = upstream_days.failed + excluded.failed,
             prompt_tokens = upstream_days.prompt_tokens + excluded.prompt_tokens,
             answer_tokens = upstream_days.answer_tokens + excluded.answer_tokens,
             recorded = upstream_days.recorded + excluded.recorded,
             known = upstream_days.known + excluded.known,
             unfit = upstream_days.unfit + excluded.unfit,
             compared = upstream_days.compared + excluded.compared,
             agreement = upstream_days.agreement + excluded.agreement",
        (
            task,
            day,
            counts.graft,
            counts.upstream,
            counts.failed,
            counts.prompt_tokens,
            counts.answer_tokens,
            counts.recorded,
            counts.known,
            counts.unfit,
            counts.compared,
            counts.agreement,
        ),
    )
    .await?;
    Ok(())
}

from_row!(UpstreamCounts {
    graft,
    upstream,
    failed,
    prompt_tokens,
    answer_tokens,
    recorded,
    known,
    unfit,
    compared,
    agreement,
});
from_row!(UpstreamDay { day, counts: UpstreamCounts::from_row });
