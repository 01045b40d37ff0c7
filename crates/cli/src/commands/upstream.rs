//! `graft tasks upstream`.

use clap::Args;
use graft_engine::{
    Engine, UpstreamReport, iso8601,
    records::{Recording, Upstream, UpstreamCounts},
};

use crate::{
    failure::{Failure, Result},
    output::{Reply, Table, facts},
};

const DAY: i64 = 86_400_000;

/// Changes of an upstream; without any, it is shown.
#[derive(Debug, Args)]
pub(crate) struct UpstreamFlags {
    /// Address of the API, such as `https://api.openai.com/v1`.
    #[arg(long)]
    url: Option<String>,
    /// Model that it is asked for.
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Environment variable of the server that holds the key; `none` sends no key.
    #[arg(long, value_name = "NAME")]
    key_env: Option<String>,
    /// What becomes of its answers: `off`, `pending` examples, or `approved` examples [default: pending].
    #[arg(long, value_name = "HOW")]
    record: Option<Recording>,
    /// Graft answers itself if its calibrated confidence is at least this, from 0 to 1; `none`: never [default: none].
    #[arg(long, value_name = "CONFIDENCE")]
    answer_above: Option<String>,
    /// Share of Graft's answers, from 0 to 1, that are compared with the upstream's [default: 0.05].
    #[arg(long, value_name = "SHARE")]
    compare_share: Option<f64>,
    /// Seconds until its answer must begin [default: 120].
    #[arg(long, value_name = "N")]
    timeout: Option<u32>,
    /// What a million tokens of prompts cost, in any currency; `none` removes the price.
    #[arg(long, value_name = "PRICE")]
    input_price: Option<String>,
    /// What a million tokens of answers cost.
    #[arg(long, value_name = "PRICE")]
    output_price: Option<String>,
    /// Remove the upstream; the counts are kept.
    #[arg(long, conflicts_with_all = ["url", "model", "key_env", "record", "answer_above", "compare_share", "timeout",
                                      "input_price", "output_price"])]
    remove: bool,
}

pub(crate) async fn run(engine: &Engine, task: &str, flags: UpstreamFlags) -> Result<Reply> {
    let upstreams = engine.upstreams();
    let before = upstreams.report(task).await?;
    let report = if flags.remove {
        upstreams.remove(task).await?
    } else if flags.is_empty() {
        before
    } else {
        upstreams.set(task, flags.changed(before.upstream)?).await?
    };
    let text = about(&report);
    Ok(Reply::new(report, text))
}

impl UpstreamFlags {
    fn is_empty(&self) -> bool {
        let texts = [&self.url, &self.model, &self.key_env, &self.answer_above, &self.input_price, &self.output_price];
        texts.iter().all(|text| text.is_none())
            && self.record.is_none()
            && self.compare_share.is_none()
            && self.timeout.is_none()
    }

    fn changed(self, before: Option<Upstream>) -> Result<Upstream> {
        let mut upstream = match (before, &self.url, &self.model) {
            (Some(before), ..) => before,
            (None, Some(url), Some(model)) => Upstream::new(url, model),
            (None, ..) => {
                let hint = "a new upstream takes `--url` and `--model`";
                return Err(Failure::usage("set an upstream without address or model", hint));
            }
        };
        upstream.url = self.url.unwrap_or(upstream.url);
        upstream.model = self.model.unwrap_or(upstream.model);
        if let Some(name) = self.key_env {
            upstream.key_env = Some(name).filter(|name| name != "none");
        }
        upstream.record = self.record.unwrap_or(upstream.record);
        let numbers = [
            (self.answer_above, &mut upstream.answer_above, "the confidence", "give a number from 0 to 1, or `none`"),
            (self.input_price, &mut upstream.input_price, "the price", "give a number, or `none`"),
            (self.output_price, &mut upstream.output_price, "the price", "give a number, or `none`"),
        ];
        for (given, place, what, hint) in numbers {
            let Some(given) = given else { continue };
            *place = match given.as_str() {
                "none" => None,
                number => Some(number.parse().map_err(|_| Failure::usage(format!("read {what} `{number}`"), hint))?),
            };
        }
        upstream.compare_share = self.compare_share.unwrap_or(upstream.compare_share);
        upstream.timeout_seconds = self.timeout.unwrap_or(upstream.timeout_seconds);
        Ok(upstream)
    }
}

fn share(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", share * 100.0))
}

fn about(report: &UpstreamReport) -> String {
    let UpstreamReport { task, upstream, total, days, .. } = report;
    let mut text = match upstream {
        None => format!(
            "Task {task} has no upstream. Set one with `graft tasks upstream {task} --url URL --model NAME --key-env NAME`.\n"
        ),
        Some(upstream) => facts(&[
            ("upstream", upstream.url.clone()),
            ("model", upstream.model.clone()),
            ("key", upstream.key_env.as_ref().map_or_else(|| "none".to_owned(), |name| format!("in {name}"))),
            ("its answers", recorded(upstream.record).to_owned()),
            (
                "graft answers",
                upstream
                    .answer_above
                    .map_or_else(|| "never".to_owned(), |above| format!("from a confidence of {above}")),
            ),
            ("compared", share(Some(upstream.compare_share))),
            ("timeout", format!("{} s", upstream.timeout_seconds)),
        ]),
    };
    if days.is_empty() {
        return text;
    }
    text += &format!(
        "\nGraft answered {} of the requests; its answers agree with the upstream's by {}.\n\n",
        share(report.share),
        share(report.agreement)
    );
    if let Some(cost) = report.cost {
        let saved = report.saved.map_or_else(String::new, |saved| {
            format!("; what Graft answered alone would have cost {saved:.2}, at the same cost of a request")
        });
        text += &format!("At today's prices the upstream cost {cost:.2}{saved}.\n\n");
    }
    let mut table = Table::new([
        "day",
        "graft",
        "upstream",
        "failed",
        "tokens in",
        "tokens out",
        "recorded",
        "known",
        "unfit",
        "compared",
    ]);
    let mut row = |name: String, counts: &UpstreamCounts| {
        let numbers = [
            counts.graft,
            counts.upstream,
            counts.failed,
            counts.prompt_tokens,
            counts.answer_tokens,
            counts.recorded,
            counts.known,
            counts.unfit,
            counts.compared,
        ];
        let [graft, upstream, failed, read, written, recorded, known, unfit, compared] = numbers.map(|n| n.to_string());
        table.row([name, graft, upstream, failed, read, written, recorded, known, unfit, compared]);
    };
    for day in days {
        let date = iso8601(day.day * DAY);
        row(date.get(..10).unwrap_or(&date).to_owned(), &day.counts);
    }
    row("all days".to_owned(), total);
    text + &table.to_string()
}

fn recorded(record: Recording) -> &'static str {
    match record {
        Recording::Off => "are not recorded",
        Recording::Pending => "become pending examples",
        Recording::Approved => "become approved examples",
    }
}
