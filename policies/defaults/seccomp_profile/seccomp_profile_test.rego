package policies.defaults.seccomp_profile_test

import data.policies.defaults.seccomp_profile

# The object whose Pod stands at that path.
_object("spec", pod) := pod

_object("template.spec", pod) := {"template": pod}

_object("spec.template.spec", pod) := {"spec": {"template": pod}}

_object("spec.jobTemplate.spec.template.spec", pod) := {"spec": {"jobTemplate": {"spec": {"template": pod}}}}

_pod(spec) := {"metadata": {}, "spec": spec}

# A request about the workload of that resource, whose Pod stands at that path.
_request(operation, resource, path, pod) := {
	"request": {
		"operation": operation,
		"resource": {"resource": resource},
		"object": _object(path, pod),
	},
	"context": {"pod": {
		"path": path,
		"template": path != "spec",
		"spec": pod.spec,
		"metadata": pod.metadata,
	}},
	"exempt": {},
}

_with_old(request, old) := object.union(request, {"request": {"oldObject": old}})

# The patch; empty where there is none.
_patch(request) := patch if patch := seccomp_profile.patch with input as request

_patch(request) := [] if not _patches(request)

_patches(request) if _ := seccomp_profile.patch with input as request

_profile := {"type": "RuntimeDefault"}

_places := {
	"pods": "spec",
	"podtemplates": "template.spec",
	"deployments": "spec.template.spec",
	"cronjobs": "spec.jobTemplate.spec.template.spec",
	"jobs": "spec.template.spec",
}

_pointer(path, field) := sprintf("/%s/%s", [replace(path, ".", "/"), field])

test_the_profile_is_added_with_its_parent if {
	every resource, path in _places {
		every spec in [{}, {"securityContext": null}, {"os": {"name": "linux"}}, {"os": null}] {
			_patch(_request("CREATE", resource, path, _pod(spec))) == [{
				"op": "add",
				"path": _pointer(path, "securityContext"),
				"value": {"seccompProfile": _profile},
			}]
		}
	}
}

test_what_else_stands_in_the_parent_stays if {
	every resource, path in _places {
		every security_context in [{}, {"runAsNonRoot": true}, {"seccompProfile": null}] {
			_patch(_request("CREATE", resource, path, _pod({"securityContext": security_context}))) == [{
				"op": "add",
				"path": _pointer(path, "securityContext/seccompProfile"),
				"value": _profile,
			}]
		}
	}
}

test_a_profile_that_is_there_stays if {
	profiles := [_profile, {"type": "Unconfined"}, {"type": "Localhost", "localhostProfile": "p.json"}, {}]
	every resource, path in _places {
		every profile in profiles {
			_patch(_request("CREATE", resource, path, _pod({"securityContext": {"seccompProfile": profile}}))) == []
		}
	}
}

test_what_was_patched_is_not_patched_again if {
	every resource, path in _places {
		every spec in [{}, {"securityContext": {"runAsUser": 1}}] {
			request := _request("CREATE", resource, path, _pod(spec))
			patched := json.patch(request.request.object, _patch(request))
			pod_path := array.slice(split(path, "."), 0, count(split(path, ".")) - 1)
			pod := object.get(patched, pod_path, null)
			object.get(pod, ["spec", "securityContext", "seccompProfile"], null) == _profile
			_patch(_request("CREATE", resource, path, pod)) == []
		}
	}
}

test_a_security_context_that_is_none_is_left_to_the_api_server if {
	every security_context in ["", [], true] {
		_patch(_request("CREATE", "pods", "spec", _pod({"securityContext": security_context}))) == []
	}
}

test_windows_has_no_seccomp if {
	every resource, path in _places {
		every security_context in [null, {}] {
			spec := {"os": {"name": "windows"}, "securityContext": security_context}
			_patch(_request("CREATE", resource, path, _pod(spec))) == []
		}
	}
}

test_an_update_of_what_cannot_change_changes_nothing if {
	every resource in ["pods", "jobs"] {
		path := _places[resource]
		request := _request("UPDATE", resource, path, _pod({"nodeName": "a"}))
		_patch(_with_old(request, _object(path, _pod({})))) == []
	}
}

test_an_update_of_a_template_gets_the_profile if {
	every resource in ["podtemplates", "deployments", "cronjobs"] {
		path := _places[resource]
		request := _request("UPDATE", resource, path, _pod({"hostNetwork": true}))
		expected := [{"op": "add", "path": _pointer(path, "securityContext"), "value": {"seccompProfile": _profile}}]
		_patch(_with_old(request, _object(path, _pod({})))) == expected
		_patch(_with_old(request, null)) == expected
		_patch(request) == expected

		# A restart changes the template's annotations only.
		annotated := {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}, "spec": {}}
		_patch(_with_old(_request("UPDATE", resource, path, annotated), _object(path, _pod({})))) == expected
	}
}

test_an_update_beside_the_template_rolls_nothing_out if {
	every resource in ["podtemplates", "deployments", "cronjobs"] {
		path := _places[resource]
		request := _request("UPDATE", resource, path, _pod({"hostNetwork": true}))
		old := object.union(_object(path, _pod({"hostNetwork": true})), {"metadata": {"labels": {"a": "b"}}})
		_patch(_with_old(request, old)) == []
	}
}

_owned(references) := {"request": {"object": {"metadata": {"ownerReferences": references}}}}

test_a_template_that_a_controller_made_is_left_alone if {
	every operation in ["CREATE", "UPDATE"] {
		request := _request(operation, "replicasets", "spec.template.spec", _pod({}))
		_patch(object.union(request, _owned([{"kind": "Deployment", "controller": true}]))) == []
		every references in [[{"kind": "Deployment"}], [{"kind": "Deployment", "controller": false}], [], null] {
			count(_patch(object.union(request, _owned(references)))) == 1
		}
	}
}

test_a_pod_that_a_controller_made_gets_the_profile if {
	request := _request("CREATE", "pods", "spec", {
		"metadata": {"ownerReferences": [{"kind": "ReplicaSet", "controller": true}]},
		"spec": {},
	})
	count(_patch(request)) == 1
}

test_the_picture_of_a_static_pod_is_left_alone if {
	request := _request("CREATE", "pods", "spec", {
		"metadata": {"annotations": {"kubernetes.io/config.mirror": "abc"}},
		"spec": {},
	})
	_patch(request) == []
}

test_a_subresource_is_left_alone if {
	every subresource in ["ephemeralcontainers", "resize", "status", "binding"] {
		request := _request("CREATE", "pods", "spec", _pod({}))
		_patch(object.union(request, {"request": {"subResource": subresource}})) == []
	}
}

test_no_subresource_is_the_pod_itself if {
	every subresource in ["", null] {
		request := _request("CREATE", "pods", "spec", _pod({}))
		count(_patch(object.union(request, {"request": {"subResource": subresource}}))) == 1
	}
}

test_other_operations_change_nothing if {
	every operation in ["DELETE", "CONNECT"] {
		_patch(_request(operation, "deployments", "spec.template.spec", _pod({}))) == []
	}
}
