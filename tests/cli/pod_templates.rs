//! The Pods of a kind that is not Kubernetes' own, where the tree says where it keeps them.

use serde_json::{Value, json};

use crate::program::{folder, run};

const POLICY: &str = r#"# METADATA
# title: t
# description: d
# custom:
#   context: [containers, owner]
#   match:
#     rules:
#       - {apiGroups: [""], apiVersions: [v1], resources: [pods]}
#       - {apiGroups: [argoproj.io], apiVersions: [v1alpha1], resources: [rollouts]}
package policies.workloads.latest

deny contains {"msg": msg, "field": sprintf("%s.image", [container.path])} if {
	some container in input.context.containers
	container.image.tag == "latest"
	msg := sprintf("%s has no release", [container.name])
}

audit contains {"msg": msg, "field": "metadata.labels"} if {
	owner := input.context.owner
	user := input.request.userInfo.username
	msg := sprintf("a Pod of %s %s, %d in all, by %s", [owner.kind, owner.name, owner.replicas, user])
}
"#;

const TREE: &str = "\
apiVersion: meshgate.io/v1alpha1
kind: Bundle
metadata: {name: b}
spec: {podTemplates: [{group: argoproj.io, kind: Rollout, resource: rollouts, path: spec.template}]}
---
apiVersion: meshgate.io/v1alpha1
kind: PolicyBinding
metadata: {name: b}
spec: {policy: workloads/latest, enforcement: deny}
";

const ROLLOUT: &str = "\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web, namespace: shop}
spec:
  replicas: 3
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: app, image: 'web:latest'}]}
";

#[test]
fn what_its_pods_would_be_denied_for_is_found_at_the_template() {
    let folder =
        folder(&[("p/workloads/latest/latest.rego", POLICY), ("p/tree.yaml", TREE), ("web.yaml", ROLLOUT)]);
    let ran = run(folder.path(), &["check", "-p", "p", "-o", "json", "web.yaml"], "");
    let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err));
    let found = report["findings"].as_array().unwrap().iter();
    let found: Vec<Value> =
        found.map(|one| json!([one["effect"], one["message"], one["field"], one["line"]])).collect();
    let expected = [
        json!(["deny", "app has no release", "spec.template.spec.containers[0].image", 8]),
        json!([
            "audit",
            "a Pod of Rollout web, 3 in all, by meshgate:dry-run",
            "spec.template.metadata.labels",
            7
        ]),
    ];
    assert_eq!((ran.code, found), (1, expected.to_vec()));
}
