//! Policies written for one test, and the requests that they are asked about.

use std::collections::{BTreeMap, BTreeSet};

use meshgate::admission::{GroupVersionKind, GroupVersionResource, Operation, Request, RequestParts};
use meshgate::context::{Fact, FactKey, Facts, Now};
use meshgate::engine::{Bundle, compile};
use meshgate::policy::{Draft, Tree};
use meshgate::review::{Decision, Finding, Phase, Progress, review};
use serde_json::{Value, json};

/// What a test's policies match where they say nothing else.
pub(crate) const ALL: &str =
    "rules: [{apiGroups: [\"*\"], apiVersions: [\"*\"], resources: [\"*\", \"*/*\"], operations: [\"*\"]}]";

/// A policies' tree in the making.
#[derive(Clone, Debug, Default)]
pub(crate) struct Policies(pub(crate) Tree);

impl Policies {
    /// A policy `test/NAME` that all requests concern. `custom`: lines of METADATA beside `match`.
    pub(crate) fn with(self, name: &str, custom: &[&str], body: &str) -> Self {
        self.matching(name, ALL, custom, body)
    }

    pub(crate) fn matching(self, name: &str, matches: &str, custom: &[&str], body: &str) -> Self {
        self.file("test", name, matches, custom, body).bound(
            &format!("test/{name}"),
            "b",
            "enforcement: deny, templates: deny",
        )
    }

    pub(crate) fn file(
        mut self,
        category: &str,
        name: &str,
        matches: &str,
        custom: &[&str],
        body: &str,
    ) -> Self {
        let custom: String = custom.iter().map(|line| format!("#   {line}\n")).collect();
        let text = format!(
            "# METADATA\n# title: t\n# description: d\n# custom:\n{custom}#   match:\n#     {}\npackage policies.{category}.{name}\n\n{body}\n",
            matches.replace('\n', "\n#     ")
        );
        self.0.insert(format!("{category}/{name}/{name}.rego"), text);
        self
    }

    pub(crate) fn bound(mut self, policy: &str, name: &str, spec: &str) -> Self {
        let text = format!(
            "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {{name: {name}}}\nspec: {{policy: {policy}, {spec}}}\n"
        );
        self.0.insert(format!("{}-{name}.yaml", policy.replace('/', "-")), text);
        self
    }

    /// The tree's Bundle says where a Fleet keeps its Pod: at `spec.jobs.template`.
    pub(crate) fn with_fleets(mut self) -> Self {
        let text = "apiVersion: meshgate.io/v1alpha1\nkind: Bundle\nmetadata: {name: b}\n\
            spec: {podTemplates: [{group: example.org, kind: Fleet, resource: fleets, path: spec.jobs.template}]}\n";
        self.0.insert("bundle.yaml", text);
        self
    }

    pub(crate) fn compiled(&self) -> Bundle {
        compile(Draft::read(&self.0, &Tree::default())).unwrap_or_else(|faults| panic!("{faults}"))
    }
}

/// Where a request comes from: group, version, kind, resource.
pub(crate) type Kind = (&'static str, &'static str, &'static str, &'static str);

pub(crate) const POD: Kind = ("", "v1", "Pod", "pods");

/// A kind that is not Kubernetes' own.
pub(crate) const FLEET: Kind = ("example.org", "v1", "Fleet", "fleets");

pub(crate) fn pod(metadata: Value, spec: Value) -> Value {
    let mut pod = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec });
    pod["metadata"]["name"] = json!("web");
    pod["metadata"]["namespace"] = json!("shop");
    pod
}

pub(crate) fn request(
    (group, version, kind, resource): Kind,
    sub_resource: Option<&str>,
    operation: Operation,
    object: Option<Value>,
    old_object: Option<Value>,
) -> Request {
    Request::new(RequestParts {
        uid: "7".to_owned(),
        kind: GroupVersionKind::new(group, version, kind),
        resource: GroupVersionResource::new(group, version, resource),
        sub_resource: sub_resource.map(str::to_owned),
        name: "web".to_owned(),
        namespace: Some("shop".to_owned()),
        operation,
        user_info: json!({ "username": "alice" }),
        object,
        old_object,
        dry_run: false,
    })
}

pub(crate) fn create(object: Value) -> Request {
    request(POD, None, Operation::Create, Some(object), None)
}

/// What is known: the namespace, with these labels.
pub(crate) fn facts(labels: Value) -> Facts {
    let mut facts = Facts::at(Now::parse("2026-01-31T12:00:00Z").unwrap());
    let key = FactKey::Namespace("shop".to_owned());
    let namespace = json!({ "name": "shop", "labels": labels, "annotations": {} });
    facts.extend(BTreeSet::from([key.clone()]), BTreeMap::from([(key, Fact::Known(namespace))]));
    facts
}

pub(crate) fn decided(bundle: &Bundle, request: &Request, phase: Phase) -> Decision {
    match review(bundle, &facts(json!({})), request, phase) {
        Progress::Done(decision) => *decision,
        Progress::Need(keys) => panic!("asks for {keys:?}"),
    }
}

pub(crate) fn mutated(bundle: &Bundle, request: &Request) -> Decision {
    decided(bundle, request, Phase::Mutate)
}

/// Policy, what it does, and message.
pub(crate) fn shown(findings: &[Finding]) -> Vec<String> {
    let one = |finding: &Finding| {
        let error = if finding.is_error { " error" } else { "" };
        format!("{:?}{error} {}: {}", finding.action, finding.policy, finding.message)
    };
    findings.iter().map(one).collect()
}

/// A policy that puts a value where another one, or none, is; null takes out what is there.
pub(crate) fn sets(path: &str, value: &Value) -> String {
    let operation = match value {
        Value::Null => json!({ "op": "remove", "path": path }),
        value => json!({ "op": "add", "path": path, "value": value }),
    };
    let reference = reference(path);
    format!("patch := [{operation}] if _from != {value}\n\ndefault _from := null\n\n_from := {reference}")
}

fn reference(path: &str) -> String {
    let parts = path.split('/').skip(1).map(|part| match part.parse::<usize>() {
        Ok(index) => format!("[{index}]"),
        Err(_) => format!("[\"{}\"]", part.replace("~1", "/")),
    });
    format!("input.request.object{}", parts.collect::<String>())
}
