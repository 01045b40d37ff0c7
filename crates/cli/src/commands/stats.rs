use std::collections::BTreeMap;

use clap::Args;
use graft_engine::Engine;

use crate::{
    failure::Result,
    output::{Reply, Table, facts},
};

/// Summarise the approved examples: items, pounds, places and food classes.
#[derive(Debug, Args)]
pub(crate) struct Stats {
    /// Task.
    #[arg(long, default_value = "slack-rescue")]
    task: String,
}

pub(crate) async fn run(engine: &Engine, command: Stats) -> Result<Reply> {
    let stats = engine.examples().stats(&command.task).await?;
    let ready = if stats.ready { "yes" } else { "no: approve 10 at least" };
    let mut text = facts(&[
        ("audited", stats.audited.to_string()),
        ("items", stats.items.to_string()),
        ("pounds", format!("{:.0} ({} items have no known weight)", stats.pounds, stats.unweighed)),
        ("ready to train", ready.to_owned()),
    ]);
    for (heading, pounds) in [("subcategory", &stats.by_subcategory), ("rescue location", &stats.by_location)] {
        if !pounds.is_empty() {
            text += &format!("\n{}", by(heading, pounds));
        }
    }
    Ok(Reply::new(&stats, text))
}

fn by(heading: &str, pounds: &BTreeMap<String, f64>) -> Table {
    let mut rows: Vec<(&String, &f64)> = pounds.iter().collect();
    rows.sort_by(|a, b| b.1.total_cmp(a.1));
    let mut table = Table::new([heading, "pounds"]);
    rows.into_iter().for_each(|(name, pounds)| table.row([name.clone(), format!("{pounds:.0}")]));
    table
}
