//! What tests need that isn't the code under test: a real Postgres, a bucket.

mod postgres;
mod s3;

pub use postgres::{Error, Postgres};
pub use s3::S3;
