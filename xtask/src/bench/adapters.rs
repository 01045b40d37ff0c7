//! The cost of serving several adapters at once: speed and memory of eight answers with no adapter, 1, 8 and 64.

use std::path::Path;

use super::{Settings, built, lines, number, report::plain};

/// Answers with so many adapters in a batch.
pub(super) struct Served {
    pub(super) adapters: f64,
    pub(super) tokens_per_s: f64,
    /// Share of the bare base's speed that is lost, median of the rounds.
    slowdown: f64,
    pub(super) peak_gb: f64,
}

pub(super) fn run(settings: &Settings) -> anyhow::Result<Option<String>> {
    measure(&settings.base)?;
    Ok(None)
}

/// Prints the table.
pub(super) fn measure(base: &Path) -> anyhow::Result<Vec<Served>> {
    println!(
        "\n| adapters in a batch of eight answers | tokens/s | slower than none | peak memory, GB |\n|---|---|---|---|"
    );
    let served = |said: &serde_json::Value| {
        let adapters = number(said, "count")?;
        let memory = lines(built("graft-bench")?.arg("memory").arg(base).arg(adapters.to_string()))?;
        let row = Served {
            adapters,
            tokens_per_s: number(said, "tokens_per_s")?,
            slowdown: number(said, "slowdown")?,
            peak_gb: number(&memory.first().cloned().unwrap_or_default(), "peak_gb")?,
        };
        let (rate, slower, gb) = (plain(row.tokens_per_s), plain(row.slowdown * 100.0), plain(row.peak_gb));
        println!("| {adapters} | {rate} | {slower} % | {gb} |");
        Ok(row)
    };
    lines(built("graft-bench")?.arg("adapters").arg(base))?.iter().map(served).collect()
}
