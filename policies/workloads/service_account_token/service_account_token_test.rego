package policies.workloads.service_account_token_test

import data.policies.workloads.service_account_token

_input(operation, accounts, path, spec) := {
	"request": {"operation": operation, "namespace": "shop"},
	"parameters": {"serviceAccounts": accounts},
	"context": {"pod": {"path": path, "template": path != "spec", "spec": spec, "metadata": {}}},
	"exempt": {},
}

_denied(accounts, spec) := violations if {
	violations := service_account_token.deny with input as _input("CREATE", accounts, "spec", spec)
}

_violation(path, account) := {
	"msg": sprintf("the Pod gets a token of the service account \"%s\"", [account]),
	"field": sprintf("%s.automountServiceAccountToken", [path]),
	"details": {"remedy": sprintf(_remedy, [_wish(account)]), "required": "false"},
}

_remedy := "set `automountServiceAccountToken: false`; if its programs talk to the API server, %s to be listed in the parameter serviceAccounts"

_wish("default") := "give it a service account of its own, and ask for that"

_wish(account) := sprintf("ask for \"shop/%s\"", [account]) if account != "default"

test_a_pod_that_wants_none if {
	_denied([], {"automountServiceAccountToken": false}) == set()
}

test_a_pod_that_says_nothing_or_wants_one_on_every_write_and_in_every_kind if {
	every operation in ["CREATE", "UPDATE"] {
		every path in ["spec", "template.spec", "spec.template.spec", "spec.jobTemplate.spec.template.spec"] {
			every value in [true, null, "false", 0] {
				violations := service_account_token.deny with input as _input(operation, [], path, {"automountServiceAccountToken": value})
				violations == {_violation(path, "default")}
			}
			violations := service_account_token.deny with input as _input(operation, [], path, {})
			violations == {_violation(path, "default")}
		}
	}
}

test_the_account_is_named_as_the_api_server_reads_it if {
	accounts := [
		[{"serviceAccountName": "web"}, "web"],
		[{"serviceAccountName": "web", "serviceAccount": "old"}, "web"],
		[{"serviceAccount": "old"}, "old"],
		[{"serviceAccountName": "", "serviceAccount": "old"}, "old"],
		[{"serviceAccountName": null, "serviceAccount": ""}, "default"],
		[{"serviceAccountName": 5}, "default"],
	]
	every account in accounts {
		_denied([], account[0]) == {_violation("spec", account[1])}
		_denied([account[1]], account[0]) == set()
	}
}

test_accounts_that_are_listed if {
	spec := {"serviceAccountName": "web"}
	_denied(["web"], spec) == set()
	_denied(["shop/web"], spec) == set()
	every other in ["we", "webs", "tools/web", "shop/we", "default", "shop/default"] {
		_denied([other], spec) == {_violation("spec", "web")}
	}
}

test_an_account_of_no_namespace if {
	given := json.remove(_input("CREATE", ["/web"], "spec", {"serviceAccountName": "web"}), ["/request/namespace"])
	violations := service_account_token.deny with input as given
	violations == {object.union(_violation("spec", "web"), {"details": {"remedy": sprintf(_remedy, ["ask for \"/web\""])}})}
}

test_a_subresource_is_not_judged if {
	given := object.union(_input("UPDATE", [], "spec", {}), {"request": {"subResource": "resize"}})
	violations := service_account_token.deny with input as given
	violations == set()
}
