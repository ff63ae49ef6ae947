package policies.workloads.node_port_test

import data.policies.workloads.node_port

_denied(operation, parameter, spec) := violations if {
	violations := node_port.deny with input as {
		"request": {"operation": operation, "object": {"kind": "Service", "spec": spec}},
		"parameters": {"loadBalancers": parameter},
		"exempt": {},
	}
}

_node_port := {{
	"msg": "a Service of type NodePort answers on every node of the cluster",
	"field": "spec.type",
	"details": {"remedy": "make it a ClusterIP without any `nodePort` behind an Ingress or a Gateway, or a LoadBalancer with `loadBalancerSourceRanges`", "required": "ClusterIP or LoadBalancer"},
}}

_balancer := {{
	"msg": "the load balancer opens ports of every node besides its own",
	"field": "spec.allocateLoadBalancerNodePorts",
	"details": {"remedy": "set `allocateLoadBalancerNodePorts: false`", "required": "false"},
}}

test_other_types_are_fine if {
	every parameter in [true, false] {
		every spec in [{}, {"type": null}, {"type": "ClusterIP"}, {"type": "ExternalName"}] {
			_denied("CREATE", parameter, spec) == set()
		}
	}
}

test_node_ports_on_every_write if {
	every operation in ["CREATE", "UPDATE"] {
		every parameter in [true, false] {
			_denied(operation, parameter, {"type": "NodePort", "ports": []}) == _node_port
		}
	}
}

test_ports_of_load_balancers_where_it_is_asked_for if {
	every value in [true, null, "false"] {
		_denied("CREATE", true, {"type": "LoadBalancer", "allocateLoadBalancerNodePorts": value}) == _balancer
	}
	_denied("UPDATE", true, {"type": "LoadBalancer"}) == _balancer
	_denied("CREATE", false, {"type": "LoadBalancer"}) == set()
	_denied("CREATE", true, {"type": "LoadBalancer", "allocateLoadBalancerNodePorts": false}) == set()
}
