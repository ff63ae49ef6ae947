# METADATA
# title: Nobody is given everything, and strangers nothing
# description: >-
#   A binding of `cluster-admin` makes its subjects masters of the namespace or the cluster, and a binding to who is not
#   known by name opens its role to everybody who reaches the API server. The bindings that a cluster starts with are
#   made by the API server itself, which is not asked.
# custom:
#   severity: high
#   since: "0.1"
#   docs: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
#   match:
#     rules:
#       - apiGroups: [rbac.authorization.k8s.io]
#         apiVersions: ["*"]
#         resources: [clusterrolebindings, rolebindings]
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       roles:
#         description: ClusterRoles that are not to be bound.
#         type: array
#         items: {type: string, minLength: 1}
#         uniqueItems: true
#         default: [cluster-admin]
#         x-meshgate-stricter: more
#       subjects:
#         description: Users and groups to which nothing is to be bound.
#         type: array
#         items: {type: string, minLength: 1}
#         uniqueItems: true
#         default: ["system:anonymous", "system:unauthenticated"]
#         x-meshgate-stricter: more
package policies.workloads.rbac_bindings

deny contains {"msg": msg, "field": "roleRef.name", "details": {"remedy": remedy}} if {
	object.get(input.request.object, ["roleRef", "kind"], "") == "ClusterRole"
	role := object.get(input.request.object, ["roleRef", "name"], "")
	role in input.parameters.roles
	msg := sprintf("it binds the ClusterRole %s", [role])
	remedy := "bind a role that grants what is needed"
}

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	some index, subject in object.get(input.request.object, "subjects", [])
	object.get(subject, "kind", "") in {"Group", "User"}
	name := object.get(subject, "name", "")
	name in input.parameters.subjects
	msg := sprintf("it gives a role to %s: that is whoever reaches the API server", [name])
	field := sprintf("subjects[%d].name", [index])
	remedy := "name users, groups or service accounts that are known"
}
