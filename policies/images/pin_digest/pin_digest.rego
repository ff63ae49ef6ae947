# METADATA
# title: Tags become digests
# description: >-
#   Where a binding covers an object, each of its images, of containers and of image volumes, gets the digest that its tag
#   has now, as the last of all changes; what stands before the digest stays as it was written. So what was verified is
#   what runs, on every node and after every restart. A digest that can't be learnt is an error of this policy. Templates
#   are left alone unless asked for: their Pods are pinned when they are made, and who keeps them in Git sees no drift.
# custom:
#   severity: medium
#   since: "0.1"
#   docs: https://kubernetes.io/docs/concepts/containers/images/#image-names
#   context: [containers]
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       pinTemplates:
#         type: boolean
#         description: Whether templates of workloads are pinned, too.
#         default: false
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
package policies.images.pin_digest

import data.lib.containers

# Of a template this is said before its Pods are made; theirs would be in error.
deny contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	some container in containers.of("images/pin_digest")
	container.image.error != null
	msg := sprintf("%s has the image \"%s\", which no registry can be asked for: %s", [containers.title(container), container.image.text, container.image.error])
	field := sprintf("%s.image", [container.path])
	remedy := "write it as [registry/]repository[:tag][@digest]"
}
