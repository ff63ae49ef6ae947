//! `meshgate.yaml` in an installation: which of it makes sense in a Pod, and the ConfigMaps.

use std::path::Path;

use serde_json::{Value, json};

use super::objects::namespaced;
use super::policies::CONFIG_MAP;
use super::slots::{PoliciesSlot, Slots, VolumeSlot};
use super::volumes::{FILES, STATE};
use crate::config::{Certificates, Configuration, Credentials, SERVICE, SignedBy};
use crate::policy::Faults;
use crate::yaml;

/// The file's name, also as a key of the ConfigMap.
pub(super) const FILE: &str = "meshgate.yaml";

/// A configuration as it is written, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigurationText {
    pub(super) text: String,
    pub(super) members: Value,
    pub(super) configuration: Configuration,
}

/// Why a configuration can't be that of an installation.
#[derive(Debug, thiserror::Error)]
pub enum Misplaced {
    /// It is no configuration.
    #[error(transparent)]
    Faults(#[from] Faults),
    /// It says what can't be in a Pod of the installation.
    #[error("{file}: {}", what.join(&format!("\n{file}: ")))]
    NotInAPod {
        /// The file.
        file: String,
        /// All of it, each with its remedy.
        what: Vec<String>,
    },
}

impl ConfigurationText {
    /// Reads a file's content; `file` is its name in faults.
    ///
    /// # Errors
    /// What is no configuration, and what can't be in a Pod of the installation.
    pub fn read(file: &str, content: &[u8]) -> Result<Self, Misplaced> {
        let configuration = Configuration::read(file, content)?;
        let what = not_in_a_pod(&configuration);
        if !what.is_empty() {
            return Err(Misplaced::NotInAPod { file: file.to_owned(), what });
        }
        let document = yaml::read(content).into_iter().next().and_then(Result::ok);
        let mut members = document.map_or_else(|| json!({}), |document| document.value);
        if let Some(members) = members.as_object_mut() {
            members.retain(|name, _| !matches!(name.as_str(), "apiVersion" | "kind"));
        }
        Ok(Self { text: String::from_utf8_lossy(content).into_owned(), members, configuration })
    }

    /// What it says.
    pub fn configuration(&self) -> &Configuration {
        &self.configuration
    }
}

impl Default for ConfigurationText {
    fn default() -> Self {
        Self {
            text: "apiVersion: meshgate.io/v1alpha1\nkind: Configuration\n".to_owned(),
            members: json!({}),
            configuration: Configuration::default(),
        }
    }
}

fn not_in_a_pod(configuration: &Configuration) -> Vec<String> {
    let default = Configuration::default();
    let mut what = Vec::new();
    for (member, address, expected) in
        [("webhook", configuration.webhook, default.webhook), ("admin", configuration.admin, default.admin)]
    {
        if address != expected {
            what.push(format!(
                "listen.{member}: the Service and the probes look for {expected}, not {address}; leave it out"
            ));
        }
    }
    if !configuration.policies.starts_with("embedded/") {
        let directory = &configuration.policies;
        what.push(format!(
            "policies: `{directory}` is no directory of the image; leave it out, and name the policies with --policies"
        ));
    }
    if let Some(state) = configuration.state.as_ref().filter(|state| *state != Path::new(STATE)) {
        let state = state.display();
        what.push(format!("state: `{state}` is no volume of the Pod; write {STATE}"));
    }
    for (member, path) in files(configuration) {
        if path.parent() != Some(Path::new(FILES)) {
            let path = path.display();
            what.push(format!(
                "{member}: `{path}` is no file of the Pod; put it into the Secret meshgate-files and name it {FILES}/<key>"
            ));
        }
    }
    what
}

/// The files that it names.
fn files(configuration: &Configuration) -> Vec<(&'static str, &Path)> {
    let mut files = Vec::new();
    if let Certificates::Files { certificate, key, ca } = &configuration.certificates {
        files.push(("certificates.certificate", certificate.as_path()));
        files.push(("certificates.key", key));
        files.push(("certificates.ca", ca));
    }
    if let Some(client) = &configuration.client_auth {
        files.push(("clientAuth.ca", &client.ca));
    }
    if let Some(source) = &configuration.source {
        match &source.credentials {
            Some(Credentials::Basic { file, .. }) => files.push(("source.credentials.file", file)),
            Some(Credentials::Bearer(file)) => files.push(("source.credentials.bearerFile", file)),
            None => {}
        }
        files.extend(source.ca.as_ref().map(|ca| ("source.ca", ca.as_path())));
    }
    if let Some(SignedBy::Commit(signers)) = configuration.trust.as_ref().map(|trust| &trust.signers) {
        files.push(("trust.allowedSigners", &signers.allowed));
        files.extend(signers.revoked.as_ref().map(|revoked| ("trust.revoked", revoked.as_path())));
    }
    files
}

pub(super) fn objects(slots: &Slots) -> Vec<Value> {
    let data = [("data", json!({ FILE: slots.configuration }))];
    let mut objects = vec![namespaced("v1", "ConfigMap", SERVICE, data)];
    if let PoliciesSlot::Volume(VolumeSlot { data: Some(data), .. }) = &slots.policies {
        objects.push(namespaced("v1", "ConfigMap", CONFIG_MAP, [("data", data.clone())]));
    }
    objects
}
