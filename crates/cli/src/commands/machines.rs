use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};
use graft_core::{ExitCode, Launcher, RayJob, SlurmJob, dollars};
use graft_engine::{Engine, Error, Facts, RentalView};
use serde_json::json;

use crate::{
    failure::Result,
    output::{Reply, Table, bytes, facts},
};

/// Machines on which trainings can run: your own, reached by ssh, and rented ones.
#[derive(Debug, Subcommand)]
pub(crate) enum Machines {
    /// Add a machine and check it: `graft train TASK --on NAME` trains there.
    Add {
        /// Name.
        name: String,
        /// Destination for ssh: a host name of ~/.ssh/config, user@host, or ssh://user@host:port. With --ray, the
        /// address of the cluster's dashboard: http://head:8265.
        destination: String,
        /// Number of trainings that it may run at once.
        #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
        slots: u32,
        /// A graft program for that machine, if this one does not run there.
        #[arg(long, value_name = "FILE")]
        program: Option<PathBuf>,
        #[command(flatten)]
        cluster: Box<Cluster>,
        /// Don't connect now.
        #[arg(long)]
        no_check: bool,
    },
    /// List the added machines and the machines rented now.
    List,
    /// Connect to a machine and print its processors, memory, disk and GPUs, and whether graft runs there.
    Check {
        /// Name.
        name: String,
    },
    /// Terminate rented machines that no running run needs, and wait until the provider confirms it; other machines
    /// of the account are listed but not changed.
    Sweep,
    /// Remove a machine; graft's files on it (~/.cache/graft) are kept.
    Remove {
        /// Name.
        name: String,
    },
}

/// What starts trainers on a machine that belongs to a cluster.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("cluster").args(["slurm", "ray"]))]
pub(crate) struct Cluster {
    /// Let the machine submit each training to Slurm; what isn't given below is the cluster's own choice.
    #[arg(long)]
    slurm: bool,
    /// Submit each training as a job to a Ray cluster; RAY_AUTH_TOKEN has its token.
    #[arg(long, requires = "shared")]
    ray: bool,
    /// A folder that this machine and the nodes of the Ray cluster share.
    #[arg(long, value_name = "FOLDER", requires = "ray")]
    shared: Option<String>,
    /// The same folder where the nodes see it under another path.
    #[arg(long, value_name = "FOLDER", requires = "ray")]
    nodes: Option<String>,
    /// Slurm's partition.
    #[arg(long, requires = "slurm")]
    partition: Option<String>,
    /// The account that Slurm charges.
    #[arg(long, requires = "slurm")]
    account: Option<String>,
    /// Time limit of a training as Slurm reads it: minutes, hours:minutes:seconds, or days-hours.
    #[arg(long, value_name = "TIME", requires = "slurm")]
    time_limit: Option<String>,
    /// Processors of a training.
    #[arg(long, value_name = "N", requires = "cluster", value_parser = clap::value_parser!(u32).range(1..=4096))]
    cpus: Option<u32>,
    /// GPUs of a training: how many, or for Slurm a type and how many (a100:1).
    #[arg(long, value_name = "N", requires = "cluster")]
    gpus: Option<String>,
    /// Memory of a training, such as 16G.
    #[arg(long, value_name = "SIZE", requires = "cluster")]
    memory: Option<String>,
}

impl Cluster {
    fn launcher(self) -> Result<Launcher> {
        let Self { slurm, ray, shared, nodes, partition, account, time_limit, cpus, gpus, memory } = self;
        if ray {
            let number = |field, hint| move |value: String| graft_core::Error::OutOfRange { field, value, hint };
            let gpus = gpus.map(|text| text.parse().map_err(|_| number("gpus", "a number, such as 1")(text)));
            let memory = memory.map(|text| size(&text).ok_or_else(|| number("memory", "such as 16G or 512M")(text)));
            let (gpus, memory) = (gpus.transpose().map_err(Error::from)?, memory.transpose().map_err(Error::from)?);
            Ok(Launcher::Ray(RayJob { shared: shared.unwrap_or_default(), nodes, cpus, gpus, memory }))
        } else if slurm {
            Ok(Launcher::Slurm(SlurmJob { partition, account, time_limit, cpus, gpus, memory }))
        } else {
            Ok(Launcher::Ssh)
        }
    }
}

/// Bytes of a size such as `16G`.
fn size(text: &str) -> Option<u64> {
    let (number, unit) = match text.find(|c: char| !c.is_ascii_digit()) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let unit = match unit.to_ascii_uppercase().trim_end_matches("IB").trim_end_matches('B') {
        "" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        "T" => 1_u64 << 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

pub(crate) async fn run(engine: &Engine, command: Machines) -> Result<Reply> {
    let machines = engine.machines();
    let program = std::env::current_exe().map_err(Error::TrainerStart)?;
    match command {
        Machines::Add { name, destination, slots, program: own, cluster, no_check } => {
            let added = machines.add(&name, &destination, slots, own.as_deref(), &cluster.launcher()?).await?;
            let text = format!("Added machine {name} ({destination}); `graft train TASK --on {name}` trains there.");
            if no_check {
                return Ok(Reply::new(json!({"machine": added}), text));
            }
            let found = match machines.check(&name, &program).await {
                Ok(found) => found,
                Err(error) => {
                    // After a typo, the user adds the machine again.
                    machines.remove(&name).await?;
                    return Err(error.into());
                }
            };
            Ok(Reply::new(json!({"machine": added, "found": found}), format!("{}\n{text}", told(&found))))
        }
        Machines::List => {
            let list = machines.list().await?;
            let mut table = Table::new(["machine", "destination", "trainers by", "slots", "program"]);
            for machine in &list {
                table.row([
                    machine.name.clone(),
                    machine.destination.clone(),
                    machine.launcher.to_string(),
                    machine.slots.to_string(),
                    machine.program.clone().unwrap_or_else(|| "this one".to_owned()),
                ]);
            }
            let (providers, rentals) = (machines.providers(), machines.rentals(None).await?);
            let mut text = table.or("No machines yet: `graft machines add NAME user@host`.");
            for provider in &providers {
                let state = provider.problem.as_deref().unwrap_or("`graft train TASK --on` it rents a machine");
                text += &format!("\n{}: {state}", provider.name);
            }
            let service = machines.service()?.map(|service| service.address().to_owned());
            if let Some(address) = &service {
                text += &format!(
                    "\ncerebros: the training service at {address}; `graft train TASK --on` it submits a dataset"
                );
            }
            if !rentals.is_empty() {
                text += &format!("\n\n{}", rented(&rentals));
            }
            Ok(Reply::new(
                json!({"machines": list, "providers": providers, "rentals": rentals, "service": service}),
                text,
            ))
        }
        Machines::Check { name } => {
            let found = machines.check(&name, &program).await?;
            Ok(Reply::new(&found, told(&found)))
        }
        Machines::Sweep => {
            let sweep = machines.sweep().await?;
            let names = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join("\n") };
            let text = facts(&[
                ("terminated", names(&sweep.terminated)),
                ("still running", names(&sweep.running)),
                ("not ours", names(&sweep.foreign)),
            ]);
            let code = if sweep.running.is_empty() { ExitCode::Success } else { ExitCode::Network };
            Ok(Reply::new(&sweep, text).with_code(code))
        }
        Machines::Remove { name } => {
            let gone = machines.remove(&name).await?;
            let text = match &gone.launcher {
                Launcher::Ray(job) => format!("Removed machine {name}; {} is kept.", job.shared),
                _ => format!("Removed machine {name}; ~/.cache/graft on {} is kept.", gone.destination),
            };
            Ok(Reply::new(json!({"machine": gone}), text))
        }
    }
}

/// What is rented now.
fn rented(rentals: &[RentalView]) -> Table {
    let mut table = Table::new(["rented", "run", "provider", "type", "region", "state", "cost so far"]);
    for RentalView { rental, cents } in rentals {
        table.row([
            rental.name.clone(),
            rental.run.clone(),
            rental.provider.clone(),
            rental.kind.clone(),
            rental.region.clone(),
            rental.state.name().to_owned(),
            dollars(*cents),
        ]);
    }
    table
}

/// What was found out about a machine.
fn told(found: &Facts) -> String {
    let size = |size: Option<u64>| size.map_or_else(|| "unknown".to_owned(), bytes);
    facts(&[
        (
            "system",
            format!("{}{}", found.system, found.libc.iter().map(|libc| format!(", {libc}")).collect::<String>()),
        ),
        ("cores", found.cores.map_or_else(|| "unknown".to_owned(), |cores| cores.to_string())),
        ("memory", format!("{} ({} free)", size(found.memory), size(found.memory_free))),
        ("disk", format!("{} free at {}", size(found.disk_free), found.cache)),
        ("gpu", if found.gpus.is_empty() { "none".to_owned() } else { found.gpus.join("; ") }),
        ("program", found.program.clone().unwrap_or_default()),
        ("scheduler", found.scheduler.clone().unwrap_or_else(|| "none".to_owned())),
    ])
}
