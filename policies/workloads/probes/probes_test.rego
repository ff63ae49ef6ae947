package policies.workloads.probes_test

import data.policies.workloads.probes

_live := {"exec": {"command": ["alive"]}}

_ready := {"httpGet": {"path": "/ready", "port": 8080}}

_container(kind, path, members) := {"kind": kind, "name": "app", "path": path, "container": members}

_input(operation, wanted, spec, containers) := {
	"request": {"operation": operation},
	"parameters": {"probes": wanted},
	"context": {
		"containers": containers,
		"pod": {"path": "spec", "template": false, "spec": spec, "metadata": {}},
	},
	"exempt": {},
}

_both := ["livenessProbe", "readinessProbe"]

_given(members) := _input("CREATE", _both, {}, [_container("regular", "spec.containers[0]", members)])

_denied(members) := violations if {
	violations := probes.deny with input as _given(members)
}

_warned(members) := warnings if {
	warnings := probes.warn with input as _given(members)
}

_violation(path, probe, name, effect) := {
	"msg": sprintf("container \"app\" has no %s probe, so %s", [name, effect]),
	"field": sprintf("%s.%s", [path, probe]),
	"details": {"remedy": sprintf("give it a `%s` with one of exec, grpc, httpGet, tcpSocket", [probe])},
}

_no_liveness(path) := _violation(path, "livenessProbe", "liveness", "it is not restarted when it hangs")

_no_readiness(path) := _violation(path, "readinessProbe", "readiness", "it gets requests before it can answer them")

_no_startup(path) := _violation(path, "startupProbe", "startup", "it may be restarted while it still starts")

test_both_probes if {
	every action in ["exec", "grpc", "httpGet", "tcpSocket"] {
		_denied({"livenessProbe": {action: {}}, "readinessProbe": _ready}) == set()
		_denied({"livenessProbe": _live, "readinessProbe": {action: {}}}) == set()
	}
}

test_a_probe_that_is_missing if {
	_denied({"livenessProbe": _live}) == {_no_readiness("spec.containers[0]")}
	_denied({"readinessProbe": _ready}) == {_no_liveness("spec.containers[0]")}
}

test_a_probe_without_action_is_none if {
	every probe in [null, {}, {"periodSeconds": 5}, {"httpGet": null}, {"http": {}}] {
		_denied({"livenessProbe": probe, "readinessProbe": probe}) == {
			_no_liveness("spec.containers[0]"),
			_no_readiness("spec.containers[0]"),
		}
	}
}

test_only_what_is_demanded if {
	container := _container("regular", "spec.containers[0]", {})
	violations := probes.deny with input as _input("CREATE", ["startupProbe"], {}, [container])
	violations == {_no_startup("spec.containers[0]")}
	none := probes.deny with input as _input("CREATE", [], {}, [container])
	none == set()
}

test_regular_containers_on_every_write if {
	same := {"livenessProbe": _live, "readinessProbe": _live}
	containers := [
		_container("init", "spec.initContainers[0]", {}),
		_container("sidecar", "spec.initContainers[1]", same),
		_container("regular", "spec.containers[0]", {"livenessProbe": _live, "readinessProbe": _ready}),
		_container("regular", "spec.containers[1]", {}),
		_container("ephemeral", "spec.ephemeralContainers[0]", {}),
	]
	every operation in ["CREATE", "UPDATE"] {
		violations := probes.deny with input as _input(operation, _both, {"restartPolicy": "Always"}, containers)
		violations == {_no_liveness("spec.containers[1]"), _no_readiness("spec.containers[1]")}
		warnings := probes.warn with input as _input(operation, _both, {}, containers)
		warnings == set()
	}
}

test_a_pod_that_comes_to_an_end_is_not_asked if {
	every policy in ["Never", "OnFailure"] {
		violations := probes.deny with input as _input("CREATE", _both, {"restartPolicy": policy}, [_container("regular", "a", {})])
		violations == set()
	}
}

test_a_subresource_is_not_judged if {
	given := object.union(_given({}), {"request": {"subResource": "resize"}})
	violations := probes.deny with input as given
	violations == set()
}

test_an_exempt_container_is_not_judged if {
	given := object.union(_given({}), {"exempt": {"workloads/probes": ["app"]}})
	violations := probes.deny with input as given
	violations == set()
}

_same := {{
	"msg": "container \"app\" is asked the same by its liveness and its readiness probe: what should only get no requests for a while is restarted",
	"field": "spec.containers[0].livenessProbe",
	"details": {"remedy": "let the liveness probe ask for less, or fail later by a higher `failureThreshold` or `periodSeconds`"},
}}

test_one_probe_for_both_is_warned_of if {
	every probe in [{"exec": {}}, {"grpc": {"port": 1}}, _ready, {"tcpSocket": {"port": 1}, "periodSeconds": 5}] {
		_warned({"livenessProbe": probe, "readinessProbe": probe}) == _same
		_denied({"livenessProbe": probe, "readinessProbe": probe}) == set()
	}
	_warned({"livenessProbe": _ready, "readinessProbe": object.union(_ready, {"successThreshold": 2})}) == _same
}

test_probes_that_differ_are_fine if {
	_warned({"livenessProbe": _live, "readinessProbe": _ready}) == set()
	every member in ["failureThreshold", "periodSeconds", "timeoutSeconds"] {
		_warned({"livenessProbe": object.union(_ready, {member: 9}), "readinessProbe": _ready}) == set()
	}
	every action in ["exec", "grpc", "httpGet", "tcpSocket"] {
		_warned({"livenessProbe": {action: {"a": 1}}, "readinessProbe": {action: {"a": 2}}}) == set()
	}
	_warned({}) == set()
}
