//! Facts by one GET each.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use kube::{Api, Client};
use serde_json::json;
use tokio::time::timeout;

use super::connection::Connection;
use crate::context::{ContextSource, Fact, FactKey};

/// How long a GET may take (cluster.md, section 5).
const PATIENCE: Duration = Duration::from_secs(1);

/// What the API server says when it is asked.
pub struct Objects {
    client: Client,
}

impl Objects {
    /// Asks over this connection.
    pub fn new(connection: &Connection) -> Self {
        Self { client: connection.client() }
    }

    async fn namespace(&self, name: &str) -> Fact {
        let api: Api<Namespace> = Api::all(self.client.clone());
        match timeout(PATIENCE, api.get(name)).await {
            Ok(Ok(namespace)) => Fact::Known(json!({
                "name": name,
                "labels": namespace.metadata.labels.unwrap_or_default(),
                "annotations": namespace.metadata.annotations.unwrap_or_default(),
            })),
            Ok(Err(error)) => Fact::Unknown(format!("the namespace `{name}` can't be read: {error}")),
            Err(_) => Fact::Unknown(format!("the namespace `{name}` can't be read: no answer within 1 s")),
        }
    }
}

impl ContextSource for Objects {
    fn fetch<'a>(&'a self, key: &'a FactKey) -> Pin<Box<dyn Future<Output = Fact> + Send + 'a>> {
        Box::pin(async move {
            match key {
                FactKey::Namespace(name) => self.namespace(name).await,
                FactKey::Image(_) => Fact::Unknown("images are not looked up".to_owned()),
                FactKey::Owner { .. } => Fact::Unknown("owners are not looked up".to_owned()),
                FactKey::Listed(..)
                | FactKey::RuntimeClasses
                | FactKey::ClusterVersion
                | FactKey::Inventory(_) => Fact::Unknown("objects are not looked up".to_owned()),
            }
        })
    }
}
