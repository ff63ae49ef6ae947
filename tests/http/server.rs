//! A server on free ports, stopped when the test drops it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use meshgate::activation::{Activation, Preparation, Readiness};
use meshgate::certificates::{self, Identity, Serving};
use meshgate::cluster::own_proof_keys;
use meshgate::config::{ClientAuth, Configuration};
use meshgate::context::{ContextSource, Now, ProofKeys};
use meshgate::engine::Bundle;
use meshgate::events::Untold;
use meshgate::image::InForce;
use meshgate::mesh::{Meshes, NoMesh};
use meshgate::metrics::Metrics;
use meshgate::record::Decisions;
use meshgate::webhook::{self, Limits, Port, Service, Stop};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::bundle;
use crate::client::Client;
use crate::source::Namespaces;

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// Health and metrics, without TLS.
    pub(crate) admin: SocketAddr,
    /// The certificate that a client is to trust.
    pub(crate) pem: String,
    pub(crate) activation: Arc<Activation>,
    pub(crate) readiness: Readiness,
    runtime: Option<Runtime>,
    stop: Option<oneshot::Sender<Stop>>,
    ended: Option<JoinHandle<std::io::Result<()>>>,
}

/// What few tests want different.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) limits: Limits,
    pub(crate) clients: Option<ClientAuth>,
    pub(crate) decisions: Option<Decisions>,
    pub(crate) metrics: Metrics,
    pub(crate) images: Option<Arc<InForce>>,
    pub(crate) meshes: Option<Arc<dyn Meshes>>,
    pub(crate) proof_keys: Option<watch::Receiver<Arc<ProofKeys>>>,
}

impl Server {
    pub(crate) fn start(bundle: Bundle, source: impl ContextSource + 'static, limits: Limits) -> Self {
        Self::with(Some(bundle), source, Options { limits, ..Options::default() })
    }

    /// With the policies of this test and a source that knows every namespace.
    pub(crate) fn plain(limits: Limits) -> Self {
        Self::start(bundle::inline(), Namespaces, limits)
    }

    pub(crate) fn with(
        bundle: Option<Bundle>,
        source: impl ContextSource + 'static,
        options: Options,
    ) -> Self {
        let Options { limits, clients, decisions, metrics, images, meshes, proof_keys } = options;
        let identity = Identity::for_localhost().unwrap();
        let verifier = clients.as_ref().map(|auth| certificates::clients(&auth.ca, &auth.names).unwrap());
        let tls = certificates::server_config(&Serving::new(identity.clone()), verifier).unwrap();
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let readiness = Readiness::default();
        let images = images.unwrap_or_default();
        let preparations: Vec<Arc<dyn Preparation>> = vec![images.clone()];
        let activation = Activation::new(preparations, &readiness, metrics.clone(), Arc::new(Untold));
        if let Some(bundle) = bundle {
            runtime.block_on(activation.activate(Arc::new(bundle))).unwrap();
        }
        let service = Service {
            activation: Arc::clone(&activation),
            source: Arc::new(source),
            images,
            now: Some(Now::parse("2026-01-31T12:00:00Z").unwrap()),
            configuration: Arc::new(Configuration { client_auth: clients, ..Configuration::default() }),
            proof_keys: proof_keys.unwrap_or_else(own_proof_keys),
            meshes: meshes.unwrap_or_else(|| Arc::new(NoMesh)),
            readiness: readiness.clone(),
            metrics,
            events: Arc::new(Untold),
            decisions: decisions.map(Arc::new),
        };
        let listen = || runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let (webhook, admin) = (listen(), listen());
        let (address, admin_address) = (webhook.local_addr().unwrap(), admin.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel();
        let ended = runtime.spawn(webhook::serve(
            Port { listener: webhook, tls: Some(tls) },
            Some(Port { listener: admin, tls: None }),
            service,
            limits,
            async { stopped.await.unwrap_or(Stop::Now) },
        ));
        Self {
            address,
            admin: admin_address,
            pem: identity.to_pem(),
            activation,
            readiness,
            runtime: Some(runtime),
            stop: Some(stop),
            ended: Some(ended),
        }
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(self.address, &self.pem)
    }

    /// Status and text of a path of the admin port.
    pub(crate) fn admin(&self, path: &str) -> (u16, String) {
        get(self.admin, path)
    }

    /// Puts another bundle in force.
    pub(crate) fn activate(&self, bundle: Bundle) {
        self.runtime.as_ref().unwrap().block_on(self.activation.activate(Arc::new(bundle))).unwrap();
    }

    /// Tells it to stop and does not wait.
    pub(crate) fn stop(&mut self, stop: Stop) {
        self.stop.take().unwrap().send(stop).unwrap();
    }

    /// Waits until it has ended by itself.
    pub(crate) fn ended(&mut self, within: Duration) {
        let ended = self.ended.take().unwrap();
        let runtime = self.runtime.as_ref().unwrap();
        let result = runtime.block_on(async { tokio::time::timeout(within, ended).await });
        result.expect("the server ends in time").unwrap().unwrap();
    }
}

/// Status and text of a path of an admin port.
pub(crate) fn get(admin: SocketAddr, path: &str) -> (u16, String) {
    let mut socket = TcpStream::connect(admin).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    socket.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

impl Drop for Server {
    fn drop(&mut self) {
        // Jobs of a test that never end are left alone.
        self.runtime.take().unwrap().shutdown_background();
    }
}
