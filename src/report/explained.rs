//! How decisions came about, as `explain` shows it: for each object the policies that were asked and why the others
//! were not, the facts, and which rule said what.

use serde_json::{Map, Value, json};

use super::paint::{Paint, width};
use super::words::plain;
use super::{DocumentResult, DocumentStatus};
use crate::admission::Request;
use crate::engine::Said;
use crate::patch::Patch;
use crate::policy::Mode;
use crate::review::{Action, Asked, BindingTrace, ExceptionTrace, Phase, Softened, Trace};

/// How much of a value is shown to people: to recognise it.
const SHOWN: usize = 160;

/// A document, and the reviews that decided about it.
#[derive(Clone, Debug)]
pub struct Explained {
    /// What became of it.
    pub document: DocumentResult,
    /// In their order; none of a document that was not judged.
    pub reviews: Vec<ExplainedReview>,
}

/// One phase of one request.
#[derive(Clone, Debug)]
pub struct ExplainedReview {
    /// Whether it is about the Pod that the object would make.
    pub its_pods: bool,
    /// The phase.
    pub phase: Phase,
    /// What was asked.
    pub request: Request,
    /// How it was decided.
    pub trace: Trace,
    /// What is changed.
    pub patch: Patch,
}

/// For people. `file`: how a file of the policies' tree is called from here.
pub fn explained_text(all: &[Explained], file: impl Fn(&str) -> String, paint: Paint) -> String {
    let mut lines = Lines { text: String::new(), paint };
    for Explained { document, reviews } in all {
        let DocumentResult { file: of, line, object, reason, status, .. } = document;
        let name = [&object.kind, &object.namespace, &object.name];
        let name: Vec<&str> = name.into_iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
        let head = format!("{of}:{line}: {}: {}", name.join("/"), word(*status));
        let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        lines.push(0, ink(*status), &head, &reason);
        for review in reviews {
            let whose = if review.its_pods { "its Pods, " } else { "" };
            let phase = format!("{whose}{}: ", phase(review.phase));
            lines.push(2, Paint::bold, &phase, &asked_for(&review.request));
            if let Some(why) = review.trace.unjudged {
                lines.push(4, Paint::cyan, "nobody is asked: ", &why.to_string());
            }
            for trace in review.trace.bindings.values() {
                binding(review.phase, trace, &file, &mut lines);
            }
            for (name, fact) in &review.trace.facts {
                let head = format!("fact {name}: ");
                let value = match fact.clone().known() {
                    Ok(value) => cut(&value.to_string(), lines.rest(4, &head)),
                    Err(why) => format!("not known: {why}"),
                };
                lines.push(4, Paint::blue, &head, &value);
            }
        }
    }
    lines.text
}

fn binding(phase: Phase, trace: &BindingTrace, file: impl Fn(&str) -> String, lines: &mut Lines) {
    let who = format!("{} (binding {})", trace.policy, trace.binding);
    let asked = match &trace.outcome {
        Ok(asked) => asked,
        Err(why) => return lines.push(4, Paint::cyan, "not asked: ", &format!("{who}: {why}")),
    };
    let mode = asked.mode.map(|mode| format!(", because the mode of the namespace is {}", mode.as_str()));
    let templates = match asked.templates {
        Some(Softened::Warns) => {
            "; warns where it is about the template, whose Pods are asked when they are made"
        }
        Some(Softened::Dropped) => "; nothing where it is about the template (templates: off)",
        None => "",
    };
    let mode = mode.unwrap_or_default();
    let does = match phase {
        Phase::Mutate => "its patch is applied".to_owned(),
        Phase::Validate => format!("a denial {}", verb(asked.action)),
    };
    lines.push(4, Paint::green, "asked: ", &format!("{who}: {does}{mode}{templates}"));
    for ExceptionTrace { exception, reason, until, unseen } in &asked.exceptions {
        let what = match unseen {
            Some((container, control)) => {
                format!("takes container \"{container}\" out of the control `{control}`")
            }
            None => "excuses all violations".to_owned(),
        };
        let head = format!("exception {exception} ");
        lines.push(6, Paint::green, &head, &format!("{what}, until {until}: {reason}"));
    }
    match &asked.rules {
        Ok(rules) => rules.iter().for_each(|rule| said_by(rule, &file(&trace.file), lines)),
        Err(error) => lines.push(6, Paint::red, "in error: ", &error.to_string()),
    }
}

/// What a rule said, a line each.
fn said_by(rule: &Said, file: &str, lines: &mut Lines) {
    let Said { entry_point, line, reached, value } = rule;
    let head = format!("{file}:{line}: {entry_point}: ");
    match value {
        Err(error) => lines.push(6, Paint::red, &head, &short(&format!("in error: {error}"))),
        Ok(value) => {
            let says = said(value);
            if says.is_empty() {
                let reached = reached.map(|line| format!(", reached line {line}")).unwrap_or_default();
                lines.push(6, plainly, &head, &format!("nothing{reached}"));
            }
            says.iter().for_each(|one| lines.push(6, Paint::bold, &head, &short(one)));
        }
    }
}

/// Lines that fit the terminal.
struct Lines {
    text: String,
    paint: Paint,
}

impl Lines {
    /// How much fits a line behind a head: JSON has no place to be wrapped at.
    fn rest(&self, indent: usize, head: &str) -> usize {
        let taken = indent.saturating_add(width(head)).saturating_add(1);
        self.paint.width.map_or(SHOWN, |columns| columns.saturating_sub(taken).min(SHOWN))
    }

    /// Adds a line, whose `head` has a colour. Names and messages are a manifest's: they must neither begin a line of their
    /// own nor steer a terminal.
    fn push(&mut self, indent: usize, ink: fn(Paint, String) -> String, head: &str, rest: &str) {
        let (head, rest) = (plain(head), plain(rest));
        let (taken, below) = (indent.saturating_add(width(&head)), indent.saturating_add(4));
        for (index, part) in self.paint.wrapped(&rest, taken, below).iter().enumerate() {
            let (indent, head) = match index {
                0 => (indent, ink(self.paint, head.clone())),
                _ => (below, String::new()),
            };
            self.text.push_str(&format!("{}{head}{part}\n", " ".repeat(indent)));
        }
    }
}

fn plainly(_: Paint, text: String) -> String {
    text
}

fn ink(status: DocumentStatus) -> fn(Paint, String) -> String {
    match status {
        DocumentStatus::Denied | DocumentStatus::Error | DocumentStatus::Invalid => Paint::red,
        DocumentStatus::Warned => Paint::yellow,
        DocumentStatus::Passed => Paint::green,
        DocumentStatus::Skipped => Paint::cyan,
    }
}

/// For programs. `file`: as in [`explained_text`].
pub fn explained_json(revision: &str, all: &[Explained], file: impl Fn(&str) -> String) -> Value {
    let document = |one: &Explained| {
        let mut members = match json!(one.document) {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        let reviews = one.reviews.iter().map(|review| review_json(review, &file)).collect();
        members.insert("reviews".to_owned(), reviews);
        Value::Object(members)
    };
    let documents: Vec<Value> = all.iter().map(document).collect();
    json!({ "apiVersion": "meshgate.io/v1alpha1", "kind": "Explanation", "revision": revision, "documents": documents })
}

fn review_json(review: &ExplainedReview, file: &impl Fn(&str) -> String) -> Value {
    let ExplainedReview { its_pods, request, trace, patch, .. } = review;
    let facts: Map<String, Value> = trace
        .facts
        .iter()
        .map(|(name, fact)| {
            let value = fact.clone().known().unwrap_or_else(|why| json!({ "error": why }));
            (name.to_string(), value)
        })
        .collect();
    let bindings: Vec<Value> = trace.bindings.values().map(|one| binding_json(one, file)).collect();
    let mut members = json!({
        "of": if *its_pods { "pods" } else { "object" },
        "phase": phase(review.phase),
        "request": {
            "operation": request.operation().as_str(),
            "resource": request.value().get("resource"),
            "namespace": request.namespace(),
        },
        "bindings": bindings,
        "facts": facts,
    });
    let mut set = |name: &str, value: Value| {
        drop(members.as_object_mut().map(|all| all.insert(name.to_owned(), value)))
    };
    if let Some(why) = trace.unjudged {
        set("unjudged", json!(why.to_string()));
    }
    if review.phase == Phase::Mutate {
        set("patch", patch.to_value());
    }
    members
}

fn binding_json(trace: &BindingTrace, file: &impl Fn(&str) -> String) -> Value {
    let BindingTrace { policy, binding, outcome, .. } = trace;
    let (policy, file) = (policy.as_str(), file(&trace.file));
    let rule = |said: &Said| {
        let (says, error) = match &said.value {
            Ok(value) => (Some(value.clone()).filter(|value| !value.is_null()), None),
            Err(error) => (None, Some(error.to_string())),
        };
        let Said { entry_point, line, reached, .. } = said;
        let all = json!({ "entryPoint": entry_point, "file": file, "line": line, "reached": reached, "says": says, "error": error });
        without_null(all)
    };
    let exception = |ExceptionTrace { exception, reason, until, unseen }: &ExceptionTrace| {
        let (container, control) = (unseen.as_ref().map(|one| &one.0), unseen.as_ref().map(|one| &one.1));
        without_null(
            json!({ "name": exception, "reason": reason, "expires": until, "container": container, "control": control }),
        )
    };
    match outcome {
        Err(why) => json!({ "policy": policy, "binding": binding, "asked": false, "why": why.to_string() }),
        Ok(Asked { action, mode, templates, exceptions, rules }) => without_null(json!({
            "error": rules.as_ref().err().map(ToString::to_string),
            "policy": policy, "binding": binding, "asked": true, "action": action, "mode": mode.map(Mode::as_str),
            "templates": templates.map(|softened| match softened { Softened::Warns => "warn", Softened::Dropped => "off" }),
            "exceptions": exceptions.iter().map(exception).collect::<Vec<_>>(),
            "rules": rules.iter().flatten().map(rule).collect::<Vec<_>>(),
        })),
    }
}

fn without_null(mut value: Value) -> Value {
    if let Some(members) = value.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    value
}

/// The elements of a set as people read them, or the value of another rule.
fn said(value: &Value) -> Vec<String> {
    let one = |value: &Value| match value.get("msg").unwrap_or(value) {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) if items.iter().all(|item| item.get("op").is_none()) => {
            items.iter().map(one).collect()
        }
        other => vec![one(other)],
    }
}

fn short(text: &str) -> String {
    cut(text, SHOWN)
}

fn cut(text: &str, characters: usize) -> String {
    let mut start: String = text.chars().take(characters).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    start
}

/// `CREATE deployments.apps/v1 in shop`.
fn asked_for(request: &Request) -> String {
    let resource = request.resource();
    let sub = request.sub_resource().map(|name| format!("/{name}")).unwrap_or_default();
    let group = if resource.group.is_empty() { String::new() } else { format!(".{}", resource.group) };
    let namespace = request.namespace().map(|name| format!(" in {name}")).unwrap_or_default();
    format!("{} {}{sub}{group}/{}{namespace}", request.operation(), resource.resource, resource.version)
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Mutate => "mutate",
        Phase::Validate => "validate",
    }
}

fn verb(action: Action) -> &'static str {
    match action {
        Action::Deny => "denies",
        Action::Warn => "warns",
        Action::Audit => "is recorded",
        Action::Excused => "is excused",
    }
}

fn word(status: DocumentStatus) -> &'static str {
    match status {
        DocumentStatus::Passed => "passed",
        DocumentStatus::Denied => "denied",
        DocumentStatus::Warned => "warned",
        DocumentStatus::Error => "in error",
        DocumentStatus::Skipped => "skipped",
        DocumentStatus::Invalid => "invalid",
    }
}
