package policies.workloads.rbac_escalation_test

import data.policies.workloads.rbac_escalation

_all := ["bind", "escalate", "exec", "impersonate", "node-proxy", "secrets", "tokens", "webhooks"]

_denied(operation, forbidden, rules) := violations if {
	violations := rbac_escalation.deny with input as {
		"request": {"operation": operation, "object": {"kind": "Role", "rules": rules}},
		"parameters": {"forbidden": forbidden, "powerful": ["cluster-admin", "system:masters"]},
		"exempt": {},
	}
}

_rule(group, resources, verbs) := {"apiGroups": [group], "resources": resources, "verbs": verbs}

_violation(verbs, resources, effect) := {
	"msg": sprintf("`rules[0]` grants %s on %s: who has it %s", [verbs, resources, effect]),
	"field": "rules[0]",
	"details": {"remedy": "leave it out, or name the objects for which it holds in `resourceNames`"},
}

# Name, groups, resources, verbs, effect.
_table := [
	["bind", ["rbac.authorization.k8s.io"], ["clusterroles", "roles"], ["bind"], "may give itself any role"],
	["escalate", ["rbac.authorization.k8s.io"], ["clusterroles", "roles"], ["escalate"], "may write roles that grant more than it has"],
	[
		"exec", [""], ["pods/attach", "pods/ephemeralcontainers", "pods/exec"], ["create", "get", "patch", "update"],
		"may run commands in every container and act as its service account",
	],
	["impersonate", ["", "authentication.k8s.io"], ["groups", "serviceaccounts", "uids", "users"], ["impersonate"], "may act as anybody"],
	[
		"node-proxy", [""], ["nodes/proxy"], ["create", "delete", "get", "patch", "update"],
		"reaches the kubelets beside admission and audit, and so every container",
	],
	["secrets", [""], ["secrets"], ["get", "list", "watch"], "reads all Secrets, tokens of service accounts among them"],
	["tokens", [""], ["serviceaccounts/token"], ["create"], "may act as any service account"],
	[
		"webhooks", ["admissionregistration.k8s.io"],
		[
			"mutatingadmissionpolicies", "mutatingadmissionpolicybindings", "mutatingwebhookconfigurations",
			"validatingadmissionpolicies", "validatingadmissionpolicybindings", "validatingwebhookconfigurations",
		],
		["create", "delete", "deletecollection", "patch", "update"], "may see and change what others send, and switch policies off",
	],
]

test_every_grant_one_by_one if {
	every row in _table {
		every group in row[1] {
			every resource in row[2] {
				every verb in row[3] {
					rule := _rule(group, ["pods/log", resource], ["use", verb])
					_denied("CREATE", _all, [rule]) == {_violation(verb, resource, row[4])}
					_denied("UPDATE", [row[0]], [rule]) == {_violation(verb, resource, row[4])}
					_denied("CREATE", [name | some name in _all; name != row[0]], [rule]) == set()
				}
			}
		}
	}
}

test_every_grant_by_wildcards if {
	every rule in [_rule("*", ["*"], ["*"]), {"apiGroups": ["a", "*"], "resources": ["b", "*"], "verbs": ["c", "*"]}] {
		_denied("CREATE", _all, [rule]) == {_violation(concat(", ", row[3]), concat(", ", row[2]), row[4]) | some row in _table}
	}
}

test_a_subresource_of_everything if {
	_denied("CREATE", _all, [_rule("", ["*/token"], ["create"])]) == {_violation("create", "serviceaccounts/token", "may act as any service account")}
	_denied("CREATE", _all, [_rule("", ["*/log"], ["*"])]) == set()
}

test_what_leads_to_nothing if {
	rules := [
		_rule("apps", ["secrets"], ["get"]), _rule("", ["secrets"], ["create"]), _rule("", ["pods", "nodes"], ["get", "list"]),
		_rule("rbac.authorization.k8s.io", ["roles"], ["get", "create"]), {"nonResourceURLs": ["*"], "verbs": ["*"]},
	]
	_denied("CREATE", _all, rules) == set()
}

test_rules_that_name_objects if {
	rule := _rule("rbac.authorization.k8s.io", ["clusterroles"], ["bind"])
	_denied("CREATE", _all, [object.union(rule, {"resourceNames": ["view"]})]) == set()
	every names in [[], null, "view", [""], ["view", ""], ["view", 5]] {
		_denied("CREATE", _all, [object.union(rule, {"resourceNames": names})]) == {_violation("bind", "clusterroles", "may give itself any role")}
	}
}

_powerful(verb, resource, name, position) := {
	"msg": sprintf("`rules[0]` grants %s on %s for %s: who has it is as powerful", [verb, resource, name]),
	"field": sprintf("rules[0].resourceNames[%d]", [position]),
	"details": {"remedy": sprintf("remove %s", [name])},
}

test_rules_that_name_what_is_powerful if {
	rules := [
		["bind", "rbac.authorization.k8s.io", "clusterroles"], ["escalate", "rbac.authorization.k8s.io", "clusterroles"],
		["impersonate", "", "groups"], ["impersonate", "authentication.k8s.io", "users"],
	]
	every row in rules {
		rule := object.union(_rule(row[1], [row[2]], [row[0]]), {"resourceNames": ["view", "system:masters", "cluster-admin"]})
		every operation in ["CREATE", "UPDATE"] {
			_denied(operation, _all, [rule]) == {
				_powerful(row[0], row[2], "system:masters", 1),
				_powerful(row[0], row[2], "cluster-admin", 2),
			}
		}
		_denied("CREATE", [name | some name in _all; name != row[0]], [rule]) == set()
	}
	secret := object.union(_rule("", ["secrets"], ["get"]), {"resourceNames": ["cluster-admin"]})
	_denied("CREATE", _all, [secret]) == set()
}

test_no_rules if {
	every rules in [null, [], [{}], "all"] {
		_denied("CREATE", _all, rules) == set()
	}
}
