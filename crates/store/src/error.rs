use std::borrow::Cow;

use graft_core::{Digest, ExitCode};

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Errors of the store. Each message fits "failed to …"; the cause is the source and is not repeated.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    // Opening and reaching the database.
    /// The database can't be opened; the source says why.
    #[error("open the database `{database}`")]
    Open {
        /// Path or URL, without its password.
        database: String,
        /// Why.
        #[source]
        source: Box<Error>,
    },
    /// The database can be read but not written.
    #[error("write to `{database}`")]
    Refused {
        /// Path or URL, without its password.
        database: String,
        /// Why.
        #[source]
        source: Box<Error>,
    },
    /// The path or URL can't name a database.
    #[error("understand the database's address")]
    Address(#[source] Cause),
    /// The file or its folder can't be made or opened.
    #[error("open or make the database's file")]
    File(#[source] Cause),
    /// The server does not answer, or refuses this user.
    #[error("reach the database server")]
    Unreachable(#[source] Cause),
    /// No connection was free or could be made in time; the pool does not say which.
    #[error("get a connection to the database in time")]
    NoConnection(#[source] Cause),
    /// Another writer did not finish in time.
    #[error("write to the database while another process holds its lock")]
    Locked(#[source] Cause),
    /// The file, its folder or the server refuses writes.
    #[error("write to a database that is read-only")]
    ReadOnly(#[source] Cause),
    /// The disk is full or failing.
    #[error("write to the database's disk")]
    Disk(#[source] Cause),
    /// The file is no SQLite database.
    #[error("read a file that is not a SQLite database")]
    NotADatabase(#[source] Cause),
    /// Pages or stored values can't be read.
    #[error("read the database, which is damaged")]
    Damaged(#[source] Cause),
    /// A database that belongs to another program.
    #[error("use a database that holds the tables of another program")]
    Foreign,
    /// Written by a newer Graft.
    #[error("use a database of schema {found}; this version of Graft knows schema {known}")]
    NewerSchema {
        /// Schema of the database.
        found: i64,
        /// Newest schema of this program.
        known: i64,
    },
    /// A statement failed in a way that no other variant describes.
    #[error("run a database statement")]
    Sql(#[source] Cause),

    // Invalid arguments.
    /// A name that is not in a closed set.
    #[error("understand `{name}` as {set}")]
    UnknownName {
        /// The set's name.
        set: &'static str,
        /// What was given.
        name: String,
        /// The valid names.
        known: String,
    },
    /// A name that can't be used.
    #[error("use `{name}` as the name of a {what}")]
    BadName {
        /// Version, run, setting or base.
        what: &'static str,
        /// What was given.
        name: String,
    },
    /// An example that can't be stored.
    #[error("import example `{id}`: {problem}")]
    BadExample {
        /// Its id, or its row number if it has none.
        id: String,
        /// What is wrong with it.
        problem: &'static str,
    },

    /// The database failed during a large import, after some parts were stored.
    #[error("store all {of} examples: the first {stored} are stored")]
    Partly {
        /// Number of examples that are stored.
        stored: usize,
        /// Number of examples in the import.
        of: usize,
        /// Why.
        #[source]
        source: Box<Error>,
    },

    // Tasks.
    /// No such task is stored.
    #[error("find the task `{0}`")]
    NoTask(String),
    /// Another task, or examples of one, have the name.
    #[error("add the task `{0}`: the name is taken")]
    TaskExists(String),
    /// Another person changed the task meanwhile.
    #[error("change the task `{task}`: it is at revision {found} and no longer at {expected}")]
    TaskChanged {
        /// The task.
        task: String,
        /// The revision that was seen.
        expected: i64,
        /// The newest one.
        found: i64,
    },

    // Examples and datasets.
    /// No such example.
    #[error("find example `{id}` of task `{task}`")]
    NoExample {
        /// Task asked for.
        task: String,
        /// Id asked for.
        id: String,
    },
    /// An example without an output can't be approved.
    #[error("approve example `{id}`, which has no output")]
    NoOutput {
        /// The example.
        id: String,
    },
    /// A dataset names a revision that was never stored.
    #[error("find revision {revision} of example `{id}` of task `{task}`")]
    NoRevision {
        /// Task of the dataset.
        task: String,
        /// The example.
        id: String,
        /// The revision.
        revision: u32,
    },
    /// A dataset puts an example on the other side than an earlier dataset did.
    #[error("move example `{id}` to the other side of the split of task `{task}`")]
    SplitChanged {
        /// Task of the dataset.
        task: String,
        /// The example.
        id: String,
    },
    /// No such dataset.
    #[error("find dataset `{}` of task `{task}`", digest.short())]
    NoDataset {
        /// Task asked for.
        task: String,
        /// Digest asked for.
        digest: Digest,
    },

    // Runs.
    /// No such run.
    #[error("find run `{0}`")]
    NoRun(String),
    /// The id is taken.
    #[error("add run `{0}`: a run of that name exists")]
    RunExists(String),
    /// The task already has a queued or running run.
    #[error("start a run of task `{task}` while run `{run}` is active")]
    RunActive {
        /// The task.
        task: String,
        /// The run that is in the way.
        run: String,
    },
    /// A transition that the run's state does not allow.
    #[error("change run `{run}` from {from} to {to}")]
    RunState {
        /// The run.
        run: String,
        /// Its state.
        from: &'static str,
        /// The state asked for.
        to: &'static str,
    },

    /// Another process holds the run.
    #[error("take run `{run}`, which `{owner}` holds")]
    LeaseHeld {
        /// The run.
        run: String,
        /// Who holds it.
        owner: String,
    },
    /// Another process took the run over, so nothing was written.
    #[error("write about run `{run}`, which another worker took over")]
    LeaseLost {
        /// The run.
        run: String,
    },

    // Reviews.
    /// The example changed since the caller read it.
    #[error("change example `{}`, which another person changed", current.id)]
    Conflict {
        /// As it is now.
        current: Box<graft_core::Example>,
    },
    /// There is no review to undo.
    #[error("undo a review of example `{id}`, which has none")]
    NothingToUndo {
        /// The example.
        id: String,
    },

    // Studies, schedules and people.
    /// No such study.
    #[error("find study `{0}`")]
    NoStudy(String),
    /// A task has one study that runs.
    #[error("search for settings of task `{task}`: study `{study}` is running")]
    StudyActive {
        /// The task.
        task: String,
        /// Its study.
        study: String,
    },
    /// No such batch.
    #[error("find batch `{0}`")]
    NoBatch(String),
    /// The name is taken.
    #[error("add batch `{0}`: a batch of that name exists")]
    BatchExists(String),
    /// A change that the batch's state does not allow.
    #[error("change batch `{batch}` from {from} to {to}")]
    BatchState {
        /// The batch.
        batch: String,
        /// Its state.
        from: &'static str,
        /// The state asked for.
        to: &'static str,
    },
    /// Another process answers the part now, or the batch is gone.
    #[error("keep answers of part {number} of batch `{batch}`, which another process took over")]
    PartLost {
        /// The batch.
        batch: String,
        /// Number of the part.
        number: u64,
    },
    /// No such submitted text.
    #[error("find text {0}")]
    NoPrompt(u64),
    /// No such schedule.
    #[error("find schedule `{0}`")]
    NoSchedule(String),
    /// The name is taken.
    #[error("add schedule `{0}`: it exists")]
    ScheduleExists(String),
    /// There is no machine of this name.
    #[error("find machine `{0}`")]
    NoMachine(String),
    /// The name is taken.
    #[error("add machine `{0}`: it exists")]
    MachineExists(String),
    /// A run on the machine is active.
    #[error("remove machine `{machine}`: run `{run}` is active on it")]
    MachineBusy {
        /// The machine.
        machine: String,
        /// The run.
        run: String,
    },
    /// Another process has handled this occurrence of the schedule.
    #[error("submit this turn of schedule `{0}`, which another process did")]
    ScheduleMoved(String),
    /// No such user, token or import.
    #[error("find {what} `{name}`")]
    NotFound {
        /// What was looked for.
        what: &'static str,
        /// Name asked for.
        name: String,
    },
    /// After this change everybody would have to log in, but no administrator could.
    #[error("change who may log in: everybody would have to log in, but no administrator could")]
    NoAdmin,
    /// An idempotency key that was used for another request.
    #[error("use idempotency key `{0}` for a different request")]
    KeyReused(String),
    /// A backup that this program can't restore.
    #[error("restore table `{table}`: {problem}")]
    BadDump {
        /// The table.
        table: String,
        /// What is wrong.
        problem: String,
    },
    /// The target of a restore is not empty.
    #[error("restore into a database that is not empty")]
    NotEmpty,

    // Versions and bases.
    /// A stage that must be set in another way.
    #[error("move version `{version}` from {from} to {to}")]
    BadStage {
        /// The version.
        version: String,
        /// Its stage.
        from: &'static str,
        /// The stage asked for.
        to: &'static str,
    },
    /// No such version.
    #[error("find version `{name}` of task `{task}`")]
    NoVersion {
        /// Task asked for.
        task: String,
        /// Name asked for.
        name: String,
    },
    /// The name is taken.
    #[error("add version `{name}` of task `{task}`: it exists")]
    VersionExists {
        /// The task.
        task: String,
        /// The name.
        name: String,
    },
    /// The active version is not the one the caller expected.
    #[error(
        "change the active version of task `{task}`: it is {}, not {}",
        name_or_none(found),
        name_or_none(expected)
    )]
    ActiveChanged {
        /// The task.
        task: String,
        /// The version the caller expected.
        expected: Option<String>,
        /// What is active now.
        found: Option<String>,
    },
    /// The active version can only be deleted with `force`.
    #[error("delete version `{name}` of task `{task}` while it is active")]
    VersionActive {
        /// The task.
        task: String,
        /// The version.
        name: String,
    },
    /// No earlier active version is left.
    #[error("roll back task `{task}`: no earlier active version exists")]
    NothingBefore {
        /// The task.
        task: String,
    },
    /// The task has no adapter that keeps learning.
    #[error("find a live adapter of task `{0}`")]
    NoLive(String),
    /// The task has no roll-out, or none of this number.
    #[error("find {} of task `{task}`", number.map_or_else(|| "a roll-out".to_owned(), |id| format!("roll-out {id}")))]
    NoRollout {
        /// The task.
        task: String,
        /// Its number, if one was named.
        number: Option<i64>,
    },
    /// A roll-out can't start, or can't move to the requested state.
    #[error("roll out a version of task `{task}`: {what}")]
    RolloutRefused {
        /// The task.
        task: String,
        /// Why not.
        what: String,
    },
    /// An agent says what it may not, or what isn't true.
    #[error("believe agent `{name}`: {what}")]
    AgentRefused {
        /// Its name.
        name: String,
        /// Why not.
        what: String,
    },
    /// No such base model.
    #[error("find base model `{0}`")]
    NoBase(String),
}

fn name_or_none(name: &Option<String>) -> String {
    name.as_ref().map_or_else(|| "none".to_owned(), |name| format!("`{name}`"))
}

impl Error {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Open { source, .. } | Self::Refused { source, .. } => return source.hint(),
            Self::Partly { source, .. } => {
                let first = source.hint().map(|hint| format!("{hint}; then ")).unwrap_or_default();
                return Some(format!("{first}import the same again: the stored examples stay, and the rest is added"));
            }
            Self::UnknownName { known, .. } => return Some(format!("one of: {known}")),
            Self::RunActive { run, .. } => {
                return Some(format!("wait for it; `graft runs show {run}` prints its progress"));
            }
            Self::Address(_) => "give a file path, or a URL such as postgres://user@host/database",
            Self::File(_) => "check that GRAFT_HOME names a folder that this user may write to",
            Self::Unreachable(_) => {
                "check that the server runs and that the URL's user, password and database are right"
            }
            Self::NoConnection(_) => {
                "check that the database's server runs and can be reached; a busy one responds again without help"
            }
            Self::Locked(_) => "another graft command or service is writing; try again when it has finished",
            Self::ReadOnly(_) => {
                "give this user write access to it, its folder and all files in it, or choose another GRAFT_HOME or `database`"
            }
            Self::Disk(_) => "free space on the disk that holds the database and check its health",
            Self::NotADatabase(_) => "move the file away, or choose another GRAFT_HOME",
            Self::Damaged(_) => "restore the database from a backup; keep the damaged file, most of it may be readable",
            Self::Foreign => "give Graft a file, database or Postgres schema of its own",
            Self::NewerSchema { .. } => "install the newer version of Graft that wrote it",
            Self::BadName { .. } => {
                "use 1 to 100 letters, digits, dots, dashes or underscores, starting with a letter or digit"
            }
            Self::NoExample { .. } => "`graft examples list` shows what exists",
            Self::NoOutput { .. } => "edit it to give the output; an edit approves too",
            Self::SplitChanged { .. } => "split again with the sides that are stored now",
            Self::NoRun(_) | Self::RunState { .. } => "`graft runs list` shows the runs and their states",
            Self::RunExists(_) => "choose another run id",
            Self::NoVersion { .. } | Self::NothingBefore { .. } => "`graft models list` shows the versions",
            Self::NoLive(_) => "begin with `graft live start`",
            Self::AgentRefused { .. } => "`graft agents list` shows the agents; `graft agents remove` frees a name",
            Self::NoRollout { .. } => "`graft rollout status` shows the roll-outs of a task",
            Self::RolloutRefused { .. } => "`graft rollout status` shows the roll-out of a task",
            Self::VersionExists { .. } => "choose another name, or leave it out to get the next number",
            Self::ActiveChanged { .. } => "another person changed it; reload it, then repeat",
            Self::VersionActive { .. } => "make another version active first, or use `--force`",
            Self::NoBase(_) => "`graft base list` shows the base models; `graft base add` adds one",
            Self::LeaseHeld { .. } => "a worker is training it; `graft runs show` prints its progress",
            Self::LeaseLost { .. } => "nothing to do: another worker continues the run",
            Self::Conflict { .. } => "reload it, then decide again",
            Self::NothingToUndo { .. } => "its history shows what happened to it",
            Self::NoTask(_) => "`graft tasks list` shows the tasks",
            Self::TaskExists(_) => "choose another name",
            Self::TaskChanged { .. } => "reload it, then change it again",
            Self::NoStudy(_) => "`graft studies list` shows the studies",
            Self::StudyActive { study, .. } => {
                return Some(format!("wait for it, or end it: `graft studies stop {study}`"));
            }
            Self::NoBatch(_) | Self::BatchExists(_) => "`graft batch list` shows the batches",
            Self::BatchState { batch, .. } => return Some(format!("`graft batch show {batch}` shows its state")),
            Self::PartLost { .. } => "nothing to do: another process answers it",
            Self::NoPrompt(_) => "`graft prompts list` shows the submitted texts",
            Self::NoSchedule(_) | Self::ScheduleExists(_) => "`graft schedules list` shows the schedules",
            Self::NoMachine(_) | Self::MachineExists(_) => {
                "`graft machines list` shows the machines, `graft machines add NAME DESTINATION` adds one"
            }
            Self::MachineBusy { run, .. } => {
                return Some(format!("wait for it, or cancel it: `graft runs cancel {run}`"));
            }
            Self::ScheduleMoved(_) => "nothing to do: the run was submitted",
            Self::NoAdmin => {
                "first add an administrator: `graft users add NAME --role admin`, or on the page under Settings, People"
            }
            Self::KeyReused(_) => "a key stands for one request; make a new one for another",
            Self::BadDump { .. } => "restore with the version of Graft that made the backup, or a newer one",
            Self::NotEmpty => "choose an empty GRAFT_HOME and database; nothing is ever overwritten",
            Self::BadStage { .. } => "make versions active and inactive with `graft models set-active` or `rollback`",
            Self::NotFound { .. } => return None,
            Self::Sql(_) | Self::BadExample { .. } | Self::NoRevision { .. } | Self::NoDataset { .. } => return None,
        };
        Some(hint.to_owned())
    }

    /// Whether the database itself failed, independent of the request.
    #[must_use]
    pub fn is_of_the_database(&self) -> bool {
        let trouble = |e: &Self| {
            matches!(
                e,
                Self::Unreachable(_)
                    | Self::NoConnection(_)
                    | Self::Locked(_)
                    | Self::ReadOnly(_)
                    | Self::Disk(_)
                    | Self::Sql(_)
            )
        };
        trouble(self) || matches!(self, Self::Open { source, .. } | Self::Refused { source, .. } if trouble(source))
    }

    /// The exit code of a command that fails with this error.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Open { source, .. } | Self::Refused { source, .. } | Self::Partly { source, .. } => {
                source.exit_code()
            }
            Self::Unreachable(_) | Self::NoConnection(_) => ExitCode::Network,
            Self::Locked(_) | Self::ReadOnly(_) | Self::Disk(_) | Self::Sql(_) => ExitCode::Internal,
            Self::NotADatabase(_) | Self::Damaged(_) | Self::Foreign | Self::NewerSchema { .. } => ExitCode::BadData,
            Self::BadExample { .. } | Self::NoOutput { .. } | Self::NoRevision { .. } => ExitCode::BadData,
            Self::NoDataset { .. } | Self::SplitChanged { .. } => ExitCode::BadData,
            Self::NoVersion { .. } | Self::NothingBefore { .. } | Self::NoBase(_) => ExitCode::ModelMissing,
            Self::Address(_)
            | Self::File(_)
            | Self::UnknownName { .. }
            | Self::BadName { .. }
            | Self::NoLive(_)
            | Self::NoRollout { .. }
            | Self::RolloutRefused { .. }
            | Self::AgentRefused { .. }
            | Self::NoExample { .. } => ExitCode::Usage,
            Self::BadDump { .. } => ExitCode::BadData,
            Self::LeaseHeld { .. }
            | Self::LeaseLost { .. }
            | Self::Conflict { .. }
            | Self::NothingToUndo { .. }
            | Self::NoTask(_)
            | Self::TaskExists(_)
            | Self::TaskChanged { .. }
            | Self::NoStudy(_)
            | Self::StudyActive { .. }
            | Self::NoBatch(_)
            | Self::BatchExists(_)
            | Self::BatchState { .. }
            | Self::PartLost { .. }
            | Self::NoPrompt(_)
            | Self::NoSchedule(_)
            | Self::ScheduleExists(_)
            | Self::NoMachine(_)
            | Self::MachineExists(_)
            | Self::MachineBusy { .. }
            | Self::ScheduleMoved(_)
            | Self::NotFound { .. }
            | Self::NoAdmin
            | Self::KeyReused(_)
            | Self::NotEmpty
            | Self::BadStage { .. } => ExitCode::Usage,
            Self::NoRun(_) | Self::RunExists(_) | Self::RunActive { .. } | Self::RunState { .. } => ExitCode::Usage,
            Self::VersionExists { .. } | Self::ActiveChanged { .. } | Self::VersionActive { .. } => ExitCode::Usage,
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(cause) => {
                let code = cause.code().map(Cow::into_owned).unwrap_or_default();
                classify(&code)(cause.into_error())
            }
            sqlx::Error::Configuration(cause) => Self::Address(cause),
            sqlx::Error::Io(cause) => Self::Unreachable(cause.into()),
            sqlx::Error::Tls(cause) => Self::Unreachable(cause),
            sqlx::Error::PoolTimedOut => Self::NoConnection(Box::new(sqlx::Error::PoolTimedOut)),
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Self::Damaged(Box::new(error)),
            other => Self::Sql(Box::new(other)),
        }
    }
}

/// Maps SQLite's result codes (<https://www.sqlite.org/rescode.html>, at most four digits) and Postgres's
/// five-character states (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
fn classify(code: &str) -> fn(Cause) -> Error {
    if code.len() == 5 {
        return match code {
            "55P03" | "40P01" => Error::Locked,
            "25006" | "42501" => Error::ReadOnly,
            "53100" | "58030" => Error::Disk,
            "XX001" | "XX002" => Error::Damaged,
            "3D000" | "53300" | "57P01" | "57P02" | "57P03" => Error::Unreachable,
            _ if code.starts_with("08") || code.starts_with("28") => Error::Unreachable,
            _ => Error::Sql,
        };
    }
    match code.parse().map(|code: i32| code & 0xff) {
        Ok(5 | 6) => Error::Locked,
        Ok(8) => Error::ReadOnly,
        Ok(10 | 13) => Error::Disk,
        Ok(11) => Error::Damaged,
        Ok(3 | 14) => Error::File,
        Ok(26) => Error::NotADatabase,
        _ => Error::Sql,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unreachable_server_is_not_reported_as_locked() {
        // The pool's error if a server can't be reached.
        let error = Error::from(sqlx::Error::PoolTimedOut);
        let said = format!("{error} {}", error.hint().unwrap_or_default());
        assert!(said.contains("server runs") && !said.contains("lock"), "{said}");
        assert!(error.is_of_the_database());
    }

    #[test]
    fn database_error_codes_are_classified() {
        let of = |code| classify(code)("cause".into());
        assert!(matches!(of("5"), Error::Locked(_)) && matches!(of("517"), Error::Locked(_)));
        assert!(matches!(of("8"), Error::ReadOnly(_)) && matches!(of("1544"), Error::ReadOnly(_)));
        assert!(matches!(of("13"), Error::Disk(_)) && matches!(of("778"), Error::Disk(_)));
        assert!(matches!(of("11"), Error::Damaged(_)) && matches!(of("267"), Error::Damaged(_)));
        assert!(matches!(of("26"), Error::NotADatabase(_)) && matches!(of("14"), Error::File(_)));
        assert!(matches!(of("55P03"), Error::Locked(_)) && matches!(of("25006"), Error::ReadOnly(_)));
        assert!(matches!(of("53100"), Error::Disk(_)) && matches!(of("28P01"), Error::Unreachable(_)));
        assert!(matches!(of("2067"), Error::Sql(_)) && matches!(of("23505"), Error::Sql(_)));
    }
}
