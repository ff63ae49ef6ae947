//! What stands between the API server and the replicas, as kube-proxy does in a cluster: a port of loopback whose
//! connections go to one of several addresses. Who is taken out keeps the connections that it has.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::environment::RUNTIME;

pub(crate) struct Balancer {
    pub(crate) port: u16,
    replicas: Arc<Mutex<Vec<SocketAddr>>>,
    connections: Arc<Mutex<JoinSet<()>>>,
}

impl Balancer {
    pub(crate) fn start(replicas: Vec<SocketAddr>) -> Self {
        let listener = RUNTIME.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let port = listener.local_addr().unwrap().port();
        let replicas = Arc::new(Mutex::new(replicas));
        let connections = Arc::default();
        RUNTIME.spawn(accept(listener, Arc::clone(&replicas), Arc::clone(&connections)));
        Self { port, replicas, connections }
    }

    /// Ends all connections: who asks next has to make another one.
    pub(crate) fn cut(&self) {
        self.connections.lock().unwrap().abort_all();
    }

    /// Where connections go from now on.
    pub(crate) fn set(&self, replicas: Vec<SocketAddr>) {
        *self.replicas.lock().unwrap() = replicas;
    }
}

async fn accept(
    listener: TcpListener,
    replicas: Arc<Mutex<Vec<SocketAddr>>>,
    connections: Arc<Mutex<JoinSet<()>>>,
) {
    let next = AtomicUsize::new(0);
    while let Ok((mut client, _)) = listener.accept().await {
        let turn = next.fetch_add(1, Ordering::Relaxed);
        let all = replicas.lock().unwrap().clone();
        let Some(replica) = all.get(turn % all.len().max(1)).copied() else { continue };
        let mut connections = connections.lock().unwrap();
        while connections.try_join_next().is_some() {}
        connections.spawn(async move {
            // Who does not answer is not passed over, as kube-proxy does not: the connection ends.
            if let Ok(mut replica) = TcpStream::connect(replica).await {
                drop(replica.set_nodelay(true));
                drop(copy_bidirectional(&mut client, &mut replica).await);
            }
        });
    }
}
