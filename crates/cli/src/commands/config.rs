use clap::{Args, Subcommand};
use graft_engine::Home;
use serde_json::{Value, json};

use crate::{
    config::{Config, KEYS},
    failure::Failure,
    output::{Reply, Table},
};

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Show the effective configuration and every problem in it.
    Show(Show),
}

/// Show the effective configuration and every problem in it.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Show where each value comes from.
    #[arg(long)]
    origin: bool,
}

pub(crate) fn run(home: &Home, command: &ConfigCommand) -> Reply {
    let ConfigCommand::Show(Show { origin }) = command;
    let (config, mut problems) = Config::read(home.path());
    problems.extend(config.check().err());
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
    let reply = Reply::new(json, table.to_string());
    if problems.is_empty() {
        return reply;
    }
    problems.iter().for_each(Failure::say);
    let told: Vec<Value> = problems.iter().map(Failure::to_json).collect();
    reply.with_field("problems", told).with_code(problems[0].code())
}
