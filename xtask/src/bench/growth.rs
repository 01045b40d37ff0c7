//! How time and memory grow with the length of a sequence and with the examples of a batch; LoRA on SmolLM2-135M.

use std::{fmt::Write as _, fs};

use super::{Settings, built, lines, number, report::plain};

/// Tokens a sequence, at one example a step.
const LENGTHS: [usize; 4] = [64, 256, 1024, 4096];
/// Examples a step, of 64 tokens each.
const BATCHES: [usize; 4] = [1, 4, 8, 32];
const PLOT: &str = "bench/growth.svg";

/// Along the axis, seconds a step, gigabytes.
type Point = (usize, f64, f64);

pub(super) fn run(settings: &Settings) -> anyhow::Result<Option<String>> {
    let step = |batch: usize, tokens: usize| -> anyhow::Result<(f64, f64)> {
        let steps = if batch * tokens > 1000 { 1 } else { 3 };
        let numbers = [batch, tokens - tokens / 4, tokens / 4, steps].map(|n| n.to_string());
        let said = lines(built("graft-bench")?.arg("step").arg(&settings.base).arg("lora").args(&numbers))?;
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
    fs::write(PLOT, plot(&by_length, &by_batch))?;
    println!("\nDrawn in {PLOT}");
    Ok(None)
}

/// Two panels, time left and memory right, both axes by powers.
fn plot(by_length: &[Point], by_batch: &[Point]) -> String {
    let mut svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 760 330\" font-family=\"sans-serif\" font-size=\"12\">\
        <rect width=\"760\" height=\"330\" fill=\"white\"/>\n"
        .to_owned();
    type Number = fn(&Point) -> f64;
    let panels: [(&str, f64, Number); 2] = [("seconds a step", 60.0, |p| p.1), ("peak memory, GB", 440.0, |p| p.2)];
    for (title, left, value) in panels {
        let all = by_length.iter().chain(by_batch).map(value);
        let (low, high) = all.fold((f64::INFINITY, 0.0_f64), |(low, high), v| (low.min(v), high.max(v)));
        let (low, high) = (low.log2().floor(), high.log2().ceil());
        let height = |v: f64| 270.0 - 230.0 * (v.log2() - low) / (high - low).max(1.0);
        let along = |at: f64| left + 280.0 * (at.log2() - 6.0) / 6.0;
        let _ = writeln!(svg, "<text x=\"{left}\" y=\"24\" font-weight=\"bold\">{title}</text>");
        for power in low as i32..=high as i32 {
            let (y, label) = (height(2_f64.powi(power)), plain(2_f64.powi(power)));
            let _ = writeln!(
                svg,
                "<path d=\"M{left} {y:.1}h280\" stroke=\"#ddd\"/><text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
                left - 6.0,
                y + 4.0
            );
        }
        for tokens in [64.0, 256.0, 1024.0, 4096.0] {
            let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"290\" text-anchor=\"middle\">{tokens}</text>", along(tokens));
        }
        let _ = writeln!(svg, "<text x=\"{}\" y=\"312\" text-anchor=\"middle\">tokens a step</text>", left + 140.0);
        for (points, each, color, name, y) in
            [(by_length, 1, "#0b6", "one sequence", 44), (by_batch, 64, "#c50", "examples of 64 tokens", 60)]
        {
            let line: Vec<String> =
                points.iter().map(|p| format!("{:.1},{:.1}", along((p.0 * each) as f64), height(value(p)))).collect();
            let _ = writeln!(
                svg,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>",
                line.join(" ")
            );
            let _ = writeln!(svg, "<text x=\"{}\" y=\"{y}\" fill=\"{color}\">{name}</text>", left + 10.0);
        }
    }
    svg + "</svg>\n"
}
