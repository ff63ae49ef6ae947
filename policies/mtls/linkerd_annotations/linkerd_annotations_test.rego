package policies.mtls.linkerd_annotations_test

import data.policies.mtls.linkerd_annotations

_pod(operation, path, own, annotations) := {
	"request": {"operation": operation, "resource": {"resource": "deployments"}, "object": {"metadata": {"annotations": own}}},
	"context": {"pod": {"path": path, "template": path != "spec", "spec": {}, "metadata": {"annotations": annotations}}},
	"exempt": {},
}

_denied(annotations) := violations if {
	violations := linkerd_annotations.deny with input as _pod("CREATE", "spec", {}, annotations)
}

_no_value(place, key, value, words) := {
	"msg": sprintf("`%s: %v` is none of its values, and so has no effect", [key, value]),
	"field": sprintf("%s[%s]", [place, key]),
	"details": {"remedy": sprintf("write one of %s", [words]), "required": sprintf("one of %s", [words])},
}

_no_port(key, port) := {
	"msg": sprintf("`%s` has \"%s\", which is no port, and so has no effect", [key, port]),
	"field": sprintf("metadata.annotations[%s]", [key]),
	"details": {"remedy": "list ports from 1 to 65535, or ranges as in 8000-8010, with commas between", "required": "ports from 1 to 65535"},
}

_policy := "config.linkerd.io/default-inbound-policy"

_policies := "all-authenticated, all-unauthenticated, audit, cluster-authenticated, cluster-unauthenticated, deny"

_lists := [
	"config.linkerd.io/opaque-ports", "config.linkerd.io/proxy-require-identity-inbound-ports",
	"config.linkerd.io/skip-inbound-ports", "config.linkerd.io/skip-outbound-ports",
]

test_values_that_linkerd_knows if {
	every value in split(_policies, ", ") {
		_denied({_policy: value}) == set()
	}
	every value in ["enabled", "disabled", "ingress"] {
		_denied({"linkerd.io/inject": value}) == set()
	}
	every key in _lists {
		_denied({key: "1, 65535,8000-8010"}) == set()
	}
	_denied({"config.linkerd.io/opaque-ports": "db,3306,my-port"}) == set()
	every annotations in [{}, null, {"other": "x"}] {
		_denied(annotations) == set()
	}
}

test_values_that_it_does_not if {
	every value in ["all-authenticate", "Deny", "", true] {
		_denied({_policy: value}) == {_no_value("metadata.annotations", _policy, value, _policies)}
	}
	_denied({"linkerd.io/inject": "true"}) == {_no_value("metadata.annotations", "linkerd.io/inject", "true", "disabled, enabled, ingress")}
}

test_what_is_no_port if {
	every key in _lists {
		every port in ["0", "65536", "8000-", "8000-99999", "", "123456", "A"] {
			_denied({key: sprintf("80,%s", [port])}) == {_no_port(key, port)}
		}
	}
	every key in array.slice(_lists, 1, 4) {
		_denied({key: "http"}) == {_no_port(key, "http")}
	}
}

_paths := {
	"template.spec": "template.metadata.annotations",
	"spec.template.spec": "spec.template.metadata.annotations",
	"spec.jobTemplate.spec.template.spec": "spec.jobTemplate.spec.template.metadata.annotations",
}

test_every_kind_on_every_write if {
	every operation in ["CREATE", "UPDATE"] {
		every path, place in _paths {
			violations := linkerd_annotations.deny with input as _pod(operation, path, {}, {_policy: "no"})
			violations == {_no_value(place, _policy, "no", _policies)}
		}
	}
}

_misplaced(key, place) := {{
	"msg": sprintf("`%s` stands at the workload and has no effect there: Linkerd reads the template's annotations", [key]),
	"field": sprintf("metadata.annotations[%s]", [key]),
	"details": {"remedy": sprintf("move it to `%s`", [place])},
}}

test_annotations_at_the_workload_are_warned_of if {
	every key in [_policy, "config.alpha.linkerd.io/proxy-wait-before-exit-seconds", "linkerd.io/inject"] {
		every operation in ["CREATE", "UPDATE"] {
			every path, place in _paths {
				warnings := linkerd_annotations.warn with input as _pod(operation, path, {key: "x", "other": "y"}, {})
				warnings == _misplaced(key, place)
				none := linkerd_annotations.warn with input as _pod(operation, path, {key: "x"}, {key: "y"})
				none == set()
			}
		}
		own := linkerd_annotations.warn with input as _pod("CREATE", "spec", {key: "x"}, {})
		own == set()
	}
	none := linkerd_annotations.warn with input as _pod("CREATE", "spec.template.spec", null, {})
	none == set()
	missing := linkerd_annotations.warn with input as json.remove(_pod("CREATE", "spec.template.spec", {}, {}), ["/request/object/metadata"])
	missing == set()
}

test_a_subresource_is_not_judged if {
	given := object.union(_pod("UPDATE", "spec.template.spec", {_policy: "no"}, {"linkerd.io/inject": "no", _lists[0]: "-"}), {"request": {"subResource": "scale"}})
	violations := linkerd_annotations.deny with input as given
	violations == set()
	warnings := linkerd_annotations.warn with input as given
	warnings == set()
}

test_namespaces_on_every_write if {
	every operation in ["CREATE", "UPDATE"] {
		violations := linkerd_annotations.deny with input as {
			"request": {
				"operation": operation,
				"resource": {"resource": "namespaces"},
				"object": {"metadata": {"annotations": {_policy: "no"}}},
			},
			"context": {"pod": null},
		}
		violations == {_no_value("metadata.annotations", _policy, "no", _policies)}
	}
	every object in [{}, {"metadata": {}}, {"metadata": {"annotations": null}}] {
		violations := linkerd_annotations.deny with input as {
			"request": {"operation": "CREATE", "resource": {"resource": "namespaces"}, "object": object},
			"context": {"pod": null},
		}
		violations == set()
	}
}
