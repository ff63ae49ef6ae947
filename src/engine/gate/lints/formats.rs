//! MG212: `sprintf` with a format and values that can be counted, and don't fit.

use crate::engine::gate::faults::Found;
use crate::engine::gate::reading::Module;
use crate::engine::gate::terms::{Form, Function, Rule, Term, Visitor, visit_rule};

/// Looks at a rule's calls.
pub(super) fn judge(module: &Module<'_>, rule: &Rule, found: &mut Found) {
    visit_rule(rule, &mut Formats { module, found });
}

struct Formats<'a> {
    module: &'a Module<'a>,
    found: &'a mut Found,
}

impl Visitor for Formats<'_> {
    fn term(&mut self, term: &Term) {
        let Form::Call(call) = &term.form else { return };
        let [format, Term { form: Form::Array(values), .. }] = call.arguments.as_slice() else { return };
        if call.function != Function::Named("sprintf".to_owned()) {
            return;
        }
        let Some(wanted) = format.text().and_then(verbs) else { return };
        if wanted != values.len() {
            let message = format!(
                "the format takes {wanted} values and is given {}; correct one of them",
                values.len()
            );
            self.found.add(self.module, "MG212", format.place, message);
        }
    }
}

/// How many values a format takes; None where it says which (`%[1]d`) or takes a width from them (`%*d`).
fn verbs(format: &str) -> Option<usize> {
    let mut count = 0_usize;
    let mut rest = format;
    while let Some((_, after)) = rest.split_once('%') {
        let verb = after.trim_start_matches(|c: char| "+-# 0123456789.".contains(c));
        match verb.chars().next() {
            Some('%') => {}
            Some('[' | '*') | None => return None,
            Some(_) => count = count.saturating_add(1),
        }
        rest = verb.get(verb.chars().next().map_or(0, char::len_utf8)..).unwrap_or_default();
    }
    Some(count)
}

#[cfg(test)]
mod cases {
    use super::verbs;

    #[test]
    fn verbs_are_counted() {
        let counts = ["", "%v", "%s of %d", "100%%", "%-5.2f%%%v", "%[1]d", "%*d", "%"].map(verbs);
        assert_eq!(counts, [Some(0), Some(1), Some(2), Some(0), Some(2), None, None, None]);
    }
}
