//! The commands, one file per group.

pub(crate) mod adapter;
pub(crate) mod agent;
pub(crate) mod alerts;
pub(crate) mod ask_ai;
pub(crate) mod backup;
pub(crate) mod base;
pub(crate) mod batch;
pub(crate) mod config;
pub(crate) mod dataset;
pub(crate) mod doctor;
pub(crate) mod drift;
pub(crate) mod evaluate;
pub(crate) mod examples;
pub(crate) mod import;
pub(crate) mod live;
pub(crate) mod machines;
pub(crate) mod models;
pub(crate) mod people;
pub(crate) mod predict;
pub(crate) mod prompts;
pub(crate) mod queue;
pub(crate) mod review;
pub(crate) mod rollout;
pub(crate) mod runs;
pub(crate) mod schedules;
pub(crate) mod search;
pub(crate) mod serve;
pub(crate) mod settings;
pub(crate) mod stats;
pub(crate) mod suspects;
pub(crate) mod tasks;
pub(crate) mod train;
pub(crate) mod upstream;
pub(crate) mod worker;

use std::{path::PathBuf, time::Duration};

use graft_engine::{Engine, Error, Home, Receivers};

use crate::{
    args::{Args, Command},
    config::Config,
    failure::Result,
    output::{Reply, print},
};

/// How long work that is under way may take once a command has ended, or a server shall.
const LINGER: Duration = Duration::from_secs(10);

/// Runs a command.
pub(crate) fn run(args: Args) -> Result<Reply> {
    let command = match args.command {
        Command::TrainDir(command) => return train::train_dir(&command, args.json),
        Command::Config(command) => return Ok(config::run(&Home::locate()?, &command)),
        Command::Openapi => {
            print(graft_server::openapi_json().trim_end());
            return Ok(Reply::silent());
        }
        other => other,
    };
    let by = args.by.or_else(user).unwrap_or_else(|| "graft".to_owned());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|source| Error::Io { doing: "start", path: "tokio".into(), source })?;
    let reply = runtime.block_on(async {
        let home = Home::locate()?;
        if let Command::Doctor(command) = &command {
            return Ok(doctor::run(&home, &by, command).await);
        }
        let config = Config::load(home.path(), &[])?;
        let places = config.places();
        let file = new_file(&home, places.database.as_deref());
        let engine = Engine::open_at(home, by, &places).await?;
        let engine = engine.on_device(config.device()?).with_ask_ai(config.ask_ai_settings()?);
        let receivers = match config.receivers() {
            Err(error) if matches!(command, Command::Alerts(_)) => return Err(error),
            // Nothing else fails because of a receiver.
            Err(error) => {
                if matches!(command, Command::Serve(_) | Command::Worker(_)) {
                    eprintln!("Warning: no alerts are sent: failed to {}", error.chain().join(": "));
                }
                Receivers::default()
            }
            Ok(receivers) => receivers,
        };
        let engine = engine.with_trackers(config.trackers()?).with_receivers(receivers);
        let is_new = file.is_some();
        // The first lines of a server, of which the first is its address, name home and database anyway.
        if let Some(file) = file.filter(|_| !matches!(command, Command::Serve(_) | Command::Agent(_))) {
            eprintln!("Created a new database: {}", file.display());
        }
        match command {
            Command::Agent(command) => agent::run(&engine, command).await,
            Command::Agents(command) => agent::agents(&engine, command).await,
            Command::Alerts(command) => alerts::run(&engine, command).await,
            Command::Tasks(command) => tasks::run(&engine, *command).await,
            Command::Import(command) => import::run(&engine, *command).await,
            Command::Examples(command) => examples::run(&engine, command).await,
            Command::Dataset(command) => dataset::run(&engine, command).await,
            Command::Base(command) => base::run(&engine, command).await,
            Command::Train(command) => train::run(&engine, *command).await,
            Command::Runs(command) => runs::run(&engine, command).await,
            Command::Models(command) => models::run(&engine, command).await,
            Command::Adapter(command) => adapter::run(&engine, command).await,
            Command::SoftPrompt(command) => ask_ai::run(&engine, command).await,
            Command::Batch(command) => batch::run(&engine, *command).await,
            Command::Infer(command) => predict::infer(&engine, command, args.json).await,
            Command::Validate(command) => predict::validate(&engine, command).await,
            Command::Compare(command) => predict::compare(&engine, command).await,
            Command::Eval(command) => evaluate::run(&engine, command).await,
            Command::Drift(command) => drift::run(&engine, command).await,
            Command::Live(command) => live::run(&engine, command).await,
            Command::Rollout(command) => rollout::run(&engine, command).await,
            Command::EvalDir(command) => evaluate::in_dir(&engine, &command, args.json).await,
            Command::Queue(command) => queue::run(&engine, command).await,
            Command::Worker(command) => worker::run(&engine, command).await,
            Command::Machines(command) => machines::run(&engine, command).await,
            Command::Prompts(command) => prompts::run(&engine, command).await,
            Command::Schedules(command) => schedules::run(&engine, command).await,
            Command::Search(command) => search::run(&engine, *command).await,
            Command::Studies(command) => search::studies(&engine, command).await,
            Command::Suggest(command) => worker::suggest(&engine, command).await,
            Command::Backup(command) => backup::backup(&engine, command).await,
            Command::Restore(command) => backup::restore(&engine, command).await,
            Command::Sweep(command) => backup::sweep(&engine, command).await,
            Command::Review(command) => review::run(&engine, command).await,
            Command::Suspects(command) => suspects::run(&engine, command).await,
            Command::Stats(command) => stats::run(&engine, command).await,
            Command::Serve(command) => serve::run(&engine, command, is_new).await,
            Command::Users(command) => people::users(&engine, config.admins(), command).await,
            Command::Tokens(command) => people::tokens(&engine, config.admins(), command).await,
            Command::Doctor(_) | Command::TrainDir(_) | Command::Config(_) | Command::Openapi => {
                unreachable!("answered above")
            }
        }
    });
    // A thread that waits for a disk of the network must not keep the process from ending.
    runtime.shutdown_timeout(LINGER);
    reply
}

/// The database file, if it does not exist yet: the message shows a user that the path of an existing one was mistyped.
fn new_file(home: &Home, database: Option<&str>) -> Option<PathBuf> {
    let file = match database {
        Some(url) if url.contains("://") => return None,
        Some(path) => PathBuf::from(path),
        None => home.path().join("graft.db"),
    };
    (!file.exists()).then_some(file)
}

/// The system user's name.
fn user() -> Option<String> {
    ["USER", "USERNAME", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok()).filter(|name| !name.is_empty())
}
