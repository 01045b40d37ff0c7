//! `/examples`: list, approve, reject, edit, undo; single examples or many at once.

use graft_engine::{
    Engine, ExampleDetail, Listed,
    records::{Bulk as Which, BulkReport, Decision, ExampleFilter, Order, ReviewFilter, Seen},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Page;
use crate::{
    extract::{Acting, At, Body, Params, Reply},
    problem::{Kind, Problem},
    state::AppState,
};

/// Examples that one bulk decision names, at most.
const MOST: usize = 10_000;

/// Which examples are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Only of this task.
    task: Option<String>,
    /// Only examples in this review state.
    state: Option<ReviewFilter>,
    /// Only from this kind of source.
    source: Option<String>,
    /// Only with this text in input, output or id.
    search: Option<String>,
    /// Only decided on by this person.
    by: Option<String>,
    /// Only with a suggestion for this field, at any depth; confidence filters then apply to this field.
    field: Option<String>,
    /// Only with a suggestion of at least this confidence.
    #[param(minimum = 0.0, maximum = 1.0)]
    min_confidence: Option<f64>,
    /// Only with a suggestion of less than this confidence.
    #[param(minimum = 0.0, maximum = 1.0)]
    max_confidence: Option<f64>,
    /// The order.
    order: Option<Order>,
    /// Maximum number, at most 500.
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<u32>,
    /// Number to skip at the start.
    #[param(default = 0)]
    offset: Option<u32>,
}

/// A page of examples.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExampleList {
    /// The examples.
    pub examples: Vec<Listed>,
    /// How many match, on all pages.
    pub total: u64,
}

/// One example after a decision.
#[derive(Debug, Serialize, ToSchema)]
pub struct Decided {
    /// As it is now.
    example: graft_core::Example,
}

/// Approves an example.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Approve {
    /// The revision that the person saw.
    revision: u32,
    /// The newest change of the example that the person saw; without it only the revision and decisions by others are
    /// checked.
    #[serde(default)]
    seen: Option<i64>,
    /// Who decided; refused if somebody else is logged in by now.
    #[serde(default)]
    by: Option<String>,
    /// The correct output, if it differs from the stored one.
    #[serde(default)]
    output: Option<Value>,
}

/// Rejects an example.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reject {
    /// The revision that the person saw.
    revision: u32,
    /// As for approve.
    #[serde(default)]
    seen: Option<i64>,
    /// As for approve.
    #[serde(default)]
    by: Option<String>,
    /// Why it must not be used.
    #[serde(default)]
    reason: String,
}

/// Changes an example's output.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// The revision that the person saw.
    revision: u32,
    /// As for approve.
    #[serde(default)]
    seen: Option<i64>,
    /// As for approve.
    #[serde(default)]
    by: Option<String>,
    /// The right output.
    output: Value,
}

/// Takes back the last decision.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Undo {
    /// The revision that the person saw.
    revision: u32,
    /// As for approve.
    #[serde(default)]
    seen: Option<i64>,
    /// As for approve.
    #[serde(default)]
    by: Option<String>,
}

/// The same decision on many examples.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Bulk {
    /// The task.
    task: String,
    /// What to do.
    action: BulkAction,
    /// These examples; or else those of the filter.
    #[serde(default)]
    ids: Option<Vec<String>>,
    /// All examples that match.
    #[serde(default)]
    filter: Option<BulkFilter>,
    /// Why, for `reject`.
    #[serde(default)]
    reason: Option<String>,
}

/// A decision on many examples.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum BulkAction {
    /// Their outputs are the truth.
    Approve,
    /// They must not be used.
    Reject,
    /// They are to be looked at again.
    Reopen,
}

/// Which examples a bulk decision is about.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BulkFilter {
    /// Only examples in this review state.
    pub state: Option<ReviewFilter>,
    /// Only from this kind of source.
    pub source: Option<String>,
    /// Only with this text.
    pub search: Option<String>,
    /// Only decided on by this person.
    pub by: Option<String>,
    /// Only with a suggestion for this field, at any depth; confidence filters then apply to this field.
    pub field: Option<String>,
    /// Only with a suggestion of at least this confidence.
    pub min_confidence: Option<f64>,
    /// Only with a suggestion of less than this confidence.
    pub max_confidence: Option<f64>,
}

/// The tokens of an example.
#[derive(Debug, Serialize, ToSchema)]
pub struct Mask {
    /// In order.
    tokens: Vec<MaskToken>,
}

/// A token and whether it is learned.
#[derive(Debug, Serialize, ToSchema)]
pub struct MaskToken {
    /// Its id in the base model's vocabulary.
    pub(super) id: u32,
    /// The text it stands for.
    pub(super) text: String,
    /// Whether it carries loss.
    pub(super) loss: bool,
}

impl Mask {
    pub(super) fn of(tokens: Vec<graft_engine::TokenView>) -> Self {
        let token =
            |token: graft_engine::TokenView| MaskToken { id: token.id, text: token.text, loss: token.supervised };
        Self { tokens: tokens.into_iter().map(token).collect() }
    }
}

/// The base model whose tokens are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MaskOf {
    /// Its name; `smollm2-135m` otherwise.
    base: Option<String>,
}

/// One page of the matching examples.
#[utoipa::path(get, path = "/examples", tag = "examples", extensions(("x-role" = json!("viewer"))), params(Wanted),
    responses((status = 200, body = ExampleList)))]
async fn list_examples(Acting(engine): Acting, Params(wanted): Params<Wanted>) -> Result<Reply<ExampleList>, Problem> {
    let page = Page { limit: wanted.limit, offset: wanted.offset };
    let filter = ExampleFilter {
        task: wanted.task,
        review: wanted.state,
        source: wanted.source,
        search: wanted.search,
        by: wanted.by,
        field: wanted.field,
        min_confidence: wanted.min_confidence,
        max_confidence: wanted.max_confidence,
        order: wanted.order.unwrap_or(Order::Imported),
        limit: Some(page.limit()),
        offset: page.offset(),
    };
    let (examples, total) = engine.examples().page(&filter).await?;
    Ok(Reply(ExampleList { examples, total }))
}

/// One example with the baseline's answer, the suggestion, spans in the text, and history.
#[utoipa::path(get, path = "/examples/{task}/{id}", tag = "examples", extensions(("x-role" = json!("viewer"))),
    params(("task" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = ExampleDetail), (status = 404, body = Problem)))]
async fn show_example(
    Acting(engine): Acting,
    At((task, id)): At<(String, String)>,
) -> Result<Reply<ExampleDetail>, Problem> {
    Ok(Reply(engine.examples().detail(&task, &id).await?))
}

/// Approves an example's output, or the given one, as correct.
#[utoipa::path(post, path = "/examples/{task}/{id}/approve", tag = "examples",
    extensions(("x-role" = json!("auditor"))), params(("task" = String, Path), ("id" = String, Path)),
    request_body = Approve,
    responses((status = 200, body = Decided), (status = 409, body = Problem, description = "`current`: as it is")))]
async fn approve_example(
    Acting(engine): Acting,
    At(at): At<(String, String)>,
    Body(body): Body<Approve>,
) -> Result<Reply<Decided>, Problem> {
    let decision = match body.output {
        Some(output) => Decision::Edit(output),
        None => Decision::Approve,
    };
    let seen = seen(&engine, body.revision, body.seen, body.by)?;
    decide(&engine, at, seen, decision).await
}

/// Rejects an example: it is never trained on.
#[utoipa::path(post, path = "/examples/{task}/{id}/reject", tag = "examples",
    extensions(("x-role" = json!("auditor"))), params(("task" = String, Path), ("id" = String, Path)),
    request_body = Reject, responses((status = 200, body = Decided), (status = 409, body = Problem)))]
async fn reject_example(
    Acting(engine): Acting,
    At(at): At<(String, String)>,
    Body(body): Body<Reject>,
) -> Result<Reply<Decided>, Problem> {
    let seen = seen(&engine, body.revision, body.seen, body.by)?;
    decide(&engine, at, seen, Decision::Reject(body.reason)).await
}

/// Changes an example's output and approves it.
#[utoipa::path(post, path = "/examples/{task}/{id}/edit", tag = "examples",
    extensions(("x-role" = json!("auditor"))), params(("task" = String, Path), ("id" = String, Path)),
    request_body = Edit, responses((status = 200, body = Decided), (status = 409, body = Problem)))]
async fn edit_example(
    Acting(engine): Acting,
    At(at): At<(String, String)>,
    Body(body): Body<Edit>,
) -> Result<Reply<Decided>, Problem> {
    let seen = seen(&engine, body.revision, body.seen, body.by)?;
    decide(&engine, at, seen, Decision::Edit(body.output)).await
}

/// Undoes a person's last decision.
#[utoipa::path(post, path = "/examples/{task}/{id}/undo", tag = "examples",
    extensions(("x-role" = json!("auditor"))), params(("task" = String, Path), ("id" = String, Path)),
    request_body = Undo, responses((status = 200, body = Decided), (status = 409, body = Problem)))]
async fn undo_example(
    Acting(engine): Acting,
    At(at): At<(String, String)>,
    Body(body): Body<Undo>,
) -> Result<Reply<Decided>, Problem> {
    let seen = seen(&engine, body.revision, body.seen, body.by)?;
    let example = engine.examples().undo(&at.0, &at.1, seen).await?;
    Ok(Reply(Decided { example }))
}

async fn decide(
    engine: &Engine,
    (task, id): (String, String),
    seen: Seen,
    decision: Decision,
) -> Result<Reply<Decided>, Problem> {
    let example = engine.examples().decide(&task, &id, seen, decision).await?;
    Ok(Reply(Decided { example }))
}

/// What a decision rests on, if who made it is who asks: a page may send it after somebody else has logged in.
fn seen(engine: &Engine, revision: u32, change: Option<i64>, by: Option<String>) -> Result<Seen, Problem> {
    match by.filter(|by| *by != engine.by) {
        Some(by) => {
            let detail = format!("this decision was made by {by}, but {} is logged in", engine.by);
            Err(Problem::new(Kind::Conflict, detail).with_hint(format!("log in as {by} to send it")))
        }
        None => Ok(Seen { revision: Some(revision), change }),
    }
}

/// Makes the same decision on many examples; examples that cannot be decided are skipped with the reason.
/// So are those that others decided on, unless `ids`, `state` or `by` asks for them.
#[utoipa::path(post, path = "/examples/bulk", tag = "examples", extensions(("x-role" = json!("auditor"))),
    request_body = Bulk, responses((status = 200, body = BulkReport)))]
async fn decide_bulk(Acting(engine): Acting, Body(body): Body<Bulk>) -> Result<Reply<BulkReport>, Problem> {
    let decision = match body.action {
        BulkAction::Approve => Decision::Approve,
        BulkAction::Reject => Decision::Reject(body.reason.unwrap_or_default()),
        BulkAction::Reopen => Decision::Reopen,
    };
    let which = match (body.ids, body.filter) {
        (Some(ids), None) if ids.len() <= MOST => Which::Ids(ids),
        (Some(_), None) => return Err(Problem::field("ids", "name 10000 examples at most")),
        (None, Some(BulkFilter { state: review, source, search, by, field, min_confidence, max_confidence })) => {
            let rest = ExampleFilter::default();
            Which::Matching(ExampleFilter { review, source, search, by, field, min_confidence, max_confidence, ..rest })
        }
        _ => return Err(Problem::field("ids", "give either `ids` or `filter`")),
    };
    Ok(Reply(engine.examples().decide_many(&body.task, &which, &decision).await?))
}

/// The tokens of an example, and which of them are trained on.
#[utoipa::path(get, path = "/examples/{task}/{id}/mask", tag = "examples", extensions(("x-role" = json!("viewer"))),
    params(("task" = String, Path), ("id" = String, Path), MaskOf),
    responses((status = 200, body = Mask), (status = 422, body = Problem)))]
async fn show_mask(
    Acting(engine): Acting,
    At((task, id)): At<(String, String)>,
    Params(of): Params<MaskOf>,
) -> Result<Reply<Mask>, Problem> {
    let example = engine.examples().get(&id, Some(&task)).await?;
    let tokens = engine.examples().mask(&example, of.base.as_deref().unwrap_or("smollm2-135m")).await?;
    Ok(Reply(Mask::of(tokens)))
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_examples))
        .routes(routes!(show_example))
        .routes(routes!(approve_example))
        .routes(routes!(reject_example))
        .routes(routes!(edit_example))
        .routes(routes!(undo_example))
        .routes(routes!(decide_bulk))
        .routes(routes!(show_mask))
}
