package policies.mtls.strict_peer_authentication_test

import data.policies.mtls.strict_peer_authentication

_denied(operation, spec) := violations if {
	violations := strict_peer_authentication.deny with input as {
		"request": {"operation": operation, "object": {"kind": "PeerAuthentication", "spec": spec}},
		"exempt": {},
	}
}

_mode(msg) := {
	"msg": msg,
	"field": "spec.mtls.mode",
	"details": {"remedy": "set `spec.mtls.mode` to STRICT", "required": "STRICT"},
}

_port(port, problem) := {
	"msg": sprintf("the mTLS mode of port %s is %s", [port, problem]),
	"field": sprintf("spec.portLevelMtls[%s].mode", [port]),
	"details": {"remedy": sprintf("set `spec.portLevelMtls[%s].mode` to STRICT, or remove the port", [port]), "required": "STRICT"},
}

_for_namespace := _mode("no mTLS mode is set for the whole namespace (in the root namespace: for the mesh): it is inherited, and PERMISSIVE where nothing above says STRICT")

_for_workloads := _mode("no mTLS mode is set for the selected workloads: it is inherited, and PERMISSIVE where nothing above says STRICT")

_selector := {"matchLabels": {"app": "web"}}

test_strict_passes if {
	every operation in ["CREATE", "UPDATE"] {
		_denied(operation, {"mtls": {"mode": "STRICT"}}) == set()
		_denied(operation, {"selector": _selector, "mtls": {"mode": "STRICT"}}) == set()
	}
}

test_permissive_and_disable_are_denied_whatever_is_selected if {
	every operation in ["CREATE", "UPDATE"] {
		every selector in [null, {}, _selector] {
			_denied(operation, {"selector": selector, "mtls": {"mode": "PERMISSIVE"}}) == {_mode("the mTLS mode is PERMISSIVE, so plaintext is accepted as well")}
			_denied(operation, {"selector": selector, "mtls": {"mode": "DISABLE"}}) == {_mode("the mTLS mode is DISABLE, so only plaintext is accepted")}
		}
	}
}

test_what_is_no_mode_is_denied if {
	every mode in ["strict", "MUTUAL", "", "STRICT ", 3, true, {"STRICT": true}] {
		_denied("CREATE", {"mtls": {"mode": mode}}) == {_mode(sprintf("the mTLS mode is %v, which is no mode of Istio", [mode]))}
	}
}

test_a_mode_that_is_inherited_is_denied if {
	unset := [{}, {"mtls": null}, {"mtls": {}}, {"mtls": {"mode": null}}, {"mtls": {"mode": "UNSET"}}, {"mtls": "STRICT"}]
	every spec in unset {
		_denied("CREATE", spec) == {_for_namespace}
		_denied("CREATE", object.union(spec, {"selector": {}})) == {_for_namespace}
		_denied("CREATE", object.union(spec, {"selector": {"matchLabels": {}}})) == {_for_namespace}
		_denied("CREATE", object.union(spec, {"selector": {"matchLabels": null}})) == {_for_namespace}
		_denied("CREATE", object.union(spec, {"selector": _selector})) == {_for_workloads}
	}
	every spec in [null, "STRICT", ["STRICT"]] {
		_denied("CREATE", spec) == {_for_namespace}
	}
}

test_an_object_without_spec_is_denied if {
	violations := strict_peer_authentication.deny with input as {"request": {"operation": "CREATE", "object": {}}}
	violations == {_for_namespace}
}

test_ports_below_strict_are_denied if {
	ports := {
		"8080": {"mode": "PERMISSIVE"},
		"8081": {"mode": "DISABLE"},
		"8082": {"mode": "STRICT"},
		"8083": {"mode": "UNSET"},
		"8084": {},
		"8085": null,
		"8086": {"mode": "strict"},
		"8087": {"mode": null},
	}
	_denied("UPDATE", {"selector": _selector, "mtls": {"mode": "STRICT"}, "portLevelMtls": ports}) == {
		_port("8080", "PERMISSIVE, so plaintext is accepted as well"),
		_port("8081", "DISABLE, so only plaintext is accepted"),
		_port("8086", "strict, which is no mode of Istio"),
	}
}

test_ports_do_not_stand_in_for_the_mode if {
	spec := {"selector": _selector, "portLevelMtls": {"8080": {"mode": "STRICT"}, "8081": {"mode": "DISABLE"}}}
	_denied("CREATE", spec) == {_for_workloads, _port("8081", "DISABLE, so only plaintext is accepted")}
}

test_no_ports if {
	every ports in [null, {}, [], "8080"] {
		_denied("CREATE", {"mtls": {"mode": "STRICT"}, "portLevelMtls": ports}) == set()
	}
}
