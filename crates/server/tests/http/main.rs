//! The service over HTTP: its routes, its guards, its streams. One program, so that the whole service is linked once.

mod answers;
mod api;
mod audit;
mod bases;
mod batches;
mod description;
mod fuzz;
mod openapi;
mod prompts;
mod security;
mod service;
mod streams;
mod tasks;
mod understand;
mod wire;
