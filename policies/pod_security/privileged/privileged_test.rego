package policies.pod_security.privileged_test

import data.policies.pod_security.privileged

_container(kind, name, path, security_context) := {
	"kind": kind,
	"name": name,
	"path": path,
	"container": {"name": name, "securityContext": security_context},
}

_violation(title, path) := {
	"msg": sprintf("%s is privileged: who takes it over has the node", [title]),
	"field": sprintf("%s.securityContext.privileged", [path]),
	"details": {"remedy": "remove `privileged` or set it to false; add what is really needed to `securityContext.capabilities.add`"},
}

_input(operation, containers) := {
	"request": {"operation": operation},
	"context": {"containers": containers},
	"exempt": {},
}

_every_list(path) := [
	_container("init", "migrate", sprintf("%s.initContainers[0]", [path]), {"privileged": true}),
	_container("sidecar", "proxy", sprintf("%s.initContainers[1]", [path]), {"privileged": true}),
	_container("regular", "app", sprintf("%s.containers[0]", [path]), {"privileged": true}),
	_container("regular", "log", sprintf("%s.containers[1]", [path]), {"privileged": false}),
	_container("ephemeral", "debug", sprintf("%s.ephemeralContainers[0]", [path]), {"privileged": true}),
]

test_every_list_of_every_kind_on_every_write if {
	paths := ["spec", "template.spec", "spec.template.spec", "spec.jobTemplate.spec.template.spec"]
	every path in paths {
		every operation in ["CREATE", "UPDATE"] {
			violations := privileged.deny with input as _input(operation, _every_list(path))
			violations == {
				_violation("init container \"migrate\"", sprintf("%s.initContainers[0]", [path])),
				_violation("sidecar container \"proxy\"", sprintf("%s.initContainers[1]", [path])),
				_violation("container \"app\"", sprintf("%s.containers[0]", [path])),
				_violation("ephemeral container \"debug\"", sprintf("%s.ephemeralContainers[0]", [path])),
			}
		}
	}
}

test_false_null_and_absent_are_fine if {
	every security_context in [{"privileged": false}, {"privileged": null}, {}, null, [], "privileged"] {
		container := _container("regular", "app", "spec.containers[0]", security_context)
		violations := privileged.deny with input as _input("CREATE", [container])
		violations == set()
	}
	bare := {"kind": "regular", "name": "app", "path": "spec.containers[0]", "container": {"name": "app"}}
	violations := privileged.deny with input as _input("CREATE", [bare])
	violations == set()
}

test_whatever_is_not_false_is_privileged if {
	every value in [true, "true", "false", "", 0, 1, {}, []] {
		container := _container("regular", "app", "spec.containers[0]", {"privileged": value})
		violations := privileged.deny with input as _input("CREATE", [container])
		violations == {_violation("container \"app\"", "spec.containers[0]")}
	}
}

test_an_exempt_container_is_not_judged if {
	exempted := object.union(_input("CREATE", _every_list("spec")), {"exempt": {
		"pod_security/privileged": ["migrate", "proxy", "debug"],
		"images/no_latest": ["app"],
	}})
	violations := privileged.deny with input as exempted
	violations == {_violation("container \"app\"", "spec.containers[0]")}
}

test_an_object_without_containers_passes if {
	violations := privileged.deny with input as _input("CREATE", [])
	violations == set()
}
