# METADATA
# title: Webhooks ask for what they judge
# description: >-
#   A webhook that is asked about everything slows every request down, and with `failurePolicy: Fail` stops all of them
#   when it is away, also those that would mend it. Rules name groups and resources. API servers ask no webhook about
#   webhook configurations: this holds for dry runs, as in a pull request, and not in a cluster.
# custom:
#   severity: medium
#   since: "0.1"
#   docs: https://kubernetes.io/docs/concepts/cluster-administration/admission-webhooks-good-practices/
#   match:
#     rules:
#       - apiGroups: [admissionregistration.k8s.io]
#         apiVersions: ["*"]
#         resources: [mutatingwebhookconfigurations, validatingwebhookconfigurations]
package policies.workloads.webhook_scope

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	some index, webhook in object.get(input.request.object, "webhooks", [])
	some number, rule in object.get(webhook, "rules", [])
	"*" in object.get(rule, "apiGroups", [])
	some resource in object.get(rule, "resources", [])
	resource in {"*", "*/*"}
	name := object.get(webhook, "name", "")
	msg := sprintf("the webhook \"%s\" is asked about `%s` of all groups%s", [name, resource, _consequence(webhook)])
	field := sprintf("webhooks[%d].rules[%d]", [index, number])
	remedy := "list the `apiGroups` and `resources` that it judges"
}

_consequence(webhook) := ": when it is away nothing can be changed" if object.get(webhook, "failurePolicy", "Fail") == "Fail"

_consequence(webhook) := "" if object.get(webhook, "failurePolicy", "Fail") != "Fail"
