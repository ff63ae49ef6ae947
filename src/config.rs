//! The process's own configuration, `meshgate.yaml`: listeners, certificates, who may change what is guarded, limits of
//! what the cluster may cost. It is no policy, and is not in the policies' tree (contracts: file kinds).
//!
//! Called by `cli`; `cluster`, `certificates` and `webhook` are handed what they need of it. Read once, at start.

mod fields;
mod images;
mod shown;
mod source;

use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use crate::context::Subjects;
use crate::policy::{Faults, Member};
pub use images::{Credentials as RegistryCredentials, ImageLimits, Images, PullFrom, Registry};
pub use source::{
    Credentials, GitReference, Rollback, SHORTEST_INTERVAL, SignedBy, Source, Trials, Trust, TrustedSigners,
};

/// The namespace of an installation (contracts: server, names).
pub const NAMESPACE: &str = "meshgate-system";

/// The Service of an installation, and the name under which its objects go (contracts: server, names).
pub const SERVICE: &str = "meshgate";

/// The port of `/mutate` and `/validate` (contracts: server, names).
pub const WEBHOOK_PORT: u16 = 8443;

/// The port of health and metrics (contracts: server, names).
pub const ADMIN_PORT: u16 = 8444;

/// What `meshgate.yaml` says. What it does not say is the default of each member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// Where `/mutate` and `/validate` are served. Default: 0.0.0.0:8443.
    pub webhook: SocketAddr,
    /// Where health and metrics are served. Default: 0.0.0.0:8444.
    pub admin: SocketAddr,
    /// The policies: a directory, or an embedded profile as `embedded/starter`, the default.
    /// Not asked where there is a source.
    pub policies: String,
    /// Whether a directory is taken as it comes to rest, where nothing says that it is whole. Default: no.
    pub is_plain: bool,
    /// The repository that policies come from instead. None: none.
    pub source: Option<Source>,
    /// Whom its commits have to be signed by; there where there is a source.
    pub trust: Option<Trust>,
    /// Where the last good policies are kept; there where there is a source.
    pub state: Option<PathBuf>,
    /// How its tests are run.
    pub trials: Trials,
    /// Where the serving certificate comes from.
    pub certificates: Certificates,
    /// Who may connect to the webhook's port. None: whoever reaches it.
    pub client_auth: Option<ClientAuth>,
    /// Who may change what is guarded, with the labels and the namespaces below.
    pub subjects: Arc<Subjects>,
    /// Labels of Namespaces that are guarded beside meshgate's own: `pod-security.kubernetes.io/enforce`.
    pub guarded_labels: BTreeSet<String>,
    /// Namespaces whose objects never reach the workloads entry, beside `kube-system` and meshgate's own.
    pub excluded_namespaces: BTreeSet<String>,
    /// The port of the Service, by which the API server reaches the webhook. Default: 443.
    pub service_port: u16,
    /// What copies of the cluster's objects may take, in bytes. Default: 512 MiB.
    pub cache_bytes: u64,
    /// Where decisions are recorded. None: nowhere.
    pub decision_log: Option<DecisionLog>,
    /// Registries, and how they are read.
    pub images: Images,
}

/// Where the serving certificate comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Certificates {
    /// meshgate makes its own authority and certificates, and keeps them in a Secret of its namespace.
    #[default]
    Own,
    /// PEM files that somebody else renews.
    Files {
        /// The chain, the server's own certificate first.
        certificate: PathBuf,
        /// Its key.
        key: PathBuf,
        /// The authority that the API server is to trust.
        ca: PathBuf,
    },
}

/// Who may connect (R01): whose certificate leads to `ca` and names one of `names`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientAuth {
    /// The authorities, as PEM.
    pub ca: PathBuf,
    /// Common names, or DNS names of the certificate (`subjectAltName`).
    pub names: BTreeSet<String>,
}

/// Decisions as JSON lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionLog {
    /// The file; lines are added to it. `-`: standard output.
    pub file: PathBuf,
    /// Whether messages of findings are recorded. Default: no, they can hold what an object says.
    pub messages: bool,
}

impl Configuration {
    /// Reads a file's content; `file` is its name in faults.
    ///
    /// # Errors
    /// All that is wrong with it, each with line and column.
    pub fn read(file: &str, content: &[u8]) -> Result<Self, Faults> {
        fields::read(file, content)
    }

    /// What the file may have in it.
    pub fn members() -> Vec<Member> {
        fields::members()
    }

    /// What the file may have in it, as a JSON Schema (2020-12): for editors, and for who writes it by a program.
    pub fn schema() -> Value {
        fields::schema()
    }

    /// As the file would say it, with every default written.
    pub fn shown(&self) -> Value {
        shown::shown(self)
    }
}

impl Default for Configuration {
    fn default() -> Self {
        let everywhere = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port);
        Self {
            webhook: everywhere(WEBHOOK_PORT),
            admin: everywhere(ADMIN_PORT),
            policies: "embedded/starter".to_owned(),
            is_plain: false,
            source: None,
            trust: None,
            state: None,
            trials: Trials::default(),
            certificates: Certificates::default(),
            client_auth: None,
            subjects: Arc::default(),
            guarded_labels: BTreeSet::new(),
            excluded_namespaces: BTreeSet::new(),
            service_port: 443,
            cache_bytes: 512 << 20,
            decision_log: None,
            images: Images::default(),
        }
    }
}
