//! `/examples`: look, approve, reject, edit, undo, one by one or many at once.

use std::collections::BTreeMap;

use graft_engine::Engine;
use graft_store::{Bulk as Which, BulkReport, Change, Decision, ExampleFilter, Order, ReviewFilter, Seen};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Page;
use crate::{
    extract::{Acting, At, Body, Params, Reply},
    problem::Problem,
    schema,
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
    /// Only in this state of review.
    #[param(value_type = Option<ReviewFilterName>)]
    state: Option<ReviewFilter>,
    /// Only from this kind of source.
    source: Option<String>,
    /// Only with this text in input, output or id.
    search: Option<String>,
    /// Only decided on by this person.
    by: Option<String>,
    /// Only with a suggestion for this field, at any depth; the confidences are about it, then.
    field: Option<String>,
    /// Only with a suggestion that is at least this sure.
    #[param(minimum = 0.0, maximum = 1.0)]
    min_confidence: Option<f64>,
    /// Only with a suggestion that is less sure than this.
    #[param(minimum = 0.0, maximum = 1.0)]
    max_confidence: Option<f64>,
    /// In which order.
    #[param(value_type = Option<OrderName>)]
    order: Option<Order>,
    /// At most this many, 500 at most.
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<u32>,
    /// Leaving out this many at the start.
    #[param(default = 0)]
    offset: Option<u32>,
}

/// Which states of review are wanted.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum ReviewFilterName {
    /// Nobody has looked at it.
    Pending,
    /// Its output is the truth.
    Approved,
    /// It must not be used.
    Rejected,
    /// Approved or rejected.
    Audited,
}

/// An order of examples.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum OrderName {
    /// As they were imported.
    Imported,
    /// By the source's time, latest first.
    Newest,
    /// By the source's time, earliest first.
    Oldest,
    /// Those first whose suggestion is least sure.
    Uncertain,
    /// Those first whose suggestion says something else than the baseline, or than what came with the example.
    Disagreeing,
}

/// A page of examples.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExampleList {
    /// The examples.
    pub examples: Vec<ListedExample>,
    /// How many match, on all pages.
    pub total: u64,
}

/// An example in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListedExample {
    #[serde(flatten)]
    #[schema(value_type = schema::Example)]
    example: graft_core::Example,
    /// What the active version says of it, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    suggestion: Option<SuggestionNote>,
}

/// How sure the active version is, and whether it agrees.
#[derive(Debug, Serialize, ToSchema)]
pub struct SuggestionNote {
    /// From 0 to 1.
    confidence: f64,
    /// Whether the baseline, or what came with the example, says something else.
    disagrees: bool,
}

/// One example with all that helps to judge it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExampleDetail {
    /// The example.
    #[schema(value_type = schema::Example)]
    example: graft_core::Example,
    /// What the task's baseline answers.
    baseline: Option<Value>,
    /// What the active version answers.
    suggestion: Option<Suggestion>,
    /// Where the output's values stand in the input, by path; UTF-16 offsets.
    #[schema(value_type = BTreeMap<String, Vec<Span>>)]
    spans: BTreeMap<String, Vec<graft_engine::Span>>,
    /// All that ever happened to it, oldest first.
    #[schema(value_type = Vec<schema::Change>)]
    history: Vec<Change>,
}

/// What a version answers.
#[derive(Debug, Serialize, ToSchema)]
pub struct Suggestion {
    /// The version's name.
    version: String,
    /// Its answer.
    prediction: SuggestedAnswer,
}

/// An answer that waits for a person.
#[derive(Debug, Serialize, ToSchema)]
pub struct SuggestedAnswer {
    /// In the task's form.
    answer: Value,
    /// From 0 to 1.
    confidence: f64,
    /// The same for each field, by path like `items[0].quantity`.
    fields: BTreeMap<String, f64>,
    /// Whether the baseline, or what came with the example, says something else.
    disagrees: bool,
}

impl From<graft_store::Suggestion> for Suggestion {
    fn from(made: graft_store::Suggestion) -> Self {
        let prediction = SuggestedAnswer {
            answer: made.answer,
            confidence: made.confidence,
            fields: made.fields,
            disagrees: made.disagrees,
        };
        Self { version: made.version, prediction }
    }
}

/// A part of a text, in UTF-16 code units as JavaScript counts.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// First unit.
    pub start: u32,
    /// One past the last.
    pub end: u32,
}

/// One example after a decision.
#[derive(Debug, Serialize, ToSchema)]
pub struct Decided {
    /// As it is now.
    #[schema(value_type = schema::Example)]
    example: graft_core::Example,
}

/// Approves an example.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Approve {
    /// The revision that the person saw.
    revision: u32,
    /// The newest change of the example that the person saw; without it only the revision and a decision by
    /// somebody else are looked at.
    #[serde(default)]
    seen: Option<i64>,
    /// The right output, where it is another than the stored one.
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
    /// Why it must not be used.
    #[serde(default)]
    reason: String,
}

/// Gives an example another output.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// The revision that the person saw.
    revision: u32,
    /// As for approve.
    #[serde(default)]
    seen: Option<i64>,
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
    /// Only in this state of review.
    #[schema(value_type = Option<ReviewFilterName>)]
    pub state: Option<ReviewFilter>,
    /// Only from this kind of source.
    pub source: Option<String>,
    /// Only with this text.
    pub search: Option<String>,
    /// Only decided on by this person.
    pub by: Option<String>,
    /// Only with a suggestion for this field, at any depth; the confidences are about it, then.
    pub field: Option<String>,
    /// Only with a suggestion that is at least this sure.
    pub min_confidence: Option<f64>,
    /// Only with a suggestion that is less sure than this.
    pub max_confidence: Option<f64>,
}

/// What a bulk decision did.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkResult {
    /// Examples that changed.
    pub changed: u64,
    /// Examples that did not.
    pub skipped: Vec<BulkSkipped>,
}

/// An example that a bulk decision left alone.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkSkipped {
    /// Its id.
    pub id: String,
    /// Why.
    pub why: String,
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
    id: u32,
    /// The text it stands for.
    text: String,
    /// Whether it carries loss.
    loss: bool,
}

/// The base model whose tokens are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MaskOf {
    /// Its name; `smollm2-135m` otherwise.
    base: Option<String>,
}

/// Examples that match, one page of them.
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
    let (listed, total) = engine.listed(&filter).await?;
    let note =
        |made: graft_store::Suggestion| SuggestionNote { confidence: made.confidence, disagrees: made.disagrees };
    let examples = listed
        .into_iter()
        .map(|listed| ListedExample { suggestion: listed.suggestion.map(note), example: listed.example });
    Ok(Reply(ExampleList { examples: examples.collect(), total }))
}

/// One example with baseline, suggestion, places in the text and history.
#[utoipa::path(get, path = "/examples/{task}/{id}", tag = "examples", extensions(("x-role" = json!("viewer"))),
    params(("task" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = ExampleDetail), (status = 404, body = Problem)))]
async fn show_example(
    Acting(engine): Acting,
    At((task, id)): At<(String, String)>,
) -> Result<Reply<ExampleDetail>, Problem> {
    let detail = engine.example_detail(&task, &id).await?;
    Ok(Reply(ExampleDetail {
        suggestion: detail.suggestion.map(Suggestion::from),
        example: detail.example,
        baseline: detail.baseline,
        spans: detail.spans,
        history: detail.history,
    }))
}

/// Says that an example's output, or the one given, is the truth.
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
    decide(&engine, at, body.revision, body.seen, decision).await
}

/// Says that an example must not be used.
#[utoipa::path(post, path = "/examples/{task}/{id}/reject", tag = "examples",
    extensions(("x-role" = json!("auditor"))), params(("task" = String, Path), ("id" = String, Path)),
    request_body = Reject, responses((status = 200, body = Decided), (status = 409, body = Problem)))]
async fn reject_example(
    Acting(engine): Acting,
    At(at): At<(String, String)>,
    Body(body): Body<Reject>,
) -> Result<Reply<Decided>, Problem> {
    decide(&engine, at, body.revision, body.seen, Decision::Reject(body.reason)).await
}

/// Gives an example another output and approves it.
#[utoipa::path(post, path = "/examples/{task}/{id}/edit", tag = "examples",
    extensions(("x-role" = json!("auditor"))), params(("task" = String, Path), ("id" = String, Path)),
    request_body = Edit, responses((status = 200, body = Decided), (status = 409, body = Problem)))]
async fn edit_example(
    Acting(engine): Acting,
    At(at): At<(String, String)>,
    Body(body): Body<Edit>,
) -> Result<Reply<Decided>, Problem> {
    decide(&engine, at, body.revision, body.seen, Decision::Edit(body.output)).await
}

/// Takes back the last decision of a person.
#[utoipa::path(post, path = "/examples/{task}/{id}/undo", tag = "examples",
    extensions(("x-role" = json!("auditor"))), params(("task" = String, Path), ("id" = String, Path)),
    request_body = Undo, responses((status = 200, body = Decided), (status = 409, body = Problem)))]
async fn undo_example(
    Acting(engine): Acting,
    At(at): At<(String, String)>,
    Body(body): Body<Undo>,
) -> Result<Reply<Decided>, Problem> {
    let example = engine.undo(&at.0, &at.1, Seen { revision: Some(body.revision), change: body.seen }).await?;
    Ok(Reply(Decided { example }))
}

async fn decide(
    engine: &Engine,
    (task, id): (String, String),
    revision: u32,
    seen: Option<i64>,
    decision: Decision,
) -> Result<Reply<Decided>, Problem> {
    let example = engine.decide(&task, &id, Seen { revision: Some(revision), change: seen }, decision).await?;
    Ok(Reply(Decided { example }))
}

/// The same decision on many examples; what can't be decided is skipped, with the reason.
#[utoipa::path(post, path = "/examples/bulk", tag = "examples", extensions(("x-role" = json!("auditor"))),
    request_body = Bulk, responses((status = 200, body = BulkResult)))]
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
    Ok(Reply(engine.decide_many(&body.task, &which, &decision).await?))
}

/// The tokens that an example becomes, and which of them are learned.
#[utoipa::path(get, path = "/examples/{task}/{id}/mask", tag = "examples", extensions(("x-role" = json!("viewer"))),
    params(("task" = String, Path), ("id" = String, Path), MaskOf),
    responses((status = 200, body = Mask), (status = 422, body = Problem)))]
async fn show_mask(
    Acting(engine): Acting,
    At((task, id)): At<(String, String)>,
    Params(of): Params<MaskOf>,
) -> Result<Reply<Mask>, Problem> {
    let example = engine.example(&id, Some(&task)).await?;
    let tokens = engine.mask(&example, of.base.as_deref().unwrap_or("smollm2-135m")).await?;
    let tokens = tokens.into_iter().map(|token| MaskToken { id: token.id, text: token.text, loss: token.supervised });
    Ok(Reply(Mask { tokens: tokens.collect() }))
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
