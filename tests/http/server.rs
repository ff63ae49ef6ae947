//! A server on a free port, stopped when the test drops it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use meshgate::activation::{Activation, Readiness};
use meshgate::certificates::{self, Identity, Serving};
use meshgate::context::{ContextSource, Now};
use meshgate::engine::Bundle;
use meshgate::metrics::Metrics;
use meshgate::webhook::{self, Limits, Service};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::bundle;
use crate::client::Client;
use crate::source::Namespaces;

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// The certificate that a client is to trust.
    pub(crate) pem: String,
    runtime: Option<Runtime>,
    stop: Option<oneshot::Sender<()>>,
    ended: Option<JoinHandle<std::io::Result<()>>>,
}

impl Server {
    pub(crate) fn start(bundle: Bundle, source: impl ContextSource + 'static, limits: Limits) -> Self {
        let identity = Identity::for_localhost().unwrap();
        let tls = certificates::server_config(&Serving::new(identity.clone()), None).unwrap();
        let now = Some(Now::parse("2026-01-31T12:00:00Z").unwrap());
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let metrics = Metrics::new();
        let activation = Activation::new(Vec::new(), &Readiness::default(), metrics.clone());
        runtime.block_on(activation.activate(Arc::new(bundle))).unwrap();
        let service =
            Service { activation, source: Arc::new(source), now, subjects: Arc::default(), metrics };
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let ended = runtime
            .spawn(webhook::serve(listener, tls, service, limits, async { stopped.await.unwrap_or(()) }));
        Self { address, pem: identity.to_pem(), runtime: Some(runtime), stop: Some(stop), ended: Some(ended) }
    }

    /// With the policies of this test and a source that knows every namespace.
    pub(crate) fn plain(limits: Limits) -> Self {
        Self::start(bundle::inline(), Namespaces, limits)
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(self.address, &self.pem)
    }

    /// Tells it to stop and does not wait.
    pub(crate) fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// Waits until it has ended by itself.
    pub(crate) fn ended(&mut self, within: Duration) {
        let ended = self.ended.take().unwrap();
        let runtime = self.runtime.as_ref().unwrap();
        let result = runtime.block_on(async { tokio::time::timeout(within, ended).await });
        result.expect("the server ends in time").unwrap().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Jobs of a test that never end are left alone.
        self.runtime.take().unwrap().shutdown_background();
    }
}
