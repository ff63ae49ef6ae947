package policies.workloads.rbac_wildcards_test

import data.policies.workloads.rbac_wildcards

_most := ["nonResourceURLs", "resources", "verbs"]

_denied(operation, members, rules) := violations if {
	violations := rbac_wildcards.deny with input as {
		"request": {"operation": operation, "object": {"kind": "ClusterRole", "rules": rules}},
		"parameters": {"members": members},
		"exempt": {},
	}
}

_violation(index, member, words, value) := {
	"msg": sprintf("`rules[%d]` grants %s: `%s`", [index, words, value]),
	"field": sprintf("rules[%d].%s", [index, member]),
	"details": {"remedy": sprintf("list in `%s` what is needed", [member])},
}

_named := {"apiGroups": ["apps"], "resources": ["deployments", "deployments/scale"], "verbs": ["get", "list"]}

test_what_is_named if {
	_denied("CREATE", _most, [_named, {"nonResourceURLs": ["/metrics", "/healthz/*"], "verbs": ["get"]}]) == set()
}

test_wildcards_on_every_write if {
	rules := [
		_named,
		{"apiGroups": ["*"], "resources": ["pods", "*", "*/scale"], "verbs": ["*"]},
		{"nonResourceURLs": ["*", "/*"], "verbs": ["get"]},
	]
	every operation in ["CREATE", "UPDATE"] {
		_denied(operation, _most, rules) == {
			_violation(1, "resources", "all resources", "*"),
			_violation(1, "resources", "all resources", "*/scale"),
			_violation(1, "verbs", "all verbs", "*"),
			_violation(2, "nonResourceURLs", "all URLs of the API server", "*"),
			_violation(2, "nonResourceURLs", "all URLs of the API server", "/*"),
		}
		_denied(operation, ["apiGroups"], rules) == {_violation(1, "apiGroups", "resources of all groups", "*")}
	}
}

test_a_wildcard_of_another_member_is_a_name if {
	_denied("CREATE", ["verbs"], [{"verbs": ["*/scale", "/*"], "resources": ["/*"]}]) == set()
	_denied("CREATE", ["resources"], [{"resources": ["/*", "a*"]}]) == set()
	_denied("CREATE", ["nonResourceURLs"], [{"nonResourceURLs": ["*/scale"]}]) == set()
}

test_no_rules if {
	every rules in [null, [], [{}], [{"verbs": null}], "all"] {
		_denied("CREATE", _most, rules) == set()
	}
}
