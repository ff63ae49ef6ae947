//! The flags of `serve`, and the configuration that they complete.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use crate::cli::globals;
use crate::cli::guard::GuardFlags;
use crate::cli::inputs::{FactFlags, PolicyFlags};
use crate::config::Configuration;
use crate::context::Others;

/// Flags of `serve`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meshgate serve --dev                                         try it on https://localhost:8443
  meshgate serve --tls-cert-file tls.crt --tls-private-key-file tls.key -p policies --plain

What happens is logged to standard error; -v or MESHGATE_LOG=debug says more.")]
pub(in crate::cli) struct Arguments {
    /// The process's own configuration; what is said by flags counts more
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How the API server is reached, as in kubectl [default: as the Pod that this is, where it is one]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["dev", "facts"])]
    pub(super) kubeconfig: Option<PathBuf>,
    /// Where to listen [default: 0.0.0.0:8443, with --dev 127.0.0.1:8443]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Where to serve health and metrics, on a loopback address without TLS [default: as configured, without --config nowhere]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen_admin: Option<SocketAddr>,
    /// The certificate, and those that lead to its authority, as PEM; nothing is registered then
    #[arg(long, value_name = "FILE", requires = "tls_private_key_file")]
    pub(super) tls_cert_file: Option<PathBuf>,
    /// The certificate's private key, as PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert_file")]
    pub(super) tls_private_key_file: Option<PathBuf>,
    /// Make a certificate for localhost in memory
    #[arg(long, conflicts_with_all = ["tls_cert_file", "tls_private_key_file"])]
    pub(super) dev: bool,
    #[command(flatten)]
    pub(super) policies: PolicyFlags,
    /// Take a directory of policies as it comes to rest, where nothing says that it is whole; --dev says so too
    #[arg(long)]
    plain: bool,
    #[command(flatten)]
    pub(super) facts: FactFlags,
    #[command(flatten)]
    guard: GuardFlags,
}

impl Arguments {
    /// Without a cluster nothing is known of a namespace. To take it as freshly made is a wish that is said.
    pub(super) fn others(&self) -> Others {
        if self.dev || self.facts.mode.is_some() { Others::Fresh } else { Others::Unknown }
    }

    /// Whether the admin port is served: who only tries something does not want to hear that it is taken.
    pub(super) fn serves_admin(&self) -> bool {
        self.config.is_some() || self.listen_admin.is_some()
    }

    /// The configuration's file, or the defaults, with what the flags say instead.
    pub(super) fn configuration(&self) -> anyhow::Result<Configuration> {
        let mut configuration = match &self.config {
            None => Configuration::default(),
            Some(path) => globals::read(path)?,
        };
        match self.listen {
            Some(address) => configuration.webhook = address,
            None if self.dev => configuration.webhook.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            None => {}
        }
        if let Some(address) = self.listen_admin {
            configuration.admin = address;
        }
        if let Some(policies) = self.policies.named() {
            policies.clone_into(&mut configuration.policies);
            configuration.source = None;
        }
        configuration.is_plain |= self.plain || self.dev;
        configuration.subjects = Arc::new(self.guard.subjects(Some(&configuration)));
        Ok(configuration)
    }
}
