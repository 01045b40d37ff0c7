use std::{env, fs, path::Path, sync::Arc};

use graft_artifacts::Artifacts;
use graft_core::ComputeDevice;
use graft_store::Store;

use crate::{
    Error, Home, Places, Result,
    agents::{Agents, Bundles},
    alerts::Receivers,
    bases::Bases,
    evaluations::{Evaluations, Judgements},
    examples::Examples,
    machines::Machines,
    people::People,
    rollouts::Rollouts,
    runs::{Live, Runs},
    tasks::Tasks,
    tracking::Trackers,
    upkeep::Upkeep,
    upstreams::Upstreams,
    versions::{AskAiSettings, Versions},
};

/// Whether a process of this machine has the id; where that can't be told, it has.
fn is_running(pid: u32) -> bool {
    #[cfg(unix)]
    {
        use rustix::process::{Pid, test_kill_process};
        let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return false };
        test_kill_process(pid) != Err(rustix::io::Errno::SRCH)
    }
    #[cfg(not(unix))]
    {
        let _ = pid;
        true
    }
}

/// Makes a folder, unless it is there, that only its owner may enter: messages and hashes of passwords lie in it.
pub(crate) fn make_private(path: &Path) -> std::io::Result<()> {
    let mut folder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder.recursive(true).create(path)
}

/// One `GRAFT_HOME` at work: what the commands and the server call, part by part.
///
/// Methods that read or write the database also fail as it does ([`Error::Store`]); the `# Errors` of a method name what
/// else it refuses.
#[derive(Clone, Debug)]
pub struct Engine {
    /// Where state is stored.
    pub home: Home,
    /// Everything remembered; the parts hand out what others need of it.
    pub(crate) store: Store,
    /// Where adapters are published beside this machine.
    pub(crate) artifacts: Option<Artifacts>,
    /// In whose name things are done.
    pub by: String,
    /// Where answers are computed.
    pub(crate) device: ComputeDevice,
    /// The Ask AI service's settings, until they are changed.
    pub(crate) ask_ai: Arc<AskAiSettings>,
    /// Names this process among all that may hold runs: its place, its process id, and when it began.
    pub(crate) me: Arc<str>,
    /// Trackers to which runs are sent.
    pub(crate) trackers: Arc<Trackers>,
    /// Who is told of problems.
    pub(crate) receivers: Arc<Receivers>,
    /// What contestants said of the examples of each task.
    pub(crate) judgements: Arc<Judgements>,
    /// What agents are sent.
    pub(crate) bundles: Arc<Bundles>,
    /// What may be rented, by the names of variables.
    pub(crate) rentals: Arc<[(&'static str, String)]>,
}

impl Engine {
    /// Opens the database, making the home if there is none; the environment says where it is.
    ///
    /// # Errors
    /// As [`open_at`](Self::open_at).
    pub async fn open(home: Home, by: impl Into<String>) -> Result<Self> {
        Self::open_at(home, by, &Places::from_env()).await
    }

    /// Opens the database, making the home if there is none.
    ///
    /// # Errors
    /// The folder can't be made, or the database can't be opened; the place of artifacts can't be used.
    pub async fn open_at(home: Home, by: impl Into<String>, places: &Places) -> Result<Self> {
        let failed = |source| Error::Io { doing: "make", path: home.path().to_owned(), source };
        make_private(home.path()).map_err(failed)?;
        let file = || home.path().join("graft.db").to_string_lossy().into_owned();
        let store = Store::open(&places.database.clone().unwrap_or_else(file)).await?;
        let variables =
            || env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let open = |url: &String| Artifacts::open(url, variables());
        let artifacts = places.artifacts.as_ref().map(open).transpose()?;
        Ok(Self { rentals: places.rentals.clone().into(), ..Self::new(home, by.into(), store, artifacts) })
    }

    /// For tests: on a database that is open already.
    #[doc(hidden)]
    pub fn with_store(home: Home, by: impl Into<String>, store: Store) -> Self {
        Self::new(home, by.into(), store, None)
    }

    fn new(home: Home, by: String, store: Store, artifacts: Option<Artifacts>) -> Self {
        let me = format!("{}/{}/{}", home.place(), std::process::id(), crate::now());
        let (device, ask_ai, trackers, judgements) = Default::default();
        let (bundles, rentals, receivers) = Default::default();
        let me = me.into();
        Self { home, store, artifacts, by, device, ask_ai, me, trackers, receivers, judgements, bundles, rentals }
    }

    /// With other default settings of the Ask AI service, until they are changed.
    #[must_use]
    pub fn with_ask_ai(self, settings: AskAiSettings) -> Self {
        Self { ask_ai: Arc::new(settings), ..self }
    }

    /// Path or URL of the database, without its password.
    #[must_use]
    pub fn database(&self) -> &str {
        self.store.name()
    }

    /// Names this process among all that work on the database.
    #[must_use]
    pub fn process(&self) -> &str {
        &self.me
    }

    /// This machine and home, as [`Home::place`] named them when the engine was opened.
    pub(crate) fn place(&self) -> &str {
        self.me.rsplitn(3, '/').last().unwrap_or_default()
    }

    /// Whether a process of that name is known to have ended: one of this place, whose process id nobody has, or that
    /// this process has now.
    #[must_use]
    pub fn is_gone(&self, process: &str) -> bool {
        let split = |name: &str| -> Option<(String, u32)> {
            let mut parts = name.rsplitn(3, '/').skip(1);
            let pid = parts.next()?.parse().ok()?;
            Some((parts.next()?.to_owned(), pid))
        };
        match (split(process), split(&self.me)) {
            (Some((place, pid)), Some((here, own))) if place == here => {
                if pid == own {
                    *process != *self.me
                } else {
                    !is_running(pid)
                }
            }
            _ => false,
        }
    }

    /// The same engine, with another author of changes.
    #[must_use]
    pub fn as_user(&self, by: impl Into<String>) -> Self {
        Self { by: by.into(), ..self.clone() }
    }

    /// The same engine, whose answers are computed on a device.
    #[must_use]
    pub fn on_device(&self, device: ComputeDevice) -> Self {
        Self { device, ..self.clone() }
    }

    /// Base models.
    #[must_use]
    pub fn bases(&self) -> Bases<'_> {
        Bases { engine: self }
    }

    /// Tasks, and their revisions.
    #[must_use]
    pub fn tasks(&self) -> Tasks<'_> {
        Tasks { engine: self }
    }

    /// Examples and what is made of them.
    #[must_use]
    pub fn examples(&self) -> Examples<'_> {
        Examples { engine: self }
    }

    /// The registry of adapters.
    #[must_use]
    pub fn versions(&self) -> Versions<'_> {
        Versions { engine: self }
    }

    /// Versions on their way to become active.
    #[must_use]
    pub fn rollouts(&self) -> Rollouts<'_> {
        Rollouts { engine: self }
    }

    /// Processes elsewhere that hold versions.
    #[must_use]
    pub fn agents(&self) -> Agents<'_> {
        Agents { engine: self }
    }

    /// Adapters that keep learning.
    #[must_use]
    pub fn live(&self) -> Live<'_> {
        Live { engine: self }
    }

    /// What versions answer to examples, and what follows from it.
    #[must_use]
    pub fn evaluations(&self) -> Evaluations<'_> {
        Evaluations { engine: self }
    }

    /// Services that requests are passed on to.
    #[must_use]
    pub fn upstreams(&self) -> Upstreams<'_> {
        Upstreams { engine: self }
    }

    /// The state of the whole home.
    #[must_use]
    pub fn upkeep(&self) -> Upkeep<'_> {
        Upkeep { engine: self }
    }

    /// Trainings and measurements.
    #[must_use]
    pub fn runs(&self) -> Runs<'_> {
        Runs { engine: self }
    }

    /// Machines on which runs can execute.
    #[must_use]
    pub fn machines(&self) -> Machines<'_> {
        Machines { engine: self }
    }

    /// Who may log in, and what servers say to each other.
    #[must_use]
    pub fn people(&self) -> People<'_> {
        People { engine: self }
    }
}
