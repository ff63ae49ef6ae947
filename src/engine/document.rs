//! A JSON document that rules read as `input`, with all digits of its numbers.

use regorus::Value as Rego;
use serde_json::Value;

use super::builtins::{Failure, decimal};
use super::input::to_rego;
use super::json_text;

/// A document as rules read it. What comes through `serde_json` has lost the digits that no double holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document(pub(super) Rego);

impl Document {
    /// Reads a JSON text.
    ///
    /// # Errors
    /// Why it can't be read.
    pub fn read(text: &str) -> Result<Self, String> {
        // What an evaluation before it reckoned with says nothing of this text.
        decimal::forget();
        json_text::read(text).map(Self).map_err(|failure| match failure {
            Failure::Wrong(why) => why,
            Failure::Beyond(what) => format!("it {what}"),
        })
    }

    /// The member of that name; None if there is none.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<Self> {
        self.0.as_object().ok()?.get(&Rego::from(name)).cloned().map(Self)
    }
}

impl From<&Value> for Document {
    fn from(value: &Value) -> Self {
        Self(to_rego(value))
    }
}
