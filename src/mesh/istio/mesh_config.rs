//! What an injection reads of `MeshConfig` (istio.io/api, mesh/v1alpha1), over the defaults that istiod has compiled in.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::proxy_config::ProxyConfig;
use super::version::Version;
use crate::mesh::template::{Record, Value};

/// The configuration of a mesh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MeshConfig {
    members: Map<String, Json>,
    /// What every proxy is configured with.
    pub(super) default_config: ProxyConfig,
}

impl MeshConfig {
    /// Lays the mesh's own configuration over the defaults.
    ///
    /// # Errors
    /// The first member that is of another type.
    pub(super) fn read(own: &Json, version: Version) -> Result<Self, String> {
        let defaults = json!({
            "trustDomain": "cluster.local",
            "proxyListenPort": 15001,
            "proxyInboundListenPort": 15006,
            "enablePrometheusMerge": true,
            "inboundTrafficPolicy": { "mode": "PASSTHROUGH" },
            "rootNamespace": "istio-system",
        });
        let mut members = defaults.as_object().cloned().unwrap_or_default();
        let own = match own {
            Json::Null => &Map::new(),
            Json::Object(own) => own,
            _ => return Err("is not an object".to_owned()),
        };
        let mut default_config = ProxyConfig::of(version);
        for (name, value) in own.iter().filter(|(_, value)| !value.is_null()) {
            if matches!(name.as_str(), "defaultConfig" | "default_config") {
                default_config.overlay(value).map_err(|why| format!("defaultConfig.{why}"))?;
            } else {
                members.insert(camel(name), value.clone());
            }
        }
        let is_of_type = [
            ("trustDomain", members.get("trustDomain").is_none_or(Json::is_string), "a string"),
            ("proxyListenPort", members.get("proxyListenPort").is_none_or(Json::is_i64), "an integer"),
            (
                "proxyInboundListenPort",
                members.get("proxyInboundListenPort").is_none_or(Json::is_i64),
                "an integer",
            ),
            (
                "enablePrometheusMerge",
                members.get("enablePrometheusMerge").is_none_or(Json::is_boolean),
                "a boolean",
            ),
        ];
        match is_of_type.iter().find(|(_, fits, _)| !fits) {
            Some((name, _, what)) => Err(format!("{name} is not {what}")),
            None => Ok(Self { members, default_config }),
        }
    }

    /// Whether the metrics of applications are merged into those of their proxies.
    pub(super) fn merges_metrics(&self) -> bool {
        self.members.get("enablePrometheusMerge").and_then(Json::as_bool).unwrap_or(true)
    }

    /// The namespace whose configuration holds everywhere.
    pub(super) fn root_namespace(&self) -> &str {
        self.members.get("rootNamespace").and_then(Json::as_str).unwrap_or("istio-system")
    }

    /// How templates call where inbound traffic may go.
    pub(super) fn inbound_mode(&self) -> &'static str {
        let mode = self.members.get("inboundTrafficPolicy").and_then(|policy| policy.get("mode"));
        if mode == Some(&json!("LOCALHOST")) { "localhost" } else { "passthrough" }
    }

    /// Whether a provider of tracing asks for the resource attributes of OpenTelemetry's conventions.
    pub(super) fn enriches_attributes(&self) -> bool {
        let providers = self.members.get("extensionProviders").and_then(Json::as_array).into_iter().flatten();
        let wanted = json!("OTEL_SEMANTIC_CONVENTIONS");
        let mut enrichments =
            providers.filter_map(|provider| provider.get("opentelemetry")?.get("serviceAttributeEnrichment"));
        enrichments.any(|enrichment| *enrichment == wanted)
    }

    /// As templates see it.
    pub(super) fn value(&self) -> Value {
        let mut fields = BTreeMap::new();
        let mut insert = |name: String, value: Value| {
            fields.insert(Arc::from(format!("Get{name}")), value.clone());
            fields.insert(Arc::from(name), value);
        };
        for (name, value) in &self.members {
            let value = match (name.as_str(), value) {
                (_, Json::Number(number)) => Value::Int(number.as_i64().unwrap_or_default()),
                ("enablePrometheusMerge", Json::Bool(bool)) => {
                    Value::record([("Value", Value::Bool(*bool)), ("GetValue", Value::Bool(*bool))])
                }
                _ => Value::from_json(value),
            };
            insert(go_name(name), value);
        }
        insert("DefaultConfig".to_owned(), self.default_config.value());
        let marker = (Arc::from(super::functions::ENRICHES), Value::Bool(self.enriches_attributes()));
        fields.extend([marker]);
        Value::Record(Arc::new(Record { fields, ..Record::default() }))
    }
}

fn camel(name: &str) -> String {
    let mut camel = String::new();
    let mut is_next = false;
    for character in name.chars() {
        match character {
            '_' => is_next = true,
            _ if is_next => {
                camel.push(character.to_ascii_uppercase());
                is_next = false;
            }
            _ => camel.push(character),
        }
    }
    camel
}

fn go_name(name: &str) -> String {
    let mut characters = name.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}
