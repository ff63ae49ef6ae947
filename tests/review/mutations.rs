//! Patches folded: their order, who is asked about what, and policies that do not agree.

use meshgate::admission::Operation;
use meshgate::review::Phase;
use serde_json::{Value, json};

use crate::world::{POD, Policies, create, decided, mutated, pod, request, shown};

/// A policy that sets a label to a value unless it has it; `when`: a further condition.
fn label(key: &str, value: &str, when: &str) -> String {
    format!(
        "_labels := object.get(input.request.object.metadata, \"labels\", {{}})\n\n\
         patch := [{{\"op\": \"add\", \"path\": \"/metadata/labels\", \"value\": object.union(_labels, {{\"{key}\": \"{value}\"}})}}] if {{\n\
         \tobject.get(_labels, \"{key}\", \"\") != \"{value}\"\n{when}}}"
    )
}

#[test]
fn ten_policies_change_the_same_pod_in_the_order_of_their_numbers() {
    // Each writes its digit behind those that are there, so that the result is the order. Two have the same number.
    let orders =
        [("j", 1), ("i", 2), ("h", 3), ("g", 4), ("a", 5), ("b", 5), ("c", 6), ("d", 7), ("e", 8), ("f", -1)];
    let mut policies = Policies::default();
    for (name, order) in orders {
        let body = format!(
            "_seen := object.get(input.request.object.metadata.annotations, \"seen\", \"\")\n\n\
             patch := [{{\"op\": \"add\", \"path\": \"/metadata/annotations/seen\", \"value\": concat(\"\", [_seen, \"{name}\"])}}] if not contains(_seen, \"{name}\")"
        );
        policies = policies.with(name, &[&format!("order: {order}")], &body);
    }
    let before = pod(
        json!({ "annotations": { "kept": "yes" } }),
        json!({ "containers": [{ "name": "app", "image": "a:1" }] }),
    );
    let decision = mutated(&policies.compiled(), &create(before));
    let expected = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "web",
            "namespace": "shop",
            "annotations": { "kept": "yes", "seen": "fjihgabcde" }
        },
        "spec": { "containers": [{ "name": "app", "image": "a:1" }] }
    });
    assert_eq!(shown(&decision.findings), Vec::<String>::new());
    assert_eq!(decision.object, Some(expected));
    // Ten changes are one operation against the object that came.
    let operation = json!([{ "op": "add", "path": "/metadata/annotations/seen", "value": "fjihgabcde" }]);
    assert_eq!(decision.patch.to_value(), operation);
}

#[test]
fn two_that_fight_are_both_named_and_nothing_is_changed() {
    let policies = Policies::default()
        .with("bystander", &[], &label("seen", "yes", ""))
        .with("left", &[], &label("side", "left", ""))
        .with("right", &["failurePolicy: Ignore"], &label("side", "right", ""));
    let before = create(pod(json!({}), json!({})));
    let decision = mutated(&policies.compiled(), &before);
    let fight =
        "`metadata.labels.side` is changed to and fro by test/left (binding b) and test/right (binding b)";
    let expected = [
        format!("Deny error test/bystander: its change is dropped, because {fight}"),
        format!("Deny error test/left: the mutations do not come to rest: {fight}"),
        format!("Warn error test/right: the mutations do not come to rest: {fight}"),
    ];
    assert_eq!(shown(&decision.findings), expected);
    assert_eq!((decision.patch.is_empty(), decision.object.as_ref()), (true, before.object()));
}

#[test]
fn one_that_never_has_enough_is_named_alone() {
    let grow = "patch := [{\"op\": \"add\", \"path\": \"/spec/tolerations/-\", \"value\": {\"key\": \"a\"}}]";
    let policies =
        Policies::default().with("good", &["order: -1"], &label("seen", "yes", "")).with("greedy", &[], grow);
    let decision = mutated(&policies.compiled(), &create(pod(json!({}), json!({ "tolerations": [] }))));
    let expected = [
        "Deny error test/good: its change is dropped, because the mutations do not come to rest by test/greedy (binding b)",
        "Deny error test/greedy: the mutations do not come to rest: each change makes another one necessary, by test/greedy (binding b)",
    ];
    assert_eq!(shown(&decision.findings), expected);
    assert!(decision.patch.is_empty());
}

#[test]
fn a_later_one_may_overwrite_what_an_earlier_one_is_content_with() {
    let first = "patch := [{\"op\": \"add\", \"path\": \"/spec/priority\", \"value\": 1}] if not input.request.object.spec.priority";
    let second = "patch := [{\"op\": \"add\", \"path\": \"/spec/priority\", \"value\": 2}] if input.request.object.spec.priority < 2";
    let policies = Policies::default().with("a", &[], first).with("b", &[], second);
    let decision = mutated(&policies.compiled(), &create(pod(json!({}), json!({}))));
    assert_eq!(shown(&decision.findings), Vec::<String>::new());
    assert_eq!(decision.patch.to_value(), json!([{ "op": "add", "path": "/spec/priority", "value": 2 }]));
}

const WITH_LABEL: &str = "rules: [{apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}]\nobjectSelector: {matchLabels: {tier: web}}";
const FINDS: &str = "deny contains \"seen\" if input.request.object.kind == \"Pod\"";

#[test]
fn a_match_reads_the_labels_that_mutations_leave() {
    let policies = Policies::default().matching(
        "late",
        WITH_LABEL,
        &["order: -1"],
        &format!("{}\n\n{FINDS}", label("late", "yes", "")),
    );
    let adds = policies.clone().with("adds", &[], &label("tier", "web", ""));
    let remove = "patch := [{\"op\": \"remove\", \"path\": \"/metadata/labels/tier\"}] if input.request.object.metadata.labels.tier";
    let removes = policies.with("removes", &["order: -2"], remove);
    let rows = [
        (adds, json!({}), json!({ "tier": "web", "late": "yes" }), vec!["Deny test/late: seen"]),
        (removes, json!({ "tier": "web" }), json!({}), vec![]),
    ];
    for (policies, before, after, found) in rows {
        let bundle = policies.compiled();
        let decision = mutated(&bundle, &create(pod(json!({ "labels": before }), json!({}))));
        let object = decision.object.clone().unwrap();
        assert_eq!((shown(&decision.findings), &object["metadata"]["labels"]), (vec![], &after));
        let judged = decided(&bundle, &create(object), Phase::Validate);
        assert_eq!(shown(&judged.findings), found);
    }
}

#[test]
fn who_is_in_error_is_asked_again_about_the_object_with_the_changes_of_others() {
    let needs = "patch := [{\"op\": \"add\", \"path\": \"/spec/priority\", \"value\": 10 / input.request.object.spec.divisor}] if not input.request.object.spec.priority";
    let gives = "patch := [{\"op\": \"replace\", \"path\": \"/spec/divisor\", \"value\": 5}] if input.request.object.spec.divisor == 0";
    let needy = Policies::default().with("needs", &["order: -1"], needs);
    let before = create(pod(json!({}), json!({ "divisor": 0 })));
    let alone = mutated(&needy.compiled(), &before);
    assert_eq!((alone.allowed(), alone.patch.is_empty()), (false, true));
    let helped = mutated(&needy.with("gives", &[], gives).compiled(), &before);
    assert_eq!(shown(&helped.findings), Vec::<String>::new());
    assert_eq!(helped.object.unwrap()["spec"], json!({ "divisor": 5, "priority": 2 }));
}

#[test]
fn neither_deletions_nor_connections_nor_mirror_pods_are_changed() {
    let bundle = Policies::default().with("label", &[], &label("seen", "yes", "")).compiled();
    let mirror =
        pod(json!({ "annotations": { "kubernetes.io/config.mirror": "x" } }), json!({ "nodeName": "n" }));
    let mut changed = mirror.clone();
    changed["metadata"]["labels"] = json!({ "a": "1" });
    let options = json!({ "apiVersion": "v1", "kind": "PodExecOptions", "command": ["sh"] });
    let plain = || pod(json!({}), json!({}));
    let exec = ("", "v1", "PodExecOptions", "pods");
    let requests = [
        request(POD, None, Operation::Delete, None, Some(plain())),
        request(exec, Some("exec"), Operation::Connect, Some(options), None),
        request(POD, None, Operation::Update, Some(changed), Some(mirror)),
    ];
    for request in requests {
        let decision = mutated(&bundle, &request);
        assert_eq!(
            (shown(&decision.findings), decision.patch.to_value()),
            (vec![], json!([])),
            "{request:?}"
        );
    }
    let mut dying = plain();
    dying["metadata"]["deletionTimestamp"] = json!("2026-01-31T12:00:00Z");
    assert_eq!(
        mutated(&bundle, &create(dying)).patch.len(),
        1,
        "an object that is being deleted is one like others"
    );
}

#[test]
fn what_nobody_changed_is_not_in_the_patch() {
    // Two undo each other in part; what stays is one operation.
    let swap = "patch := [{\"op\": \"add\", \"path\": \"/spec/containers/0\", \"value\": {\"name\": \"first\", \"image\": \"a:1\"}}, {\"op\": \"remove\", \"path\": \"/metadata/labels/x\"}] if count(input.request.object.spec.containers) == 1";
    let back = "patch := [{\"op\": \"add\", \"path\": \"/metadata/labels/x\", \"value\": \"1\"}] if not input.request.object.metadata.labels.x";
    let policies = Policies::default()
        .with("a", &["mayChange: [containers, images, capabilities, allowPrivilegeEscalation, runAsNonRoot, runAsUser, seccompProfile]"], swap)
        .with("b", &[], back);
    let spec = json!({ "containers": [{ "name": "app", "image": "a:1", "unknown": [1.0, 9_007_199_254_740_993_u64] }] });
    let decision = mutated(&policies.compiled(), &create(pod(json!({ "labels": { "x": "1" } }), spec)));
    let added: Value = json!({ "name": "first", "image": "a:1" });
    assert_eq!(shown(&decision.findings), Vec::<String>::new());
    assert_eq!(
        decision.patch.to_value(),
        json!([{ "op": "add", "path": "/spec/containers/0", "value": added }])
    );
}
