//! Go's `text/template`: parsed by `gotmpl`, executed here. Called for the templates of a mesh; knows nothing of meshes.
//!
//! The execution is ours for three reasons (docs/adr/0010-template-engine.md): steps, nesting and size of the output are
//! bounded; a key that is absent, one that is null, and the zero value of a map of strings are three things, as in Go;
//! and a function that does not exist is found when the template is read.

mod builtins;
mod comments;
mod execute;
mod numbers;
mod print;
#[cfg(test)]
mod tests;
mod tree;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gotmpl::parse::{ListNode, Parser};

pub(super) use print::{plain, quote};
pub(super) use value::{Record, Value};

/// How long the text of a template may be, in bytes: ten times the longest that Istio ships.
const LONGEST_TEMPLATE: usize = 512 * 1024;

/// How long what is rendered may be, and each text on the way, in bytes. No Pod that an API server takes is longer.
const LONGEST_TEXT: usize = 1024 * 1024;

/// The functions that a template may call beside Go's own.
pub(super) trait Functions {
    /// Whether there is such a function.
    fn knows(&self, name: &str) -> bool;

    /// Calls it.
    ///
    /// # Errors
    /// Why it gives nothing, as in Go.
    fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, String>;
}

/// A template, parsed once.
#[derive(Debug)]
pub(super) struct Template {
    name: String,
    body: Arc<ListNode>,
    defined: BTreeMap<String, Arc<ListNode>>,
}

impl Template {
    /// Reads the text of a template.
    ///
    /// # Errors
    /// What is wrong with it; a function that does not exist is named.
    pub(super) fn parse(name: &str, text: &str, functions: &dyn Functions) -> Result<Self, String> {
        let fault = |message: String| format!("template {name}: {message}");
        if text.len() > LONGEST_TEMPLATE {
            return Err(fault(format!("longer than {LONGEST_TEMPLATE} bytes; shorten it")));
        }
        let text = comments::emptied(text);
        let parsed = Parser::with_name(None, &text, "{{", "}}").and_then(Parser::parse);
        let (body, definitions) = parsed.map_err(|error| fault(error.to_string()))?;
        let mut defined: BTreeMap<String, Arc<ListNode>> = BTreeMap::new();
        for one in definitions {
            let is_known = defined.get(one.name.as_str()).is_some_and(|known| !known.is_empty_tree());
            match (is_known, one.body.is_empty_tree()) {
                (true, true) => {}
                (true, false) => return Err(fault(format!("`{}` is defined twice", one.name))),
                (false, _) => drop(defined.insert(one.name.to_string(), Arc::new(one.body))),
            }
        }
        let template = Self { name: name.to_owned(), body: Arc::new(body), defined };
        let known = |function: &String| builtins::knows(function) || functions.knows(function);
        let unknown: Vec<String> = template.functions().into_iter().filter(|name| !known(name)).collect();
        if unknown.is_empty() {
            return Ok(template);
        }
        Err(fault(format!("calls {}, which meshgate does not know", unknown.join(", "))))
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The functions that it calls.
    fn functions(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for list in std::iter::once(&self.body).chain(self.defined.values()) {
            tree::functions(list, &mut found);
        }
        found
    }

    /// Renders it.
    ///
    /// # Errors
    /// Where and why it fails, or which bound it does not keep.
    pub(super) fn render(&self, data: &Value, functions: &dyn Functions) -> Result<String, String> {
        let mut execution = execute::Execution::new(&self.defined, functions, data.clone());
        match execution.run(&self.body, data) {
            Ok(()) => Ok(execution.output),
            Err(failure) => Err(format!("template {}:{}: {}", self.name, failure.line, failure.message)),
        }
    }
}
