//! Upstreams: services with OpenAI's API to which requests for a task are passed on until Graft answers them itself.

mod proxy;
mod record;

use graft_store::{Upstream, UpstreamCounts, UpstreamDay};
use serde::Serialize;
use utoipa::ToSchema;

pub use proxy::{ChatRequest, Passed, PassedBody, PlainRequest, Proxied, Proxy};

use crate::{Engine, Error, Result, now};

/// Longest address and longest name of a model, in bytes.
const LONGEST: usize = 500;
/// Seconds until an answer must begin at most.
const LONGEST_TIMEOUT: u32 = 600;
/// Highest price of a million tokens.
const MOST_PRICE: f64 = 1e6;
/// Days that a report lists.
const LISTED: usize = 30;

/// The upstreams of all tasks.
#[derive(Clone, Copy, Debug)]
pub struct Upstreams<'e> {
    pub(crate) engine: &'e Engine,
}

/// The upstream of a task, and who answered its requests.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct UpstreamReport {
    /// The task.
    pub task: String,
    /// Its upstream, if it has one.
    #[schema(required = true)]
    pub upstream: Option<Upstream>,
    /// The sums of all days.
    pub total: UpstreamCounts,
    /// The share of answered requests that Graft answered itself, from 0 to 1; absent before the first.
    #[schema(required = true)]
    pub share: Option<f64>,
    /// How often Graft's answers are those of the upstream, from 0 to 1, by the task's scoring; absent before the first
    /// comparison.
    #[schema(required = true)]
    pub agreement: Option<f64>,
    /// What the upstream cost, at today's prices; absent if no price is set.
    #[schema(required = true)]
    pub cost: Option<f64>,
    /// What the requests that Graft answered alone would have cost, at the mean cost of the others.
    #[schema(required = true)]
    pub saved: Option<f64>,
    /// The newest 30 days with requests, newest first.
    pub days: Vec<UpstreamDay>,
}

impl Upstreams<'_> {
    /// The upstream of a task, and who answered its requests.
    ///
    /// # Errors
    /// The task is unknown; what the store says.
    pub async fn report(self, task: &str) -> Result<UpstreamReport> {
        let task = self.engine.tasks().get(task).await?.definition.name;
        let upstream = self.engine.store.upstream(&task).await?;
        let mut days = self.engine.store.upstream_days(&task).await?;
        let mut total = UpstreamCounts::default();
        days.iter().for_each(|day| total += day.counts);
        days.truncate(LISTED);
        let of = |part: f64, whole: u64| (whole > 0).then(|| part / whole as f64);
        let share = of(total.graft as f64, total.graft + total.upstream);
        let agreement = of(total.agreement, total.compared);
        let (cost, saved) = upstream.as_ref().map_or((None, None), |upstream| costs(upstream, &total));
        Ok(UpstreamReport { task, upstream, total, share, agreement, cost, saved, days })
    }

    /// Sets the upstream of a task.
    ///
    /// # Errors
    /// [`Error::BadUpstream`]; the task is unknown; what the store says.
    pub async fn set(self, task: &str, upstream: Upstream) -> Result<UpstreamReport> {
        let task = self.engine.tasks().get(task).await?.definition.name;
        let upstream = checked(upstream).map_err(|(field, reason)| Error::BadUpstream {
            task: task.clone(),
            field,
            reason: reason.to_owned(),
        })?;
        self.engine.store.set_upstream(&task, Some(&upstream), &self.engine.by, now()).await?;
        self.report(&task).await
    }

    /// Removes the upstream of a task. The counts are kept.
    ///
    /// # Errors
    /// The task is unknown; what the store says.
    pub async fn remove(self, task: &str) -> Result<UpstreamReport> {
        let task = self.engine.tasks().get(task).await?.definition.name;
        self.engine.store.set_upstream(&task, None, &self.engine.by, now()).await?;
        self.report(&task).await
    }
}

/// What the upstream cost, and what the requests that Graft answered alone would have cost.
fn costs(upstream: &Upstream, total: &UpstreamCounts) -> (Option<f64>, Option<f64>) {
    let cost = upstream.cost(total.prompt_tokens, total.answer_tokens);
    let (paid, alone) = (total.upstream + total.compared, total.graft.saturating_sub(total.compared));
    (cost, cost.filter(|_| paid > 0).map(|cost| cost / paid as f64 * alone as f64))
}

/// An upstream that can be used, or which field is wrong and why.
fn checked(mut upstream: Upstream) -> std::result::Result<Upstream, (&'static str, &'static str)> {
    for text in [&mut upstream.url, &mut upstream.model] {
        *text = text.trim().to_owned();
    }
    upstream.url.truncate(upstream.url.trim_end_matches('/').len());
    let is_plain = |text: &str| text.len() <= LONGEST && !text.contains(char::is_control);
    let address = upstream.url.strip_prefix("https://").or_else(|| upstream.url.strip_prefix("http://"));
    let host = address.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    if host.is_empty() || !is_plain(&upstream.url) || upstream.url.contains(char::is_whitespace) {
        return Err(("url", "it begins with neither https:// nor http://, has no host, or is too long"));
    }
    if host.contains('@') {
        return Err(("url", "it holds a user or a password: name an environment variable with the key instead"));
    }
    if upstream.url.contains(['?', '#']) || upstream.url.ends_with("/chat/completions") {
        return Err(("url", "give the address of the API alone, such as https://api.openai.com/v1"));
    }
    if upstream.model.is_empty() || !is_plain(&upstream.model) {
        return Err(("model", "it is blank or too long"));
    }
    if let Some(name) = &upstream.key_env {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !is_plain(name) || !name.chars().all(is_name) {
            return Err(("key_env", "give the name of an environment variable, not the key"));
        }
        if upstream.url.starts_with("http://") && !graft_core::is_this_machine(&upstream.url) {
            return Err(("url", "a key is sent to another machine over https:// only"));
        }
    }
    let is_share = |share: f64| (0.0..=1.0).contains(&share);
    if !upstream.answer_above.is_none_or(is_share) {
        return Err(("answer_above", "it is not from 0 to 1"));
    }
    if !is_share(upstream.compare_share) {
        return Err(("compare_share", "it is not from 0 to 1"));
    }
    for (field, price) in [("input_price", upstream.input_price), ("output_price", upstream.output_price)] {
        if !price.is_none_or(|price| (0.0..=MOST_PRICE).contains(&price)) {
            return Err((field, "it is not from 0 to 1000000"));
        }
    }
    if !(1..=LONGEST_TIMEOUT).contains(&upstream.timeout_seconds) {
        return Err(("timeout_seconds", "it is not from 1 to 600"));
    }
    Ok(upstream)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_those_of_the_tokens_and_savings_those_of_requests_answered_alone() {
        let priced =
            Upstream { input_price: Some(2.0), output_price: Some(10.0), ..Upstream::new("https://host/v1", "m") };
        let total = UpstreamCounts {
            graft: 40,
            upstream: 15,
            compared: 5,
            prompt_tokens: 1_500_000,
            answer_tokens: 100_000,
            ..UpstreamCounts::default()
        };
        // 3 + 1 for 20 requests, and 35 that cost nothing.
        assert_eq!(costs(&priced, &total), (Some(4.0), Some(7.0)));
        assert_eq!(costs(&priced, &UpstreamCounts::default()), (Some(0.0), None));
        assert_eq!(costs(&Upstream { input_price: None, output_price: None, ..priced }, &total), (None, None));
    }

    #[test]
    fn settings_that_cannot_work_are_refused() {
        let usual = || Upstream::new(" https://api.example.org/v1/ ", "large");
        let fine = checked(Upstream { key_env: Some("EXAMPLE_API_KEY".into()), answer_above: Some(0.9), ..usual() });
        assert_eq!(fine.unwrap().url, "https://api.example.org/v1");
        let at = |url: &str, key: Option<&str>| Upstream { key_env: key.map(str::to_owned), ..Upstream::new(url, "m") };
        for here in ["http://127.0.0.1:8000/v1", "http://localhost/v1", "http://[::1]:8000", "https://gpu/v1"] {
            assert!(checked(at(here, Some("KEY"))).is_ok(), "{here}");
        }
        assert!(checked(at("http://gpu:8000/v1", None)).is_ok());
        let wrong = [
            ("url", at("api.example.org", None)),
            ("url", at("https://", None)),
            ("url", at("https://me:secret@host/v1", None)),
            ("url", at("https://host/v1?key=secret", None)),
            ("url", at("https://host/v1/chat/completions", None)),
            ("url", at("http://gpu:8000/v1", Some("KEY"))),
            ("url", at("http://localhost.example.org/v1", Some("KEY"))),
            ("model", Upstream::new("https://host/v1", " ")),
            ("key_env", at("https://host/v1", Some("sk-1234"))),
            ("key_env", at("https://host/v1", Some(""))),
            ("answer_above", Upstream { answer_above: Some(f64::NAN), ..usual() }),
            ("compare_share", Upstream { compare_share: 5.0, ..usual() }),
            ("timeout_seconds", Upstream { timeout_seconds: 0, ..usual() }),
            ("input_price", Upstream { input_price: Some(-1.0), ..usual() }),
            ("output_price", Upstream { output_price: Some(f64::INFINITY), ..usual() }),
        ];
        for (field, upstream) in wrong {
            assert_eq!(checked(upstream.clone()).unwrap_err().0, field, "{upstream:?}");
        }
    }
}
