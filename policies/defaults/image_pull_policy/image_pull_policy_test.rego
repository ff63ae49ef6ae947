package policies.defaults.image_pull_policy_test

import data.policies.defaults.image_pull_policy

_container(path, digest, container) := {
	"kind": "regular",
	"name": "app",
	"path": path,
	"image": {"digest": digest},
	"container": container,
	"rendered": false,
}

_input(operation, parameters, containers) := {
	"request": {"operation": operation, "resource": {"resource": "deployments"}, "object": {}},
	"parameters": object.union({"policy": "Always", "digests": false}, parameters),
	"context": {
		"pod": {"path": "spec.template.spec", "template": true, "spec": {}, "metadata": {}},
		"containers": containers,
	},
	"exempt": {},
}

_patch(parameters, digest, container) := patch if {
	containers := [_container("spec.template.spec.containers[0]", digest, container)]
	patch := image_pull_policy.patch with input as _input("CREATE", parameters, containers)
}

_set(policy) := [{"op": "add", "path": "/spec/template/spec/containers/0/imagePullPolicy", "value": policy}]

test_another_policy_or_none if {
	every container in [{}, {"imagePullPolicy": null}, {"imagePullPolicy": "IfNotPresent"}, {"imagePullPolicy": "Never"}] {
		_patch({}, null, container) == _set("Always")
	}
	_patch({"policy": "IfNotPresent"}, null, {"imagePullPolicy": "Never"}) == _set("IfNotPresent")
}

test_the_policy_itself_stays if {
	_patch({}, null, {"imagePullPolicy": "Always"}) == []
	_patch({"policy": "IfNotPresent"}, null, {"imagePullPolicy": "IfNotPresent"}) == []
}

test_digests if {
	_patch({}, "sha256:…", {}) == []
	_patch({"digests": true}, "sha256:…", {}) == _set("Always")
}

test_every_list if {
	paths := [
		"spec.template.spec.initContainers[0]", "spec.template.spec.containers[0]", "spec.template.spec.ephemeralContainers[0]",
	]
	containers := [_container(path, null, {}) | some path in paths]
	rendered := object.union(_container("spec.template.spec.containers[1]", null, {}), {"rendered": true})
	patch := image_pull_policy.patch with input as _input("CREATE", {}, array.concat(containers, [rendered]))
	[operation.path | some operation in patch] == [
		"/spec/template/spec/initContainers/0/imagePullPolicy",
		"/spec/template/spec/containers/0/imagePullPolicy",
		"/spec/template/spec/ephemeralContainers/0/imagePullPolicy",
	]
}

test_an_update_that_changes_no_template_changes_nothing if {
	containers := [_container("spec.template.spec.containers[0]", null, {})]
	patch := image_pull_policy.patch with input as _input("UPDATE", {}, containers)
	patch == []
}
