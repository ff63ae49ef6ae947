# METADATA
# title: Pods stay in the mesh
# description: >-
#   A Pod that opts out of its service mesh has no identity, and what it says goes over the net in plaintext; where peers
#   are PERMISSIVE nobody notices. Bind it for the namespaces whose Pods belong to a mesh: there neither Pods nor the
#   namespace may say no to Istio, its ambient mode or Linkerd, no Pod is in the network of its node, where nothing is
#   injected, and the label by which clients know a proxy is not set by hand. A namespace that is in a mesh
#   stays in it. That a Pod has a sidecar already, which keeps the ambient mode away from it, is believed where a
#   container has its name.
# custom:
#   severity: high
#   since: "0.1"
#   docs: https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/
#   context: [containers, pod]
#   match:
#     rules:
#       - apiGroups: [""]
#         apiVersions: [v1]
#         resources: [namespaces]
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
#       templates:
#         description: The templates of Istio that Pods may ask to be injected.
#         type: array
#         items: {type: string, minLength: 1}
#         uniqueItems: true
#         default: [gateway, sidecar]
#         x-meshgate-stricter: fewer
package policies.injection.mesh_required

import data.lib.requests

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	requests.of_object
	some place in _places
	some kind, opt_outs in _opt_outs[place.of]
	some key, values in opt_outs
	value := object.get(place.metadata, [kind, key], "")
	value in values
	msg := sprintf("`%s: %s` keeps %s out of the mesh", [key, value, place.what])
	field := sprintf("%s.%s[%s]", [place.field, kind, key])
	remedy := sprintf("remove `%s`", [key])
}

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	requests.of_object
	input.context.pod.spec.hostNetwork == true
	msg := "`hostNetwork: true` keeps the Pod out of the mesh: nothing is injected into the network of a node"
	field := sprintf("%s.hostNetwork", [input.context.pod.path])
	remedy := "remove `hostNetwork`"
}

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	requests.of_object
	some place in _places
	place.of == "pods"
	value := object.get(place.metadata, ["labels", _tls_mode], "istio")
	value != "istio"
	msg := sprintf("`%s: %v` says that the Pod speaks no TLS of the mesh, so clients send it plaintext", [_tls_mode, value])
	field := sprintf("%s.labels[%s]", [place.field, _tls_mode])
	remedy := sprintf("remove `%s`: injection sets it", [_tls_mode])
}

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	requests.of_object
	some place in _places
	place.of == "pods"
	object.get(place.metadata, ["annotations", _status], null) != null
	not _has_sidecar
	msg := sprintf("`%s` hides the Pod from the ambient mode, and it has no sidecar", [_status])
	field := sprintf("%s.annotations[%s]", [place.field, _status])
	remedy := sprintf("remove `%s`: injection sets it", [_status])
}

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	requests.of_object
	some place in _places
	place.of == "pods"
	value := object.get(place.metadata, ["annotations", _templates], null)
	is_string(value)
	some part in split(value, ",")
	template := trim_space(part)
	not template in input.parameters.templates
	msg := sprintf("`%s` asks for \"%s\", which need not be a sidecar", [_templates, template])
	field := sprintf("%s.annotations[%s]", [place.field, _templates])
	remedy := sprintf("remove `%s`, or take of: %s", [_templates, concat(", ", input.parameters.templates)])
}

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	requests.of_object
	input.request.resource.resource == "namespaces"
	some joins in _joins
	count(_joined(joins, "object")) == 0
	some [kind, key, value] in _joined(joins, "oldObject")
	not _is_refused(kind, key)
	msg := sprintf("without `%s: %s` the Pods of the namespace leave the mesh", [key, value])
	field := sprintf("metadata.%s[%s]", [kind, key])
	remedy := sprintf("keep `%s: %s`", [key, value])
}

# What says no is told already.
_is_refused(kind, key) if {
	now := object.get(input.request.object, ["metadata", kind, key], "")
	now in _opt_outs.namespaces[kind][key]
}

# What of `joins` the object or the old one has: where, the key and its value.
_joined(joins, member) := {[join[0], join[1], value] |
	some join in joins
	value := object.get(input.request, [member, "metadata", join[0], join[1]], "")
	is_string(value)
	regex.match(join[2], value)
}

# By mesh: what keeps the Pods of a namespace in it, each as good as the others.
_joins := [
	[
		["labels", "istio-injection", "^enabled$"],
		["labels", "istio.io/dataplane-mode", "^ambient$"],
		["labels", "istio.io/rev", "."],
	],
	[["annotations", "linkerd.io/inject", "^(enabled|ingress)$"]],
]

_has_sidecar if {
	some container in input.context.containers
	container.kind in {"regular", "sidecar"}
	_is_sidecar(container)
}

_is_sidecar(container) if container.rendered

_is_sidecar(container) if container.name == "istio-proxy"

_status := "sidecar.istio.io/status"

_templates := "inject.istio.io/templates"

_tls_mode := "security.istio.io/tlsMode"

_places contains {"of": "pods", "what": "the Pod", "metadata": metadata, "field": field} if {
	pod := input.context.pod
	metadata := pod.metadata
	field := sprintf("%smetadata", [trim_suffix(pod.path, "spec")])
}

_places contains {"of": "namespaces", "what": "the Pods of the namespace", "metadata": metadata, "field": "metadata"} if {
	input.request.resource.resource == "namespaces"
	metadata := object.get(input.request.object, "metadata", {})
}

# By what says it: labels and annotations, with the values that say no.
_opt_outs := {
	"pods": {
		"labels": {
			"istio.io/dataplane-mode": {"none"},
			"sidecar.istio.io/inject": {"false", false},
		},
		"annotations": {
			"linkerd.io/inject": {"disabled"},
			"sidecar.istio.io/inject": {"false", false},
		},
	},
	"namespaces": {
		"labels": {
			"istio-injection": {"disabled", "false"},
			"istio.io/dataplane-mode": {"none"},
		},
		"annotations": {"linkerd.io/inject": {"disabled"}},
	},
}
