# METADATA
# title: DestinationRules leave mutual TLS to the mesh
# description: >-
#   Clients of the Istio mesh speak mutual TLS with each other by themselves. A DestinationRule that sets `tls` for a
#   host of the mesh takes that away: with DISABLE they send plaintext, with SIMPLE or MUTUAL a TLS that the other side
#   does not know, and where it is PERMISSIVE nobody notices. A port's own settings without `tls` drop that of the rule.
#   Hosts of the mesh are short names, names in the cluster's domain, and wildcards that cover one.
# custom:
#   severity: high
#   since: "0.1"
#   docs: https://istio.io/latest/docs/reference/config/networking/destination-rule/#ClientTLSSettings
#   match:
#     rules:
#       - apiGroups: [networking.istio.io]
#         apiVersions: [v1, v1beta1, v1alpha3]
#         resources: [destinationrules]
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       clusterDomain:
#         description: The domain of the cluster's Services.
#         type: string
#         minLength: 1
#         default: cluster.local
#       externalHosts:
#         description: Hosts that look like the mesh's and have no proxy, as they stand in `spec.host`.
#         type: array
#         items: {type: string, minLength: 1}
#         uniqueItems: true
#         default: []
#         x-meshgate-stricter: fewer
package policies.mtls.destination_rule_tls

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy, "required": "ISTIO_MUTUAL"}} if {
	_is_of_the_mesh
	some policy in (_wholes | _ports)
	some mode in _modes(policy.value)
	mode != "ISTIO_MUTUAL"
	field := sprintf("%s.tls.mode", [policy.field])
	msg := sprintf("the TLS mode towards %s is %v, %s", [_host, mode, _meaning(mode)])
	remedy := "remove `tls`, or set its mode to ISTIO_MUTUAL"
}

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	some port in _ports
	count(_modes(port.value)) == 0
	count(port.above) > 0
	msg := sprintf("the settings of a port have no `tls`, so that of `%s` does not count for the port", [port.above[0]])
	field := port.field
	remedy := sprintf("repeat the `tls` of `%s` here", [port.above[0]])
}

_host := object.get(input.request.object, ["spec", "host"], "")

_is_of_the_mesh if {
	host := lower(_host)
	not host in input.parameters.externalHosts
	_is_internal(host)
}

_is_internal(host) if not contains(host, ".")

_is_internal(host) if endswith(host, sprintf(".%s", [input.parameters.clusterDomain]))

# `*`, `*.local`: what stands behind the star is the end of the cluster's domain.
_is_internal(host) if {
	startswith(host, "*")
	endswith(sprintf(".%s", [input.parameters.clusterDomain]), trim_prefix(host, "*"))
}

# Settings of ports. `above`: the places that have `tls` and would count instead, the nearest first.
_ports contains {"value": settings, "field": field, "above": above} if {
	some policy in _wholes
	some index, settings in _list(policy.value, "portLevelSettings")
	field := sprintf("%s.portLevelSettings[%d]", [policy.field, index])
	above := [place.field | some place in [policy, _own]; count(_modes(place.value)) > 0]
}

# Of the rule, and of its subsets.
_wholes contains _own

_own := {"value": object.get(input.request.object, ["spec", "trafficPolicy"], {}), "field": "spec.trafficPolicy"}

_wholes contains {"value": value, "field": field} if {
	some index, subset in _list(object.get(input.request.object, "spec", {}), "subsets")
	value := object.get(subset, "trafficPolicy", {})
	field := sprintf("spec.subsets[%d].trafficPolicy", [index])
}

# The mode, if there is `tls`; without one it is DISABLE.
_modes(policy) := [mode |
	is_object(policy)
	is_object(object.get(policy, "tls", null))
	mode := object.get(policy, ["tls", "mode"], "DISABLE")
]

_list(holder, name) := list if {
	is_object(holder)
	list := object.get(holder, name, [])
	is_array(list)
} else := []

_meaning(mode) := object.get(
	{
		"DISABLE": "so clients send plaintext",
		"SIMPLE": "so clients send a TLS in which they don't say who they are, and which its proxies don't know",
		"MUTUAL": "so clients send a TLS with certificates that are not the mesh's",
	},
	mode, "which is no mode of Istio",
)
