use clap::{Args, Subcommand};
use graft_agent::{Agent as Client, Holder, Options};
use graft_core::{ComputeDevice, Digest};
use graft_engine::{Engine, Error, iso8601};
use graft_server::{App, AppState, ServerConfig};
use serde_json::json;
use tokio::{net::TcpListener, runtime::Handle};

use super::serve::{log, told_to_stop};
use crate::{
    config::{Config, certificates},
    failure::{Failure, Result},
    output::{Reply, Table},
};

/// Where an agent answers, unless somebody says otherwise: beside a server on the same machine.
const BIND: &str = "127.0.0.1:8090";

/// Hold the active version of a task and answer with it, also while the server can't be reached.
///
/// The agent has a GRAFT_HOME of its own, without other versions. It takes each version that the server tells it of,
/// checks it, answers with it at its own address as the server does, and reports. The server's token for it is read from
/// GRAFT_AGENT_TOKEN.
#[derive(Debug, Args)]
pub(crate) struct Agent {
    /// URL of the server.
    #[arg(long, value_name = "URL")]
    server: String,
    /// Task whose active version is held.
    #[arg(long)]
    task: String,
    /// Name of this agent, unique within the task [default: this machine's name].
    #[arg(long)]
    name: Option<String>,
    /// Wave from 1 to 100: new versions go to wave 1 first.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    wave: u32,
    /// Address and port to answer at [default: 127.0.0.1:8090].
    #[arg(long, value_name = "ADDRESS:PORT")]
    bind: Option<String>,
    /// Where answers are computed: auto (the first GPU that works, otherwise the CPU), cpu, gpu or gpu:N.
    #[arg(long, value_name = "DEVICE")]
    device: Option<ComputeDevice>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Agents {
    /// List the agents of a task: what they hold, and how far they are with the active version.
    List {
        /// Task; needed if several tasks have versions.
        task: Option<String>,
    },
    /// Forget an agent, so that another token may use its name. One that still runs comes back.
    Remove {
        /// Name.
        name: String,
        /// Task; needed if several tasks have versions.
        #[arg(long)]
        task: Option<String>,
    },
}

pub(crate) async fn run(engine: &Engine, command: Agent) -> Result<Reply> {
    engine.agents().check_home().await?;
    let bind = command.bind.clone().unwrap_or_else(|| BIND.to_owned());
    let device = command.device.map(|device| device.to_string());
    let config = Config::load(engine.home.path(), &[("bind", "--bind", Some(bind)), ("device", "--device", device)])?;
    let _traces = log(&config)?;
    let client = Client::new(Options {
        server: command.server.clone(),
        token: config.agent_token(),
        task: command.task.clone(),
        name: command.name.clone().unwrap_or_else(machine),
        wave: command.wave,
        ca_file: certificates(),
    })?;
    let server = ServerConfig { answers_only: true, ..config.server()? };
    let bind = server.bind;
    let state = App::new(engine.on_device(config.device()?), server).await?;
    let listener = TcpListener::bind(bind).await.map_err(|source| graft_server::Error::Listen { bind, source })?;
    let (here, home) = (listener.local_addr().unwrap_or(bind), engine.home.path().display());
    let Agent { server, task, .. } = &command;
    eprintln!("Graft agent {} at http://{here}", env!("CARGO_PKG_VERSION"));
    eprintln!("  home      {home}\n  task      {task}\n  server    {server}");
    // What an agent that was killed left behind is in nobody's way for an hour.
    let _ = engine.upkeep().sweep(1).await;
    let mut keeper = Keeper { state: AppState::clone(&state), task: command.task, handle: Handle::current() };
    let thread = std::thread::Builder::new().name("agent".into()).spawn(move || client.follow(&mut keeper));
    thread.map_err(|source| Failure::from(Error::Io { doing: "start", path: "the agent's thread".into(), source }))?;
    graft_server::serve(state, listener, told_to_stop()).await;
    Ok(Reply::silent())
}

/// The registry of this home holds the version, and its serving answers with it.
struct Keeper {
    state: AppState,
    task: String,
    handle: Handle,
}

impl Holder for Keeper {
    fn held(&self) -> Option<Digest> {
        // What can't answer is not held: the server tells of it again, and it is repaired.
        let held = self.handle.block_on(self.state.engine.agents().held(&self.state.serving, &self.task));
        held.unwrap_or_else(|error| {
            tracing::warn!("failed to {}", graft_core::with_causes(&error));
            None
        })
    }

    fn hold(&mut self, bundle: &[u8]) -> std::result::Result<(), String> {
        let held = self.handle.block_on(self.state.engine.agents().hold(&self.state.serving, &self.task, bundle));
        held.map(drop).map_err(|error| {
            let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
            format!("failed to {}{hint}", graft_core::with_causes(&error))
        })
    }
}

/// The name of this machine, as far as a name may look like that.
fn machine() -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let name: String = graft_engine::host().chars().map(|c| if plain(c) { c } else { '-' }).collect();
    if name.starts_with(|c: char| c.is_ascii_alphanumeric()) { name } else { format!("agent-{name}") }
}

pub(crate) async fn agents(engine: &Engine, command: Agents) -> Result<Reply> {
    match command {
        Agents::List { task } => {
            let task = engine.versions().task_with_versions(task.as_deref()).await?;
            let report = engine.agents().of_task(&task).await?;
            let mut table = Table::new(["name", "wave", "state", "holds", "digest", "last seen", "graft", "problem"]);
            for view in &report.agents {
                let agent = &view.agent;
                let digest = agent.held.as_ref().map(|digest| digest.short().to_owned());
                table.row([
                    agent.name.clone(),
                    agent.wave.to_string(),
                    format!("{}{}", agent.state.name(), if view.away { ", away" } else { "" }),
                    agent.held_version.clone().unwrap_or_default(),
                    digest.unwrap_or_default(),
                    iso8601(agent.seen_at),
                    agent.graft.clone(),
                    agent.problem.clone().unwrap_or_default(),
                ]);
            }
            let text = if report.agents.is_empty() { String::new() } else { format!("{table}\n") };
            let text = format!("{text}{}\n", report.next);
            Ok(Reply::new(&report, text))
        }
        Agents::Remove { name, task } => {
            let task = engine.versions().task_with_versions(task.as_deref()).await?;
            let agent = engine.agents().remove(&task, &name).await?;
            Ok(Reply::new(json!({"agent": agent}), format!("Agent {name} of {task} is forgotten.")))
        }
    }
}
