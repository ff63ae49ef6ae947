# METADATA
# title: Pods have the sidecar that the mesh would inject
# description: >-
#   Whoever injects, the mesh's own webhook (mode `verify`) or meshgate: before a Pod is stored it is compared with what
#   is rendered from the mesh's configuration, container by container. A Pod that should have a sidecar and has none, or
#   one that somebody changed on the way, is refused with the first difference. Refused is also a Pod that says it was
#   injected where no mesh would: the annotation alone keeps it out of the ambient mode. Bind it only where MeshSettings
#   name the mesh.
# custom:
#   severity: high
#   since: "0.1"
#   docs: https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/
#   context: [mesh.proposal]
#   match:
#     rules:
#       - apiGroups: [""]
#         apiVersions: [v1]
#         resources: [pods]
package policies.injection.verify_injected

import data.lib.requests

deny contains {"msg": msg, "field": "spec", "details": {"remedy": remedy}} if {
	requests.of_object
	proposal := input.context.mesh.proposal
	proposal.inject
	some reason in proposal.reasons
	startswith(reason, "differs: ")
	msg := sprintf("the sidecar is not what %s would inject: %s", [proposal.mesh, trim_prefix(reason, "differs: ")])
	remedy := "find what changes the Pod on its way; where the mesh was configured anew a moment ago, try again"
}

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	requests.of_object
	input.context.mesh.proposal.inject == false
	object.get(input.request.object, ["metadata", "annotations", _status], null) != null
	object.get(input.request, ["oldObject", "metadata", "annotations", _status], null) == null
	msg := sprintf("`%s` says that a sidecar was injected, and no mesh injects into this Pod", [_status])
	field := sprintf("metadata.annotations[%s]", [_status])
	remedy := sprintf("remove `%s`", [_status])
}

_status := "sidecar.istio.io/status"
