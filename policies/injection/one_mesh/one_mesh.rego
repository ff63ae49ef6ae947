# METADATA
# title: A Pod is in one mesh
# description: >-
#   Two sidecars redirect the same traffic, and neither sees what it expects. A Pod that asks two meshes for a sidecar, or
#   has one and asks for the other, gets whichever comes first, and may get both. Judged are Pods, templates and
#   namespaces: what Istio's labels ask for, and what Linkerd's annotation does.
# custom:
#   severity: medium
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
package policies.injection.one_mesh

import data.lib.requests

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	requests.of_object
	some place in _places
	istio := _istio(place)
	count(istio) > 0
	linkerd := _linkerd(place)
	count(linkerd) > 0
	msg := sprintf("%s is in two meshes: of Istio for %s, of Linkerd for %s", [
		place.what,
		concat(", ", sort(istio)),
		concat(", ", sort(linkerd)),
	])
	field := place.field
	remedy := "take away what belongs to one of both"
}

# Why it is in a mesh.
_istio(place) := _asked(place, "labels", {
	"istio-injection": {"enabled"},
	"istio.io/dataplane-mode": {"ambient"},
	"sidecar.istio.io/inject": {"true"},
}) | _has(place, {"istio-proxy"})

_linkerd(place) := _asked(place, "annotations", {"linkerd.io/inject": {"enabled", "ingress"}}) | _has(place, {"linkerd-proxy"})

_asked(place, kind, wanted) := {sprintf("`%s: %s`", [key, value]) |
	some key, values in wanted
	value := object.get(place.metadata, [kind, key], "")
	value in values
}

_has(place, names) := {sprintf("the container \"%s\"", [name]) | some name in found} if found := place.has & names

_places contains {"what": "the Pod", "metadata": metadata, "field": field, "has": names} if {
	pod := input.context.pod
	metadata := pod.metadata
	field := sprintf("%smetadata", [trim_suffix(pod.path, "spec")])
	names := {container.name | some container in input.context.containers}
}

_places contains {"what": "the namespace", "metadata": metadata, "field": "metadata", "has": set()} if {
	input.request.resource.resource == "namespaces"
	metadata := object.get(input.request.object, "metadata", {})
}
