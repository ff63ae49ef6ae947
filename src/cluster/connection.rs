//! How the API server is reached: as a Pod is told, or as a kubeconfig says.

use std::path::{Path, PathBuf};

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

/// A way to the API server, with who we are to it.
#[derive(Clone)]
pub struct Connection(Client);

/// Why there is no way to the API server.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// The kubeconfig can't be read or says nothing usable.
    #[error("can't use the kubeconfig {}; check that `kubectl --kubeconfig` works with it", path.display())]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: kube::config::KubeconfigError,
    },
    /// This process is no Pod, or has no service account.
    #[error(
        "not in a cluster: no service account is mounted here; name a --kubeconfig, or --facts and --dev"
    )]
    NoCluster(#[source] kube::config::InClusterError),
    /// Nothing says where the API server is.
    #[error("no API server is known here; name a --kubeconfig")]
    Nowhere(#[source] kube::config::InferConfigError),
    /// The settings can't be used.
    #[error("can't set the connection to the API server up")]
    Client(#[source] kube::Error),
}

impl Connection {
    /// As the Pod in which this process runs.
    ///
    /// # Errors
    /// [`ConnectionError::NoCluster`], [`ConnectionError::Client`].
    pub fn in_cluster() -> Result<Self, ConnectionError> {
        Self::with(Config::incluster().map_err(ConnectionError::NoCluster)?)
    }

    /// As the current context of a kubeconfig says.
    ///
    /// # Errors
    /// [`ConnectionError::Kubeconfig`], [`ConnectionError::Client`].
    pub async fn by_kubeconfig(path: &Path) -> Result<Self, ConnectionError> {
        let error = |source| ConnectionError::Kubeconfig { path: path.to_owned(), source };
        let kubeconfig = Kubeconfig::read_from(path).map_err(error)?;
        let options = KubeConfigOptions::default();
        Self::with(Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(error)?)
    }

    /// As kubectl would, by `KUBECONFIG` or the file in the home directory; where there is none, as the Pod.
    ///
    /// # Errors
    /// [`ConnectionError::Nowhere`], [`ConnectionError::Client`].
    pub async fn as_kubectl() -> Result<Self, ConnectionError> {
        Self::with(Config::infer().await.map_err(ConnectionError::Nowhere)?)
    }

    fn with(config: Config) -> Result<Self, ConnectionError> {
        Client::try_from(config).map(Self).map_err(ConnectionError::Client)
    }

    /// The client, for this module alone: other modules name no crate of the cluster.
    pub(super) fn client(&self) -> Client {
        self.0.clone()
    }
}
