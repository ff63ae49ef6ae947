//! `every`: the first element of which the body does not hold, and why.

use std::collections::BTreeSet;

use regorus::Value as Rego;

use super::explain::{Failure, Questions, short};
use super::statements::{Statement, statements};
use crate::engine::output_json;
use crate::engine::syntax::Literal;

impl<'a> Questions<'a> {
    /// What does not hold of the first element that fails; None if that is not found out.
    pub(super) fn broken_element(&self, before: &[String], statement: &Statement<'a>) -> Option<Failure> {
        let Literal::Every { key, value, query, .. } = &statement.literal.literal else { return None };
        if !statement.literal.with_mods.is_empty() {
            return None;
        }
        let named = |name: &str| (name != "_").then(|| name.to_owned());
        let (key, value) = (key.as_ref().and_then(|key| named(key.text())), named(value.text()));
        // A name for each depth, for one `every` stands in another.
        let place = key.clone().unwrap_or_else(|| format!("meshgate_key_{}", before.len()));
        let pattern = value.as_deref().unwrap_or("_");
        let mut element = before.to_vec();
        element.push(format!("some {place}, {pattern} in {}", statement.domain()?));
        let mut whole = element.clone();
        whole.extend(statements(self.parsed, query).iter().map(|statement| statement.text().to_owned()));
        let keys = |before: &[String]| -> Option<BTreeSet<Rego>> {
            Some(self.values(before, &[&place], "")?.into_iter().flatten().collect())
        };
        let held = keys(&whole)?;
        let broken = keys(&element)?.into_iter().find(|key| !held.contains(key))?;
        element.push(format!("{place} == {}", output_json::text(&broken)?));
        let mut failure = self.broken(&element, query)?;
        let names: Vec<String> = key.into_iter().chain(value).collect();
        let shown = names.iter().filter_map(|name| {
            let value = self.values(&element, &[name], "")?.into_iter().flatten().next()?;
            Some(format!("where {name} is {}", short(&output_json::text(&value)?)))
        });
        let shown: Vec<String> = shown.collect();
        failure.notes.splice(0..0, shown);
        Some(failure)
    }
}
