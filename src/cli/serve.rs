//! `meshgate serve`: the webhook.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::guard::GuardFlags;
use super::inputs::{FactFlags, PolicyFlags};
use super::output;
use crate::certificates::{self, Identity};
use crate::context::Others;
use crate::webhook::{self, Limits, Service};

/// The webhook's port (contracts: server, names).
const PORT: u16 = 8443;

/// Flags of `serve`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meshgate serve --dev                                         try it on https://localhost:8443
  meshgate serve --tls-cert-file tls.crt --tls-private-key-file tls.key -p policies

What happens is logged to standard error; MESHGATE_LOG=debug says more.")]
pub(super) struct Arguments {
    /// Where to listen [default: 0.0.0.0:8443, with --dev 127.0.0.1:8443]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// The certificate, and those that lead to its authority, as PEM
    #[arg(long, value_name = "FILE", requires = "tls_private_key_file", required_unless_present = "dev")]
    tls_cert_file: Option<PathBuf>,
    /// The certificate's private key, as PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert_file")]
    tls_private_key_file: Option<PathBuf>,
    /// Make a certificate for localhost in memory
    #[arg(long, conflicts_with_all = ["tls_cert_file", "tls_private_key_file"])]
    dev: bool,
    #[command(flatten)]
    policies: PolicyFlags,
    #[command(flatten)]
    facts: FactFlags,
    #[command(flatten)]
    guard: GuardFlags,
}

impl Arguments {
    /// Without a cluster nothing is known of a namespace. To take it as freshly made is a wish that is said.
    fn others(&self) -> Others {
        if self.dev || self.facts.mode.is_some() { Others::Fresh } else { Others::Unknown }
    }
}

/// Runs the command until it is told to end.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let filter = EnvFilter::try_from_env("MESHGATE_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    // A standard error that is closed must not end a review: errors of logging are said there, with a panic.
    let log = tracing_subscriber::fmt().json().with_env_filter(filter).log_internal_errors(false);
    log.with_writer(std::io::stderr).init();
    let bundle = arguments.policies.bundle(arguments.facts.now())?;
    let facts = arguments.facts.manifests()?;
    let world = arguments.facts.world(&bundle, &facts, arguments.others())?;
    let tls = certificates::server_config(&identity(arguments)?)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(super::STACK_BYTES)
        .build()
        .context("can't start")?;
    let service = Service {
        bundle: Arc::new(bundle),
        source: Arc::new(world),
        now: arguments.facts.now,
        subjects: Arc::new(arguments.guard.subjects()),
    };
    runtime.block_on(async {
        let address = arguments.listen.unwrap_or_else(|| default_address(arguments.dev));
        let listener =
            TcpListener::bind(address).await.with_context(|| format!("can't listen on {address}"))?;
        let address = listener.local_addr().context("can't tell the address")?;
        let stop = stop_signal()?;
        output::note(&greeting(arguments, address, &service))?;
        webhook::serve(listener, tls, service, Limits::default(), stop).await.context("the server failed")
    })?;
    Ok(0)
}

fn identity(arguments: &Arguments) -> anyhow::Result<Identity> {
    match (&arguments.tls_cert_file, &arguments.tls_private_key_file) {
        (Some(certificate), Some(key)) => Ok(Identity::from_files(certificate, key)?),
        _ if arguments.dev => Ok(Identity::for_localhost()?),
        _ => bail!("name --tls-cert-file and --tls-private-key-file, or say --dev to try it on this machine"),
    }
}

fn default_address(dev: bool) -> SocketAddr {
    let address = if dev { Ipv4Addr::LOCALHOST } else { Ipv4Addr::UNSPECIFIED };
    SocketAddr::new(IpAddr::V4(address), PORT)
}

/// SIGTERM from the kubelet, SIGINT from a terminal.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()> + Send> {
    let mut terminate = signal(SignalKind::terminate()).context("can't listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("can't listen for SIGINT")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

fn greeting(arguments: &Arguments, address: SocketAddr, service: &Service) -> String {
    let bound = service.bundle.bound.len();
    let mut text = format!(
        "meshgate serves {bound} bound policies on https://{address}, revision {}\n",
        service.bundle.revision
    );
    text.push_str(match arguments.others() {
        Others::Fresh => "There is no cluster: a namespace that --facts does not give is taken as freshly made.\n",
        Others::Unknown => {
            "There is no cluster: what hangs on a namespace that --facts does not give is an error; --mode or --dev take \
             it as freshly made.\n"
        }
    });
    if arguments.dev {
        let port = address.port();
        text.push_str(&format!(
            "Try it (the certificate lives in memory only, hence -k):\n  \
             curl -k https://localhost:{port}/validate -H 'Content-Type: application/json' -d @docs/examples/review.json\n"
        ));
    }
    text
}
