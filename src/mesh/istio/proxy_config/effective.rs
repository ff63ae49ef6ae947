//! The configuration of one Pod's proxy.

use serde_json::{Map, Value as Json};

use super::ProxyConfig;
use crate::mesh::istio::config::Installation;
use crate::mesh::istio::target::Target;
use crate::mesh::istio::{annotations, pod};

/// The mesh's own configuration, then that of the root namespace, that of the Pod's, its annotation, and at last the
/// resource that selects it; of several resources the oldest. In a webhook a zero in the mesh's own or the annotation is
/// as good as nothing: istiod writes both as text before it joins them.
///
/// # Errors
/// Which of them can't be read.
pub(in crate::mesh::istio) fn effective(
    installation: &Installation,
    target: &Target<'_>,
    original: &Json,
) -> Result<ProxyConfig, String> {
    let mut config = match target.by_hand {
        true => installation.mesh.default_config.clone(),
        false => ProxyConfig::of(installation.version).told(&installation.mesh.default_config),
    };
    let root = installation.mesh.root_namespace();
    let of_namespace = |namespace: &str| {
        let mut all = target.proxy_configs.iter();
        all.find(|one| {
            in_namespace(one, namespace) && one.pointer("/spec/selector").is_none_or(Json::is_null)
        })
    };
    let overlay = |config: &mut ProxyConfig, resource: Option<&Json>| match resource {
        Some(resource) => config.overlay(&of_resource(resource)).map_err(|why| format!("ProxyConfig: {why}")),
        None => Ok(()),
    };
    overlay(&mut config, of_namespace(root))?;
    if target.namespace != root {
        overlay(&mut config, of_namespace(target.namespace))?;
    }
    if let Some(own) = pod::annotation(original, pod::CONFIG) {
        config = match target.by_hand {
            true => annotations::overlaid(&config, own)?,
            false => config.told(&annotations::overlaid(&ProxyConfig::empty(), own)?),
        };
    }
    let selecting =
        target.proxy_configs.iter().find(|one| in_namespace(one, target.namespace) && selects(one, original));
    overlay(&mut config, selecting)?;
    Ok(config)
}

fn in_namespace(resource: &Json, namespace: &str) -> bool {
    resource.pointer("/metadata/namespace").and_then(Json::as_str) == Some(namespace)
}

fn selects(resource: &Json, original: &Json) -> bool {
    let labels = resource.pointer("/spec/selector/matchLabels").and_then(Json::as_object);
    labels.is_some_and(|labels| {
        !labels.is_empty()
            && labels.iter().all(|(name, value)| pod::text(original, "labels", name) == value.as_str())
    })
}

/// What a resource sets.
fn of_resource(resource: &Json) -> Json {
    let mut set = Map::new();
    for (name, there) in
        [("concurrency", "concurrency"), ("environmentVariables", "proxyMetadata"), ("image", "image")]
    {
        if let Some(value) = resource.pointer(&format!("/spec/{name}")) {
            set.insert(there.to_owned(), value.clone());
        }
    }
    Json::Object(set)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::mesh::istio::config::Texts;

    #[test]
    fn the_nearest_configuration_wins() {
        let mesh = "rootNamespace: root\ndefaultConfig: {concurrency: 1, proxyMetadata: {A: mesh, B: mesh}}";
        let installation =
            Installation::read(Texts { config: "{}", values: "{}", mesh, ..Texts::default() }).unwrap();
        let resource =
            |namespace: &str, spec: Json| json!({ "metadata": { "namespace": namespace }, "spec": spec });
        let all = [
            resource(
                "root",
                json!({ "concurrency": 2, "environmentVariables": { "B": "root", "C": "root" } }),
            ),
            resource(
                "shop",
                json!({ "concurrency": 3, "environmentVariables": { "C": "shop", "D": "shop" } }),
            ),
            resource("shop", json!({ "concurrency": 9 })),
            resource("shop", json!({ "selector": {}, "concurrency": 8 })),
            resource(
                "shop",
                json!({ "selector": { "matchLabels": { "app": "a" } }, "environmentVariables": { "E": "app" } }),
            ),
            resource("other", json!({ "concurrency": 7 })),
        ];
        let pod = json!({ "metadata": { "labels": { "app": "a" }, "annotations": {
            pod::CONFIG: "concurrency: 4\nproxyMetadata: {D: own, E: own}" } } });
        let parameters = BTreeMap::new();
        let target = Target {
            pod: &pod,
            namespace: "shop",
            namespace_annotations: None,
            workload: None,
            path_parameters: &parameters,
            native_sidecars: true,
            proxy_configs: &all,
            by_hand: false,
        };
        let config = effective(&installation, &target, &pod).unwrap();
        assert_eq!(config.get("concurrency"), Some(&json!(4)));
        let expected = json!({ "A": "mesh", "B": "root", "C": "shop", "D": "own", "E": "app" });
        assert_eq!(config.get("proxyMetadata"), Some(&expected));
    }
}
