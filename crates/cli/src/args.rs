use clap::{Parser, Subcommand};

use crate::commands::{
    adapter, ask_ai, backup, base, config, doctor, drift, evaluate, examples, import, models, people, predict, queue,
    runs, schedules, serve, stats, train, worker,
};

/// Turns approved examples into small adapters for a frozen language model, serves the best one and keeps it good.
///
/// State lives in GRAFT_HOME (see `graft doctor`). Exit codes: 0 success, 1 internal, 2 usage, 10 bad data, 11 model
/// missing or damaged, 12 out of memory, 13 diverged, 14 network, 15 not better, 20 stopped.
#[derive(Debug, Parser)]
#[command(name = "graft", version)]
pub(crate) struct Args {
    /// Answer with one JSON document on stdout.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// In whose name things are done.
    #[arg(long, global = true, env = "GRAFT_USER", value_name = "NAME")]
    pub(crate) by: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Read examples from a Slack export, a database, a table or a text.
    #[command(subcommand)]
    Import(import::Import),
    /// Look at examples, approve, reject and edit them.
    #[command(subcommand)]
    Examples(examples::Examples),
    /// Get and keep base models.
    #[command(subcommand)]
    Base(base::Base),
    /// Train an adapter on a task's approved examples, and register it.
    Train(Box<train::Train>),
    /// Train in a run directory, as `graft train` does in a process of its own.
    TrainDir(train::TrainDir),
    /// Score a version for a run, as workers do in a process of its own.
    EvalDir(evaluate::EvalDir),
    /// Look at trainings, go on with them, or stop them.
    #[command(subcommand)]
    Runs(runs::Runs),
    /// Let workers train: put trainings into the queue, and see what waits.
    #[command(subcommand)]
    Queue(queue::Queue),
    /// Take runs from the queue and train them, until told to stop.
    Worker(worker::Worker),
    /// Train again and again, at set times.
    #[command(subcommand)]
    Schedules(schedules::Schedules),
    /// Answer pending examples with the active version.
    Suggest(worker::Suggest),
    /// Write database, runs, adapters and tables into one file.
    Backup(backup::Backup),
    /// Put a backup back, into an empty GRAFT_HOME and database.
    Restore(backup::Restore),
    /// Remove what belongs to nothing.
    Sweep(backup::Sweep),
    /// Answer messages with a version, one JSON line each.
    Infer(predict::Infer),
    /// Score a version, its bare base model and the baseline on the same held-out examples.
    Eval(evaluate::Eval),
    /// Say whether a version still does what it did when it was measured.
    Drift(drift::Drift),
    /// Check that a version loads and answers in its task's form.
    Validate(predict::Validate),
    /// Put the answers of the regex parser (or of another version) and of a version side by side.
    Compare(predict::Compare),
    /// Look at versions, make them active, go back, or delete them.
    #[command(subcommand)]
    Models(models::Models),
    /// Merge or export an adapter.
    #[command(subcommand)]
    Adapter(adapter::Adapter),
    /// Train on the Ask AI service's database, in place of its script.
    #[command(subcommand)]
    SoftPrompt(ask_ai::SoftPrompt),
    /// Add up the approved examples: items, pounds, places and kinds of food.
    Stats(stats::Stats),
    /// Look at everything a run needs: data, model, memory, disk, threads.
    Doctor(doctor::Doctor),
    /// Serve the API and the page, take runs from the queue, and keep the schedules.
    Serve(serve::Serve),
    /// Look at the configuration of `graft serve`.
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Say who may log in to `graft serve`.
    #[command(subcommand)]
    Users(people::Users),
    /// Make and end tokens for programs.
    #[command(subcommand)]
    Tokens(people::Tokens),
    /// Print the API's description (OpenAPI 3.1).
    Openapi,
}
