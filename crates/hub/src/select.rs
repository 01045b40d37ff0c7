//! Selects the files of a model to download.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::{
    Error,
    reference::{is_gguf, is_inside},
};

/// Required files of a model folder.
pub(crate) const REQUIRED: [&str; 2] = ["config.json", "tokenizer.json"];
/// Optional files.
pub(crate) const OPTIONAL: [&str; 4] =
    ["tokenizer_config.json", "special_tokens_map.json", "generation_config.json", "chat_template.jinja"];
pub(crate) const SINGLE: &str = "model.safetensors";
pub(crate) const INDEX: &str = "model.safetensors.index.json";

/// How a model's weights are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Weights {
    /// One safetensors file.
    Single,
    /// Several, named by an index.
    Sharded,
    /// One GGUF file that holds everything.
    Gguf(String),
}

/// Finds the weights among the names in a repository or folder.
pub(crate) fn weights(place: &str, names: &[String]) -> Result<Weights, Error> {
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    if has(SINGLE) || has(INDEX) {
        if let Some(missing) = REQUIRED.into_iter().find(|file| !has(file)) {
            return Err(Error::Incomplete { place: place.into(), file: missing.into() });
        }
        return Ok(if has(SINGLE) { Weights::Single } else { Weights::Sharded });
    }
    let ggufs: Vec<String> = names.iter().filter(|name| is_gguf(name)).cloned().collect();
    match ggufs.as_slice() {
        [one] => return Ok(Weights::Gguf(one.clone())),
        [first, ..] if gguf_parts(first) == ggufs => return Ok(Weights::Gguf(first.clone())),
        [] => {}
        _ => return Err(Error::ChooseFile { place: place.into(), files: ggufs }),
    }
    let other: Vec<String> = names.iter().filter(|name| is_other_weights(name)).cloned().collect();
    if other.is_empty() {
        return Err(Error::Incomplete { place: place.into(), file: SINGLE.into() });
    }
    Err(Error::UnsupportedWeights { place: place.into(), files: other })
}

/// All files of a model that is split as `NAME-00001-of-00003.gguf` and so on, or the one file.
pub(crate) fn gguf_parts(name: &str) -> Vec<String> {
    let parts = || {
        let (rest, count) = name.strip_suffix(".gguf")?.rsplit_once("-of-")?;
        let (stem, number) = rest.rsplit_once('-')?;
        let five = |text: &str| text.parse::<usize>().ok().filter(|_| text.len() == 5 && text.is_ascii());
        let (number, all) = (five(number)?, five(count)?);
        let valid = (1..=all).contains(&number) && all <= 1024;
        valid.then(|| (1..=all).map(|n| format!("{stem}-{n:05}-of-{count}.gguf")).collect())
    };
    parts().unwrap_or_else(|| vec![name.to_owned()])
}

/// The shards that a safetensors index names.
pub(crate) fn shards(index: &[u8]) -> Result<Vec<String>, String> {
    #[derive(Deserialize)]
    struct Index {
        weight_map: std::collections::BTreeMap<String, String>,
    }
    let index: Index = serde_json::from_slice(index).map_err(|error| error.to_string())?;
    let shards: BTreeSet<String> = index.weight_map.into_values().collect();
    if let Some(bad) = shards.iter().find(|name| !is_inside(name) || !name.ends_with(".safetensors")) {
        return Err(format!("it names `{bad}` as a file of weights"));
    }
    if shards.is_empty() {
        return Err("it names no file of weights".into());
    }
    Ok(shards.into_iter().collect())
}

fn is_other_weights(name: &str) -> bool {
    let endings =
        [".bin", ".pt", ".pth", ".ckpt", ".h5", ".msgpack", ".onnx", ".safetensors", ".npz", ".tflite", ".ot"];
    !name.contains('/') && name != "training_args.bin" && endings.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pick(names: &[&str]) -> Result<Weights, Error> {
        weights("a/b", &names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn safetensors_file_is_preferred_to_shards_and_gguf() {
        let base = ["config.json", "tokenizer.json"];
        let with = |more: &[&'static str]| pick(&[&base[..], more].concat());
        assert_eq!(with(&[SINGLE, INDEX, "m.gguf", "pytorch_model.bin"]).unwrap(), Weights::Single);
        assert_eq!(with(&[INDEX, "model-00001-of-00002.safetensors"]).unwrap(), Weights::Sharded);
        assert_eq!(pick(&["README.md", "m.Q4_0.gguf"]).unwrap(), Weights::Gguf("m.Q4_0.gguf".into()));
        let parts = ["m-00001-of-00002.gguf", "m-00002-of-00002.gguf"];
        assert_eq!(pick(&parts).unwrap(), Weights::Gguf(parts[0].into()));
        assert_eq!(gguf_parts(parts[1]), parts);
        assert_eq!(gguf_parts("m-00003-of-00002.gguf"), ["m-00003-of-00002.gguf"]);
    }

    #[test]
    fn unusable_repositories_have_specific_errors() {
        assert!(matches!(pick(&["a.gguf", "b.gguf"]), Err(Error::ChooseFile { files, .. }) if files.len() == 2));
        let pickle = pick(&["config.json", "tokenizer.json", "pytorch_model.bin", "training_args.bin"]);
        assert!(matches!(pickle, Err(Error::UnsupportedWeights { files, .. }) if files == ["pytorch_model.bin"]));
        assert!(
            matches!(pick(&["config.json", SINGLE]), Err(Error::Incomplete { file, .. }) if file == "tokenizer.json")
        );
        assert!(matches!(pick(&["README.md"]), Err(Error::Incomplete { file, .. }) if file == SINGLE));
    }

    proptest! {
        #[test]
        fn index_may_only_name_files_of_its_folder(index in "\\{\"weight_map\":\\{(\"[a-z]\":\"[a-z./\\\\]{0,6}(\\.safetensors)?\")?\\}\\}|\\PC{0,40}") {
            for shard in shards(index.as_bytes()).unwrap_or_default() {
                let inside = |part| matches!(part, std::path::Component::Normal(_));
                prop_assert!(shard.ends_with(".safetensors") && std::path::Path::new(&shard).components().all(inside));
            }
        }
    }
}
