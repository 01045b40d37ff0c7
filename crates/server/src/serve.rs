//! Listening, and ending without cutting anybody off.

use std::{future::Future, net::SocketAddr, time::Duration};

use axum::{
    Extension,
    extract::{ConnectInfo, Request, connect_info::IntoMakeServiceWithConnectInfo},
    middleware::{Next, from_fn},
    response::Response,
};
use tokio::net::TcpListener;

use crate::{AppState, Error, auth::Peer};

/// How long requests that are under way may take once the server shall end.
const DRAIN: Duration = Duration::from_secs(20);

/// Serves until `stop` comes true, then lets requests under way finish, ends the streams, and returns.
///
/// # Errors
/// [`Error::Listen`] when the system takes the listener away.
pub async fn serve(
    state: AppState,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let bind = state.config.bind;
    let router = crate::router(state.clone()).layer(from_fn(name_peer));
    let service: IntoMakeServiceWithConnectInfo<_, SocketAddr> = router.into_make_service_with_connect_info();
    let closer = state.clone();
    let stopping = async move {
        stop.await;
        closer.close();
    };
    let serving = axum::serve(listener, service).with_graceful_shutdown(stopping);
    let mut closing = state.closing();
    let overdue = async move {
        let _ = closing.wait_for(|closing| *closing).await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        served = async { serving.await } => served.map_err(|source| Error::Listen { bind, source }),
        () = overdue => Ok(()),
    }
}

/// Notes the address at the other end, for the limit of wrong logins.
async fn name_peer(ConnectInfo(peer): ConnectInfo<SocketAddr>, mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(Extension(Peer(peer.ip())).0);
    next.run(request).await
}
