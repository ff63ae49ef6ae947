package policies.images.require_sbom_test

import data.policies.images.require_sbom

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

_defaults := {"authorities": [], "types": ["https://spdx.dev/Document", "https://cyclonedx.org/bom"]}

_violation(problem) := {
	"msg": sprintf("the image \"registry.example/app:1\" %s", [problem]),
	"field": "spec.containers[0].image",
	"details": {"remedy": "attest one, as with `cosign attest --type spdxjson --predicate sbom.json IMAGE`"},
}

_none := _violation("has no bill of materials that whom the policy names attested")

_attested(type) := {"attestations": [{"authority": "release", "predicateType": type, "predicate": null}]}

test_a_type_or_a_version_of_it_is_enough if {
	types := ["https://spdx.dev/Document", "https://spdx.dev/Document/v2.3", "https://cyclonedx.org/bom", "https://cyclonedx.org/bom/v1.4"]
	every type in types {
		require_sbom.deny == set() with input as _input(_attested(type), {})
	}
}

test_another_type_is_not if {
	types := ["https://slsa.dev/provenance/v1", "https://spdx.dev/Documents", "https://spdx.dev/Document/x", "spdx.dev/Document"]
	every type in types {
		require_sbom.deny == {_none} with input as _input(_attested(type), {})
	}
}

test_whose_it_is_may_be_said if {
	entry := _attested("https://spdx.dev/Document")
	require_sbom.deny == set() with input as _input(entry, {"authorities": ["release"]})
	require_sbom.deny == {_none} with input as _input(entry, {"authorities": ["other"]})
}

test_nothing_counts_while_the_registry_is_away if {
	entry := object.union(_attested("https://spdx.dev/Document"), _away)
	require_sbom.deny == {_violation("can't be verified: the registry is away")} with input as _input(entry, {})
}

test_an_image_that_an_update_leaves_alone_is_spared if {
	require_sbom.deny == set() with input as _input({"unchanged": true, "status": "skipped"}, {})
}

test_an_exempt_container_is_not_judged if {
	given := object.union(_input({}, {}), {"exempt": {"images/require_sbom": ["app"]}})
	require_sbom.deny == set() with input as given
}

test_a_tag_of_a_pod_need_not_be_what_runs if {
	violations := {_violation("can't be verified: it has no digest, so what was verified need not be what runs; bind images/pin_digest, or name the digest")}
	require_sbom.deny == violations with input as _input({"pinned": false}, {})
}
