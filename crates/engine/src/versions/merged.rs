//! Models in which an adapter is merged into the weights of its base, for programs that know no adapters.
//!
//! An exported model is asked before anybody can use it: it is opened again as any model is, and must answer prompts of the
//! task as the base model with its adapter does.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use graft_core::TaskCard;
use graft_formats::{
    Dtype, Family, ModelConfig, ModelFiles, RopeScaling, gguf_copy,
    peft::{self, LoraPair, PeftAdapter, PeftConfig},
    safetensors_out::{self, Data, TensorSpec},
};
use graft_nn::{Adapter, Model, Prompter};
use graft_store::{ExampleFilter, Order, ReviewFilter};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Chosen, Versions, modelfile};
use crate::{Error, Result, files::apart};

/// Files of a model folder beside its weights.
const BESIDE: [&str; 6] = [
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "generation_config.json",
    "chat_template.jinja",
    "tokenizer.model",
];

/// Prompts that an exported model is asked, at most.
const PROMPTS: usize = 12;
/// Tokens of an answer that are compared, at most.
const TOKENS: usize = 128;
/// Share of the answers that must be equal if weights are rounded to a smaller type.
const SHARE: f64 = 0.9;
/// Logits that are this close are equal but for rounding: either token is the greedy one.
const TIE: f32 = 1e-3;
/// Asked of the model of a task without examples.
const NO_EXAMPLES: [&str; 4] =
    ["Yes, that works well.", "No, this is not what I asked for.", "Three boxes of apples from the market.", "12 + 30"];

/// The type of merged weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum OutType {
    /// 32 bits: nothing is lost.
    F32,
    /// 16 bits.
    F16,
    /// 8 bits in blocks of 32 with a scale; for GGUF files.
    #[cfg_attr(feature = "clap", value(name = "q8_0"))]
    Q8_0,
}

impl OutType {
    fn dtype(self) -> Dtype {
        match self {
            Self::F32 => Dtype::F32,
            Self::F16 => Dtype::F16,
            Self::Q8_0 => Dtype::Q8_0,
        }
    }
}

/// What was exported, and how it was checked.
#[derive(Clone, Debug, Serialize)]
pub struct Merged {
    /// `gguf` or `safetensors`, as the base model.
    pub model: &'static str,
    /// Where it is.
    pub path: PathBuf,
    /// Size of the file, or of all files of the folder.
    pub bytes: u64,
    /// Type of the merged weights; that of the base model's weights if absent.
    pub outtype: Option<OutType>,
    /// Number of matrices with merged weights. All others are those of the base model.
    pub merged: usize,
    /// The Modelfile for Ollama, if one was written.
    pub modelfile: Option<PathBuf>,
    /// How its answers compare with those of base model and adapter.
    pub checked: Checked,
}

/// Greedy answers of an exported model, compared with those of base model and adapter.
#[derive(Clone, Debug, Serialize)]
pub struct Checked {
    /// Where the prompts are from: `held-out examples`, `approved examples` or `fixed texts`.
    pub from: &'static str,
    /// Number of prompts.
    pub prompts: usize,
    /// Number of equal answers, token by token (the first 128).
    pub equal: usize,
    /// Number of prompts whose tokens are the same if the whole prompt is tokenized as one text, as other programs do it.
    /// Absent for models with an encoder.
    pub same_as_one_text: Option<usize>,
}

/// An adapter's weights, its base model, and everything else that an exported model is made of.
struct Parts {
    chosen: Chosen,
    /// `general.name` of a GGUF file.
    name: String,
    files: ModelFiles,
    adapter: PeftAdapter,
    card: TaskCard,
    outtype: Option<OutType>,
    inputs: Vec<String>,
    from: &'static str,
}

impl Versions<'_> {
    /// Writes the base model with the adapter's change added to its weights, as a Hugging Face folder in f32.
    ///
    /// # Errors
    /// A soft prompt can't be merged; an adapter that doesn't fit the base; the disk refuses.
    pub async fn merge(self, chosen: &Chosen, base: Option<&str>, output: &Path) -> Result<()> {
        chosen.check_adapter()?;
        let (_, files) = self.base_for(chosen, base).await?;
        let adapter = peft::read(&chosen.folder)?;
        let lora = Lora::of(&adapter, &files)?;
        if !files.path.is_dir() {
            // Refused before the weights are written.
            llama_config(&files)?;
        }
        fs::create_dir_all(output).map_err(|source| Error::Io { doing: "make", path: output.to_owned(), source })?;
        write_folder(&files, &lora, Some(Dtype::F32), output)
    }

    /// Writes the base model with the adapter merged into its weights, in the base model's own form: a GGUF file (or a
    /// folder with it and a Modelfile for Ollama), or a Hugging Face folder. `path` appears when the model has answered
    /// like base model and adapter.
    ///
    /// # Errors
    /// A soft prompt can't be merged; the adapter doesn't fit the base; other answers; `path` is in use; the disk refuses.
    pub async fn export_merged(self, chosen: &Chosen, outtype: Option<OutType>, path: &Path) -> Result<Merged> {
        let card = chosen.known_card()?.task.clone();
        let (base, files) = self.base_for(chosen, None).await?;
        let adapter = peft::read(&chosen.folder)?;
        let (inputs, from) = self.prompts(chosen, &card).await?;
        let version = chosen.version.as_ref().map_or(String::new(), |version| format!(" {}", version.name));
        let name = format!("{}{version} ({})", card.name, base.name);
        let parts = Parts { chosen: chosen.clone(), name, files, adapter, card, outtype, inputs, from };
        let path = path.to_owned();
        apart("write the merged model", move || parts.export(&path)).await
    }

    /// Inputs for the check, from all over the examples, and where they are from.
    async fn prompts(self, chosen: &Chosen, card: &TaskCard) -> Result<(Vec<String>, &'static str)> {
        let store = &self.engine.store;
        let task = chosen.version.as_ref().map_or(&card.name, |version| &version.task);
        let dataset = chosen.version.as_ref().and_then(|version| version.dataset.as_ref());
        let (mut examples, mut from) = (Vec::new(), "held-out examples");
        if let Some(dataset) = dataset {
            examples = store.dataset(task, dataset).await.map(|dataset| dataset.eval).unwrap_or_default();
        }
        if examples.is_empty() {
            from = "approved examples";
            examples = store
                .examples(&ExampleFilter {
                    task: Some(task.clone()),
                    review: Some(ReviewFilter::Approved),
                    order: Order::Oldest,
                    ..ExampleFilter::default()
                })
                .await?;
        }
        if examples.is_empty() {
            return Ok((NO_EXAMPLES.map(str::to_owned).into(), "fixed texts"));
        }
        let every = examples.len().div_ceil(PROMPTS).max(1);
        Ok((examples.into_iter().step_by(every).map(|example| example.input).collect(), from))
    }
}

impl Parts {
    fn export(self, path: &Path) -> Result<Merged> {
        let lora = Lora::of(&self.adapter, &self.files)?;
        let is_folder = self.files.path.is_dir();
        let wants_file = path.extension().is_some_and(|extension| extension == "gguf");
        let refuse = |what: &str, hint| Err(Error::CannotMerge { what: what.to_owned(), hint });
        if is_folder && wants_file {
            return refuse("into a GGUF file: the base model is a folder with safetensors", "name a folder to create");
        }
        if is_folder && self.outtype == Some(OutType::Q8_0) {
            return refuse("as q8_0: the base model is a folder with safetensors", "choose `f32` or `f16`");
        }
        if path.is_dir() && (wants_file || fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some())) {
            return refuse(&format!("into `{}`: the folder is in use", path.display()), "name a folder to create");
        }
        let model = Model::load(&self.files)?;
        let adapter = Adapter::from_peft(&self.adapter, &model)?;
        self.chosen.check_weights(&adapter)?;
        let prompter = Prompter::new(&self.files, model.has_encoder(), &self.card)?;
        let outtype = if is_folder { self.outtype } else { Some(self.outtype.unwrap_or(OutType::F16)) };
        // Relative to the folder, also in the Modelfile.
        let inside = if is_folder { "." } else { "./model.gguf" };
        let around = around(&prompter, &self.files)?;
        let has_modelfile = !wants_file && !model.has_encoder();
        let modelfile = has_modelfile.then(|| modelfile::text(inside, &self.files, around));
        let checked = graft_formats::atomic::staged(path, |fresh| {
            let opened = if wants_file {
                write_gguf(&self.files, &lora, outtype, &self.name, fresh)?;
                fresh.to_owned()
            } else {
                fs::create_dir(fresh).map_err(|source| Error::Io { doing: "make", path: fresh.to_owned(), source })?;
                if let Some(text) = &modelfile {
                    graft_formats::atomic::bytes(&fresh.join(modelfile::NAME), text.as_bytes())?;
                }
                if is_folder {
                    write_folder(&self.files, &lora, outtype.map(OutType::dtype), fresh)?;
                } else {
                    write_gguf(&self.files, &lora, outtype, &self.name, &fresh.join(inside))?;
                }
                fresh.join(inside)
            };
            self.check(&opened, (&model, &adapter), &prompter, outtype)
        })?;
        Ok(Merged {
            model: if is_folder { "safetensors" } else { "gguf" },
            bytes: crate::bases::file_bytes(path),
            outtype,
            merged: lora.pairs.len(),
            modelfile: modelfile.map(|_| path.join(modelfile::NAME)),
            path: path.to_owned(),
            checked,
        })
    }

    /// Opens an exported model, and compares its greedy answers with those of base model and adapter.
    fn check(
        &self,
        path: &Path,
        (model, adapter): (&Model, &Adapter),
        prompter: &Prompter,
        outtype: Option<OutType>,
    ) -> Result<Checked> {
        let (merged, files) = Model::open(path)?;
        let (before, after) = around(prompter, &files)?;
        let mut checked = Checked {
            from: self.from,
            prompts: self.inputs.len(),
            equal: 0,
            same_as_one_text: (!model.has_encoder()).then_some(0),
        };
        for input in &self.inputs {
            let prompt = prompter.prompt(input)?;
            if let Some(same) = &mut checked.same_as_one_text {
                let text = format!("{before}{}{after}", input.trim());
                let whole = files.tokenizer.encode(text, true).map_err(graft_nn::Error::Tokenizer)?;
                *same += usize::from(*whole.get_ids() == prompt[..]);
            }
            let (source, tokens) =
                if model.has_encoder() { (prompt, vec![model.decoder_start()]) } else { (Vec::new(), prompt) };
            let limit = TOKENS.min(model.context().saturating_sub(tokens.len()));
            let answer =
                |model, adapter| graft_nn::greedy(model, adapter, &source, &tokens, limit, &self.files.tokens.eos);
            let (wanted, found) = (answer(model, Some(adapter))?, answer(&merged, None)?);
            let is_equal =
                wanted == found || is_tie((model, adapter), (&source, &tokens), (&wanted, &found), prompter.end())?;
            checked.equal += usize::from(is_equal);
        }
        let share = if outtype == Some(OutType::F32) { 1.0 } else { SHARE };
        if (checked.equal as f64) < share * checked.prompts as f64 {
            let Checked { equal, prompts, .. } = checked;
            return Err(Error::OtherAnswers { equal, prompts, percent: (share * 100.0) as u8 });
        }
        Ok(checked)
    }
}

/// The texts around every input, without a start token that the tokenizer itself puts before a text.
fn around<'p>(prompter: &'p Prompter, files: &ModelFiles) -> Result<(&'p str, &'p str)> {
    let (before, after) = prompter.around();
    let bos = if files.starts_with_bos()? { files.tokens.bos } else { None };
    let bos = bos.and_then(|bos| files.tokenizer.id_to_token(bos)).unwrap_or_default();
    Ok((before.strip_prefix(&bos).unwrap_or(before), after))
}

/// Whether the first token that differs has a logit so close to the greedy one that rounding decides between them.
fn is_tie(
    (model, adapter): (&Model, &Adapter),
    (source, prompt): (&[u32], &[u32]),
    (wanted, found): (&[u32], &[u32]),
    end: u32,
) -> Result<bool> {
    let same = wanted.iter().zip(found).take_while(|(a, b)| a == b).count();
    let logits = model.logits(Some(adapter), source, &[prompt, &wanted[..same]].concat())?;
    let last = &logits.data()[(logits.rows() - 1) * logits.cols()..];
    let logit = |tokens: &[u32]| last[tokens.get(same).copied().unwrap_or(end) as usize];
    Ok((logit(wanted) - logit(found)).abs() <= TIE)
}

/// A LoRA adapter's halves by the names of the matrices that they change.
struct Lora<'a> {
    pairs: BTreeMap<String, LoraPair<'a>>,
    scale: f32,
}

impl<'a> Lora<'a> {
    /// The halves of an adapter that fits the model.
    fn of(adapter: &'a PeftAdapter, files: &ModelFiles) -> Result<Self> {
        let PeftConfig::Lora(lora) = &adapter.config else {
            return Err(Error::CannotMerge {
                what: "a soft prompt: it does not change weights".into(),
                hint: "`graft adapter export --bundle` writes it with all that it needs to answer in another Graft",
            });
        };
        if let Some(part) = adapter.beyond_linear() {
            let hint = "merge it with peft's `merge_and_unload()`";
            return Err(Error::CannotMerge { what: format!("an adapter with {part}"), hint });
        }
        let shapes: BTreeMap<&str, &[usize]> = files.tensors.iter().collect();
        let mut pairs = BTreeMap::new();
        for pair in adapter.lora_pairs() {
            // The model without its output head names its layers `layers.0…`.
            let names = [format!("{}.weight", pair.module), format!("model.{}.weight", pair.module)];
            let fits =
                |name: &String| shapes.get(name.as_str()).is_some_and(|shape| **shape == [pair.b.0[0], pair.a.0[1]]);
            let Some(name) = names.into_iter().find(fits) else {
                let what = format!("the model has no layer `{}` of this shape", pair.module);
                return Err(graft_nn::Error::AdapterMismatch(what).into());
            };
            pairs.insert(name, pair);
        }
        Ok(Self { pairs, scale: lora.scaling() })
    }

    /// The matrix of the base model with the adapter's change, if there is one: `W + scale · B·A`, with DoRA's factor on each
    /// row.
    fn merged(&self, files: &ModelFiles, name: &str) -> Result<Option<Vec<f32>>> {
        let Some(pair) = self.pairs.get(name) else { return Ok(None) };
        let (rows, cols) = (pair.b.0[0], pair.a.0[1]);
        let mut weight = files.tensor(name, &[rows, cols])?.to_f32();
        pair.merge_into(&mut weight, self.scale);
        Ok(Some(weight))
    }
}

/// Writes a GGUF file with merged weights of this type.
fn write_gguf(files: &ModelFiles, lora: &Lora<'_>, outtype: Option<OutType>, name: &str, path: &Path) -> Result<()> {
    let matrices: BTreeSet<String> = lora.pairs.keys().cloned().collect();
    let dtype = outtype.unwrap_or(OutType::F16).dtype();
    gguf_copy::write(&files.path, path, gguf_copy::Changes { name, matrices: &matrices, dtype }, |name| {
        Ok::<_, Error>(lora.merged(files, name)?.unwrap_or_default())
    })
}

/// Writes a Hugging Face folder: all tensors in one type, or each in its own.
fn write_folder(files: &ModelFiles, lora: &Lora<'_>, dtype: Option<Dtype>, output: &Path) -> Result<()> {
    let spec = |(name, shape): (&str, &[usize])| TensorSpec {
        name: name.to_owned(),
        dtype: dtype.or(files.tensors.dtype(name)).unwrap_or(Dtype::F32),
        shape: shape.to_vec(),
    };
    let specs: Vec<TensorSpec> = files.tensors.iter().map(spec).collect();
    safetensors_out::write(&output.join("model.safetensors"), &specs, |spec| {
        if let Some(values) = lora.merged(files, &spec.name)? {
            return Ok(Data::Values(values));
        }
        let stored = files.tensor(&spec.name, &spec.shape)?;
        Ok::<_, Error>(if stored.dtype == spec.dtype { Data::Stored(stored) } else { Data::Values(stored.to_f32()) })
    })?;
    write_beside(files, dtype, output)
}

/// Writes config, tokenizer and chat template of a model folder or GGUF file.
fn write_beside(files: &ModelFiles, dtype: Option<Dtype>, output: &Path) -> Result<()> {
    let put = |name: &str, value: &Value| -> Result<()> {
        Ok(graft_formats::atomic::bytes(&output.join(name), format!("{value:#}\n").as_bytes())?)
    };
    if files.path.is_dir() {
        for name in BESIDE {
            let from = files.path.join(name);
            if from.exists() {
                fs::copy(&from, output.join(name)).map_err(|source| Error::Io {
                    doing: "copy",
                    path: from.clone(),
                    source,
                })?;
            }
        }
        let path = files.path.join("config.json");
        let text = fs::read(&path).map_err(|source| Error::Io { doing: "read", path: path.clone(), source })?;
        let mut config: Value = serde_json::from_slice(&text).unwrap_or_default();
        if let Some(dtype) = dtype {
            let named = if dtype == Dtype::F16 { "float16" } else { "float32" };
            for name in ["torch_dtype", "dtype"] {
                if let Some(dtype) = config.get_mut(name) {
                    *dtype = json!(named);
                }
            }
        }
        return put("config.json", &config);
    }
    put("config.json", &llama_config(files)?)?;
    let tokens = &files.tokens;
    put("generation_config.json", &json!({"bos_token_id": tokens.bos, "eos_token_id": tokens.eos}))?;
    let tokenizer = files.tokenizer.to_string(true).map_err(graft_nn::Error::Tokenizer)?;
    graft_formats::atomic::bytes(&output.join("tokenizer.json"), tokenizer.as_bytes())?;
    let text = |id: Option<u32>| id.and_then(|id| files.tokenizer.id_to_token(id));
    let mut about = json!({
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": text(tokens.bos),
        "eos_token": text(tokens.eos.first().copied()),
    });
    if let Some(template) = &files.chat_template {
        about["chat_template"] = json!(template.source());
    }
    put("tokenizer_config.json", &about)
}

/// A Hugging Face `config.json` for a Llama in a GGUF file.
fn llama_config(files: &ModelFiles) -> Result<Value> {
    let (c, rope) = match &files.config {
        ModelConfig::Decoder(c) if c.family == Family::Llama => (c, &c.ropes[0]),
        _ => {
            return Err(Error::CannotMerge {
                what: "into a folder: the base model is a GGUF file of another architecture than Llama".into(),
                hint: "`graft adapter export --merged` writes a GGUF file",
            });
        }
    };
    let scaling = match &rope.scaling {
        RopeScaling::None => Value::Null,
        RopeScaling::Linear { factor } => json!({"rope_type": "linear", "factor": factor}),
        RopeScaling::Llama3 { factor, low_freq_factor, high_freq_factor, original_max_positions } => json!({
            "rope_type": "llama3", "factor": factor, "low_freq_factor": low_freq_factor,
            "high_freq_factor": high_freq_factor, "original_max_position_embeddings": original_max_positions,
        }),
        RopeScaling::Factors(_) => {
            return Err(Error::CannotMerge {
                what: "into a folder: the base model is a GGUF file with rope factors, which `config.json` can't hold"
                    .into(),
                hint: "`graft adapter export --merged` writes a GGUF file",
            });
        }
    };
    Ok(json!({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu",
        "hidden_size": c.hidden, "intermediate_size": c.intermediate, "num_hidden_layers": c.layers,
        "num_attention_heads": c.heads, "num_key_value_heads": c.kv_heads, "head_dim": c.head_dim,
        "vocab_size": c.vocab, "rms_norm_eps": f64::from(c.rms_eps), "rope_theta": rope.theta,
        "rope_scaling": scaling, "tie_word_embeddings": c.tie, "max_position_embeddings": c.max_positions,
        "bos_token_id": files.tokens.bos, "eos_token_id": files.tokens.eos, "torch_dtype": "float32",
        "attention_bias": false, "mlp_bias": false,
    }))
}

#[cfg(test)]
mod tests {
    use graft_formats::peft::{LoraConfig, Modules, TaskType, Values, lora_name};

    use super::*;

    fn data(path: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
    }

    /// Logits of base model and adapter, of the written model, and of the base model alone.
    fn logits(files: &ModelFiles, adapter: &PeftAdapter, written: &Path) -> [Vec<f32>; 3] {
        let model = Model::load(files).unwrap();
        let adapter = Adapter::from_peft(adapter, &model).unwrap();
        let (merged, _) = Model::open(written).unwrap();
        let tokens: Vec<u32> = (3..20).collect();
        let source = if model.has_encoder() { &tokens[..9] } else { &[] };
        let of = |model: &Model, adapter| model.logits(adapter, source, &tokens).unwrap().data().to_vec();
        [of(&model, Some(&adapter)), of(&merged, None), of(&model, None)]
    }

    /// The largest difference, as a share of the largest logit.
    fn difference(a: &[f32], b: &[f32]) -> f32 {
        let most = |values: &mut dyn Iterator<Item = f32>| values.fold(0.0_f32, |most, x| most.max(x.abs()));
        most(&mut a.iter().zip(b).map(|(a, b)| a - b)) / most(&mut a.iter().copied())
    }

    #[test]
    fn merged_folder_of_every_family_gives_the_logits_of_base_and_adapter() {
        let families = [
            "gemma2",
            "gemma3",
            "granite",
            "mistral-window",
            "olmo2",
            "phi3",
            "qwen2-window",
            "qwen3",
            "smollm3",
            "tiny-llama",
            "tiny-llama3",
            "tiny-t5",
        ];
        for family in families {
            let files = graft_formats::open(&data("testkit/data/parity").join(family)).unwrap();
            let adapter = peft::read(&files.path.join("adapter_lora")).unwrap();
            let folder = tempfile::tempdir().unwrap();
            let lora = Lora::of(&adapter, &files).unwrap();
            write_folder(&files, &lora, None, folder.path()).unwrap();
            let [wanted, found, bare] = logits(&files, &adapter, folder.path());
            assert!(difference(&wanted, &found) < 1e-4, "{family}: {}", difference(&wanted, &found));
            assert!(difference(&wanted, &bare) > 1e-3, "{family}: the adapter changes nothing");
            let written = graft_formats::open(folder.path()).unwrap();
            for (name, shape) in files.tensors.iter().filter(|(name, _)| !lora.pairs.contains_key(*name)) {
                let bytes = |files: &ModelFiles| files.tensor(name, shape).unwrap().bytes().to_vec();
                assert!(bytes(&files) == bytes(&written), "{family}: {name} has changed");
            }
        }
    }

    /// An rsLoRA adapter on some layers of a model, with another rank for one kind of them.
    fn adapter_on(files: &ModelFiles) -> PeftAdapter {
        let values = |seed: usize, count: usize| (0..count).map(|i| ((i + seed) as f32 * 0.7).sin() * 0.05).collect();
        let (mut tensors, mut ranks): (BTreeMap<String, Values>, _) = (BTreeMap::new(), BTreeMap::new());
        for (name, shape) in files.tensors.iter() {
            let Some(module) = name.strip_suffix("_proj.weight").map(|name| format!("{name}_proj")) else { continue };
            if ["v_proj", "up_proj"].iter().any(|other| module.ends_with(other)) {
                continue;
            }
            let rank = if module.ends_with("k_proj") { 2 } else { 4 };
            tensors.insert(lora_name(&module, 'A'), (vec![rank, shape[1]], values(1, rank * shape[1])));
            tensors.insert(lora_name(&module, 'B'), (vec![shape[0], rank], values(2, rank * shape[0])));
            if rank != 4 {
                ranks.insert(module, rank);
            }
        }
        let target_modules = Modules::AllLinear;
        let lora = LoraConfig {
            r: 4,
            alpha: 8.0,
            dropout: 0.0,
            use_rslora: true,
            target_modules,
            ranks,
            dora: false,
            lora_bias: false,
            modules_to_save: Vec::new(),
            partial: false,
        };
        PeftAdapter { base: None, task_type: TaskType::CausalLm, config: PeftConfig::Lora(lora), tensors }
    }

    #[test]
    fn merged_gguf_gives_the_logits_of_base_and_adapter() {
        for name in ["tiny-gpt2.gguf", "tiny-spm.gguf", "tiny-split-00002-of-00002.gguf"] {
            let files = graft_formats::open(&data("formats/tests/data").join(name)).unwrap();
            let adapter = adapter_on(&files);
            let lora = Lora::of(&adapter, &files).unwrap();
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("merged.gguf");
            for (outtype, bound) in [(OutType::F32, 1e-5), (OutType::F16, 1e-3), (OutType::Q8_0, 3e-2)] {
                write_gguf(&files, &lora, Some(outtype), "a model", &path).unwrap();
                let [wanted, found, bare] = logits(&files, &adapter, &path);
                assert!(difference(&wanted, &found) < bound, "{name} {outtype:?}: {}", difference(&wanted, &found));
                assert!(difference(&wanted, &bare) > 0.1, "{name}: the adapter changes nothing");
            }
        }
    }
}
