"""Writes small base models, and adapters as PEFT writes them, with the logits that PEFT computes after it has loaded each.

    pip install torch transformers peft && python make.py     # made with torch 2.15, transformers 5.24, peft 0.21
"""
import json
import shutil
from pathlib import Path

import peft
import torch
from peft import EvaConfig, LoraConfig, PeftModel, PromptTuningConfig, TaskType, get_peft_model
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoModel, AutoModelForCausalLM, LlamaConfig, Phi3Config, Qwen2Config

HERE = Path(__file__).parent
VOCAB, CAUSAL = 64, {"task_type": TaskType.CAUSAL_LM}
SIZES = {
    "vocab_size": VOCAB, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2,
    "num_key_value_heads": 1, "max_position_embeddings": 64, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0,
}
BASES = {
    "untied": LlamaConfig(**SIZES, tie_word_embeddings=False),
    "tied": Qwen2Config(**SIZES, tie_word_embeddings=True),
    "fused": Phi3Config(**SIZES, tie_word_embeddings=False),
}
IDS = torch.tensor([[1, 7, 33, 7, 12, 60, 5, 21, 2, 9, 44, 3]])
QV = ["q_proj", "v_proj"]


def lora(targets=QV, **more):
    return LoraConfig(**{"r": 2, "lora_alpha": 6, "target_modules": targets, **CAUSAL, **more})


# Base, config, and arguments of `save_pretrained`.
CASES = {
    "no-task-type": ("untied", lora(task_type=None), {}),
    "without-head": ("untied", lora(task_type=None), {}),
    "layers-to-transform": ("untied", lora(layers_to_transform=[1]), {}),
    "layers-pattern": ("untied", lora(layers_to_transform=[0], layers_pattern="layers"), {}),
    "exclude-modules": ("untied", lora("all-linear", exclude_modules=["o_proj"]), {}),
    "pattern-of-modules": ("untied", lora(r".*\.(k_proj|up_proj)"), {}),
    "eva-config": ("untied", lora(init_lora_weights="eva", eva_config=EvaConfig(rho=1.0)), {}),
    "rank-pattern": ("untied", lora(rank_pattern={"v_proj": 3, "layers.1.self_attn.q_proj": 1}), {}),
    "alpha-pattern": ("untied", lora(alpha_pattern={"q_proj": 1}), {}),
    "both-patterns": ("tied", lora(rank_pattern={"v_proj": 4}, alpha_pattern={"v_proj": 2}), {}),
    "rslora": ("untied", lora(use_rslora=True), {}),
    "rslora-rank-pattern": ("untied", lora(use_rslora=True, rank_pattern={"v_proj": 4}), {}),
    "fused-layers": ("fused", lora(["qkv_proj", "gate_up_proj"]), {}),
    "dora": ("tied", lora([*QV, "down_proj"], use_dora=True), {}),
    "dora-patterns": ("untied", lora(use_dora=True, use_rslora=True, rank_pattern={"v_proj": 3}), {}),
    "dora-fused": ("fused", lora(["qkv_proj", "o_proj", "gate_up_proj"], use_dora=True), {}),
    "lora-bias": ("tied", lora([*QV, "down_proj"], lora_bias=True), {}),
    "lora-bias-fused": ("fused", lora(["qkv_proj"], lora_bias=True), {}),
    "head": ("untied", lora(["q_proj", "lm_head"]), {}),
    "head-without-base": ("untied", lora(["lm_head"]), {"save_embedding_layers": False}),
    "head-tied": ("tied", lora(["lm_head"]), {}),
    "head-bias": ("untied", lora(["lm_head"], lora_bias=True), {}),
    "head-dora": ("untied", lora(["lm_head", "q_proj"], use_dora=True), {}),
    "embeddings": ("untied", lora(["embed_tokens", "v_proj"]), {}),
    "embeddings-tied": ("tied", lora(["embed_tokens"]), {}),
    "embeddings-dora": ("untied", lora(["embed_tokens"], use_dora=True), {}),
    "embeddings-and-head": ("untied", lora(["embed_tokens", "lm_head"]), {"save_embedding_layers": False}),
    "saved-head": ("untied", lora(modules_to_save=["lm_head"]), {}),
    "saved-both": ("untied", lora(modules_to_save=["embed_tokens", "lm_head"]), {}),
    "saved-embeddings-tied": ("tied", lora(modules_to_save=["embed_tokens"]), {}),
    "prompt": ("untied", PromptTuningConfig(num_virtual_tokens=4, **CAUSAL), {}),
    "prompt-tied": ("tied", PromptTuningConfig(num_virtual_tokens=3, **CAUSAL), {}),
    # The rest is refused.
    "saved-norm": ("untied", lora(modules_to_save=["norm"]), {}),
    "bias-all": ("tied", lora(bias="all"), {}),
    "bias-lora-only": ("tied", lora(bias="lora_only"), {}),
    "trained-tokens": ("untied", lora(trainable_token_indices=[3, 5]), {}),
    "tied-adapters": ("tied", lora(["embed_tokens"], ensure_weight_tying=True), {}),
    "layer-replication": ("untied", lora(layer_replication=[(0, 2), (1, 2)]), {}),
    "regular-expression": ("untied", lora(rank_pattern={r".*layers\.[01]\..*v_proj": 3}), {}),
    "pissa": ("untied", lora(init_lora_weights="pissa"), {}),
    "more-tokens": ("untied", lora(["embed_tokens"]), {}),
    "ia3": ("untied", peft.IA3Config(target_modules=["k_proj"], feedforward_modules=[], **CAUSAL), {}),
    "prefix": ("untied", peft.PrefixTuningConfig(num_virtual_tokens=4, **CAUSAL), {}),
}


def tokenizer():
    symbols = [c for c in pre_tokenizers.ByteLevel.alphabet() if c.isascii()]
    names = ["<pad>", "<s>", "</s>"]
    vocab = {token: index for index, token in enumerate([*names, *sorted(symbols)[: VOCAB - 3]])}
    made = Tokenizer(models.BPE(vocab=vocab, merges=[]))
    made.add_special_tokens(names)
    made.pre_tokenizer, made.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    return made


def write_bases():
    for index, (name, config) in enumerate(BASES.items()):
        torch.manual_seed(index)
        model = AutoModelForCausalLM.from_config(config).float()
        with torch.no_grad():
            for key, value in model.named_parameters():
                value.normal_(1.0 if "norm" in key else 0.0, 0.25)
        model.save_pretrained(HERE / name)
        tokenizer().save(str(HERE / name / "tokenizer.json"))


def base(name, kind=AutoModelForCausalLM):
    return kind.from_pretrained(HERE / name, dtype=torch.float32, attn_implementation="eager").eval()


def main():
    write_bases()
    shutil.rmtree(HERE / "cases", ignore_errors=True)
    expected, bases = {"ids": IDS[0].clone()}, {}
    for index, (name, (base_name, config, options)) in enumerate(CASES.items()):
        torch.manual_seed(100 + index)
        folder = HERE / "cases" / name
        kind = AutoModel if name == "without-head" else AutoModelForCausalLM
        raw = base(base_name, kind)
        if name == "more-tokens":
            raw.resize_token_embeddings(VOCAB + 8)
        model = get_peft_model(raw, config)
        with torch.no_grad():
            for key, value in model.named_parameters():
                if value.requires_grad:
                    value.add_(torch.randn_like(value) * 0.2)
        model.save_pretrained(folder, **options)
        (folder / "README.md").unlink(missing_ok=True)
        written = json.loads((folder / "adapter_config.json").read_text())
        written["base_model_name_or_path"] = base_name
        (folder / "adapter_config.json").write_text(json.dumps(written, indent=1, sort_keys=True) + "\n")
        bases[name] = base_name
        if name in ("more-tokens", "pissa", "layer-replication"):
            continue
        fresh = PeftModel.from_pretrained(base(base_name, kind), folder).eval()
        with torch.no_grad():
            out = fresh(input_ids=IDS)
            logits = base(base_name).lm_head(out.last_hidden_state) if kind is AutoModel else out.logits
        expected[name] = logits[0].contiguous()
    # One layer's weights are missing.
    folder = HERE / "cases" / "missing-layer"
    shutil.copytree(HERE / "cases" / "no-task-type", folder)
    weights = load_file(folder / "adapter_model.safetensors")
    weights = {key: value for key, value in weights.items() if ".layers.1.self_attn.v_proj." not in key}
    save_file(weights, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    bases["missing-layer"] = "untied"
    with torch.no_grad():
        expected["missing-layer"] = PeftModel.from_pretrained(base("untied"), folder).eval()(input_ids=IDS).logits[0].clone()
    save_file(expected, HERE / "expected.safetensors")
    (HERE / "bases.json").write_text(json.dumps(bases, indent=1, sort_keys=True) + "\n")


main()
