//! Black-box tests of `graft`: all in one program, which is linked once.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod adapters;
#[cfg(target_os = "linux")]
mod agents;
#[cfg(target_os = "linux")]
mod alerts;
#[cfg(unix)]
mod artifacts;
mod ask_ai;
#[cfg(target_os = "linux")]
mod batches;
#[cfg(target_os = "linux")]
mod campaign;
mod common;
mod contestants;
#[cfg(unix)]
mod disk;
mod exit_codes;
#[cfg(unix)]
mod faults;
#[cfg(target_os = "linux")]
mod interrupted;
mod life;
#[cfg(target_os = "linux")]
mod live;
#[cfg(target_os = "linux")]
mod machines;
mod openai;
mod proxy;
#[cfg(target_os = "linux")]
mod queue;
#[cfg(target_os = "linux")]
mod rented;
#[cfg(target_os = "linux")]
mod search;
mod service;
mod suspects;
mod tasks;
#[cfg(unix)]
mod traces;
#[cfg(target_os = "linux")]
mod trackers;
mod training_service;
mod upgrade;
