use std::path::Path;

use graft_core::{Purpose, random};
use graft_tasks::{cards, slack, tabular};
use rand::{Rng, seq::SliceRandom as _};

use super::*;

fn data(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tasks/data").join(path)
}

/// 1,500 messages of the SMS Spam Collection.
fn sms() -> Vec<String> {
    let by = graft_tasks::Approval { by: "ada".into(), at: 1, doubtful: false };
    let card = cards::task("text-classification").unwrap();
    let read = tabular::import_csv(&data("sms/sms_spam.csv"), card, &tabular::Columns::default(), &by);
    read.unwrap().examples.into_iter().map(|example| example.input).collect()
}

/// Messages about rescued food.
fn rescues() -> Vec<String> {
    slack::read(&data("slack/export")).unwrap().0.into_iter().map(|message| message.text).collect()
}

/// These inputs, so many in each hour; the newest hour first.
fn hours(inputs: &[Vec<usize>], by: usize) -> Vec<ServedInputs> {
    let hour = |(hour, chunk): (usize, &[Vec<usize>])| {
        let mut counts = vec![0; GROUPS];
        chunk.iter().flatten().for_each(|group| counts[*group] += 1);
        ServedInputs { hour: hour as i64, inputs: chunk.len() as u64, counts }
    };
    let mut hours: Vec<ServedInputs> = inputs.chunks(by).enumerate().map(hour).collect();
    hours.reverse();
    hours
}

fn all_groups(inputs: &[String]) -> Vec<Vec<usize>> {
    inputs.iter().map(|input| groups(input)).collect()
}

fn counts(inputs: &[Vec<usize>]) -> Counts {
    let ServedInputs { inputs, counts, .. } = hours(inputs, inputs.len()).remove(0);
    Counts { inputs, groups: counts }
}

/// The share of streams in which any look sees drift: after each hour, for as long as the stream lasts.
fn alarms(streams: u64, by: usize, mut stream: impl FnMut(&mut dyn Rng) -> (Counts, Vec<Vec<usize>>)) -> f64 {
    let alarmed = |seed: &u64| {
        let (then, inputs) = stream(&mut random(*seed, Purpose::Bootstrap, [0, 0]));
        let hours = hours(&inputs, by);
        (0..hours.len()).any(|look| {
            let periods = periods(&hours[look..]);
            periods.first().is_some_and(|(_, now)| !now.apart(&then).0.is_empty())
        })
    };
    (0..streams).filter(alarmed).count() as f64 / streams as f64
}

#[test]
fn streams_like_the_training_inputs_rarely_alarm() {
    let sms = all_groups(&sms());
    let drawn = |random: &mut dyn Rng, train: usize| {
        let mut all = sms.clone();
        all.shuffle(random);
        let stream = all.split_off(train);
        (counts(&all), stream)
    };
    // Few and many training inputs, busy and quiet hours; each stream is looked at after every hour.
    for (train, by) in [(60, 40), (500, 25), (500, 500)] {
        let share = alarms(200, by, |random| drawn(random, train));
        assert!(share <= 0.05, "{train} training inputs, {by} in an hour: {share}");
    }
}

#[test]
fn other_kinds_of_inputs_are_found() {
    let (sms, rescues) = (sms(), rescues());
    let mixed: Vec<String> = sms[400..800].iter().chain(&rescues[..100]).cloned().collect();
    let (other, few) = (all_groups(&rescues[..100]), all_groups(&mixed));
    // All are of another kind, or every fifth is.
    for inputs in [&other, &few] {
        let found = served(&sms[..400], &hours(inputs, 50));
        assert_eq!(found.state, DriftState::Drifting, "{}", found.text);
    }
    let found = served(&sms[..400], &hours(&other, 50));
    assert_eq!((found.window.unwrap().inputs, found.reference, found.periods.len()), (100, 400, 1));
    assert!(found.text.starts_with("Of the last 100 inputs ") && found.text.contains("train again"), "{}", found.text);
    let first = &found.moved[0];
    assert!(found.moved.len() == NAMED && (first.now - first.then).abs() > 0.5, "{found:#?}");
    assert!(found.moved.iter().any(|moved| moved.what.contains("a word like “")), "{found:#?}");
}

#[test]
fn whole_hours_are_compared_until_there_are_enough() {
    let sms = sms();
    let inputs = all_groups(&sms[400..]);
    let found = served(&sms[..400], &hours(&inputs[..1060], 100));
    let periods: Vec<(i64, i64, u64)> =
        found.periods.iter().map(|one| (one.from / HOUR, one.until / HOUR, one.inputs)).collect();
    assert_eq!(periods, [(0, 5, 500), (5, 11, 560)]);
    assert_eq!(found.state, DriftState::Stable, "{}", found.text);
    let few = served(&sms[..400], &hours(&inputs[..99], 33));
    assert_eq!(
        (few.state, few.text.as_str()),
        (DriftState::Unknown, "Unknown yet: 99 different inputs were served in the last 7 days; 1 more are needed.")
    );
    assert_eq!(served(&[], &hours(&inputs, 100)).state, DriftState::Unknown);
}
