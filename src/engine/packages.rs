//! A binding becomes a package: a copy of its policy whose parameters are its own. So one policy that is bound twice
//! is asked twice in one evaluation, and neither sees the other's parameters. Lines stay where the author wrote them.

use super::syntax::{Descend, Edits, Expr, LiteralStmt, Parsed, Ref, Scopes, Visit, path, walk_module};
use crate::policy::{Fault, Module};

/// The package that asks all bindings, and what the names of theirs begin with.
pub(super) const OURS: &str = "meshgate";
/// Where the parameters of all bindings stand below `input`.
pub(super) const PARAMETERS: &str = "parameters_of";

/// The package of the binding with that number. One name and no path: the interpreter puts paths together at every call
/// and every rule that it looks up.
pub(super) fn name(number: usize) -> String {
    format!("{OURS}_{}", member(number))
}

/// The name of the binding with that number in `input.parameters_of` and `input.ask`.
pub(super) fn member(number: usize) -> String {
    format!("b{number}")
}

/// The policy as the package of a binding.
pub(super) fn bind(policy: &Parsed, number: usize) -> Module {
    let own = path(&policy.tree.package.refr).unwrap_or_default();
    let mut rewrite = Rewrite { policy, edits: Edits::default(), own: Some((own, number)) };
    rewrite.edits.replace(policy.range(&policy.tree.package.refr), name(number));
    rewrite.all();
    rewrite.done()
}

/// A library, in which the clock is the request's as everywhere.
pub(super) fn library(library: &Parsed) -> Module {
    let mut rewrite = Rewrite { policy: library, edits: Edits::default(), own: None };
    rewrite.all();
    rewrite.done()
}

/// What a module says that would mean something else in a package of its own, or in another's: it is refused.
pub(super) fn faults(module: &Parsed, is_policy: bool) -> Vec<Fault> {
    let own = path(&module.tree.package.refr).unwrap_or_default();
    let mut references = References { module, is_policy, own, faults: Vec::new() };
    for import in &module.tree.imports {
        references.import(&import.refr, import.r#as.is_some());
    }
    walk_module(&module.tree, &mut references);
    references.faults
}

struct References<'a> {
    module: &'a Parsed,
    is_policy: bool,
    own: Vec<String>,
    faults: Vec<Fault>,
}

impl References<'_> {
    fn import(&mut self, expr: &Expr, is_renamed: bool) {
        match path(expr).unwrap_or_default().iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["data"] => {
                self.add(expr, "`data` under a name of its own; import the library, `data.lib.<name>`")
            }
            ["input"] if is_renamed => self.add(expr, "`input` under another name; call it `input`"),
            _ => drop(self.look(expr)),
        }
    }

    fn look(&mut self, expr: &Expr) -> Descend {
        let Some(path) = path(expr) else { return Descend::Into };
        let names: Vec<&str> = path.iter().map(String::as_str).collect();
        match names.as_slice() {
            ["input", "parameters", ..] if !self.is_policy => {
                self.add(expr, "a library can't read the parameters of a binding; hand over what it needs as an argument");
            }
            ["data", name, ..] if name.starts_with(OURS) => {
                self.add(expr, "`data.meshgate` is not for policies; remove it");
            }
            ["data", rest @ ..] if rest.first() == Some(&"policies") => {
                if !rest.starts_with(&self.own.iter().map(String::as_str).collect::<Vec<_>>()) {
                    self.add(expr, "a policy can't use another one; move what both need to a library, `lib/<name>/<name>.rego`");
                }
            }
            ["data" | "input", ..] => {}
            _ => return Descend::Into,
        }
        Descend::Past
    }

    /// What can't be replaced for a part of a policy: its clock, its parameters and its facts are not where they seem.
    fn target(&mut self, expr: &Expr) {
        match path(expr).unwrap_or_default().iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["input"] | ["input", "context"] | ["time", "now_ns"] => {
                self.add(expr, "a policy can't replace this; replace `input.request` or a part of it, and leave the rest to tests");
            }
            _ => {}
        }
    }

    fn add(&mut self, expr: &Expr, message: &str) {
        self.faults.push(self.module.fault(self.module.range(expr).start, message));
    }
}

impl Visit for References<'_> {
    fn statement(&mut self, statement: &LiteralStmt, _: &Scopes) -> Descend {
        statement.with_mods.iter().for_each(|modifier| self.target(&modifier.refr));
        Descend::Into
    }

    fn expression(&mut self, expr: &Ref<Expr>, _: &Scopes) -> Descend {
        self.look(expr)
    }
}

struct Rewrite<'a> {
    policy: &'a Parsed,
    edits: Edits,
    /// The policy's own package and the number of its binding; none in a library.
    own: Option<(Vec<String>, usize)>,
}

impl Rewrite<'_> {
    fn all(&mut self) {
        for import in &self.policy.tree.imports {
            let Some(parts) = path(&import.refr) else { continue };
            let Some((rest, replaced)) = self.imported(&parts) else { continue };
            let path =
                [replaced.as_str()].into_iter().chain(rest.iter().map(String::as_str)).collect::<Vec<_>>();
            // What it is called must not change with it.
            let name = parts.last().filter(|_| import.r#as.is_none());
            let alias = name.map(|name| format!(" as {name}")).unwrap_or_default();
            self.edits.replace(self.policy.range(&import.refr), format!("{}{alias}", path.join(".")));
        }
        let policy = self.policy;
        walk_module(&policy.tree, self);
    }

    /// What the beginning of an import becomes, and the rest behind it.
    fn imported<'p>(&self, parts: &'p [String]) -> Option<(&'p [String], String)> {
        let (own, number) = self.own.as_ref()?;
        let parameters = ["input".to_owned(), "parameters".to_owned()];
        let package: Vec<String> = ["data".to_owned()].into_iter().chain(own.iter().cloned()).collect();
        if let Some(rest) = parts.strip_prefix(&parameters[..]) {
            return Some((rest, format!("input.{PARAMETERS}.{}", member(*number))));
        }
        parts.strip_prefix(package.as_slice()).map(|rest| (rest, format!("data.{}", name(*number))))
    }

    fn change(&mut self, expr: &Expr) -> Descend {
        match self.replacement(expr) {
            Some(text) => {
                self.edits.replace(self.policy.range(expr), text);
                Descend::Past
            }
            None => Descend::Into,
        }
    }

    fn replacement(&self, expr: &Expr) -> Option<String> {
        if let Expr::Call { fcn, .. } = expr {
            return is(fcn, &["time", "now_ns"]).then(|| "input.context.now.ns".to_owned());
        }
        let (own, number) = self.own.as_ref()?;
        if is(expr, &["input", "parameters"]) {
            return Some(format!("input.{PARAMETERS}.{}", member(*number)));
        }
        let below: Vec<String> = path(expr)?.into_iter().skip(1).collect();
        let is_own = matches!(root(expr), Some("data")) && below == *own;
        is_own.then(|| format!("data.{}", name(*number)))
    }

    fn done(self) -> Module {
        let Module { path, text } = &self.policy.module;
        Module { path: path.clone(), text: self.edits.apply(text) }
    }
}

impl Visit for Rewrite<'_> {
    fn expression(&mut self, expr: &Ref<Expr>, _: &Scopes) -> Descend {
        self.change(expr)
    }
}

fn is(expr: &Expr, wanted: &[&str]) -> bool {
    path(expr).is_some_and(|path| path == wanted)
}

fn root(mut expr: &Expr) -> Option<&str> {
    loop {
        match expr {
            Expr::Var { span, .. } => return Some(span.text()),
            Expr::RefDot { refr, .. } | Expr::RefBrack { refr, .. } => expr = refr,
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::syntax::RegoVersion;
    use super::*;

    fn parsed(text: &str) -> Parsed {
        let module = Module { path: "a.rego".to_owned(), text: text.to_owned() };
        Parsed::parse(module, RegoVersion::V1).unwrap_or_else(|fault| panic!("{fault}"))
    }

    #[test]
    fn a_binding_has_its_package_and_parameters_and_the_requests_clock() {
        let text = "package policies.a.b # why\n\nimport input.parameters\nimport input.parameters.x as y\nimport data.lib.c\n\ndeny contains msg if {\n\tinput.parameters.max < input[\"parameters\"][input.request.uid]\n\tnot data.policies.a.b.ok[time.now_ns()]\n\tmsg := sprintf(\"input.parameters %v\", [[p | p := input.parameters]])\n}\n\nok contains 1\n";
        let expected = "package meshgate_b7 # why\n\nimport input.parameters_of.b7 as parameters\nimport input.parameters_of.b7.x as y\nimport data.lib.c\n\ndeny contains msg if {\n\tinput.parameters_of.b7.max < input.parameters_of.b7[input.request.uid]\n\tnot data.meshgate_b7.ok[input.context.now.ns]\n\tmsg := sprintf(\"input.parameters %v\", [[p | p := input.parameters_of.b7]])\n}\n\nok contains 1\n";
        assert_eq!(bind(&parsed(text), 7).text, expected);
    }

    #[test]
    fn a_library_keeps_its_name() {
        let text = "package lib.c\n\nnow := time.now_ns()\n\nf(x) := input.request[x]\n";
        assert_eq!(library(&parsed(text)).text, text.replace("time.now_ns()", "input.context.now.ns"));
    }

    #[test]
    fn what_would_mean_something_else_is_refused() {
        let policy = "package policies.a.b\n\nimport data.policies.a.c\nimport input as i\nimport data as d\nimport data.policies.a.b.x as y\nimport input\n\ndeny contains 1 if data.policies.a.b.x\n\ndeny contains data.policies[\"a\"].c.y\n\nx if data.lib.c.f(data.policies)\n\nz if x with input as {}\n\nz if x with input.context as {}\n\nz if x with time.now_ns as 5\n\nz if x with data.meshgate_b0.ok as 1\n\nz if x with input.request.name as 1\n\nz if x with input.parameters.p as 1\n";
        let lines: Vec<usize> = faults(&parsed(policy), true).iter().map(|fault| fault.line).collect();
        assert_eq!(lines, [3, 4, 5, 11, 13, 15, 17, 19, 21]);
        let library = "package lib.c\n\nimport input.parameters\nimport input.request\n\nf(x) := input.parameters[x]\n\ng if f(1) with input.parameters as {}\n\nh := input.context.now\n\nimport data.lib.d\n";
        let library = library.replace("\n\nimport data.lib.d\n", "\n");
        let lines: Vec<usize> = faults(&parsed(&library), false).iter().map(|fault| fault.line).collect();
        assert_eq!(lines, [3, 6, 8]);
    }
}
