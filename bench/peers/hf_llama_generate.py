"""Greedy generation of a Llama folder with transformers on a GPU (bf16, sdpa): what a prefill and a step take, for more and more
lanes. `hf_llama_gpu.py --write` makes the folder."""
import argparse, json, time
ap = argparse.ArgumentParser(); ap.add_argument("folder"); ap.add_argument("--prompt", type=int, default=512)
ap.add_argument("--new", type=int, default=64); ap.add_argument("--lanes", type=int, nargs="+", default=[1, 8, 32, 64])
a = ap.parse_args()
import torch, transformers
from transformers import LlamaForCausalLM
model = LlamaForCausalLM.from_pretrained(a.folder, dtype=torch.bfloat16, attn_implementation="sdpa").cuda().eval()


def timed(ids, new):
    torch.cuda.synchronize(); clock = time.time()
    with torch.inference_mode():
        model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=new, min_new_tokens=new, do_sample=False, pad_token_id=0)
    torch.cuda.synchronize(); return time.time() - clock


for lanes in [a.lanes[0]] + a.lanes:
    ids = torch.randint(2, model.config.vocab_size - 300, (lanes, a.prompt), device="cuda")
    timed(ids, 4); torch.cuda.reset_peak_memory_stats()
    first, whole = timed(ids, 1), timed(ids, a.new)
    step = (whole - first) / (a.new - 1)
    print(json.dumps({"peer": "transformers generate", "torch": torch.__version__, "transformers": transformers.__version__,
                      "gpu": torch.cuda.get_device_name(), "lanes": lanes, "prompt": a.prompt, "new": a.new,
                      "prefill_tokens_per_s": round(lanes * a.prompt / first), "decode_tokens_per_s": round(lanes / step),
                      "ms_per_step": round(1e3 * step, 2), "peak_gb": round(torch.cuda.max_memory_allocated() / 1e9, 2)}), flush=True)
