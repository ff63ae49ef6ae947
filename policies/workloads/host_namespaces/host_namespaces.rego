# METADATA
# title: Pods have namespaces of their own
# description: >-
#   In the network namespace of the node a Pod reaches what listens on localhost and no NetworkPolicy holds for it; among
#   the node's processes it sees their arguments and environments, and its shared memory is everybody's.
# custom:
#   severity: high
#   since: "0.1"
#   docs: https://kubernetes.io/docs/concepts/security/pod-security-standards/
#   context: [pod]
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
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       forbidden:
#         description: The namespaces of the node that Pods may not use.
#         type: array
#         items: {enum: [hostIPC, hostNetwork, hostPID]}
#         uniqueItems: true
#         default: [hostIPC, hostNetwork, hostPID]
#         x-meshgate-stricter: more
package policies.workloads.host_namespaces

import data.lib.requests

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy, "required": "false"}} if {
	requests.of_object
	some name in input.parameters.forbidden
	object.get(input.context.pod.spec, name, false) == true
	msg := sprintf("the Pod has `%s: true`, so it %s", [name, _meanings[name]])
	field := sprintf("%s.%s", [input.context.pod.path, name])
	remedy := sprintf("remove `%s`", [name])
}

_meanings := {
	"hostIPC": "shares memory and semaphores with everything on its node",
	"hostNetwork": "is in the network of its node, beside every NetworkPolicy",
	"hostPID": "sees the processes of its node, and may stop them",
}
