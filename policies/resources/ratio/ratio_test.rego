package policies.resources.ratio_test

import data.policies.resources.ratio

_container(kind, path, requests, limits) := {
	"kind": kind,
	"name": "app",
	"path": path,
	"container": {"resources": {"requests": requests, "limits": limits}},
}

_input(operation, containers) := {
	"request": {"operation": operation},
	"parameters": {"ratios": {"cpu": 10, "memory": 1.2, "example.com/unit": 1}},
	"context": {"containers": containers},
	"exempt": {},
}

_denied(requests, limits) := violations if {
	container := _container("regular", "spec.containers[0]", requests, limits)
	violations := ratio.deny with input as _input("CREATE", [container])
}

_violation(title, field, problem, remedy) := {
	"msg": sprintf("%s: %s", [title, problem]),
	"field": field,
	"details": {
		"remedy": remedy,
		"observed": split(split(problem, "observed ")[1], ", required ")[0],
		"required": split(problem, ", required ")[1],
	},
}

_too_large(member, problem) := {_violation(
	"container \"app\"",
	sprintf("spec.containers[0].resources.limits%s", [member]),
	problem,
	"raise the request to what is used, or lower the limit",
)}

test_close_enough if {
	pairs := [
		[{}, {}], [null, null], [{"cpu": "100m"}, {"cpu": "1"}], [{"cpu": 0.1}, {"cpu": 1}], [{"memory": "10Mi"}, {"memory": "12Mi"}],
		[{"memory": "1Gi"}, {"memory": "1.2Gi"}], [{"cpu": "1"}, {}], [{}, {"cpu": "100"}], [{"memory": "0"}, {"memory": "0"}],
		[{"pods": "1"}, {"pods": "100"}], [{"cpu": null}, {"cpu": "5"}], [{"cpu": "5"}, {"cpu": null}],
	]
	every pair in pairs {
		_denied(pair[0], pair[1]) == set()
	}
}

test_too_far if {
	_denied({"cpu": "100m"}, {"cpu": "1001m"}) == _too_large(".cpu", "cpu limit/request is too large: observed limit 1001m, request 100m, required limit/request ≤ 10")
	_denied({"memory": "10Mi"}, {"memory": "12583k"}) == _too_large(".memory", "memory limit/request is too large: observed limit 12583k, request 10Mi, required limit/request ≤ 1.2")
	_denied({"cpu": "0"}, {"cpu": 1}) == _too_large(".cpu", "cpu limit/request is too large: observed limit 1, request 0, required limit/request ≤ 10")
	_denied({"example.com/unit": "1"}, {"example.com/unit": "2"}) == _too_large("[example.com/unit]", "example.com/unit limit/request is too large: observed limit 2, request 1, required limit/request ≤ 1")
}

test_what_is_no_quantity if {
	expected := {_violation(
		"container \"app\"", "spec.containers[0].resources.limits.memory",
		"memory limit/request can't be read: observed 1GB, required a quantity",
		"write it as Kubernetes does, as in `500m` or `1.5Gi`",
	)}
	_denied({"memory": "1GB"}, {"memory": "1Gi"}) == expected
	_denied({"memory": "1Gi"}, {"memory": "1GB"}) == expected
}

test_every_list_but_ephemeral_containers_on_every_write if {
	containers := [container |
		some place in [
			["init", "spec.initContainers[0]"], ["sidecar", "spec.initContainers[1]"], ["regular", "spec.containers[0]"],
			["ephemeral", "spec.ephemeralContainers[0]"],
		]
		container := _container(place[0], place[1], {"cpu": "1"}, {"cpu": "11"})
	]
	problem := "cpu limit/request is too large: observed limit 11, request 1, required limit/request ≤ 10"
	remedy := "raise the request to what is used, or lower the limit"
	every operation in ["CREATE", "UPDATE"] {
		violations := ratio.deny with input as _input(operation, containers)
		violations == {
			_violation("init container \"app\"", "spec.initContainers[0].resources.limits.cpu", problem, remedy),
			_violation("sidecar container \"app\"", "spec.initContainers[1].resources.limits.cpu", problem, remedy),
			_violation("container \"app\"", "spec.containers[0].resources.limits.cpu", problem, remedy),
		}
	}
}

test_an_exempt_container_is_not_judged if {
	given := _input("CREATE", [_container("regular", "spec.containers[0]", {"cpu": "1"}, {"cpu": "11"})])
	violations := ratio.deny with input as object.union(given, {"exempt": {"resources/ratio": ["app"]}})
	violations == set()
}
