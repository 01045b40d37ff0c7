//! Models with random weights in real shapes: the speed does not depend on the values.

use std::{fs, io::Write as _, path::Path};

use serde_json::{Map, Value, json};

use crate::timing::numbers;

const CONFIG: &str = r#"{"model_type": "t5", "vocab_size": 32128, "d_model": 512, "d_kv": 64, "d_ff": 1024, "num_layers": 8,
"num_decoder_layers": 8, "num_heads": 6, "relative_attention_num_buckets": 32, "relative_attention_max_distance": 128,
"dropout_rate": 0.1, "layer_norm_epsilon": 1e-06, "feed_forward_proj": "gated-gelu", "is_encoder_decoder": true,
"is_gated_act": true, "dense_act_fn": "gelu_new", "tie_word_embeddings": false, "decoder_start_token_id": 0,
"pad_token_id": 0, "eos_token_id": 1, "architectures": ["T5ForConditionalGeneration"]}"#;
const TOKENIZER: &str = "crates/testkit/data/parity/tiny-t5";

/// Writes a folder in the shape of google/flan-t5-small, with random weights and a tiny model's tokenizer.
pub(crate) fn write_t5(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    for name in ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "generation_config.json"] {
        fs::copy(Path::new(TOKENIZER).join(name), folder.join(name))?;
    }
    fs::write(folder.join("config.json"), CONFIG)?;
    let tensors = t5_tensors();
    let (mut header, mut offset) = (Map::new(), 0);
    for (name, shape) in &tensors {
        let end = offset + 4 * shape.iter().product::<usize>();
        header.insert(name.clone(), json!({"dtype": "F32", "shape": shape, "data_offsets": [offset, end]}));
        offset = end;
    }
    let mut header = Value::Object(header).to_string();
    header += &" ".repeat(header.len().next_multiple_of(8) - header.len());
    let mut file = std::io::BufWriter::new(fs::File::create(folder.join("model.safetensors"))?);
    file.write_all(&(header.len() as u64).to_le_bytes())?;
    file.write_all(header.as_bytes())?;
    for (seed, (name, shape)) in tensors.iter().enumerate() {
        // Norm weights near one, and matrices whose products keep the scale of their input.
        let norm = name.contains("layer_norm");
        let scale = if norm { 0.0 } else { 1.0 / (*shape.last().unwrap_or(&1) as f32).sqrt() };
        let shift = if norm { 1.0 } else { 0.0 };
        for number in numbers(shape.iter().product(), seed as u64 + 1) {
            file.write_all(&(number * scale + shift).to_le_bytes())?;
        }
    }
    Ok(file.flush()?)
}

fn t5_tensors() -> Vec<(String, Vec<usize>)> {
    let (vocab, model, width, ff) = (32128, 512, 384, 1024);
    let mut all =
        vec![("shared.weight".to_owned(), vec![vocab, model]), ("lm_head.weight".to_owned(), vec![vocab, model])];
    for (stack, attentions) in [("encoder", &["SelfAttention"][..]), ("decoder", &["SelfAttention", "EncDecAttention"])]
    {
        for block in 0..8 {
            let layer = |index: usize| format!("{stack}.block.{block}.layer.{index}");
            for (index, attention) in attentions.iter().enumerate() {
                for name in ["q", "k", "v"] {
                    all.push((format!("{}.{attention}.{name}.weight", layer(index)), vec![width, model]));
                }
                all.push((format!("{}.{attention}.o.weight", layer(index)), vec![model, width]));
                all.push((format!("{}.layer_norm.weight", layer(index)), vec![model]));
            }
            let last = layer(attentions.len());
            for (name, shape) in [("wi_0", [ff, model]), ("wi_1", [ff, model]), ("wo", [model, ff])] {
                all.push((format!("{last}.DenseReluDense.{name}.weight"), shape.to_vec()));
            }
            all.push((format!("{last}.layer_norm.weight"), vec![model]));
        }
        let bias = format!("{stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight");
        all.push((bias, vec![32, 6]));
        all.push((format!("{stack}.final_layer_norm.weight"), vec![model]));
    }
    all
}
