package policies.defaults.requests_test

import data.policies.defaults.requests

_table := [
	{"name": "proxy", "requests": {"cpu": "50m"}},
	{"name": "a.*-x", "requests": {"cpu": "20m"}},
	{"name": "app*", "requests": {"cpu": "100m", "memory": "128Mi", "example.com/unit": "1"}},
]

_container(kind, path, name, resources) := {
	"kind": kind,
	"name": name,
	"path": path,
	"container": {"resources": resources},
	"rendered": false,
}

_input(operation, spec, containers) := {
	"request": {"operation": operation, "resource": {"resource": "deployments"}, "object": {}},
	"parameters": {"requests": _table},
	"context": {
		"pod": {"path": "spec.template.spec", "template": true, "spec": spec, "metadata": {}},
		"containers": containers,
	},
	"exempt": {},
}

_patch(name, resources) := patch if {
	container := _container("regular", "spec.template.spec.containers[0]", name, resources)
	patch := requests.patch with input as _input("CREATE", {}, [container])
}

_at(field, value) := {"op": "add", "path": sprintf("/spec/template/spec/containers/0/resources%s", [field]), "value": value}

_all := {"cpu": "100m", "memory": "128Mi", "example.com/unit": "1"}

test_what_is_missing_is_added if {
	_patch("app", null) == [_at("", {"requests": _all})]
	every resources in [{}, {"requests": null}, {"claims": []}] {
		_patch("app", resources) == [_at("/requests", _all)]
	}
	_patch("app", {"requests": {}}) == [
		_at("/requests/cpu", "100m"),
		_at("/requests/example.com~1unit", "1"),
		_at("/requests/memory", "128Mi"),
	]
	_patch("app", {"requests": {"cpu": "1", "memory": "1Gi"}}) == [_at("/requests/example.com~1unit", "1")]
}

test_a_limit_is_a_request if {
	_patch("app", {"limits": {"cpu": "1", "example.com/unit": "1"}}) == [_at("/requests", {"memory": "128Mi"})]
}

test_a_container_that_says_nothing if {
	container := json.remove(_container("regular", "spec.template.spec.containers[0]", "proxy", {}), ["/container/resources"])
	patch := requests.patch with input as _input("CREATE", {}, [container])
	patch == [_at("", {"requests": {"cpu": "50m"}})]
}

test_what_is_there_stays if {
	_patch("app", {"requests": _all}) == []
	_patch("proxy", {"requests": {"cpu": "0"}}) == []
}

test_the_first_entry_that_fits if {
	every name in ["app", "app-2"] {
		_patch(name, null) == [_at("", {"requests": _all})]
	}
	_patch("proxy", null) == [_at("", {"requests": {"cpu": "50m"}})]
	_patch("a.b-x", null) == [_at("", {"requests": {"cpu": "20m"}})]
	every name in ["proxy2", "my-app", "ab-x", "other"] {
		_patch(name, null) == []
	}
}

test_a_pod_with_resources_of_its_own_is_left_alone if {
	container := _container("regular", "spec.template.spec.containers[0]", "app", {})
	patch := requests.patch with input as _input("CREATE", {"resources": {"requests": {"cpu": "1"}}}, [container])
	patch == []
	every resources in [null, {}] {
		added := requests.patch with input as _input("CREATE", {"resources": resources}, [container])
		added == [_at("/requests", _all)]
	}
}

test_every_list_but_ephemeral_containers if {
	containers := [
		_container("init", "spec.template.spec.initContainers[0]", "app", {}),
		_container("sidecar", "spec.template.spec.initContainers[1]", "app", {}),
		_container("regular", "spec.template.spec.containers[0]", "app", {}),
		_container("ephemeral", "spec.template.spec.ephemeralContainers[0]", "app", {}),
		object.union(_container("regular", "spec.template.spec.containers[1]", "app", {}), {"rendered": true}),
	]
	patch := requests.patch with input as _input("CREATE", {}, containers)
	[operation.path | some operation in patch] == [
		"/spec/template/spec/initContainers/0/resources/requests",
		"/spec/template/spec/initContainers/1/resources/requests",
		"/spec/template/spec/containers/0/resources/requests",
	]
}

test_an_update_that_changes_no_template_changes_nothing if {
	container := _container("regular", "spec.template.spec.containers[0]", "app", {})
	patch := requests.patch with input as _input("UPDATE", {}, [container])
	patch == []
}
