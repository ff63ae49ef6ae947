//! Connections: accepted within limits, taken through TLS and HTTP/1.1, and finished when the server is to stop.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::connections::{Connection, Connections, Place};
use super::drain::Stage;
use super::limits::Limits;
use super::watched::Watched;
use crate::metrics::Metrics;

/// How long to wait where a connection can't be accepted: the reason is most often that files are used up, and
/// others have to close theirs first.
const PAUSE: Duration = Duration::from_millis(100);

/// What attends to connections.
pub(super) struct Attendant {
    tls: Option<TlsAcceptor>,
    router: TowerToHyperService<Router>,
    limits: Limits,
    metrics: Metrics,
}

/// Takes connections until the stage is [`Stage::Closing`], then waits for those that are open: until the idle ones end, and
/// what is in flight then.
pub(super) async fn run(
    listener: TcpListener,
    connections: Arc<Connections>,
    attendant: Arc<Attendant>,
    stage: watch::Receiver<Stage>,
) {
    let mut tasks = JoinSet::new();
    let mut closing = stage.clone();
    let mut closing = pin!(closes(&mut closing));
    let idle = loop {
        tokio::select! {
            idle = &mut closing => break idle,
            Some(_) = tasks.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => match connections.admit() {
                    Some(place) => {
                        let attendant = Arc::clone(&attendant);
                        drop(tasks.spawn(attendant.attend(place, stream, peer, stage.clone())));
                    }
                    None => tracing::warn!("too many connections at work; a new one is closed"),
                },
                Err(error) => {
                    tracing::warn!(%error, "can't accept a connection");
                    sleep(PAUSE).await;
                }
            }
        }
    };
    drop(listener);
    tracing::info!(connections = tasks.len(), "closing");
    let longest = idle.saturating_add(attendant.limits.drain);
    let finished = timeout(longest, async { while tasks.join_next().await.is_some() {} });
    if finished.await.is_err() {
        tracing::warn!(connections = tasks.len(), "stopped with requests in flight");
    }
}

/// Returns when the listener is to close, with how long idle connections may stay; never where nobody is left to say so.
async fn closes(stage: &mut watch::Receiver<Stage>) -> Duration {
    let stage = stage.wait_for(|stage| matches!(stage, Stage::Closing(_))).await.map(|stage| *stage);
    match stage {
        Ok(Stage::Closing(idle)) => idle,
        _ => std::future::pending().await,
    }
}

impl Attendant {
    pub(super) fn new(
        tls: Option<Arc<ServerConfig>>,
        router: Router,
        limits: &Limits,
        metrics: Metrics,
    ) -> Arc<Self> {
        let (tls, router) = (tls.map(TlsAcceptor::from), TowerToHyperService::new(router));
        Arc::new(Self { tls, router, limits: limits.clone(), metrics })
    }

    /// One connection, from its first byte to its end.
    async fn attend(
        self: Arc<Self>,
        place: Place,
        stream: TcpStream,
        peer: SocketAddr,
        stage: watch::Receiver<Stage>,
    ) {
        let connection = Arc::clone(&place.connection);
        tokio::select! {
            () = connection.evicted() => tracing::debug!("a connection makes place for a new one"),
            () = self.shake_hands(&place.connection, stream, peer, stage) => {}
        }
    }

    async fn shake_hands(
        &self,
        connection: &Arc<Connection>,
        stream: TcpStream,
        peer: SocketAddr,
        stage: watch::Receiver<Stage>,
    ) {
        // An answer is one small write: it is not to wait for an acknowledgement. Where that can't be set it merely does.
        stream.set_nodelay(true).unwrap_or_default();
        let Some(tls) = &self.tls else { return self.converse(connection, stream, peer, stage).await };
        match timeout(self.limits.handshake, tls.accept(stream)).await {
            Ok(Ok(stream)) => self.converse(connection, stream, peer, stage).await,
            Ok(Err(error)) => {
                self.metrics.tls_failure("refused");
                tracing::debug!(%error, "no TLS handshake");
            }
            Err(_) => {
                self.metrics.tls_failure("timeout");
                tracing::debug!("a TLS handshake took too long");
            }
        }
    }

    async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        connection: &Arc<Connection>,
        stream: S,
        peer: SocketAddr,
        mut stage: watch::Receiver<Stage>,
    ) {
        let leaving = stage.clone();
        let service = service_fn(async |mut request: Request<Incoming>| {
            connection.begins();
            request.extensions_mut().insert(ConnectInfo(peer));
            let mut response: Response<Body> = self.router.call(request).await?;
            connection.completes();
            if connection.is_old(self.limits.age) || *leaving.borrow() != Stage::Serving {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(response)
        });
        let watched = TokioIo::new(Watched { stream, connection: Arc::clone(connection) });
        let mut http = http1::Builder::new();
        http.header_read_timeout(None)
            .max_headers(self.limits.head_lines)
            .max_header_size(self.limits.head_bytes);
        let mut http = pin!(http.serve_connection(watched, service));
        let mut overdue = pin!(connection.overdue(&self.limits));
        let quiet = async {
            let idle = closes(&mut stage).await;
            connection.quiet(idle).await;
        };
        tokio::select! {
            ended = http.as_mut() => return log_end(ended),
            () = overdue.as_mut() => return tracing::debug!("a connection was idle, or its request's head slow, for too long"),
            () = quiet => http.as_mut().graceful_shutdown(),
        }
        tokio::select! {
            ended = http => log_end(ended),
            () = overdue => {}
        }
    }
}

fn log_end(ended: Result<(), hyper::Error>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}
