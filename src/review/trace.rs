//! How a decision came about, for `explain`: kept only where it was asked for, by the steps that decide.

use std::collections::BTreeMap;
use std::fmt;

use super::decision::{Action, Phase};
use super::excepted::{Excepted, Exemption, excepted, excuse, exempt, exemptions};
use super::unjudged::Unjudged;
use crate::admission::Request;
use crate::context::{Fact, Now};
use crate::engine::{Bound, Bundle, EvaluationError, Input, Said};
use crate::policy::{DeclaredFact, Exception, Mismatch, Mode, PolicyId};

/// What was looked at, and what became of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// Why nobody was asked, whatever the matches say.
    pub unjudged: Option<Unjudged>,
    /// The bindings that have something to say in this phase, by their places in the bundle.
    pub bindings: BTreeMap<usize, BindingTrace>,
    /// The facts that were looked at, of the object as it came: those that a match hangs on, and those that policies
    /// declare which were asked.
    pub facts: BTreeMap<DeclaredFact, Fact>,
}

/// What became of a binding.
#[derive(Clone, Debug, PartialEq)]
pub struct BindingTrace {
    /// The policy.
    pub policy: PolicyId,
    /// Its file in the tree.
    pub file: String,
    /// The binding's name.
    pub binding: String,
    /// Whether it was asked.
    pub outcome: Result<Asked, Outside>,
}

/// A binding that was asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// What a denial of it does.
    pub action: Action,
    /// The mode of the namespace that says so; none where the binding says it outright.
    pub mode: Option<Mode>,
    /// What a denial about a template does instead; none where it makes no difference.
    pub templates: Option<Softened>,
    /// The exceptions that cover the object for it.
    pub exceptions: Vec<ExceptionTrace>,
    /// What each rule of its entry points says, in the order of the file; or why none could be asked.
    pub rules: Result<Vec<Said>, EvaluationError>,
}

/// What an exception takes from a binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExceptionTrace {
    /// Its name.
    pub exception: String,
    /// Why there is one, in the words of who answers for it.
    pub reason: String,
    /// When it ends.
    pub until: String,
    /// The container that the rules don't see, and under which control; None: it excuses all violations.
    pub unseen: Option<(String, String)>,
}

/// What becomes of denials about a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Softened {
    /// The Pods are judged when they are made.
    Warns,
    /// The binding leaves templates alone.
    Dropped,
}

/// Why a binding was not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outside {
    /// It is a tenant's, and the object is in none of the tenant's namespaces.
    Tenant,
    /// No rule means the request; what keeps it out of the nearest.
    Rules(Side, Mismatch),
    /// Neither the object's labels nor the old object's are selected.
    ObjectSelector(Side),
    /// The labels of the namespace are not selected.
    NamespaceSelector(Side),
    /// The namespace is exempt.
    Exempt,
    /// The namespace's mode is `off`.
    Off,
    /// It only records, so it changes nothing.
    Records,
    /// It leaves templates alone.
    Templates,
    /// It hangs on a fact that is still to be gathered.
    Later,
}

/// Whose match it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// That of the policy's METADATA.
    Policy,
    /// That of the binding, which narrows it.
    Binding,
}

impl Trace {
    /// Notes what became of a binding. Who was asked once was asked, whatever became of the object later.
    pub(super) fn note(&mut self, bound: &Bound, outcome: Result<Asked, Outside>) {
        if self.bindings.get(&bound.place()).is_none_or(|known| known.outcome.is_err()) {
            let (policy, file) = (bound.policy.id.clone(), bound.policy.module.path.clone());
            let trace = BindingTrace { policy, file, binding: bound.binding.name.clone(), outcome };
            self.bindings.insert(bound.place(), trace);
        }
    }

    /// Notes a fact. The object as it came is what is told about.
    pub(super) fn learn(&mut self, name: &DeclaredFact, fact: &Fact) {
        self.facts.entry(name.clone()).or_insert_with(|| fact.clone());
    }

    /// Asks the rules of those who were asked, each alone, about the object as it came.
    pub(super) fn asking(mut self, bundle: &Bundle, request: &Request, phase: Phase, now: Now) -> Self {
        let excepted = excepted(bundle, request, now);
        let input = Input::new(request.value(), self.facts.clone());
        let input = input.exempting(exempt(&excepted, bundle.bound.iter()));
        for bound in &bundle.bound {
            let Some(BindingTrace { outcome: Ok(asked), .. }) = self.bindings.get_mut(&bound.place()) else {
                continue;
            };
            asked.exceptions = exceptions(&excepted, bound, phase);
            if asked.rules.is_ok() {
                asked.rules = bundle.said(bound, &input).map(|mut rules| {
                    rules.retain(|said| {
                        matches!(said.entry_point.as_str(), "patch" | "inject") == (phase == Phase::Mutate)
                    });
                    rules
                });
            }
        }
        self
    }
}

/// What the exceptions take from a binding, in their order. A violation is excused where it is judged.
fn exceptions(excepted: &[Excepted<'_>], bound: &Bound, phase: Phase) -> Vec<ExceptionTrace> {
    let trace = |exception: &Exception, unseen| ExceptionTrace {
        exception: exception.name.clone(),
        reason: exception.reason.clone(),
        until: exception.expires.clone(),
        unseen,
    };
    let units = exemptions(excepted, bound).into_iter();
    let unseen = units.map(|Exemption { control, container, exception }| {
        trace(exception, Some((container, control.to_owned())))
    });
    let whole = excuse(excepted, bound).filter(|_| phase == Phase::Validate);
    unseen.chain(whole.map(|exception| trace(exception, None))).collect()
}

impl fmt::Display for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rules(side, mismatch) => {
                let what = match mismatch {
                    Mismatch::Group => "this API group",
                    Mismatch::Resource => "this resource",
                    Mismatch::Scope => "this scope",
                    Mismatch::Operation => "this operation",
                    Mismatch::Version => "this version",
                };
                write!(f, "no rule of the {side}'s match names {what}")
            }
            Self::ObjectSelector(side) => {
                write!(f, "the objectSelector of the {side}'s match does not select its labels")
            }
            Self::NamespaceSelector(side) => {
                write!(f, "the namespaceSelector of the {side}'s match does not select its namespace")
            }
            Self::Tenant => f.write_str("the object is in none of the namespaces of the binding's tenant"),
            Self::Exempt => f.write_str("its namespace is exempt"),
            Self::Off => f.write_str("the mode of its namespace is off"),
            Self::Records => f.write_str("the binding only records, so it changes nothing"),
            Self::Templates => f.write_str("the binding leaves templates alone (templates: off)"),
            Self::Later => f.write_str("a fact is still to be gathered"),
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Policy => "policy",
            Self::Binding => "binding",
        })
    }
}
