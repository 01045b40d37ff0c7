//! Outcomes of requests, for metrics.

use super::Serving;

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// With an answer.
    Answered,
    /// The queue was full.
    Busy,
    /// There was no answer in time.
    Late,
    /// The client went away.
    Abandoned,
    /// The request could not be answered.
    Failed,
}

impl Outcome {
    /// Its name in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Busy => "busy",
            Self::Late => "late",
            Self::Abandoned => "abandoned",
            Self::Failed => "failed",
        }
    }

    pub(super) fn of(error: &crate::Error) -> Self {
        use graft_predict::Error as P;
        match error {
            crate::Error::Predict(P::Full { .. }) => Self::Busy,
            crate::Error::Predict(P::Deadline { .. }) => Self::Late,
            _ => Self::Failed,
        }
    }
}

/// A request that ended.
#[derive(Clone, Copy, Debug)]
pub struct Ended<'a> {
    /// The task that was asked; the base model's name where no task was.
    pub task: &'a str,
    /// How it ended.
    pub outcome: Outcome,
    /// Seconds since it came.
    pub seconds: f64,
    /// Tokens of its prompt, where there is an answer.
    pub prompt_tokens: usize,
    /// Tokens of the answer.
    pub answer_tokens: usize,
}

/// Hears of each request that ended.
pub(super) type Listener = Box<dyn Fn(&Ended<'_>) + Send + Sync>;

impl Serving {
    /// Tells `listener` of each request that ends; the first one that is given stays.
    pub fn on_end(&self, listener: impl Fn(&Ended<'_>) + Send + Sync + 'static) {
        // A second outcome has no use and is never sent.
        let _ = self.0.listener.set(Box::new(listener));
    }

    pub(super) fn tell_end(&self, ended: &Ended<'_>) {
        if let Some(listener) = self.0.listener.get() {
            listener(ended);
        }
    }
}
