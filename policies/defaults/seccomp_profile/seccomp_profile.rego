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

patch := [{"op": "add", "path": _pointer("securityContext"), "value": {"seccompProfile": _profile}}] if {
	_may_change
	_security_context == null
}

patch := [{"op": "add", "path": _pointer("securityContext/seccompProfile"), "value": _profile}] if {
	_may_change
	is_object(_security_context)
	object.get(_security_context, "seccompProfile", null) == null
}

_profile := {"type": "RuntimeDefault"}

_security_context := object.get(input.context.pod.spec, "securityContext", null)

_pointer(field) := sprintf("/%s/%s", [replace(input.context.pod.path, ".", "/"), field])

_may_change if {
	object.get(input.request, "subResource", "") in {"", null}
	object.get(input.context.pod.spec, ["os", "name"], "") != "windows"
	not _mirrored
	not _derived
	_in_time
}

# What the kubelet shows of a Pod that it runs from a file of its own.
_mirrored if object.get(input.context.pod.metadata, ["annotations", "kubernetes.io/config.mirror"], null) != null

# A template with a controller above, such as that of a Deployment's ReplicaSet.
_derived if {
	input.context.pod.template
	references := object.get(input.request.object, ["metadata", "ownerReferences"], [])
	is_array(references)
	some reference in references
	reference.controller == true
}

_in_time if input.request.operation == "CREATE"

_in_time if {
	input.request.operation == "UPDATE"
	not _immutable
	_template("object") != _template("oldObject")
}

# The API server refuses a change of these, whoever makes it.
_immutable if input.request.resource.resource in {"jobs", "pods"}

_template(member) := object.get(input.request, array.concat([member], path), null) if {
	parts := split(input.context.pod.path, ".")
	path := array.slice(parts, 0, count(parts) - 1)
}
