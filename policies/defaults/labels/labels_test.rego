package policies.defaults.labels_test

import data.policies.defaults.labels

_input(operation, path, workload, metadata) := {
	"request": {"operation": operation, "resource": {"resource": "deployments"}, "object": _object(workload, metadata)},
	"parameters": {"copied": ["app.kubernetes.io/name", "owner"], "given": {"zone": "a", "owner": "platform"}},
	"context": {"pod": {"path": path, "template": path != "spec", "spec": {}, "metadata": metadata}},
	"exempt": {},
}

_object(workload, metadata) := {"metadata": {"labels": workload}, "spec": {"template": {"metadata": metadata}}}

_patch(request) := patch if patch := labels.patch with input as request

_patch(request) := [] if not _patches(request)

_patches(request) if _ := labels.patch with input as request

_template(workload, metadata) := _patch(_input("CREATE", "spec.template.spec", workload, metadata))

_at(field, value) := {"op": "add", "path": sprintf("/spec/template/metadata/labels%s", [field]), "value": value}

_web := {"app.kubernetes.io/name": "web", "owner": "team-shop", "other": "b"}

test_a_template_gets_the_labels_of_its_workload if {
	_template(_web, {"labels": {"app": "web"}}) == [
		_at("/app.kubernetes.io~1name", "web"),
		_at("/owner", "team-shop"),
		_at("/zone", "a"),
	]
}

test_where_there_are_no_labels_they_are_made if {
	every metadata in [{}, {"labels": null}] {
		_template(_web, metadata) == [_at("", {"app.kubernetes.io/name": "web", "owner": "team-shop", "zone": "a"})]
	}
}

test_where_there_are_no_metadata_they_are_made if {
	made := [{
		"op": "add", "path": "/spec/template/metadata",
		"value": {"labels": {"app.kubernetes.io/name": "web", "owner": "team-shop", "zone": "a"}},
	}]
	given := _input("CREATE", "spec.template.spec", _web, {})
	_patch(json.patch(given, [{"op": "remove", "path": "/request/object/spec/template/metadata"}])) == made
	_patch(json.patch(given, [{"op": "replace", "path": "/request/object/spec/template/metadata", "value": null}])) == made
	_patch(json.patch(given, [
		{"op": "remove", "path": "/request/object/spec/template/metadata"},
		{"op": "replace", "path": "/parameters", "value": {"copied": [], "given": {}}},
	])) == []
}

test_what_the_workload_lacks_is_given_or_left_out if {
	every workload in [null, {}, {"owner": 5}] {
		_template(workload, {"labels": {}}) == [_at("/owner", "platform"), _at("/zone", "a")]
	}
}

test_labels_that_are_there_stay if {
	_template(_web, {"labels": {"app.kubernetes.io/name": "other", "owner": "", "zone": "b"}}) == []
	_template(_web, {"labels": "none"}) == []
}

test_a_pod_gets_what_is_given if {
	_patch(_input("CREATE", "spec", _web, {"labels": {"a": "b"}})) == [
		{"op": "add", "path": "/metadata/labels/owner", "value": "platform"},
		{"op": "add", "path": "/metadata/labels/zone", "value": "a"},
	]
}

test_nothing_is_missing if {
	given := json.patch(_input("CREATE", "spec.template.spec", {}, {}), [{"op": "replace", "path": "/parameters/given", "value": {}}])
	_patch(given) == []
}

test_an_update_that_changes_no_template_changes_nothing if {
	every metadata in [{}, {"labels": {}}] {
		request := _input("UPDATE", "spec.template.spec", _web, metadata)
		_patch(json.patch(request, [{"op": "add", "path": "/request/oldObject", "value": request.request.object}])) == []
	}
}
