//! A file of one document whose members stand beside its kind, without `spec`: the process's own configuration.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::fault::{Fault, Faults};
use super::files::{Misfit, typed_in_part};
use super::written::API_VERSION;
use crate::yaml;

/// Such a document, whose kind is the one that was asked for.
pub struct Members {
    file: String,
    members: Value,
    document: yaml::Document,
}

impl Members {
    /// Reads the one document of `content`.
    ///
    /// # Errors
    /// What is no YAML, nothing, a second document, another `apiVersion` or `kind`.
    pub fn read(file: &str, content: &[u8], kind: &str) -> Result<Self, Faults> {
        let fault = |at, message: String| Faults::from(Fault::new(file, at, message));
        let mut documents = yaml::read(content).into_iter();
        let first = documents.next().ok_or_else(|| {
            let least = format!("empty; write `apiVersion: {API_VERSION}` and `kind: {kind}` at least");
            fault((1, 1), least)
        })?;
        let document = first
            .map_err(|yaml::Fault { position, message }| fault((position.line, position.column), message))?;
        if let Some(second) = documents.next() {
            let line = second.map_or_else(|fault| fault.position.line, |document| document.line);
            return Err(fault((line, 1), "a second document; write one".to_owned()));
        }
        let Value::Object(mut members) = document.value.clone() else {
            return Err(fault((1, 1), format!("no mapping; write members of a {kind}")));
        };
        let read = Self { file: file.to_owned(), members: Value::Null, document };
        for (name, wanted) in [("apiVersion", API_VERSION), ("kind", kind)] {
            if members.remove(name).as_ref().and_then(Value::as_str) != Some(wanted) {
                let pointer = format!("/{name}");
                return Err(read.fault(&pointer, format!("{name}: write `{wanted}`")).into());
            }
        }
        Ok(Self { members: Value::Object(members), ..read })
    }

    /// What the members say.
    ///
    /// # Errors
    /// All that does not fit, each with its place.
    pub fn typed<T: DeserializeOwned>(&self) -> Result<T, Faults> {
        let (read, misfits) = typed_in_part(&self.members, "");
        let fault = |one: Misfit| self.fault(&one.pointer, one.message.trim_start_matches(['.', ':', ' ']));
        let read = Faults::or(misfits.into_iter().map(fault).collect(), read)?;
        read.ok_or_else(|| {
            Fault::of_file(&self.file, "can't be read; compare it with the documentation").into()
        })
    }

    /// A fault of what stands at a pointer.
    pub fn fault(&self, pointer: &str, message: impl Into<String>) -> Fault {
        let position = self.document.position(pointer);
        Fault::new(&self.file, (position.line, position.column), message)
    }
}
