package policies.workloads.webhook_scope_test

import data.policies.workloads.webhook_scope

_denied(operation, webhooks) := violations if {
	violations := webhook_scope.deny with input as {
		"request": {"operation": operation, "object": {"kind": "ValidatingWebhookConfiguration", "webhooks": webhooks}},
		"exempt": {},
	}
}

_webhook(groups, resources) := {"name": "a.example.com", "rules": [
	{"apiGroups": ["apps"], "resources": ["deployments"]},
	{"apiGroups": groups, "resources": resources},
]}

_violation(resource, consequence) := {
	"msg": sprintf("the webhook \"a.example.com\" is asked about `%s` of all groups%s", [resource, consequence]),
	"field": "webhooks[1].rules[1]",
	"details": {"remedy": "list the `apiGroups` and `resources` that it judges"},
}

_stops := ": when it is away nothing can be changed"

test_what_is_named if {
	_denied("CREATE", [_webhook(["*"], ["pods"]), _webhook(["", "apps"], ["*", "*/*"]), _webhook(["*"], ["*/scale", "pods/*"])]) == set()
}

test_everything_on_every_write if {
	every operation in ["CREATE", "UPDATE"] {
		every resource in ["*", "*/*"] {
			webhook := _webhook(["apps", "*"], ["pods", resource])
			_denied(operation, [{}, webhook]) == {_violation(resource, _stops)}
			_denied(operation, [{}, object.union(webhook, {"failurePolicy": "Fail"})]) == {_violation(resource, _stops)}
			_denied(operation, [{}, object.union(webhook, {"failurePolicy": "Ignore"})]) == {_violation(resource, "")}
		}
	}
}

test_a_webhook_without_name_is_told if {
	webhook := {"rules": [{"apiGroups": ["*"], "resources": ["*"]}]}
	{violation.msg | some violation in _denied("CREATE", [webhook])} == {"the webhook \"\" is asked about `*` of all groups: when it is away nothing can be changed"}
}

test_no_webhooks if {
	every webhooks in [null, [], [{}], [{"rules": null}], [{"rules": [{}]}], [{"rules": [{"apiGroups": ["*"]}]}]] {
		_denied("CREATE", webhooks) == set()
	}
	violations := webhook_scope.deny with input as {"request": {"operation": "CREATE", "object": {}}}
	violations == set()
}
