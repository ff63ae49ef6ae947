//! The ConfigMap `meshgate-bundle-archive`: the files of the bundle in force, for Pods that have nothing on disk. Read at the
//! start of such a one only, and watched by nobody.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use super::owners;
use crate::config::SERVICE;

const NAME: &str = "meshgate-bundle-archive";

/// Who owns all of its fields, whichever replica writes them: what one leaves out is gone.
const MANAGER: &str = "meshgate-archive";

/// Keeps these files and no others. Keys of a ConfigMap have no `/`, and names of these files no `_`.
pub(super) async fn keep(
    maps: &Api<ConfigMap>,
    deployments: &Api<Deployment>,
    files: BTreeMap<String, Vec<u8>>,
) -> Result<(), String> {
    let files: BTreeMap<String, ByteString> =
        files.into_iter().map(|(name, bytes)| (name.replace('/', "_"), ByteString(bytes))).collect();
    let deployment = deployments.get_opt(SERVICE).await.map_err(|error| error.to_string())?;
    let object = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": NAME, "ownerReferences": owners(deployment) }, "binaryData": files,
    });
    let applied = maps.patch(NAME, &PatchParams::apply(MANAGER).force(), &Patch::Apply(&object)).await;
    applied.map(drop).map_err(|error| error.to_string())
}

/// What is kept.
pub(super) async fn kept(maps: &Api<ConfigMap>) -> Result<Option<BTreeMap<String, Vec<u8>>>, String> {
    let map = maps.get_opt(NAME).await.map_err(|error| error.to_string())?;
    let files = |map: ConfigMap| {
        let files = map.binary_data.unwrap_or_default().into_iter();
        files.map(|(key, bytes)| (key.replace('_', "/"), bytes.0)).collect()
    };
    Ok(map.map(files))
}
