"""Writes small tokenizers of the SentencePiece kind, and the tokens that transformers' `apply_chat_template` gives.

    pip install transformers && python make.py     # made with transformers 5.24, tokenizers 0.23
"""
import json
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

HERE = Path(__file__).parent
TEXT = """Sort the message into one word. Ten crates of apples go to the shelter on Friday, says Anna.
[INST] Who takes the bread to the kitchen? [/INST] The shelter takes it. Answer with one word: bread, fruit, dairy.
user model assistant <<SYS>> <</SYS>> We have 250 pounds of carrots, and 12 boxes of milk.\n\n""".splitlines(keepends=True)
INSTRUCTION = "Sort the message into one word."
LLAMA2 = (
    "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system = messages[0]['content'] %}"
    "{% else %}{% set loop_messages = messages %}{% set system = false %}{% endif %}{% for m in loop_messages %}"
    "{% if loop.index0 == 0 and system != false %}{% set content = '<<SYS>>\\n' + system + '\\n<</SYS>>\\n\\n' + m['content'] %}"
    "{% else %}{% set content = m['content'] %}{% endif %}{% if m['role'] == 'user' %}"
    "{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}{% elif m['role'] == 'assistant' %}"
    "{{ ' '  + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}"
)
ZEPHYR = (
    "{% for m in messages %}{{ '<|' + m['role'] + '|>\\n' + m['content'] + eos_token + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}"
)
GEMMA = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for m in messages %}{% set role = 'model' if m['role'] == 'assistant' else m['role'] %}"
    "{{ '<start_of_turn>' + role + '\\n' + m['content'] | trim + '<end_of_turn>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}"
)
ALWAYS = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
REPLACE = normalizers.Replace(" ", "▁")
STYLES = {
    # The older form: every stretch of text between special tokens starts with a space.
    "llama2": (ALWAYS, None, LLAMA2),
    # The newer form: only the start of the text does.
    "mistral": (None, pre_tokenizers.Metaspace("▁", "first", False), LLAMA2),
    "zephyr": (ALWAYS, None, ZEPHYR),
    "gemma": (REPLACE, pre_tokenizers.Split(" ", "merged_with_previous"), GEMMA),
}
INPUTS = ["Ten crates of apples", "  250 pounds, says Anna  ", ":) grüße\n\nmilk", "(a)  b", "日本"]
ANSWER = "fruit, bread"


def made(normalizer, pre_tokenizer, template):
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    # A merge never crosses the start of a word, as in SentencePiece.
    tokenizer.normalizer = REPLACE
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("▁*[^▁\n]+|\n+|▁+"), "isolated")
    names = ["<unk>", "<s>", "</s>", "<start_of_turn>", "<end_of_turn>"]
    trainer = trainers.BpeTrainer(
        vocab_size=460, special_tokens=[*names, *(f"<0x{b:02X}>" for b in range(256))], show_progress=False)
    tokenizer.train_from_iterator([" " + line for line in TEXT], trainer)
    state = json.loads(tokenizer.to_str())
    state["added_tokens"] = [t for t in state["added_tokens"] if t["content"] in names]
    tokenizer = Tokenizer.from_str(json.dumps(state))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, pre_tokenizer
    strip = [decoders.Strip(" ", 1, 0)] if template is not GEMMA else []
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), *strip])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>", chat_template=template)


for style, (normalizer, pre_tokenizer, template) in STYLES.items():
    tokenizer = made(normalizer, pre_tokenizer, template)
    cases = []
    for text in INPUTS:
        if template is GEMMA:
            messages = [{"role": "user", "content": f"{INSTRUCTION}\n\n{text.strip()}"}]
        else:
            messages = [{"role": "system", "content": INSTRUCTION}, {"role": "user", "content": text.strip()}]
        prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=True)["input_ids"]
        answered = messages + [{"role": "assistant", "content": ANSWER}]
        rendered = tokenizer.apply_chat_template(answered, tokenize=False)
        start = rendered.rindex(ANSWER)
        whole = tokenizer(rendered, add_special_tokens=False, return_offsets_mapping=True)
        ends = [i for i, (_, end) in enumerate(whole["offset_mapping"]) if end > start]
        last = [i for i, (_, end) in enumerate(whole["offset_mapping"]) if end <= start + len(ANSWER)][-1] + 1
        # Up to the answer's end, with loss from the first token that holds a character of it.
        cases.append({"input": text, "prompt": prompt, "answered": whole["input_ids"][:last], "loss_from": ends[0]})
    talk = [("user", INPUTS[0]), ("assistant", ANSWER), ("user", INPUTS[3])]
    talk = [{"role": role, "content": text.strip()} for role, text in talk]
    chat = tokenizer.apply_chat_template(talk, add_generation_prompt=True, tokenize=True)["input_ids"]
    (HERE / f"{style}.json").write_text(tokenizer.backend_tokenizer.to_str())
    (HERE / f"{style}_prompts.json").write_text(json.dumps({
        "template": template, "instruction": INSTRUCTION, "answer": ANSWER, "cases": cases, "chat": chat}, ensure_ascii=False))
