package policies.resources.required_test

import data.policies.resources.required

_defaults := {"requests": ["cpu", "memory"], "limits": ["memory"]}

_whole := {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}}

_container(kind, path, resources) := {
	"kind": kind,
	"name": "app",
	"path": path,
	"container": {"name": "app", "resources": resources},
}

_input(parameters, containers, pod_spec) := {
	"request": {"operation": "CREATE"},
	"parameters": parameters,
	"context": {
		"containers": containers,
		"pod": {"path": "spec", "template": false, "spec": pod_spec, "metadata": {}},
	},
	"exempt": {},
}

# What is said of one regular container.
_denied(parameters, resources, pod_spec) := violations if {
	container := _container("regular", "spec.containers[0]", resources)
	violations := required.deny with input as _input(parameters, [container], pod_spec)
}

_messages(parameters, resources, pod_spec) := {violation.msg |
	some violation in _denied(parameters, resources, pod_spec)
}

_violation(title, problem, path, member, example) := {
	"msg": sprintf("%s %s", [title, problem]),
	"field": sprintf("%s.resources.%s", [path, member]),
	"details": {"remedy": sprintf("set `resources.%s`, for example to %s", [member, example]), "required": "a quantity above zero"},
}

_without_anything(title, path) := {
	_violation(title, "has no cpu request", path, "requests.cpu", "100m"),
	_violation(title, "has no memory request", path, "requests.memory", "128Mi"),
	_violation(title, "has no memory limit", path, "limits.memory", "128Mi"),
}

test_every_container_but_an_ephemeral_one_needs_them if {
	containers := [
		_container("init", "spec.initContainers[0]", {}),
		_container("sidecar", "spec.initContainers[1]", {}),
		_container("regular", "spec.containers[0]", {}),
		_container("regular", "spec.containers[1]", _whole),
		_container("ephemeral", "spec.ephemeralContainers[0]", {}),
	]
	every operation in ["CREATE", "UPDATE"] {
		given := object.union(_input(_defaults, containers, {}), {"request": {"operation": operation}})
		violations := required.deny with input as given
		violations == union({
			_without_anything("init container \"app\"", "spec.initContainers[0]"),
			_without_anything("sidecar container \"app\"", "spec.initContainers[1]"),
			_without_anything("container \"app\"", "spec.containers[0]"),
		})
	}
}

test_nothing_is_nothing_however_it_is_written if {
	nothing := [{}, null, {"requests": null, "limits": null}, {"requests": {}, "limits": {}}, [], "100m"]
	every resources in nothing {
		_denied(_defaults, resources, {}) == _without_anything("container \"app\"", "spec.containers[0]")
	}
	bare := {"kind": "regular", "name": "app", "path": "spec.containers[0]", "container": {"name": "app"}}
	violations := required.deny with input as _input(_defaults, [bare], {})
	violations == _without_anything("container \"app\"", "spec.containers[0]")
}

test_what_is_there_is_enough if {
	_denied(_defaults, _whole, {}) == set()
}

test_a_limit_is_also_the_request_that_is_left_out if {
	_denied(_defaults, {"limits": {"cpu": "1", "memory": "1Gi"}}, {}) == set()
	_messages(_defaults, {"limits": {"memory": "1Gi"}}, {}) == {"container \"app\" has no cpu request"}
}

test_a_request_is_no_limit if {
	_messages(_defaults, {"requests": {"cpu": "1", "memory": "1Gi"}}, {}) == {"container \"app\" has no memory limit"}
}

test_a_limit_does_not_mend_a_request_of_zero if {
	resources := {"requests": {"cpu": "0", "memory": null}, "limits": {"cpu": "1", "memory": "1Gi"}}
	_messages(_defaults, resources, {}) == {
		"container \"app\" has a cpu request of 0: it must be above zero",
		"container \"app\" has a memory request of null: it must be above zero",
	}
}

test_the_pods_own_resources_count if {
	_denied(_defaults, {}, {"resources": _whole}) == set()
	_denied(_defaults, {}, {"resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}) == set()
	_denied(_defaults, {"requests": {"cpu": 0}}, {"resources": _whole}) == set()
	_messages(_defaults, {}, {"resources": {"requests": {"cpu": "1", "memory": "0"}}}) == {
		"container \"app\" has no memory request",
		"container \"app\" has no memory limit",
	}
	every resources in [null, {}, {"requests": null}, "1"] {
		_denied(_defaults, _whole, {"resources": resources}) == set()
		_denied(_defaults, {}, {"resources": resources}) == _without_anything("container \"app\"", "spec.containers[0]")
	}
}

_only_cpu := {"requests": ["cpu"], "limits": []}

test_quantities_above_zero if {
	quantities := [
		"1", "100m", "0.1", ".5", "1.", "+1", "10", "1e3", "1E-3", "1Ki", "1Ei", "1E", "1n", "010", " 1 ", 1, 0.5,
		"0.0001",
	]
	every quantity in quantities {
		_denied(_only_cpu, {"requests": {"cpu": quantity}}, {}) == set()
	}
}

test_quantities_that_are_none if {
	quantities := [
		"0", "0m", "0.0", ".0", "0.", "+0", "-0", "0e5", "0E5", "00Ki", "-1", "-100m", "", "m", "Mi", "e3", "+", ".", "1 Gi",
		"1Zi", "1e", "1MB", "ten", 0, -1, 0.0, null, true, {}, ["1"],
	]
	every quantity in quantities {
		_denied(_only_cpu, {"requests": {"cpu": quantity}}, {}) == {_violation(
			"container \"app\"", sprintf("has a cpu request of %v: it must be above zero", [quantity]),
			"spec.containers[0]", "requests.cpu", "100m",
		)}
	}
}

test_only_what_the_binding_demands if {
	_denied({"requests": [], "limits": []}, {}, {}) == set()
	_messages({"requests": [], "limits": ["cpu", "memory"]}, {"requests": {"cpu": "1"}}, {}) == {
		"container \"app\" has no cpu limit",
		"container \"app\" has no memory limit",
	}
	_messages({"requests": [], "limits": ["memory"]}, {"limits": {"memory": "0"}}, {}) == {"container \"app\" has a memory limit of 0: it must be above zero"}
}

test_names_with_dots_stand_in_brackets if {
	_denied({"requests": [], "limits": ["nvidia.com/gpu", "ephemeral-storage"]}, {}, {}) == {
		{
			"msg": "container \"app\" has no nvidia.com/gpu limit",
			"field": "spec.containers[0].resources.limits[nvidia.com/gpu]",
			"details": {"remedy": "set `resources.limits[nvidia.com/gpu]`, for example to 1", "required": "a quantity above zero"},
		},
		_violation("container \"app\"", "has no ephemeral-storage limit", "spec.containers[0]", "limits.ephemeral-storage", "1Gi"),
	}
}

test_an_exempt_container_is_not_judged if {
	containers := [
		_container("regular", "spec.containers[0]", {}),
		object.union(_container("regular", "spec.containers[1]", {}), {"name": "log"}),
	]
	given := object.union(_input(_defaults, containers, {}), {"exempt": {"resources/required": ["log"]}})
	violations := required.deny with input as given
	violations == _without_anything("container \"app\"", "spec.containers[0]")
}

test_without_a_pod_nothing_stands_in_for_a_container if {
	given := object.union(
		_input(_defaults, [_container("regular", "spec.containers[0]", {})], {}),
		{"context": {"pod": null}},
	)
	violations := required.deny with input as given
	violations == _without_anything("container \"app\"", "spec.containers[0]")
}

test_an_object_without_a_pod_passes if {
	given := object.union(_input(_defaults, [], {}), {"context": {"pod": null}})
	violations := required.deny with input as given
	violations == set()
}
