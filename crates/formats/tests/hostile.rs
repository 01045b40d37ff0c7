//! Damaged and malicious files: never a panic, and memory limited to a few times the file's size.
#![expect(unsafe_code, reason = "an allocator that counts can't be written without it")]
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    fs,
    path::{Path, PathBuf},
};

use graft_formats::{Message, ModelFiles, open, peft};
use proptest::prelude::*;

thread_local! {
    static NOW: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

/// An allocator that counts the bytes held by each thread.
struct Counting;

fn count(bytes: isize) {
    let now = NOW.get() + bytes;
    NOW.set(now);
    PEAK.set(PEAK.get().max(now));
}

// SAFETY: every call is forwarded to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size().cast_signed());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(-layout.size().cast_signed());
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Most bytes held at once while `f` runs.
fn peak(f: impl FnOnce()) -> usize {
    let before = NOW.get();
    PEAK.set(before);
    f();
    (PEAK.get() - before).max(0) as usize
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn parity(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testkit/data/parity").join(name)
}

fn foreign(case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testkit/data/adapters/cases").join(case)
}

/// A way to damage a file; positions are fractions of its length.
#[derive(Clone, Debug)]
enum Damage {
    Flip { at: f64, bit: u8 },
    Huge { at: f64, value: u64, bytes: usize },
    Cut { at: f64 },
    Repeat { from: f64, length: usize, to: f64 },
    Digits { at: f64, value: &'static str },
    Swap { at: f64, with: &'static str },
}

fn damage() -> impl Strategy<Value = Vec<Damage>> {
    // Headers are at the start, so half of the positions are there.
    let place = || prop_oneof![0.0..1.0, 0.0..0.05f64];
    let huge = prop_oneof![Just(u64::MAX), Just(1 << 63), Just(1 << 40), Just(u64::from(u32::MAX)), Just(0), 0..256u64];
    let numbers =
        prop::sample::select(vec!["0", "-1", "1e999", "18446744073709551615", "4294967295", "99999999", "1.5"]);
    let texts = prop::sample::select(vec![
        "null",
        "[]",
        "{}",
        "\"\"",
        "[[[[[[[[",
        "\"BPE\"",
        "\"Split\"",
        "\"Strip\"",
        "\"Unigram\"",
        "\"Precompiled\"",
        "\"\\ud800\"",
        "{\"Regex\":\"((((.*)*)*)*)*$\"}",
        "{\"Sequence\":{\"id\":\"B\",\"type_id\":0}}",
        "true",
        "\u{0}",
    ]);
    let one = prop_oneof![
        (place(), 0..8u8).prop_map(|(at, bit)| Damage::Flip { at, bit }),
        (place(), huge, prop::sample::select(vec![1, 4, 8])).prop_map(|(at, value, bytes)| Damage::Huge {
            at,
            value,
            bytes
        }),
        place().prop_map(|at| Damage::Cut { at }),
        (place(), 1..200usize, place()).prop_map(|(from, length, to)| Damage::Repeat { from, length, to }),
        (place(), numbers).prop_map(|(at, value)| Damage::Digits { at, value }),
        (place(), texts).prop_map(|(at, with)| Damage::Swap { at, with }),
    ];
    prop::collection::vec(one, 1..4)
}

impl Damage {
    fn apply(&self, file: &mut Vec<u8>) {
        let place = |share: f64| ((file.len() as f64 * share) as usize).min(file.len().saturating_sub(1));
        if file.is_empty() {
            return;
        }
        match *self {
            Self::Flip { at, bit } => {
                let at = place(at);
                file[at] ^= 1 << bit;
            }
            Self::Huge { at, value, bytes } => {
                let at = place(at);
                let end = (at + bytes).min(file.len());
                file[at..end].copy_from_slice(&value.to_le_bytes()[..end - at]);
            }
            Self::Cut { at } => file.truncate(place(at)),
            Self::Repeat { from, length, to } => {
                let (from, to) = (place(from), place(to));
                let piece = file[from..(from + length).min(file.len())].to_vec();
                file.splice(to..to, piece);
            }
            Self::Digits { at, value } => {
                // The next run of digits.
                let at = place(at);
                let Some(start) = file[at..].iter().position(u8::is_ascii_digit).map(|n| at + n) else { return };
                let length = file[start..].iter().take_while(|b| b.is_ascii_digit()).count();
                file.splice(start..start + length, value.bytes());
            }
            Self::Swap { at, with } => {
                // The next JSON value.
                let at = place(at);
                let Some(start) = file[at..].iter().position(|b| *b == b':').map(|n| at + n + 1) else { return };
                let length = file[start..].iter().take_while(|b| !b",}]\n".contains(b)).count();
                file.splice(start..start + length, with.bytes());
            }
        }
    }
}

/// Uses a damaged model that could be opened in every way.
fn use_it(model: &ModelFiles) {
    for (name, shape) in model.tensors.iter() {
        if let Ok(tensor) = model.tensor(name, shape) {
            let _ = tensor.to_f32();
        }
    }
    let text = "the rescue picked up 12 cases, «½ naïve» 中文 \u{1f600} <|im_end|>  \n";
    if let Ok(encoding) = model.tokenizer.encode(text, true) {
        assert!(encoding.get_ids().iter().all(|id| (*id as usize) < model.config.vocab()));
        let _ = model.tokenizer.decode(encoding.get_ids(), false);
    }
    if let Some(template) = &model.chat_template {
        let _ = template.render(&[Message::new("user", "hi")], true, 0);
    }
}

/// Memory that any tokenizer needs for its regular expressions.
const FIXED: usize = 2 << 20;

/// Damages `file` in a copy of `folder` (or `folder` itself, if it is a file) and reads it.
fn survives(folder: &Path, file: &str, damage: &[Damage], times: usize, read: impl FnOnce(&Path)) {
    let copy = tempfile::tempdir().unwrap();
    let mut size = 0;
    let mut put = |name: &str, from: &Path| {
        let mut bytes = fs::read(from).unwrap();
        if name == file {
            damage.iter().for_each(|d| d.apply(&mut bytes));
        }
        if name == file || name != "model.safetensors" {
            size += bytes.len();
        }
        fs::write(copy.path().join(name), bytes).unwrap();
    };
    if folder.is_dir() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap).filter(|e| e.path().is_file()) {
            let name = entry.file_name().into_string().unwrap();
            if !name.starts_with("expected") && name != "inputs.safetensors" {
                put(&name, &entry.path());
            }
        }
    } else {
        put(file, folder);
    }
    let path = if folder.is_dir() { copy.path().to_owned() } else { copy.path().join(file) };
    let held = peak(|| read(&path));
    assert!(held <= times * size + FIXED, "{held} bytes held for {size}");
}

/// Opening takes at most `times` the files' size; later use is not counted.
fn opens(folder: &Path, file: &str, damage: &[Damage], times: usize) {
    survives(folder, file, damage, times, |path| {
        let opened = open(path);
        let held = PEAK.get();
        if let Ok(model) = &opened {
            use_it(model);
        }
        PEAK.set(held);
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 4, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn gguf(damage in damage()) {
        opens(&data("tiny-gpt2.gguf"), "model.gguf", &damage, 8);
        opens(&data("tiny-spm.gguf"), "model.gguf", &damage, 8);
    }

    #[test]
    fn safetensors(damage in damage()) {
        opens(&parity("tiny-t5"), "model.safetensors", &damage, 4);
    }

    #[test]
    fn config(damage in damage()) {
        opens(&parity("tiny-llama3"), "config.json", &damage, 4);
        opens(&parity("tiny-t5"), "config.json", &damage, 4);
    }

    #[test]
    fn tokenizer(damage in damage()) {
        opens(&parity("tiny-llama"), "tokenizer.json", &damage, 4);
        opens(&parity("tiny-t5"), "tokenizer.json", &damage, 4);
    }

    #[test]
    fn tokenizer_config_and_template(damage in damage()) {
        opens(&parity("tiny-llama"), "tokenizer_config.json", &damage, 4);
        opens(&parity("tiny-llama"), "chat_template.jinja", &damage, 4);
        opens(&parity("tiny-llama"), "generation_config.json", &damage, 4);
    }

    #[test]
    fn adapters(damage in damage()) {
        for folder in ["tiny-llama/adapter_lora", "tiny-t5/adapter_prompt"] {
            for file in ["adapter_config.json", "adapter_model.safetensors"] {
                survives(&parity(folder), file, &damage, 4, |path| drop(peft::read(path)));
            }
        }
        for case in ["dora", "lora-bias", "embeddings-dora", "saved-both"] {
            for file in ["adapter_config.json", "adapter_model.safetensors"] {
                survives(&foreign(case), file, &damage, 4, |path| drop(peft::read(path)));
            }
        }
    }
}
