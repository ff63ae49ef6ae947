//! Istio's configuration among the objects of a cluster.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Istio, Namespace, Revision};
use crate::mesh::istio::config::{Installation, Texts};
use crate::mesh::istio::pod;
use crate::mesh::istio::propose::Webhook;
use crate::policy::{Mesh, MeshMode, MeshRevision, MeshSettings};

/// How the ConfigMaps begin that hold an injector's configuration, and a mesh's.
const INJECTOR: &str = "istio-sidecar-injector";
const MESH: &str = "istio";

/// ConfigMaps by name and namespace.
type Maps<'a> = BTreeMap<(&'a str, &'a str), &'a Value>;

impl Istio {
    /// Reads what objects say: ConfigMaps of injectors and meshes, their webhook configurations, the Deployment of istiod,
    /// ProxyConfigs, Nodes and Namespaces; the rest says nothing. Of an object that is there twice the last counts, but an
    /// injector is configured in one namespace only. `settings`: which revisions there are, and what is done about each;
    /// None: those that have ConfigMaps.
    ///
    /// # Errors
    /// Which object can't be read, and why; two injectors of one name.
    pub fn of_objects(objects: &[Value], settings: Option<&MeshSettings>) -> Result<Self, String> {
        let entries =
            settings.map(|settings| settings.meshes.iter().filter(|entry| entry.mesh == Mesh::Istio));
        let told: Option<Vec<&MeshRevision>> =
            entries.map(|entries| entries.flat_map(|entry| &entry.revisions).collect());
        let mut istio = Self::default();
        let mut maps: Maps<'_> = BTreeMap::new();
        for object in objects {
            let name = metadata(object, "name");
            match (text(object, "kind"), text(object, "apiVersion")) {
                ("ConfigMap", "v1") => drop(maps.insert((name, metadata(object, "namespace")), object)),
                ("Namespace", "v1") => {
                    let metadata = object.get("metadata");
                    let namespace = Namespace::read(|member| metadata?.get(member));
                    istio.namespaces.insert(name.to_owned(), namespace);
                }
                ("Node", "v1") => {
                    let version = object.pointer("/status/nodeInfo/kubeletVersion").and_then(Value::as_str);
                    istio.kubelets.insert(name.to_owned(), version.unwrap_or_default().to_owned());
                }
                ("ProxyConfig", version) if version.starts_with("networking.istio.io/") => {
                    istio.proxy_configs.push(object.clone());
                }
                _ => {}
            }
        }
        let age =
            |one: &Value| (metadata(one, "creationTimestamp").to_owned(), metadata(one, "name").to_owned());
        istio.proxy_configs.sort_by_key(age);
        let webhooks = webhooks(objects)?;
        let mut injectors: BTreeMap<&str, &str> = BTreeMap::new();
        for ((name, namespace), injector) in &maps {
            let Some(revision) = suffix(name, INJECTOR) else { continue };
            let called = if revision.is_empty() { "default" } else { revision };
            let told = told.as_ref().map(|told| told.iter().find(|one| one.revision == called));
            let is_elsewhere = |told: &&MeshRevision| !namespace.is_empty() && told.namespace != *namespace;
            // Where settings name revisions and their namespaces, the others are not there.
            if matches!(told, Some(None)) || told.flatten().is_some_and(is_elsewhere) {
                continue;
            }
            if let Some(other) = injectors.insert(name, namespace) {
                return Err(format!(
                    "two ConfigMaps {name}, in the namespaces `{other}` and `{namespace}`: which is the mesh's? Leave one out"
                ));
            }
            istio.revisions.push(read(injector, revision, &maps, objects, told.flatten(), &webhooks)?);
        }
        Ok(istio)
    }

    /// Whether an object of a cluster says something of how Istio is configured.
    pub fn is_configured_by(object: &Value) -> bool {
        match text(object, "kind") {
            "ConfigMap" => {
                let name = metadata(object, "name");
                suffix(name, INJECTOR).is_some() || suffix(name, MESH).is_some()
            }
            "Deployment" => pod::text(object, "labels", "app") == Some("istiod"),
            "MutatingWebhookConfiguration" => pod::text(object, "labels", "app") == Some("sidecar-injector"),
            "Node" | "ProxyConfig" => true,
            _ => false,
        }
    }

    /// The same of a cluster, where each request tells of its namespace: only webhooks choose a revision, and where one of
    /// the mesh's own is called beside those that `settings` name, the mesh injects. `objects` are those of the cluster.
    ///
    /// # Errors
    /// As for [`of_objects`](Self::of_objects), and which of the revisions in `settings` has no ConfigMap.
    pub fn of_cluster(objects: &[Value], settings: &MeshSettings) -> Result<Self, String> {
        let mut istio = Self::of_objects(objects, Some(settings))?;
        for told in settings.in_use() {
            let name = told.revision.as_str();
            if !istio.revisions.iter().any(|one| one.installation.revision() == name) {
                let suffix = if name == "default" { String::new() } else { format!("-{name}") };
                return Err(format!(
                    "MeshSettings: the revision `{name}` has no ConfigMap {INJECTOR}{suffix} in the namespace `{}`; install it, or take the revision out",
                    told.namespace
                ));
            }
        }
        istio.live = Some(webhooks(objects)?);
        Ok(istio)
    }

    /// The same of that revision alone, whatever webhooks say.
    ///
    /// # Errors
    /// That there is none of that name.
    pub fn only(mut self, revision: &str) -> Result<Self, String> {
        let known: Vec<String> =
            self.revisions.iter().map(|one| one.installation.revision().to_owned()).collect();
        self.revisions.retain(|one| one.installation.revision() == revision);
        self.revisions.iter_mut().for_each(|one| one.webhooks.clear());
        if self.revisions.is_empty() {
            return Err(format!("there is no revision `{revision}`; there are: {}", known.join(", ")));
        }
        Ok(self)
    }
}

fn read(
    injector: &Value,
    revision: &str,
    maps: &Maps<'_>,
    objects: &[Value],
    told: Option<&&MeshRevision>,
    webhooks: &[Webhook],
) -> Result<Revision, String> {
    let name = metadata(injector, "name");
    let key = |map: &'_ Value, key: &str| {
        map.pointer(&format!("/data/{key}")).and_then(Value::as_str).map(str::to_owned)
    };
    let needed = |member: &str| {
        key(injector, member)
            .ok_or_else(|| format!("ConfigMap {name} has no key `{member}`; export it whole"))
    };
    let (config, values) = (needed("config")?, needed("values")?);
    let mesh_name = if revision.is_empty() { MESH.to_owned() } else { format!("{MESH}-{revision}") };
    let place = (mesh_name.as_str(), metadata(injector, "namespace"));
    let mesh = maps.get(&place).and_then(|map| key(map, "mesh")).unwrap_or_default();
    let environment = environment(objects, revision);
    let version = pod::text(injector, "labels", "app.kubernetes.io/version");
    let texts = Texts { revision, config: &config, values: &values, mesh: &mesh, version, environment };
    let installation = Installation::read(texts).map_err(|why| format!("ConfigMap {name}: {why}"))?;
    let called = installation.revision().to_owned();
    let own = told.map(|told| told.webhooks.as_slice()).unwrap_or_default();
    let adopted: Result<Vec<Webhook>, String> = own
        .iter()
        .map(|one| {
            let written = serde_json::json!({
                "name": one.name,
                "namespaceSelector": one.namespace_selector,
                "objectSelector": one.object_selector,
            });
            Webhook::read(&written, &called)
        })
        .collect();
    let adopted = adopted?;
    let live = webhooks.iter().filter(|webhook| webhook.revision == called).cloned();
    let webhooks = if adopted.is_empty() { live.collect() } else { adopted };
    let mode = told.map_or(MeshMode::Render, |told| told.mode);
    Ok(Revision { installation, webhooks, mode })
}

/// The webhooks of all of Istio's configurations, in the order in which the API server calls them.
fn webhooks(objects: &[Value]) -> Result<Vec<Webhook>, String> {
    let mut configurations: Vec<&Value> =
        objects.iter().filter(|object| text(object, "kind") == "MutatingWebhookConfiguration").collect();
    configurations.sort_by_key(|one| metadata(one, "name"));
    let mut webhooks = Vec::new();
    for configuration in configurations {
        let name = metadata(configuration, "name");
        let own = Webhook::of_configuration(configuration);
        webhooks.extend(own.map_err(|why| format!("MutatingWebhookConfiguration {name}: {why}"))?);
    }
    Ok(webhooks)
}

/// The environment of a revision's istiod, where its Deployment is known.
fn environment(objects: &[Value], revision: &str) -> BTreeMap<String, String> {
    let is_istiod = |object: &&Value| {
        let own = pod::text(object, "labels", "istio.io/rev").unwrap_or("default");
        let wanted = if revision.is_empty() { "default" } else { revision };
        text(object, "kind") == "Deployment"
            && pod::text(object, "labels", "app") == Some("istiod")
            && own == wanted
    };
    let istiod = objects.iter().find(is_istiod);
    let containers = istiod.and_then(|one| one.pointer("/spec/template/spec/containers")?.as_array());
    let env = containers.into_iter().flatten().filter_map(|one| one.get("env")?.as_array()).flatten();
    env.filter_map(|one| Some((pod::name(one).to_owned(), one.get("value")?.as_str()?.to_owned()))).collect()
}

/// The revision in the name of a ConfigMap: `istio-sidecar-injector` or `istio-sidecar-injector-REV`.
fn suffix<'a>(name: &'a str, prefix: &str) -> Option<&'a str> {
    match name.strip_prefix(prefix)? {
        "" => Some(""),
        rest => rest.strip_prefix('-').filter(|revision| !revision.is_empty()),
    }
}

fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn metadata<'a>(object: &'a Value, name: &str) -> &'a str {
    object.get("metadata").and_then(|metadata| metadata.get(name)?.as_str()).unwrap_or_default()
}
