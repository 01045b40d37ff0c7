//! Test dependencies that are not the code under test: a real Postgres, a real MLflow, an S3 bucket, a Hugging Face Hub, servers of role
//! credentials, a service with OpenAI's API, a training service, a machine reached over ssh, Slurm, Ray, and rented machines.

mod alerts;
mod chat;
mod cloud;
pub mod http;
pub mod hub;
mod mlflow;
mod port;
mod postgres;
mod ray;
mod relay;
mod roles;
mod s3;
mod slurm;
mod sshd;
mod training;

pub use alerts::{Mail, ReceiverMood, Smtp, Webhook};
pub use chat::{Chat, Mood};
pub use cloud::{Cloud, Fault, Machine};
pub use mlflow::Mlflow;
pub use port::free_port;
pub use postgres::{Error, Postgres};
pub use ray::Ray;
pub use relay::Relay;
pub use roles::Roles;
pub use s3::S3;
pub use slurm::Slurm;
pub use sshd::{Sshd, kill_all};
pub use training::{Slip, Training, TrainingService};
