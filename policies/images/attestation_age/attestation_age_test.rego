package policies.images.attestation_age_test

import data.policies.images.attestation_age

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
	"context": {"images": {_image: _entry(entry)}, "containers": _containers, "now": {"rfc3339": "2026-01-31T12:00:00Z", "ns": 1769860800000000000}},
	"parameters": object.union(_defaults, parameters),
	"exempt": {},
}

_vuln := "https://cosign.sigstore.dev/attestation/vuln/v1"

_defaults := {"authorities": [], "maxAgeHours": {_vuln: 24}}

_violation(problem) := {
	"msg": sprintf("the image \"registry.example/app:1\" %s", [problem]),
	"field": "spec.containers[0].image",
	"details": {"remedy": "attest it again, as with `cosign attest`"},
}

_old := _violation("has no attestation \"https://cosign.sigstore.dev/attestation/vuln/v1\" of the last 24 hours")

_of(times) := {"authority": "release", "predicateType": _vuln, "timestamps": times}

_denied(attestations, parameters) := violations if {
	violations := attestation_age.deny with input as _input({"attestations": attestations}, parameters)
}

test_the_newest_counts if {
	_denied([_of(["2020-01-01T00:00:00Z"]), _of(["2026-01-31T00:00:00Z"])], {}) == set()
	_denied([_of(["2026-01-30T12:00:00Z"])], {}) == set()
	_denied([_of(["2026-01-30T11:59:59Z"])], {}) == {_old}
	_denied([], {}) == {_old}
}

test_of_several_times_the_earliest_counts if {
	_denied([_of(["2020-01-01T00:00:00Z", "2026-01-31T00:00:00Z"])], {}) == {_old}
}

test_without_a_time_it_is_too_old if {
	_denied([_of([])], {}) == {_old}
}

test_another_type_or_authority_does_not_count if {
	_denied([object.union(_of(["2026-01-31T00:00:00Z"]), {"predicateType": "x"})], {}) == {_old}
	_denied([_of(["2026-01-31T00:00:00Z"])], {"authorities": ["other"]}) == {_old}
	_denied([_of(["2026-01-31T00:00:00Z"])], {"authorities": ["release"]}) == set()
}

test_nothing_counts_while_the_registry_is_away if {
	entry := object.union({"attestations": [_of(["2026-01-31T00:00:00Z"])]}, _away)
	violations := {_violation("can't be verified: the registry is away")}
	attestation_age.deny == violations with input as _input(entry, {})
}

test_an_image_that_an_update_leaves_alone_is_spared if {
	attestation_age.deny == set() with input as _input({"unchanged": true, "status": "skipped"}, {})
}

test_an_exempt_container_is_not_judged if {
	given := object.union(_input({}, {}), {"exempt": {"images/attestation_age": ["app"]}})
	attestation_age.deny == set() with input as given
}

test_a_tag_of_a_pod_need_not_be_what_runs if {
	violations := {_violation("can't be verified: it has no digest, so what was verified need not be what runs; bind images/pin_digest, or name the digest")}
	attestation_age.deny == violations with input as _input({"pinned": false}, {})
}
