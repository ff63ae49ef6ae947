package policies.injection.verified_images_test

import data.policies.injection.verified_images

_image := "registry.example/app:1"

_digest := "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

_entry(more) := object.union(
	{
		"fields": ["spec.containers[0].image"],
		"digest": _digest,
		"pinned": true,
		"unchanged": false,
		"status": "ok",
		"complete": true,
		"errors": [],
		"rules": [_rule("acme", true)],
	},
	more,
)

_rule(name, holds) := {"name": name, "holds": holds, "holdsOfAny": false}

_proposal := {"mesh": "istio", "revision": "canary", "inject": true, "rule": "W1", "reasons": ["asked for"]}

_containers(name, rendered) := [
	{"kind": "regular", "name": "app", "path": "spec.containers[0]", "rendered": false},
	{"kind": "init", "name": name, "path": "spec.initContainers[0]", "rendered": rendered},
]

_input(entry, more) := object.union(
	{
		"request": {"operation": "CREATE", "subResource": null, "object": {}},
		"context": {
			"images": {_image: _entry(entry)},
			"containers": _containers("istio-proxy", true),
			"mesh": {"proposal": _proposal},
		},
		"parameters": {"noMatch": "deny"},
		"exempt": {},
	},
	more,
)

_unsigned := {"rules": [_rule("acme", false)]}

_away := {"status": "error", "complete": false, "errors": [{"message": "the registry is away"}]}

_off(reason) := {"mesh": "istio", "revision": "canary", "inject": false, "reasons": [reason]}

_violation(lack) := {{
	"msg": sprintf("the Pod has the sidecar of a mesh, and the image \"registry.example/app:1\" %s", [lack]),
	"field": "spec.containers[0].image",
	"details": {"remedy": "sign the image, as with `cosign sign`, or take the Pod out of the mesh (label `sidecar.istio.io/inject: \"false\"`)"},
}}

_broken := "is not what the rule \"acme\" of the ImageTrust demands"

test_what_is_verified_is_left_to_others if {
	not verified_images.inject with input as _input({}, {})
	not verified_images.inject with input as _input({"pinned": false}, {})
	verified_images.deny == set() with input as _input({}, {})
	passes := {"rules": [{"name": "acme", "holds": false, "holdsOfAny": true}]}
	verified_images.deny == set() with input as _input(passes, {})
}

test_what_is_not_stays_outside if {
	reason := sprintf("the image \"registry.example/app:1\" %s", [_broken])
	verified_images.inject == _off(reason) with input as _input(_unsigned, {})
	away := "the image \"registry.example/app:1\" can't be verified: the registry is away"
	verified_images.inject == _off(away) with input as _input(_away, {})
	verified_images.inject == _off("the image \"registry.example/app:1\" is meant by no rule of the ImageTrust") with input as _input({"rules": []}, {})
	not verified_images.inject with input as _input({"rules": []}, {"parameters": {"noMatch": "allow"}})
	unknown := "the image \"registry.example/app:1\" can't be verified: it has no digest, so what was verified need not be what runs; bind images/pin_digest, or name the digest"
	verified_images.inject == _off(unknown) with input as _input({"pinned": false, "digest": null}, {})
}

test_two_rules_are_named_in_order if {
	lack := "is not what the rule \"a\", \"b\" of the ImageTrust demands"
	verified_images.deny == _violation(lack) with input as _input({"rules": [_rule("b", false), _rule("a", false)]}, {})
	signed := "is not what the rule \"a\" of the ImageTrust demands"
	verified_images.deny == _violation(signed) with input as _input({"rules": [_rule("b", true), _rule("a", false)]}, {})
}

test_where_nothing_is_proposed_nothing_is_said if {
	off := {"context": {"mesh": {"proposal": {"mesh": null, "revision": null, "inject": false, "reasons": []}}}}
	not verified_images.inject with input as _input(_unsigned, off)
}

test_a_pod_with_a_sidecar_is_denied if {
	every containers in [
		_containers("istio-proxy", true), _containers("proxy", true), _containers("istio-proxy", false), _containers("linkerd-proxy", false),
	] {
		verified_images.deny == _violation(_broken) with input as _input(_unsigned, {"context": {"containers": containers}})
	}
	tag := "can't be verified: it has no digest, so what was verified need not be what runs; bind images/pin_digest, or name the digest"
	verified_images.deny == _violation(tag) with input as _input({"pinned": false}, {})
}

test_others_are_not_judged if {
	verified_images.deny == set() with input as _input(_unsigned, {"context": {"containers": _containers("first", false)}})
	verified_images.deny == set() with input as _input(object.union(_unsigned, {"unchanged": true}), {})
	verified_images.deny == set() with input as _input(_unsigned, {"request": {"subResource": "eviction"}})
}

test_what_an_exception_takes_out_of_view_is_not_asked_about if {
	exempt := {"exempt": {"injection/verified_images": ["app"]}}
	verified_images.deny == set() with input as _input(_unsigned, exempt)
	other := {"exempt": {"injection/verified_images": ["other"]}}
	verified_images.deny == _violation(_broken) with input as _input(_unsigned, other)
}
