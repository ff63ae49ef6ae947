//! MG112: definitions that stand at one path agree on what stands there.

use std::collections::BTreeSet;

use serde_json::Value;

use super::faults::Found;
use super::reading::Reading;
use super::rules::Rules;
use super::terms::{Form, Rule, Shape, Term, Visitor, visit_term};

/// Judges the definitions at each path, and packages and base documents at rules' paths.
pub(super) fn judge(reading: &Reading<'_>, rules: &Rules<'_>, data: &Value, found: &mut Found) {
    let mut add = |rule: &Rule, message: String| {
        if let Some(module) = reading.modules.get(rule.module) {
            found.add(module, "MG112", rule.place, message);
        }
    };
    let packages: BTreeSet<&[String]> =
        reading.modules.iter().map(|module| module.package.as_slice()).collect();
    rules.each(&mut |path, here, below| {
        let name = path.join(".");
        let Some(last) = here.last() else { return };
        if let Some(problem) = differ(&here, &below) {
            return add(
                last,
                format!("the definitions of `data.{name}` don't agree: {problem}; rename one of them"),
            );
        }
        let mut defaults = here.iter().filter(|rule| rule.is_default).skip(1);
        if let Some(second) = defaults.next() {
            add(second, format!("`data.{name}` has a second default; remove one of them"));
        }
        let ground = here.iter().find(|rule| rule.is_ground());
        if let Some(rule) = ground.filter(|_| packages.contains(path)) {
            add(rule, format!("`data.{name}` is a rule here and a package elsewhere; rename one of them"));
        }
        let given = path.iter().try_fold(data, |data, step| data.get(step));
        if let Some(rule) = ground.filter(|_| given.is_some()) {
            add(rule, format!("`data.{name}` is a rule here and a document of the data; rename one of them"));
        }
    });
    for rule in reading.rules.iter().filter(|rule| rule.is_default) {
        constant(reading, rule, found);
    }
}

/// How definitions of one path contradict each other.
fn differ(here: &[&Rule], below: &[&Rule]) -> Option<&'static str> {
    let any = |test: &dyn Fn(&Rule) -> bool| here.iter().any(|rule| test(rule));
    let arities: BTreeSet<usize> = here.iter().map(|rule| rule.arguments.len()).collect();
    let is_complete = |rule: &Rule| rule.shape != Shape::Set && rule.is_ground();
    if any(&|rule| rule.shape == Shape::Set) && any(&|rule| rule.shape != Shape::Set) {
        return Some("some give the elements of a set (`contains`), others a value");
    }
    if any(&|rule| rule.shape == Shape::Function) && any(&|rule| rule.shape != Shape::Function) {
        return Some("some are functions, others are not");
    }
    if arities.len() > 1 {
        return Some("they take different numbers of arguments");
    }
    if any(&is_complete) && any(&|rule| !is_complete(rule)) {
        return Some("some give the whole value, others a part of it");
    }
    if any(&|rule| rule.shape == Shape::Set && rule.is_ground())
        && any(&|rule| rule.shape == Shape::Set && !rule.is_ground())
    {
        return Some("some give the elements of a set, others those of sets within an object");
    }
    if !below.is_empty() && any(&|rule| rule.is_ground()) {
        return Some("one gives the whole value, and another rule stands within it");
    }
    let is_function = |rule: &&&Rule| rule.shape == Shape::Function;
    if any(&|rule| !rule.is_ground()) && below.iter().any(|rule| is_function(&rule)) {
        return Some("one gives parts of the value, and a function stands within it");
    }
    None
}

/// The value of a default is written out.
fn constant(reading: &Reading<'_>, rule: &Rule, found: &mut Found) {
    struct Computed(bool);
    impl Visitor for Computed {
        fn term(&mut self, term: &Term) {
            self.0 |= matches!(
                term.form,
                Form::Variable(_) | Form::Data(_) | Form::Input(_) | Form::Into(..) | Form::Call(_)
            );
        }
    }
    let values = rule.branches.iter().filter_map(|branch| branch.value.as_ref());
    for value in values {
        let mut computed = Computed(false);
        if !matches!(value.form, Form::Comprehension(_)) {
            visit_term(value, &mut computed);
        }
        if let Some(module) = reading.modules.get(rule.module)
            && computed.0
        {
            let message = "a default is a constant; compute the value in a rule of its own and name that in another definition";
            found.add(module, "MG112", value.place, message);
        }
    }
}
