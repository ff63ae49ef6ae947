//! Pull secrets of objects that somebody stated: the manifests and facts of a dry run.

use std::collections::BTreeMap;
use std::future::ready;

use serde_json::Value;

use super::{Lacking, Looked, PullSecrets, of_account, of_secret};
use crate::image::credentials::CredentialSet;

/// Secrets and service accounts among objects.
#[derive(Debug, Default)]
pub struct StatedPullSecrets {
    secrets: BTreeMap<(String, String), Result<CredentialSet, Lacking>>,
    accounts: BTreeMap<(String, String), Vec<String>>,
}

impl StatedPullSecrets {
    /// Learns of an object; of two of one name the last one counts. `namespace` is where it is where it names none.
    pub fn insert(&mut self, namespace: &str, object: &Value) {
        let text =
            |pointer: &str| object.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
        let Some(name) = text("/metadata/name") else { return };
        let place = (text("/metadata/namespace").unwrap_or(namespace).to_owned(), name.to_owned());
        match (text("/apiVersion"), text("/kind")) {
            (Some("v1"), Some("Secret")) => {
                self.secrets.insert(place, of_secret(object));
            }
            (Some("v1"), Some("ServiceAccount")) => {
                self.accounts.insert(place, of_account(object));
            }
            _ => {}
        }
    }
}

impl PullSecrets for StatedPullSecrets {
    fn secret<'a>(&'a self, namespace: &'a str, name: &'a str) -> Looked<'a, CredentialSet> {
        let found = self.secrets.get(&(namespace.to_owned(), name.to_owned()));
        Box::pin(ready(found.cloned().unwrap_or(Err(Lacking::Absent))))
    }

    fn account<'a>(&'a self, namespace: &'a str, name: &'a str) -> Looked<'a, Vec<String>> {
        // One that nobody states is taken as it is made with its namespace: without pull secrets.
        let found = self.accounts.get(&(namespace.to_owned(), name.to_owned()));
        Box::pin(ready(Ok(found.cloned().unwrap_or_default())))
    }
}
