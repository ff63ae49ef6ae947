package policies.workloads.disruption_budget_test

import data.policies.workloads.disruption_budget

_warned(operation, replicas, labels, selectors) := warnings if {
	budgets := [{"kind": "PodDisruptionBudget", "spec": {"selector": selector}} | some selector in selectors]
	warnings := disruption_budget.warn with input as {
		"request": {"operation": operation, "object": {"spec": {"replicas": replicas}}},
		"context": {
			"pod": {"path": "spec.template.spec", "template": true, "spec": {}, "metadata": {"labels": labels}},
			"disruption_budgets": budgets,
		},
	}
}

_none(replicas) := {{
	"msg": sprintf("no PodDisruptionBudget selects its Pods: a drain may take all %d replicas at once", [replicas]),
	"details": {"remedy": "add a PodDisruptionBudget with `maxUnavailable: 1` and the selector of this workload"},
}}

_web := {"app": "web", "tier": "front"}

test_a_budget_that_selects_the_pods if {
	every selector in [{"matchLabels": {"app": "web"}}, {}] {
		_warned("CREATE", 3, _web, [{"matchLabels": {"app": "db"}}, selector]) == set()
	}
}

test_no_budget_on_every_write if {
	every operation in ["CREATE", "UPDATE"] {
		_warned(operation, 3, _web, []) == _none(3)
		_warned(operation, 2, _web, [{"matchLabels": {"app": "db"}}, null]) == _none(2)
	}
}

test_a_budget_without_selector_selects_nothing if {
	warnings := disruption_budget.warn with input as {
		"request": {"object": {"spec": {"replicas": 3}}},
		"context": {"pod": {"metadata": {"labels": _web}}, "disruption_budgets": [{}]},
	}
	warnings == _none(3)
}

test_pods_without_labels if {
	every labels in [null, "app", {}] {
		_warned("CREATE", 3, labels, [{"matchLabels": {"app": "web"}}]) == _none(3)
		_warned("CREATE", 3, labels, [{}]) == set()
	}
	warnings := disruption_budget.warn with input as {
		"request": {"object": {"spec": {"replicas": 3}}},
		"context": {"pod": {"metadata": {}}, "disruption_budgets": []},
	}
	warnings == _none(3)
}

test_one_replica_needs_none if {
	_warned("CREATE", 1, _web, []) == set()
	_warned("CREATE", 0, _web, []) == set()
	every object in [{}, {"spec": {}}] {
		warnings := disruption_budget.warn with input as {
			"request": {"object": object},
			"context": {"pod": {"metadata": {}}, "disruption_budgets": []},
		}
		warnings == set()
	}
}
