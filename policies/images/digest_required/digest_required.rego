# METADATA
# title: Images are named by their digest
# description: >-
#   A tag is a name that a registry may give to another image at any time; a digest is the image. With it every Pod of
#   a workload runs the same bytes, also after a restart, and what was scanned or signed is what runs.
# custom:
#   severity: medium
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
package policies.images.digest_required

import data.lib.containers

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy, "required": "a digest"}} if {
	some container in containers.of("images/digest_required")
	some problem in _problems(container.image)
	msg := sprintf("%s has the image \"%s\", %s", [containers.title(container), container.image.text, problem])
	field := sprintf("%s.image", [container.path])
	remedy := _remedy(container.image)
}

_remedy(image) := "add the digest, as in `nginx:1.29.1@sha256:…`; `crane digest IMAGE` prints it" if image.error == null

_remedy(image) := "write it as registry/repository:tag@sha256:…" if image.error != null

# One problem at most.
_problems(image) := {sprintf("whose digest can't be read: %s", [image.error])} if image.error != null

_problems(image) := {"which has no digest and can be another image tomorrow"} if {
	image.error == null
	image.digest == null
}
