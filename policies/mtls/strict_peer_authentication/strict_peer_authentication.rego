# METADATA
# title: PeerAuthentications demand mutual TLS
# description: >-
#   With STRICT a workload of the Istio mesh answers only to peers that prove who they are. PERMISSIVE also takes
#   plaintext, and nobody notices; DISABLE takes nothing else. A mode that is left out is inherited, and PERMISSIVE
#   where nothing above says otherwise, so it is demanded here, too. A port may leave its own out: then it has the
#   object's.
# custom:
#   severity: high
#   since: "0.1"
#   docs: https://istio.io/latest/docs/reference/config/security/peer_authentication/
#   match:
#     rules:
#       - apiGroups: [security.istio.io]
#         apiVersions: [v1, v1beta1]
#         resources: [peerauthentications]
package policies.mtls.strict_peer_authentication

deny contains {"msg": msg, "field": "spec.mtls.mode", "details": {"remedy": "set `spec.mtls.mode` to STRICT", "required": "STRICT"}} if {
	_mode in {null, "UNSET"}
	msg := sprintf("no mTLS mode is set for %s: it is inherited, and PERMISSIVE where nothing above says STRICT", [_whom])
}

deny contains {"msg": msg, "field": "spec.mtls.mode", "details": {"remedy": "set `spec.mtls.mode` to STRICT", "required": "STRICT"}} if {
	mode := _mode
	not mode in {null, "UNSET", "STRICT"}
	msg := sprintf("the mTLS mode is %v, %s", [mode, _meaning(mode)])
}

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy, "required": "STRICT"}} if {
	some port, _ in _ports
	mode := object.get(_ports, [port, "mode"], null)
	not mode in {null, "UNSET", "STRICT"}
	msg := sprintf("the mTLS mode of port %s is %v, %s", [port, mode, _meaning(mode)])
	field := sprintf("spec.portLevelMtls[%s].mode", [port])
	remedy := sprintf("set `spec.portLevelMtls[%s].mode` to STRICT, or remove the port", [port])
}

_mode := object.get(input.request.object, ["spec", "mtls", "mode"], null)

default _ports := {}

_ports := ports if {
	ports := object.get(input.request.object, ["spec", "portLevelMtls"], {})
	is_object(ports)
}

# Without labels to select by, an object is for its namespace, or for the mesh if that is the root namespace.
default _whom := "the whole namespace (in the root namespace: for the mesh)"

_whom := "the selected workloads" if {
	labels := object.get(input.request.object, ["spec", "selector", "matchLabels"], {})
	is_object(labels)
	labels != {}
}

_meaning(mode) := object.get(
	{"PERMISSIVE": "so plaintext is accepted as well", "DISABLE": "so only plaintext is accepted"},
	mode, "which is no mode of Istio",
)
