//! How time and memory grow with the length of a sequence, with the examples of a batch, and with the adapters served at
//! once; LoRA on SmolLM2-135M.

use std::fs;

use super::{
    Settings,
    adapters::{self, Served},
    built, lines, number,
    plot::{self, Chart, Line},
    report::plain,
};

/// Tokens a sequence, at one example a step.
const LENGTHS: [usize; 4] = [64, 256, 1024, 4096];
/// Examples a step, of 64 tokens each.
const BATCHES: [usize; 4] = [1, 4, 8, 32];
/// Along the axis of tokens.
const MARKS: [f64; 4] = [64.0, 256.0, 1024.0, 4096.0];
const PLOT: &str = "bench/growth.svg";

/// Along the axis, seconds a step, gigabytes.
type Point = (usize, f64, f64);

pub(super) fn run(settings: &Settings) -> anyhow::Result<Option<String>> {
    let step = |batch: usize, tokens: usize| -> anyhow::Result<(f64, f64)> {
        let steps = if batch * tokens > 1000 { 1 } else { 3 };
        let numbers = [batch, tokens - tokens / 4, tokens / 4, steps].map(|n| n.to_string());
        let said = lines(built("graft-bench")?.args(["step", "f32"]).arg(&settings.base).arg("lora").args(&numbers))?;
        let said = said.first().cloned().unwrap_or_default();
        Ok((number(&said, "ms_an_example")? * batch as f64 / 1e3, number(&said, "peak_gb")?))
    };
    let mut by_length: Vec<Point> = Vec::new();
    for tokens in LENGTHS {
        let (seconds, gb) = step(1, tokens)?;
        by_length.push((tokens, seconds, gb));
    }
    let mut by_batch: Vec<Point> = Vec::new();
    for batch in BATCHES {
        let (seconds, gb) = step(batch, 64)?;
        by_batch.push((batch, seconds, gb));
    }
    for (what, points) in
        [("tokens a sequence, one example a step", &by_length), ("examples of 64 tokens a step", &by_batch)]
    {
        println!("\n| {what} | seconds a step | ms a token | peak memory, GB |\n|---|---|---|---|");
        for &(at, seconds, gb) in points {
            let tokens = if what.starts_with("tokens") { at } else { at * 64 };
            println!("| {at} | {} | {} | {} |", plain(seconds), plain(seconds * 1e3 / tokens as f64), plain(gb));
        }
    }
    let served = adapters::measure(&settings.base)?;
    fs::write(PLOT, plot(&by_length, &by_batch, &served))?;
    println!("\nDrawn in {PLOT}");
    Ok(None)
}

/// Training above, serving below; time left, memory right.
fn plot(by_length: &[Point], by_batch: &[Point], served: &[Served]) -> String {
    let trained = |title, value: fn(&Point) -> f64| {
        let line = |name, color, points: &[Point], each: usize| {
            let points = points.iter().map(|p| ((p.0 * each) as f64, value(p))).collect();
            Line { name, color, points }
        };
        let lines =
            vec![line("one sequence", "#0b6", by_length, 1), line("examples of 64 tokens", "#c50", by_batch, 64)];
        Chart { title, axis: "tokens a step", marks: &MARKS, lines }
    };
    let answered = |title, value: fn(&Served) -> f64| {
        let points = served.iter().filter(|row| row.adapters > 0.0).map(|row| (row.adapters, value(row))).collect();
        let lines = vec![Line { name: "eight answers at once", color: "#06c", points }];
        Chart { title, axis: "adapters served at once", marks: &[1.0, 8.0, 64.0], lines }
    };
    plot::svg(&[
        trained("training: seconds a step", |p| p.1),
        trained("training: peak memory, GB", |p| p.2),
        answered("answering: tokens/s", |row| row.tokens_per_s),
        answered("answering: peak memory, GB", |row| row.peak_gb),
    ])
}
