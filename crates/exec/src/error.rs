use std::{io, path::PathBuf};

/// What can go wrong where runs execute.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process works in the directory.
    #[error("train in `{}`: another process is using it", dir.display())]
    Busy {
        /// The run directory.
        dir: PathBuf,
    },
    /// The process can't be started.
    #[error("start the trainer")]
    Start(#[source] io::Error),
    /// The file system refused.
    #[error("{doing} `{}`", path.display())]
    Io {
        /// Verb.
        doing: &'static str,
        /// File or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// `events.jsonl` holds something else.
    #[error("read the events in `{}`", path.display())]
    BadEvents {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// There is no `ssh` program here.
    #[error("start `ssh`")]
    NoSsh {
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The other machine can't be reached now.
    #[error("reach `{host}`: {said}")]
    Unreachable {
        /// The machine.
        host: String,
        /// What `ssh` said.
        said: String,
    },
    /// The machine shows a key that isn't known here, or another one than before.
    #[error("trust `{host}`: {}", if *changed { "its host key has changed" } else { "its host key is not known" })]
    HostKey {
        /// The machine.
        host: String,
        /// Whether another key was known.
        changed: bool,
    },
    /// The machine doesn't let this user in.
    #[error("log in to `{host}`: {said}")]
    Denied {
        /// The machine.
        host: String,
        /// What `ssh` said.
        said: String,
    },
    /// The disk there is full, or too small.
    #[error("use the disk of `{host}`{}", room(*needed, *free))]
    RemoteDisk {
        /// The machine.
        host: String,
        /// Bytes that are needed.
        needed: Option<u64>,
        /// Bytes that are free.
        free: Option<u64>,
    },
    /// The program is for another kind of machine.
    #[error("run on `{host}`, which is {found}: the program is for {built}")]
    RemotePlatform {
        /// The machine.
        host: String,
        /// What it is.
        found: String,
        /// What the program is for.
        built: String,
    },
    /// The program doesn't start there.
    #[error("run `{}` on `{host}`: {said}", program.display())]
    RemoteProgram {
        /// The machine.
        host: String,
        /// The program, on this machine.
        program: PathBuf,
        /// What it said.
        said: String,
    },
    /// A GPU is asked for, and there is none.
    #[error("find a GPU on `{host}`")]
    RemoteGpu {
        /// The machine.
        host: String,
    },
    /// The machine has no Slurm, or Slurm refuses the job.
    #[error("submit a job to Slurm on `{host}`: {said}")]
    Slurm {
        /// The machine.
        host: String,
        /// What it said.
        said: String,
    },
    /// Ray refuses the job, or it can't run.
    #[error("submit a job to Ray at `{address}`: {said}")]
    Ray {
        /// The cluster's address.
        address: String,
        /// What it said.
        said: String,
    },
    /// Ray doesn't answer now.
    #[error("reach Ray at `{address}`: {said}")]
    NoRay {
        /// The cluster's address.
        address: String,
        /// What went wrong.
        said: String,
    },
    /// Ray lacks what is needed.
    #[error("use Ray {version} at `{address}`")]
    RayOld {
        /// The cluster's address.
        address: String,
        /// Its version.
        version: String,
    },
    /// A node doesn't see the shared folder, or can't write there.
    #[error("find Graft's files in `{folder}` on node `{node}` of Ray at `{address}`")]
    RayFolder {
        /// The cluster's address.
        address: String,
        /// The node's name.
        node: String,
        /// The folder as nodes see it.
        folder: String,
    },
    /// No node has what is asked for.
    #[error("find a node of Ray at `{address}` with {wanted}: the most that nodes have is {most}")]
    RayNode {
        /// The cluster's address.
        address: String,
        /// What is asked for.
        wanted: String,
        /// The most that any node has of each.
        most: String,
    },
    /// Ray wants a token, or another one.
    #[error("log in to Ray at `{address}`")]
    RayDenied {
        /// The cluster's address.
        address: String,
    },
    /// The training service doesn't answer now, or is busy.
    #[error("reach the training service at `{address}`: {said}")]
    NoService {
        /// Its address.
        address: String,
        /// What went wrong.
        said: String,
    },
    /// The training service wants a token, or another one.
    #[error("log in to the training service at `{address}`")]
    ServiceDenied {
        /// Its address.
        address: String,
    },
    /// The training service refuses what it is sent.
    #[error("submit a dataset to the training service at `{address}`: {said}")]
    ServiceRefused {
        /// Its address.
        address: String,
        /// What it said.
        said: String,
    },
    /// What answers is no training service, or a newer one.
    #[error("understand the training service at `{address}`: {said}")]
    ServiceAnswer {
        /// Its address.
        address: String,
        /// What is wrong with its answer.
        said: String,
    },
    /// The training service no longer knows a job.
    #[error("find job `{job}` at the training service at `{address}`: it has vanished there")]
    JobVanished {
        /// Its address.
        address: String,
        /// The job.
        job: String,
    },
    /// The training service completed a job, but offers no adapter.
    #[error(
        "receive an adapter of job `{job}`, which the training service at `{address}` completed: it offers {offered}"
    )]
    NoAdapter {
        /// Its address.
        address: String,
        /// The job.
        job: String,
        /// What it offers instead.
        offered: String,
    },
    /// The scheduler of the cluster doesn't answer now.
    #[error("ask the scheduler at `{host}`: {said}")]
    Scheduler {
        /// The machine.
        host: String,
        /// What it said.
        said: String,
    },
    /// Files arrived incomplete, or couldn't be read or written on the way.
    #[error("transfer files to or from `{host}`")]
    Transfer {
        /// The machine.
        host: String,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// The machine was to be given up.
    #[error("go on at `{host}`: {why}")]
    GivenUp {
        /// The machine.
        host: String,
        /// Why.
        why: String,
    },
    /// Something else failed there.
    #[error("work on `{host}`: {said}")]
    Remote {
        /// The machine.
        host: String,
        /// What it said.
        said: String,
    },
    /// The thread that did it came to no end.
    #[error("finish an operation of the executor")]
    Thread(#[source] tokio::task::JoinError),
}

/// How much room is missing, where that is known.
fn room(needed: Option<u64>, free: Option<u64>) -> String {
    match needed.zip(free) {
        Some((needed, free)) => format!(": {} MB are needed, {} MB are free", needed / 1_000_000, free / 1_000_000),
        None => ", which is full".to_owned(),
    }
}

impl Error {
    /// Whether it is of the connection, or of what is asked there, and may be over in a moment.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::Scheduler { .. }
                | Self::NoRay { .. }
                | Self::NoService { .. }
                | Self::Transfer { .. }
        )
    }

    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Busy { .. } => "wait for it, or ask it to stop with `graft runs stop`".into(),
            Self::Start(_) => "check that the graft program was not moved or replaced while it ran".into(),
            Self::NoSsh { .. } => "install OpenSSH's client".into(),
            Self::Unreachable { host, .. } => {
                format!("try `ssh {host} true`; a trainer that was started there continues meanwhile")
            }
            Self::HostKey { host, changed: true } => format!(
                "find out why: the machine was reinstalled, or the connection is intercepted; then remove \
                 the old key with `ssh-keygen -R` and check the new one with `ssh {host}`"
            ),
            Self::HostKey { host, changed: false } => {
                format!("connect once with `ssh {host}`, compare the key that it shows, and accept it")
            }
            Self::Denied { host, .. } => format!(
                "`ssh -o BatchMode=yes {host} true` must work: name the user and the key in ~/.ssh/config, and unlock the \
                 key with `ssh-add`"
            ),
            Self::RemoteDisk { .. } => "free some space there: old runs and base models are in ~/.cache/graft".into(),
            Self::RemotePlatform { found, .. } => {
                format!("give a graft program for {found}: `graft machines add … --program FILE`")
            }
            Self::RemoteProgram { said, .. } if said.contains("GLIBC") || said.contains("GLIBCXX") => {
                "its C library is too old for this program: give one that was built on such a system, or statically \
                 (musl): `graft machines add … --program FILE`"
                    .into()
            }
            Self::RemoteProgram { .. } => {
                "give a graft program that runs there: `graft machines add … --program FILE`".into()
            }
            Self::RemoteGpu { .. } => {
                "train with `--device cpu`, or install NVIDIA's driver: `nvidia-smi` must work".into()
            }
            Self::Slurm { said, .. } if said.contains("not found") => {
                "`sbatch`, `squeue` and `scancel` must be in the PATH of `ssh HOST`; or add the machine without `--slurm`".into()
            }
            Self::Slurm { .. } => {
                "remove the machine, and add it with another `--partition`, `--account`, `--time-limit`, `--memory` or `--gpus`: \
                 `sinfo` and `sacctmgr show associations` on the cluster tell what it has"
                    .into()
            }
            Self::Scheduler { .. } => "try again; `scontrol ping` on the cluster tells whether Slurm is up".into(),
            Self::Ray { .. } => "look at the job on Ray's dashboard, under Jobs".into(),
            Self::NoRay { .. } => {
                "give the address of Ray's dashboard on the head node, such as `http://head:8265`; a trainer that was started \
                 there continues meanwhile"
                    .into()
            }
            Self::RayOld { .. } => "install Ray 2.9 or newer on the cluster".into(),
            Self::RayFolder { .. } => {
                "mount the folder on this machine and on all nodes, where the same user can write to it; if nodes have it under \
                 another path, give that with `--nodes`"
                    .into()
            }
            Self::RayNode { .. } => {
                "ask for less with `--cpus`, `--gpus` or `--memory`; a cluster that adds such a node when it is needed can be \
                 added without a check"
                    .into()
            }
            Self::RayDenied { .. } => {
                "set RAY_AUTH_TOKEN, or RAY_AUTH_TOKEN_PATH to a file that has the token: `ray get-auth-token` on the head node \
                 tells it"
                    .into()
            }
            Self::NoService { .. } => {
                "check the address in CEREBROS_URL and whether the service runs; a job that was submitted continues meanwhile"
                    .into()
            }
            Self::ServiceDenied { .. } => "set CEREBROS_TOKEN to a token of the service that may train".into(),
            Self::ServiceAnswer { .. } => {
                "check the address in CEREBROS_URL: it is what comes before `/api/v1/training/submit`".into()
            }
            Self::JobVanished { .. } => {
                "look at the service; `graft train` with the same settings submits the dataset again".into()
            }
            Self::NoAdapter { .. } => {
                "fetch what it offers by hand; `graft models add FOLDER` registers an adapter in PEFT's format".into()
            }
            Self::Transfer { .. } => "try again: what was sent before is kept".into(),
            Self::Io { .. }
            | Self::BadEvents { .. }
            | Self::ServiceRefused { .. }
            | Self::GivenUp { .. }
            | Self::Remote { .. }
            | Self::Thread(_) => return None,
        })
    }
}
