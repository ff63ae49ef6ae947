package policies.injection.follow_mesh_test

import data.policies.injection.follow_mesh

_proposal := {
	"mesh": "istio",
	"revision": "canary",
	"inject": true,
	"rule": "W1",
	"reasons": ["namespace label istio.io/rev=canary"],
}

_injection(proposal) := injection if injection := follow_mesh.inject with input as {
	"request": {"operation": "CREATE"},
	"context": {"mesh": {"proposal": proposal}},
	"exempt": {},
}

test_what_is_proposed_is_returned if {
	_injection(_proposal) == {
		"mesh": "istio",
		"revision": "canary",
		"inject": true,
		"reasons": ["namespace label istio.io/rev=canary"],
	}
}

test_what_is_not_proposed_is_not_injected if {
	_injection(object.union(_proposal, {"inject": false})).inject == false
	_injection({"mesh": null, "inject": false}) == {"mesh": null, "inject": false}
}
