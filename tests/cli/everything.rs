//! A tree and manifests of which each document meets another fate, with names and messages that want to be markup.

use tempfile::TempDir;

use crate::program::folder;

const POLICY: &str = r##"# METADATA
# title: Names <of> things
# description: |
#   Names that | nobody wants.
# custom:
#   severity: high
#   docs: https://example.org/named
#   context: [containers]
#   match:
#     rules:
#       - {apiGroups: [""], apiVersions: [v1], resources: [pods, configmaps]}
#       - {apiGroups: [apps], apiVersions: [v1], resources: [deployments]}
package policies.workloads.named

_name := input.request.object.metadata.name

_spec := object.get(input.request.object.spec, "template", input.request.object).spec

deny contains {"msg": msg, "field": "metadata.name", "details": {"remedy": "call it `good`, or 100% <b>, better", "required": "good | <b>better</b>"}} if {
	_name in {"denied", "excused"}
	msg := sprintf("the name %q\n::error::is <b>bad</b> | 100%% ##[error]x", [_name])
}

deny contains {"msg": "a container is called bad", "field": "spec.containers[0].name"} if _spec.containers[0].name == "bad"

warn contains {"msg": "a label is missing", "field": "metadata.labels"} if _name == "warned"

audit contains "somebody looks" if _name == "audited"

deny contains "never" if {
	_name == "broken"
	to_number("x") == 1
}

deny contains {"msg": msg, "field": sprintf("%s.args", [container.path])} if {
	some container in input.context.containers
	"--bad" in container.container.args
	msg := sprintf("container %q has a bad argument", [container.name])
}

patch := [{"op": "add", "path": "/metadata/labels", "value": {"a": "b"}}] if {
	_name == "mutated"
	not input.request.object.metadata.labels
}
"##;

const TREE: &str = "\
apiVersion: meshgate.io/v1alpha1
kind: PolicyBinding
metadata: {name: named}
spec: {policy: workloads/named, enforcement: deny}
---
apiVersion: meshgate.io/v1alpha1
kind: PolicyException
metadata: {name: old-names}
spec:
  policy: workloads/named
  match: {name: excused}
  owner: o
  reason: r
  expires: 2026-12-31T00:00:00Z
---
apiVersion: meshgate.io/v1alpha1
kind: PolicyException
metadata: {name: old-arguments}
spec:
  policy: workloads/named
  controls: [workloads/named]
  containers: [{name: web, image: 'web'}]
  owner: o
  reason: r
  expires: 2026-12-31T00:00:00Z
";

/// Documents `metadata.name` by `metadata.name`.
fn pods(names: &[&str]) -> String {
    let pod = |name: &&str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\nspec:\n  containers:\n  - {{name: a, image: a:1}}\n"
        )
    };
    names.iter().map(pod).collect::<Vec<_>>().join("---\n")
}

const WORKLOAD: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {image: 'a:1', name: bad, args: [x, y]}
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: web, namespace: shop}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {meshgate.io/mode: audit}}
---
apiVersion: v1
kind: Namespace
metadata: {name: frozen, annotations: {meshgate.io/suspend: '2026-01-31T13:00:00Z'}}
---
apiVersion: v1
kind: Pod
metadata: {name: denied, namespace: frozen}
spec: {containers: [{name: web, image: 'web:1', args: [--bad]}]}
";

/// The folder: policies in `p`, manifests in `d`.
pub(crate) fn everything() -> TempDir {
    let names = ["passed", "denied", "warned", "audited", "excused", "broken", "mutated"];
    folder(&[
        ("p/workloads/named/named.rego", POLICY),
        ("p/tree.yaml", TREE),
        ("d/a,b: %.yaml", &pods(&names)),
        ("d/invalid.yaml", "apiVersion: v1\nkind: 'Pod\n"),
        ("d/skipped.yaml", "image: <a>\n"),
        ("d/web.yaml", WORKLOAD),
    ])
}

/// The arguments of a check of it.
pub(crate) const CHECK: [&str; 6] = ["check", "-p", "p", "--now", "2026-01-31T12:00:00Z", "d"];
