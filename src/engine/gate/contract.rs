//! MG120, MG121, MG122, MG126: our own policies read of `input` what the contract gives them, of `input.context` the
//! facts that they declare, and of `input.parameters` what their schema has.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::faults::Found;
use super::reading::{Module, Reading};
use super::recursion::reads;
use super::rules::Rules;
use super::terms::{Form, Function, Place, Rule, Term, Visitor, visit_rule};
use crate::admission::GroupVersionKind;
use crate::engine::program::Promise;
use crate::policy::{FactName, remedy};

/// What `input` has.
const MEMBERS: [&str; 4] = ["context", "exempt", "parameters", "request"];

/// What `input.request` has (admission.k8s.io/v1, AdmissionRequest).
const REQUEST: [&str; 15] = [
    "dryRun",
    "kind",
    "name",
    "namespace",
    "object",
    "oldObject",
    "operation",
    "options",
    "requestKind",
    "requestResource",
    "requestSubResource",
    "resource",
    "subResource",
    "uid",
    "userInfo",
];

/// Judges all modules; those without a promise are libraries, whose facts the policies declare that use them.
pub(super) fn judge(reading: &Reading<'_>, rules: &Rules<'_>, promises: &[Promise], found: &mut Found) {
    let mut direct: Vec<BTreeSet<FactName>> = Vec::new();
    for rule in &reading.rules {
        let Some(module) = reading.modules.get(rule.module) else { continue };
        let promise = promises.iter().find(|promise| promise.path == module.parsed.module.path);
        let mut inputs = Inputs { module, promise, found, facts: BTreeSet::new() };
        visit_rule(rule, &mut inputs);
        direct.push(inputs.facts);
    }
    let edges: Vec<Vec<(Place, usize)>> = reading.rules.iter().map(|rule| reads(rules, rule)).collect();
    let facts = through(&direct, &edges);
    for (rule, edges) in reading.rules.iter().zip(&edges) {
        of_libraries(reading, rule, edges, &facts, promises, found);
    }
}

/// The facts that each rule reads, itself or through others.
fn through(direct: &[BTreeSet<FactName>], edges: &[Vec<(Place, usize)>]) -> Vec<BTreeSet<FactName>> {
    let mut facts = direct.to_vec();
    loop {
        let before = facts.clone();
        for (own, edges) in facts.iter_mut().zip(edges) {
            own.extend(edges.iter().filter_map(|(_, number)| before.get(*number)).flatten());
        }
        if facts == before {
            return facts;
        }
    }
}

/// The facts that a policy's rule needs for what it uses of other modules.
fn of_libraries(
    reading: &Reading<'_>,
    rule: &Rule,
    edges: &[(Place, usize)],
    facts: &[BTreeSet<FactName>],
    promises: &[Promise],
    found: &mut Found,
) {
    let Some(module) = reading.modules.get(rule.module) else { return };
    let Some(promise) = promises.iter().find(|promise| promise.path == module.parsed.module.path) else {
        return;
    };
    let mut said: BTreeMap<FactName, Place> = BTreeMap::new();
    for (place, number) in edges {
        let elsewhere = reading.rules.get(*number).is_some_and(|other| other.module != rule.module);
        let needed = facts.get(*number).into_iter().flatten().filter(|_| elsewhere);
        for fact in needed.filter(|fact| !promise.declares(**fact)) {
            said.entry(*fact).or_insert(*place);
        }
    }
    for (fact, place) in said {
        let fact = fact.as_str();
        let message = format!(
            "what is used here reads the fact `{fact}`, which this policy does not declare; add `{fact}` to `context` in METADATA"
        );
        found.add(module, "MG121", place, message);
    }
}

struct Inputs<'a> {
    module: &'a Module<'a>,
    promise: Option<&'a Promise>,
    found: &'a mut Found,
    facts: BTreeSet<FactName>,
}

impl Visitor for Inputs<'_> {
    fn term(&mut self, term: &Term) {
        match &term.form {
            Form::Input(steps) => self.input(steps, term.place),
            Form::Call(call) if call.function == Function::Named("time.now_ns".to_owned()) => {
                self.fact("now", call.name);
            }
            _ => {}
        }
    }
}

impl Inputs<'_> {
    fn input(&mut self, steps: &[Term], place: Place) {
        let Some(first) = steps.first() else {
            let message =
                "`input` as a whole holds facts that the policy does not declare; name what is read of it";
            return self.found.add(self.module, "MG120", place, message);
        };
        match first.text() {
            Some("context") => self.context(steps, place),
            Some("parameters") => self.parameters(steps, place),
            Some("request") => self.request(steps),
            Some(name) if MEMBERS.contains(&name) => {}
            _ => {
                let name = self.module.parsed.text(first.place.start..first.place.end);
                let message = format!(
                    "`input` has no `{name}`, so it is undefined in every request; read `input.request`, `input.parameters`, `input.context` or `input.exempt`"
                );
                self.found.add(self.module, "MG120", place, message);
            }
        }
    }

    /// What a request is made of is fixed, as far as the object.
    fn request(&mut self, steps: &[Term]) {
        let Some(member) = steps.get(1) else { return };
        let within: &[&str] = match member.text() {
            Some("kind" | "requestKind") => &["group", "kind", "version"],
            Some("resource" | "requestResource") => &["group", "resource", "version"],
            Some("userInfo") => &["extra", "groups", "uid", "username"],
            _ => &[],
        };
        for (step, known, of) in [(Some(member), &REQUEST[..], "a request"), (steps.get(2), within, "it")] {
            let Some((step, name)) = step.and_then(|step| Some((step, step.text()?))) else { continue };
            if !known.is_empty() && !known.contains(&name) {
                let hint = remedy(name, known.iter().copied());
                let message = format!("{of} has no `{name}`, so it is undefined in every request; {hint}");
                self.found.add(self.module, "MG120", step.place, message);
            }
        }
    }

    /// A fact's name has one part, or two, as `mesh.proposal` has.
    fn context(&mut self, steps: &[Term], place: Place) {
        let parts: Vec<Option<&str>> = steps.iter().skip(1).take(2).map(Term::text).collect();
        let is_group = |name: &str| {
            FactName::ALL
                .iter()
                .any(|fact| fact.as_str().split_once('.').is_some_and(|(group, _)| group == name))
        };
        match parts.as_slice() {
            [Some("inventory"), ..] => {
                self.fact("inventory", place);
                self.inventory(steps.get(2..).unwrap_or_default());
            }
            [Some(group), Some(member), ..] if is_group(group) => {
                self.fact(&format!("{group}.{member}"), place)
            }
            [Some(group)] if is_group(group) => {
                self.unnamed(&format!("`input.context.{group}` as a whole"), place)
            }
            [Some(name), ..] if !is_group(name) => self.fact(name, place),
            [] => self.unnamed("`input.context` as a whole", place),
            _ => self.unnamed("a fact by a computed name", place),
        }
    }

    /// What is named outright in a way into the inventory is there: `cluster`, apiVersion, kind, name, or `namespace`,
    /// namespace, apiVersion, kind, name. Else it would be undefined in every request.
    fn inventory(&mut self, steps: &[Term]) {
        let Some(first) = steps.first() else { return };
        let from = match first.text() {
            Some("cluster") => 1,
            Some("namespace") => 2,
            Some(other) => {
                let message = format!("the inventory has no `{other}`; read `cluster` or `namespace`");
                return self.found.add(self.module, "MG121", first.place, message);
            }
            None => return,
        };
        let Some(kinds) = self.promise.and_then(Promise::inventory) else { return };
        let [version, kind] = [0_usize, 1].map(|n| steps.get(n.saturating_add(from)));
        let is_read = |of: &&GroupVersionKind| {
            version.and_then(Term::text).is_none_or(|text| text == of.api_version())
                && kind.and_then(Term::text).is_none_or(|text| text == of.kind)
        };
        let Some(place) = kind.or(version).map(|term| term.place) else { return };
        if !kinds.iter().any(|of| is_read(&of)) {
            let declared: Vec<String> =
                kinds.iter().map(|of| format!("{}/{}", of.api_version(), of.kind)).collect();
            let message = format!(
                "the policy does not declare this kind, so its inventory never has it; it declares {}",
                declared.join(", ")
            );
            self.found.add(self.module, "MG121", place, message);
        }
    }

    fn unnamed(&mut self, what: &str, place: Place) {
        let message = format!("{what}; name the fact that is read, and declare it in METADATA");
        self.found.add(self.module, "MG122", place, message);
    }

    fn fact(&mut self, name: &str, place: Place) {
        let Some(fact) = FactName::ALL.into_iter().find(|fact| fact.as_str() == name) else {
            let known: Vec<&str> = FactName::ALL.iter().map(|fact| fact.as_str()).collect();
            let message = format!("there is no fact `{name}`; there are {}", known.join(", "));
            return self.found.add(self.module, "MG121", place, message);
        };
        self.facts.insert(fact);
        if self.promise.is_some_and(|promise| !promise.declares(fact)) {
            let message = format!(
                "the policy does not declare the fact `{name}`, so it never sees it; add `{name}` to `context` in METADATA"
            );
            self.found.add(self.module, "MG121", place, message);
        }
    }

    fn parameters(&mut self, steps: &[Term], place: Place) {
        let Some(promise) = self.promise else { return };
        let names: Vec<&str> = steps.iter().skip(1).map_while(Term::text).collect();
        if let Some(unknown) = unknown_parameter(&promise.parameters, &names) {
            let message = format!(
                "the schema of the parameters has no `{unknown}`, so no binding can set it; add it to `parameters` in METADATA, or correct the name"
            );
            self.found.add(self.module, "MG126", place, message);
        }
    }
}

/// The first name that a schema does not know and whose object takes no others.
fn unknown_parameter(schema: &Value, names: &[&str]) -> Option<String> {
    let mut schema = schema;
    for (index, name) in names.iter().enumerate() {
        let properties = schema.get("properties");
        match properties.and_then(|properties| properties.get(name)) {
            Some(property) => schema = property,
            None if schema.get("additionalProperties") == Some(&Value::Bool(false)) => {
                let until = index.saturating_add(1);
                return Some(names.get(..until).unwrap_or_default().join("."));
            }
            None => return None,
        }
    }
    None
}
