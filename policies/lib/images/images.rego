# METADATA
# title: Signed images
# description: >-
#   How policies read the fact `images`: whose signatures and attestations an image has. A policy that imports it
#   declares the facts `images`, with `partial`, and `containers`. All that is defined here is positive: what is not
#   known is not there, so who demands something writes `not`.
package lib.images

import data.lib.containers

# The entries that a control looks at, by the image's text: fields of containers that an exception takes out of its view
# are left out, and an image without fields that are left.
of(control) := input.context.images if containers.sees_all(control)

of(control) := {image: seen |
	known := {sprintf("%s.image", [container.path]) | some container in containers.of(control)}
	some image, entry in input.context.images
	fields := [field |
		some field in entry.fields
		_is_seen(field, known)
	]
	fields != []
	seen := object.union(entry, {"fields": fields})
} if {
	not containers.sees_all(control)
}

# Volumes are no containers.
_is_seen(field, _) if contains(field, ".volumes[")

_is_seen(field, known) if field in known

# Whether what is known of an image is known in full, and of what will run.
is_whole(entry) if {
	entry.status == "ok"
	entry.complete == true
	is_fixed(entry)
}

# Whether what was verified is what will run. Of a Pod the kubelet asks again what a tag means, and may be told another
# image; the Pods of a template are judged when they are made.
is_fixed(entry) if {
	entry.pinned == true
} else if {
	fields := [field |
		some field in entry.fields
		_is_of_pod(field)
	]
	fields == []
}

_is_of_pod(field) if {
	some list in ["containers", "initContainers", "ephemeralContainers", "volumes"]
	startswith(field, sprintf("spec.%s[", [list]))
}

# An update leaves it as it was.
is_unchanged(entry) if entry.unchanged == true

# The authority signed these bytes, or answers for them whatever they are.
signed_by(entry, authority) if {
	entry.status == "ok"
	is_fixed(entry)
	entry.authorities[authority].signed == true
}

signed_by(entry, authority) if {
	entry.status == "ok"
	entry.authorities[authority].static == "pass"
}

# The authority attested a statement of each of the types.
attested_by(entry, authority, types) if {
	entry.status == "ok"
	is_fixed(entry)
	count(types) > 0
	every type in types {
		type in entry.authorities[authority].attested
	}
}

# A rule of the ImageTrust holds: of what was verified, which has to be what will run, or of whatever the bytes are. What
# counts for it was counted where it was verified.
rule_holds(entry, rule) if {
	entry.status == "ok"
	rule.holds == true
	is_fixed(entry)
} else if {
	entry.status == "ok"
	rule.holdsOfAny == true
}

# The attestations of a family of types by one of some authorities: the type itself, and its versions.
attestations(entry, authorities, families) := [attestation |
	entry.status == "ok"
	is_fixed(entry)
	some attestation in entry.attestations
	attestation.authority in authorities
	some family in families
	_is_of(attestation.predicateType, family)
]

_is_of(type, family) if type == family

_is_of(type, family) if startswith(type, sprintf("%s/v", [family]))

# Who an image runs as by its own configuration, where that is known of what will run; empty: nobody is named, which is root.
user(entry) := entry.config.user if {
	entry.status == "ok"
	is_fixed(entry)
	is_string(entry.config.user)
}

# Why an image is not known in full, or not what will run. Total: always a text.
why(entry) := message if {
	messages := [error.message | some error in entry.errors]
	messages != []
	message := concat("; ", messages)
} else := "it has no digest, so what was verified need not be what runs; bind images/pin_digest, or name the digest" if {
	entry.status == "ok"
	not is_fixed(entry)
} else := sprintf("what is known of it is \"%s\"", [entry.status])
