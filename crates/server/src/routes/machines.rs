//! `/machines`: machines other than the worker's own on which runs can execute.

use axum::extract::State;
use graft_core::Launcher;
use graft_engine::{Error, Facts, ProviderView, Quote, RentalView, records::Machine};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    advice,
    extract::{Acting, At, Body, Reply},
    problem::{Kind, Problem},
    state::AppState,
};

/// Lists the machines.
#[derive(Debug, Serialize, ToSchema)]
pub struct MachineList {
    /// By name.
    machines: Vec<Machine>,
    /// How many.
    total: u64,
    /// Where machines can be rented: their names are given as `on`, too.
    providers: Vec<ProviderView>,
    /// Machines that are rented now.
    rentals: Vec<RentalView>,
    /// Address of the training service, if the server knows one: runs give `cerebros` as `on`.
    service: Option<String>,
}

/// A machine to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMachine {
    /// Its name, which runs give as `on`.
    name: String,
    /// Where it is, as the worker's `ssh` takes it: a name of its configuration, `user@host`, or `ssh://user@host:port`. Of a
    /// Ray cluster, the address of its dashboard.
    destination: String,
    /// Number of runs that it may execute at once. Default: 1.
    #[serde(default = "one")]
    #[schema(minimum = 1, maximum = 64)]
    slots: u32,
    /// How trainers are started there; by `ssh` alone otherwise.
    #[serde(default)]
    launcher: Launcher,
}

fn one() -> u32 {
    1
}

/// One machine.
#[derive(Debug, Serialize, ToSchema)]
pub struct OneMachine {
    machine: Machine,
}

/// Lists the machines.
#[utoipa::path(get, path = "/machines", tag = "machines", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = MachineList)))]
async fn list_machines(Acting(engine): Acting) -> Result<Reply<MachineList>, Problem> {
    let machines = engine.machines().list().await?;
    let (mut providers, rentals) = (engine.machines().providers(), engine.machines().rentals(None).await?);
    for problem in providers.iter_mut().filter_map(|provider| provider.problem.as_mut()) {
        *problem = advice::in_text(problem);
    }
    let service = engine.machines().service()?.map(|service| service.address().to_owned());
    Ok(Reply(MachineList { total: machines.len() as u64, machines, providers, rentals, service }))
}

/// What may be rented of a provider.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuoteList {
    /// The cheapest first; a run takes the first that can be had.
    quotes: Vec<Quote>,
}

/// Asks a provider which machines can be rented now.
#[utoipa::path(get, path = "/machines/{name}/quotes", tag = "machines", extensions(("x-role" = json!("trainer"))),
    params(("name" = String, Path)),
    responses((status = 200, body = QuoteList), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn list_quotes(Acting(engine): Acting, At(name): At<String>) -> Result<Reply<QuoteList>, Problem> {
    Ok(Reply(QuoteList { quotes: engine.machines().quotes(&name).await? }))
}

/// Adds a machine, without connecting to it.
#[utoipa::path(post, path = "/machines", tag = "machines", extensions(("x-role" = json!("admin"))),
    request_body = NewMachine,
    responses((status = 200, body = OneMachine), (status = 403, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
async fn add_machine(
    State(state): State<AppState>,
    Acting(engine): Acting,
    Body(new): Body<NewMachine>,
) -> Result<Reply<OneMachine>, Problem> {
    // Who names the address gets the token of the server's environment, and the folder is written.
    if matches!(new.launcher, Launcher::Ray(_)) && !state.auth.required() {
        let detail = "a Ray cluster takes an administrator who has logged in";
        let hint = "add a user with the role `admin` first, or add it on the machine that the server runs on";
        return Err(Problem::new(Kind::Forbidden, detail).with_hint(hint));
    }
    if !(1..=64).contains(&new.slots) {
        return Err(Problem::field("slots", "it is a number from 1 to 64"));
    }
    let machine = engine.machines().add(&new.name, &new.destination, new.slots, None, &new.launcher).await?;
    Ok(Reply(OneMachine { machine }))
}

/// Connects to a machine from the server and reports its facts.
#[utoipa::path(post, path = "/machines/{name}/check", tag = "machines", extensions(("x-role" = json!("admin"))),
    params(("name" = String, Path)), responses((status = 200, body = Facts), (status = 404, body = Problem)))]
async fn check_machine(Acting(engine): Acting, At(name): At<String>) -> Result<Reply<Facts>, Problem> {
    let program = std::env::current_exe().map_err(Error::TrainerStart)?;
    Ok(Reply(engine.machines().check(&name, &program).await?))
}

/// Removes a machine without active runs; Graft's files on it are kept.
#[utoipa::path(delete, path = "/machines/{name}", tag = "machines", extensions(("x-role" = json!("admin"))),
    params(("name" = String, Path)),
    responses((status = 200, body = OneMachine), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn remove_machine(Acting(engine): Acting, At(name): At<String>) -> Result<Reply<OneMachine>, Problem> {
    let machine = engine.machines().remove(&name).await?;
    Ok(Reply(OneMachine { machine }))
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_machines, add_machine))
        .routes(routes!(remove_machine))
        .routes(routes!(check_machine))
        .routes(routes!(list_quotes))
}
