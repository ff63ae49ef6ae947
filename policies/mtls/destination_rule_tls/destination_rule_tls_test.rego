package policies.mtls.destination_rule_tls_test

import data.policies.mtls.destination_rule_tls

_denied(operation, spec) := violations if {
	violations := destination_rule_tls.deny with input as {
		"request": {"operation": operation, "object": {"kind": "DestinationRule", "spec": spec}},
		"parameters": {"clusterDomain": "cluster.local", "externalHosts": ["legacy", "db.shop.svc.cluster.local"]},
		"exempt": {},
	}
}

_rule(host, policy) := {"host": host, "trafficPolicy": policy}

_mode(host, place, mode, meaning) := {
	"msg": sprintf("the TLS mode towards %s is %v, %s", [host, mode, meaning]),
	"field": sprintf("%s.tls.mode", [place]),
	"details": {"remedy": "remove `tls`, or set its mode to ISTIO_MUTUAL", "required": "ISTIO_MUTUAL"},
}

_plain(host, place) := _mode(host, place, "DISABLE", "so clients send plaintext")

_dropped(field, above) := {
	"msg": sprintf("the settings of a port have no `tls`, so that of `%s` does not count for the port", [above]),
	"field": field,
	"details": {"remedy": sprintf("repeat the `tls` of `%s` here", [above])},
}

_disable := {"tls": {"mode": "DISABLE"}}

test_nothing_is_said_of_tls if {
	every spec in [{}, null, {"host": "web"}, _rule("web", {}), _rule("web", null), _rule("web", {"tls": null}), {"host": "web", "subsets": [{"name": "v1"}]}] {
		_denied("CREATE", spec) == set()
	}
	_denied("CREATE", _rule("web", {"portLevelSettings": [{"port": {"number": 80}}]})) == set()
	violations := destination_rule_tls.deny with input as {
		"request": {"object": {}},
		"parameters": {"clusterDomain": "cluster.local", "externalHosts": []},
	}
	violations == set()
}

test_the_meshs_own_tls if {
	mutual := {"tls": {"mode": "ISTIO_MUTUAL"}}
	_denied("CREATE", {"host": "web", "trafficPolicy": mutual, "subsets": [{"trafficPolicy": mutual}]}) == set()
}

test_hosts_of_the_mesh_on_every_write if {
	hosts := ["web", "Web", "web.shop.svc.cluster.local", "*", "*.local", "*.cluster.local", "*.shop.svc.cluster.local"]
	every host in hosts {
		every operation in ["CREATE", "UPDATE"] {
			_denied(operation, _rule(host, _disable)) == {_plain(host, "spec.trafficPolicy")}
		}
	}
}

test_hosts_of_others if {
	hosts := ["api.example.com", "*.example.com", "cluster.local.example.com", "legacy", "db.shop.svc.cluster.local", "x.local"]
	every host in hosts {
		_denied("CREATE", _rule(host, _disable)) == set()
	}
}

test_every_mode if {
	modes := {
		"DISABLE": "so clients send plaintext",
		"SIMPLE": "so clients send a TLS in which they don't say who they are, and which its proxies don't know",
		"MUTUAL": "so clients send a TLS with certificates that are not the mesh's",
		"istio_mutual": "which is no mode of Istio",
		"": "which is no mode of Istio",
	}
	every mode, meaning in modes {
		_denied("CREATE", _rule("web", {"tls": {"mode": mode}})) == {_mode("web", "spec.trafficPolicy", mode, meaning)}
	}
	_denied("CREATE", _rule("web", {"tls": {}})) == {_plain("web", "spec.trafficPolicy")}
	_denied("CREATE", _rule("web", {"tls": {"sni": "a"}})) == {_plain("web", "spec.trafficPolicy")}
}

test_every_place if {
	ports := [{"port": {"number": 80}, "tls": {"mode": "ISTIO_MUTUAL"}}, {"port": {"number": 81}, "tls": {"mode": "DISABLE"}}]
	spec := {
		"host": "web",
		"trafficPolicy": {"portLevelSettings": ports},
		"subsets": [{"name": "v1", "trafficPolicy": _disable}, {"name": "v2", "trafficPolicy": {"portLevelSettings": ports}}],
	}
	_denied("CREATE", spec) == {
		_plain("web", "spec.trafficPolicy.portLevelSettings[1]"),
		_plain("web", "spec.subsets[0].trafficPolicy"),
		_plain("web", "spec.subsets[1].trafficPolicy.portLevelSettings[1]"),
	}
}

test_a_port_that_drops_tls_whatever_the_host if {
	mutual := {"tls": {"mode": "ISTIO_MUTUAL"}, "portLevelSettings": [{"port": {"number": 80}}]}
	every host in ["web", "api.example.com"] {
		_denied("CREATE", _rule(host, mutual)) == {_dropped("spec.trafficPolicy.portLevelSettings[0]", "spec.trafficPolicy")}
		_denied("CREATE", {"host": host, "subsets": [{"trafficPolicy": mutual}]}) == {_dropped(
			"spec.subsets[0].trafficPolicy.portLevelSettings[0]",
			"spec.subsets[0].trafficPolicy",
		)}
	}
}

test_a_port_of_a_subset_drops_the_tls_of_the_rule if {
	_denied("CREATE", {
		"host": "web",
		"trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL"}},
		"subsets": [{"trafficPolicy": {"portLevelSettings": [{"port": {"number": 80}}]}}],
	}) == {_dropped("spec.subsets[0].trafficPolicy.portLevelSettings[0]", "spec.trafficPolicy")}
}

test_lists_that_are_none if {
	_denied("CREATE", {"host": "web", "subsets": null, "trafficPolicy": {"portLevelSettings": null}}) == set()
}
