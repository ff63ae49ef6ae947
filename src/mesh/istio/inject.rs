//! The injection of a sidecar into a Pod, step by step as istiod makes it (pkg/kube/inject, webhook.go and inject.go).

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::config::Installation;
use super::merge::merge;
use super::pod::{self, PROXY};
use super::prometheus::{self, Behaviour};
use super::proxy_config::ProxyConfig;
use super::target::Target;
use super::{annotations, data, openshift, order, overrides, probes, proxy_config, schema, status};
use crate::mesh::template::{Template, Value};
use crate::yaml;

/// A Pod with its sidecar.
#[derive(Clone, Debug, PartialEq)]
pub struct Injected {
    /// The Pod.
    pub pod: Json,
    /// What the templates put into it: the list (`containers` or `initContainers`) and the name of each container.
    pub containers: Vec<(String, String)>,
}

/// Injects the sidecar, or what else the Pod's templates are, into a Pod.
///
/// # Errors
/// Why Istio, or the check of what reaches a template, refuses it.
pub fn inject(installation: &Installation, target: &Target<'_>) -> Result<Injected, String> {
    let mut original = target.pod.clone();
    annotations::check(&original, installation.version)?;
    annotations::check_texts(&original)?;
    if let Some(metadata) = original.get_mut("metadata").and_then(Json::as_object_mut) {
        metadata.remove("managedFields");
    }
    let is_openshift = match installation.pack.environment.get("PLATFORM") {
        Some(platform) => platform == "openshift",
        None => target.is_openshift() || installation.text("global.platform") == Some("openshift"),
    };
    if is_openshift && installation.version.since(23) {
        openshift::forget_user(&mut original, installation.version);
    }
    let config = proxy_config::effective(installation, target, &original)?;
    let mesh_config = if target.by_hand { &config } else { &installation.mesh.default_config };
    let default_port = mesh_config.status_port();
    let stripped = status::stripped(&original, &default_port.to_string())?;
    let data = template_data(installation, target, &original, &stripped, &config, is_openshift);
    let mut merged = original.clone();
    let mut template_pod = json!({});
    let asked = pod::annotation(&original, "inject.istio.io/templates");
    for template in installation.templates(asked)? {
        let rendered = rendered(installation, template, &data)?;
        merge(&mut template_pod, &rendered)?;
        schema::check(&template_pod)?;
        move_native(&mut merged, &template_pod, target.native_sidecars);
        merge(&mut merged, &rendered)?;
    }
    overrides::apply(&mut merged, &template_pod, &original)?;
    let mode = config.get("interceptionMode").and_then(Json::as_str);
    overrides::follow_user(&mut merged, &original, mode);
    finish(installation, target, &mut merged, &template_pod, default_port)?;
    let containers = ["initContainers", "containers"].into_iter().flat_map(|list| {
        pod::containers(&template_pod, list)
            .iter()
            .map(move |one| (list.to_owned(), pod::name(one).to_owned()))
    });
    Ok(Injected { containers: containers.collect(), pod: merged })
}

/// What a template gives, as a document.
fn rendered(installation: &Installation, template: &Template, data: &Value) -> Result<Json, String> {
    let text = template.render(data, &installation.pack)?;
    let mut document = yaml::read_last_wins(&text).map_err(|fault| {
        format!(
            "template {}: what it gives is no YAML: line {}: {fault}",
            template.name(),
            fault.position.line
        )
    })?;
    if document.is_null() {
        document = json!({});
    }
    if !document.is_object() {
        return Err(format!("template {}: what it gives is no object", template.name()));
    }
    schema::prune(&mut document);
    Ok(document)
}

/// Whether a sidecar is an init container: the Pod's annotation, else what the nodes can do.
fn is_native(merged: &Json, nodes: bool) -> bool {
    match pod::annotation(merged, "sidecar.istio.io/nativeSidecar") {
        Some("true") => true,
        Some("false") => false,
        _ => nodes,
    }
}

/// A user's own sidecar among the containers goes where the template has it.
fn move_native(merged: &mut Json, template_pod: &Json, nodes: bool) {
    let is_there = pod::find(template_pod, "initContainers", PROXY).is_some();
    if !is_there || !is_native(merged, nodes) || pod::find(merged, "containers", PROXY).is_none() {
        return;
    }
    let moved = pod::containers_mut(merged, "containers").and_then(|containers| {
        let at = containers.iter().position(|container| pod::name(container) == PROXY)?;
        Some(containers.remove(at))
    });
    if let Some(list) = pod::containers_mut(merged, "initContainers") {
        list.extend(moved);
    }
}

fn finish(
    installation: &Installation,
    target: &Target<'_>,
    merged: &mut Json,
    template_pod: &Json,
    default_port: u64,
) -> Result<(), String> {
    let environment = proxy_environment(installation, target);
    set_environment(merged, &environment);
    let behaviour = Behaviour { has_targets: installation.version.since(31) };
    prometheus::merge(merged, installation.mesh.merges_metrics(), default_port, behaviour)?;
    if installation.version.since(31) {
        prometheus::secure_port(merged);
    }
    let own = pod::annotation(merged, "sidecar.istio.io/rewriteAppHTTPProbers").and_then(pod::parse_bool);
    if own.unwrap_or_else(|| installation.flag("sidecarInjectorWebhook.rewriteAppHTTPProbe")) {
        probes::rewrite(merged, default_port, installation.version);
    }
    if let (Some(network), Some(labels)) =
        (environment.get("ISTIO_META_NETWORK"), pod::texts_mut(merged, "labels"))
    {
        labels.insert("topology.istio.io/network".to_owned(), json!(network));
    }
    pod::annotate(merged, pod::STATUS, status::text(template_pod, &installation.revision));
    for (name, text) in &installation.injected_annotations {
        pod::annotate(merged, name, text.clone());
    }
    let mut held = installation.mesh.default_config.clone();
    if let Some(own) = pod::annotation(target.pod, pod::CONFIG) {
        held = annotations::overlaid(&held, own)?;
    }
    let hold = held.flag("holdApplicationUntilProxyStarts")
        || installation.flag("global.proxy.holdApplicationUntilProxyStarts");
    order::arrange(merged, hold);
    Ok(())
}

/// What the proxy is told of its cluster and network.
fn proxy_environment(installation: &Installation, target: &Target<'_>) -> BTreeMap<String, String> {
    // What a path says without a value is said, too.
    let mut found = target.path_parameters.clone();
    for (name, path) in [
        ("ISTIO_META_CLUSTER_ID", "global.multiCluster.clusterName"),
        ("ISTIO_META_NETWORK", "global.network"),
    ] {
        // The label of a Pod is the last word, be it empty.
        let label = pod::text(target.pod, "labels", "topology.istio.io/network");
        let label = label.filter(|_| name == "ISTIO_META_NETWORK");
        let told = found.get(name).map(String::as_str).filter(|told| !told.is_empty());
        let text = label.or(told).or(installation.text(path)).unwrap_or_default().to_owned();
        if !text.is_empty() {
            found.insert(name.to_owned(), text);
        }
    }
    found
}

fn set_environment(merged: &mut Json, environment: &BTreeMap<String, String>) {
    let Some(proxy) = pod::proxy_mut(merged).filter(|_| !environment.is_empty()) else { return };
    if let Some(Json::Array(env)) = proxy.get_mut("env") {
        env.retain(|one| !environment.contains_key(pod::name(one)));
    }
    for (name, text) in environment {
        pod::add_env(proxy, name, text);
    }
}

fn template_data(
    installation: &Installation,
    target: &Target<'_>,
    original: &Json,
    stripped: &Json,
    config: &ProxyConfig,
    is_openshift: bool,
) -> Value {
    let owner = target.owner(installation.version);
    let (user, group) = target.proxy_ids(is_openshift);
    let image_type = config.get("image").and_then(Json::as_object);
    let compliance = installation.pack.environment.get("COMPLIANCE_POLICY");
    let type_meta = [("APIVersion", Value::text(&owner.api_version)), ("Kind", Value::text(&owner.kind))];
    Value::record([
        ("TypeMeta", Value::record(type_meta)),
        ("DeploymentMeta", data::named(&owner.name, target.namespace)),
        ("ObjectMeta", data::metadata(stripped)),
        ("Spec", data::spec(stripped)),
        ("ProxyConfig", config.value()),
        ("MeshConfig", installation.mesh_seen.clone()),
        ("Values", installation.values_seen.clone()),
        ("Revision", Value::text(&installation.revision)),
        ("NativeSidecars", Value::Bool(target.native_sidecars)),
        ("ProxyImage", Value::text(proxy_image(installation, image_type, original))),
        ("ProxyInitImage", Value::text(init_image(installation, original))),
        ("ProxyUID", Value::Int(user)),
        ("ProxyGID", Value::Int(group)),
        ("InboundTrafficPolicyMode", Value::text(installation.mesh.inbound_mode())),
        ("CompliancePolicy", Value::text(compliance.map(String::as_str).unwrap_or_default())),
    ])
}

fn proxy_image(installation: &Installation, image: Option<&Map<String, Json>>, original: &Json) -> String {
    let of_config = image.map(|image| image.get("imageType").and_then(Json::as_str).unwrap_or_default());
    let of_config = of_config.filter(|kind| !installation.version.since(31) || !kind.is_empty());
    let kind = of_config.or(variant(installation));
    image_of(installation, installation.text("global.proxy.image"), kind, original)
}

fn init_image(installation: &Installation, original: &Json) -> String {
    let name = installation.text("global.proxy_init.image");
    image_of(installation, name, variant(installation), original)
}

/// The kind of image of the whole mesh, which istiod reads since 1.22.
fn variant(installation: &Installation) -> Option<&str> {
    installation.text("global.variant").filter(|_| installation.version.since(22))
}

fn image_of(installation: &Installation, name: Option<&str>, kind: Option<&str>, original: &Json) -> String {
    let kind = pod::annotation(original, "sidecar.istio.io/proxyImageType").or(kind).unwrap_or_default();
    let hub = installation.text("global.hub").unwrap_or_default();
    let tag = match installation.value("global.tag") {
        Some(Json::String(tag)) => tag.clone(),
        Some(tag) => tag.to_string(),
        None => String::new(),
    };
    let name = name.unwrap_or("proxyv2");
    let plain =
        ["-distroless", "-debug"].into_iter().find_map(|suffix| tag.strip_suffix(suffix)).unwrap_or(&tag);
    match kind {
        "" => format!("{hub}/{name}:{tag}"),
        "default" => format!("{hub}/{name}:{plain}"),
        kind => format!("{hub}/{name}:{plain}-{kind}"),
    }
}
