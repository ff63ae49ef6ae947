# METADATA
# title: Services open no port of the nodes
# description: >-
#   A Service of type NodePort answers on every node, to everybody who reaches one, beside the Ingress, its certificates
#   and its logs. One of type LoadBalancer opens ports of the nodes too, unless it says `allocateLoadBalancerNodePorts:
#   false`; that is judged only where the parameter asks for it, because many load balancers need them.
# custom:
#   severity: medium
#   since: "0.1"
#   docs: https://kubernetes.io/docs/concepts/services-networking/service/#type-nodeport
#   match:
#     rules:
#       - apiGroups: [""]
#         apiVersions: [v1]
#         resources: [services]
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       loadBalancers:
#         description: Whether load balancers, too, may have no ports of the nodes.
#         type: boolean
#         default: false
package policies.workloads.node_port

deny contains {"msg": msg, "field": "spec.type", "details": {"remedy": remedy, "required": "ClusterIP or LoadBalancer"}} if {
	object.get(input.request.object, ["spec", "type"], "") == "NodePort"
	msg := "a Service of type NodePort answers on every node of the cluster"
	remedy := "make it a ClusterIP without any `nodePort` behind an Ingress or a Gateway, or a LoadBalancer with `loadBalancerSourceRanges`"
}

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy, "required": "false"}} if {
	input.parameters.loadBalancers
	object.get(input.request.object, ["spec", "type"], "") == "LoadBalancer"
	object.get(input.request.object, ["spec", "allocateLoadBalancerNodePorts"], true) != false
	msg := "the load balancer opens ports of every node besides its own"
	field := "spec.allocateLoadBalancerNodePorts"
	remedy := "set `allocateLoadBalancerNodePorts: false`"
}
