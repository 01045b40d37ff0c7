"""LoRA (r 16, all linear layers) on a Llama folder with torch + peft on a GPU: speed and memory of the usual way.
With --write, first makes the folder: Llama-3.2-1B's shape with random bf16 weights."""
import argparse, json, os, shutil, time
ap = argparse.ArgumentParser(); ap.add_argument("folder"); ap.add_argument("--write", metavar="TOKENIZER_FOLDER")
ap.add_argument("--batch", type=int, default=16); ap.add_argument("--length", type=int, default=512)
ap.add_argument("--source", type=int, default=448); ap.add_argument("--steps", type=int, default=10)
ap.add_argument("--attention", default="sdpa"); a = ap.parse_args()
import torch
from transformers import LlamaConfig, LlamaForCausalLM
torch.manual_seed(0)
if a.write:
    config = LlamaConfig(vocab_size=128256, hidden_size=2048, intermediate_size=8192, num_hidden_layers=16, num_attention_heads=32,
                         num_key_value_heads=8, head_dim=64, max_position_embeddings=131072, rms_norm_eps=1e-5, tie_word_embeddings=True,
                         rope_theta=500000.0, bos_token_id=1, eos_token_id=2)
    torch.set_default_dtype(torch.bfloat16)
    with torch.device("cuda"): model = LlamaForCausalLM(config)
    model.save_pretrained(a.folder)
    for name in os.listdir(a.write):
        if name.startswith(("tokenizer", "special_tokens")): shutil.copy(os.path.join(a.write, name), a.folder)
    raise SystemExit
from peft import LoraConfig, get_peft_model
model = LlamaForCausalLM.from_pretrained(a.folder, dtype=torch.bfloat16, attn_implementation=a.attention).cuda()
model = get_peft_model(model, LoraConfig(r=16, lora_alpha=32, lora_dropout=0.0, task_type="CAUSAL_LM", target_modules=[
    "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]))
params = [p for p in model.parameters() if p.requires_grad]
opt = torch.optim.AdamW(params, lr=5e-5, weight_decay=0.0, fused=True)
ids = torch.randint(2, model.config.vocab_size - 300, (a.batch, a.length), device="cuda")
labels = ids.clone(); labels[:, : a.source] = -100
# Only the rows that carry loss need logits.
keep = a.length - a.source + 1
model.train(); times = []
for step in range(a.steps + 3):
    torch.cuda.synchronize(); clock = time.time()
    logits = model(input_ids=ids, logits_to_keep=keep).logits[:, :-1].float()
    loss = torch.nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), ids[:, a.source :].reshape(-1))
    loss.backward()
    torch.nn.utils.clip_grad_norm_(params, 1.0); opt.step(); opt.zero_grad()
    torch.cuda.synchronize(); times.append(time.time() - clock)
median = sorted(times[3:])[len(times[3:]) // 2]
print(json.dumps({"peer": "torch + peft", "torch": torch.__version__, "gpu": torch.cuda.get_device_name(), "batch": a.batch, "length": a.length,
                  "tokens_per_s": round(a.batch * a.length / median, 1), "peak_gb": round(torch.cuda.max_memory_allocated() / 1e9, 2),
                  "last_loss": round(loss.item(), 4), "params_dtype": str(params[0].dtype)}), flush=True)
