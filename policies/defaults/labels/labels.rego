# METADATA
# title: Pods have the labels of their workload
# description: >-
#   Costs, dashboards and NetworkPolicies go by the labels of Pods, and people set them at the workload. A template gets
#   those labels of its workload that are listed, and Pods and templates those that are given here, where they have no
#   value of their own. Selectors stay as they are.
# custom:
#   severity: low
#   since: "0.1"
#   docs: https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/
#   context: [pod]
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
#       copied:
#         description: Labels that a template gets from its workload.
#         type: array
#         items: {type: string, minLength: 1}
#         uniqueItems: true
#         default: [app.kubernetes.io/name, app.kubernetes.io/part-of, owner]
#       given:
#         description: Labels that Pods and templates get, with their values.
#         type: object
#         additionalProperties: {type: string}
#         default: {}
package policies.defaults.labels

import data.lib.changes

patch := [{"op": "add", "path": changes.metadata_pointer("labels"), "value": _missing}] if {
	changes.allowed
	_has_metadata
	count(_missing) > 0
	_labels == null
}

patch := [{"op": "add", "path": trim_suffix(changes.metadata_pointer(""), "/"), "value": {"labels": _missing}}] if {
	changes.allowed
	not _has_metadata
	count(_missing) > 0
}

patch := [operation |
	some key, value in _missing
	operation := {"op": "add", "path": changes.metadata_pointer(sprintf("labels/%s", [changes.escaped(key)])), "value": value}
] if {
	changes.allowed
	is_object(_labels)
}

# A template need not have any.
_has_metadata if {
	path := split(input.context.pod.path, ".")
	parent := array.slice(path, 0, count(path) - 1)
	is_object(object.get(input.request.object, array.concat(parent, ["metadata"]), null))
}

_labels := object.get(input.context.pod.metadata, "labels", null)

# A label of the workload comes before one that is given.
_missing := {key: value |
	some key, value in object.union(input.parameters.given, _copied)
	not _has(key)
}

_has(key) if {
	is_object(_labels)
	object.get(_labels, key, null) != null
}

_copied := {key: value |
	input.context.pod.template
	some key in input.parameters.copied
	value := object.get(input.request.object, ["metadata", "labels", key], null)
	is_string(value)
}
