package policies.workloads.external_ips_test

import data.policies.workloads.external_ips

_denied(operation, spec) := violations if {
	violations := external_ips.deny with input as {
		"request": {"operation": operation, "object": {"kind": "Service", "spec": spec}},
		"parameters": {"allowed": ["203.0.113.0/24", "2001:db8::/32"]},
		"exempt": {},
	}
}

_violation(index, address) := {
	"msg": sprintf("the Service takes what is sent to %v, which is not given to the cluster", [address]),
	"field": sprintf("spec.externalIPs[%d]", [index]),
	"details": {"remedy": "remove the address; a Service of type LoadBalancer gets one of its own"},
}

test_no_addresses if {
	every spec in [{}, {"externalIPs": null}, {"externalIPs": []}] {
		_denied("CREATE", spec) == set()
	}
}

test_addresses_that_are_given_to_the_cluster if {
	_denied("CREATE", {"externalIPs": ["203.0.113.7", "2001:db8::7"]}) == set()
}

test_addresses_of_others_on_every_write if {
	every operation in ["CREATE", "UPDATE"] {
		_denied(operation, {"externalIPs": ["203.0.113.7", "203.0.114.7", "8.8.8.8", "2001:db9::7"]}) == {
			_violation(1, "203.0.114.7"),
			_violation(2, "8.8.8.8"),
			_violation(3, "2001:db9::7"),
		}
	}
}

test_what_is_no_address if {
	every address in ["", "database", "203.0.113.7/8", 5, null] {
		_denied("CREATE", {"externalIPs": [address]}) == {_violation(0, address)}
	}
}
