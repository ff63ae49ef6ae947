//! Two policies of the tests' own: one that denies privileged containers, one that labels.

use meshgate::context::{Now, Others, Subjects, World};
use meshgate::dry_run::{Asked, Check, Manifests, Outcome};
use meshgate::engine::{self, Bundle};
use meshgate::policy::{Draft, Tree};
use meshgate::review::{LeftOut, NoMesh};

const PRIVILEGED: &str = r#"# METADATA
# title: No privileged containers
# description: A privileged container is root on its node.
# custom:
#   severity: critical
#   match:
#     rules:
#       - apiGroups: [""]
#         apiVersions: [v1]
#         resources: [pods]
#   context: [namespace]
package policies.workloads.privileged

deny contains {"msg": msg, "field": field} if {
	some i, container in input.request.object.spec.containers
	container.securityContext.privileged == true
	msg := sprintf("container %s is privileged in %s", [container.name, input.context.namespace.name])
	field := sprintf("spec.containers[%d].securityContext.privileged", [i])
}
"#;

const LABEL: &str = r#"# METADATA
# title: A label for every Pod
# description: Shows that a patch is sent.
# custom:
#   match:
#     rules:
#       - apiGroups: [""]
#         apiVersions: [v1]
#         resources: [pods]
#   context: [namespace]
package policies.defaults.label

patch := [{"op": "add", "path": "/metadata/labels", "value": {"seen": input.context.namespace.name}}] if {
	not input.request.object.metadata.labels
}
"#;

const BINDINGS: &str = r"
apiVersion: meshgate.io/v1alpha1
kind: PolicyBinding
metadata: {name: everywhere}
spec: {policy: workloads/privileged, enforcement: deny}
---
apiVersion: meshgate.io/v1alpha1
kind: PolicyBinding
metadata: {name: everywhere}
spec: {policy: defaults/label, enforcement: deny}
";

pub(crate) fn inline() -> Bundle {
    let mut tree = Tree::default();
    tree.insert("workloads/privileged/privileged.rego", PRIVILEGED);
    tree.insert("defaults/label/label.rego", LABEL);
    tree.insert("bindings.yaml", BINDINGS);
    compiled(&tree)
}

/// The one that labels, alone.
pub(crate) fn labelling() -> Bundle {
    let mut tree = Tree::default();
    tree.insert("defaults/label/label.rego", LABEL);
    tree.insert("bindings.yaml", BINDINGS.split("---").nth(1).unwrap());
    compiled(&tree)
}

/// One policy, bound some times, that thinks about every Pod until its budget ends: a second for each.
pub(crate) fn slow(times: usize) -> Bundle {
    let (head, _) = PRIVILEGED.split_once("package").unwrap();
    let slow = "package policies.workloads.privileged\n\ndeny contains \"slow\" if {\n\tsome i in numbers.range(1, 10000)\n\tsome j in numbers.range(1, 10000)\n\ti + j < 0\n}\n";
    let mut tree = Tree::default();
    tree.insert("workloads/privileged/privileged.rego", format!("{head}{slow}"));
    let once = BINDINGS.split("---").next().unwrap();
    let bindings: Vec<String> = (0..times).map(|n| once.replace("everywhere", &format!("b{n}"))).collect();
    tree.insert("bindings.yaml", bindings.join("---"));
    compiled(&tree)
}

pub(crate) fn compiled(tree: &Tree) -> Bundle {
    let draft = Draft::read(tree, &meshgate::source::catalogue());
    engine::compile(draft).unwrap_or_else(|faults| panic!("{faults}"))
}

/// What the dry run finds in manifests at a moment, where nothing else is known.
pub(crate) fn checked(bundle: &Bundle, manifests: Manifests, now: &str) -> Outcome {
    let check = Check {
        bundle,
        facts: &Manifests::default(),
        world: World::new(Others::Fresh),
        now: Now::parse(now).unwrap(),
        asked: Asked::Creation,
        namespace: None,
        left_out: LeftOut::default(),
        mesh: &NoMesh,
        keeps_objects: true,
        explains: false,
        user: None,
        subjects: Subjects::default(),
    };
    check.run(manifests, &|_| ())
}
