package policies.workloads.host_namespaces_test

import data.policies.workloads.host_namespaces

_all := ["hostIPC", "hostNetwork", "hostPID"]

_input(operation, forbidden, path, spec) := {
	"request": {"operation": operation},
	"parameters": {"forbidden": forbidden},
	"context": {"pod": {"path": path, "template": path != "spec", "spec": spec, "metadata": {}}},
	"exempt": {},
}

_denied(forbidden, spec) := violations if {
	violations := host_namespaces.deny with input as _input("CREATE", forbidden, "spec", spec)
}

_violation(path, name, meaning) := {
	"msg": sprintf("the Pod has `%s: true`, so it %s", [name, meaning]),
	"field": sprintf("%s.%s", [path, name]),
	"details": {"remedy": sprintf("remove `%s`", [name]), "required": "false"},
}

_expected(path) := {
	_violation(path, "hostIPC", "shares memory and semaphores with everything on its node"),
	_violation(path, "hostNetwork", "is in the network of its node, beside every NetworkPolicy"),
	_violation(path, "hostPID", "sees the processes of its node, and may stop them"),
}

_every := {"hostIPC": true, "hostNetwork": true, "hostPID": true}

test_namespaces_of_its_own if {
	every spec in [{}, {"hostIPC": false, "hostNetwork": null}, {"hostUsers": true}] {
		_denied(_all, spec) == set()
	}
}

test_each_namespace_of_the_node_on_every_write_and_in_every_kind if {
	every operation in ["CREATE", "UPDATE"] {
		every path in ["spec", "template.spec", "spec.template.spec", "spec.jobTemplate.spec.template.spec"] {
			violations := host_namespaces.deny with input as _input(operation, _all, path, _every)
			violations == _expected(path)
		}
	}
}

test_only_what_is_forbidden if {
	_denied(["hostPID"], _every) == {_violation("spec", "hostPID", "sees the processes of its node, and may stop them")}
	_denied([], _every) == set()
}

test_a_subresource_is_not_judged if {
	given := object.union(_input("UPDATE", _all, "spec", _every), {"request": {"subResource": "ephemeralcontainers"}})
	violations := host_namespaces.deny with input as given
	violations == set()
}
