//! What tests need that isn't the code under test: a real Postgres, a bucket, the keys of a role.

mod http;
mod postgres;
mod roles;
mod s3;

pub use postgres::{Error, Postgres};
pub use roles::Roles;
pub use s3::S3;
