//! Who knows the facts: the API server, or files that stand in for it.

use std::sync::Arc;

use super::Arguments;
use super::file_facts::FileFacts;
use crate::activation::Preparation;
use crate::cluster::{Connection, Objects};
use crate::context::ContextSource;

/// Who knows the facts.
pub(super) enum Knowledge {
    /// The files of `--facts`, and nobody else.
    Files(Arc<FileFacts>),
    /// The API server.
    Cluster(Connection),
}

impl Knowledge {
    /// In a cluster where there is one, unless flags stand in for it.
    pub(super) async fn of(arguments: &Arguments) -> anyhow::Result<Self> {
        let is_pod = std::env::var_os("KUBERNETES_SERVICE_HOST").is_some();
        let instead = arguments.dev || arguments.facts.facts.is_some() || arguments.facts.mode.is_some();
        Ok(match &arguments.kubeconfig {
            Some(path) => Self::Cluster(Connection::by_kubeconfig(path).await?),
            None if is_pod && !instead => Self::Cluster(Connection::in_cluster()?),
            None => Self::Files(Arc::new(FileFacts::new(&arguments.facts, arguments.others())?)),
        })
    }

    /// Who is asked for facts.
    pub(super) fn source(&self) -> Arc<dyn ContextSource> {
        match self {
            Self::Cluster(connection) => Arc::new(Objects::new(connection)),
            Self::Files(facts) => facts.clone(),
        }
    }

    /// What a bundle needs before it can answer.
    pub(super) fn preparations(&self) -> Vec<Arc<dyn Preparation>> {
        match self {
            Self::Cluster(_) => Vec::new(),
            Self::Files(facts) => vec![facts.clone()],
        }
    }
}
