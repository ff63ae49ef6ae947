//! Two JSON texts, one a line: the second is merged into the Pod that is the first, as a template's output is. Nothing
//! panics, and what comes out is an object.

#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use meshgate::admission::strict_json;
use meshgate::mesh::istio::{Installation, Target, Texts, inject};
use serde_json::{Value, json};

fn injected(pod: &Value, patch: &str) -> Option<Value> {
    let config = json!({ "policy": "enabled", "templates": { "sidecar": patch } }).to_string();
    let installation =
        Installation::read(Texts { config: &config, values: "{}", ..Texts::default() }).ok()?;
    let parameters = BTreeMap::new();
    let target = Target {
        pod,
        namespace: "shop",
        namespace_annotations: None,
        workload: None,
        path_parameters: &parameters,
        native_sidecars: true,
        proxy_configs: &[],
        by_hand: false,
    };
    inject(&installation, &target).ok().map(|injected| injected.pod)
}

fuzz_target!(|bytes: &[u8]| {
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else { return };
    let (Ok(pod), Ok(patch)) = (strict_json(&bytes[..end]), strict_json(&bytes[end..])) else { return };
    let patch = patch.to_string();
    // What has actions is no document yet.
    if !pod.is_object() || patch.contains("{{") {
        return;
    }
    if let Some(merged) = injected(&pod, &patch) {
        assert!(merged.is_object());
    }
});
