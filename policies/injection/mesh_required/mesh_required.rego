# METADATA
# title: Pods stay in the mesh
# description: >-
#   A Pod that opts out of its service mesh has no identity, and what it says goes over the net in plaintext; where peers
#   are PERMISSIVE nobody notices. Bind it for the namespaces whose Pods belong to a mesh: there neither Pods nor the
#   namespace may say no to Istio, its ambient mode or Linkerd, no Pod is in the network of its node, where nothing is
#   injected, and the label by which clients know a proxy is not set by hand.
# custom:
#   severity: high
#   since: "0.1"
#   docs: https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/
#   context: [pod]
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
