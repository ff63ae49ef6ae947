# METADATA
# title: Sidecars fit the Pod Security level of their namespace
# description: >-
#   Without its CNI plugin a mesh redirects traffic in an init container that may administer the network. A namespace
#   whose label asks for the levels baseline or restricted lets no such Pod in: the API server's Pod Security admission
#   looks at the Pod with its sidecar, and what it says is read in the events of a ReplicaSet, if at all. This policy says
#   it with the way out.
# custom:
#   severity: medium
#   since: "0.1"
#   docs: https://istio.io/latest/docs/setup/additional-setup/pod-security-admission/
#   context: [containers, namespace]
#   match:
#     rules:
#       - apiGroups: [""]
#         apiVersions: [v1]
#         resources: [pods]
package policies.injection.pod_security_level

import data.lib.requests

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	requests.of_object
	level := object.get(input.context.namespace, ["labels", "pod-security.kubernetes.io/enforce"], "")
	level in {"baseline", "restricted"}
	some container in input.context.containers
	_is_of_a_mesh(container)
	added := _network & {capability |
		some capability in object.get(container.container, ["securityContext", "capabilities", "add"], [])
	}
	count(added) > 0
	msg := sprintf(
		"container \"%s\" adds %s to redirect traffic, and the namespace enforces the level %s, which lets no such Pod in",
		[container.name, concat(", ", sort(added)), level],
	)
	field := sprintf("%s.securityContext.capabilities.add", [container.path])
	remedy := "install the mesh's CNI plugin, which redirects traffic from outside the Pod (Istio: pilot.cni.enabled; Linkerd: cniEnabled), or take the ambient mode"
}

_is_of_a_mesh(container) if container.rendered

_is_of_a_mesh(container) if container.name in {"istio-init", "linkerd-init"}

_network := {"NET_ADMIN", "NET_RAW"}
