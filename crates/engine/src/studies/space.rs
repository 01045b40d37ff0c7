//! The search space of a study, and the conversion of a point to training settings.

use graft_core::{AdapterSpec, PromptInit, Ranks, Targets};
use graft_search::{Domain, Parameter, Point, default_point};
use graft_tasks::cards::Task;
use serde_json::{Map, Value, json};

use crate::{
    Settings,
    recipes::{Method, recipe},
};

/// Epochs, as multiples of the recipe's.
const EPOCHS: [f64; 3] = [0.5, 1.0, 2.0];
/// LoRA's alpha, as multiples of its rank.
const ALPHAS: [f64; 3] = [1.0, 2.0, 4.0];
const RANKS: [usize; 4] = [4, 8, 16, 32];
const PROMPTS: [usize; 4] = [10, 20, 40, 80];
/// Where a soft prompt starts; random rows seldom learn.
const STARTS: [&str; 2] = ["labels", "vocabulary"];
const TYPOS: [f64; 3] = [0.0, 0.05, 0.1];
const BATCHES: [usize; 4] = [2, 4, 8, 16];
const SCHEDULES: [&str; 3] = ["cosine", "linear", "constant"];
/// Measurements of each training, at least: a trial can be stopped early at a quarter and at half.
const MEASUREMENTS: f64 = 4.0;

/// What is given for all trials.
pub(super) struct Given<'a> {
    /// The task.
    pub(super) task: &'a Task,
    /// Examples that each trial learns.
    pub(super) examples: usize,
    /// Method and settings that are not searched for.
    pub(super) method: Option<Method>,
    pub(super) settings: &'a Settings,
}

fn choice(name: &str, of: &[String], default: usize, only_if: Option<(&str, f64)>) -> Parameter {
    Parameter {
        name: name.to_owned(),
        domain: Domain::Choice { of: of.to_vec() },
        default: default as f64,
        only_if: only_if.map(|(name, value)| (name.to_owned(), value)),
    }
}

/// Some values as choices, with the recipe's among them.
fn around<T: PartialOrd + Copy + ToString>(
    name: &str,
    values: &[T],
    default: T,
    only_if: Option<(&str, f64)>,
) -> Parameter {
    let mut values = values.to_vec();
    let at = values.iter().position(|value| *value >= default).unwrap_or(values.len());
    if values.get(at) != Some(&default) {
        values.insert(at, default);
    }
    choice(name, &values.iter().map(T::to_string).collect::<Vec<_>>(), at, only_if)
}

/// Some texts as choices, with the recipe's among them.
fn among(name: &str, texts: &[&str], default: &str, only_if: Option<(&str, f64)>) -> Parameter {
    let mut texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
    let at = texts.iter().position(|text| text == default).unwrap_or(texts.len());
    if at == texts.len() {
        texts.push(default.to_owned());
    }
    choice(name, &texts, at, only_if)
}

/// Target modules as a text; `Targets::from_names` reads its parts.
fn names(targets: &Targets) -> String {
    match targets {
        Targets::AllLinear => "all-linear".to_owned(),
        Targets::Decoder => "decoder".to_owned(),
        Targets::Named(names) => names.join(","),
    }
}

/// Where a soft prompt starts, as its setting says it.
fn start(init: &PromptInit) -> String {
    match init {
        PromptInit::Labels => "labels".to_owned(),
        PromptInit::Vocabulary => "vocabulary".to_owned(),
        PromptInit::Random => "random".to_owned(),
        PromptInit::Text { text } => format!("text:{text}"),
    }
}

/// The search space of a study: the fields of `Settings` that are not fixed.
pub(super) fn space(given: &Given<'_>, has_encoder: bool) -> Vec<Parameter> {
    let plain = recipe(given.task, given.method.unwrap_or_default(), given.examples);
    let mut space = Vec::new();
    // Where the method is searched for, what belongs to one of them applies only with it.
    let (mut lora, mut prompt) = (None, None);
    if given.method.is_none() {
        space.push(among("method", &["lora", "soft-prompt"], Method::default().name(), None));
        (lora, prompt) = (Some(("method", 0.0)), Some(("method", 1.0)));
    }
    let rate = Domain::Real { low: 0.2, high: 5.0, log: true };
    space.push(Parameter { name: "learning_rate".into(), domain: rate, default: 1.0, only_if: None });
    space.push(around("epochs", &EPOCHS, 1.0, None));
    let batches: Vec<usize> = BATCHES.into_iter().filter(|batch| *batch <= given.examples).collect();
    space.push(around("batch_size", &batches, plain.optim.batch, None));
    let schedule = json!(plain.optim.schedule);
    space.push(among("schedule", &SCHEDULES, schedule.as_str().unwrap_or_default(), None));
    space.push(around("typos", &TYPOS, plain.optim.typos, None));
    for method in Method::ALL.iter().copied().filter(|method| given.method.is_none_or(|given| given == *method)) {
        match recipe(given.task, method, given.examples).adapter {
            AdapterSpec::Lora(plain) => {
                space.push(around("rank", &RANKS, plain.rank, lora));
                space.push(around("alpha", &ALPHAS, f64::from(plain.alpha) / plain.rank as f64, lora));
                let targets: &[&str] = if has_encoder {
                    &["all-linear", "decoder"]
                } else {
                    &["all-linear", "q_proj,v_proj", "q_proj,k_proj,v_proj,o_proj"]
                };
                space.push(among("targets", targets, &names(&plain.targets), lora));
                let ranks: Vec<&str> = Ranks::names().collect();
                space.push(among("ranks", &ranks, &plain.ranks.to_string(), lora));
            }
            AdapterSpec::SoftPrompt(plain) => {
                space.push(around("prompt_tokens", &PROMPTS, plain.tokens, prompt));
                space.push(among("prompt_init", &STARTS, &start(&plain.init), prompt));
            }
        }
    }
    let fixed = given.settings.fields();
    space.retain(|parameter| !fixed.contains_key(&parameter.name));
    space
}

/// The base model as a parameter, where there are several.
pub(super) fn bases(names: &[String]) -> Parameter {
    choice("base", names, 0, None)
}

/// Points that are worth a trial before random ones: the recipe with the ranks that gradients decide.
pub(super) fn starts(space: &[Parameter]) -> Vec<Point> {
    let choice = |name: &str, value: &str| {
        let parameter = space.iter().find(|parameter| parameter.name == name)?;
        let Domain::Choice { of } = &parameter.domain else { return None };
        Some((name.to_owned(), of.iter().position(|text| text == value)? as f64))
    };
    let Some(ranks) = choice("ranks", "sensitivity") else { return Vec::new() };
    let start = default_point(space, &[ranks].into_iter().chain(choice("method", "lora")).collect());
    Vec::from_iter(Some(start).filter(|start| *start != default_point(space, &Point::new())))
}

/// A point of another space, for a method, in this one; what isn't known of it is as the recipe has it. `None` if this space is
/// that of another method.
pub(super) fn carried(
    given: &Given<'_>,
    space: &[Parameter],
    (method, point, of): (Method, &Point, &[Parameter]),
) -> Option<Point> {
    if given.method.is_some_and(|given| given != method) {
        return None;
    }
    let carried = |parameter: &Parameter| {
        if let ("method", Domain::Choice { of }) = (parameter.name.as_str(), &parameter.domain) {
            return Some((parameter.name.clone(), of.iter().position(|name| name == method.name())? as f64));
        }
        let (old, value) = (of.iter().find(|old| old.name == parameter.name)?, *point.get(&parameter.name)?);
        let value = match (&old.domain, &parameter.domain) {
            (Domain::Real { .. }, Domain::Real { low, high, .. }) => value.clamp(*low, *high),
            (Domain::Choice { of: old }, Domain::Choice { of }) => {
                let text = old.get(value as usize)?;
                of.iter().position(|known| known == text)? as f64
            }
            _ => return None,
        };
        Some((parameter.name.clone(), value))
    };
    Some(default_point(space, &space.iter().filter_map(carried).collect()))
}

/// The settings of a training that a point means. What a point doesn't say is as given, or as the recipe has it.
pub(super) fn settings(given: &Given<'_>, space: &[Parameter], point: &Point) -> (Method, Settings) {
    let written = |name: &str| {
        let parameter = space.iter().find(|parameter| parameter.name == name)?;
        let value = *point.get(name)?;
        Some(match &parameter.domain {
            Domain::Choice { of } => of.get(value as usize)?.clone(),
            Domain::Real { .. } => value.to_string(),
        })
    };
    let number = |name: &str| written(name).and_then(|text| text.parse::<f64>().ok());
    let method = match written("method").as_deref() {
        Some("soft-prompt") => Method::SoftPrompt,
        Some(_) => Method::Lora,
        None => given.method.unwrap_or_default(),
    };
    let plain = recipe(given.task, method, given.examples);
    let mut chosen: Map<String, Value> = Map::new();
    let mut set = |name: &str, value: Option<Value>| {
        value.into_iter().for_each(|value| drop(chosen.insert(name.to_owned(), value)))
    };
    let whole = |value: f64| json!(value as u64);
    // Rounded, so that what is stored, shown and typed again is the same number.
    let round = |value: f64| format!("{value:.3e}").parse().unwrap_or(value);
    set("learning_rate", number("learning_rate").map(|factor| json!(round(plain.optim.lr * factor))));
    set("epochs", number("epochs").map(|factor| json!((plain.optim.epochs * factor).max(0.1))));
    set("batch_size", number("batch_size").map(whole));
    set("schedule", written("schedule").map(Value::from));
    set("typos", number("typos").map(Value::from));
    set("rank", number("rank").map(whole));
    let own = match &plain.adapter {
        AdapterSpec::Lora(lora) => lora.rank as f64,
        AdapterSpec::SoftPrompt(_) => 16.0,
    };
    let rank = number("rank").or(given.settings.rank.map(|rank| rank as f64)).unwrap_or(own);
    set("alpha", number("alpha").map(|factor| json!(factor * rank)));
    set("targets", written("targets").map(|names| json!(names.split(',').collect::<Vec<_>>())));
    set("ranks", written("ranks").map(Value::from));
    set("prompt_tokens", number("prompt_tokens").map(whole));
    set("prompt_init", written("prompt_init").map(Value::from));
    chosen.extend(given.settings.of(method).fields());
    if given.settings.evals_per_epoch.is_none() {
        let epochs = chosen.get("epochs").and_then(Value::as_f64).unwrap_or(plain.optim.epochs);
        chosen.insert("evals_per_epoch".into(), json!((MEASUREMENTS / epochs.min(MEASUREMENTS)).ceil() as u64));
    }
    (method, serde_json::from_value(chosen.into()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use graft_search::Sampler;

    use super::*;

    #[test]
    fn first_trial_is_the_recipe_and_all_trials_are_valid() {
        let none = Settings::default();
        let task = |name: &str| graft_tasks::cards::task(name).unwrap().clone();
        let mut own = task("sentiment");
        own.training.settings = serde_json::from_value(json!({
            "rank": 6, "alpha": 20, "schedule": "linear", "targets": ["q_proj"], "prompt_tokens": 5, "prompt_init": "text: Good or bad?"
        }))
        .unwrap();
        for (task, method) in [
            (&task("sentiment"), None),
            (&task("slack-rescue"), None),
            (&task("ask-ai"), Some(Method::SoftPrompt)),
            (&task("sentiment"), Some(Method::Lora)),
            (&own, None),
            (&own, Some(Method::SoftPrompt)),
        ] {
            let given = Given { task, examples: 40, method, settings: &none };
            let space = space(&given, false);
            let sampler = Sampler::new(space.clone(), 3).starting_with(starts(&space));
            for number in 0..40 {
                let (method, settings) = settings(&given, &space, &sampler.ask(number, &[]));
                let plain = recipe(task, method, given.examples);
                let mut tried = plain.clone();
                settings.apply(&mut tried).map_err(|problem| problem.what).unwrap();
                tried.check().unwrap();
                assert!(f64::from(tried.eval.per_epoch) * tried.optim.epochs.min(20.0) >= MEASUREMENTS - 1e-9);
                if number == 0 {
                    tried.eval.per_epoch = plain.eval.per_epoch;
                    assert_eq!(tried, plain, "{}", task.name);
                }
                if let (1, AdapterSpec::Lora(lora)) = (number, &mut tried.adapter) {
                    // The second trial differs from the recipe in the ranks alone.
                    assert_eq!(lora.ranks, Ranks::Sensitivity);
                    lora.ranks = Ranks::Equal;
                    tried.eval.per_epoch = plain.eval.per_epoch;
                    assert_eq!(tried, plain, "{}", task.name);
                }
            }
        }
    }

    #[test]
    fn given_settings_apply_to_trials_of_their_method() {
        let fixed: Settings = serde_json::from_value(json!({"rank": 8, "prompt_tokens": 5})).unwrap();
        let task = graft_tasks::cards::task("sentiment").unwrap();
        let given = Given { task, examples: 40, method: None, settings: &fixed };
        let space = space(&given, false);
        let sampler = Sampler::new(space.clone(), 1);
        let mut seen = Vec::new();
        for number in 0..40 {
            let (method, settings) = settings(&given, &space, &sampler.ask(number, &[]));
            settings.apply(&mut recipe(task, method, given.examples)).map_err(|problem| problem.what).unwrap();
            seen.push((settings.rank, settings.prompt_tokens));
        }
        assert!(seen.contains(&(Some(8), None)) && seen.contains(&(None, Some(5))), "{seen:?}");
    }

    #[test]
    fn points_of_earlier_studies_keep_their_meaning() {
        let (none, task) = (Settings::default(), graft_tasks::cards::task("sentiment").unwrap());
        let fixed: Settings = serde_json::from_value(json!({"rank": 2})).unwrap();
        let given = |method, examples, settings| Given { task, examples, method, settings };
        let (old, new) = (given(Some(Method::SoftPrompt), 8, &none), given(None, 400, &none));
        let (before, into) = (space(&old, false), space(&new, false));
        let batches = before.iter().find(|parameter| parameter.name == "batch_size").unwrap();
        let Domain::Choice { of } = &batches.domain else { panic!("no choice") };
        // With more examples there are more batches to choose from.
        let batch = of.iter().position(|size| size == "2").unwrap() as f64;
        let but = [("batch_size", batch), ("learning_rate", 2.5), ("prompt_tokens", 0.0)];
        let point = default_point(&before, &but.map(|(name, value)| (name.to_owned(), value)).into());
        let carry =
            |given: &Given<'_>, space: &[Parameter]| carried(given, space, (Method::SoftPrompt, &point, &before));
        let found = carry(&new, &into).unwrap();
        let (method, chosen) = settings(&new, &into, &found);
        assert_eq!(
            (method, chosen.prompt_tokens, chosen.batch_size, chosen.rank),
            (Method::SoftPrompt, Some(10), Some(2), None)
        );
        assert_eq!(found["learning_rate"], 2.5);
        let lora = given(Some(Method::Lora), 400, &fixed);
        assert_eq!(carry(&lora, &space(&lora, false)), None, "it was another method");
    }

    #[test]
    fn given_settings_are_not_searched() {
        let fixed: Settings = serde_json::from_value(json!({"rank": 2, "epochs": 3.0})).unwrap();
        let task = graft_tasks::cards::task("sentiment").unwrap();
        let given = Given { task, examples: 40, method: Some(Method::Lora), settings: &fixed };
        let space = space(&given, true);
        assert!(
            space
                .iter()
                .all(|parameter| !["rank", "epochs", "method", "prompt_tokens"].contains(&parameter.name.as_str()))
        );
        let (_, settings) = settings(&given, &space, &Sampler::new(space.clone(), 1).default_point());
        assert_eq!((settings.rank, settings.epochs, settings.alpha), (Some(2), Some(3.0), Some(4.0)));
    }
}
