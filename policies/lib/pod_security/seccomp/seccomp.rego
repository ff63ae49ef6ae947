# METADATA
# title: Seccomp profiles in fields
# description: What the two Pod Security checks of seccomp profiles have in common.
package lib.pod_security.seccomp

import data.lib.containers
import data.lib.pod_security.text
import data.lib.pod_security.versions

# A profile that is there and not allowed, whatever else says. Undefined where there is none.
explicit(control) := {
	"check": control,
	"reason": "seccompProfile",
	"detail": sprintf("%s must not set securityContext.seccompProfile.type to %s", [text.setters(pod, names), text.quoted(types)]),
	"containers": names,
	"fields": array.concat(pod, text.fields(bad, "securityContext.seccompProfile.type")),
	"remedy": "set `securityContext.seccompProfile.type` to RuntimeDefault or Localhost",
} if {
	pod := [text.pod_field("securityContext.seccompProfile.type") | _is_bad(input.context.pod.spec)]
	bad := [container |
		some container in containers.of(control)
		container.container.securityContext.seccompProfile != null
		_is_bad(container.container)
	]
	count(pod) + count(bad) > 0
	names := text.names(bad)
	holders := array.concat([input.context.pod.spec | count(pod) > 0], [container.container | some container in bad])
	types := {_type(holder.securityContext.seccompProfile) | some holder in holders}
}

# Whether there is a profile, and one that is allowed.
is_good(holder) if holder.securityContext.seccompProfile.type in versions.seccomp_profiles

_is_bad(holder) if {
	profile := holder.securityContext.seccompProfile
	profile != null
	not _type(profile) in versions.seccomp_profiles
}

_type(profile) := text.word(object.get(profile, "type", null))
