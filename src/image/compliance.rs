//! Modules of Rego that policies of policy-controller bring along. Each is compiled alone, in the language of before OPA
//! 1.0, and asked one thing: `data.sigstore.isCompliant`. Anything but true is no.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::facts::Fact;
use super::signer::Signer;
use super::verifier::Kind;
use crate::engine::{Program, ProgramSettings, RegoVersion};
use crate::policy::Module;
use crate::policy::image_trust::{Attested, Check, Demand, TrustRule};

/// What the modules of one image may take, all together: as what the policies of a request may (R46 excepts it).
const ALL: Duration = Duration::from_secs(3);
/// What one evaluation may.
const ONE: Duration = Duration::from_secs(1);

/// Modules, by their texts.
#[derive(Clone, Default)]
pub(super) struct Compliance(BTreeMap<String, Program>);

/// The time that is left to the modules of an image. The interpreter stops when it is over, whoever still waits.
#[derive(Debug)]
pub(super) struct Time {
    left: Cell<Duration>,
    is_over: Cell<bool>,
}

impl Time {
    /// All of it, or what is left to who asks.
    pub(super) fn within(patience: Duration) -> Self {
        Self { left: Cell::new(patience.min(ALL)), is_over: Cell::new(false) }
    }

    /// Whether something was stopped, or was not begun: then nothing is known of what it would have said.
    pub(super) fn is_over(&self) -> bool {
        self.is_over.get()
    }

    /// What is evaluated within what is left.
    fn spend<T>(&self, evaluate: impl FnOnce(Duration) -> Option<T>) -> Option<T> {
        let budget = self.left.get().min(ONE);
        if budget.is_zero() {
            self.is_over.set(true);
        }
        if self.is_over() {
            return None;
        }
        let began = Instant::now();
        let said = evaluate(budget);
        let took = began.elapsed();
        self.left.set(self.left.get().saturating_sub(took));
        if said.is_none() && took >= budget {
            self.is_over.set(true);
        }
        said
    }
}

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
    fn takes(&self, text: &str, input: &Value, time: &Time) -> bool {
        let Some(program) = self.0.get(text) else { return false };
        let said = time.spend(|budget| program.evaluate_in("data.sigstore.isCompliant", input, budget).ok());
        matches!(said, Some(Some(Value::Bool(true))))
    }

    /// Whether a statement meets a check: it is of the type, and the check's module takes it.
    pub(super) fn meets(&self, check: &Check, fact: &Fact, time: &Time) -> bool {
        let Kind::Attestation { predicate_type, predicate, head, .. } = fact.verified.kind() else {
            return false;
        };
        let is_taken = |rego: &String| {
            let mut statement = head.clone();
            if let Some(members) = statement.as_object_mut() {
                members.insert("predicate".to_owned(), predicate.clone());
            }
            self.takes(rego, &statement, time)
        };
        *predicate_type == check.predicate_type && check.rego.as_ref().is_none_or(is_taken)
    }

    /// Whether what counts for a rule, together, is taken by the rule's own module.
    pub(super) fn takes_all(
        &self,
        rule: &TrustRule,
        met: &[(&Demand, bool)],
        facts: &[Fact],
        time: &Time,
    ) -> bool {
        let Some(rego) = &rule.policy else { return true };
        let of = |(demand, is_static): &(&Demand, bool)| {
            let name = demand.authority();
            let own = name.strip_prefix(&format!("{}/", rule.name)).unwrap_or(name).to_owned();
            let value =
                if *is_static { json!({ "static": true }) } else { self.matched(demand, facts, time) };
            (own, value)
        };
        let matches: Map<String, Value> = met.iter().map(of).collect();
        self.takes(rego, &json!({ "authorityMatches": matches }), time)
    }

    /// What an authority said.
    fn matched(&self, demand: &Demand, facts: &[Fact], time: &Time) -> Value {
        let own: Vec<&Fact> = facts.iter().filter(|fact| fact.authority == demand.authority()).collect();
        let Demand::Attested(Attested { checks, .. }) = demand else {
            let signatures = own.iter().filter(|fact| matches!(fact.verified.kind(), Kind::Signature { .. }));
            return json!({ "signatures": signatures.map(|fact| Value::Object(signed(fact))).collect::<Vec<_>>() });
        };
        let of = |check: &Check| {
            let fitting = own.iter().filter(|fact| self.meets(check, fact, time));
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
