# METADATA
# title: Pods have the container runtime's seccomp profile
# description: >-
#   Without a profile a container may make every system call of the kernel. Pods and templates that say nothing at
#   their `securityContext.seccompProfile` get RuntimeDefault; a container's own profile stays as it is, and so does
#   a Pod for Windows. A template is changed only with an update that changes it anyway, so nothing is rolled out
#   anew. A template that a controller made of another one is left alone: the controller compares the two, and the
#   Pods get the profile when they are made.
# custom:
#   severity: medium
#   since: "0.1"
#   docs: https://kubernetes.io/docs/tutorials/security/seccomp/
#   context: [pod]
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
package policies.defaults.seccomp_profile

import data.lib.changes

patch := [{"op": "add", "path": changes.spec_pointer("securityContext"), "value": {"seccompProfile": _profile}}] if {
	_may_change
	_security_context == null
}

patch := [{"op": "add", "path": changes.spec_pointer("securityContext/seccompProfile"), "value": _profile}] if {
	_may_change
	is_object(_security_context)
	object.get(_security_context, "seccompProfile", null) == null
}

_profile := {"type": "RuntimeDefault"}

_security_context := object.get(input.context.pod.spec, "securityContext", null)

_may_change if {
	changes.allowed
	not changes.is_for_windows
}
