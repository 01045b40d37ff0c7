//! The service's configuration: files, environment, flags; later sources override earlier ones.

mod file;

use std::{
    collections::BTreeMap,
    env, fmt,
    num::NonZeroU32,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

use graft_core::{ComputeDevice, without_secrets};
use graft_engine::{
    AlertOptions, AskAiSettings, AskAiTraining, Drafts, EmailOptions, Places, RENTAL_SETTINGS, RENTAL_TYPES, Receivers,
    TrackerAccess, Trackers, TrackingOptions, WorkerOptions, check_rental_settings, records::Admins, serving,
};
use graft_server::ServerConfig;

use crate::failure::{Failure, Result};

/// What can be configured.
pub(crate) const KEYS: [Key; 57] = [
    Key::new("database", "GRAFT_DATABASE", "", "path or Postgres URL; graft.db in GRAFT_HOME otherwise").in_either(),
    Key::new("artifacts", "GRAFT_ARTIFACTS", "", "bucket for published adapters: s3://, gs://, az:// or file://"),
    Key::new("bind", "GRAFT_BIND", "127.0.0.1:8080", "address and port to listen on"),
    Key::new("auth", "GRAFT_AUTH", "false", "whether a login is required on the loopback address too"),
    Key::new("public_url", "GRAFT_PUBLIC_URL", "", "the public address, if a reverse proxy terminates TLS"),
    Key::new("allowed_hosts", "GRAFT_ALLOWED_HOSTS", "", "host names of this server"),
    Key::new("allowed_origins", "GRAFT_ALLOWED_ORIGINS", "", "origins of other pages that may send requests"),
    Key::new("model_roots", "GRAFT_MODEL_ROOTS", "", "folders that may contain softPromptModelDir"),
    Key::new("ask_ai_database", "GRAFT_ASK_AI_DATABASE", "", "Ask AI's database, imported before its trainings")
        .in_either(),
    Key::new(
        "ask_ai_drafts",
        "GRAFT_ASK_AI_DRAFTS",
        "approve",
        "how to import its drafts: `approve`, `pending` or `skip`",
    ),
    Key::new("ask_ai_base", "GRAFT_ASK_AI_BASE", "", "base model of /api/v1/admin/training/trigger"),
    Key::new(
        "soft_prompt_enabled",
        "SOFT_PROMPT_ENABLED",
        "false",
        "softPromptEnabled, until it is changed on the page or with the API",
    ),
    Key::new(
        "soft_prompt_model_dir",
        "SOFT_PROMPT_MODEL_DIR",
        "data/ask_ai_soft_prompt",
        "softPromptModelDir, likewise",
    ),
    Key::new(
        "soft_prompt_confidence_threshold",
        "SOFT_PROMPT_CONFIDENCE_THRESHOLD",
        "0.85",
        "softPromptConfidenceThreshold, likewise",
    ),
    Key::new("session_hours", "GRAFT_SESSION_HOURS", "168", "hours until a session ends"),
    Key::new("patience", "GRAFT_PATIENCE", "30", "seconds allowed for a request's head, or for each 4 KiB of its body"),
    Key::new("device", "GRAFT_DEVICE", "auto", "where answers are computed: `auto`, `cpu`, `gpu` or `gpu:N`"),
    Key::new("serving_lanes", "GRAFT_SERVING_LANES", "12", "answers generated at the same time, per base model"),
    Key::new("serving_queue", "GRAFT_SERVING_QUEUE", "64", "waiting requests, per base model"),
    Key::new("serving_cache", "GRAFT_SERVING_CACHE", "512", "MiB of KV cache, per base model"),
    Key::new("serving_memory", "GRAFT_SERVING_MEMORY", "2048", "MiB of all base models and adapters together"),
    Key::new("serving_preload", "GRAFT_SERVING_PRELOAD", "true", "whether active versions are loaded at the start"),
    Key::new("worker", "GRAFT_WORKER", "true", "whether `graft serve` executes queued runs"),
    Key::new("worker_slots", "GRAFT_WORKER_SLOTS", "", "CPU threads for all runs together; default: all but one"),
    Key::new("worker_nice", "GRAFT_WORKER_NICE", "10", "`nice` value of trainers, from 0 to 19"),
    Key::new("worker_lease", "GRAFT_WORKER_LEASE", "30", "lease of a run in seconds"),
    Key::new("worker_backoff", "GRAFT_WORKER_BACKOFF", "10", "seconds before the first retry"),
    Key::new(
        "worker_suggestions",
        "GRAFT_WORKER_SUGGESTIONS",
        "true",
        "whether workers suggest answers for pending examples",
    ),
    Key::new("worker_schedules", "GRAFT_WORKER_SCHEDULES", "true", "whether workers handle schedules"),
    Key::new("rent_types", "GRAFT_RENT_TYPES", RENTAL_TYPES, "types that may be rented"),
    Key::new("rent_regions", "GRAFT_RENT_REGIONS", "", "regions in which machines may be rented; default: all"),
    Key::new("rent_run_limit", "GRAFT_RENT_RUN_LIMIT", "5", "cost limit for the machines of a run in US dollars"),
    Key::new(
        "rent_month_limit",
        "GRAFT_RENT_MONTH_LIMIT",
        "50",
        "cost limit for rented machines per month in US dollars",
    ),
    Key::new("rent_minutes", "GRAFT_RENT_MINUTES", "120", "minutes until a rented machine is terminated"),
    Key::new(
        "rent_silence",
        "GRAFT_RENT_SILENCE",
        "900",
        "seconds without contact until a rented machine shuts itself down",
    ),
    Key::new("rent_user", "GRAFT_RENT_USER", "ubuntu", "login name on rented machines"),
    Key::new("log", "GRAFT_LOG", "info", "log level: error, warn, info, debug, or a filter of tracing"),
    Key::new("log_format", "GRAFT_LOG_FORMAT", "text", "`text` or `json`"),
    Key::new("traces", "OTEL_EXPORTER_OTLP_ENDPOINT", "", "OpenTelemetry collector (OTLP over HTTP) for traces"),
    Key::new("mlflow", "MLFLOW_TRACKING_URI", "", "MLflow server to which runs are sent").in_either(),
    Key::new("mlflow_username", "MLFLOW_TRACKING_USERNAME", "", "its user"),
    Key::secret("mlflow_password", "MLFLOW_TRACKING_PASSWORD", "that user's password"),
    Key::secret("mlflow_token", "MLFLOW_TRACKING_TOKEN", "a token instead of user and password"),
    Key::new("mlflow_certificates", "MLFLOW_TRACKING_SERVER_CERT_PATH", "", "PEM file of accepted certificates"),
    Key::new("mlflow_insecure", "MLFLOW_TRACKING_INSECURE_TLS", "false", "whether any certificate is accepted"),
    Key::new(
        "metrics",
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
        "",
        "OpenTelemetry collector for metrics of runs: its full URL (OTLP over HTTP)",
    ),
    Key::secret("alert_webhook", "GRAFT_ALERT_WEBHOOK", "URL to which alerts are sent as JSON"),
    Key::secret("alert_webhook_secret", "GRAFT_ALERT_WEBHOOK_SECRET", "the secret that signs these requests"),
    Key::new("alert_smtp", "GRAFT_ALERT_SMTP", "", "mail server for alerts: smtps://user@host or smtp://user@host")
        .in_either(),
    Key::secret("alert_smtp_password", "GRAFT_ALERT_SMTP_PASSWORD", "that user's password"),
    Key::new("alert_from", "GRAFT_ALERT_FROM", "", "sender of these emails"),
    Key::new("alert_to", "GRAFT_ALERT_TO", "", "receivers of these emails"),
    Key::new("digest", "GRAFT_DIGEST", "", "when the daily digest is sent: HH:MM; none without it"),
    Key::new("digest_zone", "GRAFT_DIGEST_ZONE", "", "time zone of `digest`; default: this machine's"),
    Key::secret("password", "GRAFT_PASSWORD", "password of the user `admin`"),
    Key::secret("agent_token", "GRAFT_AGENT_TOKEN", "the token that `graft agent` shows its server"),
    Key::secret("token", "GRAFT_TOKEN", "a token with the role `admin`"),
];

/// One thing that can be configured.
#[derive(Debug)]
pub(crate) struct Key {
    /// As in the file.
    pub(crate) name: &'static str,
    /// The environment's variable.
    pub(crate) variable: &'static str,
    /// Without any of them.
    default: &'static str,
    /// For people.
    pub(crate) about: &'static str,
    /// Which file it is kept in.
    kept: Kept,
}

/// Which file a key is kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    /// `config.toml`.
    Open,
    /// `secrets.toml`; never shown.
    Secret,
    /// An address: in `config.toml` without a password, in `secrets.toml` with one, which is never shown.
    Either,
}

impl Key {
    const fn new(name: &'static str, variable: &'static str, default: &'static str, about: &'static str) -> Self {
        Self { name, variable, default, about, kept: Kept::Open }
    }

    const fn secret(name: &'static str, variable: &'static str, about: &'static str) -> Self {
        Self { name, variable, default: "", about, kept: Kept::Secret }
    }
}

impl Key {
    const fn in_either(self) -> Self {
        Self { kept: Kept::Either, ..self }
    }

    /// Whether its value is never shown.
    pub(crate) fn is_secret(&self) -> bool {
        self.kept == Kept::Secret
    }

    fn belongs_into(&self, secrets: bool) -> bool {
        self.kept == Kept::Either || self.is_secret() == secrets
    }
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nobody gave one.
    Default,
    /// A file, and the line in it.
    File(PathBuf, usize),
    /// A variable.
    Environment(&'static str),
    /// A flag.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) | Self::Flag(name) => f.write_str(name),
        }
    }
}

/// Every value with its origin.
#[derive(Debug)]
pub(crate) struct Config(BTreeMap<&'static str, (String, Origin)>);

impl Config {
    /// Reads `config.toml` and `secrets.toml` of a home, then the environment, then flags (name, flag, value).
    ///
    /// # Errors
    /// The first of the problems that [`read`](Self::read) finds.
    pub(crate) fn load(home: &Path, flags: &[(&'static str, &'static str, Option<String>)]) -> Result<Self> {
        let (mut config, problems) = Self::read(home);
        if let Some(problem) = problems.into_iter().next() {
            return Err(problem);
        }
        for (name, flag, value) in flags {
            if let Some(value) = value {
                config.0.insert(name, (value.clone(), Origin::Flag(flag)));
            }
        }
        Ok(config)
    }

    /// Everything but flags, as far as it can be read, and all that is wrong with the files.
    pub(crate) fn read(home: &Path) -> (Self, Vec<Failure>) {
        let mut config = Self(KEYS.iter().map(|key| (key.name, (key.default.to_owned(), Origin::Default))).collect());
        let named = env::var_os("GRAFT_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from);
        let mut problems = Vec::new();
        for (path, secrets) in
            [(named.unwrap_or_else(|| home.join("config.toml")), false), (home.join("secrets.toml"), true)]
        {
            let (values, found) = file::read(&path, secrets);
            config.0.extend(values);
            problems.extend(found);
        }
        for key in &KEYS {
            // An empty variable is none, as for the home and the database.
            if let Some(value) = env::var(key.variable).ok().filter(|value| !value.is_empty()) {
                config.0.insert(key.name, (value, Origin::Environment(key.variable)));
            }
        }
        (config, problems)
    }

    /// Whether everything in it can be used.
    ///
    /// # Errors
    /// The first value that can't.
    pub(crate) fn check(&self) -> Result<()> {
        self.server()?;
        self.worker()?;
        self.ask_ai_settings()?;
        self.trackers()?;
        self.receivers()?;
        check_rental_settings(&self.places().rentals)?;
        self.worker_options(PathBuf::new()).map(drop)
    }

    /// A value with its origin.
    pub(crate) fn get(&self, name: &str) -> (&str, &Origin) {
        self.0.get(name).map_or(("", &Origin::Default), |(value, origin)| (value.as_str(), origin))
    }

    /// The same for people; secrets are only said to be there.
    pub(crate) fn shown(&self, key: &Key) -> String {
        match (key.kept, self.get(key.name).0) {
            (_, "") => String::new(),
            (Kept::Secret, _) => "(set)".to_owned(),
            (Kept::Either, value) => without_secrets(value),
            (Kept::Open, value) => value.to_owned(),
        }
    }

    fn parsed<T: std::str::FromStr>(&self, name: &str, wanted: &str) -> Result<T> {
        self.get(name).0.trim().parse().map_err(|_| self.refuse(name, wanted))
    }

    /// Yes or no, also in the words that other services' variables have for it.
    fn flag(&self, name: &str) -> Result<bool> {
        match self.get(name).0.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            _ => Err(self.refuse(name, "`true` or `false`")),
        }
    }

    fn refuse(&self, name: &str, wanted: &str) -> Failure {
        let (value, origin) = self.get(name);
        let value = without_secrets(value);
        Failure::usage(format!("use `{value}` for `{name}` (from {origin})"), wanted.to_owned())
    }

    fn list(&self, name: &str) -> Vec<String> {
        self.get(name).0.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }

    fn some(&self, name: &str) -> Option<String> {
        Some(self.get(name).0.to_owned()).filter(|value| !value.is_empty())
    }

    /// Whether this process takes runs from the queue.
    pub(crate) fn worker(&self) -> Result<bool> {
        self.flag("worker")
    }

    /// Where state is stored besides the home, and the limits for rented machines.
    pub(crate) fn places(&self) -> Places {
        let of = |variable: &'static str| {
            let key = KEYS.iter().find(|key| key.variable == variable)?;
            Some((variable, self.some(key.name)?))
        };
        let rentals = RENTAL_SETTINGS.iter().filter_map(|(variable, _)| of(variable)).collect();
        Places { database: self.some("database"), artifacts: self.some("artifacts"), rentals }
    }

    /// The trackers of runs.
    pub(crate) fn trackers(&self) -> Result<Trackers> {
        let mlflow = TrackerAccess {
            username: self.some("mlflow_username"),
            password: self.some("mlflow_password"),
            token: self.some("mlflow_token"),
            ca_file: self.some("mlflow_certificates").map(PathBuf::from).or_else(certificates),
            insecure: self.flag("mlflow_insecure")?,
            ..TrackerAccess::default()
        };
        let otlp = TrackerAccess { headers: otlp_headers(), ..TrackerAccess::default() };
        Ok(Trackers::open(TrackingOptions {
            mlflow: self.some("mlflow").map(|address| (address, mlflow)),
            otlp: self.some("metrics").map(|address| (address, otlp)),
            url: self.some("public_url"),
        })?)
    }

    /// The receivers of alerts.
    pub(crate) fn receivers(&self) -> Result<Receivers> {
        let email = self.some("alert_smtp").map(|server| EmailOptions {
            server,
            password: self.some("alert_smtp_password"),
            from: self.get("alert_from").0.to_owned(),
            to: self.list("alert_to"),
            ca_file: None,
        });
        Ok(Receivers::open(AlertOptions {
            webhook: self.some("alert_webhook"),
            webhook_secret: self.some("alert_webhook_secret"),
            email,
            ca_file: certificates(),
            url: self.some("public_url"),
            digest: self.some("digest"),
            zone: self.some("digest_zone"),
        })?)
    }

    /// What an agent shows its server.
    pub(crate) fn agent_token(&self) -> Option<String> {
        self.some("agent_token")
    }

    /// Where answers are computed.
    pub(crate) fn device(&self) -> Result<ComputeDevice> {
        self.parsed("device", "`auto`, `cpu`, `gpu` or `gpu:N`")
    }

    /// Where administrators can come from.
    pub(crate) fn admins(&self) -> Admins {
        let configured = self.some("password").or_else(|| self.some("token")).is_some();
        if configured { Admins::Configured } else { Admins::Stored }
    }

    /// How runs are worked at by `program`.
    pub(crate) fn worker_options(&self, program: PathBuf) -> Result<WorkerOptions> {
        let usual = WorkerOptions::new(program);
        let slots = match self.some("worker_slots") {
            Some(_) => self.parsed::<u32>("worker_slots", "a number of threads")?.max(1),
            None => usual.slots,
        };
        Ok(WorkerOptions {
            slots,
            nice: self.within("worker_nice", 0..=19)?,
            lease: self.seconds("worker_lease")?,
            backoff: self.seconds("worker_backoff")?,
            suggestions: self.flag("worker_suggestions")?,
            schedules: self.flag("worker_schedules")?,
            ..usual
        })
    }

    /// A number of seconds above 0.
    fn seconds(&self, name: &str) -> Result<Duration> {
        let wanted = "a number of seconds from 0.01 to 1000000";
        let number: f64 = self.parsed(name, wanted)?;
        if (0.01..=1e6).contains(&number) {
            Ok(Duration::from_secs_f64(number))
        } else {
            Err(self.refuse(name, wanted))
        }
    }

    fn within<T>(&self, name: &str, range: RangeInclusive<T>) -> Result<T>
    where
        T: std::str::FromStr + PartialOrd + fmt::Display,
    {
        let wanted = format!("a number from {} to {}", range.start(), range.end());
        let number: T = self.parsed(name, &wanted)?;
        if range.contains(&number) { Ok(number) } else { Err(self.refuse(name, &wanted)) }
    }

    fn serving(&self) -> Result<serving::Options> {
        let mebibytes = |name| Ok::<_, Failure>(self.within::<usize>(name, 1..=1 << 24)? << 20);
        let slots = self.within("serving_lanes", 1..=256)?;
        // A GPU generates more answers at once, unless the number is configured.
        let is_said = *self.get("serving_lanes").1 != Origin::Default;
        Ok(serving::Options {
            slots,
            gpu_slots: if is_said { slots } else { serving::Options::default().gpu_slots },
            device: self.device()?,
            queue: self.within("serving_queue", 1..=100_000)?,
            cache_bytes: mebibytes("serving_cache")?,
            memory: mebibytes("serving_memory")?,
            preload: self.flag("serving_preload")?,
        })
    }

    fn ask_ai(&self) -> Result<AskAiTraining> {
        let drafts = match self.get("ask_ai_drafts").0 {
            "approve" => Drafts::Approve,
            "pending" => Drafts::Pending,
            "skip" => Drafts::Skip,
            _ => return Err(self.refuse("ask_ai_drafts", "`approve`, `pending` or `skip`")),
        };
        Ok(AskAiTraining { database: self.some("ask_ai_database"), drafts, base: self.some("ask_ai_base") })
    }

    /// The Ask AI service's settings, until they are changed on the page or with the API.
    pub(crate) fn ask_ai_settings(&self) -> Result<AskAiSettings> {
        Ok(AskAiSettings {
            soft_prompt_enabled: self.flag("soft_prompt_enabled")?,
            soft_prompt_model_dir: self.get("soft_prompt_model_dir").0.to_owned(),
            soft_prompt_confidence_threshold: self.within("soft_prompt_confidence_threshold", 0.0..=1.0)?,
        })
    }

    /// What the server needs to know.
    pub(crate) fn server(&self) -> Result<ServerConfig> {
        let url = self.some("public_url");
        if url.as_deref().is_some_and(|url| !url.starts_with("https://") && !url.starts_with("http://")) {
            return Err(Failure::usage("use this `public_url`", "it must begin with https:// or http://"));
        }
        Ok(ServerConfig {
            bind: self.parsed("bind", "an address and a port, such as 127.0.0.1:8080")?,
            allowed_hosts: self.list("allowed_hosts"),
            allowed_origins: self.list("allowed_origins"),
            public_url: url,
            answers_only: false,
            auth: self.flag("auth")?,
            password: self.some("password"),
            token: self.some("token"),
            model_roots: self.list("model_roots").into_iter().map(PathBuf::from).collect(),
            ask_ai: self.ask_ai()?,
            session_hours: self.parsed::<NonZeroU32>("session_hours", "a number of hours, at least 1")?.get(),
            patience: self.seconds("patience")?,
            serving: self.serving()?,
        })
    }
}

/// Certificates to trust instead of the usual ones, as other programs take them.
pub(crate) fn certificates() -> Option<PathBuf> {
    env::var_os("SSL_CERT_FILE").filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// Headers for a collector, as OpenTelemetry writes them: `name=value,name=value`.
fn otlp_headers() -> Vec<(String, String)> {
    let named = ["OTEL_EXPORTER_OTLP_METRICS_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"].map(env::var);
    let text = named.into_iter().flatten().find(|text| !text.is_empty()).unwrap_or_default();
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect()
}
