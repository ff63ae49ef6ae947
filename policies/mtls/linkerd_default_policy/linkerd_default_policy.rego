# METADATA
# title: Linkerd's default policy wants an identity
# description: >-
#   Where no Server says otherwise the annotation `config.linkerd.io/default-inbound-policy` decides who may connect to a
#   Pod. With a policy that takes unauthenticated clients plaintext is accepted, as is everybody in the mesh and outside.
#   What a Pod leaves out it has from its namespace, or from the installation: that is not judged here.
# custom:
#   severity: high
#   since: "0.1"
#   docs: https://linkerd.io/2/reference/authorization-policy/#default-policies
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
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       allowed:
#         description: The policies that may be set.
#         type: array
#         items: {enum: [all-authenticated, all-unauthenticated, audit, cluster-authenticated, cluster-unauthenticated, deny]}
#         minItems: 1
#         uniqueItems: true
#         default: [all-authenticated, cluster-authenticated, deny]
#         x-meshgate-stricter: fewer
package policies.mtls.linkerd_default_policy

import data.lib.requests

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy, "required": required}} if {
	requests.of_object
	some place in _places
	value := object.get(place.metadata, ["annotations", _key], null)
	value != null
	not value in input.parameters.allowed
	msg := sprintf("the default policy is %v: who connects need not say who it is", [value])
	field := sprintf("%s.annotations[%s]", [place.field, _key])
	required := sprintf("one of %s", [concat(", ", input.parameters.allowed)])
	remedy := sprintf("set it to %s, and allow what needs it by a Server and an AuthorizationPolicy", [required])
}

_key := "config.linkerd.io/default-inbound-policy"

_places contains {"metadata": metadata, "field": field} if {
	pod := input.context.pod
	metadata := pod.metadata
	field := sprintf("%smetadata", [trim_suffix(pod.path, "spec")])
}

_places contains {"metadata": metadata, "field": "metadata"} if {
	input.request.resource.resource == "namespaces"
	metadata := object.get(input.request.object, "metadata", {})
}
