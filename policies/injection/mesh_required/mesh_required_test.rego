package policies.injection.mesh_required_test

import data.policies.injection.mesh_required

_pod(operation, path, metadata, spec) := violations if {
	violations := mesh_required.deny with input as {
		"request": {"operation": operation, "resource": {"resource": "pods"}, "object": {"metadata": metadata}},
		"context": {"pod": {"path": path, "template": path != "spec", "spec": spec, "metadata": metadata}},
		"exempt": {},
	}
}

_with(given, metadata, containers) := violations if {
	violations := mesh_required.deny with input as object.union(given, {
		"request": {"operation": "CREATE", "resource": {"resource": "pods"}, "object": {"metadata": metadata}},
		"parameters": {"templates": ["gateway", "sidecar"]},
		"context": {
			"pod": {"path": "spec", "template": false, "spec": {}, "metadata": metadata},
			"containers": containers,
		},
	})
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

_container(kind, name, rendered) := {"kind": kind, "name": name, "rendered": rendered}

test_a_status_without_a_sidecar if {
	metadata := {"annotations": {"sidecar.istio.io/status": ""}}
	hidden := {{
		"msg": "`sidecar.istio.io/status` hides the Pod from the ambient mode, and it has no sidecar",
		"field": "metadata.annotations[sidecar.istio.io/status]",
		"details": {"remedy": "remove `sidecar.istio.io/status`: injection sets it"},
	}}
	app := _container("regular", "app", false)
	every other in [app, _container("init", "istio-proxy", false), _container("ephemeral", "istio-proxy", true)] {
		_with({}, metadata, [app, other]) == hidden
	}
	every sidecar in [_container("regular", "istio-proxy", false), _container("sidecar", "istio-proxy", false), _container("regular", "proxy", true)] {
		_with({}, metadata, [app, sidecar]) == set()
	}
	every none in [{}, {"annotations": null}, {"annotations": {"other": "{}"}}] {
		_with({}, none, [app]) == set()
	}
	_with({"request": {"subResource": "resize"}}, metadata, [app]) == set()
}

_asks(template) := {
	"msg": sprintf("`inject.istio.io/templates` asks for \"%s\", which need not be a sidecar", [template]),
	"field": "metadata.annotations[inject.istio.io/templates]",
	"details": {"remedy": "remove `inject.istio.io/templates`, or take of: gateway, sidecar"},
}

test_templates_that_are_not_allowed if {
	templates := {
		"sidecar": set(), "gateway": set(), " sidecar , gateway": set(), "none": {_asks("none")}, "": {_asks("")},
		"sidecar,spire,grpc-agent": {_asks("spire"), _asks("grpc-agent")},
	}
	every value, violations in templates {
		_with({}, {"annotations": {"inject.istio.io/templates": value}}, []) == violations
	}
	_with({"request": {"subResource": "resize"}}, {"annotations": {"inject.istio.io/templates": "none"}}, []) == set()
}

_update(before, now) := violations if {
	violations := mesh_required.deny with input as {
		"request": {
			"operation": "UPDATE",
			"resource": {"resource": "namespaces"},
			"object": {"metadata": now},
			"oldObject": {"metadata": before},
		},
		"parameters": {"templates": []},
		"context": {"pod": null, "containers": []},
	}
}

_leaves(kind, key, value) := {
	"msg": sprintf("without `%s: %s` the Pods of the namespace leave the mesh", [key, value]),
	"field": sprintf("metadata.%s[%s]", [kind, key]),
	"details": {"remedy": sprintf("keep `%s: %s`", [key, value])},
}

_joins := [
	["labels", "istio-injection", "enabled"], ["labels", "istio.io/rev", "1-30"], ["labels", "istio.io/dataplane-mode", "ambient"],
	["annotations", "linkerd.io/inject", "enabled"], ["annotations", "linkerd.io/inject", "ingress"],
]

test_a_namespace_that_leaves if {
	every join in _joins {
		before := {join[0]: {join[1]: join[2], "other": "a"}}
		_update(before, before) == set()
		_update({}, before) == set()
		every now in [{}, {"labels": null, "annotations": null}, {join[0]: {"other": "a"}}, {join[0]: {join[1]: ""}}] {
			_update(before, now) == {_leaves(join[0], join[1], join[2])}
		}
	}
	both := {"labels": {"istio-injection": "enabled", "istio.io/rev": "a"}, "annotations": {"linkerd.io/inject": "enabled"}}
	_update(both, {"labels": {"istio-injection": "on"}}) == {
		_leaves("labels", "istio-injection", "enabled"), _leaves("labels", "istio.io/rev", "a"),
		_leaves("annotations", "linkerd.io/inject", "enabled"),
	}
}

test_a_namespace_that_changes_how_it_is_in_the_mesh if {
	labels := [{"istio-injection": "enabled"}, {"istio.io/rev": "a"}, {"istio.io/rev": "b"}, {"istio.io/dataplane-mode": "ambient"}]
	every before in labels {
		every now in labels {
			_update({"labels": before}, {"labels": now}) == set()
		}
	}
	_update({"annotations": {"linkerd.io/inject": "enabled"}}, {"annotations": {"linkerd.io/inject": "ingress"}}) == set()
	_update({"labels": {"istio-injection": "enabled"}}, {"annotations": {"linkerd.io/inject": "enabled"}}) == {
		_leaves("labels", "istio-injection", "enabled"),
	}
}

test_a_namespace_that_says_no_is_told_once if {
	_update({"labels": {"istio-injection": "enabled"}}, {"labels": {"istio-injection": "disabled"}}) == _out(
		"the Pods of the namespace",
		"metadata", "labels", "istio-injection", "disabled",
	)
}
