# METADATA
# title: What is written to the node's disk is bounded
# description: >-
#   Logs, what containers write beside their volumes, and emptyDir volumes fill the disk of a node, and then Pods are
#   evicted that did nothing. Init, sidecar and regular containers have a limit of `ephemeral-storage`, and every
#   emptyDir has a sizeLimit. One in memory counts as memory of the containers: its sizeLimit is no more than their
#   limits together, where all have one.
# custom:
#   severity: medium
#   since: "0.1"
#   docs: https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#local-ephemeral-storage
#   context: [containers, pod]
#   match:
#     rules:
#       - apiGroups: [""]
#         apiVersions: [v1]
#         resources: [pods, podtemplates, replicationcontrollers]
#       - apiGroups: [apps]
#         apiVersions: ["*"]
#         resources: [daemonsets, deployments, replicasets, statefulsets]
#       - apiGroups: [batch]
#         apiVersions: ["*"]
#         resources: [cronjobs, jobs]
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       requests:
#         description: Whether containers have a request of ephemeral storage; a limit is one, too.
#         type: boolean
#         default: false
#       limits:
#         description: Whether containers have a limit of ephemeral storage.
#         type: boolean
#         default: true
#       volumes:
#         description: Whether emptyDir volumes have a sizeLimit.
#         type: boolean
#         default: true
package policies.resources.ephemeral_storage

import data.lib.containers
import data.lib.quantities
import data.lib.requests

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy, "required": "a quantity above zero"}} if {
	requests.of_object
	some container in containers.of("resources/ephemeral_storage")
	container.kind != "ephemeral"
	some list, lists in _demanded
	written := [quantities.milli(quantity) |
		some other in lists
		quantity := object.get(container.container, ["resources", other, "ephemeral-storage"], null)
		quantities.is_quantity(quantity)
	]
	count([amount | some amount in written; amount > 0]) == 0
	msg := sprintf("%s has no ephemeral-storage %s above zero", [containers.title(container), trim_suffix(list, "s")])
	field := sprintf("%s.resources.%s.ephemeral-storage", [container.path, list])
	remedy := sprintf("set `resources.%s.ephemeral-storage`, for example to 1Gi", [list])
}

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy, "required": "a quantity"}} if {
	some volume in _volumes
	size := volume.size
	not quantities.is_quantity(size)
	msg := sprintf("the emptyDir volume \"%s\" %s", [volume.name, _lack(size)])
	field := volume.field
	remedy := _remedies[volume.medium]
}

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	some volume in _volumes
	volume.medium == "Memory"
	quantities.milli(volume.size) > _memory
	msg := sprintf("the emptyDir volume \"%s\" in memory is larger than what its containers may have: observed sizeLimit %v", [volume.name, volume.size])
	field := volume.field
	remedy := "lower `sizeLimit`, or raise the memory limits of the containers"
}

# What is demanded, and the lists in which it may stand.
_demanded := object.union(
	{name: ["requests", "limits"] | some name in ["requests"]; input.parameters.requests},
	{name: ["limits"] | some name in ["limits"]; input.parameters.limits},
)

# emptyDir volumes on the disk, or in memory; not huge pages.
_volumes contains {"name": name, "size": size, "medium": medium, "field": field} if {
	input.parameters.volumes
	requests.of_object
	some index, volume in object.get(input.context.pod.spec, "volumes", [])
	is_object(object.get(volume, "emptyDir", null))
	medium := object.get(volume, ["emptyDir", "medium"], "")
	medium in {"", "Memory"}
	size := object.get(volume, ["emptyDir", "sizeLimit"], null)
	name := object.get(volume, "name", "")
	field := sprintf("%s.volumes[%d].emptyDir.sizeLimit", [input.context.pod.path, index])
}

_lack(null) := "has no sizeLimit"

_lack(size) := sprintf("has a sizeLimit that can't be read: %v", [size]) if size != null

_remedies := {
	"": "set `sizeLimit` to what it needs, for example 1Gi",
	"Memory": "set `sizeLimit` to what it needs, which is part of what the memory limits of the containers have to hold",
}

# The memory limits of all containers that run on, if each has one.
_memory := sum(limits) if {
	running := [container | some container in input.context.containers; container.kind in {"regular", "sidecar"}]
	limits := [quantities.milli(limit) |
		some container in running
		limit := object.get(container.container, ["resources", "limits", "memory"], null)
		quantities.is_quantity(limit)
	]
	count(limits) == count(running)
}
