#![allow(dead_code, missing_docs, unused_variables)]
use crate::problem::{Kind, Problem};
use graft_engine::Engine;
use graft_store::Run;
use serde::{Deserialize, Serialize};
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RunRequest {
    pub task: String,
    pub base: Option<String>,
}
impl RunRequest {
    pub fn new(task: &str) -> Self {
        Self { task: task.to_owned(), base: None }
    }
}
#[derive(Debug, Serialize)]
pub struct Progress {}
#[derive(Debug, Serialize)]
pub struct Failure {}
#[derive(Debug, Serialize)]
pub struct Preflight {}
pub fn progress(engine: &Engine, run: &Run) -> Option<Progress> {
    None
}
pub fn failure(engine: &Engine, run: &Run) -> Option<Failure> {
    None
}
fn no<T>() -> Result<T, Problem> {
    Err(Problem::new(Kind::Unavailable, "the queue is not there yet"))
}
pub async fn submit(engine: &Engine, request: &RunRequest) -> Result<Run, Problem> {
    no()
}
pub async fn preflight(engine: &Engine, request: &RunRequest) -> Result<Preflight, Problem> {
    no()
}
pub async fn cancel(engine: &Engine, id: &str) -> Result<Run, Problem> {
    no()
}
pub async fn retry(engine: &Engine, id: &str) -> Result<Run, Problem> {
    no()
}
pub async fn requeue(engine: &Engine, id: &str) -> Result<Run, Problem> {
    no()
}
pub async fn delete_run(engine: &Engine, id: &str) -> Result<(), Problem> {
    no()
}
pub async fn delete_runs_before(engine: &Engine, at: i64) -> Result<Vec<String>, Problem> {
    no()
}
pub async fn add_schedule(
    engine: &Engine,
    id: &str,
    cron: &str,
    zone: &str,
    request: &RunRequest,
    min: u64,
) -> Result<graft_store::Schedule, Problem> {
    no()
}
