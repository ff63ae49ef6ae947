package policies.defaults.service_account_token_test

import data.policies.defaults.service_account_token

_input(operation, path, spec, containers) := {
	"request": {"operation": operation, "resource": {"resource": "deployments"}, "object": {}},
	"context": {
		"pod": {"path": path, "template": path != "spec", "spec": spec, "metadata": {}},
		"containers": containers,
	},
	"exempt": {},
}

_patch(request) := patch if patch := service_account_token.patch with input as request

_patch(request) := [] if not _patches(request)

_patches(request) if _ := service_account_token.patch with input as request

_set(pointer) := {"op": "add", "path": sprintf("%s/automountServiceAccountToken", [pointer]), "value": false}

test_what_says_nothing_gets_none_in_every_kind if {
	paths := {
		"spec": "/spec",
		"template.spec": "/template/spec",
		"spec.template.spec": "/spec/template/spec",
		"spec.jobTemplate.spec.template.spec": "/spec/jobTemplate/spec/template/spec",
	}
	every path, pointer in paths {
		every spec in [{}, {"automountServiceAccountToken": null}, {"volumes": null}, {"volumes": [{"name": "tmp"}]}] {
			_patch(_input("CREATE", path, spec, [])) == [_set(pointer)]
		}
	}
}

test_what_says_something_stays if {
	every value in [true, false] {
		_patch(_input("CREATE", "spec", {"automountServiceAccountToken": value}, [])) == []
	}
}

_token := {"name": "kube-api-access-x7k2p"}

test_the_volume_that_the_api_server_added_goes_with_its_mounts if {
	containers := [
		{"path": "spec.initContainers[0]", "container": {"volumeMounts": [_token]}},
		{"path": "spec.containers[0]", "container": {"volumeMounts": [{"name": "tmp"}, _token]}},
		{"path": "spec.containers[1]", "container": {"volumeMounts": [{"name": "tmp"}]}},
		{"path": "spec.containers[2]", "container": {}},
		{"path": "spec.containers[3]", "container": {"volumeMounts": null}},
	]
	_patch(_input("CREATE", "spec", {"volumes": [_token, {"name": "tmp"}]}, containers)) == [
		_set("/spec"),
		{"op": "replace", "path": "/spec/initContainers/0/volumeMounts", "value": []},
		{"op": "replace", "path": "/spec/containers/0/volumeMounts", "value": [{"name": "tmp"}]},
		{"op": "replace", "path": "/spec/volumes", "value": [{"name": "tmp"}]},
	]
}

test_an_update_that_changes_no_template_changes_nothing if {
	_patch(_input("UPDATE", "spec.template.spec", {}, [])) == []
}
