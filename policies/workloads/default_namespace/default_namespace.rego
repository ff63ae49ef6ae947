# METADATA
# title: Nothing runs in the namespace default
# description: >-
#   Quotas, NetworkPolicies, roles and the mode of policies are set by namespace, and `default` belongs to nobody: what
#   lands there was mostly sent without thinking of one. Pods and what makes them are in a namespace of their own.
# custom:
#   severity: low
#   since: "0.1"
#   docs: https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/#initial-namespaces
#   match:
#     rules:
#       - apiGroups: [""]
#         apiVersions: [v1]
#         resources: [pods, podtemplates, replicationcontrollers]
#       - apiGroups: [apps]
#         apiVersions: ["*"]
#         resources: [daemonsets, deployments, replicasets, statefulsets]
#       - apiGroups: [batch]
#         apiVersions: ["*"]
#         resources: [cronjobs, jobs]
package policies.workloads.default_namespace

import data.lib.requests

# Without a field: what is said of a workload and of its Pods is then said once.
deny contains {"msg": msg, "details": {"remedy": remedy}} if {
	requests.of_object
	object.get(input.request, "namespace", "") == "default"
	msg := "it is in the namespace default, which belongs to nobody"
	remedy := "set `metadata.namespace`, or send it with `-n NAMESPACE`"
}
