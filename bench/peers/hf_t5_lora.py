"""One training step of a model of flan-t5-small's size (random weights) with transformers + peft: LoRA or a soft prompt."""
import argparse, json, os, resource, statistics, time, torch
from peft import LoraConfig, PromptTuningConfig, get_peft_model
from transformers import T5Config, T5ForConditionalGeneration
ap = argparse.ArgumentParser(); ap.add_argument("what", choices=["qv", "prompt"]); ap.add_argument("batch", type=int); ap.add_argument("source", type=int)
ap.add_argument("target", type=int); ap.add_argument("steps", type=int); ap.add_argument("--pad", type=int, default=0); a = ap.parse_args()
torch.manual_seed(0); torch.set_num_threads(os.cpu_count())
cfg = T5Config(vocab_size=32128, d_model=512, d_kv=64, d_ff=1024, num_layers=8, num_decoder_layers=8, num_heads=6, feed_forward_proj="gated-gelu",
               tie_word_embeddings=False, dropout_rate=0.1, decoder_start_token_id=0, pad_token_id=0, eos_token_id=1)
adapter = (LoraConfig(r=16, lora_alpha=16, target_modules=["q", "v"], lora_dropout=0.05, task_type="SEQ_2_SEQ_LM") if a.what == "qv"
           else PromptTuningConfig(task_type="SEQ_2_SEQ_LM", num_virtual_tokens=20, num_transformer_submodules=1))
model = get_peft_model(T5ForConditionalGeneration(cfg), adapter)
model.train(); opt = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=5e-5)
source, target = max(a.source, a.pad), max(a.target, a.pad)
x = torch.randint(2, 32000, (a.batch, source)); mask = torch.ones_like(x); mask[:, a.source:] = 0; y = torch.randint(2, 32000, (a.batch, target)); y[:, a.target:] = -100
def step():
    t = time.time(); model(input_ids=x, attention_mask=mask, labels=y).loss.backward(); opt.step(); opt.zero_grad(); return time.time() - t
step(); times = [step() for _ in range(a.steps)]
print(json.dumps({"ms_an_example": statistics.median(times) / a.batch * 1e3, "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6}))
