//! The parts of a Pod that the guard looks at, each with its path.

use std::collections::BTreeSet;

use serde_json::Value;

use super::fields::{self, Powers};
use super::{Guarded, shown};
use crate::kubernetes::containers::LISTS;
use crate::kubernetes::pod_template::PodTemplates;

/// Annotations that chose a profile before there was a field; kubelets until 1.33 read them.
const APP_ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";

pub(super) struct Pod<'a> {
    pub(super) spec: &'a Value,
    pub(super) path: String,
    pub(super) containers: Vec<(&'a Value, String)>,
    pub(super) volumes: Vec<(&'a Value, String)>,
    /// Of the volumes those that give something, by name.
    guarded: BTreeSet<&'a str>,
    metadata: &'a Value,
    metadata_path: String,
}

impl<'a> Pod<'a> {
    /// The Pod that an object is or makes.
    pub(super) fn find(
        templates: &PodTemplates,
        group: &str,
        kind: &str,
        object: &'a Value,
    ) -> Result<Option<Self>, String> {
        let Some(found) = templates.find(group, kind, object)? else { return Ok(None) };
        found.spec()?;
        found.metadata()?;
        let path = found.spec_path();
        let spec = found.pod.get("spec").unwrap_or(&Value::Null);
        let mut containers = Vec::new();
        for list in LISTS {
            containers.extend(items(spec, list, &path)?);
        }
        let metadata_path = format!("{}metadata", path.strip_suffix("spec").unwrap_or_default());
        let volumes = items(spec, "volumes", &path)?;
        let gives = |(volume, _): &&(&Value, String)| !fields::volume(Some(volume)).is_empty();
        let name = |(volume, _): &(&'a Value, String)| volume.get("name").and_then(Value::as_str);
        Ok(Some(Self {
            spec,
            containers,
            guarded: volumes.iter().filter(gives).filter_map(name).collect(),
            volumes,
            metadata: found.pod.get("metadata").unwrap_or(&Value::Null),
            metadata_path,
            path,
        }))
    }

    /// What a container that stands at `path` mounts of the guarded volumes: who mounts one has what it gives.
    pub(super) fn mounts(&self, container: &Value, path: &str) -> Guarded {
        let mut powers = Powers::new();
        for mount in container.get("volumeMounts").and_then(Value::as_array).into_iter().flatten() {
            let text = |member: &str| mount.get(member).and_then(Value::as_str).unwrap_or_default();
            if !self.guarded.contains(text("name")) {
                continue;
            }
            let what = [text("name"), text("subPath"), text("subPathExpr")].join("/");
            let what = what.trim_end_matches('/');
            let is_written = mount.get("readOnly") != Some(&Value::Bool(true));
            powers.extend(is_written.then(|| format!("writes {what}")));
            let spreads = Some(text("mountPropagation")).filter(|word| *word == "Bidirectional");
            powers.extend(spreads.map(|word| format!("{word} {what}")));
            powers.insert(format!("mounts {what}"));
        }
        let shown = match powers.is_empty() {
            true => shown(None),
            false => powers.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
        };
        Guarded { path: format!("{path}.volumeMounts"), shown, powers }
    }

    pub(super) fn app_armor_annotations(&self) -> Guarded {
        let annotations = self.metadata.get("annotations").and_then(Value::as_object);
        let chosen = annotations.into_iter().flatten().filter(|(key, value)| {
            key.starts_with(APP_ARMOR) && !matches!(value.as_str(), Some("" | "runtime/default"))
        });
        let powers: Powers = chosen.map(|(key, value)| format!("{key}: {value}")).collect();
        let path = format!("{}.annotations", self.metadata_path);
        let shown = shown(Some(&powers.iter().cloned().collect()).filter(|_| !powers.is_empty()));
        Guarded { path, shown, powers }
    }
}

/// A list of a Pod's spec; empty where it is none.
pub(super) fn list<'a>(pod: &'a Value, list: &str) -> &'a [Value] {
    let items = pod.pointer(&format!("/spec/{list}")).and_then(Value::as_array);
    items.map(Vec::as_slice).unwrap_or_default()
}

/// The elements of a list with their paths.
fn items<'a>(spec: &'a Value, list: &str, path: &str) -> Result<Vec<(&'a Value, String)>, String> {
    let items = match spec.get(list) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(items)) => items,
        Some(_) => return Err(format!("{path}.{list} is not an array")),
    };
    let one = |(index, item): (usize, &'a Value)| {
        let path = format!("{path}.{list}[{index}]");
        if item.is_object() { Ok((item, path)) } else { Err(format!("{path} is not an object")) }
    };
    items.iter().enumerate().map(one).collect()
}
