//! Graft's side of the measurements that need library access. Each program prints JSON, one object per line; `cargo
//! xtask bench` runs them together with the peers and writes the tables.

mod answers;
#[cfg(feature = "cuda")]
mod generation;
mod gguf;
mod kernels;
mod products;
mod serving;
mod shapes;
mod steps;
mod timing;

use std::{path::Path, process::ExitCode};

use anyhow::{Context as _, bail};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const HELP: &str = "\
Programs:

  gemm [large]                   the f32 product's speed at large, and in the shapes that models use
  bf16 TOKENS                    products with 4-bit weights in f32 and in bf16, by CPU time
  kernels                        each fused kernel beside the plain loops it replaces
  shape FOLDER                   writes a T5 of flan-t5-small's shape with random weights
  step PRECISION MODEL WHAT BATCH SOURCE TARGET STEPS
                                 training steps; PRECISION is f32 or bf16; WHAT is lora (all linear layers), qv (queries and values), prompt
                                 (20 virtual tokens), fast (all linear layers of the decoder, with the encoder's output kept)
  gpu MODEL WHAT BATCH SOURCE TARGET STEPS ROWS
                                 the same on the first GPU, in micro-batches of ROWS tokens; needs `--features cuda`
  generate MODEL PROMPT NEW LANES…
                                 prefill and decode on the first GPU; needs `--features cuda`
  gguf MODEL                     prefill and decode
  answers MODEL FOLDER INPUTS [adapter]
                                 greedy answers to inputs of the task of an adapter's folder, with the adapter or without
  serving MODEL                  answers alone and together
  adapters MODEL                 answers eight at once, with 1, 8 and 64 adapters in a batch
  memory MODEL COUNT             the most memory that answers with so many adapters take
";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["gemm"] => {
            products::run();
            Ok(())
        }
        ["gemm", "large"] => {
            products::large();
            Ok(())
        }
        ["bf16", tokens] => products::rounded(tokens.parse().context("a number was expected")?),
        ["kernels"] => kernels::run(),
        ["shape", folder] => shapes::write_t5(Path::new(folder)),
        #[cfg(feature = "cuda")]
        ["gpu", model, what, numbers @ ..] => {
            let [batch, source, target, steps, rows] = parse(numbers)?[..] else {
                bail!("five numbers were expected\n\n{HELP}")
            };
            steps::run_on_gpu(Path::new(model), what, &steps::Size { batch, source, target, steps }, rows)
        }
        #[cfg(feature = "cuda")]
        ["generate", model, numbers @ ..] => {
            let numbers = parse(numbers)?;
            let [prompt, new, sequences @ ..] = &numbers[..] else { bail!("numbers were expected\n\n{HELP}") };
            generation::run(Path::new(model), (*prompt, *new), sequences)
        }
        ["step", precision @ ("f32" | "bf16"), model, what, numbers @ ..] => {
            let numbers = parse(numbers)?;
            let [batch, source, target, steps] = numbers[..] else { bail!("four numbers were expected\n\n{HELP}") };
            steps::run(Path::new(model), *precision == "bf16", what, &steps::Size { batch, source, target, steps })
        }
        ["gguf", model] => gguf::run(Path::new(model)),
        ["answers", model, folder, inputs] => {
            answers::run(Path::new(model), Path::new(folder), Path::new(inputs), false)
        }
        ["answers", model, folder, inputs, "adapter"] => {
            answers::run(Path::new(model), Path::new(folder), Path::new(inputs), true)
        }
        ["serving", model] => serving::together(Path::new(model)),
        ["adapters", model] => serving::adapters(Path::new(model)),
        ["memory", model, count] => serving::memory(Path::new(model), count.parse().context("a number was expected")?),
        _ => bail!("no such program\n\n{HELP}"),
    }
}

fn parse(numbers: &[&str]) -> anyhow::Result<Vec<usize>> {
    numbers.iter().map(|n| n.parse()).collect::<Result<_, _>>().context("a number was expected")
}
