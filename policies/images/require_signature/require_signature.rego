# METADATA
# title: Images are signed by whom the policies trust
# description: >-
#   The `rules` of the ImageTrust say whose signatures or attestations which images need. A signature says that somebody
#   stands for these very bytes, whichever registry they come from. What can't be read in full, because a registry is
#   away, is signed by nobody.
# custom:
#   severity: high
#   since: "0.1"
#   docs: https://docs.sigstore.dev/cosign/verifying/verify/
#   context:
#     containers:
#     images: {partial: true, authorities: [], rejected: true}
#   parameters:
#     type: object
#     properties:
#       noMatch:
#         type: string
#         description: What becomes of images that no rule means.
#         enum: [deny, warn, allow]
#         default: deny
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
package policies.images.require_signature

import data.lib.images

deny contains violation if some ["deny", violation] in _found

warn contains violation if some ["warn", violation] in _found

audit contains violation if some ["audit", violation] in _found

# The images of which something is to be said; mostly there are none.
_open := {image: entry |
	some image, entry in images.of("images/require_signature")
	not _is_signed(entry)
	not images.is_unchanged(entry)
}

_is_signed(entry) if {
	_is_ruled(entry)
	every rule in entry.rules {
		images.rule_holds(entry, rule)
	}
}

_is_ruled(entry) if count(entry.rules) > 0

# By what becomes of it.
_found contains [enforcement, {"msg": msg, "field": field, "details": {"remedy": _remedy}}] if {
	some image, entry in _open
	some rule in entry.rules
	not images.rule_holds(entry, rule)
	enforcement := object.get(rule, "enforcement", "deny")
	msg := sprintf("the image \"%s\" %s, which the rule \"%s\" of the ImageTrust demands", [image, _lack(entry, rule), rule.name])
	some field in entry.fields
}

_found contains [input.parameters.noMatch, {"msg": msg, "field": field, "details": {"remedy": remedy}}] if {
	some image, entry in _open
	not _is_ruled(entry)
	msg := sprintf("the image \"%s\" is meant by no rule of the ImageTrust", [image])
	remedy := "add a rule with its pattern to the ImageTrust, or set `noMatch` of the binding"
	some field in entry.fields
}

_remedy := "sign it, as with `cosign sign`, or use an image that is signed"

# What a rule that does not hold lacks, and why what lies there does not count.
_lack(entry, rule) := sprintf("has not what %s would say of it%s", [_demanded(rule), _refused(entry, rule)]) if {
	images.is_whole(entry)
}

_lack(entry, _) := sprintf("can't be verified: %s", [images.why(entry)]) if not images.is_whole(entry)

_refused(entry, rule) := sprintf(" (what lies there is refused: %s)", [concat(", ", reasons)]) if {
	reasons := _reasons(entry, rule)
	reasons != set()
} else := ""

# Of those whom the rule names.
_reasons(entry, rule) := {rejected.reason |
	some demand in rule.of
	some rejected in entry.rejected
	rejected.authority == demand.authority
}

_demanded(rule) := concat(" or ", [_demand(demand) | some demand in rule.of]) if rule.atLeast == 1

_demanded(rule) := sprintf("%d of %s", [rule.atLeast, concat(", ", [_demand(demand) | some demand in rule.of])]) if {
	rule.atLeast != 1
}

_demand(demand) := sprintf("the signature of \"%s\"", [demand.authority]) if count(demand.attested) == 0

_demand(demand) := sprintf("\"%s\" by %s", [demand.authority, concat(", ", demand.attested)]) if count(demand.attested) > 0
