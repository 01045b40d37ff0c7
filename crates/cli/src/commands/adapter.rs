use std::path::PathBuf;

use clap::{Args, Subcommand};
use graft_engine::{Chosen, Engine};
use serde_json::json;

use super::predict::is_folder;
use crate::{
    failure::{Failure, Result},
    output::Reply,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Adapter {
    /// Write the base model with a LoRA adapter merged into its weights (safetensors).
    Merge {
        #[command(flatten)]
        which: Which,
        /// Folder to write.
        #[arg(long, short, value_name = "DIR")]
        output: PathBuf,
    },
    /// Write an adapter for other programs.
    #[command(group = clap::ArgGroup::new("form").required(true))]
    Export {
        #[command(flatten)]
        which: Which,
        /// A LoRA file for llama.cpp.
        #[arg(long, value_name = "FILE", group = "form")]
        gguf: Option<PathBuf>,
        /// A folder for Hugging Face's peft.
        #[arg(long, value_name = "DIR", group = "form")]
        peft: Option<PathBuf>,
    },
}

/// Which adapter.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// A version's name, or the path of an adapter's folder (with a `/`).
    adapter: String,
    /// The version's task, where several have versions.
    #[arg(long)]
    task: Option<String>,
    /// The base model, for an adapter that was made elsewhere; otherwise the one that its files name.
    #[arg(long)]
    base: Option<String>,
}

impl Which {
    async fn find(&self, engine: &Engine) -> Result<Chosen> {
        if is_folder(&self.adapter) {
            return Ok(engine.adapter_folder(self.adapter.as_ref())?);
        }
        let task = engine.task_with_versions(self.task.as_deref()).await?;
        Ok(engine.adapter(&task, Some(&self.adapter)).await?)
    }
}

pub(crate) async fn run(engine: &Engine, command: Adapter) -> Result<Reply> {
    let (form, path) = match command {
        Adapter::Merge { which, output } => {
            let chosen = which.find(engine).await?;
            engine.merge(&chosen, which.base.as_deref(), &output).await?;
            ("safetensors", output)
        }
        Adapter::Export { which, gguf: Some(path), .. } => {
            let chosen = which.find(engine).await?;
            engine.export_gguf(&chosen, which.base.as_deref(), &path).await?;
            ("gguf", path)
        }
        Adapter::Export { which, peft: Some(path), .. } => {
            engine.export_peft(&which.find(engine).await?, &path)?;
            ("peft", path)
        }
        Adapter::Export { .. } => return Err(Failure::usage("export nothing", "give `--gguf` or `--peft`")),
    };
    Ok(Reply::new(json!({"form": form, "path": path}), format!("Written to {}.", path.display())))
}
