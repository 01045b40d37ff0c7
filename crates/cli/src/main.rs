//! The `graft` command: arguments in, one engine call, a table or one JSON document out.

mod args;
mod commands;
mod config;
mod failure;
mod output;
mod progress;
mod traces;

use std::{process::ExitCode, time::Duration};

use clap::Parser as _;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = args::Args::parse();
    let json = args.json;
    let code = match commands::run(args) {
        Ok(reply) => reply.print(json),
        Err(failure) => failure.print(json),
    };
    graft_engine::leave_devices(Duration::from_secs(5));
    code
}
