use std::path::PathBuf;

use clap::Subcommand;
use graft_engine::{DatasetForm, Engine, Error, iso8601};
use serde_json::json;

use crate::{
    failure::Result,
    output::{Reply, Table},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Dataset {
    /// List the datasets that versions were trained on, newest first.
    List {
        /// Only of this task.
        #[arg(long)]
        task: Option<String>,
    },
    /// Write a task's training data to a folder, as `train.jsonl` and `eval.jsonl` (held out); nothing is trained.
    Export {
        /// Task; `graft tasks list` shows them.
        task: String,
        /// Folder to write to.
        #[arg(long, value_name = "FOLDER")]
        output: PathBuf,
        /// The data of this version [default: the approved examples, as a training would split them now].
        #[arg(long, value_name = "NAME")]
        version: Option<String>,
        /// Form of the lines.
        #[arg(long, value_enum, default_value = "messages")]
        form: DatasetForm,
    },
}

pub(crate) async fn run(engine: &Engine, command: Dataset) -> Result<Reply> {
    match command {
        Dataset::List { task } => {
            let list = engine.examples().datasets(task.as_deref()).await?;
            let mut table = Table::new(["dataset", "task", "train", "held out", "made at"]);
            for one in &list {
                let counts = (one.train.to_string(), one.eval.to_string());
                table.row([
                    one.digest.short().to_owned(),
                    one.task.clone(),
                    counts.0,
                    counts.1,
                    iso8601(one.created_at),
                ]);
            }
            let text = table.or("No datasets yet: a training makes one.");
            Ok(Reply::new(json!({"datasets": list}), text))
        }
        Dataset::Export { task, output, version, form } => {
            let exported = engine.versions().dataset(&task, version.as_deref(), form).await?;
            let failed = |source| Error::Io { doing: "create", path: output.clone(), source };
            std::fs::create_dir_all(&output).map_err(failed)?;
            for (name, (_, lines)) in [("train.jsonl", &exported.train), ("eval.jsonl", &exported.eval)] {
                graft_formats::atomic::bytes(&output.join(name), lines.as_bytes())?;
            }
            let (train, eval) = (exported.train.0, exported.eval.0);
            let text =
                format!("{train} training examples and {eval} held-out examples of {task} in {}.", output.display());
            let json =
                json!({"task": task, "dataset": exported.digest, "output": output, "train": train, "eval": eval});
            Ok(Reply::new(json, text))
        }
    }
}
