package policies.defaults.drop_capabilities_test

import data.policies.defaults.drop_capabilities

_container(kind, path, context) := {
	"kind": kind,
	"name": "app",
	"path": path,
	"container": {"securityContext": context},
	"rendered": false,
}

_input(operation, path, spec, containers) := {
	"request": {"operation": operation, "resource": {"resource": "deployments"}, "object": {}},
	"context": {
		"pod": {"path": path, "template": true, "spec": spec, "metadata": {}},
		"containers": containers,
	},
	"exempt": {},
}

_patch(context) := patch if {
	container := _container("regular", "spec.template.spec.containers[1]", context)
	patch := drop_capabilities.patch with input as _input("CREATE", "spec.template.spec", {}, [container])
}

_at(field, value) := [{"op": "add", "path": sprintf("/spec/template/spec/containers/1/%s", [field]), "value": value}]

test_what_is_not_dropped_is_dropped if {
	_patch(null) == _at("securityContext", {"capabilities": {"drop": ["ALL"]}})
	_patch({}) == _at("securityContext/capabilities", {"drop": ["ALL"]})
	_patch({"runAsUser": 1, "capabilities": null}) == _at("securityContext/capabilities", {"drop": ["ALL"]})
	every capabilities in [{}, {"add": ["NET_ADMIN"]}, {"drop": null}, {"drop": []}] {
		_patch({"capabilities": capabilities}) == _at("securityContext/capabilities/drop", ["ALL"])
	}
}

test_a_container_that_says_nothing if {
	container := json.remove(_container("regular", "spec.containers[0]", {}), ["/container/securityContext"])
	patch := drop_capabilities.patch with input as _input("CREATE", "spec", {}, [container])
	patch == [{"op": "add", "path": "/spec/containers/0/securityContext", "value": {"capabilities": {"drop": ["ALL"]}}}]
}

test_what_is_dropped_stays if {
	every drop in [["ALL"], ["NET_RAW"], ["all"]] {
		_patch({"capabilities": {"drop": drop}}) == []
	}
}

test_every_list_but_ephemeral_containers if {
	containers := [
		_container("init", "spec.initContainers[0]", {}),
		_container("sidecar", "spec.initContainers[1]", {}),
		_container("regular", "spec.containers[0]", {}),
		_container("ephemeral", "spec.ephemeralContainers[0]", {}),
		object.union(_container("regular", "spec.containers[1]", {}), {"rendered": true}),
	]
	patch := drop_capabilities.patch with input as _input("CREATE", "spec", {}, containers)
	[operation.path | some operation in patch] == [
		"/spec/initContainers/0/securityContext/capabilities",
		"/spec/initContainers/1/securityContext/capabilities",
		"/spec/containers/0/securityContext/capabilities",
	]
}

test_windows_has_no_capabilities if {
	container := _container("regular", "spec.containers[0]", {})
	patch := drop_capabilities.patch with input as _input("CREATE", "spec", {"os": {"name": "windows"}}, [container])
	patch == []
}

test_an_update_that_changes_no_template_changes_nothing if {
	container := _container("regular", "spec.template.spec.containers[0]", {})
	patch := drop_capabilities.patch with input as _input("UPDATE", "spec.template.spec", {}, [container])
	patch == []
}
