//! Pull secrets as the API server has them: read by name, never listed or watched, and kept for a moment.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use kube::Client;
use serde_json::Value;
use tokio::time::Instant;

use super::super::connection::Connection;
use super::lookups::Lookups;
use crate::image::{CredentialSet, Lacking, Looked, PullSecrets, of_account, of_secret};
use crate::kubernetes::label_selector::is_dns_subdomain;

/// How long one is kept.
const KEPT: Duration = Duration::from_secs(60);
/// How long it is kept that there is none: it often follows within seconds.
const LACKED: Duration = Duration::from_secs(3);
/// How many are kept.
const MOST: usize = 512;

/// The Secrets and service accounts of the cluster that Pods name.
pub struct PullSecretsOfCluster {
    lookups: Lookups,
    secrets: Kept<CredentialSet>,
    accounts: Kept<Vec<String>>,
}

/// What was read, by its path, and when.
type Kept<T> = Mutex<BTreeMap<String, (Instant, Result<T, Lacking>)>>;

impl PullSecretsOfCluster {
    /// Asks the API server.
    pub fn new(connection: &Connection) -> Self {
        Self::of(connection.client())
    }

    fn of(client: Client) -> Self {
        Self { lookups: Lookups::new(client), secrets: Kept::default(), accounts: Kept::default() }
    }

    /// The object of a resource in a namespace, and what is made of it.
    async fn found<T: Clone>(
        &self,
        kept: &Kept<T>,
        (namespace, resource, name): (&str, &str, &str),
        read: impl FnOnce(&Value) -> Result<T, Lacking>,
    ) -> Result<T, Lacking> {
        if !is_dns_subdomain(namespace) || !is_dns_subdomain(name) {
            return Err(Lacking::Absent);
        }
        let path = format!("/api/v1/namespaces/{namespace}/{resource}");
        let key = format!("{path}/{name}");
        if let Some(known) = known(kept, &key) {
            return known;
        }
        let found = match self.lookups.get_in_turn(&path, name).await {
            Ok(Some(object)) => read(&object),
            Ok(None) => Err(Lacking::Absent),
            Err(why) => {
                // What the API server did not say is asked again.
                tracing::warn!(namespace, resource, name, why, "a pull secret can't be read");
                return Err(Lacking::Unreadable);
            }
        };
        let mut all = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            let oldest = all.iter().min_by_key(|(_, (at, _))| *at).map(|(key, _)| key.clone());
            oldest.map(|oldest| all.remove(&oldest));
        }
        all.insert(key, (Instant::now(), found.clone()));
        found
    }
}

fn known<T: Clone>(kept: &Kept<T>, key: &str) -> Option<Result<T, Lacking>> {
    let all = kept.lock().unwrap_or_else(PoisonError::into_inner);
    let (at, found) = all.get(key)?;
    let longest = if found.is_ok() { KEPT } else { LACKED };
    (at.elapsed() < longest).then(|| found.clone())
}

impl PullSecrets for PullSecretsOfCluster {
    fn secret<'a>(&'a self, namespace: &'a str, name: &'a str) -> Looked<'a, CredentialSet> {
        Box::pin(self.found(&self.secrets, (namespace, "secrets", name), of_secret))
    }

    fn account<'a>(&'a self, namespace: &'a str, name: &'a str) -> Looked<'a, Vec<String>> {
        let read = |account: &Value| Ok(of_account(account));
        Box::pin(self.found(&self.accounts, (namespace, "serviceaccounts", name), read))
    }
}
