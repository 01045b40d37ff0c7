use clap::{Args, Subcommand};
use graft_engine::Home;
use serde_json::{Value, json};

use crate::{
    config::{Config, KEYS},
    failure::Result,
    output::{Reply, Table},
};

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Show what `graft serve` would use.
    Show(Show),
}

/// Show what `graft serve` would use.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Say where each value comes from.
    #[arg(long)]
    origin: bool,
}

pub(crate) fn run(home: &Home, command: &ConfigCommand) -> Result<Reply> {
    let ConfigCommand::Show(Show { origin }) = command;
    let config = Config::load(home.path(), &[])?;
    let mut json = serde_json::Map::new();
    let mut table =
        if *origin { Table::new(["key", "value", "from", ""]) } else { Table::new(["key", "value", "", ""]) };
    for key in &KEYS {
        let (value, from) = (config.shown(key), config.get(key.name).1.to_string());
        let shown = if *origin { from.clone() } else { String::new() };
        let about = if *origin { String::new() } else { key.about.to_owned() };
        table.row([key.name.to_owned(), value.clone(), shown, about]);
        let value = if key.is_secret() { Value::from(!value.is_empty()) } else { Value::from(value) };
        json.insert(key.name.to_owned(), json!({"value": value, "from": from, "variable": key.variable}));
    }
    Ok(Reply::new(json, table.to_string()))
}
