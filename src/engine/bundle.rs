//! Compiling: a whole draft becomes a [`Bundle`], or none of it does.

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;

use regorus::{Engine, PolicyLengthConfig};

use super::entry_points::{self, EntryPoints};
use super::evaluate;
use super::input::to_rego;
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
/// The draft's faults, every file that is not Rego, and every policy without a usable entry point.
pub fn compile(draft: Draft) -> Result<Bundle, Faults> {
    let Draft { revision, policies, libraries, bindings, settings, mut faults } = draft;
    let mut engine = Engine::new();
    engine.set_policy_length_config(limits());
    for module in policies.values().map(|policy| &policy.module).chain(&libraries) {
        add(&mut engine, module, &mut faults);
    }
    let mut found = read_entry_points(&engine, &mut faults);
    let policies: BTreeMap<PolicyId, Arc<Policy>> =
        policies.into_iter().map(|(id, p)| (id, Arc::new(p))).collect();
    let mut entry_points = BTreeMap::new();
    for policy in policies.values() {
        match found.remove(&policy.module.path) {
            Some(Ok(points)) => {
                add(&mut engine, &evaluate::generated(&policy.id, points), &mut faults);
                entry_points.insert(policy.id.clone(), points);
            }
            Some(Err(wrong)) => faults.extend(wrong),
            // The file did not parse: its fault is listed already.
            None => {}
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

fn read_entry_points(
    engine: &Engine,
    faults: &mut Vec<Fault>,
) -> BTreeMap<String, Result<EntryPoints, Vec<Fault>>> {
    let ast = engine.get_ast_as_json().and_then(|text| Ok(serde_json::from_str(&text)?));
    match ast {
        Ok(ast) => entry_points::read(&ast),
        Err(error) => {
            faults.push(fault("the policies' tree", &error));
            BTreeMap::new()
        }
    }
}

/// The interpreter's defaults refuse files that people write (1,024 columns); these refuse only what nobody does.
fn limits() -> PolicyLengthConfig {
    let mut limits = PolicyLengthConfig::default();
    limits.max_col = NonZeroU32::new(8 * 1024).unwrap_or(limits.max_col);
    limits.max_file_bytes = NonZeroUsize::new(8 * 1024 * 1024).unwrap_or(limits.max_file_bytes);
    limits.max_lines = NonZeroUsize::new(200_000).unwrap_or(limits.max_lines);
    limits
}

/// The interpreter's errors are texts of several lines: `--> file:line:column`, an excerpt, `error: message`.
fn fault(file: &str, error: &anyhow::Error) -> Fault {
    let text = error.to_string();
    let message = text.rsplit_once("error: ").map_or(text.trim(), |(_, message)| message.trim()).to_owned();
    let place = text.lines().find_map(|line| line.trim().strip_prefix("--> "));
    let mut numbers = place.unwrap_or_default().rsplit(':').map_while(|part| part.parse::<usize>().ok());
    let (column, line) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    Fault { file: file.to_owned(), line, column, message }
}
