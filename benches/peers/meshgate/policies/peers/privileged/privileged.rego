# METADATA
# title: No privileged containers
# description: Compared with the same rule in other programs.
# custom:
#   severity: low
#   match:
#     rules:
#       - apiGroups: [apps]
#         apiVersions: [v1]
#         resources: [deployments]
package policies.peers.privileged

deny contains {"msg": msg} if {
	some container in input.request.object.spec.template.spec.containers
	container.securityContext.privileged == true
	msg := sprintf("container %q is privileged", [container.name])
}
