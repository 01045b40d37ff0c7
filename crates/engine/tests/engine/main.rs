//! The engine with a home, a database and trainers: all in one program, which is linked once.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise, in its helpers too")]

mod agents;
mod interim;
#[cfg(target_os = "linux")]
mod memory;
mod serving;
