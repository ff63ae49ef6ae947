package lib.changes_test

import data.lib.changes

_places := {
	"pods": "spec",
	"podtemplates": "template.spec",
	"deployments": "spec.template.spec",
	"cronjobs": "spec.jobTemplate.spec.template.spec",
	"jobs": "spec.template.spec",
}

# The object whose Pod stands at that path.
_object("spec", pod) := pod

_object("template.spec", pod) := {"template": pod}

_object("spec.template.spec", pod) := {"spec": {"template": pod}}

_object("spec.jobTemplate.spec.template.spec", pod) := {"spec": {"jobTemplate": {"spec": {"template": pod}}}}

_request(operation, resource, pod) := {
	"request": {"operation": operation, "resource": {"resource": resource}, "object": _object(_places[resource], pod)},
	"context": {
		"pod": {"path": _places[resource], "template": resource != "pods", "spec": pod.spec, "metadata": pod.metadata},
		"containers": [],
	},
}

_pod(spec) := {"metadata": {}, "spec": spec}

_with_old(request, pod) := object.union(request, {"request": {"oldObject": _object(request.context.pod.path, pod)}})

test_what_is_made_may_be_changed if {
	every resource, _ in _places {
		changes.allowed with input as _request("CREATE", resource, _pod({}))
	}
}

test_a_template_that_changes_may_be_changed if {
	every resource in ["podtemplates", "deployments", "cronjobs"] {
		given := _request("UPDATE", resource, _pod({"hostNetwork": true}))
		changes.allowed with input as _with_old(given, _pod({}))
		changes.allowed with input as given

		# A restart changes the template's annotations only.
		annotated := {"metadata": {"annotations": {"restartedAt": "now"}}, "spec": {}}
		changes.allowed with input as _with_old(_request("UPDATE", resource, annotated), _pod({}))
	}
}

test_an_update_beside_the_template_rolls_nothing_out if {
	every resource in ["podtemplates", "deployments", "cronjobs"] {
		given := _request("UPDATE", resource, _pod({"hostNetwork": true}))
		labelled := object.union(_object(_places[resource], _pod({"hostNetwork": true})), {"metadata": {"labels": {"a": "b"}}})
		not changes.allowed with input as object.union(given, {"request": {"oldObject": labelled}})
	}
}

test_what_cannot_change if {
	every resource in ["pods", "jobs"] {
		not changes.allowed with input as _with_old(_request("UPDATE", resource, _pod({"hostNetwork": true})), _pod({}))
	}
}

test_other_operations if {
	every operation in ["DELETE", "CONNECT"] {
		not changes.allowed with input as _request(operation, "deployments", _pod({}))
	}
}

test_a_subresource if {
	given := object.union(_request("CREATE", "pods", _pod({})), {"request": {"subResource": "ephemeralcontainers"}})
	not changes.allowed with input as given
}

_owned := {"request": {"object": {"metadata": {"ownerReferences": [{"kind": "Deployment", "controller": true}]}}}}

test_a_template_that_a_controller_made_is_left_alone if {
	not changes.allowed with input as object.union(_request("CREATE", "deployments", _pod({})), _owned)
	changes.allowed with input as object.union(_request("CREATE", "pods", _pod({})), _owned)
}

test_the_picture_of_a_static_pod_is_left_alone if {
	pod := {"metadata": {"annotations": {"kubernetes.io/config.mirror": "abc"}}, "spec": {}}
	not changes.allowed with input as _request("CREATE", "pods", pod)
}

test_pointers if {
	changes.pointer("spec.template.spec.containers[0].env[12]") == "/spec/template/spec/containers/0/env/12"
	given := _request("CREATE", "cronjobs", _pod({}))
	changes.spec_pointer("hostNetwork") == "/spec/jobTemplate/spec/template/spec/hostNetwork" with input as given
	changes.metadata_pointer("labels") == "/spec/jobTemplate/spec/template/metadata/labels" with input as given
	changes.metadata_pointer("labels") == "/metadata/labels" with input as _request("CREATE", "pods", _pod({}))
	changes.escaped("a/b~c") == "a~1b~0c"
}

test_containers_that_the_mesh_rendered_are_not_changed if {
	containers := [{"name": "app", "rendered": false}, {"name": "proxy", "rendered": true}]
	given := object.union(_request("CREATE", "pods", _pod({})), {"context": {"containers": containers}})
	seen := changes.containers with input as given
	seen == [{"name": "app", "rendered": false}]
	none := changes.containers with input as object.union(given, {"request": {"operation": "UPDATE"}})
	none == []
}

test_pods_for_windows if {
	changes.is_for_windows with input as _request("CREATE", "pods", _pod({"os": {"name": "windows"}}))
	every spec in [{}, {"os": null}, {"os": {"name": "linux"}}] {
		not changes.is_for_windows with input as _request("CREATE", "pods", _pod(spec))
	}
}
