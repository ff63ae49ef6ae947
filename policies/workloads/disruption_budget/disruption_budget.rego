# METADATA
# title: Workloads with several replicas have a disruption budget
# description: >-
#   Without a PodDisruptionBudget all replicas may be evicted at once when nodes are drained. A Deployment or StatefulSet
#   with more than one replica has one in its namespace that selects its Pods. It is warned of, because the budget may
#   come after the workload.
# custom:
#   severity: low
#   # It only warns, so an error of it is a warning, too.
#   failurePolicy: Ignore
#   since: "0.1"
#   docs: https://kubernetes.io/docs/tasks/run-application/configure-pdb/
#   context: [disruption_budgets, pod]
#   match:
#     rules:
#       - apiGroups: [apps]
#         apiVersions: ["*"]
#         resources: [deployments, statefulsets]
package policies.workloads.disruption_budget

import data.lib.label_selectors

warn contains {"msg": msg, "details": {"remedy": remedy}} if {
	replicas := object.get(input.request.object, ["spec", "replicas"], 1)
	replicas > 1
	not _has_one
	msg := sprintf("no PodDisruptionBudget selects its Pods: a drain may take all %v replicas at once", [replicas])
	remedy := "add a PodDisruptionBudget with `maxUnavailable: 1` and the selector of this workload"
}

_has_one if {
	some budget in input.context.disruption_budgets
	label_selectors.matches(object.get(budget, ["spec", "selector"], null), _labels)
}

default _labels := {}

_labels := labels if {
	labels := object.get(input.context.pod.metadata, "labels", {})
	is_object(labels)
}
