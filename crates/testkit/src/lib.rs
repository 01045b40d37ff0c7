//! What tests need that isn't the code under test: a real Postgres, a bucket, the keys of a role, a machine that is
//! reached by ssh, machines for rent.

mod cloud;
mod http;
mod postgres;
mod roles;
mod s3;
mod sshd;

pub use cloud::{Cloud, Fault, Machine};
pub use postgres::{Error, Postgres};
pub use roles::Roles;
pub use s3::S3;
pub use sshd::Sshd;
