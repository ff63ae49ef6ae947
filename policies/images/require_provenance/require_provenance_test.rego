package policies.images.require_provenance_test

import data.policies.images.require_provenance

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

_defaults := {"authorities": [], "builders": {}, "sources": [], "refs": [], "externalParameters": ["workflow"]}

_violation(problem) := {
	"msg": sprintf("the image \"registry.example/app:1\" %s", [problem]),
	"field": "spec.containers[0].image",
	"details": {"remedy": "build it where its provenance is signed by the builder"},
}

_builder := "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main"

_v1(external) := {
	"authority": "release",
	"predicateType": "https://slsa.dev/provenance/v1",
	"claims": {"buildSignerURI": _builder, "sourceRepositoryURI": "https://github.com/acme/app", "sourceRepositoryRef": "refs/heads/main"},
	"predicate": {
		"buildDefinition": {"externalParameters": object.union(
			{"workflow": {"repository": "https://github.com/acme/app", "ref": "refs/heads/main"}},
			external,
		)},
		"runDetails": {"builder": {"id": _builder}},
	},
}

_v02 := {
	"authority": "other",
	"predicateType": "https://slsa.dev/provenance/v0.2",
	"claims": {},
	"predicate": {
		"builder": {"id": "b"},
		"invocation": {"configSource": {"uri": "git+https://github.com/acme/app@refs/tags/v1"}},
	},
}

test_the_signer_is_the_builder if {
	require_provenance.deny == set() with input as _input({"attestations": [_v1({})]}, {})
}

test_there_has_to_be_one if {
	violations := {_violation("has no provenance by whom the policy names")}
	require_provenance.deny == violations with input as _input({}, {})
	require_provenance.deny == violations with input as _input({"attestations": [_v1({})]}, {"authorities": ["other"]})
	other := object.union(_v1({}), {"predicateType": "https://spdx.dev/Document"})
	require_provenance.deny == violations with input as _input({"attestations": [other]}, {})
}

test_a_true_statement_of_somebody_else_proves_nothing if {
	violations := {_violation(sprintf("was built by \"%s\", for whom \"release\" does not sign", [_builder]))}
	claims := json.patch(_v1({}), [{"op": "remove", "path": "/claims/buildSignerURI"}])
	require_provenance.deny == violations with input as _input({"attestations": [claims]}, {})
	named := {"builders": {"release": ["another"]}}
	require_provenance.deny == violations with input as _input({"attestations": [_v1({})]}, named)
}

test_a_builder_may_be_named if {
	require_provenance.deny == set() with input as _input({"attestations": [_v02]}, {"builders": {"other": ["b"]}})
	violations := {_violation("was built by \"b\", for whom \"other\" does not sign")}
	require_provenance.deny == violations with input as _input({"attestations": [_v02]}, {})
}

test_sources_and_refs_are_globs if {
	of := {"attestations": [_v1({}), _v02]}
	allowed := {"builders": {"other": ["b"]}, "sources": ["https://github.com/acme/*"], "refs": ["refs/heads/main", "refs/tags/v*"]}
	require_provenance.deny == set() with input as _input(of, allowed)
	denied := {"builders": {"other": ["b"]}, "sources": ["https://github.com/other/*"], "refs": ["refs/heads/*"]}
	require_provenance.deny == {
		_violation("was built of \"https://github.com/acme/app\", which is no source that is allowed, or not what the certificate says"),
		_violation("was built of \"refs/tags/v1\" of its repository, which is not allowed, or not what the certificate says"),
	} with input as _input(of, denied)
}

test_a_statement_that_contradicts_its_certificate_is_refused if {
	lies := json.patch(_v1({}), [{"op": "replace", "path": "/predicate/buildDefinition/externalParameters/workflow/repository", "value": "https://github.com/x/y"}])
	violations := {_violation("was built of \"https://github.com/x/y\", which is no source that is allowed, or not what the certificate says")}
	require_provenance.deny == violations with input as _input({"attestations": [lies]}, {})
}

test_a_parameter_that_nobody_judges_is_refused if {
	violations := {_violation("was built with the external parameter \"inputs\", which the policy does not know")}
	require_provenance.deny == violations with input as _input({"attestations": [_v1({"inputs": {}})]}, {})
	known := {"externalParameters": ["workflow", "inputs"]}
	require_provenance.deny == set() with input as _input({"attestations": [_v1({"inputs": {}})]}, known)
}

test_what_can_not_be_read_is_refused if {
	large := json.patch(_v1({}), [{"op": "replace", "path": "/predicate", "value": null}])
	violations := {_violation("has a provenance that is too large to be read")}
	require_provenance.deny == violations with input as _input({"attestations": [large]}, {})
	require_provenance.deny == {_violation("can't be verified: the registry is away")} with input as _input(_away, {})
}

test_an_image_that_an_update_leaves_alone_is_spared if {
	require_provenance.deny == set() with input as _input({"unchanged": true, "status": "skipped"}, {})
}

test_a_ref_that_contradicts_its_certificate_is_refused if {
	lies := json.patch(_v1({}), [{"op": "replace", "path": "/predicate/buildDefinition/externalParameters/workflow/ref", "value": "refs/heads/x"}])
	violations := {_violation("was built of \"refs/heads/x\" of its repository, which is not allowed, or not what the certificate says")}
	require_provenance.deny == violations with input as _input({"attestations": [lies]}, {})
}

test_a_ref_may_have_an_at_sign if {
	tagged := json.patch(_v02, [{"op": "replace", "path": "/predicate/invocation/configSource/uri", "value": "git+https://github.com/acme/app@refs/tags/app@v1"}])
	allowed := {"builders": {"other": ["b"]}, "refs": ["refs/tags/app@v1"]}
	require_provenance.deny == set() with input as _input({"attestations": [tagged]}, allowed)
}

test_an_exempt_container_is_not_judged if {
	given := object.union(_input({}, {}), {"exempt": {"images/require_provenance": ["app"]}})
	require_provenance.deny == set() with input as given
}

test_parameters_of_the_older_form_are_judged_too if {
	named := {"builders": {"other": ["b"]}}
	violations := {_violation("was built with the external parameter \"inputs\", which the policy does not know")}
	require_provenance.deny == violations with input as _input({"attestations": [_with({"inputs": {}})]}, named)
}

_with(parameters) := json.patch(_v02, [{"op": "add", "path": "/predicate/invocation/parameters", "value": parameters}])

test_parameters_that_are_no_object_are_refused if {
	violations := {_violation("has a provenance whose external parameters can't be read")}
	named := {"builders": {"other": ["b"]}}
	require_provenance.deny == violations with input as _input({"attestations": [_with(["inputs"])]}, named)
	older := json.patch(_v02, [{"op": "replace", "path": "/predicate/invocation", "value": "x"}])
	require_provenance.deny == violations with input as _input({"attestations": [older]}, named)
	every value in ["x", ["x"], null] {
		newer := json.patch(_v1({}), [{"op": "replace", "path": "/predicate/buildDefinition/externalParameters", "value": value}])
		claims := object.remove(newer.claims, ["sourceRepositoryURI", "sourceRepositoryRef"])
		statement := json.patch(newer, [{"op": "replace", "path": "/claims", "value": claims}])
		require_provenance.deny == violations with input as _input({"attestations": [statement]}, {})
	}
}

test_a_builder_of_nobody_is_refused if {
	violations := {_violation("can't be judged: `builders` names \"relaese\", which is no authority")}
	require_provenance.deny == violations with input as _input({"attestations": [_v1({})]}, {"builders": {"relaese": ["b"]}})
}

test_a_tag_of_a_pod_need_not_be_what_runs if {
	violations := {_violation("can't be verified: it has no digest, so what was verified need not be what runs; bind images/pin_digest, or name the digest")}
	require_provenance.deny == violations with input as _input({"attestations": [_v1({})], "pinned": false}, {})
}
