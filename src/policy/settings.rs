//! The file kind `Bundle`: what holds for a whole tree.

use serde::{Deserialize, Serialize};

/// The word of a namespace's label `meshgate.io/mode`, and of `defaultMode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Not judged.
    Off,
    /// Recorded, never shown to the requester.
    Audit,
    /// Shown, never refused. The default: a fresh install breaks nobody.
    #[default]
    Warn,
    /// Refused.
    Deny,
}

impl Mode {
    /// Reads the label's value; None for a word that is none of the four.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "off" => Some(Self::Off),
            "audit" => Some(Self::Audit),
            "warn" => Some(Self::Warn),
            "deny" => Some(Self::Deny),
            _ => None,
        }
    }
}

/// `spec` of the kind `Bundle`. At most one in a tree; absent, these defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct BundleSettings {
    /// The mode of namespaces without the label.
    #[serde(default)]
    pub default_mode: Mode,
    /// Embedded categories whose policies the tree's bindings may name.
    #[serde(default)]
    pub includes: Vec<String>,
}
