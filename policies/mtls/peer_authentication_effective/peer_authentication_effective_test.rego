package policies.mtls.peer_authentication_effective_test

import data.policies.mtls.peer_authentication_effective

_denied(operation, namespace, spec) := violations if {
	violations := peer_authentication_effective.deny with input as {
		"request": {"operation": operation, "namespace": namespace, "object": {"kind": "PeerAuthentication", "spec": spec}},
		"parameters": {"rootNamespace": "istio-system"},
		"exempt": {},
	}
}

_selector := {"matchLabels": {"app": "web"}}

_ports := {"8080": {"mode": "STRICT"}, "8081": {"mode": "DISABLE"}}

_unselected := {{
	"msg": "the modes of 2 ports are ignored: the object selects no workloads by labels",
	"field": "spec.portLevelMtls",
	"details": {"remedy": "select the workloads with these ports by `spec.selector.matchLabels`"},
}}

_root := {{
	"msg": "it is ignored: labels in the root namespace istio-system select nothing",
	"field": "spec.selector",
	"details": {"remedy": "remove `spec.selector`, so that it holds for the mesh, or move it to the namespace of the workloads"},
}}

_no_port(port) := {{
	"msg": sprintf("the mode of port %s is ignored: there is no such port", [port]),
	"field": sprintf("spec.portLevelMtls[%s]", [port]),
	"details": {"remedy": "name a port of the container, from 1 to 65535"},
}}

test_what_has_an_effect if {
	every spec in [{}, null, {"mtls": {"mode": "STRICT"}}, {"selector": {}, "portLevelMtls": null}, {"selector": _selector, "portLevelMtls": _ports}] {
		_denied("CREATE", "shop", spec) == set()
	}
	_denied("CREATE", "istio-system", {"mtls": {"mode": "STRICT"}}) == set()
}

test_ports_without_labels_on_every_write if {
	every operation in ["CREATE", "UPDATE"] {
		every selector in [null, {}, {"matchLabels": {}}, {"matchLabels": null}] {
			_denied(operation, "shop", {"selector": selector, "portLevelMtls": _ports}) == _unselected
		}
		_denied(operation, "shop", {"portLevelMtls": _ports}) == _unselected
	}
}

test_labels_in_the_root_namespace_on_every_write if {
	every operation in ["CREATE", "UPDATE"] {
		_denied(operation, "istio-system", {"selector": _selector, "portLevelMtls": _ports}) == _root
		_denied(operation, "istio-system2", {"selector": _selector}) == set()
	}
}

test_what_is_no_port if {
	every port in ["0", "65536", "http", "08080", "-1", "99999", "", "123456"] {
		_denied("CREATE", "shop", {"selector": _selector, "portLevelMtls": {port: {"mode": "STRICT"}}}) == _no_port(port)
	}
	every port in ["1", "8080", "65535"] {
		_denied("CREATE", "shop", {"selector": _selector, "portLevelMtls": {port: {"mode": "STRICT"}}}) == set()
	}
}

test_an_object_without_namespace if {
	violations := peer_authentication_effective.deny with input as {
		"request": {"object": {"spec": {"selector": _selector}}},
		"parameters": {"rootNamespace": "istio-system"},
	}
	violations == set()
}
