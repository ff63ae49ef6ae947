# METADATA
# title: Images say how they were built
# description: >-
#   A provenance (SLSA, predicate types `https://slsa.dev/provenance/v1` and `/v0.2`) says which builder made the image of
#   which source. It proves something only where the builder itself has signed it, so a builder is named for an authority
#   of the ImageTrust, or has to be the very signer of whom the certificate speaks. Every provenance of these authorities
#   has to pass, and there has to be one.
# custom:
#   severity: high
#   since: "0.1"
#   docs: https://slsa.dev/spec/v1.1/verifying-artifacts
#   context:
#     containers:
#     images:
#       partial: true
#       predicates: ["https://slsa.dev/provenance/v1", "https://slsa.dev/provenance/v0.2"]
#   parameters:
#     type: object
#     properties:
#       authorities:
#         type: array
#         description: Whose provenance counts; that of all authorities where empty.
#         items: {type: string}
#         default: []
#       builders:
#         type: object
#         description: >-
#           The IDs of builders for whom an authority signs, by its name. Of an authority that is not named, the builder has to be what its
#           certificate names as the one who signs (`buildSignerURI`).
#         additionalProperties: {type: array, items: {type: string}}
#         default: {}
#       sources:
#         type: array
#         description: Globs of source repositories, as `https://github.com/acme/*`; any where empty.
#         items: {type: string}
#         default: []
#       refs:
#         type: array
#         description: Globs of what was built of the repository, as `refs/tags/v*`; anything where empty.
#         items: {type: string}
#         default: []
#       externalParameters:
#         type: array
#         description: The external parameters that a build may have. One that nobody judges could change what was built.
#         items: {type: string}
#         default: [workflow]
#   match:
#     rules:
#       - apiGroups: [""]
#         apiVersions: [v1]
#         resources: [pods, podtemplates, replicationcontrollers]
#       - apiGroups: [apps]
#         apiVersions: ["*"]
#         resources: [daemonsets, deployments, replicasets, statefulsets]
#       - apiGroups: [batch]
#         apiVersions: ["*"]
#         resources: [cronjobs, jobs]
package policies.images.require_provenance

import data.lib.images

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	some image, entry in _entries
	not images.is_unchanged(entry)
	some problem in _problems(entry)
	msg := sprintf("the image \"%s\" %s", [image, problem])
	remedy := "build it where its provenance is signed by the builder"
	some field in entry.fields
}

_entries := images.of("images/require_provenance")

_problems(entry) := {sprintf("can't be verified: %s", [images.why(entry)])} if not images.is_whole(entry)

_problems(entry) := unknown if {
	images.is_whole(entry)
	unknown := _unknown(entry)
	count(unknown) > 0
}

_problems(entry) := {"has no provenance by whom the policy names"} if {
	images.is_whole(entry)
	count(_unknown(entry)) == 0
	count(_statements(entry)) == 0
}

_problems(entry) := {problem | some statement in _statements(entry); some problem in _wrong(statement)} if {
	images.is_whole(entry)
	count(_unknown(entry)) == 0
	count(_statements(entry)) > 0
}

# A name that nobody has would leave the authority that was meant to what its certificate says.
_unknown(entry) := {sprintf("can't be judged: `builders` names \"%s\", which is no authority", [name]) |
	known := object.keys(object.get(entry, "authorities", {}))
	some name, _ in input.parameters.builders
	not name in known
}

_types := ["https://slsa.dev/provenance/v1", "https://slsa.dev/provenance/v0.2"]

_statements(entry) := [statement |
	some statement in entry.attestations
	statement.predicateType in _types
	_counts(statement.authority)
]

_counts(_) if count(input.parameters.authorities) == 0

_counts(authority) if authority in input.parameters.authorities

_wrong(statement) := {"has a provenance that is too large to be read"} if statement.predicate == null

_wrong(statement) := problems if {
	statement.predicate != null
	problems := ((_builder(statement) | _source(statement)) | _ref(statement)) | _parameters(statement)
}

# Each of these is empty, or says what is wrong.
_builder(statement) := set() if _id(statement) in _ids(statement)

else := {sprintf("was built by \"%s\", for whom \"%s\" does not sign", [_id(statement), statement.authority])}

_id(statement) := _text(statement, [["runDetails", "builder", "id"], ["builder", "id"]])

# Nothing is by the signer itself where the certificate says nothing of it.
_ids(statement) := input.parameters.builders[statement.authority] if input.parameters.builders[statement.authority]

else := [id | id := object.get(statement.claims, "buildSignerURI", ""); id != ""]

_source(statement) := set() if {
	_claimed(statement, "sourceRepositoryURI", _repository(statement))
	_fits(_repository(statement), input.parameters.sources)
}

else := {sprintf("was built of \"%s\", which is no source that is allowed, or not what the certificate says", [_repository(statement)])}

_ref(statement) := set() if {
	_claimed(statement, "sourceRepositoryRef", _built(statement))
	_fits(_built(statement), input.parameters.refs)
}

else := {sprintf("was built of \"%s\" of its repository, which is not allowed, or not what the certificate says", [_built(statement)])}

# What the certificate says, where it says something.
_claimed(statement, name, text) if object.get(statement.claims, name, text) == text

_fits(_, patterns) if count(patterns) == 0

_fits(text, patterns) if {
	text != ""
	some pattern in patterns
	glob.match(pattern, ["/"], text)
}

_repository(statement) := _text(statement, [["buildDefinition", "externalParameters", "workflow", "repository"]]) if {
	statement.predicateType == "https://slsa.dev/provenance/v1"
}

_repository(statement) := trim_prefix(split(_config(statement), "@")[0], "git+") if {
	statement.predicateType != "https://slsa.dev/provenance/v1"
}

_built(statement) := _text(statement, [["buildDefinition", "externalParameters", "workflow", "ref"]]) if {
	statement.predicateType == "https://slsa.dev/provenance/v1"
}

_built(statement) := ref if {
	statement.predicateType != "https://slsa.dev/provenance/v1"
	ref := concat("@", array.slice(split(_config(statement), "@"), 1, 100))
}

_config(statement) := _text(statement, [["invocation", "configSource", "uri"]])

_parameters(statement) := problems if {
	external := _external(statement)
	is_object(external)
	problems := {sprintf("was built with the external parameter \"%s\", which the policy does not know", [name]) |
		some name, _ in external
		not name in input.parameters.externalParameters
	}
} else := {"has a provenance whose external parameters can't be read"}

_external(statement) := object.get(statement.predicate, ["buildDefinition", "externalParameters"], null) if {
	statement.predicateType == "https://slsa.dev/provenance/v1"
}

# There they need not be.
_external(statement) := parameters if {
	statement.predicateType != "https://slsa.dev/provenance/v1"
	invocation := object.get(statement.predicate, "invocation", {})
	is_object(invocation)
	parameters := object.get(invocation, "parameters", {})
}

# The first text among some paths of the predicate; empty where there is none.
_text(statement, paths) := found if {
	found := _texts(statement, paths)[0]
} else := ""

_texts(statement, paths) := [text |
	some path in paths
	text := object.get(statement.predicate, path, null)
	is_string(text)
]
