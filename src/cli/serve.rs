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
use crate::certificates::{self, Identity, Serving};
use crate::cluster::{Connection, Objects};
use crate::config::{Certificates, Configuration};
use crate::context::{ContextSource, Others};
use crate::engine::Bundle;
use crate::webhook::{self, Limits, Service};

/// Flags of `serve`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meshgate serve --dev                                         try it on https://localhost:8443
  meshgate serve --tls-cert-file tls.crt --tls-private-key-file tls.key -p policies

What happens is logged to standard error; MESHGATE_LOG=debug says more.")]
pub(super) struct Arguments {
    /// The process's own configuration; what is said by flags counts more
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How the API server is reached, as in kubectl [default: as the Pod that this is, where it is one]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["dev", "facts"])]
    kubeconfig: Option<PathBuf>,
    /// Where to listen [default: 0.0.0.0:8443, with --dev 127.0.0.1:8443]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// The certificate, and those that lead to its authority, as PEM
    #[arg(long, value_name = "FILE", requires = "tls_private_key_file", required_unless_present_any = ["config", "dev"])]
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

    /// The configuration's file, or the defaults, with what the flags say instead.
    fn configuration(&self) -> anyhow::Result<Configuration> {
        let mut configuration = match &self.config {
            None => Configuration::default(),
            Some(path) => {
                let name = path.display().to_string();
                let content = std::fs::read(path)
                    .with_context(|| format!("--config {name}: can't be read; check that it exists"))?;
                Configuration::read(&name, &content).with_context(|| "the configuration can't be used")?
            }
        };
        match self.listen {
            Some(address) => configuration.webhook = address,
            None if self.dev => configuration.webhook.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            None => {}
        }
        if let Some(subjects) = self.guard.named() {
            configuration.subjects = Arc::new(subjects);
        }
        Ok(configuration)
    }
}

/// Who knows the facts.
enum Knowledge {
    /// The files of `--facts`, and nobody else.
    Files(Others),
    /// The API server.
    Cluster(Connection),
}

impl Knowledge {
    /// In a cluster where there is one, unless flags stand in for it.
    async fn of(arguments: &Arguments) -> anyhow::Result<Self> {
        let is_pod = std::env::var_os("KUBERNETES_SERVICE_HOST").is_some();
        let instead = arguments.dev || arguments.facts.facts.is_some() || arguments.facts.mode.is_some();
        Ok(match &arguments.kubeconfig {
            Some(path) => Self::Cluster(Connection::by_kubeconfig(path).await?),
            None if is_pod && !instead => Self::Cluster(Connection::in_cluster()?),
            None => Self::Files(arguments.others()),
        })
    }

    fn source(&self, arguments: &Arguments, bundle: &Bundle) -> anyhow::Result<Arc<dyn ContextSource>> {
        Ok(match self {
            Self::Cluster(connection) => Arc::new(Objects::new(connection)),
            Self::Files(others) => {
                let facts = arguments.facts.manifests()?;
                Arc::new(arguments.facts.world(bundle, &facts, *others)?)
            }
        })
    }
}

/// Runs the command until it is told to end.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let filter = EnvFilter::try_from_env("MESHGATE_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    // A standard error that is closed must not end a review: errors of logging are said there, with a panic.
    let log = tracing_subscriber::fmt().json().with_env_filter(filter).log_internal_errors(false);
    log.with_writer(std::io::stderr).init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(super::STACK_BYTES)
        .build()
        .context("can't start")?;
    let configuration = arguments.configuration()?;
    let policies = arguments.policies.or_configured(&configuration.policies);
    let bundle = policies.bundle(arguments.facts.now())?;
    let serving = Serving::new(identity(arguments, &configuration)?);
    let tls = certificates::server_config(&serving, None)?;
    runtime.block_on(async {
        let knowledge = Knowledge::of(arguments).await?;
        let service = Service {
            source: knowledge.source(arguments, &bundle)?,
            bundle: Arc::new(bundle),
            now: arguments.facts.now,
            subjects: Arc::clone(&configuration.subjects),
        };
        let address = configuration.webhook;
        let listener =
            TcpListener::bind(address).await.with_context(|| format!("can't listen on {address}"))?;
        let address = listener.local_addr().context("can't tell the address")?;
        let stop = stop_signal()?;
        output::note(&greeting(arguments, &knowledge, address, &service))?;
        webhook::serve(listener, tls, service, Limits::default(), stop).await.context("the server failed")
    })?;
    Ok(0)
}

fn identity(arguments: &Arguments, configuration: &Configuration) -> anyhow::Result<Identity> {
    match (&arguments.tls_cert_file, &arguments.tls_private_key_file, &configuration.certificates) {
        (Some(certificate), Some(key), _) => Ok(Identity::from_files(certificate, key)?),
        _ if arguments.dev => Ok(Identity::for_localhost()?),
        (_, _, Certificates::Files { certificate, key, .. }) => Ok(Identity::from_files(certificate, key)?),
        (_, _, Certificates::Own) => {
            bail!("name --tls-cert-file and --tls-private-key-file, or say --dev to try it on this machine")
        }
    }
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

fn greeting(arguments: &Arguments, knowledge: &Knowledge, address: SocketAddr, service: &Service) -> String {
    let bound = service.bundle.bound.len();
    let mut text = format!(
        "meshgate serves {bound} bound policies on https://{address}, revision {}\n",
        service.bundle.revision
    );
    text.push_str(match knowledge {
        Knowledge::Cluster(_) => "Namespaces are read from the API server.\n",
        Knowledge::Files(Others::Fresh) => "There is no cluster: a namespace that --facts does not give is taken as freshly made.\n",
        Knowledge::Files(Others::Unknown) => {
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
