//! What tests need that isn't the code under test: a real Postgres.

mod postgres;

pub use postgres::{Error, Postgres};
