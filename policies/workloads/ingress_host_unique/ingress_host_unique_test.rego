package policies.workloads.ingress_host_unique_test

import data.policies.workloads.ingress_host_unique

_rule(host, paths) := {"host": host, "http": {"paths": [{"path": path} | some path in paths]}}

_ingress(rules) := {"kind": "Ingress", "spec": {"rules": rules}}

_inventory(namespace, name, ingress) := {"namespace": {namespace: {"networking.k8s.io/v1": {"Ingress": {name: ingress}}}}}

_denied(operation, ingress, inventory) := violations if {
	violations := ingress_host_unique.deny with input as {
		"request": {"operation": operation, "namespace": "shop", "name": "web", "object": ingress},
		"context": {"inventory": inventory},
		"exempt": {},
	}
}

_of(index, host, namespace) := {
	"msg": sprintf("the host %s belongs to the namespace %s", [host, namespace]),
	"field": sprintf("spec.rules[%d].host", [index]),
	"details": {"remedy": "take another host, or have the Ingress there send the path on"},
}

_path(index, path, host, name) := {
	"msg": sprintf("the path %s of the host %s is that of the Ingress \"%s\"", [path, host, name]),
	"field": sprintf("spec.rules[%d].http.paths", [index]),
	"details": {"remedy": sprintf("take another path or host, or change the Ingress \"%s\"", [name])},
}

_web := _ingress([_rule("a.example.com", ["/"]), _rule("Shop.example.com", ["/", "/cart"])])

test_a_host_that_nobody_has if {
	_denied("CREATE", _web, {}) == set()
	_denied("CREATE", _web, _inventory("tools", "other", _ingress([_rule("tools.example.com", ["/"])]))) == set()
	_denied("CREATE", _web, _inventory("tools", "other", _ingress([_rule("*.example.com", ["/"])]))) == set()
	_denied("CREATE", _web, {"namespace": {"tools": {"v1": {"Service": {}}}}}) == set()
}

test_itself_is_no_other if {
	_denied("UPDATE", _web, _inventory("shop", "web", _web)) == set()
}

test_a_host_of_another_namespace_on_every_write if {
	every operation in ["CREATE", "UPDATE"] {
		every name in ["web", "other"] {
			taken := _ingress([_rule("shop.EXAMPLE.com", ["/elsewhere"])])
			_denied(operation, _web, _inventory("tools", name, taken)) == {_of(1, "shop.example.com", "tools")}
		}
	}
}

test_a_path_of_the_same_namespace_on_every_write if {
	every operation in ["CREATE", "UPDATE"] {
		taken := _ingress([_rule("shop.example.com", ["/cart", "/pay"])])
		_denied(operation, _web, _inventory("shop", "other", taken)) == {_path(1, "/cart", "shop.example.com", "other")}
	}
	_denied("CREATE", _web, _inventory("shop", "other", _ingress([_rule("shop.example.com", ["/pay"])]))) == set()
}

test_no_host_is_every_host if {
	every rule in [{"http": {"paths": [{}]}}, {"host": "", "http": {"paths": [{"path": "/"}]}}, {"host": 5, "http": {"paths": [{}]}}] {
		_denied("CREATE", _ingress([rule]), _inventory("tools", "other", _ingress([{}]))) == {_of(0, "*", "tools")}
		_denied("CREATE", _ingress([rule]), _inventory("shop", "other", _ingress([_rule("", ["/"])]))) == {_path(0, "/", "*", "other")}
	}
}

test_other_classes_are_of_other_controllers if {
	taken := _inventory("tools", "other", _ingress([_rule("shop.example.com", ["/"])]))
	key := "kubernetes.io/ingress.class"
	every inner in [
		{"spec": {"ingressClassName": "internal"}},
		{"metadata": {"annotations": {key: "internal"}}},
		{"metadata": {"annotations": {key: "internal"}}, "spec": {"ingressClassName": null}},
	] {
		_denied("CREATE", object.union(_web, inner), taken) == set()
		same := _inventory("tools", "other", object.union(_ingress([_rule("shop.example.com", ["/"])]), inner))
		_denied("CREATE", object.union(_web, {"spec": {"ingressClassName": "internal"}}), same) == {_of(1, "shop.example.com", "tools")}
	}
	named := object.union(_web, {"metadata": {"annotations": {key: "x"}}, "spec": {"ingressClassName": null}})
	_denied("CREATE", named, taken) == set()
}

test_ingresses_without_rules if {
	every rules in [null, [], "all"] {
		_denied("CREATE", _ingress(rules), _inventory("tools", "other", _web)) == set()
		_denied("CREATE", _web, _inventory("tools", "other", _ingress(rules))) == set()
	}
	_denied("CREATE", {}, _inventory("tools", "other", _web)) == set()
}

test_a_request_without_a_name_compares_with_all if {
	violations := ingress_host_unique.deny with input as {
		"request": {"operation": "CREATE", "namespace": "shop", "object": _web},
		"context": {"inventory": _inventory("shop", "other", _ingress([_rule("shop.example.com", ["/cart"])]))},
	}
	violations == {_path(1, "/cart", "shop.example.com", "other")}
}
