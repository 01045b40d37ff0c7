//! A version as one file: all that it needs to answer elsewhere. The files of its folder and a manifest, in a zip file
//! whose bytes follow from the version alone.

use std::{
    io::{Cursor, Read as _, Write as _},
    path::Path,
    sync::Arc,
};

use graft_artifacts::Files;
use graft_core::{BaseRef, Digest, TaskCard, agents};
use graft_store::{Method, NewVersion, Version};
use graft_tasks::{
    cards::{BaselineSpec, Task},
    pounds::Tables,
};
use graft_train::AdapterCard;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use zip::{CompressionMethod, ZipArchive, ZipWriter, write::SimpleFileOptions};

use super::{Evaluation, Versions};
use crate::{
    Error, Result,
    files::{apart, read_folder},
    now,
};

/// The file that says what the others are.
const MANIFEST: &str = "graft-version.json";
/// Files of a bundle, at most.
const MOST: usize = 100;
/// The metric that names the bundle which a version came with.
const BUNDLE: &str = "bundle";
/// The name of a folder that came with a bundle is this and the beginning of the bundle's digest.
const FOLDER: &str = "bundle-";

/// A version in one file.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// Name of the version.
    pub version: String,
    /// SHA-256 of the file.
    pub digest: Digest,
    /// The file.
    pub bytes: Arc<[u8]>,
}

/// What a version is, beside its files.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    /// [`agents::BUNDLE_FORMAT`].
    format: u32,
    /// Name of the version.
    name: String,
    method: Method,
    adapter_digest: Digest,
    base: Option<BaseRef>,
    card: TaskCard,
    /// The task's definition as it was when the version was trained.
    task: Task,
    /// Its numbers, with the calibration; without answers to examples.
    evaluation: Option<Evaluation>,
    /// Weights, food classes and places that people changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    tables: Option<String>,
}

impl Manifest {
    /// The name of the task.
    pub(crate) fn task(&self) -> &str {
        &self.task.name
    }

    /// The file of the tables that the version's answers are computed with: absent if they are those that Graft comes
    /// with. [`None`] if its answers need no tables.
    pub(crate) fn tables(&self) -> Option<Option<&str>> {
        uses_tables(&self.task).then_some(self.tables.as_deref())
    }
}

/// Whether answers of a task are computed with the home's tables.
fn uses_tables(task: &Task) -> bool {
    task.computed.is_some() || task.baseline.as_ref().is_some_and(|baseline| !baseline.is_outside())
}

impl Versions<'_> {
    /// What the bundle of a version says of it.
    ///
    /// # Errors
    /// [`Error::Unbundled`]; what the store says.
    pub(crate) async fn manifest(self, version: &Version) -> Result<Manifest> {
        let mut task = self.engine.tasks().of(version).await?;
        task.name.clone_from(&version.task);
        // A bundle brings no command and no endpoint to another machine: an administrator chooses them there.
        if task.baseline.take_if(|baseline| baseline.is_outside()).is_some() && version.method == Method::Rules {
            return Err(Error::Unbundled { task: task.name, version: version.name.clone() });
        }
        let evaluation = Evaluation::of(version).map(|evaluation| Evaluation {
            confidences: None,
            worst: Vec::new(),
            right: Vec::new(),
            ..evaluation
        });
        let base = version.base.clone().zip(version.base_digest.clone());
        let tables = match uses_tables(&task) {
            true => std::fs::read_to_string(self.engine.home.tables_file()).ok(),
            false => None,
        };
        Ok(Manifest {
            format: agents::BUNDLE_FORMAT,
            name: version.name.clone(),
            method: version.method,
            adapter_digest: version.adapter_digest.clone(),
            base: base.map(|(name, digest)| BaseRef { name, digest }),
            card: version.card.clone(),
            task,
            evaluation,
            tables,
        })
    }

    /// Packs a version into one file, which [`add_bundle`](Self::add_bundle) takes elsewhere. Hugging Face's peft reads
    /// the folder of an adapter when it is unpacked.
    ///
    /// # Errors
    /// There is no such version, or its files are not those that were registered; [`Error::Unbundled`].
    pub async fn bundle(self, task: &str, name: &str) -> Result<Bundle> {
        let chosen = self.adapter(task, Some(name)).await?;
        let version = self.get(task, name).await?;
        let manifest = self.manifest(&version).await?;
        apart("pack the version", move || {
            let mut files = read_folder(&chosen.folder)?;
            files.insert(0, (MANIFEST.to_owned(), graft_core::json::pretty(&manifest).into_bytes()));
            let bytes: Arc<[u8]> = zipped(&files).map_err(|cause| bad(&cause.to_string()))?.into();
            Ok(Bundle { version: version.name, digest: agents::bundle_digest(&bytes), bytes })
        })
        .await
    }

    /// Registers the version of a bundle in the stage shadow, with its numbers and its task. One that is registered already
    /// is only given the bundle's numbers, and its files where they are lost or damaged.
    ///
    /// # Errors
    /// The file is no bundle, damaged, or of a newer form; its task can't be stored here.
    pub async fn add_bundle(self, bytes: &[u8]) -> Result<Version> {
        let (manifest, files) = read_bundle(bytes)?;
        self.add_version(manifest, files, &agents::bundle_digest(bytes)).await
    }

    pub(crate) async fn add_version(self, manifest: Manifest, files: Files, bundle: &Digest) -> Result<Version> {
        let (store, by) = (&self.engine.store, self.engine.by.as_str());
        let Manifest { name, method, adapter_digest, base, card, task, evaluation, .. } = manifest;
        let metrics = [("evaluation", json!(evaluation)), (BUNDLE, json!(bundle))];
        let revision = self.engine.tasks().keep_as(&task).await?;
        let known = self.list(Some(&task.name)).await?;
        // All rules of a task have the same file, and two trainings may have the same weights.
        let same = |version: &&Version| {
            (&version.adapter_digest, version.card_digest.as_str()) == (&adapter_digest, card.digest().as_str())
                && version.task_revision == Some(revision)
                && came_as(version, &name)
        };
        let contents: Vec<(&str, &[u8])> =
            files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
        if let Some(found) = known.iter().find(same) {
            let folder = self.engine.home.resolve(&found.adapter_dir);
            if read_folder(&folder).ok().as_ref() != Some(&files) {
                graft_formats::atomic::folder(&folder, &contents)?;
                self.publish(&found.adapter_dir).await?;
            }
            let mut version = found.clone();
            for (metric, value) in &metrics {
                if version.metrics.get(metric) != Some(value) {
                    version = store.set_metric(&version, (metric, value), None, by, now()).await?;
                }
            }
            return Ok(version);
        }
        let adapter_dir = format!("adapters/{}/{FOLDER}{}", task.name, bundle.short());
        graft_formats::atomic::folder(&self.engine.home.resolve(&adapter_dir), &contents)?;
        self.publish(&adapter_dir).await?;
        let taken = known.iter().any(|version| version.name == name);
        let new = NewVersion {
            task: task.name,
            name: Some(if taken { format!("{name}-{}", bundle.short()) } else { name }),
            method,
            run: None,
            adapter_dir,
            adapter_digest,
            base,
            dataset: None,
            card,
            metrics: metrics
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(k, v)| (k.to_owned(), v))
                .collect(),
            parent: None,
            task_revision: Some(revision),
        };
        Ok(store.add_version(&new, by, now()).await?)
    }
}

/// Whether a version came with a bundle that named it so: it has that name, or that name with the bundle's digest where the
/// name was taken.
fn came_as(version: &Version, name: &str) -> bool {
    let digest = version.adapter_dir.rsplit_once(FOLDER).map(|(_, digest)| digest);
    bundle_of(version).is_some()
        && (version.name == name || digest.is_some_and(|digest| version.name == format!("{name}-{digest}")))
}

/// The bundle that a version came with.
pub(crate) fn bundle_of(version: &Version) -> Option<Digest> {
    version.metrics.get(BUNDLE).and_then(Value::as_str)?.parse().ok()
}

/// A zip file whose bytes follow from the files alone. Weights hardly get smaller, and it is quick this way.
fn zipped(files: &Files) -> zip::result::ZipResult<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(zip::DateTime::default())
        .unix_permissions(0o644);
    for (name, bytes) in files {
        zip.start_file(name.as_str(), options.large_file(u32::try_from(bytes.len()).is_err()))?;
        zip.write_all(bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}

/// Manifest and files of a bundle, by name. It is untrusted: nothing is packed, so that no file is larger than the bundle.
pub(crate) fn read_bundle(bytes: &[u8]) -> Result<(Manifest, Files)> {
    let said = |cause: zip::result::ZipError| bad(&cause.to_string());
    let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(said)?;
    if zip.len() > MOST {
        return Err(bad(&format!("it has more than {MOST} files")));
    }
    let (mut manifest, mut files) = (None, Files::new());
    for place in 0..zip.len() {
        let file = zip.by_index(place).map_err(said)?;
        let name = file.name().map_err(said)?.into_owned();
        let is_plain = !name.starts_with('.') && Path::new(&name).file_name().is_some_and(|file| file == name.as_str());
        if !is_plain || name.contains(['\\', '\0']) || file.compression() != CompressionMethod::Stored {
            return Err(bad(&format!("`{}` is no file of a bundle", name.escape_default())));
        }
        let mut content = Vec::new();
        file.take(bytes.len() as u64).read_to_end(&mut content).map_err(|cause| bad(&cause.to_string()))?;
        match name.as_str() {
            MANIFEST => manifest = Some(content),
            _ => files.push((name, content)),
        }
    }
    let manifest = manifest.ok_or_else(|| bad(&format!("it has no `{MANIFEST}`")))?;
    let format = serde_json::from_slice::<Value>(&manifest).ok().and_then(|json| json.get("format")?.as_u64());
    if let Some(format) = format.filter(|format| *format > u64::from(agents::BUNDLE_FORMAT)) {
        return Err(bad(&format!("it has form {format}, which a newer Graft wrote")));
    }
    let manifest: Manifest = serde_json::from_slice(&manifest).map_err(|cause| bad(&cause.to_string()))?;
    if manifest.method == Method::Adapter {
        let card = files.iter().find(|(name, _)| name == AdapterCard::FILE);
        let card = card.and_then(|(_, bytes)| serde_json::from_slice::<AdapterCard>(bytes).ok());
        let same = |card: &AdapterCard| {
            card.task.digest() == manifest.card.digest() && Some(&card.base) == manifest.base.as_ref()
        };
        if !card.as_ref().is_some_and(same) {
            return Err(bad(&format!("its `{}` is not that of its version", AdapterCard::FILE)));
        }
    }
    if manifest.task.baseline.as_ref().is_some_and(BaselineSpec::is_outside) {
        return Err(bad("its task has a command or an endpoint as the baseline, which only administrators may choose"));
    }
    if let Some(tables) = &manifest.tables {
        Tables::from_toml(tables).map_err(|cause| bad(&format!("failed to {}", graft_core::with_causes(&cause))))?;
    }
    files.sort();
    Ok((manifest, files))
}

fn bad(what: &str) -> Error {
    Error::BadBundle { what: what.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_bundle_is_an_error_and_its_names_are_plain() {
        let with = |name: &str| zipped(&vec![(MANIFEST.into(), b"{}".to_vec()), (name.into(), vec![7; 50])]).unwrap();
        let whole = with("a.bin");
        assert_eq!(whole, with("a.bin"), "the same files are the same bytes");
        for length in 0..whole.len() {
            assert!(read_bundle(&whole[..length]).is_err(), "{length} bytes");
        }
        for place in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[place] ^= 0x41;
            assert!(read_bundle(&damaged).is_err(), "byte {place}");
        }
        for name in ["../x", "a/b", ".graft-x", "a\\b", "/x"] {
            let said = read_bundle(&with(name)).err().unwrap().to_string();
            assert!(said.contains("is no file of a bundle"), "{name}: {said}");
        }
        let newer = zipped(&vec![(MANIFEST.into(), br#"{"format": 2}"#.to_vec())]).unwrap();
        assert!(read_bundle(&newer).err().unwrap().to_string().contains("newer Graft"));
    }

    #[test]
    fn a_bundle_with_a_command_or_with_wrong_tables_is_refused() {
        let with = |baseline: Value, tables: &str| {
            let card = json!({"name": "mood", "instruction": "", "answer": {"form": "text"}});
            let task = json!({"name": "mood", "form": "text", "instruction": "", "baseline": baseline});
            let manifest = json!({
                "format": 1, "name": "v1", "method": "rules", "adapter_digest": Digest::of(b""), "base": null,
                "card": card, "task": task, "evaluation": null, "tables": tables,
            });
            read_bundle(&zipped(&vec![(MANIFEST.into(), manifest.to_string().into_bytes())]).unwrap()).map(drop)
        };
        let plain = json!({"kind": "built-in", "name": "food-rescue"});
        with(plain.clone(), "").unwrap();
        let said = with(plain, "boxes = 3").unwrap_err().to_string();
        assert!(said.contains("tables"), "{said}");
        let command = json!({"kind": "command", "command": ["sh", "-c", "true"]});
        for outside in [command, json!({"kind": "endpoint", "url": "http://127.0.0.1:1"})] {
            let said = with(outside, "").unwrap_err().to_string();
            assert!(said.contains("only administrators may choose"), "{said}");
        }
    }
}
