//! The file kind `Bundle`: what holds for a whole tree.

use serde::{Deserialize, Serialize};

use super::files::word;

/// The label by which a namespace says how far it is rolled out (contracts: enforcement).
pub const MODE_LABEL: &str = "meshgate.io/mode";

/// The word of a namespace's label `meshgate.io/mode`, and of `defaultMode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
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
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Audit => "audit",
            Self::Warn => "warn",
            Self::Deny => "deny",
        }
    }

    /// Reads the label's value; None for a word that is none of the four.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Off, Self::Audit, Self::Warn, Self::Deny].into_iter().find(|mode| mode.as_str() == word)
    }
}

/// `spec` of the kind `Bundle`. At most one in a tree; absent, these defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct BundleSettings {
    /// The mode of namespaces without the label.
    #[serde(default, deserialize_with = "word")]
    pub default_mode: Mode,
    /// Embedded categories whose policies the tree's bindings may name.
    #[serde(default)]
    pub includes: Vec<String>,
}
