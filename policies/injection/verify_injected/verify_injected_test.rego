package policies.injection.verify_injected_test

import data.policies.injection.verify_injected

_denied(inject, reasons, annotations) := violations if {
	violations := verify_injected.deny with input as {
		"request": {"operation": "CREATE", "object": {"metadata": {"annotations": annotations}}},
		"context": {"mesh": {"proposal": {"mesh": "istio", "inject": inject, "reasons": reasons}}},
		"exempt": {},
	}
}

_injected := {"sidecar.istio.io/status": "{}"}

test_a_sidecar_as_it_should_be if {
	_denied(true, ["policy enabled", "mode verify"], _injected) == set()
	_denied(true, [], {}) == set()
}

test_a_sidecar_that_differs if {
	_denied(true, ["policy enabled", "differs: the Pod has no sidecar"], {}) == {{
		"msg": "the sidecar is not what istio would inject: the Pod has no sidecar",
		"field": "spec",
		"details": {"remedy": "find what changes the Pod on its way; where the mesh was configured anew a moment ago, try again"},
	}}
}

test_nobody_injects if {
	_denied(false, ["differs: the Pod has no sidecar"], {}) == set()
	_denied(false, [], null) == set()
	_denied(false, [], _injected) == {{
		"msg": "`sidecar.istio.io/status` says that a sidecar was injected, and no mesh injects into this Pod",
		"field": "metadata.annotations[sidecar.istio.io/status]",
		"details": {"remedy": "remove `sidecar.istio.io/status`"},
	}}
}

test_a_subresource_is_not_judged if {
	violations := verify_injected.deny with input as {
		"request": {"operation": "CREATE", "subResource": "eviction", "object": {"metadata": {"annotations": _injected}}},
		"context": {"mesh": {"proposal": {"mesh": "istio", "inject": true, "reasons": ["differs: a"]}}},
	}
	violations == set()
}

_updated(before) := violations if {
	violations := verify_injected.deny with input as {
		"request": {
			"operation": "UPDATE",
			"object": {"metadata": {"annotations": _injected}},
			"oldObject": {"metadata": {"annotations": before}},
		},
		"context": {"mesh": {"proposal": {"mesh": null, "inject": false}}},
		"exempt": {},
	}
}

test_what_was_injected_once_may_be_updated if {
	_updated(_injected) == set()
	every before in [{}, null] {
		count(_updated(before)) == 1
	}
}
