//! The values of a template: what Go's reflection would see.

use std::collections::BTreeMap;
use std::sync::Arc;

/// A value.
#[derive(Clone, Debug)]
pub(in crate::mesh) enum Value {
    /// No value: an absent key, an untyped nil.
    Absent,
    /// An interface that holds nil: a key whose value is null.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A floating-point number; every number of a document.
    Float(f64),
    /// A string.
    Text(Arc<str>),
    /// An enumeration's value: a number that prints as its name.
    Enum(Arc<str>),
    /// A slice.
    List(Arc<[Value]>),
    /// A map from strings to anything.
    Map(Arc<BTreeMap<Arc<str>, Value>>),
    /// A map from strings to strings: what is not in it reads as the empty string.
    Texts(Arc<BTreeMap<Arc<str>, Value>>),
    /// A struct.
    Record(Arc<Record>),
}

/// A struct, or a pointer to one.
#[derive(Clone, Debug, Default)]
pub(in crate::mesh) struct Record {
    /// Its fields, and its methods without parameters.
    pub(in crate::mesh) fields: BTreeMap<Arc<str>, Value>,
    /// A nil pointer; then it has only methods.
    pub(in crate::mesh) is_nil: bool,
    /// What `structToJSON` and `protoToJSON` make of it, where they may be asked for it.
    pub(in crate::mesh) encoded: Option<Arc<str>>,
    /// The document that it stands for, where there is one.
    pub(in crate::mesh) document: Option<serde_json::Value>,
}

impl Value {
    /// A string.
    pub(in crate::mesh) fn text(text: impl AsRef<str>) -> Self {
        Self::Text(Arc::from(text.as_ref()))
    }

    /// A list.
    pub(in crate::mesh) fn list(items: impl IntoIterator<Item = Self>) -> Self {
        Self::List(items.into_iter().collect())
    }

    /// A map of strings.
    pub(in crate::mesh) fn texts<'a>(members: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let members = members.into_iter().map(|(name, text)| (Arc::from(name), Self::text(text)));
        Self::Texts(Arc::new(members.collect()))
    }

    /// A struct.
    pub(in crate::mesh) fn record(fields: impl IntoIterator<Item = (&'static str, Self)>) -> Self {
        let fields = fields.into_iter().map(|(name, value)| (Arc::from(name), value)).collect();
        Self::Record(Arc::new(Record { fields, ..Record::default() }))
    }

    /// What Go makes of a document: each number is a `float64`.
    pub(in crate::mesh) fn from_json(document: &serde_json::Value) -> Self {
        match document {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(bool) => Self::Bool(*bool),
            serde_json::Value::Number(number) => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
            serde_json::Value::String(text) => Self::text(text),
            serde_json::Value::Array(items) => Self::list(items.iter().map(Self::from_json)),
            serde_json::Value::Object(members) => {
                let members =
                    members.iter().map(|(name, value)| (Arc::from(name.as_str()), Self::from_json(value)));
                Self::Map(Arc::new(members.collect()))
            }
        }
    }

    /// The document that Go's encoder makes of it. None: a struct, or a number that JSON does not have.
    pub(in crate::mesh) fn to_json(&self) -> Option<serde_json::Value> {
        use serde_json::Value as Json;
        Some(match self {
            Self::Absent | Self::Null => Json::Null,
            Self::Bool(bool) => Json::from(*bool),
            Self::Int(int) => Json::from(*int),
            Self::Float(float) => number(*float)?,
            Self::Text(text) | Self::Enum(text) => Json::from(text.as_ref()),
            Self::List(items) => Json::Array(items.iter().map(Self::to_json).collect::<Option<_>>()?),
            Self::Map(members) | Self::Texts(members) => {
                let members = members.iter().map(|(name, value)| Some((name.to_string(), value.to_json()?)));
                Json::Object(members.collect::<Option<_>>()?)
            }
            Self::Record(record) if record.is_nil => Json::Null,
            Self::Record(record) => record.document.clone()?,
        })
    }

    /// Truth, as `if` sees it.
    pub(in crate::mesh) fn is_true(&self) -> bool {
        match self {
            Self::Absent | Self::Null => false,
            Self::Bool(bool) => *bool,
            Self::Int(int) => *int != 0,
            Self::Float(float) => *float != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::Enum(_) => true,
            Self::List(items) => !items.is_empty(),
            Self::Map(members) | Self::Texts(members) => !members.is_empty(),
            Self::Record(record) => !record.is_nil,
        }
    }

    /// What its type is called in messages.
    pub(in crate::mesh) fn kind(&self) -> &'static str {
        match self {
            Self::Absent | Self::Null => "nil",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::Enum(_) => "enumeration",
            Self::List(_) => "slice",
            Self::Map(_) | Self::Texts(_) => "map",
            Self::Record(_) => "struct",
        }
    }

    /// The value as a pipeline hands it on: an interface that holds nil is no value.
    pub(super) fn unwrapped(self) -> Self {
        if matches!(self, Self::Null) { Self::Absent } else { self }
    }

    /// The field, method or key of that name.
    pub(super) fn field(&self, name: &str) -> Result<Self, String> {
        match self {
            Self::Absent => Ok(Self::Absent),
            Self::Null => Err(format!("nil pointer evaluating interface {{}}.{name}")),
            Self::Map(members) | Self::Texts(members) => {
                Ok(members.get(name).cloned().unwrap_or(Self::Absent))
            }
            Self::Record(record) => record.fields.get(name).cloned().ok_or_else(|| {
                let what = if record.is_nil { "nil pointer evaluating" } else { "can't evaluate field" };
                format!("{what} {name}")
            }),
            // What an enumeration's method gives.
            Self::Enum(text) if name == "String" => Ok(Self::Text(Arc::clone(text))),
            _ => Err(format!("can't evaluate field {name} in type {}", self.kind())),
        }
    }
}

/// A number without fraction is written without point below 1e21.
fn number(float: f64) -> Option<serde_json::Value> {
    let is_whole = float.fract() == 0.0 && float.abs() < 1e18;
    let whole = is_whole.then(|| format!("{float:.0}").parse::<i64>().ok()).flatten();
    match whole {
        Some(whole) => Some(serde_json::Value::from(whole)),
        None => serde_json::Number::from_f64(float).map(serde_json::Value::Number),
    }
}
