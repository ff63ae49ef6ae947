# METADATA
# title: Services take no addresses from others
# description: >-
#   Traffic to an address in `externalIPs` goes to the Service on every node, whoever owns the address: who may make a
#   Service may so read and answer what others send to a database or an identity provider (CVE-2020-8554). Addresses
#   that are really given to the cluster are listed here, as networks.
# custom:
#   severity: high
#   since: "0.1"
#   docs: https://kubernetes.io/docs/concepts/services-networking/service/#external-ips
#   match:
#     rules:
#       - apiGroups: [""]
#         apiVersions: [v1]
#         resources: [services]
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       allowed:
#         description: Networks whose addresses may be used.
#         type: array
#         items: {type: string, pattern: '^[0-9A-Fa-f.:]+/[0-9]+$'}
#         uniqueItems: true
#         default: []
#         x-meshgate-stricter: fewer
package policies.workloads.external_ips

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	some index, address in object.get(input.request.object, ["spec", "externalIPs"], [])
	not _allowed(address)
	msg := sprintf("the Service takes what is sent to %v, which is not given to the cluster", [address])
	field := sprintf("spec.externalIPs[%d]", [index])
	remedy := "remove the address; a Service of type LoadBalancer gets one of its own"
}

# Every address is one with a length of 32, which IPv6 has as well.
_allowed(address) if {
	some network in input.parameters.allowed
	net.cidr_is_valid(sprintf("%v/32", [address]))
	net.cidr_contains(network, address)
}
