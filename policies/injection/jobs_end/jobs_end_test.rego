package policies.injection.jobs_end_test

import data.policies.injection.jobs_end

_denied(owners, sub, container) := violations if {
	violations := jobs_end.deny with input as {
		"request": {"operation": "CREATE", "subResource": sub, "object": {"metadata": {"ownerReferences": owners}}},
		"context": {"containers": [container]},
		"exempt": {},
	}
}

_job := [{"apiVersion": "batch/v1", "kind": "Job", "name": "a", "controller": true}]

_container(kind, name, rendered) := {"kind": kind, "name": name, "path": "spec.containers[1]", "rendered": rendered}

_violation(name) := {{
	"msg": sprintf("container \"%s\" never ends, and neither does the Job of this Pod", [name]),
	"field": "spec.containers[1]",
	"details": {"remedy": "let the sidecar be an init container (Istio: annotation `sidecar.istio.io/nativeSidecar: \"true\"`; Linkerd: `config.alpha.linkerd.io/proxy-enable-native-sidecar: \"true\"`), or leave the Pod out of the mesh"},
}}

test_proxies_that_keep_a_job if {
	every name in ["istio-proxy", "linkerd-proxy"] {
		_denied(_job, null, _container("regular", name, false)) == _violation(name)
	}
	_denied(_job, null, _container("regular", "other", true)) == _violation("other")
}

test_jobs_that_end if {
	every container in [_container("sidecar", "istio-proxy", true), _container("init", "istio-init", true), _container("regular", "app", false)] {
		_denied(_job, null, container) == set()
	}
}

test_pods_of_others if {
	every owners in [[], [{"apiVersion": "batch/v1", "kind": "Job", "name": "a"}], [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "a", "controller": true}], [{"apiVersion": "example.com/v1", "kind": "Job", "name": "a", "controller": true}]] {
		_denied(owners, null, _container("regular", "istio-proxy", true)) == set()
	}
	_denied(_job, "eviction", _container("regular", "istio-proxy", true)) == set()
}
