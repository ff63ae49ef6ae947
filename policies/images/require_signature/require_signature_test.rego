package policies.images.require_signature_test

import data.policies.images.require_signature

_digest := "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

_image := "registry.example/app:1"

# An entry as the fact has it; what the test is about comes with it.
_entry(more) := object.union(
	{
		"fields": ["spec.containers[0].image"],
		"reference": {"registry": "registry.example", "repository": "app", "tag": "1", "digest": null},
		"digest": _digest,
		"mediaType": null,
		"pinned": true,
		"pinnedReference": sprintf("%s@%s", [_image, _digest]),
		"unchanged": false,
		"status": "ok",
		"complete": true,
		"errors": [],
		"rules": [],
		"authorities": {
			"release": {"signed": false, "attested": [], "static": null},
			"other": {"signed": false, "attested": [], "static": null},
		},
		"signatures": [],
		"attestations": [],
		"rejected": [],
	},
	more,
)

_away := {
	"status": "error",
	"complete": false,
	"errors": [{"stage": "evidence", "code": "unavailable", "message": "the registry is away"}],
}

_containers := [
	{"kind": "regular", "name": "app", "path": "spec.containers[0]"},
	{"kind": "init", "name": "init", "path": "spec.initContainers[0]"},
]

_input(entry, parameters) := {
	"request": {"operation": "CREATE"},
	"context": {"images": {_image: _entry(entry)}, "containers": _containers},
	"parameters": object.union(_defaults, parameters),
	"exempt": {},
}

_defaults := {"noMatch": "deny"}

_rule(more) := object.union(
	{
		"name": "acme",
		"enforcement": "deny",
		"atLeast": 1,
		"of": [{"authority": "release", "attested": []}],
		"holds": false,
		"holdsOfAny": false,
	},
	more,
)

_ruled(entry) := object.union({"rules": [_rule({})]}, entry)

_held(entry) := object.union({"rules": [_rule({"holds": true})]}, entry)

_violation(msg) := {
	"msg": msg,
	"field": "spec.containers[0].image",
	"details": {"remedy": "sign it, as with `cosign sign`, or use an image that is signed"},
}

_unsigned := _violation("the image \"registry.example/app:1\" has not what the signature of \"release\" would say of it, which the rule \"acme\" of the ImageTrust demands")

test_a_rule_that_holds_is_enough if {
	require_signature.deny == set() with input as _input(_held({}), {})
}

test_without_one_it_is_denied if {
	require_signature.deny == {_unsigned} with input as _input(_ruled({}), {})
}

test_what_holds_of_anything_needs_no_digest if {
	passes := {"rules": [_rule({"holds": true, "holdsOfAny": true})], "pinned": false}
	require_signature.deny == set() with input as _input(passes, {})
}

test_what_is_not_said_does_not_hold if {
	rules := {"rules": [object.remove(_rule({}), ["holds", "holdsOfAny"])]}
	require_signature.deny == {_unsigned} with input as _input(rules, {})
}

test_what_does_not_say_what_becomes_of_it_denies if {
	rules := {"rules": [object.remove(_rule({}), ["enforcement"])]}
	require_signature.deny == {_unsigned} with input as _input(rules, {})
}

test_why_what_lies_there_does_not_count_is_told if {
	refused := [{"authority": name, "evidence": _digest, "reason": reason} |
		some name, reasons in {"release": ["time", "certificate", "time"], "other": ["binding"]}
		some reason in reasons
	]
	violations := {_violation("the image \"registry.example/app:1\" has not what the signature of \"release\" would say of it (what lies there is refused: certificate, time), which the rule \"acme\" of the ImageTrust demands")}
	require_signature.deny == violations with input as _input(_ruled({"rejected": refused}), {})
	others := [one | some one in refused; one.authority == "other"]
	require_signature.deny == {_unsigned} with input as _input(_ruled({"rejected": others}), {})
	require_signature.deny == set() with input as _input(_held({"rejected": refused}), {})
}

test_nothing_counts_while_the_registry_is_away if {
	violations := {_violation("the image \"registry.example/app:1\" can't be verified: the registry is away, which the rule \"acme\" of the ImageTrust demands")}
	require_signature.deny == violations with input as _input(_held(_away), {})
}

test_what_is_demanded_is_told if {
	rules := {"rules": [_rule({"atLeast": 2, "of": [{"authority": "release", "attested": []}, {"authority": "other", "attested": ["t"]}]})]}
	violations := {_violation("the image \"registry.example/app:1\" has not what 2 of the signature of \"release\", \"other\" by t would say of it, which the rule \"acme\" of the ImageTrust demands")}
	require_signature.deny == violations with input as _input(rules, {})
}

test_every_rule_has_to_hold_and_is_reported_as_it_says if {
	rules := {"rules": [_rule({}), _rule({"name": "w", "enforcement": "warn"}), _rule({"name": "a", "enforcement": "audit"})]}
	require_signature.deny == {_unsigned} with input as _input(rules, {})
	named := {name: {object.union(_unsigned, {"msg": replace(_unsigned.msg, "\"acme\"", sprintf("%q", [name]))})} | some name in ["w", "a"]}
	require_signature.warn == named.w with input as _input(rules, {})
	require_signature.audit == named.a with input as _input(rules, {})
}

test_what_no_rule_means_is_denied_unless_said if {
	violation := {
		"msg": "the image \"registry.example/app:1\" is meant by no rule of the ImageTrust",
		"field": "spec.containers[0].image",
		"details": {"remedy": "add a rule with its pattern to the ImageTrust, or set `noMatch` of the binding"},
	}
	require_signature.deny == {violation} with input as _input({}, {})
	require_signature.warn == set() with input as _input({}, {})
	require_signature.deny == set() with input as _input({}, {"noMatch": "warn"})
	require_signature.warn == {violation} with input as _input({}, {"noMatch": "warn"})
	require_signature.deny == set() with input as _input({}, {"noMatch": "allow"})
	require_signature.warn == set() with input as _input({}, {"noMatch": "allow"})
}

test_an_image_that_an_update_leaves_alone_is_spared if {
	require_signature.deny == set() with input as _input({"unchanged": true, "status": "skipped"}, {})
	require_signature.deny == set() with input as _input(_ruled({"unchanged": true, "status": "skipped"}), {})
}

test_every_field_is_named_but_those_of_exempt_containers if {
	entry := _ruled({"fields": ["spec.containers[0].image", "spec.initContainers[0].image", "spec.volumes[0].image.reference"]})
	given := object.union(_input(entry, {}), {"exempt": {"images/require_signature": ["app"]}})
	violations := {
		object.union(_unsigned, {"field": "spec.initContainers[0].image"}),
		object.union(_unsigned, {"field": "spec.volumes[0].image.reference"}),
	}
	require_signature.deny == violations with input as given
	all := {"images/require_signature": ["app", "init"]}
	none := object.union(_input(_ruled({}), {}), {"exempt": all})
	require_signature.deny == set() with input as none
}

test_one_of_several_is_named_with_the_others if {
	rules := {"rules": [_rule({"of": [
		{"authority": "release", "attested": []},
		{"authority": "other", "attested": ["t", "u"]},
	]})]}
	violations := {_violation("the image \"registry.example/app:1\" has not what the signature of \"release\" or \"other\" by t, u would say of it, which the rule \"acme\" of the ImageTrust demands")}
	require_signature.deny == violations with input as _input(rules, {})
}

test_a_tag_of_a_pod_need_not_be_what_runs if {
	violations := {_violation("the image \"registry.example/app:1\" can't be verified: it has no digest, so what was verified need not be what runs; bind images/pin_digest, or name the digest, which the rule \"acme\" of the ImageTrust demands")}
	require_signature.deny == violations with input as _input(_held({"pinned": false}), {})
	template := {"pinned": false, "fields": ["spec.template.spec.volumes[0].image.reference"]}
	require_signature.deny == set() with input as _input(_held(template), {})
}
