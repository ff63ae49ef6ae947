//! Which entry points a policy has, read from the interpreter's syntax tree.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::policy::Fault;

/// The rules of a policy that meshgate asks for (contracts: entry points).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct EntryPoints {
    pub(super) deny: bool,
    pub(super) warn: bool,
    pub(super) audit: bool,
    pub(super) annotations: bool,
    pub(super) patch: bool,
}

impl EntryPoints {
    /// The names of those that `/validate` asks for.
    pub(super) fn judging(self) -> Vec<&'static str> {
        let all = [
            ("deny", self.deny),
            ("warn", self.warn),
            ("audit", self.audit),
            ("annotations", self.annotations),
        ];
        all.into_iter().filter_map(|(name, present)| present.then_some(name)).collect()
    }
}

/// How a rule of a syntax tree is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `name contains …`
    Set,
    /// `name := …` or `name[key] := …`
    Value,
    /// `name(…) := …`
    Function,
}

/// Reads the entry points of every module in `ast` (the interpreter's `get_ast_as_json`), by file.
pub(super) fn read(ast: &Value) -> BTreeMap<String, Result<EntryPoints, Vec<Fault>>> {
    let modules = ast.as_array().into_iter().flatten();
    modules
        .filter_map(|module| {
            let file = module.pointer("/source/file")?.as_str()?;
            Some((file.to_owned(), of_module(file, module.pointer("/ast/rules")?)))
        })
        .collect()
}

fn of_module(file: &str, rules: &Value) -> Result<EntryPoints, Vec<Fault>> {
    let mut found = EntryPoints::default();
    let mut faults = Vec::new();
    for rule in rules.as_array().into_iter().flatten() {
        let Some((name, form, line)) = head(rule) else { continue };
        let (present, wanted, remedy) = match name {
            "deny" => (&mut found.deny, Form::Set, "`deny contains … if …`"),
            "warn" => (&mut found.warn, Form::Set, "`warn contains … if …`"),
            "audit" => (&mut found.audit, Form::Set, "`audit contains … if …`"),
            "annotations" => (&mut found.annotations, Form::Value, "`annotations := {…}`"),
            "patch" => (&mut found.patch, Form::Value, "`patch := […] if …`"),
            "inject" => {
                faults.push(fault(
                    file,
                    line,
                    "`inject` is not supported by this release; remove the rule".to_owned(),
                ));
                continue;
            }
            _ => continue,
        };
        *present = true;
        if form != wanted {
            faults.push(fault(
                file,
                line,
                format!("the entry point `{name}` has another form; write {remedy}"),
            ));
        }
    }
    if found == EntryPoints::default() && faults.is_empty() {
        let message = "no entry point, so nothing would ever be judged; a policy has at least one of deny, warn, audit, annotations, patch";
        faults.push(Fault::of_file(file, message));
    }
    if faults.is_empty() { Ok(found) } else { Err(faults) }
}

/// Name, form and line of a rule's head.
fn head(rule: &Value) -> Option<(&str, Form, u64)> {
    if let Some(default) = rule.get("Default") {
        return Some((root(default.get("refr")?)?, Form::Value, line(default)));
    }
    let spec = rule.get("Spec")?;
    let (form, head) = spec.get("head")?.as_object()?.iter().next()?;
    let form = match form.as_str() {
        "Set" => Form::Set,
        "Func" => Form::Function,
        _ => Form::Value,
    };
    Some((root(head.get("refr")?)?, form, line(spec)))
}

/// The first name of a reference: `annotations` of `annotations["a"].b`.
fn root(mut reference: &Value) -> Option<&str> {
    loop {
        let (form, inner) = reference.as_object()?.iter().next()?;
        match form.as_str() {
            "Var" => return inner.get("value")?.as_str(),
            "RefDot" | "RefBrack" => reference = inner.get("refr")?,
            _ => return None,
        }
    }
}

fn line(node: &Value) -> u64 {
    node.pointer("/span/line").and_then(Value::as_u64).unwrap_or_default()
}

fn fault(file: &str, line: u64, message: String) -> Fault {
    Fault::new(file, (usize::try_from(line).unwrap_or_default(), 0), message)
}
