//! People's decisions about examples, from the audit trail.

use std::collections::HashMap;

use graft_contestants::Parser;
use graft_core::Example;
use graft_store::{Action, Change, ChangeFilter, Kind};
use graft_tasks::{cards::Task, score};
use serde_json::Value;

use super::Evaluations;
use crate::{Result, evaluations::Judged};

/// The decisions about a task's examples.
#[derive(Debug, Default)]
pub(crate) struct Trail(HashMap<String, Decided>);

/// What was decided about an example.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Decided {
    /// The `seq` of its newest change.
    pub(crate) newest: i64,
    /// Whether it was approved again as it is.
    pub(crate) is_confirmed: bool,
    /// Whether a person gave it its answer, and it had none before.
    pub(crate) is_first: bool,
}

impl Trail {
    /// What was decided about an example.
    pub(crate) fn of(&self, id: &str) -> Decided {
        self.0.get(id).copied().unwrap_or_default()
    }

    /// Whether an answer was approved unchanged from the parser and not confirmed since.
    pub(crate) fn is_unchanged(&self, example: &Example, (card, rules): Judged<'_>, parser: &Parser) -> bool {
        let decided = self.of(&example.id);
        let proposed = |output: &Value| {
            parser.answer(&example.input).is_ok_and(|answer| score::all_right(card, rules, output, &answer))
        };
        decided.is_first && !decided.is_confirmed && example.output.as_ref().is_some_and(proposed)
    }

    fn new(changes: &[Change]) -> Self {
        let mut standing: HashMap<&str, Vec<Decided>> = HashMap::new();
        for change in changes {
            let all = standing.entry(&change.subject).or_default();
            let before = all.last().copied().unwrap_or_default();
            let has = |value: &Option<Value>, field: &str| value.as_ref().is_some_and(|all| all.get(field).is_some());
            let is_edited = has(&change.after, "output") || has(&change.after, "input");
            let was = change.before.as_ref().and_then(|all| all.get("review")).and_then(|review| review.get("state"));
            let had_none = change.before.as_ref().and_then(|all| all.get("output")).is_some_and(Value::is_null);
            let newest = change.seq;
            match change.action {
                Action::Undo => {
                    all.pop();
                    let before = all.last().copied().unwrap_or_default();
                    all.pop();
                    all.push(Decided { newest, ..before });
                }
                Action::Approve | Action::Edit => all.push(Decided {
                    newest,
                    // A review that stays as it is, to the millisecond, is not among the changed fields.
                    is_confirmed: !is_edited && was.is_none_or(|state| state == "approved"),
                    is_first: if is_edited { had_none && change.action == Action::Edit } else { before.is_first },
                }),
                Action::Reject | Action::Reopen => all.push(Decided { newest, is_confirmed: false, ..before }),
                // A changed text or answer of the source resets it; an added review, for example, does not.
                _ if is_edited => *all = vec![Decided { newest, ..Decided::default() }],
                _ => {
                    all.pop();
                    all.push(Decided { newest, ..before });
                }
            }
        }
        let last = |all: Vec<Decided>| all.last().copied().unwrap_or_default();
        Self(standing.into_iter().map(|(id, all)| (id.to_owned(), last(all))).collect())
    }
}

impl Evaluations<'_> {
    /// The decisions about a task's examples.
    pub(crate) async fn trail(self, task: &str) -> Result<Trail> {
        let filter = ChangeFilter { kind: Some(Kind::Example), task: Some(task.to_owned()), ..ChangeFilter::default() };
        Ok(Trail::new(&self.engine.store.changes(&filter).await?))
    }

    /// The rules whose answers Audit proposes, if it does. A program or a service is not asked for each example again.
    pub(super) async fn proposing_parser(self, task: &Task) -> Result<Option<Parser>> {
        let parser = self.engine.tasks().baseline(task).await?;
        Ok(parser.filter(|parser| task.prefill && !parser.is_outside()))
    }

    /// How many of these answers were approved as the task's parser proposed them.
    pub(crate) async fn taken_from_parser(self, task: &str, judged: Judged<'_>, examples: &[Example]) -> Result<usize> {
        let definition = self.engine.tasks().definition(task).await?;
        let Some(parser) = self.proposing_parser(&definition).await? else { return Ok(0) };
        let trail = self.trail(task).await?;
        Ok(examples.iter().filter(|example| trail.is_unchanged(example, judged, &parser)).count())
    }
}
