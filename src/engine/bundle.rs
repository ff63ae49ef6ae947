//! Compiling: a whole draft becomes a [`Bundle`], or none of it does.

use std::collections::BTreeMap;
use std::sync::Arc;

use regorus::Engine;

use super::entry_points::{self, EntryPoints};
use super::evaluate;
use super::input::to_rego;
use super::interpreter_error::fault;
use super::program::{self, Contract, ProgramSettings, Promise};
use super::syntax;
use crate::policy::{Binding, BundleSettings, Draft, Fault, Faults, Module, Policy, PolicyId, Revision};

/// Policies in force, ready to evaluate. Immutable and shared by all requests.
pub struct Bundle {
    /// Names the files that it was made from; every answer names it (R59).
    pub revision: Revision,
    /// What holds for all of it.
    pub settings: BundleSettings,
    /// All policies, bound or not.
    pub policies: BTreeMap<PolicyId, Arc<Policy>>,
    /// The policies in force, sorted by policy and name.
    pub bound: Vec<Bound>,
    /// Prepared; cloned for each evaluation (under a microsecond, its contents are shared).
    pub(super) engine: Engine,
}

/// A policy in force.
pub struct Bound {
    /// Name, enforcement and match.
    pub binding: Binding,
    /// The policy.
    pub policy: Arc<Policy>,
    pub(super) entry_points: EntryPoints,
    /// `input.parameters`, converted once.
    pub(super) parameters: regorus::Value,
}

impl Bound {
    /// Whether it can change objects.
    pub fn mutates(&self) -> bool {
        self.entry_points.patch
    }

    /// Whether it can find something.
    pub fn judges(&self) -> bool {
        !self.entry_points.judging().is_empty()
    }
}

/// Compiles a draft.
///
/// # Errors
/// The draft's faults, and everything that the gate refuses.
pub fn compile(draft: Draft) -> Result<Bundle, Faults> {
    let Draft { revision, policies, libraries, bindings, settings, mut faults } = draft;
    let mut engine = Engine::new();
    engine.set_policy_length_config(syntax::limits());
    let mut found = judged(&policies, &libraries, &mut faults);
    Faults::or(std::mem::take(&mut faults), ())?;
    for module in policies.values().map(|policy| &policy.module).chain(&libraries) {
        add(&mut engine, module, &mut faults);
    }
    let policies: BTreeMap<PolicyId, Arc<Policy>> =
        policies.into_iter().map(|(id, p)| (id, Arc::new(p))).collect();
    let mut entry_points = BTreeMap::new();
    for policy in policies.values() {
        if let Some(points) = found.remove(&policy.module.path) {
            add(&mut engine, &evaluate::generated(&policy.id, points), &mut faults);
            entry_points.insert(policy.id.clone(), points);
        }
    }
    let bound = bindings.into_iter().filter_map(|binding| {
        let policy = Arc::clone(policies.get(&binding.policy)?);
        let parameters = to_rego(&binding.parameters);
        Some(Bound { entry_points: *entry_points.get(&binding.policy)?, policy, parameters, binding })
    });
    let bound: Vec<Bound> = bound.collect();
    if faults.is_empty()
        && let Err(error) = evaluate::prepare(&mut engine)
    {
        faults.push(fault("the policies' tree", &error));
    }
    Faults::or(faults, Bundle { revision, settings, policies, bound, engine })
}

fn add(engine: &mut Engine, module: &Module, faults: &mut Vec<Fault>) {
    if let Err(error) = engine.add_policy(module.path.clone(), module.text.clone()) {
        faults.push(fault(&module.path, &error));
    }
}

/// The entry points by file, of modules that passed the gate.
fn judged(
    policies: &BTreeMap<PolicyId, Policy>,
    libraries: &[Module],
    faults: &mut Vec<Fault>,
) -> BTreeMap<String, EntryPoints> {
    let promises = policies.values().map(Promise::of).collect();
    let settings = ProgramSettings { contract: Contract::Policies(promises), ..ProgramSettings::default() };
    let modules: Vec<Module> =
        policies.values().map(|policy| &policy.module).chain(libraries).cloned().collect();
    let parsed = program::judged(&modules, &settings, faults);
    parsed.iter().map(|module| (module.module.path.clone(), entry_points::read(module).0)).collect()
}
