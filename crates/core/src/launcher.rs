use std::{fmt, path::Path};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Error;

/// How trainers are started on a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Launcher {
    /// By the machine's shell.
    #[default]
    Ssh,
    /// By Slurm, to which the machine submits a job.
    Slurm(SlurmJob),
    /// By Ray, to which this machine submits a job over HTTP.
    Ray(RayJob),
}

/// Where a Ray cluster finds files, and what is asked of it for each trainer; what isn't given is the cluster's own choice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RayJob {
    /// A folder that the worker and the cluster's nodes share.
    pub shared: String,
    /// The same folder where the nodes see it under another path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodes: Option<String>,
    /// Processors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpus: Option<u32>,
    /// GPUs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpus: Option<u32>,
    /// Bytes of memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
}

/// What is asked of Slurm for each trainer; what isn't given is the cluster's own choice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SlurmJob {
    /// The partition, or several with commas between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<String>,
    /// The account that is charged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The time limit as Slurm reads it: minutes, `hours:minutes:seconds` or `days-hours`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_limit: Option<String>,
    /// Processors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpus: Option<u32>,
    /// GPUs: how many, or a type and how many (`a100:2`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpus: Option<String>,
    /// Memory as Slurm reads it, such as `16G`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
}

impl Launcher {
    /// Its name, as it is stored and shown.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ssh => "ssh",
            Self::Slurm(_) => "slurm",
            Self::Ray(_) => "ray",
        }
    }

    /// Whether everything in it can be a word of a command line and nothing else, and folders are named by whole paths.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] names the first that can't.
    pub fn check(&self) -> Result<(), Error> {
        match self {
            Self::Ssh => Ok(()),
            Self::Slurm(job) => job.words().try_for_each(|(field, value)| {
                let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:,+=@".contains(c);
                let good = value.starts_with(|c: char| c.is_ascii_alphanumeric()) && value.chars().all(plain);
                let hint = "as `sbatch` takes it: letters, digits and `-_.:,+=@`";
                if good { Ok(()) } else { Err(Error::OutOfRange { field, value, hint }) }
            }),
            Self::Ray(job) => [("shared", Some(&job.shared)), ("nodes", job.nodes.as_ref())].into_iter().try_for_each(
                |(field, value)| match value {
                    Some(path) if !Path::new(path).is_absolute() || path.contains(char::is_control) => {
                        Err(Error::OutOfRange {
                            field,
                            value: path.clone(),
                            hint: "a whole path, such as `/mnt/graft`",
                        })
                    }
                    _ => Ok(()),
                },
            ),
        }
    }
}

impl RayJob {
    /// The shared folder as the nodes see it.
    #[must_use]
    pub fn there(&self) -> &str {
        self.nodes.as_deref().unwrap_or(&self.shared).trim_end_matches('/')
    }

    fn words(&self) -> impl Iterator<Item = (&'static str, String)> {
        let all = [
            ("shared", Some(self.shared.clone())),
            ("nodes", self.nodes.clone()),
            ("cpus", self.cpus.map(|cpus| cpus.to_string())),
            ("gpus", self.gpus.map(|gpus| gpus.to_string())),
            ("memory", self.memory.map(|bytes| bytes.to_string())),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }
}

impl SlurmJob {
    /// What is given, by the names of `sbatch`'s options.
    fn words(&self) -> impl Iterator<Item = (&'static str, String)> {
        let cpus = self.cpus.map(|cpus| cpus.to_string());
        let all = [
            ("partition", self.partition.clone()),
            ("account", self.account.clone()),
            ("time", self.time_limit.clone()),
            ("cpus-per-task", cpus),
            ("gres", self.gpus.as_ref().map(|gpus| format!("gpu:{gpus}"))),
            ("mem", self.memory.clone()),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }

    /// The options of `sbatch`, with blanks between.
    #[must_use]
    pub fn options(&self) -> String {
        self.words().map(|(name, value)| format!("--{name}={value}")).collect::<Vec<_>>().join(" ")
    }
}

/// The launcher and what it asks for, in a few words.
impl fmt::Display for Launcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Ssh => Ok(()),
            Self::Slurm(job) => job.words().try_for_each(|(name, value)| write!(f, " {name}={value}")),
            Self::Ray(job) => job.words().try_for_each(|(name, value)| write!(f, " {name}={value}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_words() {
        let job = SlurmJob {
            partition: Some("gpu,debug".into()),
            time_limit: Some("1-02:00:00".into()),
            gpus: Some("a100:2".into()),
            memory: Some("16G".into()),
            ..SlurmJob::default()
        };
        assert_eq!(job.options(), "--partition=gpu,debug --time=1-02:00:00 --gres=gpu:a100:2 --mem=16G");
        assert!(Launcher::Slurm(job.clone()).check().is_ok());
        for bad in ["", "a b", "$(x)", "a;b", "-x", "a\nb", "'"] {
            let bad = Launcher::Slurm(SlurmJob { account: Some(bad.into()), ..job.clone() });
            assert!(bad.check().is_err(), "{bad:?}");
        }
        let text = serde_json::to_string(&Launcher::Slurm(job.clone())).unwrap();
        assert!(text.starts_with(r#"{"kind":"slurm","partition""#), "{text}");
        assert_eq!(serde_json::from_str::<Launcher>(&text).unwrap(), Launcher::Slurm(job));
        assert_eq!(serde_json::from_str::<Launcher>(r#"{"kind":"ssh"}"#).unwrap(), Launcher::Ssh);
    }

    #[test]
    fn shared_folder_is_a_whole_path() {
        let job = RayJob { shared: "/mnt/graft/".into(), gpus: Some(1), ..RayJob::default() };
        let launcher = Launcher::Ray(job.clone());
        assert!(launcher.check().is_ok());
        assert_eq!((job.there(), launcher.to_string().as_str()), ("/mnt/graft", "ray shared=/mnt/graft/ gpus=1"));
        for bad in [RayJob { shared: "graft".into(), ..job.clone() }, RayJob { nodes: Some("~/graft".into()), ..job }] {
            assert!(Launcher::Ray(bad.clone()).check().is_err(), "{bad:?}");
        }
    }
}
