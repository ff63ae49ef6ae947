package lib.images_test

import data.lib.images

_containers := [
	{"kind": "regular", "name": "app", "path": "spec.containers[0]"},
	{"kind": "init", "name": "init", "path": "spec.initContainers[0]"},
]

_fields := ["spec.containers[0].image", "spec.initContainers[0].image", "spec.volumes[0].image.reference"]

_seen(fields, exempt) := seen if {
	seen := images.of("a/b") with input as {
		"context": {"images": {"i:1": {"fields": fields, "status": "ok"}}, "containers": _containers},
		"exempt": exempt,
	}
}

test_what_an_exception_takes_out_is_not_seen if {
	_seen(_fields, {}) == {"i:1": {"fields": _fields, "status": "ok"}}
	left := ["spec.initContainers[0].image", "spec.volumes[0].image.reference"]
	_seen(_fields, {"a/b": ["app"]}) == {"i:1": {"fields": left, "status": "ok"}}
	_seen(["spec.containers[0].image"], {"a/b": ["app"]}) == {}
	_seen(["spec.containers[0].image"], {"a/c": ["app"]}) == {"i:1": {"fields": ["spec.containers[0].image"], "status": "ok"}}
}

_entry(status, authority, attestations) := {
	"status": status,
	"complete": true,
	"errors": [],
	"unchanged": false,
	"pinned": true,
	"fields": ["spec.containers[0].image"],
	"authorities": {"a": authority},
	"attestations": attestations,
}

_signed := {"signed": true, "attested": ["t", "u"], "static": null}

_passes := {"signed": false, "attested": [], "static": "pass"}

test_who_signed_is_told_of_what_is_known_alone if {
	images.signed_by(_entry("ok", _signed, []), "a")
	not images.signed_by(_entry("ok", _signed, []), "b")
	not images.signed_by(_entry("error", _signed, []), "a")
	images.signed_by(_entry("ok", _passes, []), "a")
	not images.signed_by(_entry("error", _passes, []), "a")
	not images.signed_by(_entry("ok", {"signed": false, "attested": ["t"], "static": "fail"}, []), "a")
}

test_all_types_have_to_be_attested if {
	images.attested_by(_entry("ok", _signed, []), "a", ["t", "u"])
	not images.attested_by(_entry("ok", _signed, []), "a", ["t", "v"])
	not images.attested_by(_entry("ok", _signed, []), "a", [])
	not images.attested_by(_entry("denied", _signed, []), "a", ["t"])
}

test_a_rule_holds_of_what_will_run_or_of_anything if {
	entry := _entry("ok", _signed, [])
	tag := object.union(entry, {"pinned": false})
	images.rule_holds(entry, {"holds": true, "holdsOfAny": false})
	not images.rule_holds(entry, {"holds": false, "holdsOfAny": false})
	not images.rule_holds(entry, {})
	not images.rule_holds(tag, {"holds": true, "holdsOfAny": false})
	images.rule_holds(tag, {"holds": true, "holdsOfAny": true})
	not images.rule_holds(_entry("error", _signed, []), {"holds": true, "holdsOfAny": true})
	not images.rule_holds(object.union(tag, {"status": "error"}), {"holds": true, "holdsOfAny": true})
}

test_a_family_has_its_versions if {
	all := [
		{"authority": "a", "predicateType": "https://t"},
		{"authority": "a", "predicateType": "https://t/v2.3"},
		{"authority": "a", "predicateType": "https://t/x"},
		{"authority": "b", "predicateType": "https://t"},
	]
	images.attestations(_entry("ok", _signed, all), ["a"], ["https://t"]) == [all[0], all[1]]
	images.attestations(_entry("error", _signed, all), ["a"], ["https://t"]) == []
}

test_an_entry_is_whole_where_all_was_read if {
	images.is_whole(_entry("ok", _signed, []))
	not images.is_whole(_entry("error", _signed, []))
	not images.is_whole(object.union(_entry("ok", _signed, []), {"complete": false}))
	images.is_unchanged({"unchanged": true})
	not images.is_unchanged(_entry("ok", _signed, []))
}

test_why_is_always_a_text if {
	errors := [{"message": "one"}, {"message": "two"}]
	images.why(object.union(_entry("error", _signed, []), {"errors": errors})) == "one; two"
	images.why(_entry("skipped", _signed, [])) == "what is known of it is \"skipped\""
}

_unpinned(fields) := object.union(_entry("ok", _signed, [{"authority": "a", "predicateType": "t"}]), {"pinned": false, "fields": fields})

test_of_a_pod_only_a_digest_is_what_will_run if {
	every field in ["spec.containers[0].image", "spec.initContainers[0].image", "spec.ephemeralContainers[0].image", "spec.volumes[0].image.reference"] {
		entry := _unpinned(["spec.template.spec.containers[0].image", field])
		not images.is_fixed(entry)
		not images.is_whole(entry)
		not images.signed_by(entry, "a")
		not images.attested_by(entry, "a", ["t"])
		images.attestations(entry, ["a"], ["t"]) == []
		images.why(entry) == "it has no digest, so what was verified need not be what runs; bind images/pin_digest, or name the digest"
	}
}

test_the_pods_of_a_template_are_judged_when_they_are_made if {
	entry := _unpinned(["spec.template.spec.containers[0].image"])
	images.is_whole(entry)
	images.signed_by(entry, "a")
	images.attested_by(entry, "a", ["t"])
	count(images.attestations(entry, ["a"], ["t"])) == 1
}

test_an_answer_that_looks_at_nothing_needs_no_digest if {
	images.signed_by(object.union(_entry("ok", _passes, []), {"pinned": false}), "a")
}

_configured(config) := object.union(_entry("ok", _signed, []), {"config": config})

test_a_user_is_known_only_of_what_will_run if {
	known := _configured({"user": "7"})
	{user | user := images.user(known)} == {"7"}
	{user | user := images.user(_configured({"user": ""}))} == {""}
	every entry in [
		_configured({"user": null}),
		_configured(null),
		_entry("ok", _signed, []),
		object.union(known, {"status": "error"}),
		object.union(known, {"pinned": false}),
	] {
		{user | user := images.user(entry)} == set()
	}
}
