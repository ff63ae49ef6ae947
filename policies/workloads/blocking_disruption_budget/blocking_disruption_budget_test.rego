package policies.workloads.blocking_disruption_budget_test

import data.policies.workloads.blocking_disruption_budget

_denied(operation, spec) := violations if {
	violations := blocking_disruption_budget.deny with input as {
		"request": {"operation": operation, "object": {"kind": "PodDisruptionBudget", "spec": spec}},
		"exempt": {},
	}
}

_violation(name, value) := {
	"msg": sprintf("`%s: %v` lets no Pod go, so no node with one of them can be drained", [name, value]),
	"field": sprintf("spec.%s", [name]),
	"details": {"remedy": "set `maxUnavailable: 1`, and give the workload a replica more than it needs"},
}

test_a_pod_may_go if {
	specs := [
		{"maxUnavailable": 1}, {"maxUnavailable": 10}, {"maxUnavailable": "1%"}, {"maxUnavailable": "10%"},
		{"maxUnavailable": "100%"}, {"minAvailable": 1}, {"minAvailable": 0}, {"minAvailable": "0%"}, {"minAvailable": "99%"},
		{"minAvailable": 100}, {}, {"maxUnavailable": null, "minAvailable": null},
	]
	every spec in specs {
		_denied("CREATE", spec) == set()
	}
}

test_no_pod_may_go_on_every_write if {
	every operation in ["CREATE", "UPDATE"] {
		every value in [0, "0", "0%", "00%"] {
			_denied(operation, {"maxUnavailable": value}) == {_violation("maxUnavailable", value)}
		}
		every value in ["100%", "150%", "1000%"] {
			_denied(operation, {"minAvailable": value}) == {_violation("minAvailable", value)}
		}
	}
}

test_an_object_without_spec if {
	violations := blocking_disruption_budget.deny with input as {"request": {"operation": "CREATE", "object": {}}}
	violations == set()
}
