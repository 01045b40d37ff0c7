use graft_core::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a notice says about its subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NoticeState {
    /// Something is wrong.
    Open,
    /// It is over.
    Over,
    /// A summary of a day.
    Digest,
    /// Sent by a person who tries the receiver.
    Test,
}

/// Something that people are told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// Unique; the same if the notice is sent again.
    pub id: String,
    /// When it happened.
    pub at: Timestamp,
    /// What it says about its subject.
    pub state: NoticeState,
    /// The kind of problem, or `digest` or `test`.
    pub kind: String,
    /// The task, if it concerns one.
    pub task: Option<String>,
    /// The version, run, machine or schedule, if it concerns one.
    pub subject: Option<String>,
    /// What happened, in one sentence.
    pub title: String,
    /// Why: the numbers and their limits. May have several lines.
    pub why: String,
    /// What to do next.
    pub next: String,
    /// Where to look: a URL, or a path if the server's public address is unknown.
    pub link: String,
    /// The same as data.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub details: Value,
}

impl Notice {
    /// The notice as plain text.
    #[must_use]
    pub fn text(&self) -> String {
        let parts = [self.title.as_str(), &self.why, &self.next, &self.link];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
    }
}

/// Several notices as one text.
pub(crate) fn text(notices: &[Notice]) -> String {
    notices.iter().map(Notice::text).collect::<Vec<_>>().join("\n\n")
}
