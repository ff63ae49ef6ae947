//! The configuration of a mesh, from the cases of Istio's own test.

use std::path::{Path, PathBuf};

use meshgate::yaml;
use serde_json::{Value, json};

/// Istio's cases. None: they are not at hand.
pub(crate) fn corpus() -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance");
    let root = std::env::var_os("MESHGATE_CONFORMANCE").map_or_else(beside, PathBuf::from);
    let root = root.join("istio-inject");
    if root.is_dir() {
        return Some(root);
    }
    println!("left out: there is no {}; set MESHGATE_CONFORMANCE", root.display());
    assert!(std::env::var_os("CI").is_none(), "CI needs the conformance data");
    None
}

/// The ConfigMaps of Istio 1.30, with its CNI plugin or without.
pub(crate) fn config_maps(root: &Path, has_cni: bool, namespace: &str) -> Vec<Value> {
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&read("release-1.30/cases.json")).unwrap();
    let golden = if has_cni { "inject/hello.yaml.cni.injected" } else { "inject/hello.yaml.injected" };
    let case = cases.iter().find(|case| case["golden"] == golden).unwrap();
    let of_case = |name: &str| read(&format!("release-1.30/{}", case[name].as_str().unwrap()));
    let shipped = read("manifest-generate/sidecar_template.release-1.30.golden.yaml");
    let shipped = yaml::read(shipped.as_bytes()).into_iter().map(|one| one.unwrap().value);
    let map = shipped.into_iter().find(|one| one["metadata"]["name"] == "istio-sidecar-injector").unwrap();
    let config = yaml::read(map["data"]["config"].as_str().unwrap().as_bytes()).remove(0).unwrap().value;
    let config = json!({ "policy": "enabled", "templates": { "sidecar": config["templates"]["sidecar"] } });
    let map = |name: &str, data: Value| json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name, "namespace": namespace }, "data": data });
    vec![
        map("istio-sidecar-injector", json!({ "config": config.to_string(), "values": of_case("values") })),
        map("istio", json!({ "mesh": of_case("mesh") })),
    ]
}
