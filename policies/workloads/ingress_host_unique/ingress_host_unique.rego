# METADATA
# title: A host belongs to one namespace, a path of it to one Ingress
# description: >-
#   Where two Ingresses answer for one host most controllers take the older one for a path, or merge both, and traffic
#   goes where its owner did not send it. A host belongs to the namespace that has it already; within the namespace each
#   path of it to one Ingress. Ingresses of different classes are of different controllers and are not compared, nor is a
#   wildcard with the hosts that it covers. Two that are made at the same moment may each not see the other.
# custom:
#   severity: high
#   since: "0.1"
#   docs: https://kubernetes.io/docs/concepts/services-networking/ingress/#the-ingress-resource
#   context:
#     inventory: {kinds: [networking.k8s.io/v1/Ingress]}
#   match:
#     rules:
#       - apiGroups: [networking.k8s.io]
#         apiVersions: [v1]
#         resources: [ingresses]
package policies.workloads.ingress_host_unique

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	some index, rule in _rules(input.request.object)
	host := _host(rule)
	some other in _others
	other.namespace != _namespace
	some taken in _rules(other.ingress)
	_host(taken) == host
	msg := sprintf("the host %s belongs to the namespace %s", [_shown(host), other.namespace])
	field := sprintf("spec.rules[%d].host", [index])
	remedy := "take another host, or have the Ingress there send the path on"
}

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	some index, rule in _rules(input.request.object)
	host := _host(rule)
	some other in _others
	other.namespace == _namespace
	some taken in _rules(other.ingress)
	_host(taken) == host
	some path in _paths(rule) & _paths(taken)
	msg := sprintf("the path %s of the host %s is that of the Ingress \"%s\"", [path, _shown(host), other.name])
	field := sprintf("spec.rules[%d].http.paths", [index])
	remedy := sprintf("take another path or host, or change the Ingress \"%s\"", [other.name])
}

# All Ingresses of this one's class, but itself.
_others contains {"namespace": namespace, "name": name, "ingress": ingress} if {
	some namespace, versions in object.get(input.context.inventory, "namespace", {})
	some name, ingress in object.get(versions, ["networking.k8s.io/v1", "Ingress"], {})
	[namespace, name] != [_namespace, object.get(input.request, "name", "")]
	_class(ingress) == _class(input.request.object)
}

_namespace := object.get(input.request, "namespace", "")

# The annotation counts where the field is empty.
_class(ingress) := name if {
	annotation := object.get(ingress, ["metadata", "annotations", "kubernetes.io/ingress.class"], "")
	name := object.get(ingress, ["spec", "ingressClassName"], annotation)
	name != null
} else := object.get(ingress, ["metadata", "annotations", "kubernetes.io/ingress.class"], "")

_rules(ingress) := rules if {
	rules := object.get(ingress, ["spec", "rules"], [])
	is_array(rules)
} else := []

_host(rule) := lower(host) if {
	host := object.get(rule, "host", "")
	is_string(host)
} else := ""

_shown("") := "*"

_shown(host) := host if host != ""

_paths(rule) := {path |
	some entry in object.get(rule, ["http", "paths"], [])
	path := object.get(entry, "path", "/")
}
