//! Step 2: folds the patches of all mutating policies over the object, until none has anything left to change. Called by
//! `mutate`; decides nothing about what the changes mean.

mod change;
mod rest;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::decision::{Finding, Phase};
use super::excepted::{exempt, taken_out};
use super::knowledge::Knowledge;
use super::matched::{Matched, declared, matched};
use crate::admission::Request;
use crate::engine::{Bound, Bundle, EvaluationError, Input};
use change::{Change, Changed};
use rest::{Rest, Unrest};

/// A change that a policy made.
pub(super) struct Step<'a> {
    /// Who made it.
    pub(super) by: Matched<'a>,
    /// The object before it.
    pub(super) before: Value,
    /// The object after it.
    pub(super) after: Value,
}

/// The object so far, and what led there.
pub(super) struct Fold<'a> {
    bundle: &'a Bundle,
    pub(super) request: Request,
    pub(super) steps: Vec<Step<'a>>,
    pub(super) findings: Vec<Finding>,
    pub(super) evaluated: BTreeMap<usize, bool>,
    /// As the last pass saw it.
    input: Option<Input>,
    rest: Rest,
    /// All bindings that were asked, by their places.
    concerned: BTreeSet<usize>,
}

/// What a pass came to.
enum Pass {
    Changed,
    AtRest,
}

impl<'a> Fold<'a> {
    /// Changes the object of `request` as the policies in force want it. Where they do not agree, it is the object that
    /// came; where one is in error that denies, nothing of it may be used. The findings say so.
    pub(super) fn run(bundle: &'a Bundle, request: &Request, knowledge: &mut Knowledge<'_>) -> Self {
        let mut fold = Self {
            bundle,
            request: request.clone(),
            steps: Vec::new(),
            findings: Vec::new(),
            evaluated: BTreeMap::new(),
            input: None,
            rest: Rest::default(),
            concerned: BTreeSet::new(),
        };
        while let Pass::Changed = fold.pass(knowledge) {}
        fold
    }

    /// Applies the first change that a policy wants. Errors count in the last pass only: who is in error about one state
    /// of the object is asked again about the next.
    fn pass(&mut self, knowledge: &mut Knowledge<'_>) -> Pass {
        let concerned = self.concerned(knowledge);
        let facts = knowledge.all(&declared(&concerned), &self.request);
        if knowledge.lacks_something() || concerned.is_empty() {
            return Pass::AtRest;
        }
        let input = match (self.input.take(), self.request.object()) {
            (Some(input), Some(object)) => input.with_object(object, facts),
            _ => Input::new(self.request.value(), facts),
        };
        let excepted = knowledge.excepted(&self.request);
        let input = input.exempting(exempt(&excepted, concerned.iter().map(|one| one.bound)));
        let asked: Vec<&Bound> =
            concerned.iter().filter(|one| one.error.is_none()).map(|one| one.bound).collect();
        let mut proposals = self.bundle.propose(&asked, &input).into_iter();
        self.input = Some(input);
        let kept = knowledge.recognised(&self.request).names;
        let mut findings = taken_out(&excepted, &concerned);
        for one in concerned {
            let lost = || Err(EvaluationError::Shape("the binding was not asked".to_owned()));
            let proposal = match &one.error {
                Some(error) => Err(error.clone()),
                None => proposals.next().unwrap_or_else(lost),
            };
            let failed = matches!(proposal, Err(EvaluationError::Policy(_)));
            *self.evaluated.entry(one.bound.place()).or_default() |= failed;
            match proposal.and_then(|proposal| change::read(proposal.as_ref(), &self.request, &kept)) {
                Ok(Change::None) => {}
                Ok(Change::LeftOut(why)) => findings.push(Finding::left_out(&one, why)),
                // Those behind it are asked about the object with this change.
                Ok(Change::Made(changed)) => return self.take(one, changed),
                Err(error) => findings.push(Finding::error(&one, &error)),
            }
        }
        self.findings.extend(findings);
        Pass::AtRest
    }

    /// The bindings that may change the object as it is now, in their order. Matched anew each time: a change can bring
    /// an object into a policy's match or take it out.
    fn concerned(&mut self, knowledge: &mut Knowledge<'_>) -> Vec<Matched<'a>> {
        let mut concerned = matched(self.bundle, &self.request, Phase::Mutate, knowledge);
        concerned.retain(|one| one.bound.mutates());
        concerned.sort_by_key(|one| {
            let (bound, policy) = (one.bound, &one.bound.policy);
            (policy.metadata.order, policy.id.clone(), bound.binding.name.clone())
        });
        self.concerned.extend(concerned.iter().map(|one| one.bound.place()));
        concerned
    }

    fn take(&mut self, by: Matched<'a>, Changed { before, after, pointers }: Changed) -> Pass {
        let unrest = self.rest.change(by.bound.place(), &pointers, &after, self.concerned.len());
        self.request = self.request.with_object(after.clone());
        self.steps.push(Step { by, before, after });
        match unrest {
            None => Pass::Changed,
            Some(unrest) => {
                self.give_up(&unrest);
                Pass::AtRest
            }
        }
    }

    /// No change of the fold may be used: that is an error of those who do not agree, and of all whose change is dropped.
    /// Where all of these are ignored, what comes after it is done to the object that came.
    fn give_up(&mut self, unrest: &Unrest) {
        let names: BTreeSet<String> = self
            .steps
            .iter()
            .filter(|step| unrest.between.contains(&step.by.bound.place()))
            .map(|step| name(&step.by))
            .collect();
        let names = Vec::from_iter(names).join(" and ");
        let (fight, dropped) = match &unrest.path {
            Some(path) => (
                format!("the mutations do not come to rest: `{path}` is changed to and fro by {names}"),
                format!("its change is dropped, because `{path}` is changed to and fro by {names}"),
            ),
            None => (
                format!(
                    "the mutations do not come to rest: each change makes another one necessary, by {names}"
                ),
                format!("its change is dropped, because the mutations do not come to rest by {names}"),
            ),
        };
        for step in &self.steps {
            let is_party = unrest.between.contains(&step.by.bound.place());
            let message = if is_party { fight.clone() } else { dropped.clone() };
            self.findings.push(Finding::error(&step.by, &EvaluationError::Mutation(message)));
        }
        if let Some(first) = self.steps.first() {
            self.request = self.request.with_object(first.before.clone());
        }
        self.steps.clear();
    }
}

fn name(matched: &Matched<'_>) -> String {
    format!("{} (binding {})", matched.bound.policy.id, matched.bound.binding.name)
}
