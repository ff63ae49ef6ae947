# METADATA
# title: Changes of Pods and their templates
# description: >-
#   Where a mutation may change a Pod or a template, and how it says where. A policy that imports it declares the facts
#   `pod` and, for containers, `containers`.
package lib.changes

import data.lib.requests

# The Pod, or the template, may be changed now: it is made, or a template is changed anyway, so that nothing is rolled
# out anew. A template that a controller made of another one is left alone: the controller compares the two, and the
# Pods are changed when they are made.
allowed if {
	requests.of_object
	not _mirrored
	not _derived
	_in_time
}

# As a JSON pointer: `/spec/template/spec/containers/0`.
pointer(path) := sprintf("/%s", [replace(replace(replace(path, ".", "/"), "[", "/"), "]", "")])

# The pointer of a field of the Pod's spec.
spec_pointer(field) := sprintf("%s/%s", [pointer(input.context.pod.path), field])

# The pointer of a field of the Pod's metadata, which stands beside the spec.
metadata_pointer(field) := sprintf("%s/metadata/%s", [trim_suffix(pointer(input.context.pod.path), "/spec"), field])

# A name within a pointer.
escaped(name) := replace(replace(name, "~", "~0"), "/", "~1")

# The containers that a mutation looks at: those that the mesh has rendered are not changed.
containers := [container |
	allowed
	some container in input.context.containers
	rendered := container.rendered
	not rendered
]

is_for_windows if object.get(input.context.pod.spec, ["os", "name"], "") == "windows"

# What the kubelet shows of a Pod that it runs from a file of its own.
_mirrored if object.get(input.context.pod.metadata, ["annotations", "kubernetes.io/config.mirror"], null) != null

# A template with a controller above, such as that of a Deployment's ReplicaSet.
_derived if {
	input.context.pod.template
	requests.is_controlled
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
