//! Compiling: a whole draft becomes a [`Bundle`], or none of it does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use regorus::Value as Rego;

use super::cause::RuleText;
use super::chunk::{self, Chunk};
use super::entry_points::{self, EntryPoints};
use super::images;
use super::input::to_rego;
use super::libraries::{self, Library, Reads};
use super::needs;
use super::packages;
use super::program::{self, Contract, ProgramSettings, Promise};
use super::said::Apart;
use super::syntax::Parsed;
use crate::policy::{
    Binding, BundleSettings, Draft, Exception, Fault, Faults, ImageTrust, MeshSettings, Module, Policy,
    PolicyId, Revision,
};

/// Policies in force, ready to evaluate. Immutable and shared by all requests.
pub struct Bundle {
    /// Names the files that it was made from; every answer names it (R59).
    pub revision: Revision,
    /// What holds for all of it.
    pub settings: BundleSettings,
    /// Whom to trust for images; None where nothing is said of it.
    pub image_trust: Option<Arc<ImageTrust>>,
    /// What is done about meshes; None where nothing is said of it.
    pub meshes: Option<MeshSettings>,
    /// All policies, bound or not.
    pub policies: BTreeMap<PolicyId, Arc<Policy>>,
    /// The policies in force, sorted by policy and name.
    pub bound: Vec<Bound>,
    /// What is excepted from them, sorted by name.
    pub exceptions: Vec<Exception>,
    pub(super) chunks: Vec<Chunk>,
    /// The parameters of all bindings, as they stand in `input`.
    pub(super) parameters: Rego,
    pub(super) libraries: Arc<[Library]>,
}

/// A policy in force.
#[derive(Clone)]
pub struct Bound {
    /// Name, enforcement and match.
    pub binding: Binding,
    /// The policy.
    pub policy: Arc<Policy>,
    /// Its number among all.
    pub(super) number: usize,
    pub(super) entry_points: EntryPoints,
    pub(super) package: Module,
    /// What of other packages it reads.
    pub(super) reads: Reads,
    /// Its rules one by one: made where it is asked for, because only explanations need them.
    pub(super) apart: OnceLock<Arc<Apart>>,
    /// What its rules say, as it is written: made where it is asked for, because only reports need it.
    pub(super) rules: OnceLock<Arc<Vec<RuleText>>>,
}

impl Bound {
    /// Its place in [`Bundle::bound`].
    pub fn place(&self) -> usize {
        self.number
    }

    /// Whether it can change objects.
    pub fn mutates(&self) -> bool {
        self.entry_points.patch
    }

    /// Whether it has a say in injections.
    pub fn injects(&self) -> bool {
        self.entry_points.inject
    }

    /// Whether it asks for digests in the place of tags, which is not done by its rules (contracts: server, names).
    pub fn pins(&self) -> bool {
        self.policy.id.as_str() == "images/pin_digest"
    }

    /// Whether it can find something.
    pub fn judges(&self) -> bool {
        !self.entry_points.judging().is_empty()
    }

    /// What decides which requests it is asked about, so that those alike come together.
    fn kind(&self) -> String {
        format!("{:?}", self.policy.metadata.matches.rules)
    }
}

impl Bundle {
    /// The same, but that the bindings at these places of [`Bundle::bound`] are each asked alone: a policy that errs on
    /// every request then costs the others nothing.
    ///
    /// # Errors
    /// None, unless the interpreter takes a program once and not twice.
    pub fn quarantined(&self, places: &BTreeSet<usize>) -> Result<Self, Faults> {
        Ok(Self {
            revision: self.revision.clone(),
            settings: self.settings.clone(),
            image_trust: self.image_trust.clone(),
            meshes: self.meshes.clone(),
            policies: self.policies.clone(),
            bound: self.bound.clone(),
            exceptions: self.exceptions.clone(),
            chunks: chunks(&self.bound, &self.libraries, places)?,
            parameters: self.parameters.clone(),
            libraries: Arc::clone(&self.libraries),
        })
    }
}

/// Compiles a draft.
///
/// # Errors
/// The draft's faults, and everything that the gate refuses.
pub fn compile(draft: Draft) -> Result<Bundle, Faults> {
    let Draft {
        revision,
        policies,
        libraries,
        bindings,
        exceptions,
        settings,
        meshes,
        image_trust,
        mut faults,
    } = draft;
    let named: BTreeSet<&PolicyId> = bindings.iter().map(|binding| &binding.policy).collect();
    // An embedded policy that nothing binds is no part of any program, and its faults are ours to find.
    let looked_at = policies.values().filter(|policy| !policy.is_embedded || named.contains(&policy.id));
    let looked_at: Vec<&Policy> = looked_at.collect();
    let image_trust = image_trust.map(Arc::new);
    faults.extend(looked_at.iter().flat_map(|policy| images::misdeclared(policy, image_trust.as_deref())));
    let (policies_parsed, libraries_parsed) = judged(&looked_at, &libraries, &mut faults);
    Faults::or(faults, ())?;
    let policies: BTreeMap<PolicyId, Arc<Policy>> =
        policies.into_iter().map(|(id, policy)| (id, Arc::new(policy))).collect();
    let bind = |(number, binding): (usize, Binding)| {
        let policy = Arc::clone(policies.get(&binding.policy)?);
        let parsed = policies_parsed.get(&policy.module.path)?;
        let (entry_points, package) = (entry_points::read(parsed).0, packages::bind(parsed, number));
        let (apart, rules) = (OnceLock::new(), OnceLock::new());
        let reads = libraries::reads(parsed);
        Some(Bound { binding, policy, number, entry_points, package, reads, apart, rules })
    };
    let count = bindings.len();
    let bound: Vec<Bound> = bindings.into_iter().enumerate().filter_map(bind).collect();
    if bound.len() != count {
        return Err(Fault::of_file(
            "the policies' tree",
            "a policy that is bound was lost; please report this",
        )
        .into());
    }
    let beyond = bound.iter().filter_map(needs::sees_other_namespaces);
    let without_leave = bound.iter().filter_map(|one| changes_without_leave(one).or_else(|| raises(one)));
    Faults::or(without_leave.chain(beyond).collect(), ())?;
    let libraries: Arc<[Library]> = libraries_parsed.iter().map(Library::of).collect();
    let chunks = chunks(&bound, &libraries, &BTreeSet::new())?;
    let parameters =
        bound.iter().map(|one| (Rego::from(packages::member(one.number)), to_rego(&one.binding.parameters)));
    let parameters = Rego::from(parameters.collect::<BTreeMap<_, _>>());
    Ok(Bundle {
        revision,
        settings,
        image_trust,
        meshes,
        policies,
        bound,
        exceptions,
        chunks,
        parameters,
        libraries,
    })
}

/// A tenant binds what changes objects only where the platform lets it; also what has a say in injections, for one that
/// says no keeps the platform's from its Pods.
fn changes_without_leave(bound: &Bound) -> Option<Fault> {
    let changes = bound.mutates() || bound.injects() || bound.pins();
    let tenant = bound.binding.tenant.as_ref().filter(|tenant| !tenant.may_mutate && changes)?;
    let origin = &bound.binding.origin;
    let message = format!(
        "binding {}: {} changes objects, which the tenant `{}` may not; let the platform set its `mayMutate` in the Bundle",
        bound.binding.name, bound.policy.id, tenant.name
    );
    Some(Fault::new(&origin.file, (origin.line, 0), message))
}

/// What raises privileges is the platform's to bind, whoever wrote it: a tenant could choose them by parameters, and by
/// policies of its own any.
fn raises(bound: &Bound) -> Option<Fault> {
    let tenant = bound.binding.tenant.as_ref()?;
    let may_change = &bound.policy.metadata.may_change;
    let words: Vec<&str> = may_change.iter().map(|field| field.as_str()).collect();
    let origin = &bound.binding.origin;
    let message = format!(
        "binding {}: {} may change {}, which is guarded, so the tenant `{}` may not bind it; remove `mayChange`, or let the platform bind the policy",
        bound.binding.name,
        bound.policy.id,
        words.join(", "),
        tenant.name
    );
    (!words.is_empty()).then(|| Fault::new(&origin.file, (origin.line, 0), message))
}

/// Those alike together, and each of `alone` alone.
fn chunks(bound: &[Bound], libraries: &[Library], alone: &BTreeSet<usize>) -> Result<Vec<Chunk>, Faults> {
    let (single, mut others): (Vec<&Bound>, Vec<&Bound>) =
        bound.iter().partition(|one| alone.contains(&one.number));
    others.sort_by_key(|one| (one.kind(), one.number));
    let groups = others.chunks(chunk::SIZE).map(<[_]>::to_vec).chain(single.into_iter().map(|one| vec![one]));
    let make = |group: Vec<&Bound>| {
        let members: Vec<_> = group.iter().map(|one| (one.number, one.entry_points, &one.package)).collect();
        Chunk::new(&members, libraries::needed(libraries, group.iter().map(|one| &one.reads)))
    };
    groups.map(make).collect()
}

/// The policies' modules by path, and the libraries', as far as they passed the gate.
fn judged(
    policies: &[&Policy],
    libraries: &[Module],
    faults: &mut Vec<Fault>,
) -> (BTreeMap<String, Parsed>, Vec<Parsed>) {
    let promises = policies.iter().map(|policy| Promise::of(policy)).collect();
    let settings = ProgramSettings { contract: Contract::Policies(promises), ..ProgramSettings::default() };
    let modules: Vec<Module> =
        policies.iter().map(|policy| &policy.module).chain(libraries).cloned().collect();
    let parsed = program::judged(&modules, &settings, faults);
    let paths: BTreeSet<&str> = policies.iter().map(|policy| policy.module.path.as_str()).collect();
    let is_policy = |module: &Parsed| paths.contains(module.module.path.as_str());
    faults.extend(parsed.iter().flat_map(|module| packages::faults(module, is_policy(module))));
    let (policies, libraries): (Vec<_>, Vec<_>) = parsed.into_iter().partition(is_policy);
    (policies.into_iter().map(|module| (module.module.path.clone(), module)).collect(), libraries)
}
