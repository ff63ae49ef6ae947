//! MG106: no rule depends on itself. The interpreter would follow it until the stack, and with it the process, ends.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::faults::Found;
use super::reading::Reading;
use super::rules::Rules;
use super::terms::{Form, Function, Place, Rule, Statement, Term, Visitor, visit_rule};

/// The numbers of the rules that each rule reads or calls.
pub(super) fn edges(reading: &Reading<'_>, rules: &Rules<'_>) -> Vec<BTreeSet<usize>> {
    let read = |rule: &Rule| reads(rules, rule).into_iter().map(|(_, number)| number).collect();
    reading.rules.iter().map(read).collect()
}

/// Finds the rules that depend on themselves, each circle once, and says whether there is none.
pub(super) fn judge(reading: &Reading<'_>, edges: &[BTreeSet<usize>], found: &mut Found) -> bool {
    let mut reported = BTreeSet::new();
    for (number, rule) in reading.rules.iter().enumerate() {
        if reported.contains(&number) {
            continue;
        }
        let Some(circle) = circle(edges, number) else { continue };
        let name = |number: &usize| {
            reading.rules.get(*number).map(|rule| rule.names().join(".")).unwrap_or_default()
        };
        let way: Vec<String> = circle.iter().chain([&number]).map(name).collect();
        reported.extend(circle);
        if let Some(module) = reading.modules.get(rule.module) {
            let message = format!(
                "the rule depends on itself: {}; Rego has no recursion: use a comprehension, `walk`, or `graph.reachable`",
                way.join(" → ")
            );
            found.add(module, "MG106", rule.place, message);
        }
    }
    reported.is_empty()
}

/// A way from a rule back to it, without its end.
fn circle(edges: &[BTreeSet<usize>], start: usize) -> Option<Vec<usize>> {
    let mut from: BTreeMap<usize, usize> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(number) = queue.pop_front() {
        for next in edges.get(number)? {
            if *next == start {
                let mut way = vec![number];
                while let Some(before) = way.last().and_then(|last| from.get(last)) {
                    way.push(*before);
                }
                way.reverse();
                return Some(way);
            }
            if let Entry::Vacant(slot) = from.entry(*next) {
                slot.insert(number);
                queue.push_back(*next);
            }
        }
    }
    None
}

/// The numbers of the rules that a rule reads or calls, and where it does.
pub(super) fn reads(rules: &Rules<'_>, rule: &Rule) -> Vec<(Place, usize)> {
    let mut reads = Reads { rules, found: Vec::new() };
    visit_rule(rule, &mut reads);
    reads.found
}

struct Reads<'a> {
    rules: &'a Rules<'a>,
    found: Vec<(Place, usize)>,
}

impl Visitor for Reads<'_> {
    /// What `with` replaces is looked up, too.
    fn statement(&mut self, statement: &Statement) {
        for with in &statement.with {
            if let Form::Data(steps) = &with.target.form {
                self.add(with.target.place, steps);
            }
        }
    }

    fn term(&mut self, term: &Term) {
        match &term.form {
            Form::Data(steps) => self.add(term.place, steps),
            Form::Call(call) => {
                if let Function::Rule(path) = &call.function {
                    let step =
                        |name: &String| Term { place: Place::default(), form: Form::Text(name.clone()) };
                    let steps: Vec<Term> = path.iter().map(step).collect();
                    self.add(call.name, &steps);
                }
            }
            _ => {}
        }
    }
}

impl Reads<'_> {
    fn add(&mut self, place: Place, steps: &[Term]) {
        self.found.extend(self.rules.read_by(steps).into_iter().map(|number| (place, number)));
    }
}
