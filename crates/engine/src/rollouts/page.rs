//! The comparison of both versions of a roll-out as one HTML file.

use std::fmt::Write as _;

use graft_core::Timestamp;

use super::{BothTimes, RolloutReport};
use crate::versions::results::html::{head, percent, section, table, text, time};

/// The page of a roll-out of a task with this title.
pub(super) fn of(report: &RolloutReport, title: &str, at: Timestamp) -> String {
    let RolloutReport { rollout, counts, outcomes, errors, times, gates, next, .. } = report;
    let (new, old) = (text(&rollout.version), text(&rollout.against));
    let running = rollout.state.is_running();
    let until = rollout.ended_at.map_or_else(|| "now".to_owned(), time);
    let mut page = head(
        &format!("{}: {new} against {old}", text(title)),
        &format!("<span class=\"stage{}\">{}</span>", if running { " active" } else { "" }, rollout.state.name()),
        &format!("Roll-out {} from {} until {until}. Written on {}.", rollout.id, time(rollout.started_at), time(at)),
    );
    let share = |share: Option<f64>| share.map_or_else(|| "–".to_owned(), percent);
    let heads = |first: &str| [first, new.as_str(), old.as_str()].map(str::to_owned);
    let row = |name: &str, one: String, other: String| vec![name.to_owned(), one, other];
    let answers = [
        row("Answers given", counts.canary.to_string(), (counts.pairs - counts.canary).to_string()),
        row("Requests that it failed to answer", rollout.failures.to_string(), "–".to_owned()),
    ];
    let mut about =
        format!("{} inputs were answered by both; {} of the answers agree.", counts.pairs, share(counts.agreement));
    if rollout.dropped > 0 {
        let _ = write!(about, " {} more were answered by one version only.", rollout.dropped);
    }
    if !running {
        about += " Answers that nobody decided on were deleted at the end of the roll-out.";
    }
    let note = |words: &str| format!("<p class=\"note\">{words}</p>\n");
    page += &section("Answers", &(table("Answers", &heads("On the same inputs"), answers) + &note(&about)));

    if let Some(BothTimes { active, candidate }) = times {
        let ms = |time: Option<f64>| time.map_or_else(|| "–".to_owned(), |time| format!("{:.1} ms", 1000.0 * time));
        let rows = [
            row("Answers", candidate.answers.to_string(), active.answers.to_string()),
            row("Median", ms(candidate.p50), ms(active.p50)),
            row("95th percentile", ms(candidate.p95), ms(active.p95)),
        ];
        let about = format!(
            "From request to answer, of requests that were given to {new} or {old} at random. Requests of named clients and \
             answers for comparison are left out."
        );
        page +=
            &section("Answer times", &(table("Answer times", &heads("While it is a canary"), rows) + &note(&about)));
    }
    let decisions = [
        row("Mean score", share(outcomes.candidate), share(outcomes.active)),
        row("Better on", outcomes.wins.to_string(), outcomes.losses.to_string()),
        row("Mean error, newest decisions", share(errors.mean), share(errors.active_mean)),
        row("95th percentile of the errors", share(errors.p95), share(errors.active_p95)),
    ];
    let mut evidence = format!("People decided on {} of the inputs.", outcomes.decided);
    if let Some(found) = outcomes.difference {
        let points = |share: f64| format!("{:+.1}", 100.0 * share);
        let _ = write!(
            evidence,
            " The score of {new} differs by {} points ({} to {}: an interval of a {:.0} % confidence sequence, which holds at all \
             times together).",
            points(found.mean),
            points(found.low),
            points(found.high),
            100.0 * found.confidence
        );
    }
    let _ = write!(
        evidence,
        " Evidence (e-value, {:.0} needed): {:.1} that {new} is not worse by more than {:.0} points, {:.1} that it is worse.",
        outcomes.needed,
        outcomes.not_worse,
        100.0 * rollout.policy.margin,
        outcomes.worse
    );
    page += &section(
        "People's decisions",
        &(table("People's decisions", &heads("Against what people decided"), decisions) + &note(&evidence)),
    );
    if running {
        let words = |words: &str| format!("<td>{}</td>", text(words));
        let state = |passed: bool| if passed { "holds" } else { "open" }.to_owned();
        let conditions = gates.iter().map(|gate| vec![text(gate.name), state(gate.passed), words(&gate.found)]);
        let heads = ["Condition", "", ""].map(str::to_owned);
        page += &section("Before it may become active", &table("Conditions", &heads, conditions));
    }
    let why = rollout.why.as_deref().map(|why| format!(" Why: {}.", text(why))).unwrap_or_default();
    page += &section("Result", &note(&format!("{}{why}", text(next))));
    let _ = write!(
        page,
        "</main>\n<footer>Written by Graft {}. Decisions on examples that {new} learned from are left out.</footer>\n\
         </body>\n</html>\n",
        env!("CARGO_PKG_VERSION")
    );
    page
}
