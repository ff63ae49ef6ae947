//! A template, values and a Pod, parted by zero bytes: the template engine with Istio's functions, and all that is done with
//! what comes out. Nothing panics, and what is injected can be written and read again.

#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use meshgate::admission::strict_json;
use meshgate::mesh::istio::{Installation, Target, Texts, inject};
use serde_json::{Value, json};

fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.splitn(3, |byte| *byte == 0);
    let (Some(template), Some(values), Some(pod)) = (parts.next(), parts.next(), parts.next()) else {
        return;
    };
    let (Ok(template), Ok(values)) = (std::str::from_utf8(template), std::str::from_utf8(values)) else {
        return;
    };
    let pod = strict_json(pod).ok().filter(Value::is_object);
    let pod = pod.unwrap_or_else(
        || json!({ "metadata": { "name": "web" }, "spec": { "containers": [{ "name": "web" }] } }),
    );
    let config = json!({ "policy": "enabled", "templates": { "sidecar": template } }).to_string();
    let texts = Texts { config: &config, values, ..Texts::default() };
    let Ok(installation) = Installation::read(texts) else { return };
    let parameters = BTreeMap::new();
    let target = Target {
        pod: &pod,
        namespace: "shop",
        namespace_annotations: None,
        workload: None,
        path_parameters: &parameters,
        native_sidecars: true,
        proxy_configs: &[],
        by_hand: false,
    };
    if let Ok(injected) = inject(&installation, &target) {
        let text = injected.pod.to_string();
        assert_eq!(serde_json::from_str::<Value>(&text).expect("it is JSON"), injected.pod);
    }
});
