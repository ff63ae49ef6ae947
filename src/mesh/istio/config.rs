//! The configuration of an installation of Istio: one revision's `istio-sidecar-injector` and `istio` ConfigMaps, read once
//! for each version of them.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::functions::Pack;
use super::mesh_config::MeshConfig;
use super::version::{self, Version};
use crate::kubernetes::label_selector::LabelSelector;
use crate::mesh::template::{Template, Value};
use crate::yaml;

/// One revision of Istio.
#[derive(Debug)]
pub struct Installation {
    /// Its name; `default` or empty where there is only one.
    pub(super) revision: String,
    pub(super) policy: String,
    default_templates: Vec<String>,
    pub(super) never: Vec<LabelSelector>,
    pub(super) always: Vec<LabelSelector>,
    pub(super) injected_annotations: BTreeMap<String, String>,
    aliases: BTreeMap<String, Vec<String>>,
    templates: BTreeMap<String, Result<Template, String>>,
    pub(super) values: Json,
    pub(super) values_seen: Value,
    pub(super) mesh: MeshConfig,
    pub(super) mesh_seen: Value,
    pub(super) pack: Pack,
    /// Which it is, as far as it tells.
    pub(super) version: Version,
}

/// The texts of an installation.
#[derive(Clone, Debug, Default)]
pub struct Texts<'a> {
    /// Of the revision; the suffix of its ConfigMaps.
    pub revision: &'a str,
    /// Key `config` of the ConfigMap `istio-sidecar-injector`.
    pub config: &'a str,
    /// Key `values` of the same.
    pub values: &'a str,
    /// Key `mesh` of the ConfigMap `istio`; empty where there is none.
    pub mesh: &'a str,
    /// The version that the ConfigMap's label `app.kubernetes.io/version` tells, where it has one.
    pub version: Option<&'a str>,
    /// The environment of istiod, as far as it is known.
    pub environment: BTreeMap<String, String>,
}

impl Installation {
    /// Reads the texts of an installation, and parses its templates. A template that can't be parsed is an error where a
    /// Pod asks for it.
    ///
    /// # Errors
    /// Which text can't be read, and why.
    pub fn read(texts: Texts<'_>) -> Result<Self, String> {
        let config = yaml::read_last_wins(texts.config).map_err(|fault| format!("config: {fault}"))?;
        let values: Json = yaml::read_last_wins(texts.values).map_err(|fault| format!("values: {fault}"))?;
        if !values.is_object() {
            return Err("values: no object; the key `values` holds the values of the chart".to_owned());
        }
        let mesh = yaml::read_last_wins(texts.mesh).map_err(|fault| format!("mesh: {fault}"))?;
        let config =
            config.as_object().ok_or("config: no object; the key `config` holds the injector's own")?;
        let written = member(config, "templates").and_then(Json::as_object).into_iter().flatten();
        let written: Vec<(&String, &str)> =
            written.filter_map(|(name, text)| Some((name, text.as_str()?))).collect();
        let others = [version::tag(&values), texts.version];
        let version = Version::told(written.iter().map(|(_, text)| *text), &others);
        let mesh = MeshConfig::read(&mesh, version).map_err(|why| format!("mesh: {why}"))?;
        let pack = Pack { environment: texts.environment, version };
        let templates =
            written.iter().map(|(name, text)| ((*name).clone(), Template::parse(name, text, &pack)));
        let templates = templates.collect();
        let policy = member(config, "policy").and_then(Json::as_str).unwrap_or_default().to_owned();
        let mut default_templates = names(member(config, "defaultTemplates"));
        if default_templates.is_empty() {
            default_templates.push("sidecar".to_owned());
        }
        let aliases = member(config, "aliases").and_then(Json::as_object).into_iter().flatten();
        let annotations =
            member(config, "injectedAnnotations").and_then(Json::as_object).into_iter().flatten();
        let annotations =
            annotations.filter_map(|(name, text)| Some((name.clone(), text.as_str()?.to_owned())));
        Ok(Self {
            revision: texts.revision.to_owned(),
            policy,
            default_templates,
            never: selectors(member(config, "neverInjectSelector")),
            always: selectors(member(config, "alwaysInjectSelector")),
            injected_annotations: annotations.collect(),
            aliases: aliases.map(|(name, list)| (name.clone(), names(Some(list)))).collect(),
            templates,
            values_seen: Value::from_json(&values),
            values,
            mesh_seen: mesh.value(),
            mesh,
            pack,
            version,
        })
    }

    /// The revision's name.
    pub fn revision(&self) -> &str {
        if self.revision.is_empty() { "default" } else { &self.revision }
    }

    /// A variable of istiod's environment, where it is known.
    pub(super) fn environment(&self, name: &str) -> Option<&str> {
        self.pack.environment.get(name).map(String::as_str)
    }

    /// The templates that a Pod gets: those that its annotation names, else the default ones, aliases replaced once.
    ///
    /// # Errors
    /// A name that no template has, or a template that can't be parsed.
    pub(super) fn templates(&self, asked: Option<&str>) -> Result<Vec<&Template>, String> {
        let asked: Vec<String> = match asked {
            Some(list) => list.split(',').map(|name| name.trim().to_owned()).collect(),
            None => self.default_templates.clone(),
        };
        let replaced =
            asked.into_iter().flat_map(|name| self.aliases.get(&name).cloned().unwrap_or_else(|| vec![name]));
        let find = |name: String| match self.templates.get(&name) {
            Some(Ok(template)) => Ok(template),
            Some(Err(why)) => Err(why.clone()),
            None => {
                let known: Vec<&str> = self.templates.keys().map(String::as_str).collect();
                Err(format!("requested template {name:?} not found; have {}", known.join(",")))
            }
        };
        replaced.map(find).collect()
    }

    /// A member of the values, by its path.
    pub(super) fn value(&self, path: &str) -> Option<&Json> {
        path.split('.').try_fold(&self.values, |value, name| value.get(name)).filter(|value| !value.is_null())
    }

    /// The same, where it is a text that is not empty.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.value(path).and_then(Json::as_str).filter(|text| !text.is_empty())
    }

    /// The same, where it is a boolean.
    pub(super) fn flag(&self, path: &str) -> bool {
        self.value(path).and_then(Json::as_bool).unwrap_or_default()
    }
}

fn member<'a>(members: &'a Map<String, Json>, name: &str) -> Option<&'a Json> {
    members.get(name).filter(|value| !value.is_null())
}

fn names(list: Option<&Json>) -> Vec<String> {
    let items = list.and_then(Json::as_array).into_iter().flatten();
    items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

/// Selectors that can match: an empty one, and one that can't be read, never do.
fn selectors(list: Option<&Json>) -> Vec<LabelSelector> {
    let items = list.and_then(Json::as_array).into_iter().flatten();
    items.filter_map(|item| LabelSelector::from_value(item).ok()).filter(|one| !one.is_empty()).collect()
}
