//! The ports of a server, from the first connection to the last answer.

use std::future::Future;
use std::io;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::sleep;

use super::connections::Connections;
use super::drain::{Stage, Stop};
use super::limits::Limits;
use super::listener::{self, Attendant};
use super::router::Webhook;
use super::{Service, admin, router};

/// Where connections come from.
pub struct Port {
    /// Takes them.
    pub listener: TcpListener,
    /// TLS; None: none, which is for addresses of this machine alone (R02).
    pub tls: Option<Arc<ServerConfig>>,
}

/// Serves both ports until `stop` comes, then as long as it says: first `/readyz` fails and every answer closes its
/// connection, then no more connections are taken and the idle ones end, at last what is in flight is answered, for
/// [`Limits::drain`] at most.
/// The admin port tells of it to the end.
///
/// # Errors
/// A listener has no address. Nothing that happens on a connection ends the server.
pub async fn serve(
    port: Port,
    admin: Option<Port>,
    service: Service,
    limits: Limits,
    stop: impl Future<Output = Stop> + Send,
) -> io::Result<()> {
    tracing::info!(address = %port.listener.local_addr()?, "serving");
    let condition = service.readiness.condition("serving");
    let metrics = service.metrics.clone();
    let stage = watch::Sender::new(Stage::Serving);
    let connections = Connections::new(limits.connections);
    let webhook = Arc::new(Webhook::new(service, &limits, Arc::clone(&connections)));
    let attendant = Attendant::new(port.tls, router::router(Arc::clone(&webhook)), &limits, metrics.clone());
    let admin = admin.map(|port| {
        let limits = limits.of_admin();
        let attendant = Attendant::new(port.tls, admin::router(webhook), &limits, metrics);
        let connections = Connections::new(limits.connections);
        // It is served until this is over, hence its stage never changes.
        let stage = watch::Sender::new(Stage::Serving).subscribe();
        tokio::spawn(listener::run(port.listener, connections, attendant, stage))
    });
    condition.holds("");
    let running = listener::run(port.listener, connections, attendant, stage.subscribe());
    let stopping = async {
        let stop = stop.await;
        condition.fails("the server is about to stop");
        stage.send_replace(Stage::Leaving);
        tracing::info!(?stop, "stopping");
        let idle = match stop {
            Stop::Leave => {
                sleep(limits.leave).await;
                limits.linger
            }
            Stop::Now => limits.quiet,
        };
        stage.send_replace(Stage::Closing(idle));
    };
    tokio::join!(running, stopping);
    if let Some(admin) = admin {
        admin.abort();
    }
    Ok(())
}
