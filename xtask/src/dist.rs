//! What people install without Rust and Node: an archive, a Debian package, and a container image.
//!
//! All three hold the same program, which needs nothing but the C library of Debian 12 (glibc 2.36) or newer. The test
//! command packs the program of the tests and tries each in a bare root, where nothing of this machine is.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};

use crate::{prepare, shell, ui};

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The release that the program is built for, and packed with.
const DEBIAN: &str = "bookworm";
/// What the bare root has beside Debian's essential packages.
const PACKAGES: &str = "ca-certificates,adduser,curl";
/// The image's name in a local store.
const IMAGE: &str = "localhost/graft";

/// Builds the page and a release, with GPU code if `cuda`, and packs it into `target/dist`.
pub(crate) fn run(cuda: bool) -> anyhow::Result<()> {
    ui::build()?;
    let mut build = shell::release();
    build.args(["-p", "graft"]).env("GRAFT_REQUIRE_PAGE", "1");
    if cuda {
        build.args(["--features", "cuda"]);
    }
    shell::run(&mut build)?;
    let dist = Dist::new(&shell::target().join("release/graft"), shell::target().join("dist"), cuda)?;
    let mut made = vec![dist.archive()?, dist.package()?];
    match bare_root() {
        Ok(root) => made.push(dist.image(&root)?),
        Err(why) => eprintln!("no image was made: {why:#}"),
    }
    let mut sums = String::new();
    for file in &made {
        let sum =
            shell::output(Command::new("sha256sum").arg(file.file_name().unwrap_or_default()).current_dir(&dist.out))?;
        sums.push_str(&String::from_utf8_lossy(&sum));
    }
    fs::write(dist.out.join("SHA256SUMS"), &sums)?;
    print!("\nIn {}:\n{sums}", dist.out.display());
    Ok(())
}

/// Packs a program as [`run`] does, and tries all that was made in a bare root. `Err` within says why nothing was tried.
pub(crate) fn check(program: &Path) -> anyhow::Result<Result<(), String>> {
    let root = match bare_root() {
        Ok(root) => root,
        Err(why) => return Ok(Err(format!("{why:#}"))),
    };
    let out = shell::target().join("xtask/dist");
    if out.exists() {
        fs::remove_dir_all(&out)?;
    }
    let dist = Dist::new(program, out, false)?;
    let (archive, package) = (dist.archive()?, dist.package()?);
    let image = dist.image(&root)?;

    let bare = Bare::unpack(&root, dist.out.join("root"))?;
    println!("The archive in a bare root …");
    shell::run(Command::new("tar").arg("-xf").arg(&archive).arg("-C").arg(bare.0.join("opt")))?;
    let found = bare.output(&[&format!("/opt/{}/graft", dist.name), "--version"])?;
    ensure!(found.contains(VERSION), "the archive's program says {found:?}");

    println!("The Debian package in a bare root …");
    fs::copy(&package, bare.0.join("graft.deb"))?;
    bare.output(&["dpkg", "-i", "/graft.deb"])?;
    let listed = bare.output(&["stat", "-c", "%U %a", "/var/lib/graft"])?;
    ensure!(listed.trim() == "graft 700", "the state folder belongs to {listed:?}");
    let unit = fs::read_to_string(bare.0.join("lib/systemd/system/graft.service"))?;
    ensure!(unit.contains("ExecStart=/usr/bin/graft serve"), "the unit starts another program");
    answers(&mut |bind| {
        let mut serve = bare.command(&["--userspec=graft:graft"], &["/usr/bin/graft", "serve", "--no-worker"]);
        serve.envs([("GRAFT_HOME", "/var/lib/graft"), ("HOME", "/var/lib/graft"), ("GRAFT_BIND", bind)]);
        serve
    })?;
    bare.output(&["dpkg", "-P", "graft"])?;
    ensure!(bare.0.join("var/lib/graft/graft.db").exists(), "removing the package removed people's data");

    println!("The image …");
    let container = Container::from(&format!("oci-archive:{}", image.display()))?;
    answers(&mut |bind| {
        let mut serve = buildah(&["run", "--isolation", "chroot", "--env"]);
        serve.arg(format!("GRAFT_BIND={bind}")).args(["--env", "GRAFT_PASSWORD=only-for-the-test", &container.0, "--"]);
        serve.args(["/usr/bin/graft", "serve", "--no-worker"]);
        serve
    })?;
    let config = String::from_utf8(shell::output(buildah(&["inspect", "--type", "container"]).arg(&container.0))?)?;
    let config: serde_json::Value = serde_json::from_str(&config).context("buildah described no container")?;
    let config = &config["OCIv1"]["config"];
    ensure!(config["User"] == "graft" && config["Entrypoint"][0] == "/usr/bin/graft", "the image starts {config}");
    Ok(Ok(()))
}

/// A program, and where its packages go.
struct Dist {
    program: PathBuf,
    out: PathBuf,
    /// Of the archive and of the folder in it.
    name: String,
    /// As Debian calls it.
    architecture: &'static str,
}

impl Dist {
    fn new(program: &Path, out: PathBuf, cuda: bool) -> anyhow::Result<Self> {
        let architecture = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => bail!("packages for {other} have no name in Debian"),
        };
        fs::create_dir_all(&out)?;
        let (out, program) = (std::path::absolute(out)?, std::path::absolute(program)?);
        let name = format!("graft-{VERSION}-{}-linux{}", std::env::consts::ARCH, if cuda { "-cuda" } else { "" });
        Ok(Self { program, out, name, architecture })
    }

    /// An archive with the program, its licence, and the unit for systemd.
    fn archive(&self) -> anyhow::Result<PathBuf> {
        let folder = fresh(self.out.join(&self.name))?;
        for (from, to) in
            [("README.md", "README.md"), ("LICENSE", "LICENSE"), ("packaging/graft.service", "graft.service")]
        {
            fs::copy(from, folder.join(to))?;
        }
        self.install(&folder.join("graft"))?;
        let file = self.out.join(format!("{}.tar.gz", self.name));
        let owner = ["--owner=0", "--group=0", "--sort=name"];
        shell::run(Command::new("tar").arg("-czf").arg(&file).args(owner).arg("-C").arg(&self.out).arg(&self.name))?;
        fs::remove_dir_all(folder)?;
        Ok(file)
    }

    /// A Debian package: the program, a system user, and a service that is not started before it has a password.
    fn package(&self) -> anyhow::Result<PathBuf> {
        let folder = fresh(self.out.join("deb"))?;
        for inner in ["DEBIAN", "usr/bin", "lib/systemd/system", "usr/share/doc/graft"] {
            fs::create_dir_all(folder.join(inner))?;
        }
        self.install(&folder.join("usr/bin/graft"))?;
        let unit = fs::read_to_string("packaging/graft.service")?.replace("/usr/local/bin/graft", "/usr/bin/graft");
        // The comments at the start tell how to install by hand.
        let unit = unit.split_once("[Unit]").map_or(unit.clone(), |(_, rest)| format!("[Unit]{rest}"));
        fs::write(folder.join("lib/systemd/system/graft.service"), unit)?;
        fs::copy("LICENSE", folder.join("usr/share/doc/graft/copyright"))?;
        let kib = (fs::metadata(&self.program)?.len() / 1024).to_string();
        let control = fs::read_to_string("packaging/deb/control")?;
        let control = [("@VERSION@", VERSION), ("@ARCHITECTURE@", self.architecture), ("@KIB@", &kib)]
            .iter()
            .fold(control, |text, (name, value)| text.replace(name, value));
        fs::write(folder.join("DEBIAN/control"), control)?;
        for script in ["postinst", "prerm"] {
            fs::copy(format!("packaging/deb/{script}"), folder.join("DEBIAN").join(script))?;
        }
        let modes = ["chmod -R u=rwX,go=rX .", "chmod 755 DEBIAN/postinst DEBIAN/prerm"].join(" && ");
        shell::run(Command::new("sh").args(["-c", &modes]).current_dir(&folder))?;
        let cuda = if self.name.ends_with("-cuda") { "-cuda" } else { "" };
        let file = self.out.join(format!("graft_{VERSION}_{}{cuda}.deb", self.architecture));
        shell::run(Command::new("dpkg-deb").args(["--root-owner-group", "-Zgzip", "--build"]).arg(&folder).arg(&file))?;
        fs::remove_dir_all(folder)?;
        Ok(file)
    }

    /// An OCI image: a bare Debian and the program.
    fn image(&self, root: &Path) -> anyhow::Result<PathBuf> {
        let container = Container::from("scratch")?;
        let files = shell::output(buildah(&["mount"]).arg(&container.0))?;
        let files = PathBuf::from(String::from_utf8(files)?.trim());
        shell::run(Command::new("tar").arg("-xf").arg(root).arg("-C").arg(&files))?;
        self.install(&files.join("usr/bin/graft"))?;
        let user = ["adduser", "--system", "--group", "--quiet", "--home", "/var/lib/graft", "graft"];
        shell::run(Command::new("chroot").arg(&files).args(user))?;
        let health = "CMD curl -fsS http://127.0.0.1:8080/health || exit 1";
        let mut config = buildah(&["config", "--user", "graft", "--port", "8080", "--volume", "/var/lib/graft"]);
        for variable in ["GRAFT_HOME=/var/lib/graft", "GRAFT_BIND=0.0.0.0:8080", "GRAFT_LOG_FORMAT=json"] {
            config.args(["--env", variable]);
        }
        config.args(["--healthcheck", health, "--healthcheck-interval", "30s", "--healthcheck-timeout", "3s"]);
        config.args(["--entrypoint", r#"["/usr/bin/graft"]"#, "--cmd", "serve", &container.0]);
        // Health checks are Docker's own: the OCI format has none, and buildah says so.
        shell::run(config.stderr(Stdio::null()))?;
        shell::run(buildah(&["commit", "-q", &container.0]).arg(format!("{IMAGE}:latest")).stdout(Stdio::null()))?;
        let file = self
            .out
            .join(format!("graft-{VERSION}-image{}.tar", if self.name.ends_with("-cuda") { "-cuda" } else { "" }));
        if file.exists() {
            fs::remove_file(&file)?;
        }
        let to = format!("oci-archive:{}:{IMAGE}:latest", file.display());
        shell::run(buildah(&["push", "-q", &format!("{IMAGE}:latest")]).arg(to))?;
        Ok(file)
    }

    fn install(&self, to: &Path) -> anyhow::Result<()> {
        shell::run(Command::new("install").args(["-m", "755"]).arg(&self.program).arg(to))
    }
}

/// An archive of a bare Debian, made once.
fn bare_root() -> anyhow::Result<PathBuf> {
    prepare::containers()?;
    let folder = std::path::absolute(shell::target().join("xtask"))?;
    fs::create_dir_all(&folder)?;
    let file = folder.join(format!("{DEBIAN}.tar"));
    if !file.exists() {
        println!("Making a bare Debian for packages (150 MB) …");
        let half = file.with_extension("half.tar");
        let include = format!("--include={PACKAGES}");
        let make = ["--quiet", "--variant=essential", &include, DEBIAN];
        shell::run(Command::new("mmdebstrap").args(make).arg(&half))?;
        fs::rename(half, &file)?;
    }
    Ok(file)
}

/// A folder that holds a bare Debian; removed in the end.
struct Bare(PathBuf);

impl Bare {
    fn unpack(root: &Path, to: PathBuf) -> anyhow::Result<Self> {
        let bare = Self(fresh(to)?);
        shell::run(Command::new("tar").arg("-xf").arg(root).arg("-C").arg(&bare.0))?;
        Ok(bare)
    }

    /// A program of the root, with `/proc` and with nothing of this machine's environment.
    fn command(&self, options: &[&str], command: &[&str]) -> Command {
        // In a mount namespace of its own, so that nothing stays mounted.
        let mut chroot = Command::new("unshare");
        chroot.args(["--mount", "sh", "-c", r#"mount --rbind /proc "$0/proc" && exec chroot "$@""#]);
        chroot.arg(&self.0).args(options).arg(&self.0).args(command);
        chroot.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        chroot
    }

    /// What a program of the root prints.
    fn output(&self, command: &[&str]) -> anyhow::Result<String> {
        Ok(String::from_utf8_lossy(&shell::output(&mut self.command(&[], command))?).into_owned())
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A working container of buildah; removed in the end.
struct Container(String);

impl Container {
    fn from(image: &str) -> anyhow::Result<Self> {
        let name = shell::output(buildah(&["from", "-q"]).arg(image))?;
        Ok(Self(String::from_utf8(name)?.trim().to_owned()))
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = buildah(&["rm"]).arg(&self.0).stdout(Stdio::null()).status();
    }
}

/// Buildah with a store that needs no overlay file system.
fn buildah(arguments: &[&str]) -> Command {
    let mut buildah = Command::new("buildah");
    buildah.args(["--storage-driver", "vfs"]).args(arguments);
    buildah
}

/// Starts a server at a free address and waits until it says that it is healthy.
fn answers(serve: &mut dyn FnMut(&str) -> Command) -> anyhow::Result<()> {
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
    let mut server = Stopped(serve(&address).spawn().context("the server can't be started")?);
    let clock = Instant::now();
    while clock.elapsed() < Duration::from_secs(60) {
        if let Some(status) = server.0.try_wait()? {
            bail!("the server ended ({status})");
        }
        if health(&address).is_ok_and(|answer| answer.starts_with("HTTP/1.1 200")) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    bail!("the server did not answer within a minute")
}

fn health(address: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(stream, "GET /health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// A server that ends with the check.
struct Stopped(Child);

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).stderr(Stdio::null()).status();
        let _ = self.0.wait();
    }
}

/// An empty folder.
fn fresh(folder: PathBuf) -> anyhow::Result<PathBuf> {
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}
