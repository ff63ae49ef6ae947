# METADATA
# title: Only verified images get into the mesh
# description: >-
#   A sidecar gives a Pod the identity of its service account in the mesh, which others trust. Here a Pod gets one only
#   where the rules of the ImageTrust hold for each of its images; any other stays outside, for the reasons that are named.
#   When the Pod is judged, with its sidecar, the sidecar's own images have to be verified, too, and each image has to be
#   named by its digest: bind `images/pin_digest` beside it. To keep Pods that stay outside the mesh out of the namespace,
#   bind `injection/mesh_required` or `images/require_signature`.
# custom:
#   severity: high
#   since: "0.1"
#   docs: https://istio.io/latest/docs/concepts/security/#istio-identity
#   context:
#     containers:
#     images: {partial: true, authorities: []}
#     mesh.proposal:
#   parameters:
#     type: object
#     properties:
#       noMatch:
#         type: string
#         description: Whether an image that no rule means is verified.
#         enum: [deny, allow]
#         default: deny
#   match:
#     rules:
#       - apiGroups: [""]
#         apiVersions: [v1]
#         resources: [pods]
package policies.injection.verified_images

import data.lib.images
import data.lib.requests

inject := object.union(named, {"inject": false, "reasons": sort(_outside)}) if {
	proposal := input.context.mesh.proposal
	proposal.inject == true
	count(_outside) > 0
	named := object.filter(proposal, ["mesh", "revision"])
}

# Images are pinned after sidecars are injected: what a tag means now is what will run, or is denied below.
_outside := {sprintf("the image \"%s\" %s", [image, lack]) |
	some image, entry in _entries
	lack := _lack(_pinned(entry))
}

_pinned(entry) := object.union(entry, {"pinned": true}) if {
	entry.digest != null
} else := entry

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	requests.of_object
	_is_in_a_mesh
	some image, entry in _entries
	not images.is_unchanged(entry)
	lack := _lack(entry)
	msg := sprintf("the Pod has the sidecar of a mesh, and the image \"%s\" %s", [image, lack])
	remedy := "sign the image, as with `cosign sign`, or take the Pod out of the mesh (label `sidecar.istio.io/inject: \"false\"`)"
	some field in entry.fields
}

_is_in_a_mesh if {
	some container in input.context.containers
	container.rendered
}

_is_in_a_mesh if {
	some container in input.context.containers
	container.name in {"istio-proxy", "linkerd-proxy"}
}

_entries := images.of("injection/verified_images")

# What an image lacks to be verified; nothing where it is.
_lack(entry) := sprintf("can't be verified: %s", [images.why(entry)]) if {
	not images.is_whole(entry)
} else := sprintf("is not what the rule \"%s\" of the ImageTrust demands", [concat("\", \"", sort(broken))]) if {
	broken := {rule.name | some rule in entry.rules} - _held(entry)
	count(broken) > 0
} else := "is meant by no rule of the ImageTrust" if {
	count(entry.rules) == 0
	input.parameters.noMatch == "deny"
}

_held(entry) := {rule.name |
	some rule in entry.rules
	images.rule_holds(entry, rule)
}
