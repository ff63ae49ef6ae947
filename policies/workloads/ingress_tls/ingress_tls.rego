# METADATA
# title: Ingresses are reached over TLS
# description: >-
#   What an Ingress answers for a host that no entry of `spec.tls` covers goes over the net in plaintext, with passwords
#   and cookies. Every host of a rule is in an entry, itself or by a wildcard of one label; a rule without host needs an
#   entry at all. Which certificate it is does not matter here: controllers have one of their own.
# custom:
#   severity: high
#   since: "0.1"
#   docs: https://kubernetes.io/docs/concepts/services-networking/ingress/#tls
#   match:
#     rules:
#       - apiGroups: [networking.k8s.io, extensions]
#         apiVersions: ["*"]
#         resources: [ingresses]
package policies.workloads.ingress_tls

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	some index, rule in _list("rules")
	host := _host(rule)
	host != ""
	not _covered(host)
	msg := sprintf("no entry of `spec.tls` covers the host %s", [host])
	field := sprintf("spec.rules[%d].host", [index])
	remedy := sprintf("add an entry to `spec.tls` with the host %s and the Secret of its certificate", [host])
}

deny contains {"msg": msg, "field": "spec.tls", "details": {"remedy": remedy}} if {
	count(_list("tls")) == 0
	_serves_any_host
	msg := "it answers for any host, and `spec.tls` is empty"
	remedy := "name the hosts that it answers for, each with an entry of `spec.tls`, or add such an entry without `hosts`"
}

_serves_any_host if {
	some rule in _list("rules")
	_host(rule) == ""
}

# A backend for what no rule is about.
_serves_any_host if {
	some name in ["backend", "defaultBackend"]
	object.get(input.request.object, ["spec", name], null) != null
}

_covered(host) if host in _hosts

_covered(host) if {
	parts := split(host, ".")
	concat(".", array.concat(["*"], array.slice(parts, 1, count(parts)))) in _hosts
}

_hosts := {lower(host) |
	some entry in _list("tls")
	some host in object.get(entry, "hosts", [])
	is_string(host)
}

_host(rule) := lower(host) if {
	host := object.get(rule, "host", "")
	is_string(host)
} else := ""

_list(name) := list if {
	list := object.get(input.request.object, ["spec", name], [])
	is_array(list)
} else := []
