use clap::{Parser, Subcommand};

use crate::commands::{
    adapter, agent, alerts, ask_ai, backup, base, batch, config, dataset, doctor, drift, evaluate, examples, import,
    live, machines, models, people, predict, prompts, queue, review, rollout, runs, schedules, search, serve, stats,
    suspects, tasks, train, worker,
};

/// Train small adapters for a frozen language model from approved examples, and serve the best one.
///
/// All state is in GRAFT_HOME (`graft doctor` prints its path). Exit codes: 0 success, 1 internal error, 2 usage, 10
/// bad data, 11 model missing or damaged, 12 out of memory, 13 loss diverged, 14 network, 15 not better, 20 stopped.
#[derive(Debug, Parser)]
#[command(name = "graft", version)]
pub(crate) struct Args {
    /// Print the result as one JSON document.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Name to record as the author of changes; the default is the system user.
    #[arg(long, global = true, env = "GRAFT_USER", value_name = "NAME")]
    pub(crate) by: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create, edit, clone, rename, archive, export and import tasks.
    #[command(subcommand)]
    Tasks(Box<tasks::Tasks>),
    /// Import examples from a Slack export, a database, a table or a text file.
    Import(Box<import::Import>),
    /// List, approve, reject and edit examples.
    #[command(subcommand)]
    Examples(examples::Examples),
    /// List datasets, and export training data for other programs.
    #[command(subcommand)]
    Dataset(dataset::Dataset),
    /// Review the examples of a task one at a time, each with one key.
    Review(review::Review),
    /// List approved examples whose answers are suspect.
    Suspects(suspects::Suspects),
    /// Download and manage base models.
    #[command(subcommand)]
    Base(base::Base),
    /// Train an adapter on a task's approved examples and register it as a version.
    Train(Box<train::Train>),
    /// Search for better training settings: run several trials and compare them with the recipe.
    Search(Box<search::Search>),
    /// List, show and stop studies (searches for settings), or train with the best settings of one.
    #[command(subcommand)]
    Studies(search::Studies),
    /// Train in a prepared run directory; `graft train` and workers start this as a separate process.
    TrainDir(train::TrainDir),
    /// Evaluate a version for a run; workers start this as a separate process.
    EvalDir(evaluate::EvalDir),
    /// List, resume, stop and delete runs.
    #[command(subcommand)]
    Runs(runs::Runs),
    /// Submit runs to the queue and list them.
    #[command(subcommand)]
    Queue(queue::Queue),
    /// Submit texts for training; list, show and compare them.
    #[command(subcommand)]
    Prompts(prompts::Prompts),
    /// Run queued trainings and evaluations until stopped.
    Worker(worker::Worker),
    /// Add, check, list and remove machines on which trainings can run.
    #[command(subcommand)]
    Machines(machines::Machines),
    /// Train at scheduled times.
    #[command(subcommand)]
    Schedules(schedules::Schedules),
    /// Show the problems that people are told of, and try the receivers.
    #[command(subcommand)]
    Alerts(alerts::Alerts),
    /// Suggest answers for pending examples with the active version.
    Suggest(worker::Suggest),
    /// Write the database, runs, adapters and tables to one backup file.
    Backup(backup::Backup),
    /// Restore a backup into an empty GRAFT_HOME and an empty database.
    Restore(backup::Restore),
    /// Remove files that no run or version uses.
    Sweep(backup::Sweep),
    /// Answer messages with a version; prints one JSON line per message.
    Infer(predict::Infer),
    /// Answer large files in the background, on one machine or several.
    #[command(subcommand)]
    Batch(Box<batch::Batch>),
    /// Evaluate a version, the bare base model and the contestants on the same held-out examples.
    Eval(evaluate::Eval),
    /// Check whether a version still performs as it did when it was evaluated.
    Drift(drift::Drift),
    /// Learn continuously from approvals and edits.
    #[command(subcommand)]
    Live(live::Live),
    /// Roll out a version in stages: shadow, canary, active.
    #[command(subcommand)]
    Rollout(rollout::Rollout),
    /// Hold the active version of a task and answer with it, also while the server can't be reached.
    Agent(agent::Agent),
    /// List and forget the agents of a task.
    #[command(subcommand)]
    Agents(agent::Agents),
    /// Check that a version loads and that its answers follow the task's schema or labels.
    Validate(predict::Validate),
    /// Compare a version's answer with that of the baseline, another version or a contestant.
    Compare(predict::Compare),
    /// List, activate, roll back and delete versions.
    #[command(subcommand)]
    Models(models::Models),
    /// Export an adapter or merge it into its base model.
    #[command(subcommand)]
    Adapter(adapter::Adapter),
    /// Train from the Ask AI service's database (replaces its `train_soft_prompt.py`).
    #[command(subcommand)]
    SoftPrompt(ask_ai::SoftPrompt),
    /// Summarise the approved examples: items, pounds, places and food classes.
    Stats(stats::Stats),
    /// Check everything a run needs: data, base model, memory, disk, threads.
    Doctor(doctor::Doctor),
    /// Run the web service: API, page, queue worker and schedules.
    Serve(serve::Serve),
    /// Show the configuration.
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Manage the users who may log in to `graft serve`.
    #[command(subcommand)]
    Users(people::Users),
    /// Manage API tokens for programs.
    #[command(subcommand)]
    Tokens(people::Tokens),
    /// Print the OpenAPI 3.1 description of the API.
    Openapi,
}
