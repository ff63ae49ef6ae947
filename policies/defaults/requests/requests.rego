# METADATA
# title: Containers ask for what containers of their name need
# description: >-
#   Without requests the scheduler puts Pods anywhere, and they are the first to go. Init, sidecar and regular containers
#   that have neither a request nor a limit of a resource get the request of the first entry whose pattern fits their
#   name. Where the Pod has resources of its own nothing is added.
# custom:
#   severity: low
#   since: "0.1"
#   docs: https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
#   context: [containers, pod]
#   match:
#     rules:
#       - apiGroups: [""]
#         apiVersions: [v1]
#         resources: [pods]
#         operations: [CREATE]
#       - apiGroups: [""]
#         apiVersions: [v1]
#         resources: [podtemplates, replicationcontrollers]
#       - apiGroups: [apps]
#         apiVersions: ["*"]
#         resources: [daemonsets, deployments, replicasets, statefulsets]
#       - apiGroups: [batch]
#         apiVersions: ["*"]
#         resources: [cronjobs]
#       - apiGroups: [batch]
#         apiVersions: ["*"]
#         resources: [jobs]
#         operations: [CREATE]
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       requests:
#         description: Requests by the name of containers; `*` in it stands for any characters.
#         type: array
#         items:
#           type: object
#           additionalProperties: false
#           required: [name, requests]
#           properties:
#             name: {type: string, minLength: 1}
#             requests:
#               type: object
#               minProperties: 1
#               additionalProperties: {type: string, pattern: '^[0-9]{1,12}(\.[0-9]{1,5})?([KMGTPE]i|[numkMGTPE])?$'}
#         default:
#           - {name: "*", requests: {cpu: 10m, memory: 64Mi}}
package policies.defaults.requests

import data.lib.changes

patch := [operation |
	object.get(input.context.pod.spec, "resources", null) in {null, {}}
	some container in changes.containers
	container.kind != "ephemeral"
	resources := _object(container.container, "resources")
	missing := {resource: quantity |
		some resource, quantity in _wanted(container.name)
		every list in ["requests", "limits"] {
			object.get(_object(resources, list), resource, null) == null
		}
	}
	count(missing) > 0
	some operation in _operations(sprintf("%s/resources", [changes.pointer(container.path)]), container.container, missing)
]

_operations(at, container, missing) := [{"op": "add", "path": at, "value": {"requests": missing}}] if {
	not is_object(object.get(container, "resources", null))
} else := [{"op": "add", "path": sprintf("%s/requests", [at]), "value": missing}] if {
	not is_object(object.get(container, ["resources", "requests"], null))
} else := [{"op": "add", "path": sprintf("%s/requests/%s", [at, changes.escaped(resource)]), "value": quantity} |
	some resource, quantity in missing
]

# The entry that fits first; nothing where none does.
_wanted(name) := [entry.requests | some entry in input.parameters.requests; _fits(entry.name, name)][0]

_fits(pattern, name) if {
	parts := [regex.replace(part, `[.]`, `\.`) | some part in split(pattern, "*")]
	regex.match(sprintf("^%s$", [concat(".*", parts)]), name)
}

_object(holder, name) := value if {
	value := object.get(holder, name, null)
	is_object(value)
} else := {}
