//! Passes requests on to a service with OpenAI's API, and reads beside it what the service answers.
//!
//! The [`Client`] sends a request as it came, apart from the [model's name](with_model), and hands the reply on as it comes.
//! A [`Transcript`] hears the same bytes and knows at the end what was answered. Calls block their thread.

mod body;
mod client;
mod error;
mod transcript;

pub use body::with_model;
pub use client::{Client, Reply, Target, check_key};
pub use error::Error;
pub use transcript::{Transcript, Usage};
