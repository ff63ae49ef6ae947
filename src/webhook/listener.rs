//! Connections: accepted within limits, taken through TLS and HTTP/1.1, and finished when the server is to stop.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::CONNECTION;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::Service;
use super::connections::{Connections, Place};
use super::limits::Limits;
use super::router::router;
use super::watched::Watched;

/// How long to wait where a connection can't be accepted: the reason is most often that files are used up, and
/// others have to close theirs first.
const PAUSE: Duration = Duration::from_millis(100);

struct Server {
    tls: TlsAcceptor,
    router: TowerToHyperService<Router>,
    limits: Limits,
    stopping: watch::Sender<bool>,
}

/// Serves on `listener` until `shutdown` comes, then answers what is in flight, for [`Limits::drain`] at most.
///
/// # Errors
/// The listener has no address. Nothing that happens on a connection ends the server.
pub async fn serve(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    service: Service,
    limits: Limits,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    tracing::info!(address = %listener.local_addr()?, "serving");
    let server = Arc::new(Server {
        tls: TlsAcceptor::from(tls),
        router: TowerToHyperService::new(router(service, &limits)),
        stopping: watch::Sender::new(false),
        limits,
    });
    let connections = Connections::new(server.limits.connections);
    let mut tasks = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = tasks.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => match connections.admit() {
                    Some(place) => drop(tasks.spawn(attend(Arc::clone(&server), place, stream))),
                    None => tracing::warn!("too many connections at work; a new one is closed"),
                },
                Err(error) => {
                    tracing::warn!(%error, "can't accept a connection");
                    sleep(PAUSE).await;
                }
            }
        }
    }
    drop(listener);
    tracing::info!(connections = tasks.len(), "stopping");
    server.stopping.send_replace(true);
    let finished = timeout(server.limits.drain, async { while tasks.join_next().await.is_some() {} });
    if finished.await.is_err() {
        tracing::warn!(connections = tasks.len(), "stopped with requests in flight");
    }
    Ok(())
}

/// One connection, from its first byte to its end.
async fn attend(server: Arc<Server>, place: Place, stream: TcpStream) {
    let connection = Arc::clone(&place.connection);
    tokio::select! {
        () = connection.evicted() => tracing::debug!("a connection makes place for a new one"),
        () = converse(&server, &place, stream) => {}
    }
}

async fn converse(server: &Server, place: &Place, stream: TcpStream) {
    // An answer is one small write: it is not to wait for an acknowledgement. Where that can't be set it merely does.
    stream.set_nodelay(true).unwrap_or_default();
    let stream = match timeout(server.limits.handshake, server.tls.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return tracing::debug!(%error, "no TLS handshake"),
        Err(_) => return tracing::debug!("a TLS handshake took too long"),
    };
    let connection = &place.connection;
    let service = service_fn(async |request| {
        connection.begins();
        let mut response = server.router.call(request).await?;
        connection.completes();
        if connection.is_old(server.limits.age) {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Ok::<_, std::convert::Infallible>(response)
    });
    let watched = TokioIo::new(Watched { stream, connection: Arc::clone(connection) });
    let mut http = http1::Builder::new();
    http.header_read_timeout(None)
        .max_headers(server.limits.head_lines)
        .max_header_size(server.limits.head_bytes);
    let mut http = pin!(http.serve_connection(watched, service));
    let mut stopping = server.stopping.subscribe();
    let mut overdue = pin!(connection.overdue(&server.limits));
    let stop = async {
        // The sender outlives all connections.
        drop(stopping.wait_for(|stopping| *stopping).await);
    };
    tokio::select! {
        ended = http.as_mut() => return log_end(ended),
        () = overdue.as_mut() => return tracing::debug!("a connection was idle, or its request's head slow, for too long"),
        () = stop => http.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        ended = http => log_end(ended),
        () = overdue => {}
    }
}

fn log_end(ended: Result<(), hyper::Error>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}
