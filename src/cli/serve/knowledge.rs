//! Who knows the facts: the API server, or files that stand in for it.

use std::sync::Arc;

use super::Arguments;
use super::cluster;
use super::file_facts::FileFacts;
use crate::activation::Preparation;
use crate::cluster::{Caches, Connection, PullSecretsOfCluster};
use crate::config::Configuration;
use crate::context::ContextSource;
use crate::image::PullSecrets;
use crate::mesh::Meshes;
use crate::metrics::Metrics;

/// Who knows the facts.
pub(super) enum Knowledge {
    /// The files of `--facts`, and nobody else.
    Files(Arc<FileFacts>),
    /// The API server, and what is kept of it.
    Cluster(Connection, Arc<Caches>),
}

impl Knowledge {
    /// In a cluster where there is one, unless flags stand in for it.
    pub(super) async fn of(
        arguments: &Arguments,
        configuration: &Configuration,
        metrics: &Metrics,
    ) -> anyhow::Result<Self> {
        let is_pod = std::env::var_os("KUBERNETES_SERVICE_HOST").is_some();
        let instead = arguments.dev || arguments.facts.facts.is_some() || arguments.facts.mode.is_some();
        let lingers = cluster::waits()?.0.narrows;
        let caches = |connection: Connection| {
            let caches = Caches::new(&connection, configuration.cache_bytes, lingers, metrics.clone());
            Self::Cluster(connection, caches)
        };
        Ok(match &arguments.kubeconfig {
            Some(path) => caches(Connection::by_kubeconfig(path).await?),
            None if is_pod && !instead => caches(Connection::in_cluster()?),
            None => Self::Files(Arc::new(FileFacts::new(&arguments.facts, arguments.others())?)),
        })
    }

    /// Who is asked for facts.
    pub(super) fn source(&self) -> Arc<dyn ContextSource> {
        match self {
            Self::Cluster(_, caches) => caches.clone(),
            Self::Files(facts) => facts.clone(),
        }
    }

    /// Who knows the meshes.
    pub(super) fn meshes(&self) -> Arc<dyn Meshes> {
        match self {
            Self::Cluster(_, caches) => caches.clone(),
            Self::Files(facts) => facts.clone(),
        }
    }

    /// Who has the Secrets and service accounts that Pods name.
    pub(super) fn pull_secrets(&self) -> Arc<dyn PullSecrets> {
        match self {
            Self::Cluster(connection, _) => Arc::new(PullSecretsOfCluster::new(connection)),
            Self::Files(facts) => Arc::new(facts.pull_secrets()),
        }
    }

    /// What a bundle needs before it can answer.
    pub(super) fn preparations(&self) -> Vec<Arc<dyn Preparation>> {
        match self {
            Self::Cluster(_, caches) => vec![caches.clone()],
            Self::Files(facts) => vec![facts.clone()],
        }
    }
}
