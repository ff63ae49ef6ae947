//! The configuration of a proxy (`ProxyConfig` of istio.io/api, mesh/v1alpha1): its defaults, how one is laid over
//! another, and what of it a Pod is told.

mod effective;
mod fields;
mod valid;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::json;
use super::version::Version;
use crate::mesh::template::{Record, Value};
pub(super) use effective::effective;
use fields::{FIELDS, Field, Kind};

/// A configuration: only members that are known, each of its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ProxyConfig {
    members: Map<String, Json>,
    /// Whose defaults need not be told to a Pod.
    version: Version,
}

impl ProxyConfig {
    /// The defaults of a version: until 1.21 traces go to Zipkin.
    pub(super) fn of(version: Version) -> Self {
        let mut defaults = json!({
            "binaryPath": "/usr/local/bin/envoy",
            "configPath": "./etc/istio/proxy",
            "controlPlaneAuthPolicy": "MUTUAL_TLS",
            "discoveryAddress": "istiod.istio-system.svc:15012",
            "drainDuration": "45s",
            "proxyAdminPort": 15000,
            "serviceCluster": "istio-proxy",
            "statNameLength": 189,
            "statusPort": 15020,
            "terminationDrainDuration": "5s",
        });
        if let (false, Some(members)) = (version.since(22), defaults.as_object_mut()) {
            members
                .insert("tracing".to_owned(), json!({ "zipkin": { "address": "zipkin.istio-system:9411" } }));
        }
        Self { members: defaults.as_object().cloned().unwrap_or_default(), version }
    }

    /// Lays another configuration over this one: what it sets replaces, but for the members of `proxyMetadata` and
    /// `proxyHeaders`, which are joined. Members that are not known are left out, as Istio does.
    ///
    /// # Errors
    /// The first member that is of another type.
    pub(super) fn overlay(&mut self, other: &Json) -> Result<(), String> {
        self.join(read(FIELDS, other, "")?);
        Ok(())
    }

    fn join(&mut self, other: Map<String, Json>) {
        for (name, other_name) in
            [("serviceCluster", "tracingServiceName"), ("tracingServiceName", "serviceCluster")]
        {
            if other.contains_key(name) {
                self.members.remove(other_name);
            }
        }
        for (name, value) in other {
            match (name.as_str(), self.members.get_mut(&name), value) {
                ("proxyMetadata" | "proxyHeaders", Some(Json::Object(ours)), Json::Object(theirs)) => {
                    ours.extend(theirs);
                }
                (_, _, value) => drop(self.members.insert(name, value)),
            }
        }
    }

    /// Nothing at all.
    pub(super) fn empty() -> Self {
        Self { members: Map::new(), version: Version::default() }
    }

    /// This with another one over it, of which zeros don't count.
    pub(super) fn told(mut self, other: &Self) -> Self {
        let is_told = |name: &str, value: &Json| {
            let field = FIELDS.iter().find(|field| field.name == name);
            field.is_some_and(|field| !is_zero(&field.kind, value))
        };
        self.join(
            other
                .members
                .iter()
                .filter(|(name, value)| is_told(name, value))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        );
        self
    }

    /// A member.
    pub(super) fn get(&self, name: &str) -> Option<&Json> {
        self.members.get(name)
    }

    /// A member that is a boolean; false where it is absent.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.get(name).and_then(Json::as_bool).unwrap_or_default()
    }

    /// The port on which the agent answers.
    pub(super) fn status_port(&self) -> u64 {
        self.get("statusPort").and_then(Json::as_u64).unwrap_or_default()
    }

    /// What a Pod is told: what differs from the defaults, members in the order of their declaration.
    pub(super) fn difference(&self) -> String {
        let defaults = Self::of(self.version);
        let is_told = |name: &str, value: &Json| {
            defaults.get(name) != Some(value)
                && !(name == "proxyMetadata" && value.as_object().is_some_and(Map::is_empty))
        };
        let told: Map<String, Json> = self
            .members
            .iter()
            .filter(|(name, value)| is_told(name, value))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        encode(FIELDS, &told)
    }

    /// As templates see it.
    pub(super) fn value(&self) -> Value {
        let mut record = message(FIELDS, &self.members);
        record.encoded = Some(Arc::from(self.difference()));
        Value::Record(Arc::new(record))
    }
}

/// The members of a message, under the names of JSON, each of its type.
fn read(fields: &[Field], message: &Json, path: &str) -> Result<Map<String, Json>, String> {
    let members = match message {
        Json::Null => return Ok(Map::new()),
        Json::Object(members) => members,
        _ => return Err(format!("{path} is not an object")),
    };
    let mut read_members = Map::new();
    for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
        let Some(field) = fields.iter().find(|field| field.name == name || field.snake() == *name) else {
            continue;
        };
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        read_members.insert(field.name.to_owned(), typed(&field.kind, value, &path)?);
    }
    Ok(read_members)
}

fn typed(kind: &Kind, value: &Json, path: &str) -> Result<Json, String> {
    let wrong = |what: &str| Err(format!("{path} is not {what}"));
    let fits = |fits: bool, what: &str| if fits { Ok(value.clone()) } else { wrong(what) };
    match kind {
        Kind::Text => fits(value.is_string(), "a string"),
        Kind::Bool | Kind::OptionalBool => fits(value.is_boolean(), "a boolean"),
        Kind::Integer | Kind::OptionalInteger => match value {
            Json::String(text) => text.parse::<i64>().map(Json::from).or_else(|_| wrong("an integer")),
            _ => fits(value.is_i64() || value.is_u64(), "an integer"),
        },
        Kind::Number => fits(value.is_number(), "a number"),
        Kind::Duration => match value.as_str().and_then(duration) {
            Some(text) => Ok(Json::from(text)),
            None => wrong("a duration such as 5s"),
        },
        Kind::Enum(names) => match value {
            Json::String(name) if names.contains(&name.as_str()) => Ok(value.clone()),
            Json::Number(number) => {
                let at = number.as_u64().and_then(|number| usize::try_from(number).ok());
                let name = at.and_then(|at| names.get(at)).map(|name| Json::from(*name));
                name.ok_or_else(|| format!("{path} is not one of {}", names.join(", ")))
            }
            _ => wrong(&format!("one of {}", names.join(", "))),
        },
        Kind::Texts => {
            let is_texts = value.as_object().is_some_and(|members| members.values().all(Json::is_string));
            fits(is_texts, "an object of strings")
        }
        Kind::TextList => {
            let is_texts = value.as_array().is_some_and(|items| items.iter().all(Json::is_string));
            fits(is_texts, "a list of strings")
        }
        Kind::Message(fields) => read(fields, value, path).map(Json::Object),
        Kind::Any => Ok(value.clone()),
    }
}

/// A duration as proto3's JSON writes it: seconds with no, three, six or nine decimals.
fn duration(text: &str) -> Option<String> {
    let seconds = text.strip_suffix('s')?;
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    let digits = |text: &str| text.chars().all(|character| character.is_ascii_digit());
    let unsigned = whole.strip_prefix('-').unwrap_or(whole);
    if unsigned.is_empty()
        || !digits(unsigned)
        || !digits(fraction)
        || fraction.len() > 9
        || unsigned.len() > 12
    {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let decimals = fraction.len().div_ceil(3).saturating_mul(3);
    let whole: i64 = whole.parse().ok()?;
    Some(if decimals == 0 { format!("{whole}s") } else { format!("{whole}.{fraction:0<decimals$}s") })
}

/// Whether a member is one that proto3 does not write.
fn is_zero(kind: &Kind, value: &Json) -> bool {
    match kind {
        Kind::Text => value == "",
        Kind::Bool => value == false,
        Kind::Integer | Kind::Number => value.as_f64() == Some(0.0),
        Kind::Enum(names) => names.first().is_some_and(|first| value == *first),
        Kind::Texts => value.as_object().is_some_and(Map::is_empty),
        Kind::TextList => value.as_array().is_some_and(Vec::is_empty),
        Kind::Duration | Kind::OptionalBool | Kind::OptionalInteger | Kind::Message(_) | Kind::Any => false,
    }
}

fn encode(fields: &[Field], members: &Map<String, Json>) -> String {
    let written = fields.iter().filter_map(|field| {
        let value = members.get(field.name).filter(|value| !is_zero(&field.kind, value))?;
        let text = match (&field.kind, value) {
            (Kind::Message(fields), Json::Object(members)) => encode(fields, members),
            _ => json::encode(value),
        };
        Some((field.name, text))
    });
    json::object(written)
}

/// A message as Go's generated code shows it: fields, and a getter for each, which a nil message has, too.
fn message(fields: &[Field], members: &Map<String, Json>) -> Record {
    let mut seen = BTreeMap::new();
    for field in fields {
        let value = field_value(&field.kind, members.get(field.name));
        let name = field.go_name();
        seen.insert(Arc::from(format!("Get{name}")), value.clone());
        seen.insert(Arc::from(name), value);
    }
    Record { fields: seen, document: Some(Json::Object(members.clone())), ..Record::default() }
}

fn nil(fields: &[Field]) -> Value {
    let mut record = message(fields, &Map::new());
    record.fields.retain(|name, _| name.starts_with("Get"));
    Value::Record(Arc::new(Record { is_nil: true, document: None, ..record }))
}

fn field_value(kind: &Kind, value: Option<&Json>) -> Value {
    let integer = |value: Option<&Json>| Value::Int(value.and_then(Json::as_i64).unwrap_or_default());
    let flag = |value: Option<&Json>| Value::Bool(value.and_then(Json::as_bool).unwrap_or_default());
    let wrapped = |inner: Value| {
        let mut record = BTreeMap::from([(Arc::from("GetValue"), inner.clone())]);
        record.extend(value.map(|_| (Arc::from("Value"), inner)));
        Value::Record(Arc::new(Record { fields: record, is_nil: value.is_none(), ..Record::default() }))
    };
    match kind {
        Kind::Text => Value::text(value.and_then(Json::as_str).unwrap_or_default()),
        Kind::Bool => flag(value),
        Kind::OptionalBool => wrapped(flag(value)),
        Kind::Integer => integer(value),
        Kind::OptionalInteger => wrapped(integer(value)),
        Kind::Number => Value::Float(value.and_then(Json::as_f64).unwrap_or_default()),
        Kind::Enum(names) => {
            let name = value.and_then(Json::as_str).or(names.first().copied());
            Value::Enum(Arc::from(name.unwrap_or_default()))
        }
        Kind::Texts => {
            let members = value.and_then(Json::as_object).into_iter().flatten();
            Value::texts(members.filter_map(|(name, text)| Some((name.as_str(), text.as_str()?))))
        }
        Kind::TextList => value.map_or_else(|| Value::list([]), Value::from_json),
        Kind::Message(fields) => match value.and_then(Json::as_object) {
            Some(members) => Value::Record(Arc::new(message(fields, members))),
            None => nil(fields),
        },
        Kind::Duration | Kind::Any => value.map_or(Value::Absent, Value::from_json),
    }
}
