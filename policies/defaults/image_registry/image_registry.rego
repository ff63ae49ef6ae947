# METADATA
# title: Images come from where they are kept
# description: >-
#   A mirror outlives the limits and the outages of the registry that it mirrors. An image whose registry and repository
#   begin with `from`, part by part, is taken from `to` instead; tag and digest stay. The first entry that fits counts,
#   and an image that is below some `to` already stays. Images of image volumes are left alone.
# custom:
#   severity: low
#   since: "0.1"
#   docs: https://kubernetes.io/docs/concepts/containers/images/#image-names
#   context: [containers, pod]
#   mayChange: [images]
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
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       rewrites:
#         description: >-
#           Beginnings of images, and what stands there instead. The one that is given is that of Kubernetes' own images,
#           whose old registry gets no new ones.
#         type: array
#         items:
#           type: object
#           additionalProperties: false
#           required: [from, to]
#           properties:
#             from: {type: string, minLength: 1}
#             to: {type: string, minLength: 1}
#         default:
#           - {from: k8s.gcr.io, to: registry.k8s.io}
package policies.defaults.image_registry

import data.lib.changes

patch := [{"op": "replace", "path": sprintf("%s/image", [changes.pointer(container.path)]), "value": text} |
	some container in changes.containers
	image := container.image
	image.error == null
	parts := array.concat([image.registry], split(image.repository, "/"))
	not _is_kept(parts)
	text := sprintf("%s%s%s", [_rewritten(parts), _prefixed(":", image.tag), _prefixed("@", image.digest)])
]

_is_kept(parts) if {
	some entry in input.parameters.rewrites
	_begins(parts, entry.to)
}

# The entry that fits first; nothing where none does.
_rewritten(parts) := [text |
	some entry in input.parameters.rewrites
	_begins(parts, entry.from)
	rest := array.slice(parts, count(split(entry.from, "/")), count(parts))
	text := concat("/", array.concat([entry.to], rest))
][0]

_begins(parts, beginning) if array.slice(parts, 0, count(split(beginning, "/"))) == split(beginning, "/")

_prefixed(_, null) := ""

_prefixed(sign, part) := sprintf("%s%s", [sign, part]) if part != null
