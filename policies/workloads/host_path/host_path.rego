# METADATA
# title: Pods don't mount paths of their node
# description: >-
#   Through `hostPath` a Pod reads what other Pods and the kubelet keep on the node, and who may write there takes the
#   node over. What agents need is named path by path, part by part: `/var/log` is not `/var/logs`. A path with `..` is
#   never allowed. Where only reading is allowed every container that mounts the volume says `readOnly: true`.
# custom:
#   severity: high
#   since: "0.1"
#   docs: https://kubernetes.io/docs/concepts/storage/volumes/#hostpath
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
#       allowedPaths:
#         description: The paths that may be mounted, each with what lies below it.
#         type: array
#         items:
#           type: object
#           additionalProperties: false
#           required: [path]
#           properties:
#             path: {type: string, pattern: ^/}
#             write:
#               description: Whether containers may write there.
#               type: boolean
#         default: []
#         x-meshgate-stricter: fewer
package policies.workloads.host_path

import data.lib.containers
import data.lib.requests

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	requests.of_object
	some volume in _volumes
	not _readable(volume)
	msg := sprintf("the volume \"%s\" is the path %s of the node, which is not allowed", [volume.name, volume.path])
	field := sprintf("%s.volumes[%d].hostPath.path", [input.context.pod.path, volume.index])
	remedy := "take a volume of another type: `emptyDir` for what may be lost, `persistentVolumeClaim` for what stays"
}

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy, "required": "true"}} if {
	some volume in _volumes
	_readable(volume)
	not _writable(volume)
	some container in containers.of("workloads/host_path")
	some index, mount in object.get(container.container, "volumeMounts", [])
	mount.name == volume.name
	object.get(mount, "readOnly", false) != true
	msg := sprintf("%s may write to the volume \"%s\", the path %s of the node", [containers.title(container), volume.name, volume.path])
	field := sprintf("%s.volumeMounts[%d].readOnly", [container.path, index])
	remedy := "set `readOnly: true` at this mount"
}

# Volumes that are paths of the node.
_volumes contains {"index": index, "name": name, "path": path} if {
	some index, volume in object.get(input.context.pod.spec, "volumes", [])
	object.get(volume, "hostPath", null) != null
	name := object.get(volume, "name", "")
	path := object.get(volume, ["hostPath", "path"], "")
}

_readable(volume) if {
	some entry in input.parameters.allowedPaths
	_covers(entry, volume)
}

_writable(volume) if {
	some entry in input.parameters.allowedPaths
	object.get(entry, "write", false)
	_covers(entry, volume)
}

_covers(entry, volume) if {
	startswith(volume.path, "/")
	parts := _parts(volume.path)
	not ".." in parts
	beginning := _parts(entry.path)
	array.slice(parts, 0, count(beginning)) == beginning
}

_parts(path) := [part | some part in split(path, "/"); not part in {"", "."}]
