# METADATA
# title: Nothing runs as the user of the proxy
# description: >-
#   What the user of a sidecar sends is not redirected to the sidecar: that is how its own traffic gets out. A container
#   that runs as that user, or in its group, sends everything past the proxy, in plaintext. Judged are Pods and
#   containers that say so; of the proxies themselves each may have its own id. A proxy that this cluster's mesh renders
#   is known by what it is; any other is believed by its name, so bind rules on images beside this.
# custom:
#   severity: high
#   since: "0.1"
#   docs: https://istio.io/latest/docs/ops/deployment/application-requirements/
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
#       ids:
#         description: The user and group ids of proxies; those of Istio and Linkerd by default.
#         type: array
#         items: {type: integer, minimum: 1}
#         uniqueItems: true
#         default: [1337, 2102]
#         x-meshgate-stricter: more
#       proxies:
#         description: The names of containers that are believed to be proxies, each with the id that it may have.
#         type: object
#         additionalProperties: {type: integer, minimum: 1}
#         default:
#           istio-init: 1337
#           istio-proxy: 1337
#           istio-validation: 1337
#           linkerd-init: 2102
#           linkerd-network-validator: 2102
#           linkerd-proxy: 2102
#         x-meshgate-stricter: fewer
package policies.injection.proxy_uid

import data.lib.containers
import data.lib.requests

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	some container in containers.of("injection/proxy_uid")
	rendered := container.rendered
	not rendered
	some member in _members
	id := object.get(container.container, ["securityContext", member], null)
	id in input.parameters.ids
	id != object.get(input.parameters.proxies, container.name, null)
	msg := sprintf("%s has `%s: %d`, the proxy's, so what it sends goes past the proxy", [containers.title(container), member, id])
	field := sprintf("%s.securityContext.%s", [container.path, member])
	remedy := "take another id"
}

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	requests.of_object
	some member in _members
	id := object.get(input.context.pod.spec, ["securityContext", member], null)
	id in input.parameters.ids
	msg := sprintf("the Pod has `%s: %d`, the proxy's, so what its containers send goes past the proxy", [member, id])
	field := sprintf("%s.securityContext.%s", [input.context.pod.path, member])
	remedy := "take another id"
}

_members := ["runAsGroup", "runAsUser"]
