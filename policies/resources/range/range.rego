# METADATA
# title: Requests and limits lie within bounds
# description: >-
#   A container that asks for more than a node has never starts, one that asks for next to nothing is put where there is
#   no room for it. Of each resource that is named here, requests and limits of init, sidecar and regular containers
#   are within its bounds. What is left out is not judged (`resources/required` asks for it), but a limit is the
#   request that is left out, as for the API server. What can't be read as a quantity is refused. The bounds that are
#   given are those of large nodes, and find typing mistakes: 100 CPUs for 100m, 128 bytes for 128Mi.
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
#       bounds:
#         description: Bounds by resource, as in `memory` or `nvidia.com/gpu`.
#         type: object
#         additionalProperties:
#           type: object
#           additionalProperties: false
#           properties:
#             minRequest: {$ref: "#/$defs/quantity", x-meshgate-stricter: higher}
#             maxRequest: {$ref: "#/$defs/quantity", x-meshgate-stricter: lower}
#             minLimit: {$ref: "#/$defs/quantity", x-meshgate-stricter: higher}
#             maxLimit: {$ref: "#/$defs/quantity", x-meshgate-stricter: lower}
#         default:
#           cpu: {minRequest: 1m, maxRequest: "16", maxLimit: "64"}
#           memory: {minRequest: 4Mi, maxRequest: 64Gi, maxLimit: 128Gi}
#     $defs:
#       quantity: {type: string, pattern: '^[0-9]{1,12}(\.[0-9]{1,5})?([KMGTPE]i|[numkMGTPE])?$'}
package policies.resources.range

import data.lib.containers
import data.lib.quantities

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy, "required": required}} if {
	some amount in _amounts
	value := amount.value
	not quantities.is_quantity(value)
	msg := sprintf("%s: the %s %s can't be read: observed %v, required a quantity", [amount.title, amount.resource, amount.noun, value])
	field := amount.field
	required := "a quantity"
	remedy := "write it as Kubernetes does, as in `500m` or `1.5Gi`"
}

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy, "required": required}} if {
	some amount in _amounts
	least := amount.bounds[_names[amount.list].least]
	quantities.milli(amount.value) < quantities.milli(least)
	msg := sprintf("%s: the %s %s is below the minimum: observed %v, required ≥ %s", [amount.title, amount.resource, amount.noun, amount.value, least])
	field := amount.field
	required := sprintf("≥ %s", [least])
	remedy := sprintf("set it to %s or more", [least])
}

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy, "required": required}} if {
	some amount in _amounts
	most := amount.bounds[_names[amount.list].most]
	quantities.milli(amount.value) > quantities.milli(most)
	msg := sprintf("%s: the %s %s is above the maximum: observed %v, required ≤ %s", [amount.title, amount.resource, amount.noun, amount.value, most])
	field := amount.field
	required := sprintf("≤ %s", [most])
	remedy := sprintf("set it to %s or less", [most])
}

_names := {
	"requests": {"noun": "request", "least": "minRequest", "most": "maxRequest"},
	"limits": {"noun": "limit", "least": "minLimit", "most": "maxLimit"},
}

# What is written of bounded resources, and limits once more as the requests that are left out.
_amounts contains {"title": title, "resource": resource, "list": list, "noun": noun, "value": value, "bounds": bounds, "field": field} if {
	some container in _judged
	some resource, bounds in input.parameters.bounds
	some list, names in _names
	value := object.get(container.container, ["resources", list, resource], null)
	value != null
	title := containers.title(container)
	noun := names.noun
	field := _field(container, list, resource)
}

_amounts contains {"title": title, "resource": resource, "list": "requests", "noun": "request (from the limit)", "value": value, "bounds": bounds, "field": field} if {
	some container in _judged
	some resource, bounds in input.parameters.bounds
	object.get(container.container, ["resources", "requests", resource], null) == null
	value := object.get(container.container, ["resources", "limits", resource], null)
	quantities.is_quantity(value)
	title := containers.title(container)
	field := _field(container, "limits", resource)
}

_judged contains container if {
	some container in containers.of("resources/range")
	container.kind != "ephemeral"
}

_field(container, list, resource) := sprintf("%s.resources.%s.%s", [container.path, list, resource]) if not contains(resource, ".")

_field(container, list, resource) := sprintf("%s.resources.%s[%s]", [container.path, list, resource]) if contains(resource, ".")
