package policies.resources.range_test

import data.policies.resources.range

_bounds := {
	"cpu": {"minRequest": "50m", "maxRequest": "2", "minLimit": "100m", "maxLimit": "4"},
	"memory": {"maxLimit": "4Gi"},
	"nvidia.com/gpu": {"maxRequest": "1"},
}

_container(kind, path, resources) := {"kind": kind, "name": "app", "path": path, "container": {"resources": resources}}

_input(operation, bounds, containers) := {
	"request": {"operation": operation},
	"parameters": {"bounds": bounds},
	"context": {"containers": containers},
	"exempt": {},
}

_denied(resources) := violations if {
	violations := range.deny with input as _input("CREATE", _bounds, [_container("regular", "spec.containers[0]", resources)])
}

_violation(title, path, problem, remedy) := {
	"msg": sprintf("%s: %s", [title, problem]),
	"field": path,
	"details": {"remedy": remedy, "required": split(problem, ", required ")[1]},
}

_of(member, problem, remedy) := {_violation("container \"app\"", sprintf("spec.containers[0].resources.%s", [member]), problem, remedy)}

test_within_bounds if {
	within := [
		{}, null, {"requests": null, "limits": null}, {"requests": {"cpu": "50m"}}, {"requests": {"cpu": 2}, "limits": {"cpu": "4"}},
		{"requests": {"cpu": "0.05"}, "limits": {"cpu": "100m", "memory": "4096Mi"}}, {"limits": {"memory": "1k"}},
		{"requests": {"memory": "8Gi", "ephemeral-storage": "1Ti"}}, {"limits": {"nvidia.com/gpu": 1}},
	]
	every resources in within {
		_denied(resources) == set()
	}
}

test_below_the_minimum if {
	_denied({"requests": {"cpu": "49m"}}) == _of("requests.cpu", "the cpu request is below the minimum: observed 49m, required ≥ 50m", "set it to 50m or more")
	_denied({"requests": {"cpu": "50m"}, "limits": {"cpu": 0.09}}) == _of("limits.cpu", "the cpu limit is below the minimum: observed 0.09, required ≥ 100m", "set it to 100m or more")
}

test_above_the_maximum if {
	_denied({"requests": {"cpu": "2001m"}}) == _of("requests.cpu", "the cpu request is above the maximum: observed 2001m, required ≤ 2", "set it to 2 or less")
	_denied({"limits": {"memory": "4.1Gi"}}) == _of("limits.memory", "the memory limit is above the maximum: observed 4.1Gi, required ≤ 4Gi", "set it to 4Gi or less")
	_denied({"requests": {"nvidia.com/gpu": "2"}}) == _of("requests[nvidia.com/gpu]", "the nvidia.com/gpu request is above the maximum: observed 2, required ≤ 1", "set it to 1 or less")
}

test_a_limit_is_the_request_that_is_left_out if {
	_denied({"limits": {"cpu": "3"}}) == _of("limits.cpu", "the cpu request (from the limit) is above the maximum: observed 3, required ≤ 2", "set it to 2 or less")
	_denied({"requests": {"cpu": null}, "limits": {"cpu": "3"}}) == _denied({"limits": {"cpu": "3"}})
	_denied({"requests": {"cpu": "1"}, "limits": {"cpu": "3"}}) == set()
	violations := range.deny with input as _input("CREATE", {"cpu": {"minRequest": "100m"}}, [_container("regular", "spec.containers[0]", {"limits": {"cpu": "50m"}})])
	violations == _of("limits.cpu", "the cpu request (from the limit) is below the minimum: observed 50m, required ≥ 100m", "set it to 100m or more")
}

test_what_is_no_quantity if {
	every value in ["1 Gi", "ten", "", true, ["1"]] {
		_denied({"limits": {"memory": value}}) == _of(
			"limits.memory",
			sprintf("the memory limit can't be read: observed %v, required a quantity", [value]),
			"write it as Kubernetes does, as in `500m` or `1.5Gi`",
		)
	}
	_denied({"requests": {"cpu": "1cpu"}}) == _of("requests.cpu", "the cpu request can't be read: observed 1cpu, required a quantity", "write it as Kubernetes does, as in `500m` or `1.5Gi`")
}

test_every_list_but_ephemeral_containers_on_every_write if {
	resources := {"requests": {"cpu": "1m"}}
	containers := [
		_container("init", "spec.initContainers[0]", resources),
		_container("sidecar", "spec.initContainers[1]", resources),
		_container("regular", "spec.containers[0]", resources),
		_container("ephemeral", "spec.ephemeralContainers[0]", resources),
	]
	problem := "the cpu request is below the minimum: observed 1m, required ≥ 50m"
	every operation in ["CREATE", "UPDATE"] {
		violations := range.deny with input as _input(operation, _bounds, containers)
		violations == {
			_violation("init container \"app\"", "spec.initContainers[0].resources.requests.cpu", problem, "set it to 50m or more"),
			_violation("sidecar container \"app\"", "spec.initContainers[1].resources.requests.cpu", problem, "set it to 50m or more"),
			_violation("container \"app\"", "spec.containers[0].resources.requests.cpu", problem, "set it to 50m or more"),
		}
	}
}

test_an_exempt_container_is_not_judged if {
	given := _input("CREATE", _bounds, [_container("regular", "spec.containers[0]", {"requests": {"cpu": "1m"}})])
	violations := range.deny with input as object.union(given, {"exempt": {"resources/range": ["app"]}})
	violations == set()
}
