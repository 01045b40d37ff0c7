//! The report: one file that needs nothing else, for browsers and printers.

use std::fmt::Write as _;

use graft_core::{EventKind, Timestamp, iso8601};
use graft_predict::Reliability;
use graft_store::Stage;
use graft_tasks::score::{Confusion, Diff, Scores};
use serde_json::Value;

use super::{Results, Row};
use crate::tracking::flatten;

const CSS: &str = include_str!("report.css");
/// Labels of a confusion matrix that is shown whole.
const LABELS: usize = 12;
/// Mistakes listed where there are more labels.
const MISTAKES: usize = 20;
/// Points of a curve, at most.
const POINTS: usize = 300;

/// A text as the content of an element. Nothing that people or models wrote is put anywhere else.
pub(crate) fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            '\0' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// The report of a version.
pub(super) fn report(results: &Results) -> String {
    let Results { version, task, evaluation, rows, .. } = results;
    let title = format!("{}: {}", text(&task.title), text(&version.name));
    let active = if version.stage == Stage::Active { "stage active" } else { "stage" };
    let about =
        format!("Evaluated on {} on {}.", counted(evaluation.adapter.n, "held-out example"), time(evaluation.at),);
    let mut page = head(&title, &format!("<span class=\"{active}\">{}</span>", version.stage.name()), &about);
    page += &tiles(results);
    page += &contestants(results);
    page += &metrics(results);
    page += &labels(&evaluation.adapter);
    page += &confidence(results);
    page += &training(results);
    page += &answers(rows, evaluation.adapter.n);
    let commands: String = results.commands.iter().map(|one| format!("<pre>{}</pre>\n", text(one))).collect();
    let _ = write!(
        page,
        "<section>\n<h2>Commands to repeat this</h2>\n<div class=\"card\">\n{commands}</div>\n</section>\n</main>\n\
         <footer>Written by Graft {}. Scores are on examples that the version did not learn from; ranges are 95 % \
         intervals.</footer>\n</body>\n</html>\n",
        env!("CARGO_PKG_VERSION")
    );
    page
}

/// The beginning of a report, with its heading; all arguments are markup.
pub(crate) fn head(title: &str, badge: &str, about: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>\n{CSS}</style>\n</head>\n<body>\n<main>\n<header>\n<h1>{title} {badge}</h1>\n\
         <p class=\"sub\">{about}</p>\n</header>\n"
    )
}

pub(crate) fn section(title: &str, content: &str) -> String {
    format!("<section>\n<h2>{title}</h2>\n{content}</section>\n")
}

pub(crate) fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

pub(crate) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn range(low: f64, high: f64) -> String {
    format!("{:.1}–{:.1} %", low * 100.0, high * 100.0)
}

/// `2026-11-28 05:30 UTC`.
pub(crate) fn time(at: Timestamp) -> String {
    let shown: String = iso8601(at).replace('T', " ").chars().take(16).collect();
    format!("<time>{shown} UTC</time>")
}

/// The name of a metric or a field as people say it.
fn spaced(name: &str) -> String {
    text(&name.replace('_', " "))
}

/// The answers that the scores are compared with: name, scores, and whether it is the version itself.
fn scored(results: &Results) -> Vec<(String, &Scores, bool)> {
    let evaluation = &results.evaluation;
    let mut all = vec![(results.version.name.clone(), &evaluation.adapter, true)];
    all.extend(evaluation.base.iter().map(|base| ("Base model".to_owned(), base, false)));
    all.extend(evaluation.contestants.iter().map(|one| (one.name.clone(), &one.scores, false)));
    all
}

/// The most important numbers.
fn tiles(results: &Results) -> String {
    let evaluation = &results.evaluation;
    let mut tiles = String::from("<dl class=\"tiles\">\n");
    let mut tile = |name: &str, value: &str, about: &str| {
        let _ = writeln!(tiles, "<div class=\"tile\"><dt>{name}</dt><dd>{value}<small>{about}</small></dd></div>");
    };
    if let Some(headline) = evaluation.adapter.headline() {
        let name = spaced(&headline.name);
        tile(&format!("Score ({name})"), &percent(headline.value), &range(headline.low, headline.high));
    }
    if let Some(best) = evaluation.strongest()
        && let Some(metric) = best.scores.headline()
    {
        tile("Strongest contestant", &percent(metric.value), &text(&best.name));
    }
    if let Some(metric) = evaluation.base.as_ref().and_then(Scores::headline) {
        tile("Base model alone", &percent(metric.value), &range(metric.low, metric.high));
    }
    let after = &evaluation.calibration.after;
    if after.count > 0 {
        tile("Calibration error", &percent(after.ece), "of the confidence, calibrated");
    }
    let seconds = evaluation.seconds_per_answer;
    let took = if seconds < 1.0 { format!("{:.1} ms", seconds * 1000.0) } else { format!("{seconds:.2} s") };
    tile("Time of an answer", &took, "on the machine that measured it");
    tiles + "</dl>\n"
}

/// The deciding metric of all that answered, as bars.
fn contestants(results: &Results) -> String {
    let mut all = scored(results);
    if all.len() < 2 {
        return String::new();
    }
    let value = |scores: &Scores| scores.headline().map_or(0.0, |metric| metric.value);
    all.sort_by(|a, b| value(b.1).total_cmp(&value(a.1)));
    let mut bars = String::from("<div class=\"card bars\">\n");
    for (name, scores, is_this) in all {
        let Some(metric) = scores.headline() else { continue };
        let [at, low, high] = [metric.value, metric.low, metric.high].map(|share| share.clamp(0.0, 1.0) * 100.0);
        let _ = writeln!(
            bars,
            "<div class=\"who{}\">{}</div><div class=\"track\"><div class=\"range\" style=\"left:{low:.1}%;width:{:.1}%\">\
             </div><div class=\"dot\" style=\"left:{at:.1}%\"></div></div><div class=\"n value\">{} <small>{}</small></div>",
            if is_this { " this" } else { "" },
            text(&name),
            high - low,
            percent(metric.value),
            range(metric.low, metric.high),
        );
    }
    bars += "</div>\n";
    if let Some(flattery) = results.evaluation.flattery() {
        let _ = writeln!(bars, "<p class=\"note\">{}</p>", text(&flattery));
    }
    section(&format!("Deciding metric: {}", spaced(&results.evaluation.adapter.headline)), &bars)
}

/// A table whose columns after the first hold numbers.
pub(crate) fn table(label: &str, heads: &[String], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let class = |i: usize| if i == 0 { "" } else { " class=\"n\"" };
    let heads = heads.iter().enumerate();
    let heads: String = heads.map(|(i, head)| format!("<th scope=\"col\"{}>{head}</th>", class(i))).collect();
    let mut out = format!(
        "<div class=\"card flush\" role=\"region\" tabindex=\"0\" aria-label=\"{label}\"><table>\n\
         <thead><tr>{heads}</tr></thead>\n<tbody>\n"
    );
    for row in rows {
        let cells = row.iter().enumerate().map(|(i, cell)| match i {
            0 => format!("<th scope=\"row\">{cell}</th>"),
            // A cell may bring its own attributes.
            _ if cell.starts_with("<td") => cell.clone(),
            _ => format!("<td class=\"n\">{cell}</td>"),
        });
        let _ = writeln!(out, "<tr>{}</tr>", cells.collect::<String>());
    }
    out + "</tbody></table></div>\n"
}

fn metrics(results: &Results) -> String {
    let all = scored(results);
    let heads: Vec<String> = std::iter::once("Metric".to_owned()).chain(all.iter().map(|one| text(&one.0))).collect();
    let rows = results.evaluation.adapter.metrics.iter().map(|metric| {
        let cell = |scores: &Scores| {
            let found = scores.metric(&metric.name);
            found.map_or_else(String::new, |m| {
                format!("{}<br><small>{}</small>", percent(m.value), range(m.low, m.high))
            })
        };
        std::iter::once(spaced(&metric.name)).chain(all.iter().map(|one| cell(one.1))).collect()
    });
    let answered = results.evaluation.adapter.answered;
    let missing = results.evaluation.adapter.n.saturating_sub(answered);
    let note = match missing {
        0 => String::new(),
        _ => format!("<p class=\"note\">{} got no valid answer and count as wrong.</p>\n", counted(missing, "example")),
    };
    section("All metrics", &(table("All metrics", &heads, rows) + &note))
}

/// Each label, and which was taken for which.
fn labels(scores: &Scores) -> String {
    if scores.labels.is_empty() {
        return String::new();
    }
    let heads = ["Label", "Examples", "Precision", "Recall", "F1"].map(str::to_owned);
    let rows = scores.labels.iter().map(|label| {
        let shares = [label.precision, label.recall, label.f1].map(percent);
        [vec![text(&label.label), label.support.to_string()], shares.to_vec()].concat()
    });
    let each = section("Labels", &table("Labels", &heads, rows));
    each + &scores.confusion.as_ref().map_or_else(String::new, confusion)
}

fn confusion(Confusion { labels, counts }: &Confusion) -> String {
    const NONE: &str = "no answer";
    if labels.len() <= LABELS {
        let heads = std::iter::once("Expected ╲ answered").map(str::to_owned);
        let heads: Vec<String> = heads.chain(labels.iter().map(|label| text(label))).chain([NONE.to_owned()]).collect();
        let rows = labels.iter().zip(counts).enumerate().map(|(i, (label, row))| {
            let sum = row.iter().sum::<usize>().max(1);
            let cell = |(j, count): (usize, &usize)| {
                let class = if i == j { "hit" } else { "miss" };
                let share = 40 * count / sum;
                format!("<td class=\"n {class}\" style=\"--share:{share}%\">{count}</td>")
            };
            std::iter::once(text(label)).chain(row.iter().enumerate().map(cell)).collect()
        });
        return section("Confusion matrix", &table("Confusion matrix", &heads, rows));
    }
    let name = |j: usize| labels.get(j).map_or(NONE, String::as_str);
    let all = counts.iter().enumerate().flat_map(|(i, row)| row.iter().enumerate().map(move |(j, n)| (*n, i, j)));
    let mut mistakes: Vec<(usize, usize, usize)> = all.filter(|(n, i, j)| *n > 0 && i != j).collect();
    mistakes.sort_by_key(|&(n, i, j)| (std::cmp::Reverse(n), i, j));
    let heads = ["Expected", "Answered", "Times"].map(str::to_owned);
    let rows = mistakes.into_iter().take(MISTAKES);
    let rows = rows.map(|(n, i, j)| vec![text(name(i)), format!("<td>{}</td>", text(name(j))), n.to_string()]);
    section("Most frequent mistakes", &table("Most frequent mistakes", &heads, rows))
}

/// What confidences mean.
fn confidence(results: &Results) -> String {
    let calibration = &results.evaluation.calibration;
    if calibration.after.count == 0 {
        return String::new();
    }
    let at = |threshold: f64| {
        let (share, right) = calibration.after.above(threshold)?;
        Some(vec![format!("{:.0} % and above", threshold * 100.0), percent(share), percent(right)])
    };
    let heads = ["Confidence", "Share of answers", "Of them correct"].map(str::to_owned);
    let rows: Vec<Vec<String>> = [0.5, 0.7, 0.8, 0.9, 0.95].into_iter().filter_map(at).collect();
    let shares = if rows.is_empty() { String::new() } else { table("Confidence", &heads, rows) };
    let content = format!(
        "<div class=\"two\">\n<figure class=\"card\">{}<figcaption>Filled: calibrated. Hollow: before calibration. On the \
         diagonal, confidence is the share of correct answers.</figcaption></figure>\n{shares}</div>\n",
        reliability(&calibration.before, &calibration.after),
    );
    section("Confidence", &content)
}

fn reliability(before: &Reliability, after: &Reliability) -> String {
    const SIZE: f64 = 220.0;
    let at = |share: f64| share * SIZE;
    let mut svg = format!(
        "<svg viewBox=\"-60 -10 340 {}\" role=\"img\" aria-label=\"Share of correct answers by confidence\">",
        SIZE + 54.0
    );
    for tick in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let (y, label) = (at(1.0 - tick), tick * 100.0);
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"0\" x2=\"{SIZE}\" y1=\"{y}\" y2=\"{y}\"/>\
             <text x=\"-8\" y=\"{}\" text-anchor=\"end\">{label}</text>\
             <text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{label}</text>",
            y + 4.0,
            at(tick),
            SIZE + 18.0
        );
    }
    let _ = write!(svg, "<line class=\"ideal\" x1=\"0\" y1=\"{SIZE}\" x2=\"{SIZE}\" y2=\"0\"/>");
    let most = after.bins.iter().map(|bin| bin.count).max().unwrap_or(1).max(1);
    let dots = before.bins.iter().map(|bin| ("before", bin, 3.0));
    let dots = dots.chain(after.bins.iter().map(|bin| {
        let size = (bin.count as f64 / most as f64).sqrt();
        ("after", bin, 3.0 + 5.0 * size)
    }));
    for (class, bin, r) in dots {
        let (x, y) = (at(bin.confidence), at(1.0 - bin.accuracy));
        let _ = write!(svg, "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{r:.1}\"/>");
    }
    let middle = SIZE / 2.0;
    let _ = write!(
        svg,
        "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">Confidence, %</text>\
         <text x=\"-{middle}\" y=\"-40\" text-anchor=\"middle\" transform=\"rotate(-90)\">Correct, %</text></svg>",
        SIZE + 38.0
    );
    svg
}

/// Where the version comes from: data, settings and the loss.
fn training(results: &Results) -> String {
    let Results { version, evaluation, run, .. } = results;
    let learned = &version.metrics["training"];
    let mut facts: Vec<(&str, String)> = vec![
        ("Task", text(&version.task)),
        ("Method", version.method.name().to_owned()),
        ("Base model", version.base.as_deref().map_or_else(|| "none".to_owned(), text)),
    ];
    let mut fact = |name, value: Option<String>| facts.extend(value.map(|value| (name, value)));
    let digest = |digest: &graft_core::Digest| format!("<code>{}</code>", digest.short());
    fact("Run", run.as_ref().map(|run| format!("<code>{}</code>", text(&run.id))));
    fact("Started from", version.parent.as_deref().map(text));
    fact("Dataset", version.dataset.as_ref().map(digest));
    fact("Learned from", learned["samples"].as_u64().map(|n| counted(n as usize, "example")));
    fact("Measured on", Some(counted(evaluation.adapter.n, "example")));
    fact("Task revision", version.task_revision.map(|revision| revision.to_string()));
    fact("Files", Some(digest(&version.adapter_digest)));
    fact("Created", Some(format!("{} by {}", time(version.created_at), text(&version.created_by))));
    fact("Steps", learned["steps"].as_u64().map(|steps| steps.to_string()));
    fact("Training took", learned["seconds"].as_f64().map(|seconds| format!("{seconds:.0} s")));
    let mut settings = Vec::new();
    for part in ["adapter", "optim", "limits"] {
        let spec = run.as_ref().map_or(&Value::Null, |run| &run.spec[part]);
        flatten("", spec, &mut settings);
    }
    let settings = settings.iter().map(|(name, value)| (text(name.trim_start_matches('.')), text(value)));
    let list = |rows: Vec<(String, String)>| {
        let rows: String =
            rows.iter().map(|(name, value)| format!("<div><dt>{name}</dt><dd>{value}</dd></div>\n")).collect();
        format!("<dl class=\"card facts\">\n{rows}</dl>\n")
    };
    let facts = list(facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
    let settings: Vec<_> = settings.collect();
    let settings = if settings.is_empty() { String::new() } else { list(settings) };
    let origin = section("Data and settings", &(facts + &settings));
    let curve = loss(results);
    if curve.is_empty() { origin } else { origin + &section("Loss", &curve) }
}

/// The loss of the training and of the held-out examples, by step.
fn loss(results: &Results) -> String {
    const WIDTH: f64 = 820.0;
    const HEIGHT: f64 = 200.0;
    let (mut steps, mut held) = (Vec::new(), Vec::new());
    for event in &results.events {
        match event.kind {
            EventKind::Step { step, loss, .. } if loss.is_finite() => steps.push((step, loss)),
            EventKind::Eval { step, loss, .. } if loss.is_finite() => held.push((step, loss)),
            _ => {}
        }
    }
    let all = || steps.iter().chain(&held);
    let last = all().map(|point| point.0).max().unwrap_or(0);
    let most = all().map(|point| point.1).fold(0.0, f64::max);
    if last == 0 || most <= 0.0 {
        return String::new();
    }
    let place = |&(step, loss): &(u64, f64)| {
        format!("{:.1},{:.1}", step as f64 / last as f64 * WIDTH, (1.0 - loss / most) * HEIGHT)
    };
    let line = |class: &str, points: &[(u64, f64)]| {
        // Every so many points, and the last one.
        let every = points.len().div_ceil(POINTS).max(1);
        let kept = points.iter().rev().step_by(every).rev().map(place);
        format!("<polyline class=\"{class}\" points=\"{}\"/>", kept.collect::<Vec<_>>().join(" "))
    };
    let mut svg = format!(
        "<svg class=\"wide\" viewBox=\"-64 -14 900 {}\" role=\"img\" aria-label=\"Loss by training step\">",
        HEIGHT + 50.0
    );
    for tick in [0.0, 0.5, 1.0] {
        let y = (1.0 - tick) * HEIGHT;
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"0\" x2=\"{WIDTH}\" y1=\"{y}\" y2=\"{y}\"/>\
             <text x=\"-8\" y=\"{}\" text-anchor=\"end\">{:.2}</text>",
            y + 4.0,
            most * tick
        );
    }
    let under = HEIGHT + 26.0;
    let _ = write!(
        svg,
        "<text x=\"0\" y=\"{under}\">0</text><text x=\"{WIDTH}\" y=\"{under}\" text-anchor=\"end\">{last}</text>\
         <text x=\"{}\" y=\"{under}\" text-anchor=\"middle\">Step</text>{}{}",
        WIDTH / 2.0,
        line("loss", &steps),
        line("held", &held)
    );
    for point in &held {
        if let Some((x, y)) = place(point).split_once(',') {
            let _ = write!(svg, "<circle class=\"held-dot\" cx=\"{x}\" cy=\"{y}\" r=\"3\"/>");
        }
    }
    format!(
        "<figure class=\"card\">{svg}</svg><figcaption><span class=\"key\">Training</span><span class=\"key held\">Held-out \
         examples</span></figcaption></figure>\n"
    )
}

/// The answers, the worst first.
fn answers(rows: &[Row], of: usize) -> String {
    if rows.is_empty() {
        let note = "<p class=\"note\">The held-out examples of this evaluation are not in the database.</p>\n";
        return if of == 0 { String::new() } else { section("Answers", note) };
    }
    let mut rows: Vec<&Row> = rows.iter().collect();
    // Of equal mistakes the surest comes first, of correct answers the least sure.
    let key = |row: &Row| {
        let agreement = row.diff.as_ref().map_or(0.0, |diff| diff.score);
        let sure = row.confidence.unwrap_or(0.0);
        [f64::from(row.correct), row.score, agreement, if row.correct { sure } else { 1.0 - sure }]
    };
    rows.sort_by(|a, b| {
        let orders = key(a).into_iter().zip(key(b)).map(|(a, b)| a.total_cmp(&b));
        orders.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
    });
    let right = rows.iter().filter(|row| row.correct).count();
    let wrong = rows.len() - right;
    let mut out = String::new();
    if right > 0 && wrong > 0 {
        let choice = |id: &str, label: &str, count: usize, checked: &str| {
            format!("<label><input type=\"radio\" name=\"show\" id=\"{id}\"{checked}>{label} ({count})</label>\n")
        };
        let _ = write!(
            out,
            "<fieldset class=\"filter\" aria-label=\"Answers shown\">\n{}{}{}</fieldset>\n",
            choice("show-all", "All", rows.len(), " checked"),
            choice("show-wrong", "Wrong", wrong, ""),
            choice("show-right", "Correct", right, "")
        );
    }
    out += "<ol class=\"answers\">\n";
    rows.iter().for_each(|row| out += &answer(row));
    out += "</ol>\n";
    if rows.len() < of {
        let _ = writeln!(
            out,
            "<p class=\"note\">{} of {of} answers were kept: evaluate the version again to keep all.</p>",
            rows.len()
        );
    }
    section("Answers, worst first", &out)
}

fn answer(row: &Row) -> String {
    let (class, mark) = match (&row.answer, row.correct) {
        (_, true) => ("right", "Correct"),
        (None, _) => ("wrong", "No valid answer"),
        _ => ("wrong", "Wrong"),
    };
    let sure = row.confidence.map_or_else(String::new, |sure| format!("<span>Confidence {}</span>", percent(sure)));
    let score = if row.correct || row.score <= 0.0 {
        String::new()
    } else {
        format!("<span>Score {}</span>", percent(row.score))
    };
    let compared = match &row.diff {
        Some(diff) if diff.fields.iter().any(|one| !one.field.is_empty()) || has_items(diff) => fields(diff),
        _ => {
            let shown = |value: &Option<Value>| value.as_ref().map_or_else(|| "–".to_owned(), shown);
            format!(
                "<dl class=\"pair\"><dt>Expected</dt><dd class=\"text\">{}</dd><dt>Answer</dt>\
                 <dd class=\"text given\">{}</dd></dl>",
                shown(&row.expected),
                shown(&row.answer)
            )
        }
    };
    format!(
        "<li class=\"{class}\"><div class=\"head\"><b>{mark}</b>{score}{sure}<code>{}</code></div>\
         <div class=\"body\"><p class=\"text\">{}</p>{compared}</div></li>\n",
        text(&row.id),
        text(&row.input)
    )
}

fn has_items(diff: &Diff) -> bool {
    !(diff.both.is_empty() && diff.only_left.is_empty() && diff.only_right.is_empty())
}

/// Two answers field by field.
fn fields(diff: &Diff) -> String {
    let mut rows = String::new();
    let mut row = |name: &str, left: &str, right: &str, same: bool| {
        let class = if same { "" } else { " class=\"differs\"" };
        let _ = write!(rows, "<tr><th scope=\"row\">{name}</th><td>{left}</td><td{class}>{right}</td></tr>");
    };
    for one in &diff.fields {
        row(&spaced(&one.field), &shown(&one.left), &shown(&one.right), one.same);
    }
    diff.both.iter().for_each(|item| row("Item", &shown(item), &shown(item), true));
    diff.only_left.iter().for_each(|item| row("Item", &shown(item), "missing", false));
    diff.only_right.iter().for_each(|item| row("Item", "–", &shown(item), false));
    format!(
        "<table><thead><tr><th scope=\"col\">Field</th><th scope=\"col\">Expected</th><th scope=\"col\">Answer</th></tr>\
         </thead><tbody>{rows}</tbody></table>"
    )
}

/// A value as people read it.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::String(words) => text(words),
        Value::Object(fields) => {
            let given = fields.iter().filter(|(_, value)| !value.is_null());
            given.map(|(name, value)| format!("{}: {}", text(name), shown(value))).collect::<Vec<_>>().join(", ")
        }
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join("; "),
        other => text(&other.to_string()),
    }
}
