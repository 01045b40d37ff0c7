//! What tests need that isn't the code under test: a real Postgres, a real MLflow, a bucket, the keys of a role, a machine
//! that is reached by ssh, machines for rent.

mod cloud;
pub mod http;
mod mlflow;
mod postgres;
mod roles;
mod s3;
mod sshd;

pub use cloud::{Cloud, Fault, Machine};
pub use mlflow::Mlflow;
pub use postgres::{Error, Postgres};
pub use roles::Roles;
pub use s3::S3;
pub use sshd::Sshd;
