package policies.workloads.ingress_tls_test

import data.policies.workloads.ingress_tls

_denied(operation, spec) := violations if {
	violations := ingress_tls.deny with input as {
		"request": {"operation": operation, "object": {"kind": "Ingress", "spec": spec}},
		"exempt": {},
	}
}

_rules(hosts) := [{"host": host, "http": {}} | some host in hosts]

_uncovered(index, host) := {
	"msg": sprintf("no entry of `spec.tls` covers the host %s", [host]),
	"field": sprintf("spec.rules[%d].host", [index]),
	"details": {"remedy": sprintf("add an entry to `spec.tls` with the host %s and the Secret of its certificate", [host])},
}

_any := {{
	"msg": "it answers for any host, and `spec.tls` is empty",
	"field": "spec.tls",
	"details": {"remedy": "name the hosts that it answers for, each with an entry of `spec.tls`, or add such an entry without `hosts`"},
}}

test_hosts_that_are_covered if {
	tls := [{"hosts": ["shop.example.com"], "secretName": "a"}, {"hosts": ["*.example.net"]}]
	every hosts in [["shop.example.com"], ["Shop.example.com", "a.example.net"], ["*.example.net"]] {
		_denied("CREATE", {"tls": tls, "rules": _rules(hosts)}) == set()
	}
	_denied("CREATE", {"tls": [{"hosts": ["SHOP.example.com"]}], "rules": _rules(["shop.example.com"])}) == set()
}

test_hosts_that_are_not_on_every_write if {
	tls := [{"hosts": ["shop.example.com", 5]}, {"hosts": ["*.example.net"]}, {"hosts": null}, {"secretName": "a"}]
	hosts := ["a.b.example.net", "shop.example.com", "example.net", "shop.example.com.attacker.org", "*.example.com"]
	every operation in ["CREATE", "UPDATE"] {
		_denied(operation, {"tls": tls, "rules": _rules(hosts)}) == {
			_uncovered(0, "a.b.example.net"),
			_uncovered(2, "example.net"),
			_uncovered(3, "shop.example.com.attacker.org"),
			_uncovered(4, "*.example.com"),
		}
		every none in [null, [], "all"] {
			_denied(operation, {"tls": none, "rules": _rules(["shop.example.com"])}) == {_uncovered(0, "shop.example.com")}
		}
	}
}

test_any_host_needs_an_entry if {
	specs := [
		{"rules": [{"http": {}}]}, {"rules": [{"host": ""}], "tls": []}, {"rules": [{"host": 5}]}, {"backend": {}},
		{"defaultBackend": {"service": {}}, "tls": null},
	]
	every spec in specs {
		_denied("CREATE", spec) == _any
		_denied("CREATE", object.union(spec, {"tls": [{"secretName": "a"}]})) == set()
	}
}

test_nothing_is_answered if {
	every spec in [{}, null, {"rules": null}, {"rules": [], "defaultBackend": null}] {
		_denied("CREATE", spec) == set()
	}
}
