//! A JSON document that rules read, with all digits of its numbers, as they are written.

use std::sync::Arc;

use regorus::Value as Rego;
use serde_json::Value;

use super::builtins::spelling::{self, Spellings};
use super::builtins::{Failure, decimal};
use super::input::to_rego;
use super::json_text;

/// A document as rules read it. What comes through `serde_json` has lost the digits that no double holds, and what its
/// numbers were written as.
#[derive(Clone, Debug)]
pub struct Document {
    pub(super) value: Rego,
    /// Of its numbers; none of those that came through `serde_json`.
    pub(super) spellings: Option<Arc<Spellings>>,
}

impl Document {
    /// Reads a JSON text.
    ///
    /// # Errors
    /// Why it can't be read.
    pub fn read(text: &str) -> Result<Self, String> {
        // What an evaluation before it reckoned with says nothing of this text.
        decimal::forget();
        let value = json_text::read(text).map_err(|failure| match failure {
            Failure::Wrong(why) => why,
            Failure::Beyond(what) => format!("it {what}"),
        })?;
        Ok(Self { value, spellings: Some(Arc::new(spelling::taken())) })
    }

    /// The member of that name; None if there is none.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<Self> {
        let value = self.value.as_object().ok()?.get(&Rego::from(name))?.clone();
        Some(Self { value, spellings: self.spellings.clone() })
    }
}

/// Numbers are equal however they are written.
impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Eq for Document {}

impl From<&Value> for Document {
    fn from(value: &Value) -> Self {
        Self { value: to_rego(value), spellings: None }
    }
}
