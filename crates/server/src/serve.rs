//! Listens for connections, and shuts down after the requests in progress.

use std::{convert::Infallible, future::Future, net::IpAddr, pin::pin, time::Duration};

use axum::{Router, body::Body};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt as _;

use crate::{AppState, auth::Peer};

/// How long requests that are under way may take once the server shall end.
const DRAIN: Duration = Duration::from_secs(20);
/// Before the next connection is taken where the system had none to give: it lacks file handles.
const BREATH: Duration = Duration::from_millis(100);

/// Serves until `stop` comes true, then lets requests under way finish, ends the streams, and returns.
///
/// A client that dawdles over a request's head or body is cut off.
pub async fn serve(state: AppState, listener: TcpListener, stop: impl Future<Output = ()> + Send + 'static) {
    let router = crate::router(state.clone());
    let connections = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => converse(&state, &router, &connections, stream, peer.ip()),
            Err(error) => {
                tracing::warn!(error = ?error, "cannot accept a connection");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
    drop(listener);
    state.close();
    // Who is still at it after that is cut off.
    let _ = tokio::time::timeout(DRAIN, connections.shutdown()).await;
}

/// Answers a connection's requests, one after the other.
fn converse(state: &AppState, router: &Router, connections: &GracefulShutdown, stream: TcpStream, peer: IpAddr) {
    // Events are small, and wait for nothing.
    let _ = stream.set_nodelay(true);
    let router = router.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        // For the limit of wrong logins.
        request.extensions_mut().insert(Peer(peer));
        let answer = router.clone().oneshot(request);
        async move { Ok::<_, Infallible>(answer.await.unwrap_or_else(|never| match never {})) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(state.config.patience);
    let connection = connections.watch(http.serve_connection(TokioIo::new(stream), service));
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(error = ?error, "a connection broke");
        }
    });
}
