//! Matrix products and kernels in isolation.

use super::{Settings, built, floor, lines, report::plain};

/// GFLOP/s of products; shares are relative to the first one.
pub(super) fn products(_settings: &Settings) -> anyhow::Result<Option<String>> {
    let all = lines(built("graft-bench")?.arg("gemm"))?;
    let floor = all.first().and_then(|first| first["forward_gflops"].as_f64()).unwrap_or(f64::NAN);
    println!("| product | forward, GFLOP/s | share of the floor | backward or both, GFLOP/s | share of the floor |");
    println!("|---|---|---|---|---|");
    for said in &all {
        let name = said["product"].as_str().unwrap_or_default();
        let cell = |number: Option<f64>| match number {
            Some(n) => format!("{} | {:.0} %", plain(n), 100.0 * n / floor),
            None => "– | –".to_owned(),
        };
        let second = said["backward_gflops"].as_f64().or(said["both_gflops"].as_f64());
        println!("| {name} | {} | {} |", cell(said["forward_gflops"].as_f64()), cell(second));
    }
    Ok(None)
}

/// Each fused kernel against its composed twin and its roofline: a copy, or the f32 product at large.
pub(super) fn kernels(_settings: &Settings) -> anyhow::Result<Option<String>> {
    println!("| kernel | fused | of the roofline | composed | ratio |\n|---|---|---|---|---|");
    let (floor, all) = (floor()?, lines(built("graft-bench")?.arg("kernels"))?);
    let copy = all.first().and_then(|first| first["fused_gb_per_s"].as_f64()).unwrap_or(f64::NAN);
    for said in all {
        let number = |name: &str| said[name].as_f64();
        let cell = |side: &str| match (number(&format!("{side}_gb_per_s")), number(&format!("{side}_gflops"))) {
            (Some(speed), _) => format!("{} GB/s", plain(speed)),
            (_, Some(speed)) => format!("{} GFLOP/s", plain(speed)),
            _ => "–".to_owned(),
        };
        let name = said["kernel"].as_str().unwrap_or_default();
        let ratio = number("ratio").map_or_else(|| "–".to_owned(), plain);
        let share =
            number("fused_gb_per_s").map(|gb| gb / copy).or(number("fused_gflops").map(|gflops| gflops / floor));
        let share = share.map_or_else(|| "–".to_owned(), |share| format!("{:.0} %", 100.0 * share));
        println!("| {name} | {} | {share} | {} | {ratio} |", cell("fused"), cell("plain"));
    }
    Ok(None)
}
