//! Search: on each data set and seed, a version with the settings that a study found, one with those that a random search
//! found in the same budget, and one with the recipe's defaults. All learn from the same examples and answer messages that
//! nobody learned from. Everything goes through the `graft` command.
//!
//! Each step leaves a file, so a command that was killed goes on where it was.

use std::{
    collections::BTreeMap,
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use super::program::Program;
use super::quality::{Data, Message, Options, SLACK, Set, circumstances, given, number, right};

/// The sets of a whole measurement.
const SETS: [Set; 3] = [Set::Sms, Set::Slack, Set::Sentiment];
const PAGE: &str = "search.md";
const PLOT: &str = "search.svg";
const JSON: &str = "search.json";
/// Fewer seeds than these decide nothing: by chance two may differ by the same amount.
const MIN_SEEDS: usize = 3;
/// Student's t for 95 %, two-sided, by degrees of freedom from 1.
const T: [f64; 9] = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];

/// Where settings come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Arm {
    Defaults,
    Random,
    Tpe,
}

impl Arm {
    const ALL: [Self; 3] = [Self::Defaults, Self::Random, Self::Tpe];

    fn name(self) -> &'static str {
        match self {
            Self::Defaults => "defaults",
            Self::Random => "random",
            Self::Tpe => "tpe",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Defaults => "the recipe's defaults",
            Self::Random => "random search",
            Self::Tpe => "study (TPE)",
        }
    }

    fn color(self) -> &'static str {
        match self {
            Self::Defaults => "#667169",
            Self::Random => "#b0611a",
            Self::Tpe => "#17693f",
        }
    }
}

/// How much is measured, from the environment; the rest is as in `bench quality`.
struct Scale {
    seeds: u64,
    examples: usize,
    tests: usize,
    budget: String,
    /// Settings that no arm chooses, as flags.
    fixed: Vec<String>,
}

impl Scale {
    fn read() -> anyhow::Result<Self> {
        Ok(Self {
            seeds: number("GRAFT_BENCH_SEEDS")?.unwrap_or(5),
            examples: number("GRAFT_BENCH_EXAMPLES")?.unwrap_or(200),
            tests: number("GRAFT_BENCH_TESTS")?.unwrap_or(usize::MAX),
            budget: given("GRAFT_BENCH_BUDGET").unwrap_or_else(|| "20-trials".into()),
            fixed: given("GRAFT_BENCH_FIXED")
                .iter()
                .flat_map(|text| text.split_whitespace())
                .map(str::to_owned)
                .collect(),
        })
    }
}

/// What one arm reached with one seed.
#[derive(Clone, Debug)]
struct Outcome {
    set: Set,
    seed: u64,
    arm: Arm,
    /// Which test messages it answers wholly right. All seeds have the same messages.
    right: Vec<bool>,
    /// Seconds of CPU time of the training and of the search.
    cpu: f64,
    trials: usize,
    /// Whether the search itself said that the defaults are best.
    says_defaults: bool,
}

impl Outcome {
    /// The share of the test messages that are answered wholly right.
    fn score(&self) -> f64 {
        let right = self.right.iter().filter(|is_right| **is_right).count();
        right as f64 / self.right.len().max(1) as f64
    }
}

/// Measures what isn't measured yet, and writes page, numbers and plot.
pub(super) fn run() -> anyhow::Result<()> {
    let mut options = Options::read()?;
    options.folder = options.folder.with_file_name("bench-search");
    if env::var_os("GRAFT_BENCH_SETS").is_none() {
        options.sets = SETS.to_vec();
    }
    let scale = Scale::read()?;
    fs::create_dir_all(&options.folder)?;
    let mut found: Vec<Outcome> = Vec::new();
    for &set in &options.sets {
        let data = Data::read(set, &options)?;
        for seed in 1..=scale.seeds {
            let job = Job { options: &options, scale: &scale, set, seed, data: &data };
            for arm in Arm::ALL {
                let clock = Instant::now();
                found.push(job.outcome(arm)?);
                println!("{} {seed} {}: {:.0} s", set.name(), arm.name(), clock.elapsed().as_secs_f64());
            }
        }
        write(&options, &scale, &found)?;
    }
    println!("{}", options.results.join(PAGE).display());
    Ok(())
}

/// One data set with one seed.
struct Job<'j> {
    options: &'j Options,
    scale: &'j Scale,
    set: Set,
    seed: u64,
    data: &'j Data,
}

impl Job<'_> {
    fn folder(&self) -> PathBuf {
        self.options.folder.join(format!("{}-{}", self.set.name(), self.seed))
    }

    fn outcome(&self, arm: Arm) -> anyhow::Result<Outcome> {
        fs::create_dir_all(self.folder())?;
        let (study, searched) = if arm == Arm::Defaults { (Value::Null, 0.0) } else { self.study(arm)? };
        let says_defaults = study["defaults_are_best"] == json!(true);
        let settings = match (says_defaults, study["best"].as_u64()) {
            (false, Some(best)) => study["trials"][best as usize]["settings"].clone(),
            _ => Value::Null,
        };
        // Where the defaults are best, they are what is trained.
        let trained = if settings.is_null() { Arm::Defaults } else { arm };
        let (right, learned) = self.train(trained, &settings)?;
        let trials = study["trials"].as_array().cloned().unwrap_or_default();
        let (set, seed, trials) = (self.set, self.seed, trials.len());
        let cpu = searched + learned;
        Ok(Outcome { set, seed, arm, right, cpu, trials, says_defaults })
    }

    /// What `graft search --json` printed, and its CPU time.
    fn study(&self, arm: Arm) -> anyhow::Result<(Value, f64)> {
        let path = self.folder().join(format!("{}.json", arm.name()));
        if !path.exists() {
            let (home, graft) = self.home(&format!("search-{}", arm.name()))?;
            let (seed, threads) = (self.seed.to_string(), self.options.threads().to_string());
            let mut search = vec!["search", self.set.task(), "--base", "bench-base", "--json"];
            search.extend(["--budget", &self.scale.budget, "--seed", &seed, "--threads", &threads]);
            search.extend(["--sampler", arm.name()]);
            search.extend(self.scale.fixed.iter().map(String::as_str));
            let done = graft.run(&search)?;
            let study: Value = serde_json::from_slice(&done.said).context("`graft search` printed no JSON")?;
            fs::write(&path, json!({"study": study, "cpu": done.cpu}).to_string())?;
            fs::remove_dir_all(&home)?;
        }
        let mut done: Value = serde_json::from_slice(&fs::read(&path)?)?;
        Ok((done["study"].take(), super::number(&done, "cpu")?))
    }

    /// What a version that learned all examples with these settings answers right, and the CPU time of its training.
    fn train(&self, arm: Arm, settings: &Value) -> anyhow::Result<(Vec<bool>, f64)> {
        let path = self.folder().join(format!("{}-trained.json", arm.name()));
        if !path.exists() {
            let (home, graft) = self.home(arm.name())?;
            let (seed, threads) = (self.seed.to_string(), self.options.threads().to_string());
            let mut train = vec!["train", self.set.task(), "--base", "bench-base", "--version", "version"];
            // Nothing is held out: no test message has a label here.
            train.extend(["--eval-share", "0", "--no-eval"]);
            let chosen = flags(settings);
            train.extend(chosen.iter().map(String::as_str));
            if settings.is_null() {
                train.extend(["--seed", &seed, "--threads", &threads]);
                train.extend(self.scale.fixed.iter().map(String::as_str));
            }
            let cpu = graft.run(&train)?.cpu;
            let tests = self.tests();
            let (input, answers) = (home.join("input.jsonl"), home.join("answers.jsonl"));
            lines(&input, tests.iter().map(|message| json!({"id": message.id, "text": message.text})))?;
            let (from, to) = (input.display().to_string(), answers.display().to_string());
            let ask =
                ["infer", "--task", self.set.task(), "--version", "version", "--input-file", &from, "--output", &to];
            graft.run(&ask)?;
            let right = right(self.data, tests, &answers)?;
            fs::write(&path, json!({"right": right, "cpu": cpu}).to_string())?;
            fs::remove_dir_all(&home)?;
        }
        let done: Value = serde_json::from_slice(&fs::read(&path)?)?;
        let right = serde_json::from_value(done["right"].clone()).with_context(|| format!("{}", path.display()))?;
        Ok((right, super::number(&done, "cpu")?))
    }

    fn tests(&self) -> &[Message] {
        let all = &self.data.tests[0].messages;
        &all[..self.scale.tests.min(all.len())]
    }

    /// An empty home with the base model and the examples of the seed.
    fn home(&self, name: &str) -> anyhow::Result<(PathBuf, Program)> {
        let folder = self.folder().join(format!("home-{name}"));
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let graft = Program::new(&self.options.graft, folder.clone(), self.folder().join("log"));
        graft.run(&["base", "add", "bench-base", &self.options.base.display().to_string()])?;
        let (pool, count) = (&self.data.train, self.scale.examples);
        ensure!(pool.len() >= count, "{} has only {} examples", self.set.name(), pool.len());
        // Another part of the pool for each seed; parts overlap where the pool is small.
        let first = (self.seed as usize - 1) * count % pool.len();
        let examples = pool.iter().cycle().skip(first).take(count);
        let file = folder.join("examples.jsonl");
        let path = file.display().to_string();
        if self.set == Set::Slack {
            fs::copy(Path::new(SLACK).join("tables.toml"), folder.join("tables.toml"))?;
            lines(&file, examples.map(|message| json!({"ts": message.id, "truth": message.truth})))?;
            graft.run(&["import", "slack", &format!("{SLACK}/export"), "--labels", &path])?;
        } else {
            lines(&file, examples.map(|m| json!({"id": m.id, "input": m.text, "output": m.truth})))?;
            graft.run(&["import", "jsonl", &path, "--task", self.set.task()])?;
        }
        Ok((folder, graft))
    }
}

/// Writes JSON objects, one a line.
pub(super) fn lines(path: &Path, values: impl Iterator<Item = Value>) -> anyhow::Result<()> {
    let text: String = values.map(|value| format!("{value}\n")).collect();
    Ok(fs::write(path, text)?)
}

/// The settings of a trial as flags of `graft train`.
fn flags(settings: &Value) -> Vec<String> {
    let mut flags = Vec::new();
    if let Some(method) = settings["method"].as_str() {
        flags.extend(["--method".to_owned(), method.to_owned()]);
    }
    for (name, value) in settings["settings"].as_object().into_iter().flatten() {
        // Trials are measured more often than a training.
        if name == "evals_per_epoch" {
            continue;
        }
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Array(names) => names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","),
            other => other.to_string(),
        };
        flags.extend([format!("--{}", name.replace('_', "-")), text]);
    }
    flags
}

/// Mean of paired differences with its 95 % interval: Student's t over the seeds, and the error of the test messages, which more
/// seeds don't make smaller. No interval of fewer than [`MIN_SEEDS`] pairs.
fn interval(differences: &[f64], of_tests: f64) -> (f64, Option<(f64, f64)>) {
    let n = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / n;
    if differences.len() < MIN_SEEDS {
        return (mean, None);
    }
    let variance = differences.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let t = T[(differences.len() - 2).min(T.len() - 1)];
    let half = (t * (variance / n).sqrt()).hypot(1.96 * of_tests);
    (mean, Some((mean - half, mean + half)))
}

/// Standard error, by the choice of the test messages, of the difference between two arms' scores: both answered the same messages
/// in each seed, so the differences of single messages, means of the seeds, are what varies.
fn error_of_tests(pairs: &[(&Outcome, &Outcome)]) -> f64 {
    let Some((first, _)) = pairs.first() else { return 0.0 };
    let difference = |message: usize| {
        let of = |(one, other): &(&Outcome, &Outcome)| {
            f64::from(u8::from(one.right[message])) - f64::from(u8::from(other.right[message]))
        };
        pairs.iter().map(of).sum::<f64>() / pairs.len() as f64
    };
    let differences: Vec<f64> = (0..first.right.len()).map(difference).collect();
    let n = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / n;
    (differences.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / (n * (n - 1.0)).max(1.0)).sqrt()
}

/// What the numbers of an arm say, compared with another.
fn verdict(interval: Option<(f64, f64)>) -> &'static str {
    match interval {
        Some((low, _)) if low > 0.0 => "better",
        Some((_, high)) if high < 0.0 => "worse",
        _ => "no difference shown",
    }
}

type BySeed = BTreeMap<u64, Outcome>;

fn write(options: &Options, scale: &Scale, found: &[Outcome]) -> anyhow::Result<()> {
    fs::create_dir_all(&options.results)?;
    let mut page = String::from("# Search\n\n");
    let fixed =
        if scale.fixed.is_empty() { String::new() } else { format!("; `{}` in all arms", scale.fixed.join(" ")) };
    writeln!(
        page,
        "Made by `cargo xtask bench search`{}. [bench/README.md](../README.md) says what is measured and how.\n\n\
         Scale: base model `{}`, {} examples, {} seeds, budget {} for each search{fixed}.\n",
        circumstances(options),
        options.base.file_name().unwrap_or_default().to_string_lossy(),
        scale.examples,
        scale.seeds,
        scale.budget,
    )?;
    let mut plots = Vec::new();
    for &set in &options.sets {
        let arm = |arm: Arm| -> BySeed {
            found.iter().filter(|one| one.set == set && one.arm == arm).map(|one| (one.seed, one.clone())).collect()
        };
        let arms: Vec<(Arm, BySeed)> = Arm::ALL.map(|one| (one, arm(one))).into_iter().collect();
        if arms[0].1.is_empty() {
            continue;
        }
        table(&mut page, set, &arms)?;
        plots.push((set, arms));
    }
    fs::write(options.results.join(PAGE), page)?;
    fs::write(options.results.join(PLOT), plot(&plots))?;
    let rows = found.iter().map(|one| {
        json!({"set": one.set.name(), "seed": one.seed, "arm": one.arm.name(), "score": one.score(), "cpu_seconds": one.cpu,
            "trials": one.trials, "says_defaults": one.says_defaults})
    });
    Ok(fs::write(options.results.join(JSON), serde_json::to_string_pretty(&rows.collect::<Vec<_>>())? + "\n")?)
}

fn table(page: &mut String, set: Set, arms: &[(Arm, BySeed)]) -> anyhow::Result<()> {
    write!(page, "\n## {}\n\n", set.heading())?;
    writeln!(
        page,
        "| settings from | answers wholly right | difference from the defaults | | CPU time | trials | says \"defaults are best\" |",
    )?;
    writeln!(page, "|---|---|---|---|---|---|---|")?;
    let difference = |of: &BySeed, from: &BySeed| {
        let pairs: Vec<_> = of.iter().filter_map(|(seed, one)| Some((one, from.get(seed)?))).collect();
        let differences: Vec<f64> = pairs.iter().map(|(one, other)| one.score() - other.score()).collect();
        interval(&differences, error_of_tests(&pairs))
    };
    let points = |(mean, range): (f64, Option<(f64, f64)>)| match range {
        Some((low, high)) => format!("{mean:+.3} ({low:+.3} to {high:+.3})"),
        None => format!("{mean:+.3}"),
    };
    let defaults = &arms[0].1;
    for (arm, outcomes) in arms {
        let mean = |of: fn(&Outcome) -> f64| outcomes.values().map(of).sum::<f64>() / outcomes.len() as f64;
        let (low, high) = outcomes
            .values()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), one| (low.min(one.score()), high.max(one.score())));
        let score = format!("{:.3} ({low:.3}–{high:.3})", mean(Outcome::score));
        if *arm == Arm::Defaults {
            writeln!(page, "| {} | {score} | – | | {:.0} s | – | – |", arm.title(), mean(|one| one.cpu))?;
            continue;
        }
        let found = difference(outcomes, defaults);
        let says = outcomes.values().filter(|one| one.says_defaults).count();
        writeln!(
            page,
            "| {} | {score} | {} | {} | {:.0} s | {:.1} | {says} of {} |",
            arm.title(),
            points(found),
            verdict(found.1),
            mean(|one| one.cpu),
            mean(|one| one.trials as f64),
            outcomes.len()
        )?;
    }
    let against = difference(&arms[2].1, &arms[1].1);
    writeln!(page, "\nStudy against random search: {}, {}.", points(against), verdict(against.1))?;
    if arms[1..].iter().all(|(_, of)| verdict(difference(of, defaults).1) != "better") {
        writeln!(page, "No search was shown to beat the defaults here: **train with the recipe.**")?;
    }
    Ok(())
}

/// A point for each seed, by arm; the lines are the means.
fn plot(sets: &[(Set, Vec<(Arm, BySeed)>)]) -> String {
    const WIDTH: f64 = 240.0;
    const HEIGHT: f64 = 200.0;
    let width = 280 * sets.len().max(1) + 20;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} 290\" font-family=\"sans-serif\" font-size=\"12\">\
         <rect width=\"{width}\" height=\"290\" fill=\"white\"/>\n"
    );
    for (place, (set, arms)) in sets.iter().enumerate() {
        let scores = || arms.iter().flat_map(|(_, of)| of.values()).map(Outcome::score);
        let (low, high) = scores().fold((1.0_f64, 0.0_f64), |(low, high), score| (low.min(score), high.max(score)));
        let y = |score: f64| 40.0 + HEIGHT * (1.0 - (score - low) / (high - low).max(1e-9));
        let _ = writeln!(svg, "<g transform=\"translate({} 0)\">", 50 + 280 * place);
        let _ = writeln!(svg, "<text y=\"20\" font-weight=\"bold\">{}</text>", set.heading());
        for score in [low, high] {
            let _ = writeln!(
                svg,
                "<path d=\"M0 {0:.1}h{WIDTH}\" stroke=\"#ddd\"/><text x=\"-6\" y=\"{1:.1}\" text-anchor=\"end\">{score:.2}</text>",
                y(score),
                y(score) + 4.0
            );
        }
        for (at, (arm, of)) in arms.iter().enumerate() {
            let (x, color) = (WIDTH * (at as f64 + 0.5) / arms.len() as f64, arm.color());
            for one in of.values() {
                let _ = writeln!(
                    svg,
                    "<circle cx=\"{x:.1}\" cy=\"{:.1}\" r=\"4\" fill=\"{color}\" fill-opacity=\"0.6\"/>",
                    y(one.score())
                );
            }
            let mean = of.values().map(Outcome::score).sum::<f64>() / of.len().max(1) as f64;
            let _ =
                writeln!(svg, "<path d=\"M{:.1} {:.1}h28\" stroke=\"{color}\" stroke-width=\"2\"/>", x - 14.0, y(mean));
            let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"264\" text-anchor=\"middle\">{}</text>", arm.name());
        }
        svg += "</g>\n";
    }
    svg + "</svg>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn difference_is_reported_only_if_its_interval_excludes_zero() {
        let (mean, range) = interval(&[0.1, 0.1, 0.1], 0.0);
        assert!((mean - 0.1).abs() < 1e-12);
        assert_eq!(verdict(range), "better");
        assert_eq!(verdict(interval(&[0.1, 0.1, 0.1], 0.06).1), "no difference shown", "few test messages");
        assert_eq!(verdict(interval(&[0.3, -0.1, 0.1], 0.0).1), "no difference shown");
        assert_eq!(verdict(interval(&[-0.1, -0.11, -0.1], 0.0).1), "worse");
        assert_eq!(verdict(interval(&[0.5, 0.5], 0.0).1), "no difference shown", "two seeds show nothing");
        // Student's t of three pairs whose standard error is 1.
        let Some((low, high)) = interval(&[0.0, 3.0_f64.sqrt(), 2.0 * 3.0_f64.sqrt()], 0.0).1 else {
            panic!("three have one")
        };
        assert!((high - low - 2.0 * 4.303).abs() < 1e-9);
    }

    #[test]
    fn messages_that_two_arms_answer_alike_add_no_error() {
        let outcome = |seed: u64, right: [bool; 4]| Outcome {
            set: Set::Sms,
            seed,
            arm: Arm::Tpe,
            right: right.to_vec(),
            cpu: 1.0,
            trials: 1,
            says_defaults: false,
        };
        let (half, other) = (outcome(1, [true, true, false, false]), outcome(1, [false, true, false, false]));
        assert_eq!(error_of_tests(&[(&half, &half), (&half, &half)]), 0.0);
        // One of four messages differs: the variance of (1, 0, 0, 0) is 1/4.
        assert!((error_of_tests(&[(&half, &other)]) - 0.25).abs() < 1e-12);
        // In one of two seeds: (½, 0, 0, 0).
        assert!((error_of_tests(&[(&half, &other), (&half, &half)]) - 0.125).abs() < 1e-12);
    }

    #[test]
    fn settings_of_a_trial_become_flags() {
        let settings =
            json!({"method": "lora", "settings": {"rank": 8, "targets": ["q_proj", "v_proj"], "evals_per_epoch": 2}});
        assert_eq!(flags(&settings), ["--method", "lora", "--rank", "8", "--targets", "q_proj,v_proj"]);
        assert_eq!(flags(&Value::Null), Vec::<String>::new());
    }
}
