# METADATA
# title: Pods have a label
# description: >-
#   A label says what a Pod is a part of or who is asked when it fails. It is demanded where the Pods have it: of a
#   workload, in its template. Bind it once for each label.
# custom:
#   severity: low
#   since: "0.1"
#   docs: https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/
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
#     required: [label]
#     properties:
#       label:
#         description: The label's key, as in `owner` or `app.kubernetes.io/name`.
#         type: string
#         minLength: 1
#       pattern:
#         description: A regular expression that the whole value matches.
#         type: string
#         minLength: 1
#       values:
#         description: The values that are allowed.
#         type: array
#         items: {type: string, minLength: 1}
#         minItems: 1
#         uniqueItems: true
#         x-meshgate-stricter: fewer
package policies.workloads.required_label

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy, "required": required}} if {
	# The subresources through which containers change can't change labels.
	object.get(input.request, "subResource", "") in {"", null}
	some problem in _problems
	msg := sprintf("the label %s %s", [input.parameters.label, problem.text])
	field := sprintf("%s[%s]", [_labels_path, input.parameters.label])
	remedy := problem.remedy
	required := problem.required
}

_problems contains {"text": "is missing or empty", "remedy": remedy, "required": "a value"} if {
	not _given
	remedy := sprintf("give it a value in `%s`", [_labels_path])
}

_problems contains {"text": text, "remedy": remedy, "required": required} if {
	_given
	pattern := input.parameters.pattern
	whole := sprintf("^(?:%s)$", [pattern])
	value := _value
	not regex.match(whole, value)
	text := sprintf("is \"%s\", which does not match %s", [value, pattern])
	required := sprintf("a value that matches %s", [pattern])
	remedy := sprintf("give it %s as a whole", [required])
}

_problems contains {"text": text, "remedy": remedy, "required": required} if {
	_given
	values := input.parameters.values
	value := _value
	not value in values
	text := sprintf("is \"%s\", which is none of its values", [value])
	required := sprintf("one of %s", [concat(", ", values)])
	remedy := sprintf("give it %s", [required])
}

_given if {
	is_string(_value)
	_value != ""
}

_value := object.get(input.context.pod.metadata, ["labels", input.parameters.label], "")

_labels_path := sprintf("%smetadata.labels", [trim_suffix(input.context.pod.path, "spec")])
