//! Slips that would leave a policy, a flag or a manifest without effect: each is told.

use crate::program::{folder, meshgate, run, with_input};

#[test]
fn what_no_api_server_would_take_is_invalid() {
    let pod = "spec: {containers: [{name: a, image: i}]}";
    for (manifest, needle) in [
        (
            format!("{{apiVersion: v1, kind: Pdo, metadata: {{name: a}}, {pod}}}"),
            "v1/Pdo: Kubernetes 1.37 has no such kind there; did you mean `Pod`?",
        ),
        (
            "{apiVersion: v1, kind: Deployment, metadata: {name: a}}".to_owned(),
            "v1/Deployment: Kubernetes 1.37 has no such kind there; write apps/v1",
        ),
        (
            "{apiVersion: app/v1, kind: Deployment, metadata: {name: a}}".to_owned(),
            "has no such group; did you mean `apps`?",
        ),
        (
            format!("{{apiVersion: v1, kind: Pod, metadata: {{name: a, namespace: 5}}, {pod}}}"),
            "metadata.namespace: 5 is no text; quote it",
        ),
    ] {
        let ran = with_input(&["check", "-"], &manifest);
        assert!(ran.code == 2 && ran.out.contains(needle), "{manifest}: {} {}{}", ran.code, ran.out, ran.err);
    }
}

#[test]
fn a_namespace_that_policies_leave_alone_is_named() {
    let pod = "{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: kube-system}, spec: {containers: [{name: a, image: i}]}}";
    let ran = with_input(&["check", "-", "--mode", "deny"], pod);
    assert!(
        ran.code == 0 && ran.out.contains("not judged: in namespaces that policies leave alone: kube-system"),
        "{}{}",
        ran.out,
        ran.err
    );
}

#[test]
fn signers_are_asked_for_where_something_is_signed_only() {
    let ran = meshgate(&["policies", "list", "--trust", "signers"]);
    assert!(
        ran.code == 2 && ran.err.contains("--trust signers: only a commit of a repository is signed"),
        "{}",
        ran.err
    );
}

#[test]
fn an_empty_configuration_is_none() {
    let folder = folder(&[("empty.yaml", "")]);
    let ran = run(folder.path(), &["policies", "list", "--config", "empty.yaml"], "");
    assert!(
        ran.code == 2 && ran.err.contains("empty.yaml:1:1: empty; write `apiVersion: meshgate.io/v1alpha1`"),
        "{}",
        ran.err
    );
}

/// A policy of parameters and a body, and its binding.
fn bound(parameters: &str, body: &str) -> [(&'static str, String); 2] {
    [
        (
            "p/workloads/a/a.rego",
            format!("# METADATA\n# title: A\n# description: A.\n# custom:\n#   match:\n#     rules: [{{apiGroups: [apps], apiVersions: [v1], resources: [deployments]}}]\n#   parameters: {parameters}\npackage policies.workloads.a\n\ndeny contains msg if {{\n\t{body}\n\tmsg := \"no\"\n}}\n"),
        ),
        (
            "p/bindings.yaml",
            "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {name: a}\nspec: {policy: workloads/a, enforcement: deny}\n".to_owned(),
        ),
    ]
}

#[test]
fn a_slip_that_would_leave_a_policy_without_effect_is_a_fault() {
    let none = "{type: object}";
    for (parameters, body, needle) in [
        (
            none,
            "input.request.objct.spec.replicas == 1",
            "a request has no `objct`, so it is undefined in every request; did you mean `object`?",
        ),
        (
            none,
            "input.request.kind.knd == \"Pod\"",
            "it has no `knd`, so it is undefined in every request; did you mean `kind`?",
        ),
        (none, "input.request.userInfo.usrname == \"a\"", "did you mean `username`?"),
        (
            "{type: object, properties: {least: {type: integer, minimun: 1, default: -3}}}",
            "input.parameters.least < 0",
            "properties.least.minimun: no word of JSON Schema; did you mean `minimum`?",
        ),
    ] {
        let files = bound(parameters, body);
        let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
        let ran = run(folder(&files).path(), &["policies", "list", "-p", "p"], "");
        assert!(ran.code == 2 && ran.err.contains(needle), "{body}: {}{}", ran.out, ran.err);
    }
}
