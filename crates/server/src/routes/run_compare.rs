//! Runs side by side.

use std::collections::BTreeSet;

use graft_engine::{Engine, Evaluation};
use serde_json::Value;

use super::run_types::{ComparedField, ComparedMetric, Interval, RunComparison};
use crate::problem::Problem;

pub(super) async fn compare(engine: &Engine, ids: &[&str]) -> Result<RunComparison, Problem> {
    let (mut runs, mut evaluations) = (Vec::new(), Vec::new());
    for id in ids {
        let run = engine.store.run(id).await?;
        let version = engine.version_of(&run).await?;
        evaluations.push(version.as_ref().and_then(Engine::evaluation));
        runs.push(run);
    }
    let specs: Vec<Vec<(String, Value)>> = runs.iter().map(|run| leaves(&run.spec)).collect();
    let metrics = names(&evaluations).into_iter().map(|name| metric(name, &evaluations)).collect();
    Ok(RunComparison { config: differing(&specs), metrics, runs })
}

/// The single values of a spec by dotted path; its run, data and prompt aside, which always differ or are long.
fn leaves(spec: &Value) -> Vec<(String, Value)> {
    fn walk(value: &Value, path: &str, out: &mut Vec<(String, Value)>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    walk(value, &if path.is_empty() { name.clone() } else { format!("{path}.{name}") }, out);
                }
            }
            other => out.push((path.to_owned(), other.clone())),
        }
    }
    let mut out = Vec::new();
    walk(spec, "", &mut out);
    out.retain(|(path, _)| path != "run" && !path.starts_with("task.answer") && path != "task.instruction");
    out
}

fn differing(specs: &[Vec<(String, Value)>]) -> Vec<ComparedField> {
    let paths: BTreeSet<&String> = specs.iter().flatten().map(|(path, _)| path).collect();
    let value = |spec: &Vec<(String, Value)>, path: &str| {
        spec.iter().find(|(at, _)| at == path).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let row = |path: &String| ComparedField {
        field: path.clone(),
        values: specs.iter().map(|spec| value(spec, path)).collect(),
    };
    let differs = |field: &ComparedField| field.values.iter().any(|value| Some(value) != field.values.first());
    paths.into_iter().map(row).filter(differs).collect()
}

/// The metrics' names, in the order of the first run that has them.
fn names(evaluations: &[Option<Evaluation>]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for metric in evaluations.iter().flatten().flat_map(|evaluation| &evaluation.adapter.metrics) {
        if !names.contains(&metric.name) {
            names.push(metric.name.clone());
        }
    }
    names
}

fn metric(name: String, evaluations: &[Option<Evaluation>]) -> ComparedMetric {
    let of = |evaluation: &Option<Evaluation>| {
        let metric = evaluation.as_ref()?.adapter.metric(&name)?;
        Some(Interval { value: metric.value, low: metric.low, high: metric.high })
    };
    let verdict = match (evaluations.first(), evaluations.last()) {
        (Some(Some(first)), Some(Some(last))) if first.adapter.headline == name => last.verdict_over(first),
        _ => None,
    };
    ComparedMetric { values: evaluations.iter().map(of).collect(), verdict, name }
}
