//! Exceptions, tenants, suspension and the guard of Namespaces, through the whole review.

use std::collections::{BTreeMap, BTreeSet};

use meshgate::admission::{Answer, GroupVersionKind, GroupVersionResource, Operation, Request, RequestParts};
use meshgate::context::{Fact, FactKey, Facts, Now, Subjects};
use meshgate::engine::{Bundle, compile};
use meshgate::policy::{Draft, Tree};
use meshgate::review::{Action, Decision, Phase, Progress, review};
use meshgate::source;
use serde_json::{Value, json};

const NOW: &str = "2026-01-31T12:00:00Z";
const SCOPE: &str = "owner: o, reason: r, expires: '2026-03-01T00:00:00Z'";

pub(crate) fn document(kind: &str, name: &str, spec: &str) -> String {
    format!("apiVersion: meshgate.io/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n")
}

/// A policy that denies each privileged container.
const PRIVILEGED: &str = include_str!("../fixtures/policies/privileged.rego");

/// That policy, the embedded category `pod_security` and the given files.
fn bundle(files: &[(&str, String)]) -> Bundle {
    let mut tree = Tree::default();
    if !files.iter().any(|(path, _)| *path == "bundle.yaml") {
        tree.insert("bundle.yaml", document("Bundle", "b", "{includes: [pod_security]}"));
    }
    tree.insert(
        "binding.yaml",
        document("PolicyBinding", "bound", "{policy: workloads/privileged, enforcement: deny}"),
    );
    tree.insert("workloads/privileged/privileged.rego", PRIVILEGED);
    files.iter().for_each(|(path, text)| tree.insert(*path, text.as_str()));
    compile(Draft::read(&tree, &source::catalogue())).unwrap_or_else(|faults| panic!("{faults}"))
}

fn exception(name: &str, rest: &str) -> (&'static str, String) {
    (
        "exception.yaml",
        document("PolicyException", name, &format!("{{policy: workloads/privileged, {rest}}}")),
    )
}

fn container(name: &str, image: &str) -> Value {
    json!({ "name": name, "image": image, "securityContext": { "privileged": true } })
}

fn pod(containers: &[Value]) -> Request {
    pod_in("shop", containers)
}

fn pod_in(namespace: &str, containers: &[Value]) -> Request {
    let object = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "web-1", "namespace": namespace, "labels": { "app": "web" } },
        "spec": { "containers": containers },
    });
    request("Pod", "pods", "web-1", namespace, Operation::Create, Some(object), None)
}

fn request(
    kind: &str,
    resource: &str,
    name: &str,
    namespace: &str,
    operation: Operation,
    object: Option<Value>,
    old_object: Option<Value>,
) -> Request {
    Request::new(RequestParts {
        uid: "7".to_owned(),
        kind: GroupVersionKind::new("", "v1", kind),
        resource: GroupVersionResource::new("", "v1", resource),
        sub_resource: None,
        name: name.to_owned(),
        namespace: Some(namespace.to_owned()),
        operation,
        user_info: json!({ "username": "alice", "groups": ["system:authenticated"] }),
        object,
        old_object,
        dry_run: false,
    })
}

fn facts(now: &str, annotations: &Value) -> Facts {
    let mut facts = Facts::at(Now::parse(now).unwrap());
    for name in ["shop", "pay"] {
        let key = FactKey::Namespace(name.to_owned());
        let fact = Fact::Known(json!({ "name": name, "labels": {}, "annotations": annotations }));
        facts.extend(BTreeSet::from([key.clone()]), BTreeMap::from([(key, fact)]));
    }
    facts
}

fn decided(bundle: &Bundle, facts: &Facts, request: &Request) -> Decision {
    match review(bundle, facts, request, Phase::Validate) {
        Progress::Done(decision) => *decision,
        Progress::Need(keys) => panic!("{keys:?}"),
    }
}

/// What each finding does, about which container, and its message.
fn shown(decision: &Decision) -> Vec<(Action, String, String)> {
    let one = |finding: &meshgate::review::Finding| {
        (finding.action, finding.container.clone().unwrap_or_default(), finding.message.clone())
    };
    decision.findings.iter().map(one).collect()
}

fn validate_policies(decision: &Decision) -> String {
    let annotations = match decision.answer() {
        Answer::Allowed { audit_annotations, .. } | Answer::Denied { audit_annotations, .. } => {
            audit_annotations
        }
    };
    annotations.get("validate-policies").cloned().unwrap_or_default()
}

#[test]
fn of_two_bad_containers_one_is_exempt_and_the_message_names_only_the_other() {
    let exempt = format!("containers: [{{name: agent, image: 'registry.io/agents/*'}}], {SCOPE}");
    let bundle = bundle(&[exception("node-agent", &exempt)]);
    let request =
        pod(&[container("agent", "registry.io/agents/node:1"), container("web", "registry.io/web:1")]);
    let decision = decided(&bundle, &facts(NOW, &json!({})), &request);
    let [(Action::Deny, web, message), (Action::Excused, agent, excused)] = &shown(&decision)[..] else {
        panic!("{decision:?}");
    };
    assert_eq!((web.as_str(), agent.as_str()), ("web", "agent"));
    assert!(message.contains("\"web\"") && !message.contains("agent"), "{message}");
    assert_eq!(excused, "container \"agent\" is taken out of the control `workloads/privileged`");
    let excuse = decision.findings[1].excuse.clone().unwrap();
    assert_eq!((excuse.exception.as_str(), excuse.until.as_str()), ("node-agent", "2026-03-01T00:00:00Z"));
    assert_eq!(excuse.control.as_deref(), Some("workloads/privileged"));
    let expected = "deny: workloads/privileged; excused by node-agent: workloads/privileged";
    assert_eq!(validate_policies(&decision), expected);
}

#[test]
fn a_container_is_let_off_by_its_name_and_its_image() {
    let exempt = format!("containers: [{{name: agent, image: 'registry.io/agents/*'}}], {SCOPE}");
    let bundle = bundle(&[exception("node-agent", &exempt)]);
    let table: [(&[Value], bool); 6] = [
        (&[container("agent", "registry.io/agents/node:1")], true),
        (&[container("web", "registry.io/agents/node:1")], false),
        (&[container("agent", "registry.io.evil.io/agents/node:1")], false),
        (&[container("agent", "evil.io/registry.io/agents/node:1")], false),
        (&[container("agent", "registry.io/agents/node bad")], false),
        // One name, two containers: neither is the one that is meant.
        (&[container("agent", "registry.io/agents/node:1"), container("agent", "evil.io/a")], false),
    ];
    for (containers, expected) in table {
        let decision = decided(&bundle, &facts(NOW, &json!({})), &pod(containers));
        assert_eq!(decision.allowed(), expected, "{containers:?}");
    }
}

#[test]
fn without_containers_whole_violations_are_excused_and_stay_visible() {
    let bundle =
        bundle(&[exception("legacy", &format!("match: {{name: web-*, labels: {{app: web}}}}, {SCOPE}"))]);
    let decision =
        decided(&bundle, &facts(NOW, &json!({})), &pod(&[container("a", "a"), container("b", "b")]));
    let actions: Vec<(Action, String)> =
        shown(&decision).into_iter().map(|(action, name, _)| (action, name)).collect();
    assert_eq!(actions, [(Action::Excused, "a".to_owned()), (Action::Excused, "b".to_owned())]);
    assert!(decision.allowed());
    assert_eq!(validate_policies(&decision), "excused by legacy: workloads/privileged");
}

#[test]
fn an_exception_ends_with_its_time() {
    let bundle = bundle(&[exception("legacy", SCOPE)]);
    let request = pod(&[container("a", "a")]);
    for (now, expected) in [
        ("2026-02-28T23:59:59.999999999Z", true),
        ("2026-03-01T00:00:00Z", false),
        ("2026-03-01T00:30:00+01:00", true),
        ("2026-03-01T01:00:00+01:00", false),
    ] {
        assert_eq!(decided(&bundle, &facts(now, &json!({})), &request).allowed(), expected, "{now}");
    }
}

#[test]
fn an_exception_that_lasts_too_long_counts_no_earlier_than_it_may() {
    let settings = document("Bundle", "b", "{includes: [pod_security], maxExpiry: 10d}");
    let bundle = bundle(&[("bundle.yaml", settings), exception("legacy", SCOPE)]);
    let request = pod(&[container("a", "a")]);
    for (now, expected) in
        [("2026-02-18T23:59:59Z", false), ("2026-02-19T00:00:00Z", true), ("2026-03-01T00:00:00Z", false)]
    {
        assert_eq!(decided(&bundle, &facts(now, &json!({})), &request).allowed(), expected, "{now}");
    }
}

#[test]
fn a_policy_in_error_is_not_excused() {
    let rego = "# METADATA\n# title: t\n# description: d\n# custom:\n#   context: [owner]\n#   match:\n#     rules: [{apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}]\npackage policies.a.b\n\ndeny contains \"no\" if input.context.owner\n";
    let files = [
        ("a/b/b.rego", rego.to_owned()),
        ("b.yaml", document("PolicyBinding", "b", "{policy: a/b, enforcement: deny}")),
        ("e.yaml", document("PolicyException", "e", &format!("{{policy: a/b, {SCOPE}}}"))),
    ];
    let object = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": "web-1", "namespace": "shop", "ownerReferences": "none" }, "spec": { "containers": [] },
    });
    let request = request("Pod", "pods", "web-1", "shop", Operation::Create, Some(object), None);
    let decision = decided(&bundle(&files), &facts(NOW, &json!({})), &request);
    assert_eq!(
        decision.findings.iter().map(|f| (f.action, f.is_error)).collect::<Vec<_>>(),
        [(Action::Deny, true)]
    );
}

#[test]
fn a_policy_reads_the_exceptions_that_cover_the_object() {
    let rego = "# METADATA\n# title: t\n# description: d\n# custom:\n#   context: [exceptions]\n#   match:\n#     rules: [{apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}]\npackage policies.a.b\n\naudit contains json.marshal(input.context.exceptions)\n";
    let (whole, some) = (
        format!("{{policy: a/b, match: {{namespace: shop}}, {SCOPE}}}"),
        format!(
            "{{policy: workloads/privileged, containers: [{{name: a, image: a}}, {{name: c, image: c}}], {SCOPE}}}"
        ),
    );
    let files = [
        ("a/b/b.rego", rego.to_owned()),
        ("b.yaml", document("PolicyBinding", "b", "{policy: a/b, enforcement: deny}")),
        (
            "e.yaml",
            [document("PolicyException", "whole", &whole), document("PolicyException", "some", &some)]
                .join("---\n"),
        ),
        (
            "f.yaml",
            document(
                "PolicyException",
                "other",
                &format!("{{policy: a/b, match: {{namespace: pay}}, {SCOPE}}}"),
            ),
        ),
    ];
    let decision =
        decided(&bundle(&files), &facts(NOW, &json!({})), &pod(&[container("a", "a"), container("b", "b")]));
    let said = decision.findings.iter().find(|finding| finding.binding == "b").unwrap();
    let expected = json!([
        { "name": "some", "policy": "workloads/privileged", "controls": ["workloads/privileged"], "containers": ["a"], "owner": "o", "reason": "r", "expires": "2026-03-01T00:00:00Z" },
        { "name": "whole", "policy": "a/b", "controls": ["a/b"], "containers": null, "owner": "o", "reason": "r", "expires": "2026-03-01T00:00:00Z" },
    ]);
    assert_eq!(serde_json::from_str::<Value>(&said.message).unwrap(), expected);
}

#[test]
fn a_denial_is_suspended_while_the_annotation_says_so() {
    let bundle = bundle(&[]);
    let request = pod(&[container("a", "a")]);
    for (until, expected) in [
        ("2026-01-31T13:00:00Z", Action::Warn),
        ("2026-02-01T12:00:00Z", Action::Warn),
        ("2026-01-31T12:00:00Z", Action::Deny),
        ("2026-02-01T12:00:01Z", Action::Deny),
        ("always", Action::Deny),
    ] {
        let decision = decided(&bundle, &facts(NOW, &json!({ "meshgate.io/suspend": until })), &request);
        assert_eq!(decision.findings.iter().map(|f| f.action).collect::<Vec<_>>(), [expected], "{until}");
        let word = if expected == Action::Warn { "warn (suspended)" } else { "deny" };
        assert_eq!(validate_policies(&decision), format!("{word}: workloads/privileged"));
    }
}

fn namespace(metadata: &Value) -> Value {
    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": metadata })
}

#[test]
fn who_may_not_change_a_guarded_word_is_denied_whatever_is_bound() {
    let bundle = bundle(&[]);
    let (old, new) =
        (json!({ "name": "shop" }), json!({ "name": "shop", "labels": { "meshgate.io/mode": "off" } }));
    let update = request(
        "Namespace",
        "namespaces",
        "shop",
        "shop",
        Operation::Update,
        Some(namespace(&new)),
        Some(namespace(&old)),
    );
    let decision = decided(&bundle, &facts(NOW, &json!({})), &update);
    let Answer::Denied { status, .. } = decision.answer() else { panic!("{decision:?}") };
    assert_eq!(status.code, 403);
    assert_eq!(
        status.message,
        format!(
            "[meshgate/guard] the label `meshgate.io/mode` of a Namespace may be set, changed and removed only by the subjects that meshgate is configured with\npolicies: {}",
            bundle.revision
        )
    );
    let alice = Subjects::default().with_user("alice");
    assert!(decided(&bundle, &facts(NOW, &json!({})).guarded_by(alice.into()), &update).allowed());
}

#[test]
fn a_tenants_sub_tree_holds_in_its_namespaces_and_as_far_as_its_ceiling() {
    let own = "# METADATA\n# title: t\n# description: d\n# custom:\n#   match:\n#     rules: [{apiGroups: [\"\"], apiVersions: [v1], resources: [pods, namespaces]}]\npackage policies.tenant_shop.own\n\ndeny contains \"own\"\n";
    let settings = "{includes: [pod_security], tenants: [{path: teams/shop, namespaces: [shop], ceiling: warn, mayExcept: [workloads/*]}]}";
    let excepts = format!("{{policy: workloads/privileged, {SCOPE}}}");
    let files = [
        ("bundle.yaml", document("Bundle", "b", settings)),
        ("everything.yaml", document("PolicyBinding", "everything", "{policy: '*', enforcement: deny}")),
        ("teams/shop/own/own.rego", own.to_owned()),
        (
            "teams/shop/own.yaml",
            document("PolicyBinding", "own", "{policy: tenant_shop/own, enforcement: namespace}"),
        ),
        ("teams/shop/exception.yaml", document("PolicyException", "theirs", &excepts)),
    ];
    let bundle = bundle(&files);
    let of = |request: &Request| {
        let decision = decided(&bundle, &facts(NOW, &json!({})), request);
        decision
            .findings
            .iter()
            .map(|f| (f.action, f.policy.to_string(), f.binding.clone()))
            .collect::<Vec<_>>()
    };
    let privileged = [container("a", "a")];
    let platform =
        |action: Action, binding: &str| (action, "workloads/privileged".to_owned(), binding.to_owned());
    let own = |action: Action| (action, "tenant_shop/own".to_owned(), "own".to_owned());
    let standard = (Action::Deny, "pod_security/standard".to_owned(), "everything".to_owned());
    // Its exception holds for what the platform binds, because it may; its binding warns, whatever the mode.
    let here = of(&pod_in("shop", &privileged));
    assert_eq!(
        here,
        [
            standard.clone(),
            own(Action::Warn),
            platform(Action::Excused, "bound"),
            platform(Action::Excused, "everything")
        ]
    );
    let elsewhere = of(&pod_in("pay", &privileged));
    assert_eq!(elsewhere, [standard, platform(Action::Deny, "bound"), platform(Action::Deny, "everything")]);
    let itself = request(
        "Namespace",
        "namespaces",
        "shop",
        "shop",
        Operation::Create,
        Some(namespace(&json!({ "name": "shop" }))),
        None,
    );
    assert_eq!(of(&itself), []);
}
