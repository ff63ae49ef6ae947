# METADATA
# title: Images come from allowed registries
# description: >-
#   Whoever can name an image of any registry runs any code. The reference is read as a container runtime reads it
#   (`nginx` is `docker.io/library/nginx`) and compared part by part: the registry as a whole, the repository
#   component by component. What can't be read is refused.
# custom:
#   severity: high
#   since: "0.1"
#   docs: https://kubernetes.io/docs/concepts/containers/images/#image-names
#   context: [containers]
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
#     required: [registries]
#     properties:
#       registries:
#         description: >-
#           Registries, as in `ghcr.io`, or the beginnings of repositories in them, as in `ghcr.io/our-org` and
#           `docker.io/library` (the official images).
#         type: array
#         items:
#           type: string
#           # A host (with a dot or a port, or localhost), then components of a repository.
#           pattern: '^((localhost|[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+|\[[0-9A-Fa-f:]+\])(:[0-9]+)?|[A-Za-z0-9_-]+:[0-9]+)(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$'
#         minItems: 1
#         uniqueItems: true
#         x-meshgate-stricter: fewer
package policies.images.allowed_registries

import data.lib.containers

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy, "required": required}} if {
	some container in containers.of("images/allowed_registries")
	image := container.image
	image.error != null
	msg := sprintf("%s has the image \"%s\", which can't be read: %s", [containers.title(container), image.text, image.error])
	field := sprintf("%s.image", [container.path])
	required := sprintf("an image from %s", [_registries])
	remedy := sprintf("write it as registry/repository:tag, from %s", [_registries])
}

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy, "required": required}} if {
	some container in containers.of("images/allowed_registries")
	image := container.image
	image.error == null
	not _allowed(image)
	name := sprintf("%s/%s", [image.registry, image.repository])
	msg := sprintf("%s has an image from %s, which is not allowed", [containers.title(container), name])
	field := sprintf("%s.image", [container.path])
	required := sprintf("an image from %s", [_registries])
	remedy := sprintf("take the image from %s", [_registries])
}

_allowed(image) if {
	some parts in _entries
	parts[0] == image.registry
	beginning := array.slice(parts, 1, count(parts))
	array.slice(split(image.repository, "/"), 0, count(beginning)) == beginning
}

_entries := [split(entry, "/") | some entry in input.parameters.registries]

_registries := concat(", ", input.parameters.registries)
