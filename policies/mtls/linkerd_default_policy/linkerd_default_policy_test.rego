package policies.mtls.linkerd_default_policy_test

import data.policies.mtls.linkerd_default_policy

_key := "config.linkerd.io/default-inbound-policy"

_pod(operation, path, annotations) := violations if {
	violations := linkerd_default_policy.deny with input as {
		"request": {"operation": operation, "resource": {"resource": "pods"}, "object": {}},
		"parameters": {"allowed": ["all-authenticated", "deny"]},
		"context": {"pod": {"path": path, "template": path != "spec", "spec": {}, "metadata": {"annotations": annotations}}},
		"exempt": {},
	}
}

_violation(place, value) := {{
	"msg": sprintf("the default policy is %v: who connects need not say who it is", [value]),
	"field": sprintf("%s.annotations[%s]", [place, _key]),
	"details": {"remedy": "set it to one of all-authenticated, deny, and allow what needs it by a Server and an AuthorizationPolicy", "required": "one of all-authenticated, deny"},
}}

test_policies_that_want_an_identity if {
	every annotations in [{}, null, {_key: null}, {_key: "all-authenticated"}, {_key: "deny"}] {
		_pod("CREATE", "spec", annotations) == set()
	}
}

test_policies_that_do_not_on_every_write_and_in_every_kind if {
	paths := {
		"spec": "metadata",
		"template.spec": "template.metadata",
		"spec.template.spec": "spec.template.metadata",
		"spec.jobTemplate.spec.template.spec": "spec.jobTemplate.spec.template.metadata",
	}
	every operation in ["CREATE", "UPDATE"] {
		every path, place in paths {
			every value in ["all-unauthenticated", "cluster-unauthenticated", "audit", "nonsense", ""] {
				_pod(operation, path, {_key: value}) == _violation(place, value)
			}
		}
	}
}

test_namespaces_on_every_write if {
	every operation in ["CREATE", "UPDATE"] {
		every object in [{}, {"metadata": {}}, {"metadata": {"annotations": {_key: "deny"}}}] {
			violations := linkerd_default_policy.deny with input as {
				"request": {"operation": operation, "resource": {"resource": "namespaces"}, "object": object},
				"parameters": {"allowed": ["all-authenticated", "deny"]},
				"context": {"pod": null},
			}
			violations == set()
		}
		violations := linkerd_default_policy.deny with input as {
			"request": {"operation": operation, "resource": {"resource": "namespaces"}, "object": {"metadata": {"annotations": {_key: "audit"}}}},
			"parameters": {"allowed": ["all-authenticated", "deny"]},
			"context": {"pod": null},
		}
		violations == _violation("metadata", "audit")
	}
}

test_a_subresource_is_not_judged if {
	violations := linkerd_default_policy.deny with input as {
		"request": {"operation": "UPDATE", "resource": {"resource": "pods"}, "subResource": "resize", "object": {}},
		"parameters": {"allowed": ["deny"]},
		"context": {"pod": {"path": "spec", "template": false, "spec": {}, "metadata": {"annotations": {_key: "audit"}}}},
	}
	violations == set()
}
