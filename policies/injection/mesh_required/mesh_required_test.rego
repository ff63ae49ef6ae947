package policies.injection.mesh_required_test

import data.policies.injection.mesh_required

_pod(operation, path, metadata, spec) := violations if {
	violations := mesh_required.deny with input as {
		"request": {"operation": operation, "resource": {"resource": "pods"}, "object": {"metadata": metadata}},
		"context": {"pod": {"path": path, "template": path != "spec", "spec": spec, "metadata": metadata}},
		"exempt": {},
	}
}

_namespace(operation, object) := violations if {
	violations := mesh_required.deny with input as {
		"request": {"operation": operation, "resource": {"resource": "namespaces"}, "object": object},
		"context": {"pod": null},
		"exempt": {},
	}
}

_out(what, field, kind, key, value) := {{
	"msg": sprintf("`%s: %s` keeps %s out of the mesh", [key, value, what]),
	"field": sprintf("%s.%s[%s]", [field, kind, key]),
	"details": {"remedy": sprintf("remove `%s`", [key])},
}}

_host(path) := {{
	"msg": "`hostNetwork: true` keeps the Pod out of the mesh: nothing is injected into the network of a node",
	"field": sprintf("%s.hostNetwork", [path]),
	"details": {"remedy": "remove `hostNetwork`"},
}}

_no_tls(value) := {{
	"msg": sprintf("`security.istio.io/tlsMode: %v` says that the Pod speaks no TLS of the mesh, so clients send it plaintext", [value]),
	"field": "metadata.labels[security.istio.io/tlsMode]",
	"details": {"remedy": "remove `security.istio.io/tlsMode`: injection sets it"},
}}

test_pods_that_stay if {
	stay := [
		{}, {"labels": null, "annotations": null}, {"labels": {"sidecar.istio.io/inject": "true"}},
		{"annotations": {"linkerd.io/inject": "enabled", "sidecar.istio.io/inject": "true"}},
		{"labels": {"istio.io/dataplane-mode": "ambient", "security.istio.io/tlsMode": "istio", "linkerd.io/inject": "disabled"}},
	]
	every metadata in stay {
		_pod("CREATE", "spec", metadata, {"hostNetwork": false}) == set()
	}
}

_paths := {
	"spec": "metadata",
	"template.spec": "template.metadata",
	"spec.template.spec": "spec.template.metadata",
	"spec.jobTemplate.spec.template.spec": "spec.jobTemplate.spec.template.metadata",
}

test_pods_that_opt_out_on_every_write_and_in_every_kind if {
	opt_outs := [
		["labels", "istio.io/dataplane-mode", "none"], ["labels", "sidecar.istio.io/inject", "false"],
		["annotations", "linkerd.io/inject", "disabled"], ["annotations", "sidecar.istio.io/inject", "false"],
	]
	every operation in ["CREATE", "UPDATE"] {
		every path, field in _paths {
			every opt_out in opt_outs {
				metadata := {opt_out[0]: {opt_out[1]: opt_out[2]}}
				_pod(operation, path, metadata, {}) == _out("the Pod", field, opt_out[0], opt_out[1], opt_out[2])
			}
			_pod(operation, path, {}, {"hostNetwork": true}) == _host(path)
		}
	}
}

test_a_label_that_is_no_text if {
	count(_pod("CREATE", "spec", {"labels": {"sidecar.istio.io/inject": false}}, {})) == 1
	count(_pod("CREATE", "spec", {"annotations": {"sidecar.istio.io/inject": false}}, {})) == 1
}

test_the_label_of_clients if {
	every value in ["disabled", "", "Istio", null] {
		_pod("CREATE", "spec", {"labels": {"security.istio.io/tlsMode": value}}, {}) == _no_tls(value)
	}
}

test_a_subresource_is_not_judged if {
	violations := mesh_required.deny with input as {
		"request": {"operation": "UPDATE", "resource": {"resource": "pods"}, "subResource": "resize", "object": {}},
		"context": {"pod": {
			"path": "spec",
			"spec": {"hostNetwork": true},
			"metadata": {"labels": {"sidecar.istio.io/inject": "false", "security.istio.io/tlsMode": "disabled"}},
		}},
	}
	violations == set()
}

test_namespaces_that_stay if {
	stay := [
		{}, {"metadata": {}}, {"metadata": {"labels": {"istio-injection": "enabled"}, "annotations": {"linkerd.io/inject": "enabled"}}},
		{"metadata": {"labels": {"istio.io/dataplane-mode": "ambient", "sidecar.istio.io/inject": "false", "security.istio.io/tlsMode": "disabled"}}},
	]
	every object in stay {
		_namespace("CREATE", object) == set()
	}
}

test_namespaces_that_opt_out_on_every_write if {
	opt_outs := [
		["labels", "istio-injection", "disabled"], ["labels", "istio-injection", "false"],
		["labels", "istio.io/dataplane-mode", "none"], ["annotations", "linkerd.io/inject", "disabled"],
	]
	every operation in ["CREATE", "UPDATE"] {
		every opt_out in opt_outs {
			_namespace(operation, {"metadata": {opt_out[0]: {opt_out[1]: opt_out[2]}}}) == _out(
				"the Pods of the namespace",
				"metadata", opt_out[0], opt_out[1], opt_out[2],
			)
		}
	}
}
