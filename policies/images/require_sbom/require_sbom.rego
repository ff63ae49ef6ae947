# METADATA
# title: Images say what is in them
# description: >-
#   A bill of materials (SPDX or CycloneDX), attested by whom the ImageTrust trusts, says which packages an image is made
#   of. When a package turns out to be vulnerable, it tells which images are concerned. What stands in it is not judged
#   here; reading it would take much time and memory.
# custom:
#   severity: medium
#   since: "0.1"
#   docs: https://docs.sigstore.dev/cosign/verifying/attestation/
#   context:
#     containers:
#     images: {partial: true, typesIn: [types]}
#   parameters:
#     type: object
#     properties:
#       authorities:
#         type: array
#         description: Whose attestation counts; that of all authorities where empty.
#         items: {type: string}
#         default: []
#       types:
#         type: array
#         description: Predicate types, of which one is enough. Their versions (`…/v2.3`) are meant as well.
#         items: {type: string}
#         minItems: 1
#         default: ["https://spdx.dev/Document", "https://cyclonedx.org/bom"]
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
package policies.images.require_sbom

import data.lib.images

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	some image, entry in _entries
	not image in _ok
	msg := sprintf("the image \"%s\" %s", [image, _lack(entry)])
	remedy := "attest one, as with `cosign attest --type spdxjson --predicate sbom.json IMAGE`"
	some field in entry.fields
}

_entries := images.of("images/require_sbom")

_ok contains image if {
	some image, entry in _entries
	images.is_unchanged(entry)
}

_ok contains image if {
	some image, entry in _entries
	count(images.attestations(entry, _authorities(entry), input.parameters.types)) > 0
}

_authorities(entry) := object.keys(entry.authorities) if count(input.parameters.authorities) == 0

_authorities(_) := input.parameters.authorities if count(input.parameters.authorities) > 0

_lack(entry) := "has no bill of materials that whom the policy names attested" if images.is_whole(entry)

_lack(entry) := sprintf("can't be verified: %s", [images.why(entry)]) if not images.is_whole(entry)
