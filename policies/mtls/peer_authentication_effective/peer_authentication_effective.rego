# METADATA
# title: PeerAuthentications have an effect
# description: >-
#   What an Istio mesh ignores looks as if it counted. Ports count only beside labels to select workloads by, and only
#   numbers from 1 to 65535; labels in the root namespace select nothing at all.
# custom:
#   severity: high
#   since: "0.1"
#   docs: https://istio.io/latest/docs/reference/config/security/peer_authentication/
#   match:
#     rules:
#       - apiGroups: [security.istio.io]
#         apiVersions: [v1, v1beta1]
#         resources: [peerauthentications]
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       rootNamespace:
#         description: The namespace whose objects hold for the whole mesh.
#         type: string
#         minLength: 1
#         default: istio-system
package policies.mtls.peer_authentication_effective

deny contains {"msg": msg, "field": "spec.portLevelMtls", "details": {"remedy": remedy}} if {
	count(_ports) > 0
	count(_labels) == 0
	msg := sprintf("the modes of %d ports are ignored: the object selects no workloads by labels", [count(_ports)])
	remedy := "select the workloads with these ports by `spec.selector.matchLabels`"
}

deny contains {"msg": msg, "field": "spec.selector", "details": {"remedy": remedy}} if {
	count(_labels) > 0
	object.get(input.request, "namespace", "") == input.parameters.rootNamespace
	msg := sprintf("it is ignored: labels in the root namespace %s select nothing", [input.parameters.rootNamespace])
	remedy := "remove `spec.selector`, so that it holds for the mesh, or move it to the namespace of the workloads"
}

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	some port, _ in _ports
	not _is_port(port)
	msg := sprintf("the mode of port %s is ignored: there is no such port", [port])
	field := sprintf("spec.portLevelMtls[%s]", [port])
	remedy := "name a port of the container, from 1 to 65535"
}

_is_port(text) if {
	regex.match(`^[1-9][0-9]{0,4}$`, text)
	to_number(text) <= 65535
}

_ports := _members(["spec", "portLevelMtls"])

_labels := _members(["spec", "selector", "matchLabels"])

_members(path) := members if {
	members := object.get(input.request.object, path, {})
	is_object(members)
} else := {}
