# METADATA
# title: What was said of images is not too old
# description: >-
#   A scan for vulnerabilities says what was known when it was made. Of each type that is named, the newest attestation
#   counts, by the earliest time that a log or a timestamp authority vouches for. One of which nothing proves when it was
#   signed is too old.
# custom:
#   severity: medium
#   since: "0.1"
#   docs: https://docs.sigstore.dev/cosign/verifying/attestation/
#   context:
#     containers:
#     now:
#     images: {partial: true, typesIn: [maxAgeHours]}
#   parameters:
#     type: object
#     properties:
#       authorities:
#         type: array
#         description: Whose attestations count; those of all authorities where empty.
#         items: {type: string}
#         default: []
#       maxAgeHours:
#         type: object
#         description: How old the newest may be, in hours, by predicate type. Versions of a type are meant as well.
#         additionalProperties: {type: integer, minimum: 1, maximum: 87600}
#         minProperties: 1
#         default: {"https://cosign.sigstore.dev/attestation/vuln/v1": 168}
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
package policies.images.attestation_age

import data.lib.images

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	some image, entry in _entries
	some type, hours in input.parameters.maxAgeHours
	not [image, type] in _fresh
	msg := sprintf("the image \"%s\" %s", [image, _lack(entry, type, hours)])
	remedy := "attest it again, as with `cosign attest`"
	some field in entry.fields
}

_entries := images.of("images/attestation_age")

_fresh contains [image, type] if {
	some image, entry in _entries
	images.is_unchanged(entry)
	some type, _ in input.parameters.maxAgeHours
}

_fresh contains [image, type] if {
	some image, entry in _entries
	some type, hours in input.parameters.maxAgeHours
	some attestation in images.attestations(entry, _authorities(entry), [type])
	earliest := min([time.parse_rfc3339_ns(moment) | some moment in attestation.timestamps])
	input.context.now.ns - earliest <= ((hours * 60) * 60) * 1000000000
}

_authorities(entry) := object.keys(entry.authorities) if count(input.parameters.authorities) == 0

_authorities(_) := input.parameters.authorities if count(input.parameters.authorities) > 0

_lack(entry, type, hours) := sprintf("has no attestation \"%s\" of the last %d hours", [type, hours]) if images.is_whole(entry)

_lack(entry, _, _) := sprintf("can't be verified: %s", [images.why(entry)]) if not images.is_whole(entry)
