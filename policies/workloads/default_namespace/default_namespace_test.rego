package policies.workloads.default_namespace_test

import data.policies.workloads.default_namespace

_denied(request) := violations if {
	violations := default_namespace.deny with input as {"request": request, "exempt": {}}
}

_violation := {{
	"msg": "it is in the namespace default, which belongs to nobody",
	"details": {"remedy": "set `metadata.namespace`, or send it with `-n NAMESPACE`"},
}}

test_other_namespaces if {
	every namespace in ["shop", "default2", "Default", null] {
		_denied({"operation": "CREATE", "namespace": namespace}) == set()
	}
	_denied({"operation": "CREATE"}) == set()
}

test_default_on_every_write if {
	every operation in ["CREATE", "UPDATE"] {
		_denied({"operation": operation, "namespace": "default"}) == _violation
	}
}

test_a_subresource_is_not_judged if {
	_denied({"operation": "UPDATE", "namespace": "default", "subResource": "resize"}) == set()
}
