# METADATA
# title: Roles name what they grant
# description: >-
#   `*` grants what there is and whatever will be: a new resource, a new verb, also those with which a subject gives
#   itself more. Rules of Roles and ClusterRoles name resources and verbs. What is aggregated from other ClusterRoles is
#   judged like what is written: the controller copies it.
# custom:
#   severity: high
#   since: "0.1"
#   docs: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
#   match:
#     rules:
#       - apiGroups: [rbac.authorization.k8s.io]
#         apiVersions: ["*"]
#         resources: [clusterroles, roles]
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       members:
#         description: The members of a rule that may have no wildcard.
#         type: array
#         items: {enum: [apiGroups, nonResourceURLs, resources, verbs]}
#         uniqueItems: true
#         default: [nonResourceURLs, resources, verbs]
#         x-meshgate-stricter: more
package policies.workloads.rbac_wildcards

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	some index, rule in _rules
	some member in input.parameters.members
	some value in object.get(rule, member, [])
	_is_wildcard(member, value)
	msg := sprintf("`rules[%d]` grants %s: `%s`", [index, _words[member], value])
	field := sprintf("rules[%d].%s", [index, member])
	remedy := sprintf("list in `%s` what is needed", [member])
}

_is_wildcard(_, value) if value == "*"

# `*/scale` is that subresource of everything.
_is_wildcard("resources", value) if startswith(value, "*/")

_is_wildcard("nonResourceURLs", value) if value == "/*"

_words := {
	"apiGroups": "resources of all groups",
	"nonResourceURLs": "all URLs of the API server",
	"resources": "all resources",
	"verbs": "all verbs",
}

_rules := rules if {
	rules := object.get(input.request.object, "rules", [])
	is_array(rules)
} else := []
