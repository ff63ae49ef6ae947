# METADATA
# title: Limits are not far above requests
# description: >-
#   What a container may take beyond its request is promised to others as well: with limits far above requests a node is
#   overcommitted, and memory is then taken back by killing. Limit divided by request is at most so much, exactly. A
#   container without request has its limit as request, and passes; what can't be read as a quantity is refused.
# custom:
#   severity: medium
#   since: "0.1"
#   docs: https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
#   context: [containers]
#   match:
#     rules:
#       # Not pods/ephemeralcontainers: it can't change resources.
#       - apiGroups: [""]
#         apiVersions: [v1]
#         resources: [pods, pods/resize, podtemplates, replicationcontrollers]
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
#       ratios:
#         description: The largest quotient by resource.
#         type: object
#         additionalProperties: {type: number, minimum: 1}
#         default: {cpu: 10, memory: 2}
#         x-meshgate-stricter: lower
package policies.resources.ratio

import data.lib.containers
import data.lib.quantities

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy, "observed": observed, "required": required}} if {
	some pair in _pairs
	quantities.milli(pair.limit) * 1000 > quantities.milli(pair.request) * quantities.milli(pair.ratio)
	observed := sprintf("limit %v, request %v", [pair.limit, pair.request])
	required := sprintf("limit/request ≤ %v", [pair.ratio])
	msg := sprintf("%s: %s limit/request is too large: observed %s, required %s", [pair.title, pair.resource, observed, required])
	field := pair.field
	remedy := "raise the request to what is used, or lower the limit"
}

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy, "observed": observed, "required": "a quantity"}} if {
	some pair in _pairs
	some value in [pair.limit, pair.request]
	not quantities.is_quantity(value)
	observed := sprintf("%v", [value])
	msg := sprintf("%s: %s limit/request can't be read: observed %s, required a quantity", [pair.title, pair.resource, observed])
	field := pair.field
	remedy := "write it as Kubernetes does, as in `500m` or `1.5Gi`"
}

# Where there are both.
_pairs contains {"title": title, "resource": resource, "limit": limit, "request": request, "ratio": ratio, "field": field} if {
	some container in containers.of("resources/ratio")
	container.kind != "ephemeral"
	some resource, ratio in input.parameters.ratios
	limit := object.get(container.container, ["resources", "limits", resource], null)
	limit != null
	request := object.get(container.container, ["resources", "requests", resource], null)
	request != null
	title := containers.title(container)
	field := _field(container, resource)
}

_field(container, resource) := sprintf("%s.resources.limits.%s", [container.path, resource]) if not contains(resource, ".")

_field(container, resource) := sprintf("%s.resources.limits[%s]", [container.path, resource]) if contains(resource, ".")
