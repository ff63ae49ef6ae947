package policies.resources.ephemeral_storage_test

import data.policies.resources.ephemeral_storage

_container(kind, path, resources) := {"kind": kind, "name": "app", "path": path, "container": {"resources": resources}}

_input(parameters, containers, volumes) := {
	"request": {"operation": "CREATE"},
	"parameters": object.union({"requests": false, "limits": false, "volumes": false}, parameters),
	"context": {
		"containers": containers,
		"pod": {"path": "spec", "template": false, "spec": {"volumes": volumes}, "metadata": {}},
	},
	"exempt": {},
}

_denied(parameters, resources) := violations if {
	containers := [_container("regular", "spec.containers[0]", resources)]
	violations := ephemeral_storage.deny with input as _input(parameters, containers, [])
}

_volumes(volumes, containers) := violations if {
	violations := ephemeral_storage.deny with input as _input({"volumes": true}, containers, volumes)
}

_violation(title, path, list, noun) := {
	"msg": sprintf("%s has no ephemeral-storage %s above zero", [title, noun]),
	"field": sprintf("%s.resources.%s.ephemeral-storage", [path, list]),
	"details": {"remedy": sprintf("set `resources.%s.ephemeral-storage`, for example to 1Gi", [list]), "required": "a quantity above zero"},
}

_no_limit := _violation("container \"app\"", "spec.containers[0]", "limits", "limit")

_no_request := _violation("container \"app\"", "spec.containers[0]", "requests", "request")

_storage(list, quantity) := {list: {"ephemeral-storage": quantity}}

test_limits if {
	_denied({"limits": true}, _storage("limits", "1Gi")) == set()
	every resources in [{}, null, _storage("requests", "1Gi"), _storage("limits", "0"), _storage("limits", "1GB"), {"limits": {"memory": "1Gi"}}] {
		_denied({"limits": true}, resources) == {_no_limit}
	}
}

test_requests if {
	every list in ["requests", "limits"] {
		_denied({"requests": true}, _storage(list, 1)) == set()
	}
	every resources in [{}, null, _storage("requests", "0"), {"requests": {"memory": "1Gi"}}] {
		_denied({"requests": true}, resources) == {_no_request}
	}
}

test_only_what_is_demanded if {
	_denied({}, {}) == set()
	_denied({"requests": true, "limits": true}, {}) == {_no_limit, _no_request}
}

test_every_list_but_ephemeral_containers_on_every_write if {
	containers := [
		_container("init", "spec.initContainers[0]", {}),
		_container("sidecar", "spec.initContainers[1]", {}),
		_container("regular", "spec.containers[0]", {}),
		_container("ephemeral", "spec.ephemeralContainers[0]", {}),
	]
	every operation in ["CREATE", "UPDATE"] {
		violations := ephemeral_storage.deny with input as object.union(
			_input({"limits": true}, containers, []),
			{"request": {"operation": operation}},
		)
		violations == {
			_violation("init container \"app\"", "spec.initContainers[0]", "limits", "limit"),
			_violation("sidecar container \"app\"", "spec.initContainers[1]", "limits", "limit"),
			_no_limit,
		}
	}
}

_empty(size) := {"name": "tmp", "emptyDir": size}

_on_disk := "set `sizeLimit` to what it needs, for example 1Gi"

_in_memory := "set `sizeLimit` to what it needs, which is part of what the memory limits of the containers have to hold"

_unbounded(name, lack, index, remedy) := {
	"msg": sprintf("the emptyDir volume \"%s\" has %s", [name, lack]),
	"field": sprintf("spec.volumes[%d].emptyDir.sizeLimit", [index]),
	"details": {"remedy": remedy, "required": "a quantity"},
}

test_volumes_with_a_size if {
	every volumes in [null, [], [_empty({"sizeLimit": "1Gi"})], [_empty({"sizeLimit": 1024})], [{"name": "a", "configMap": {}}], [_empty(null)]] {
		_volumes(volumes, []) == set()
	}
	_volumes([_empty({"medium": "HugePages-2Mi"})], []) == set()
}

test_volumes_without if {
	every empty in [{}, {"sizeLimit": null}, {"medium": ""}] {
		_volumes([{"name": "a", "configMap": {}}, _empty(empty)], []) == {_unbounded("tmp", "no sizeLimit", 1, _on_disk)}
	}
	_volumes([_empty({"medium": "Memory"})], []) == {_unbounded("tmp", "no sizeLimit", 0, _in_memory)}
	_volumes([_empty({"sizeLimit": "1GB"})], []) == {_unbounded("tmp", "a sizeLimit that can't be read: 1GB", 0, _on_disk)}
	_volumes([{"emptyDir": {}}], []) == {_unbounded("", "no sizeLimit", 0, _on_disk)}
	violations := ephemeral_storage.deny with input as _input({}, [], [_empty({})])
	violations == set()
	given := json.remove(_input({"volumes": true}, [], []), ["/context/pod/spec/volumes"])
	none := ephemeral_storage.deny with input as given
	none == set()
}

_memory(kind, path, limit) := _container(kind, path, {"limits": {"memory": limit}})

_large := {{
	"msg": "the emptyDir volume \"tmp\" in memory is larger than what its containers may have: observed sizeLimit 1.1Gi",
	"field": "spec.volumes[0].emptyDir.sizeLimit",
	"details": {"remedy": "lower `sizeLimit`, or raise the memory limits of the containers"},
}}

test_volumes_in_memory if {
	two := [
		_memory("init", "spec.initContainers[0]", "8Gi"),
		_memory("sidecar", "spec.initContainers[1]", "512Mi"),
		_memory("regular", "spec.containers[0]", "512Mi"),
		_memory("ephemeral", "spec.ephemeralContainers[0]", "8Gi"),
	]
	_volumes([_empty({"medium": "Memory", "sizeLimit": "1Gi"})], two) == set()
	_volumes([_empty({"medium": "Memory", "sizeLimit": "1.1Gi"})], two) == _large
	_volumes([_empty({"sizeLimit": "1.1Gi"})], two) == set()
	unbounded := array.concat(two, [_container("regular", "spec.containers[1]", {})])
	_volumes([_empty({"medium": "Memory", "sizeLimit": "1.1Gi"})], unbounded) == set()
}

test_a_subresource_is_not_judged if {
	given := object.union(
		_input({"limits": true, "volumes": true}, [_container("regular", "spec.containers[0]", {})], [_empty({})]),
		{"request": {"subResource": "resize"}},
	)
	violations := ephemeral_storage.deny with input as given
	violations == set()
}

test_an_exempt_container_is_not_judged if {
	given := _input({"limits": true}, [_container("regular", "spec.containers[0]", {})], [])
	violations := ephemeral_storage.deny with input as object.union(given, {"exempt": {"resources/ephemeral_storage": ["app"]}})
	violations == set()
}
