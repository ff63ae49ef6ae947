//! Modules of Rego that policies of policy-controller bring along. Each is compiled alone, in the language of before OPA
//! 1.0, and asked one thing: `data.sigstore.isCompliant`. Anything but true is no.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value, json};

use super::facts::Fact;
use super::signer::Signer;
use super::verifier::Kind;
use crate::engine::{Program, ProgramSettings, RegoVersion};
use crate::policy::Module;
use crate::policy::image_trust::{Attested, Check, Demand, TrustRule};

/// Modules, by their texts.
#[derive(Clone, Default)]
pub(super) struct Compliance(BTreeMap<String, Program>);

impl Compliance {
    /// Compiles a module.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn load(&mut self, text: &str) -> Result<(), String> {
        let settings = ProgramSettings { version: RegoVersion::V0, ..ProgramSettings::default() };
        let module = Module { path: "policy.rego".to_owned(), text: text.to_owned() };
        let program = Program::load(&[module], &settings).map_err(|faults| faults.to_string())?;
        match program.evaluate("data.sigstore", Some(&json!({}))) {
            Ok(Some(_)) => {}
            _ => return Err("no rule of the package `sigstore`; write `isCompliant` in it".to_owned()),
        }
        self.0.insert(text.to_owned(), program);
        Ok(())
    }

    /// Whether nothing was compiled.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a module says yes. One that fails, or was not compiled, does not.
    fn takes(&self, text: &str, input: &Value) -> bool {
        let program = self.0.get(text);
        let said = program.map(|program| program.evaluate("data.sigstore.isCompliant", Some(input)));
        matches!(said, Some(Ok(Some(Value::Bool(true)))))
    }

    /// Whether a statement meets a check: it is of the type, and the check's module takes it.
    pub(super) fn meets(&self, check: &Check, fact: &Fact) -> bool {
        let Kind::Attestation { predicate_type, predicate, head, .. } = fact.verified.kind() else {
            return false;
        };
        let is_taken = |rego: &String| {
            let mut statement = head.clone();
            if let Some(members) = statement.as_object_mut() {
                members.insert("predicate".to_owned(), predicate.clone());
            }
            self.takes(rego, &statement)
        };
        *predicate_type == check.predicate_type && check.rego.as_ref().is_none_or(is_taken)
    }

    /// Whether what counts for a rule, together, is taken by the rule's own module.
    pub(super) fn takes_all(&self, rule: &TrustRule, met: &[(&Demand, bool)], facts: &[Fact]) -> bool {
        let Some(rego) = &rule.policy else { return true };
        let of = |(demand, is_static): &(&Demand, bool)| {
            let name = demand.authority();
            let own = name.strip_prefix(&format!("{}/", rule.name)).unwrap_or(name).to_owned();
            let value = if *is_static { json!({ "static": true }) } else { self.matched(demand, facts) };
            (own, value)
        };
        let matches: Map<String, Value> = met.iter().map(of).collect();
        self.takes(rego, &json!({ "authorityMatches": matches }))
    }

    /// What an authority said.
    fn matched(&self, demand: &Demand, facts: &[Fact]) -> Value {
        let own: Vec<&Fact> = facts.iter().filter(|fact| fact.authority == demand.authority()).collect();
        let Demand::Attested(Attested { checks, .. }) = demand else {
            let signatures = own.iter().filter(|fact| matches!(fact.verified.kind(), Kind::Signature { .. }));
            return json!({ "signatures": signatures.map(|fact| Value::Object(signed(fact))).collect::<Vec<_>>() });
        };
        let of = |check: &Check| {
            let fitting = own.iter().filter(|fact| self.meets(check, fact));
            let all = fitting.map(|fact| {
                let mut members = signed(fact);
                members.insert("predicateType".to_owned(), json!(check.predicate_type));
                Value::Object(members)
            });
            (check.name.clone(), all.collect::<Vec<_>>())
        };
        json!({ "attestations": checks.iter().map(of).collect::<BTreeMap<_, _>>() })
    }
}

/// Who signed, as policy-controller has it.
fn signed(fact: &Fact) -> Map<String, Value> {
    let mut members = Map::from_iter([("id".to_owned(), json!(fact.verified.evidence.to_string()))]);
    if let Signer::Certificate(one) = &fact.verified.checked.signer {
        members.insert("issuer".to_owned(), json!(one.issuer));
        members.insert("subject".to_owned(), json!(one.subject));
    }
    members
}

impl fmt::Debug for Compliance {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Compliance").field(&self.0.len()).finish()
    }
}
