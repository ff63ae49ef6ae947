# METADATA
# title: Pods get a token of the API server only where they need one
# description: >-
#   Unless told otherwise every container gets a token with which it acts as its service account, and so does whoever
#   breaks into it. A Pod says `automountServiceAccountToken: false`, or has a service account that is named here
#   because its programs talk to the API server. What a ServiceAccount says of itself is not seen in a Pod and does not
#   count. A token that a volume projects is asked for by name, for an audience, and passes.
# custom:
#   severity: medium
#   since: "0.1"
#   docs: https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/
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
#       serviceAccounts:
#         description: >-
#           Service accounts whose Pods get a token: `name` in every namespace, `namespace/name` in that one.
#         type: array
#         items: {type: string, pattern: '^[a-z0-9.-]+(/[a-z0-9.-]+)?$'}
#         uniqueItems: true
#         default: []
#         x-meshgate-stricter: fewer
package policies.workloads.service_account_token

import data.lib.requests

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy, "required": "false"}} if {
	requests.of_object
	object.get(input.context.pod.spec, "automountServiceAccountToken", null) != false
	not _needs_one
	msg := sprintf("the Pod gets a token of the service account \"%s\"", [_account])
	field := sprintf("%s.automountServiceAccountToken", [input.context.pod.path])
	remedy := sprintf("set `automountServiceAccountToken: false`; if its programs talk to the API server, %s to be listed in the parameter serviceAccounts", [_wish])
}

# Whoever lists `default` lists what every Pod has that asks for none.
_wish := "give it a service account of its own, and ask for that" if _account == "default"

_wish := sprintf("ask for \"%s/%s\"", [object.get(input.request, "namespace", ""), _account]) if _account != "default"

_needs_one if _account in input.parameters.serviceAccounts

_needs_one if sprintf("%s/%s", [input.request.namespace, _account]) in input.parameters.serviceAccounts

# The API server takes the old name where the new one is empty, and gives a Pod that names none `default`.
default _account := "default"

_account := _named("serviceAccountName") if _named("serviceAccountName") != ""

_account := _named("serviceAccount") if {
	_named("serviceAccountName") == ""
	_named("serviceAccount") != ""
}

_named(field) := name if {
	name := object.get(input.context.pod.spec, field, "")
	is_string(name)
} else := ""
