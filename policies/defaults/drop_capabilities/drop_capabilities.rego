# METADATA
# title: Containers drop all capabilities
# description: >-
#   A container runtime leaves every container some of root's powers. Containers that say nothing of what they drop get
#   `drop: [ALL]`; what they add stays. Programs that need one of the runtime's own capabilities and don't add it stop
#   working: bind this where they were tried. Pods for Windows and ephemeral containers are left alone.
# custom:
#   severity: medium
#   since: "0.1"
#   docs: https://kubernetes.io/docs/tasks/configure-pod-container/security-context/#set-capabilities-for-a-container
#   context: [containers, pod]
#   match:
#     rules:
#       - apiGroups: [""]
#         apiVersions: [v1]
#         resources: [pods]
#         operations: [CREATE]
#       - apiGroups: [""]
#         apiVersions: [v1]
#         resources: [podtemplates, replicationcontrollers]
#       - apiGroups: [apps]
#         apiVersions: ["*"]
#         resources: [daemonsets, deployments, replicasets, statefulsets]
#       - apiGroups: [batch]
#         apiVersions: ["*"]
#         resources: [cronjobs]
#       - apiGroups: [batch]
#         apiVersions: ["*"]
#         resources: [jobs]
#         operations: [CREATE]
package policies.defaults.drop_capabilities

import data.lib.changes

patch := [operation |
	not changes.is_for_windows
	some container in changes.containers
	container.kind != "ephemeral"
	context := object.get(container.container, "securityContext", null)
	some operation in _operations(changes.pointer(container.path), context)
]

_operations(at, null) := [{"op": "add", "path": sprintf("%s/securityContext", [at]), "value": {"capabilities": {"drop": ["ALL"]}}}]

_operations(at, context) := [{"op": "add", "path": sprintf("%s/securityContext/capabilities", [at]), "value": {"drop": ["ALL"]}}] if {
	context != null
	object.get(context, "capabilities", null) == null
} else := [{"op": "add", "path": sprintf("%s/securityContext/capabilities/drop", [at]), "value": ["ALL"]}] if {
	context != null
	object.get(context, ["capabilities", "drop"], null) in {null, []}
} else := [] if {
	context != null
}
