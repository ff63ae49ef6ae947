# METADATA
# title: No image latest
# description: Compared with the same rule in other programs.
# custom:
#   severity: low
#   match:
#     rules:
#       - apiGroups: [apps]
#         apiVersions: [v1]
#         resources: [deployments]
package policies.peers.latest

deny contains {"msg": msg} if {
	some container in input.request.object.spec.template.spec.containers
	endswith(container.image, ":latest")
	msg := sprintf("container %q has the image %q", [container.name, container.image])
}
