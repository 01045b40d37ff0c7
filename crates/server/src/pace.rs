//! Slow request bodies, and bodies that a handler does not read to the end.
//!
//! A client that sends nothing for a while, or only single bytes from time to time, is disconnected. The system resets a
//! connection that is closed with unread data, so a client that is refused while it still sends would see a broken
//! connection instead of the response. Therefore the rest of the body is read and discarded, within limits (as nginx does
//! with lingering_close).

use std::{
    future::Future as _,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    BoxError,
    body::{Body, Bytes},
    extract::{Request, State},
    http::header,
    middleware::Next,
    response::Response,
};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use crate::AppState;

/// Bytes that each span of patience must bring, unless the body ends in it.
const LEAST: usize = 4096;

/// Longest silence, longest time in all, and most bytes that are waited for when the answer is sent already.
const SILENCE: Duration = Duration::from_secs(5);
const LINGER: Duration = Duration::from_secs(30);
const MOST: usize = 1 << 30;

/// The body came too slowly.
#[derive(Debug, thiserror::Error)]
#[error("wait longer for the request's body")]
pub(crate) struct Late;

/// Gives every request's body its pace.
pub(crate) async fn paced(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let patience = state.config.patience;
    // Who asks first whether the body is wanted doesn't send one that isn't.
    let asks = request.headers().contains_key(header::EXPECT);
    next.run(request.map(|body| Body::new(Paced::new(body, patience, !asks)))).await
}

/// Reads what is left of a body, and throws it away.
async fn linger(mut body: Body) {
    let rest = async {
        let mut came = 0;
        while came < MOST {
            let next = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context));
            let Ok(Some(Ok(frame))) = tokio::time::timeout(SILENCE, next).await else { return };
            came += frame.data_ref().map_or(0, Bytes::len);
        }
    };
    let _ = tokio::time::timeout(LINGER, rest).await;
}

/// A body that must come on. Only time spent waiting for the client counts, not what its reader takes.
struct Paced {
    body: Body,
    patience: Duration,
    /// Patience left until enough must have come.
    left: Duration,
    /// Since when there is nothing to read.
    waiting: Option<Instant>,
    alarm: Pin<Box<Sleep>>,
    /// Bytes since patience was last whole.
    came: usize,
    /// Whether more is on its way that must be read, wanted or not.
    more: bool,
}

impl Paced {
    fn new(body: Body, patience: Duration, more: bool) -> Self {
        let alarm = Box::pin(tokio::time::sleep(patience));
        Self { body, patience, left: patience, waiting: None, alarm, came: 0, more }
    }

    fn take(&mut self, bytes: usize) {
        if let Some(since) = self.waiting.take() {
            self.left = self.left.saturating_sub(since.elapsed());
        }
        self.came += bytes;
        if self.came >= LEAST {
            (self.came, self.left) = (0, self.patience);
        }
    }
}

impl HttpBody for Paced {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            self.more = matches!(frame, Some(Ok(_)));
            if let Some(Ok(frame)) = &frame {
                self.take(frame.data_ref().map_or(0, Bytes::len));
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(BoxError::from)));
        }
        if self.waiting.is_none() {
            let now = Instant::now();
            let until = now + self.left;
            self.waiting = Some(now);
            self.alarm.as_mut().reset(until);
        }
        ready!(self.alarm.as_mut().poll(context));
        self.more = false;
        Poll::Ready(Some(Err(Late.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        HttpBody::size_hint(&self.body)
    }
}

impl Drop for Paced {
    fn drop(&mut self) {
        if !self.more || self.body.is_end_stream() {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(linger(std::mem::take(&mut self.body)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A body of so many bytes every 10 ms.
    fn dribble(bytes: usize, times: usize) -> Body {
        let parts = futures_util::stream::unfold(0, move |count| async move {
            tokio::time::sleep(Duration::from_millis(10)).await;
            (count < times).then(|| (Ok::<_, BoxError>(vec![b'x'; bytes]), count + 1))
        });
        Body::from_stream(parts)
    }

    async fn read(body: Body) -> Result<usize, axum::Error> {
        let paced = Body::new(Paced::new(body, Duration::from_secs(1), true));
        axum::body::to_bytes(paced, usize::MAX).await.map(|bytes| bytes.len())
    }

    #[tokio::test]
    async fn slow_body_is_cut_off() {
        assert_eq!(read(dribble(1, 8)).await.unwrap(), 8, "short ones have their time");
        assert_eq!(read(dribble(1000, 120)).await.unwrap(), 120_000, "slow ones that come on are read");
        let error = read(dribble(10, 1000)).await.unwrap_err();
        assert!(is_late(&error), "{error:?}");
    }

    fn is_late(error: &axum::Error) -> bool {
        let first: &dyn std::error::Error = error;
        std::iter::successors(Some(first), |error| error.source()).any(|error| error.is::<Late>())
    }
}
