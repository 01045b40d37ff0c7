//! The `graft` command: arguments in, one engine call, a table or one JSON document out.

mod args;
mod commands;
mod config;
mod failure;
mod output;
mod progress;
mod traces;

use std::process::ExitCode;

use clap::Parser as _;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = args::Args::parse();
    let json = args.json;
    match commands::run(args) {
        Ok(reply) => reply.print(json),
        Err(failure) => failure.print(json),
    }
}
