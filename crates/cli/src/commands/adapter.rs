use std::path::PathBuf;

use clap::{Args, Subcommand};
use graft_engine::{Chosen, Engine, Merged, OutType, Told};
use serde_json::json;

use super::predict::is_folder;
use crate::{
    failure::{Failure, Result},
    output::Reply,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Adapter {
    /// Write the base model with a LoRA adapter merged into its weights (safetensors, f32).
    Merge {
        #[command(flatten)]
        which: Which,
        /// Folder to create.
        #[arg(long, short, value_name = "DIR")]
        output: PathBuf,
    },
    /// Export an adapter for other programs.
    #[command(group = clap::ArgGroup::new("form").required(true))]
    Export {
        #[command(flatten)]
        which: Which,
        /// Write llama.cpp's LoRA file (decoder-only models).
        #[arg(long, value_name = "FILE", group = "form")]
        gguf: Option<PathBuf>,
        /// Write a folder for Hugging Face PEFT.
        #[arg(long, value_name = "DIR", group = "form")]
        peft: Option<PathBuf>,
        /// Write a version's bundle, with all that it needs to answer elsewhere, for `graft models add`.
        #[arg(long, value_name = "FILE", group = "form")]
        bundle: Option<PathBuf>,
        /// Write the base model with a LoRA adapter merged into its weights, in the base model's form: a GGUF file, or a
        /// folder (with a Modelfile for Ollama) otherwise. It is written only if the model answers prompts of the task as
        /// base model and adapter do.
        #[arg(long, value_name = "PATH", group = "form")]
        merged: Option<PathBuf>,
        /// Type of the merged weights [default: f16 in GGUF files, that of the base model in folders].
        #[arg(long, conflicts_with_all = ["gguf", "peft", "bundle"])]
        outtype: Option<OutType>,
    },
}

/// The adapter to export or merge.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Name of a version, or path of an adapter folder (must contain a `/`).
    adapter: String,
    /// Task of the version; needed if several tasks have versions.
    #[arg(long)]
    task: Option<String>,
    /// Base model of an adapter that Graft did not train; the default is the one its config names.
    #[arg(long)]
    base: Option<String>,
}

impl Which {
    async fn find(&self, engine: &Engine) -> Result<Chosen> {
        if is_folder(&self.adapter) {
            return Ok(engine.versions().adapter_folder(self.adapter.as_ref())?);
        }
        let task = engine.versions().task_with_versions(self.task.as_deref()).await?;
        Ok(engine.versions().adapter(&task, Some(&self.adapter)).await?)
    }
}

pub(crate) async fn run(engine: &Engine, command: Adapter) -> Result<Reply> {
    let (form, path) = match command {
        Adapter::Merge { which, output } => {
            let chosen = which.find(engine).await?;
            engine.versions().merge(&chosen, which.base.as_deref(), &output).await?;
            ("safetensors", output)
        }
        Adapter::Export { which, gguf: Some(path), .. } => {
            let chosen = which.find(engine).await?;
            engine.versions().export_gguf(&chosen, which.base.as_deref(), &path).await?;
            ("gguf", path)
        }
        Adapter::Export { which, peft: Some(path), .. } => {
            engine.versions().export_peft(&which.find(engine).await?, &path)?;
            ("peft", path)
        }
        Adapter::Export { which, bundle: Some(path), .. } => {
            let task = engine.versions().task_with_versions(which.task.as_deref()).await?;
            let bundle = engine.versions().bundle(&task, &which.adapter).await?;
            graft_formats::atomic::bytes(&path, &bundle.bytes)?;
            ("bundle", path)
        }
        Adapter::Export { which, merged: Some(path), outtype, .. } => {
            let versions = engine.versions();
            let base = which.base.as_deref();
            let chosen = match is_folder(&which.adapter) {
                true => versions.adopt(which.adapter.as_ref(), Told { task: which.task.as_deref(), base }).await?,
                false => which.find(engine).await?,
            };
            return Ok(exported(&versions.export_merged(&chosen, outtype, &path).await?));
        }
        Adapter::Export { .. } => {
            return Err(Failure::usage("export nothing", "give `--gguf`, `--peft`, `--bundle` or `--merged`"));
        }
    };
    Ok(Reply::new(json!({"form": form, "path": path}), format!("Written to {}.", path.display())))
}

/// What is said of a merged model.
fn exported(merged: &Merged) -> Reply {
    let Merged { path, checked, .. } = merged;
    let mut text = format!(
        "Written to {} ({:.1} MB, {} merged matrices).\nChecked with {} {}: {} of the answers are those of base model and \
         adapter.\n",
        path.display(),
        merged.bytes as f64 / 1e6,
        merged.merged,
        checked.prompts,
        checked.from,
        checked.equal,
    );
    if let Some(same) = checked.same_as_one_text.filter(|same| *same < checked.prompts) {
        text.push_str(&format!(
            "Other programs tokenize a prompt as one text: {} of these prompts have other tokens there, and answers may \
             differ.\n",
            checked.prompts - same
        ));
    }
    if let Some(modelfile) = &merged.modelfile {
        text.push_str(&format!("For Ollama: ollama create NAME -f {}\n", modelfile.display()));
    }
    Reply::new(merged, text).with_field("form", "merged")
}
