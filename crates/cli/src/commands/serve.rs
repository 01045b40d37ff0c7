use std::{io::IsTerminal as _, sync::Arc};

use clap::{Args, ValueEnum};
use graft_core::ComputeDevice;
use graft_engine::{Engine, Say, WorkerOptions};
use graft_server::{App, AppState, Error as ServerError};
use tokio::{net::TcpListener, runtime::Handle, sync::watch, task::spawn_blocking};
use tracing::Level;
use tracing_subscriber::{EnvFilter, Layer as _, filter::FilterExt as _};

use super::LINGER;
use crate::{
    config::Config,
    failure::{Failure, Result},
    output::Reply,
    traces::{self, Sending},
};

/// Run the web service: API, page, queue worker and schedules.
///
/// Ctrl-C or SIGTERM stops it after the requests in progress are answered. Running trainings continue; the next start
/// follows them again.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Address and port [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDRESS:PORT")]
    bind: Option<String>,
    /// Don't run a worker in this process (use `graft worker`).
    #[arg(long)]
    no_worker: bool,
    /// Where answers are computed: auto (the first GPU that works, otherwise the CPU), cpu, gpu or gpu:N.
    #[arg(long, value_name = "DEVICE")]
    device: Option<ComputeDevice>,
    /// Require a login, also on the loopback address.
    #[arg(long)]
    auth: bool,
    /// Public URL, if a reverse proxy terminates TLS.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Log format: text, or one JSON object per line.
    #[arg(long, value_enum, value_name = "FORM")]
    log_format: Option<LogFormat>,
}

/// Log formats.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

impl Serve {
    fn flags(&self) -> [(&'static str, &'static str, Option<String>); 6] {
        let format = self.log_format.map(|format| match format {
            LogFormat::Text => "text".to_owned(),
            LogFormat::Json => "json".to_owned(),
        });
        [
            ("bind", "--bind", self.bind.clone()),
            ("device", "--device", self.device.map(|device| device.to_string())),
            ("auth", "--auth", self.auth.then(|| "true".to_owned())),
            ("worker", "--no-worker", self.no_worker.then(|| "false".to_owned())),
            ("public_url", "--public-url", self.public_url.clone()),
            ("log_format", "--log-format", format),
        ]
    }
}

/// `is_new`: the database was just created.
pub(crate) async fn run(engine: &Engine, command: Serve, is_new: bool) -> Result<Reply> {
    let config = Config::load(engine.home.path(), &command.flags())?;
    let _traces = log(&config)?;
    let server = config.server()?;
    let bind = server.bind;
    let engine = &engine.on_device(config.device()?);
    let state = App::new(engine.clone(), server).await?;
    let listener = TcpListener::bind(bind).await.map_err(|source| ServerError::Listen { bind, source })?;
    eprint!("{}", banner(&state, &listener, is_new)?);
    let (stop, stopped) = watch::channel(false);
    let options = config.worker_options(std::env::current_exe().map_err(graft_engine::Error::TrainerStart)?)?;
    // A worker reads and writes files, whose disk may hang: no request waits for that.
    let (handle, for_worker) = (Handle::current(), engine.clone());
    let start = || spawn_blocking(move || handle.block_on(work(for_worker, options, stopped)));
    let worker = config.worker()?.then(start);
    // A worker looks after rented machines and sends alerts, too.
    let others = worker.is_none().then(|| tokio::spawn(watch_others(engine.clone(), stop.subscribe())));
    graft_server::serve(state, listener, told_to_stop()).await;
    stop.send_replace(true);
    if let Some(others) = others {
        others.abort();
    }
    if let Some(worker) = worker {
        // It has logged what it has to say; or it waits for a disk.
        let _ = tokio::time::timeout(LINGER, worker).await;
    }
    eprintln!("Graft has stopped. Running trainings continue, and the next start follows them again.");
    Ok(Reply::silent())
}

fn say() -> Say {
    Arc::new(|level: Level, line: &str| match level {
        Level::ERROR => tracing::error!(target: "worker", "{line}"),
        Level::WARN => tracing::warn!(target: "worker", "{line}"),
        _ => tracing::info!(target: "worker", "{line}"),
    })
}

/// Terminates rented machines that no live run needs, and sends alerts, until it is stopped or aborted.
async fn watch_others(engine: Engine, stopped: watch::Receiver<bool>) {
    let say = say();
    tokio::join!(engine.machines().watch_rentals(&say), engine.alerts().run(stopped, false, &say));
}

/// Runs the queue and the schedules until it is stopped.
async fn work(engine: Engine, options: WorkerOptions, stopped: watch::Receiver<bool>) {
    if let Err(error) = engine.runs().work(options, stopped.clone(), say()).await {
        tracing::error!(error = ?error, "the worker has stopped; runs wait until the server is started again");
        watch_others(engine, stopped).await;
    }
}

/// Prints the address and how to log in.
fn banner(state: &AppState, listener: &TcpListener, is_new: bool) -> Result<String> {
    let bind = listener.local_addr().unwrap_or(state.config.bind);
    let url = state.config.public_url.clone().unwrap_or_else(|| format!("http://{bind}"));
    let mut text = format!("Graft {} at {}\n", env!("CARGO_PKG_VERSION"), url.trim_end_matches('/'));
    let (home, new) = (state.engine.home.path().display(), if is_new { " (new)" } else { "" });
    text += &format!("  home      {home}\n  database  {}{new}\n", state.engine.database());
    if !graft_server::page::is_built() {
        text += "  page      not built; open the address for instructions\n";
    }
    if state.auth.required() && !state.auth.has_credentials() {
        let token = state.auth.first_token()?;
        text += &format!("  log in    {}/?token={token} (once)\n", url.trim_end_matches('/'));
        text += "  then      add a user: `graft users add NAME --role admin`\n";
    } else if !state.auth.required() {
        text += "  no login is needed on this machine; `graft users add` changes that\n";
    }
    Ok(text)
}

/// Waits for Ctrl-C or SIGTERM.
pub(super) async fn told_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    // Without signals there is nothing to wait for but the process's end.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Starts logging to stderr and, if configured, sending traces.
pub(super) fn log(config: &Config) -> Result<Option<Sending>> {
    let wanted = config.get("log").0;
    let filter = EnvFilter::try_new(wanted);
    let filter =
        filter.map_err(|_| Failure::usage(format!("use `{wanted}` for `log`"), "such as `info`, or `warn`"))?;
    // Spans are for collectors.
    let no_spans = tracing_subscriber::filter::filter_fn(|about| about.is_event());
    let log = tracing_subscriber::fmt::layer().with_target(false).with_writer(std::io::stderr);
    let log = match config.get("log_format").0 {
        "json" => log.json().with_filter(filter.and(no_spans)).boxed(),
        "text" => log.with_ansi(std::io::stderr().is_terminal()).with_filter(filter.and(no_spans)).boxed(),
        other => return Err(Failure::usage(format!("use `{other}` for `log_format`"), "`text` or `json`")),
    };
    traces::begin(config, Some(log))
}
