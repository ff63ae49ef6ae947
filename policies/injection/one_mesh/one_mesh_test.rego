package policies.injection.one_mesh_test

import data.policies.injection.one_mesh

_pod(path, metadata, names) := violations if {
	violations := one_mesh.deny with input as {
		"request": {"operation": "CREATE", "resource": {"resource": "pods"}, "object": {"metadata": metadata}},
		"context": {
			"pod": {"path": path, "spec": {}, "metadata": metadata},
			"containers": [{"name": name} | some name in names],
		},
		"exempt": {},
	}
}

_namespace(metadata) := violations if {
	violations := one_mesh.deny with input as {
		"request": {"operation": "UPDATE", "resource": {"resource": "namespaces"}, "object": {"metadata": metadata}},
		"context": {"pod": null, "containers": []},
	}
}

_violation(what, field, istio, linkerd) := {{
	"msg": sprintf("%s is in two meshes: of Istio for %s, of Linkerd for %s", [what, istio, linkerd]),
	"field": field,
	"details": {"remedy": "take away what belongs to one of both"},
}}

_both := {"labels": {"sidecar.istio.io/inject": "true"}, "annotations": {"linkerd.io/inject": "enabled"}}

test_one_mesh_or_none if {
	every metadata in [{}, {"labels": null, "annotations": null}, {"labels": _both.labels}, {"annotations": _both.annotations}] {
		_pod("spec", metadata, ["app"]) == set()
		_namespace(metadata) == set()
	}
	_pod("spec", {}, ["istio-proxy", "app"]) == set()
	_pod("spec", {"labels": {"sidecar.istio.io/inject": "false"}, "annotations": _both.annotations}, []) == set()
	_pod("spec", {"labels": _both.labels, "annotations": {"linkerd.io/inject": "disabled"}}, []) == set()
}

test_two_meshes if {
	asked := _violation("the Pod", "spec.template.metadata", "`sidecar.istio.io/inject: true`", "`linkerd.io/inject: enabled`")
	_pod("spec.template.spec", _both, ["app"]) == asked
	has := _violation("the Pod", "metadata", "the container \"istio-proxy\"", "the container \"linkerd-proxy\"")
	_pod("spec", {}, ["istio-proxy", "linkerd-proxy"]) == has
	for_two_reasons := _violation(
		"the Pod", "metadata", "`sidecar.istio.io/inject: true`, the container \"istio-proxy\"",
		"`linkerd.io/inject: enabled`, the container \"linkerd-proxy\"",
	)
	_pod("spec", _both, ["istio-proxy", "linkerd-proxy"]) == for_two_reasons
	ambient := {"labels": {"istio.io/dataplane-mode": "ambient"}, "annotations": _both.annotations}
	_namespace(ambient) == _violation("the namespace", "metadata", "`istio.io/dataplane-mode: ambient`", "`linkerd.io/inject: enabled`")
	of_namespace := {"labels": {"istio-injection": "enabled"}, "annotations": {"linkerd.io/inject": "ingress"}}
	_namespace(of_namespace) == _violation("the namespace", "metadata", "`istio-injection: enabled`", "`linkerd.io/inject: ingress`")
}

test_a_subresource_is_not_judged if {
	violations := one_mesh.deny with input as {
		"request": {"operation": "UPDATE", "subResource": "resize", "resource": {"resource": "pods"}, "object": {}},
		"context": {"pod": {"path": "spec", "spec": {}, "metadata": _both}, "containers": []},
	}
	violations == set()
}
