# METADATA
# title: Disruption budgets let a Pod go
# description: >-
#   A PodDisruptionBudget under which no Pod may be evicted keeps nodes from being drained: upgrades of the cluster stand
#   still until somebody deletes it. So there is neither `maxUnavailable: 0` nor `minAvailable: 100%`. How many Pods
#   there are is not asked: a number or a percentage that comes to all of them is not seen.
# custom:
#   severity: medium
#   since: "0.1"
#   docs: https://kubernetes.io/docs/tasks/run-application/configure-pdb/
#   match:
#     rules:
#       - apiGroups: [policy]
#         apiVersions: ["*"]
#         resources: [poddisruptionbudgets]
package policies.workloads.blocking_disruption_budget

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	some name, is_blocking in {
		"maxUnavailable": `^0*(0%)?$`,
		"minAvailable": `^[1-9][0-9]{2,}%$`,
	}
	value := object.get(input.request.object, ["spec", name], null)
	value != null
	regex.match(is_blocking, sprintf("%v", [value]))
	msg := sprintf("`%s: %v` lets no Pod go, so no node with one of them can be drained", [name, value])
	field := sprintf("spec.%s", [name])
	remedy := "set `maxUnavailable: 1`, and give the workload a replica more than it needs"
}
