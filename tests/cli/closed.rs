//! Ways in which a denial could get lost: each ends in one, or in an error.

use serde_json::{Value, json};

use crate::program::{Run, folder, run};

const PRIVILEGED: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop}\nspec: {containers: [{name: a, image: nginx, securityContext: {privileged: true}}]}\n";

/// A tree in which one policy, with these rules and this body, is bound with these further members.
fn tree(rules: &str, body: &str, binding: &str) -> tempfile::TempDir {
    let policy = format!(
        "# METADATA\n# title: t\n# description: d\n# custom:\n#   match:\n#     rules: [{rules}]\npackage policies.workloads.one\n\n{body}\n"
    );
    let binding = format!(
        "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {{name: b}}\nspec: {{policy: workloads/one, enforcement: deny{binding}}}\n"
    );
    folder(&[("p/workloads/one/one.rego", &policy), ("p/b.yaml", &binding)])
}

fn review(tree: &tempfile::TempDir, request: Value) -> Value {
    let mut all = json!({ "uid": "1", "name": "web", "namespace": "shop", "operation": "CREATE" });
    all.as_object_mut().unwrap().extend(request.as_object().unwrap().clone());
    let review = json!({ "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": all });
    let ran = run(tree.path(), &["review", "--phase", "validate", "-p", "p", "-"], &review.to_string());
    serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err))
}

fn deployment(extra: Value) -> Value {
    let kind = json!({ "group": "apps", "version": "v1", "kind": "Deployment" });
    let resource = json!({ "group": "apps", "version": "v1", "resource": "deployments" });
    let template = json!({ "metadata": { "labels": { "app": "web" } }, "spec": { "containers": [] } });
    let object = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web", "namespace": "shop" },
        "spec": { "replicas": 1, "template": template }
    });
    let mut request = json!({ "kind": kind, "resource": resource, "object": object });
    request.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    request
}

const WORKLOADS: &str =
    "{apiGroups: [\"\", apps], apiVersions: [v1], resources: [pods, deployments], operations: [\"*\"]}";

#[test]
fn a_template_is_softened_only_where_its_pods_are_asked_again() {
    let field = |field: &str| {
        format!(
            "deny contains {{\"msg\": \"no\", \"field\": \"{field}\"}} if input.request.kind.kind == \"Deployment\""
        )
    };
    let deleted = {
        let mut request = deployment(json!({ "operation": "DELETE" }));
        request["oldObject"] = request["object"].take();
        request
    };
    let selector =
        ", match: {objectSelector: {matchExpressions: [{key: pod-template-hash, operator: DoesNotExist}]}}";
    let table = [
        ("about the template", field("spec.template.spec.containers"), "", deployment(json!({})), true),
        ("without a field", "deny contains \"no\"".to_owned(), "", deployment(json!({})), true),
        ("a deletion", "deny contains \"no\"".to_owned(), "", deleted, false),
        ("about the workload itself", field("spec.replicas"), "", deployment(json!({})), false),
        ("about what only begins alike", field("spec.templates"), "", deployment(json!({})), false),
        (
            "by a label that the controller adds",
            "deny contains \"no\"".to_owned(),
            selector,
            deployment(json!({})),
            false,
        ),
        (
            "where it is to deny",
            field("spec.template.spec"),
            ", templates: deny",
            deployment(json!({})),
            false,
        ),
        (
            "where templates are left alone",
            field("spec.template.spec"),
            ", templates: off",
            deployment(json!({})),
            true,
        ),
        (
            "where templates, but not replicas, are",
            field("spec.replicas"),
            ", templates: off",
            deployment(json!({})),
            false,
        ),
    ];
    for (what, body, binding, request, allowed) in table {
        let answer = review(&tree(WORKLOADS, &body, binding), request);
        assert_eq!(answer["response"]["allowed"], allowed, "{what}: {answer}");
    }
}

#[test]
fn an_error_is_a_denial_for_a_template_as_well() {
    let body = "deny contains \"no\" if 1 / input.request.object.spec.replicas == 1 / 0";
    for binding in ["", ", templates: deny", ", templates: off"] {
        let answer = review(&tree(WORKLOADS, body, binding), deployment(json!({})));
        assert_eq!(answer["response"]["allowed"], false, "{answer}");
        assert!(answer.to_string().contains("[workloads/one] the policy failed"), "{answer}");
    }
}

#[test]
fn what_a_policy_says_beside_its_denial_takes_the_denial_along_nowhere() {
    let ignore = "deny contains \"no\"\n\nwarn contains 5\n\nannotations := {\"a/b\": \"c\"}";
    let tree = tree("{apiGroups: [apps], apiVersions: [v1], resources: [deployments]}", ignore, "");
    let path = tree.path().join("p/workloads/one/one.rego");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("# custom:\n", "# custom:\n#   failurePolicy: Ignore\n")).unwrap();
    let answer = review(&tree, deployment(json!({})));
    assert_eq!(
        (&answer["response"]["allowed"], &answer["response"]["status"]["code"]),
        (&json!(false), &json!(403)),
        "{answer}"
    );
    assert_eq!(answer["response"]["warnings"].as_array().unwrap().len(), 2, "{answer}");
}

#[test]
fn mutations_that_fight_are_an_error_of_each() {
    let policy = |name: &str, value: &str, order: u8| {
        let path = format!("p/defaults/{name}/{name}.rego");
        let text = format!(
            "# METADATA\n# title: t\n# description: d\n# custom:\n#   order: {order}\n#   match:\n#     rules: [{{apiGroups: [apps], apiVersions: [v1], resources: [deployments]}}]\npackage policies.defaults.{name}\n\npatch := [{{\"op\": \"add\", \"path\": \"/spec/x\", \"value\": \"{value}\"}}] if object.get(input.request.object.spec, \"x\", \"\") != \"{value}\"\n"
        );
        (path, text)
    };
    let bind = |name: &str, enforcement: &str| {
        format!(
            "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {{name: {name}}}\nspec: {{policy: defaults/{name}, enforcement: {enforcement}}}\n"
        )
    };
    for (one, two) in [("deny", "warn"), ("warn", "deny")] {
        let files = [
            policy("a", "1", 1),
            policy("b", "2", 2),
            ("p/b.yaml".to_owned(), format!("{}---\n{}", bind("a", one), bind("b", two))),
        ];
        let files: Vec<(&str, &str)> =
            files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let tree = folder(&files);
        let manifest = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 1}\n";
        let ran = run(tree.path(), &["check", "-p", "p", "-"], manifest);
        assert_eq!(ran.code, 3, "{}", ran.out);
        assert_eq!(ran.out.matches("do not come to rest").count(), 2, "{}", ran.out);
        let review = json!({ "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
            "uid": "1", "operation": "CREATE", "namespace": "shop",
            "kind": { "group": "apps", "version": "v1", "kind": "Deployment" },
            "resource": { "group": "apps", "version": "v1", "resource": "deployments" },
            "object": { "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web" }, "spec": {} }
        } });
        let ran = run(tree.path(), &["review", "--phase", "mutate", "-p", "p", "-"], &review.to_string());
        let answer: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(answer["response"]["allowed"], false, "{one} {two}: {answer}");
    }
}

#[test]
fn a_mutation_can_not_make_another_object_of_it() {
    let pods = "{apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}";
    for operation in [
        "{\"op\": \"replace\", \"path\": \"/kind\", \"value\": \"Foo\"}",
        "{\"op\": \"add\", \"path\": \"/metadata/namespace\", \"value\": \"other\"}",
        "{\"op\": \"remove\", \"path\": \"/metadata/name\"}",
        "{\"op\": \"add\", \"path\": \"\", \"value\": {}}",
    ] {
        let tree = tree(pods, &format!("patch := [{operation}]"), "");
        let ran = run(tree.path(), &["check", "-p", "p", "-"], PRIVILEGED);
        assert_eq!(ran.code, 3, "{operation}: {}", ran.out);
        assert!(ran.out.contains("the policy's answer can't be used: `patch` "), "{operation}: {}", ran.out);
    }
}

fn check(files: &[(&str, &str)], arguments: &[&str], input: &str) -> Run {
    run(folder(files).path(), &[&["check"], arguments].concat(), input)
}

#[test]
fn what_kubectl_would_create_is_judged_whatever_it_is_called() {
    let list = |kind: &str, items: &str| format!("apiVersion: v1\nkind: {kind}\nitems: {items}\n");
    let pod = "[{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: a, image: nginx, securityContext: {privileged: true}}]}}]";
    for kind in ["List", "PodList", "ConfigMap", "Whatever"] {
        let ran = check(&[], &["-", "--mode", "deny"], &list(kind, pod));
        assert_eq!(ran.code, 1, "{kind}: {}", ran.out);
        let denied = "denied: [pod_security/standard] privileged (container \"a\"";
        assert!(ran.out.contains(denied) && ran.out.contains(": Pod/default/a\n"), "{kind}: {}", ran.out);
    }
    let ran = check(&[], &["-"], &list("List", "{a: 1}"));
    assert_eq!(ran.code, 2, "{}", ran.out);
    let ran = check(&[], &["-"], "apiVersion: v1\nkind: pod\nmetadata: {name: a}\n");
    assert_eq!(ran.code, 2, "{}", ran.out);
    assert!(ran.out.contains("did you mean `Pod`?"), "{}", ran.out);
}

#[test]
fn a_definition_takes_no_built_in_kinds_place() {
    let definition = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: x.apps}\nspec: {group: apps, scope: Cluster, names: {kind: Deployment, plural: x}, versions: [{name: v1, served: true, storage: true}]}\n";
    let workload = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {metadata: {}, spec: {containers: [{name: a, image: nginx}]}}}\n";
    let ran = check(&[("d.yaml", definition)], &["d.yaml", "-", "--mode", "deny"], workload);
    assert_eq!(ran.code, 1, "{}", ran.out);
}

#[test]
fn a_namespace_among_the_manifests_lets_nobody_off_unseen() {
    let namespace = |labels: &str| {
        format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: shop, labels: {labels}}}\n")
    };
    let facts = namespace("{meshgate.io/mode: deny}");
    let with_facts = |labels: &str| {
        check(
            &[("facts/a.yaml", &facts), ("ns.yaml", &namespace(labels))],
            &["--facts", "facts", "ns.yaml", "-"],
            PRIVILEGED,
        )
    };
    assert_eq!(with_facts("{}").code, 1);
    assert_eq!(with_facts("{a: b}").code, 1);
    let off = with_facts("{meshgate.io/mode: \"off\"}");
    assert_eq!(off.code, 0);
    assert!(off.out.contains("modes that these manifests set: shop: off"), "{}", off.out);
    let flag = check(&[("ns.yaml", &namespace("{}"))], &["ns.yaml", "-", "--mode", "deny"], PRIVILEGED);
    assert_eq!(flag.code, 1, "{}", flag.out);
}

/// Who applies the manifests may be somebody who may say so; where it is said who that is, the cluster's guard decides.
#[test]
fn what_a_namespace_among_the_manifests_lets_off_is_told() {
    let namespace =
        "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n  labels: {meshgate.io/mode: deny}\n";
    let exempt = namespace.replace("deny}", "deny, meshgate.io/exempt: 'true'}");
    let suspended = format!("{namespace}  annotations: {{meshgate.io/suspend: '2026-01-31T13:00:00Z'}}\n");
    for (written, told) in [
        (namespace, "shop: deny"),
        (&exempt, "shop: deny, shop: exempt"),
        (&suspended, "shop: deny, shop: suspended until 2026-01-31T13:00:00Z"),
    ] {
        let arguments = ["ns.yaml", "-", "--now", "2026-01-31T12:00:00Z"];
        let ran = check(&[("ns.yaml", written)], &arguments, PRIVILEGED);
        assert_eq!(ran.code, i32::from(written == namespace), "{}", ran.out);
        let line = format!("modes that these manifests set: {told}\n");
        assert!(ran.out.contains(&line), "{line}: {}", ran.out);
        let by_somebody = [&arguments[..], &["--as", "alice"]].concat();
        let ran = check(&[("ns.yaml", written)], &by_somebody, PRIVILEGED);
        assert_eq!(ran.code, 1, "{}", ran.out);
        assert!(ran.out.contains("[meshgate/guard]"), "{}", ran.out);
    }
}

#[test]
fn a_namespace_has_the_label_that_the_api_server_gives_it() {
    let namespaces = "{apiGroups: [\"\"], apiVersions: [v1], resources: [namespaces]}";
    let selector = ", match: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}}";
    let tree = tree(namespaces, "deny contains \"no\"", selector);
    let ran = run(
        tree.path(),
        &["check", "-p", "p", "-"],
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n",
    );
    assert_eq!(ran.code, 1, "{}", ran.out);
}

#[test]
fn nothing_to_judge_is_no_success() {
    for input in ["", "# only a comment\n", "---\n---\n"] {
        let ran = check(&[], &["-"], input);
        assert_eq!(ran.code, 2, "{input:?}");
        assert!(ran.out.contains("invalid: there is no document in it\n"), "{input:?}: {}", ran.out);
    }
    let ran = check(&[("d/values.yaml", "image: nginx\n")], &["d"], "");
    assert_eq!(ran.code, 2, "{}", ran.out);
}

#[test]
fn files_that_were_meant_are_read_or_refused() {
    let pods = "{apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}";
    let binding = "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {name: c}\nspec: {policy: workloads/one, enforcement: deny}\n";
    for path in ["p/more.YAML", "p/more.json", "p/more.Rego"] {
        let tree = tree(pods, "deny contains \"no\"", "");
        std::fs::write(tree.path().join(path), binding).unwrap();
        let ran = run(tree.path(), &["check", "-p", "p", "-"], PRIVILEGED);
        assert_eq!(ran.code, 2, "{path}: {}", ran.out);
        assert!(ran.err.contains("not read under this name"), "{path}: {}", ran.err);
    }
    // Not in a policy's folder, so these are no examples; and a policy whose name ends like a test's.
    let warned = binding.replace("deny}", "warn}");
    let policy = format!(
        "# METADATA\n# title: t\n# description: d\n# custom:\n#   match:\n#     rules: [{pods}]\npackage policies.a.load_test\n\ndeny contains \"no\"\n"
    );
    let own = binding.replace("workloads/one", "a/load_test").replace("name: c", "name: d");
    let tree = folder(&[
        ("p/a/load_test/load_test.rego", &policy),
        ("p/team/examples/b.yaml", &own),
        ("p/w.yaml", &warned.replace("workloads/one", "a/load_test")),
    ]);
    let ran = run(tree.path(), &["check", "-p", "p", "-"], PRIVILEGED);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
}

#[test]
fn a_parameter_that_is_misspelt_is_a_fault() {
    let pods = "{apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}";
    let tree = tree(pods, "deny contains \"no\" if input.parameters.max < 1", ", parameters: {maxx: 0}");
    let path = tree.path().join("p/workloads/one/one.rego");
    let text = std::fs::read_to_string(&path).unwrap();
    let schema = "# custom:\n#   parameters: {type: object, properties: {max: {type: integer}}}\n";
    std::fs::write(&path, text.replace("# custom:\n", schema)).unwrap();
    let ran = run(tree.path(), &["check", "-p", "p", "-"], PRIVILEGED);
    assert_eq!(ran.code, 2, "{}", ran.out);
    assert!(ran.err.contains("parameters.maxx: unknown parameter; the policy has max"), "{}", ran.err);
}

#[test]
fn rules_that_match_nothing_are_faults() {
    let table = [
        ("{apiGroups: [\"\"], apiVersions: [v1], resources: [pod]}", "", "did you mean `pods`?"),
        ("{apiGroups: [\"\"], apiVersions: [v1], resources: []}", "", "nothing would ever be matched"),
        (
            "{apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}",
            ", match: {rules: [{apiGroups: [apps], apiVersions: [v1], resources: [deployments]}]}",
            "no rule in common",
        ),
    ];
    for (rules, binding, needle) in table {
        let tree = tree(rules, "deny contains \"no\"", binding);
        let ran = run(tree.path(), &["check", "-p", "p", "-"], PRIVILEGED);
        assert_eq!(ran.code, 2, "{rules}: {}", ran.out);
        assert!(ran.err.contains(needle), "{rules}: {}", ran.err);
    }
}

#[test]
fn an_object_in_a_version_that_the_policy_does_not_read_is_an_error() {
    let rules = "{apiGroups: [autoscaling], apiVersions: [v2], resources: [horizontalpodautoscalers]}";
    let tree = tree(rules, "deny contains \"no\" if input.request.object.spec.metrics", "");
    for (version, spec, code, needle) in [
        ("v2", "{metrics: []}", 1, "denied: ["),
        ("v2", "{}", 0, "1 passed"),
        ("v1", "{}", 3, "the object came in version `v1` and the match reads `v2`"),
    ] {
        let object = format!(
            "apiVersion: autoscaling/{version}\nkind: HorizontalPodAutoscaler\nmetadata: {{name: a}}\nspec: {spec}\n"
        );
        let ran = run(tree.path(), &["check", "-p", "p", "-"], &object);
        assert_eq!(ran.code, code, "{version} {spec}: {}", ran.out);
        assert!(ran.out.contains(needle), "{version} {spec}: {}", ran.out);
        let explained = run(tree.path(), &["explain", "-p", "p", "-"], &object);
        assert_eq!((explained.code, explained.out.contains("in error: the object came")), (code, code == 3));
    }
}

#[test]
fn a_namespace_is_judged_by_its_stored_labels_where_the_api_server_does_so() {
    let all = "{apiGroups: [\"\"], apiVersions: [v1], resources: [\"namespaces\", \"namespaces/*\"], operations: [\"*\"]}";
    let namespace = |mode: &str| json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "shop", "labels": { "meshgate.io/mode": mode } } });
    let kind = json!({ "group": "", "version": "v1", "kind": "Namespace" });
    let resource = json!({ "group": "", "version": "v1", "resource": "namespaces" });
    let tree = tree(all, "deny contains \"no\"", "");
    let path = tree.path().join("p/b.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("enforcement: deny", "enforcement: namespace")).unwrap();
    std::fs::create_dir(tree.path().join("facts")).unwrap();
    std::fs::write(tree.path().join("facts/a.json"), namespace("deny").to_string()).unwrap();
    let table = [
        (json!({ "operation": "CREATE", "object": namespace("off") }), true),
        (json!({ "operation": "CREATE", "object": namespace("deny") }), false),
        (json!({ "operation": "UPDATE", "object": namespace("off"), "oldObject": namespace("deny") }), false),
        (json!({ "operation": "UPDATE", "object": namespace("off"), "oldObject": namespace("off") }), true),
        (
            // Never judged by policies, whatever a star names.
            json!({ "operation": "UPDATE", "subResource": "finalize", "object": namespace("off"), "oldObject": namespace("deny") }),
            true,
        ),
        (json!({ "operation": "DELETE", "oldObject": namespace("off") }), false),
    ];
    for (request, allowed) in table {
        let mut all =
            json!({ "uid": "1", "name": "shop", "namespace": "shop", "kind": kind, "resource": resource });
        // Somebody who may change modes.
        all["userInfo"] = json!({ "username": "admin", "groups": ["system:masters"] });
        all.as_object_mut().unwrap().extend(request.as_object().unwrap().clone());
        let review =
            json!({ "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": all });
        let ran = run(
            tree.path(),
            &["review", "--phase", "validate", "-p", "p", "--facts", "facts", "-"],
            &review.to_string(),
        );
        let answer: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(answer["response"]["allowed"], allowed, "{request}: {answer}");
    }
}
