//! Runs computations on threads that do not serve requests.

use std::future::Future;

use tokio::runtime::Handle;

use crate::problem::{Kind, Problem};

/// Runs a future that may compute for long on its own thread; it continues if the client disconnects.
pub(crate) async fn apart<F: Future>(begin: impl FnOnce() -> F + Send + 'static) -> Result<F::Output, Problem>
where
    F::Output: Send + 'static,
{
    let handle = Handle::current();
    let done = tokio::task::spawn_blocking(move || handle.block_on(begin())).await;
    done.map_err(|_| Problem::new(Kind::Internal, "the server failed on this request because of a bug"))
}
