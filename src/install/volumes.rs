//! What the container finds in its file system beside the image.

use serde_json::{Value, json};

use super::configuration::FILE;
use super::slots::{PoliciesSlot, Slots};
use crate::config::SERVICE;

/// Files that `meshgate.yaml` names: certificates, and authorities of clients.
pub(super) const FILES: &str = "/etc/meshgate/files";

/// The Secret whose keys are those files.
const FILES_SECRET: &str = "meshgate-files";

/// Where the last good policies of a repository are kept.
pub(super) const STATE: &str = "/var/lib/meshgate";

const CONFIGURATION: &str = "/etc/meshgate/configuration";
const POLICIES: &str = "/etc/meshgate/policies";

/// The flags that name them.
pub(super) fn arguments(slots: &Slots) -> Vec<Value> {
    let mut arguments = vec!["serve".into(), format!("--config={CONFIGURATION}/{FILE}").into()];
    match &slots.policies {
        PoliciesSlot::None => {}
        PoliciesSlot::Flag(name) => arguments.push(format!("--policies={name}").into()),
        PoliciesSlot::Volume(volume) => {
            arguments.extend(volume.element(format!("--policies={POLICIES}").into()));
        }
    }
    arguments
}

pub(super) fn volumes(slots: &Slots) -> Vec<Value> {
    let mut volumes = vec![
        json!({ "name": "configuration", "configMap": { "name": SERVICE } }),
        json!({ "name": "files", "secret": { "secretName": FILES_SECRET, "optional": true } }),
        // The root is read-only.
        json!({ "name": "tmp", "emptyDir": { "sizeLimit": "64Mi" } }),
    ];
    if let PoliciesSlot::Volume(volume) = &slots.policies {
        let source = json!({ "name": volume.name, "items": volume.items });
        volumes.extend(volume.element(json!({ "name": "policies", "configMap": source })));
    }
    // It outlives the container. What a new Pod has to know is in the ConfigMap meshgate-bundle.
    volumes.extend(slots.state.element(json!({ "name": "state", "emptyDir": { "sizeLimit": "1Gi" } })));
    volumes
}

pub(super) fn mounts(slots: &Slots) -> Vec<Value> {
    let read_only = |name: &str, path: &str| json!({ "name": name, "mountPath": path, "readOnly": true });
    let mut mounts = vec![
        read_only("configuration", CONFIGURATION),
        read_only("files", FILES),
        json!({ "name": "tmp", "mountPath": "/tmp" }),
    ];
    if let PoliciesSlot::Volume(volume) = &slots.policies {
        mounts.extend(volume.element(read_only("policies", POLICIES)));
    }
    mounts.extend(slots.state.element(json!({ "name": "state", "mountPath": STATE })));
    mounts
}
