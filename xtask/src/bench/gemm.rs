//! Products and kernels by themselves: what everything else is made of.

use serde_json::Value;

use super::{Settings, built, lines, report::plain};

/// GFLOP/s of products; the first is the floor that shares are told of.
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

/// Each fused kernel against its composed twin.
pub(super) fn kernels(_settings: &Settings) -> anyhow::Result<Option<String>> {
    println!("| kernel | fused | composed | ratio |\n|---|---|---|---|");
    for said in lines(built("graft-bench")?.arg("kernels"))? {
        let number = |name: &str| said[name].as_f64();
        let cell = |side: &str| match (number(&format!("{side}_gb_per_s")), number(&format!("{side}_gflops"))) {
            (Some(speed), _) => format!("{} GB/s", plain(speed)),
            (_, Some(speed)) => format!("{} GFLOP/s", plain(speed)),
            _ => "–".to_owned(),
        };
        let name = said["kernel"].as_str().unwrap_or_default();
        let ratio = said["ratio"].as_f64().map_or_else(|| Value::Null.to_string(), plain);
        println!("| {name} | {} | {} | {ratio} |", cell("fused"), cell("plain"));
    }
    Ok(None)
}
