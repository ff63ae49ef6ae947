# METADATA
# title: Roles grant nothing that leads to more
# description: >-
#   Some verbs and resources are worth more than they look: who has one of them can get what was never granted. Rules of
#   Roles and ClusterRoles have none of those that are listed, neither by name nor by a wildcard, unless they name the
#   objects for which they hold (`resourceNames`). To bind, escalate or impersonate what is all-powerful is forbidden by
#   name, too.
# custom:
#   severity: high
#   since: "0.1"
#   docs: https://kubernetes.io/docs/concepts/security/rbac-good-practices/#privilege-escalation-risks
#   match:
#     rules:
#       - apiGroups: [rbac.authorization.k8s.io]
#         apiVersions: ["*"]
#         resources: [clusterroles, roles]
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       forbidden:
#         description: What no role may grant.
#         type: array
#         items: {enum: [bind, escalate, exec, impersonate, node-proxy, secrets, tokens, webhooks]}
#         uniqueItems: true
#         default: [bind, escalate, impersonate, node-proxy, tokens, webhooks]
#         x-meshgate-stricter: more
#       powerful:
#         description: Roles, users and groups that no role may bind, escalate or impersonate, though it names them.
#         type: array
#         items: {type: string, minLength: 1}
#         uniqueItems: true
#         default:
#           - admin
#           - cluster-admin
#           - kubeadm:cluster-admins
#           - kubernetes-admin
#           - system:admin
#           - system:kube-controller-manager
#           - system:masters
#         x-meshgate-stricter: more
package policies.workloads.rbac_escalation

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	some index, rule in _rules
	not _names_objects(rule)
	some name in input.parameters.forbidden
	some granted in _granted(rule, name)
	msg := sprintf("`rules[%d]` grants %s on %s: who has it %s", [index, granted.verbs, granted.resources, granted.effect])
	field := sprintf("rules[%d]", [index])
	remedy := "leave it out, or name the objects for which it holds in `resourceNames`"
}

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	some index, rule in _rules
	_names_objects(rule)
	some name in {"bind", "escalate", "impersonate"}
	name in input.parameters.forbidden
	some granted in _granted(rule, name)
	some position, object_name in rule.resourceNames
	object_name in input.parameters.powerful
	msg := sprintf("`rules[%d]` grants %s on %s for %s: who has it is as powerful", [index, granted.verbs, granted.resources, object_name])
	field := sprintf("rules[%d].resourceNames[%d]", [index, position])
	remedy := sprintf("remove %s", [object_name])
}

# What a rule has of a grant, if it is one.
_granted(rule, name) := {granted |
	grant := _grants[name]
	some group in grant.groups
	_has(rule, "apiGroups", group)
	resources := [resource | some resource in grant.resources; _has_resource(rule, resource)]
	count(resources) > 0
	verbs := [verb | some verb in grant.verbs; _has(rule, "verbs", verb)]
	count(verbs) > 0
	granted := {"verbs": concat(", ", verbs), "resources": concat(", ", resources), "effect": grant.effect}
}

# An empty name is that of requests for all objects.
_names_objects(rule) if {
	names := _list(rule, "resourceNames")
	count(names) > 0
	every name in names {
		is_string(name)
		name != ""
	}
}

_has(rule, member, name) if {
	some value in _list(rule, member)
	value in {"*", name}
}

_has_resource(rule, resource) if _has(rule, "resources", resource)

# `*/token` is that subresource of everything.
_has_resource(rule, resource) if {
	[_, subresource] := split(resource, "/")
	sprintf("*/%s", [subresource]) in _list(rule, "resources")
}

_list(rule, member) := list if {
	list := object.get(rule, member, [])
	is_array(list)
} else := []

_rules := _list(input.request.object, "rules")

_grants := {
	"bind": {
		"groups": ["rbac.authorization.k8s.io"],
		"resources": ["clusterroles", "roles"],
		"verbs": ["bind"],
		"effect": "may give itself any role",
	},
	"escalate": {
		"groups": ["rbac.authorization.k8s.io"],
		"resources": ["clusterroles", "roles"],
		"verbs": ["escalate"],
		"effect": "may write roles that grant more than it has",
	},
	"exec": {
		"groups": [""],
		"resources": ["pods/attach", "pods/ephemeralcontainers", "pods/exec"],
		"verbs": ["create", "get", "patch", "update"],
		"effect": "may run commands in every container and act as its service account",
	},
	"impersonate": {
		"groups": ["", "authentication.k8s.io"],
		"resources": ["groups", "serviceaccounts", "uids", "users"],
		"verbs": ["impersonate"],
		"effect": "may act as anybody",
	},
	"node-proxy": {
		"groups": [""],
		"resources": ["nodes/proxy"],
		"verbs": ["create", "delete", "get", "patch", "update"],
		"effect": "reaches the kubelets beside admission and audit, and so every container",
	},
	"secrets": {
		"groups": [""],
		"resources": ["secrets"],
		"verbs": ["get", "list", "watch"],
		"effect": "reads all Secrets, tokens of service accounts among them",
	},
	"tokens": {
		"groups": [""],
		"resources": ["serviceaccounts/token"],
		"verbs": ["create"],
		"effect": "may act as any service account",
	},
	"webhooks": {
		"groups": ["admissionregistration.k8s.io"],
		"resources": [
			"mutatingadmissionpolicies", "mutatingadmissionpolicybindings", "mutatingwebhookconfigurations",
			"validatingadmissionpolicies", "validatingadmissionpolicybindings", "validatingwebhookconfigurations",
		],
		"verbs": ["create", "delete", "deletecollection", "patch", "update"],
		"effect": "may see and change what others send, and switch policies off",
	},
}
