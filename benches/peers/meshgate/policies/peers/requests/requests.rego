# METADATA
# title: Requests are set
# description: Compared with the same rule in other programs.
# custom:
#   severity: low
#   match:
#     rules:
#       - apiGroups: [apps]
#         apiVersions: [v1]
#         resources: [deployments]
package policies.peers.requests

deny contains {"msg": msg} if {
	some container in input.request.object.spec.template.spec.containers
	some resource in ["cpu", "memory"]
	object.get(container, ["resources", "requests", resource], "") == ""
	msg := sprintf("container %q requests no %s", [container.name, resource])
}
