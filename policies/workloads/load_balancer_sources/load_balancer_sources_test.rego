package policies.workloads.load_balancer_sources_test

import data.policies.workloads.load_balancer_sources

_parameters := {
	"forbiddenRanges": ["0.0.0.0/0", "::/0", "fd12:3456::/32", "300.0.0.0/8"],
	"shortestIPv4": 8,
	"shortestIPv6": 16,
	"internalAnnotations": {"example.com/internal": "true", "example.com/scheme": "Internal"},
}

_denied(operation, spec, annotations) := violations if {
	violations := load_balancer_sources.deny with input as {
		"request": {
			"operation": operation,
			"object": {"kind": "Service", "metadata": {"annotations": annotations}, "spec": spec},
		},
		"parameters": _parameters,
		"exempt": {},
	}
}

_balancer(ranges) := {"type": "LoadBalancer", "loadBalancerSourceRanges": ranges}

_none := {{
	"msg": "the load balancer answers everybody: it has no source ranges",
	"field": "spec.loadBalancerSourceRanges",
	"details": {"remedy": "list the networks that may reach it in `spec.loadBalancerSourceRanges`, as in 203.0.113.0/24"},
}}

_open(range, field) := {
	"msg": sprintf("the load balancer answers everybody: it has the source range %s", [range]),
	"field": field,
	"details": {"remedy": sprintf("list the networks that may reach it instead of %s", [range])},
}

_field(index) := sprintf("spec.loadBalancerSourceRanges[%d]", [index])

_key := "service.beta.kubernetes.io/load-balancer-source-ranges"

test_other_types_are_not_asked if {
	every type in [null, "ClusterIP", "NodePort", "ExternalName"] {
		_denied("CREATE", {"type": type}, {}) == set()
	}
	_denied("CREATE", {}, null) == set()
}

test_ranges_that_say_whom if {
	every ranges in [["203.0.113.0/24"], ["10.0.0.0/8", "2001:db8::/32"]] {
		_denied("CREATE", _balancer(ranges), {}) == set()
	}
	_denied("CREATE", _balancer(null), {_key: "203.0.113.0/24, 10.0.0.0/8"}) == set()
}

test_no_ranges_on_every_write if {
	every operation in ["CREATE", "UPDATE"] {
		_denied(operation, {"type": "LoadBalancer"}, null) == _none
		every ranges in [null, [], [5]] {
			_denied(operation, _balancer(ranges), {}) == _none
		}
		_denied(operation, _balancer([]), {_key: " , "}) == _none
		_denied(operation, _balancer([]), {_key: 5}) == _none
	}
}

test_ranges_that_are_everybody if {
	_denied("CREATE", _balancer(["10.0.0.0/8", " 0.0.0.0/0", "::/0"]), {}) == {
		_open("0.0.0.0/0", _field(1)),
		_open("::/0", _field(2)),
	}
	_denied("CREATE", _balancer([]), {_key: "10.0.0.0/8, 0.0.0.0/0"}) == {_open("0.0.0.0/0", sprintf("metadata.annotations[%s]", [_key]))}
}

test_ranges_that_hold_a_forbidden_one if {
	ranges := ["1.2.3.4/0", "::0/0", "2001:db8::/0", "::ffff:0:0/96", "fd12:3456::/32", "fd12:3000::/20", "c000::/2", "300.0.0.0/8"]
	every range in ranges {
		_denied("CREATE", _balancer([range]), {}) == {_open(range, _field(0))}
	}
	every range in ["fd12:3456::/33", "fd12:3457::/32"] {
		_denied("CREATE", _balancer([range]), {}) == set()
	}
}

_because(msg, range) := {{
	"msg": msg,
	"field": _field(0),
	"details": {"remedy": sprintf("list the networks that may reach it instead of %s", [range])},
}}

test_ranges_that_are_very_wide if {
	shortest := {"0.0.0.0/1": 8, "128.0.0.0/1": 8, "10.0.0.0/7": 8, "2000::/3": 16, "fd00::/15": 16}
	every range, bits in shortest {
		msg := sprintf("the load balancer answers far too many: its source range %s has a prefix shorter than %d", [range, bits])
		_denied("CREATE", _balancer([range]), {}) == _because(msg, range)
	}
	every range in ["10.0.0.0/8", "fd00::/16"] {
		_denied("CREATE", _balancer([range]), {}) == set()
	}
}

test_ranges_that_are_none if {
	every range in ["", "10.0.0.0", "010.0.0.0/8", "10.0.0.0/33", "everybody"] {
		msg := sprintf("whom the load balancer answers can't be told: its source range %s is none", [range])
		_denied("CREATE", _balancer([range]), {}) == _because(msg, range)
	}
}

test_the_annotation_does_not_count_beside_the_field if {
	_denied("CREATE", _balancer(["10.0.0.0/8"]), {_key: "0.0.0.0/0"}) == set()
	_denied("CREATE", _balancer(["0.0.0.0/0"]), {_key: "10.0.0.0/8"}) == {_open("0.0.0.0/0", _field(0))}
}

test_what_only_the_provider_reaches if {
	every annotations in [{"example.com/internal": "true"}, {"example.com/scheme": "internal"}] {
		_denied("CREATE", _balancer([]), annotations) == set()
		_denied("CREATE", _balancer(["0.0.0.0/0"]), annotations) == set()
	}
	every annotations in [{"example.com/internal": "false"}, {"example.com/internal": true}, {"other": "true"}] {
		_denied("CREATE", _balancer([]), annotations) == _none
	}
}
