package policies.platform.team_annotation_test

import data.policies.platform.team_annotation

_denial := {
	"msg": "the namespace names no team",
	"field": "metadata.annotations[acme.example/team]",
	"details": {"remedy": "add the annotation, with the name of the team"},
}

_found(metadata) := found if {
	found := team_annotation.deny with input as {"request": {"object": {"metadata": metadata}}}
}

test_a_team_is_named if {
	_found({"annotations": {"acme.example/team": "shop"}}) == set()
}

test_no_team_is_named if {
	_found({}) == {_denial}
	_found({"annotations": {"acme.example/team": ""}}) == {_denial}
	_found({"annotations": {"acme.example/team": 7}}) == {_denial}
}
