# METADATA
# title: "Pod Security check appArmorProfile: nobody switches AppArmor off"
package lib.pod_security.app_armor_profile

import data.lib.containers
import data.lib.pod_security.text
import data.lib.pod_security.versions

violation := {
	"check": "appArmorProfile",
	"reason": text.plural("forbidden AppArmor profile", "forbidden AppArmor profiles", values),
	"detail": sprintf("%s must not set AppArmor profile type to %s", [setters, text.quoted(values)]),
	"containers": names,
	"fields": array.concat(
		array.concat(pod, text.fields(bad, "securityContext.appArmorProfile.type")),
		[text.annotation_field(key) | some key, _ in _annotations],
	),
	"remedy": "set `securityContext.appArmorProfile.type` to RuntimeDefault or Localhost, and the annotations to runtime/default, or remove them",
} if {
	pod := [text.pod_field("securityContext.appArmorProfile.type") | _is_bad(input.context.pod.spec)]
	bad := [container |
		some container in containers.of("appArmorProfile")
		container.container.securityContext.appArmorProfile != null
		_is_bad(container.container)
	]
	(count(pod) + count(bad)) + count(_annotations) > 0
	names := text.names(bad)
	holders := array.concat([input.context.pod.spec | count(pod) > 0], [container.container | some container in bad])
	types := {_type(holder.securityContext.appArmorProfile) | some holder in holders}
	annotations := {sprintf("%s=%q", [key, value]) | some key, value in _annotations}
	values := array.concat([type | some type in types], [annotation | some annotation in annotations])
	setters := concat(" and ", array.concat(
		[who | count(pod) + count(bad) > 0; who := text.setters(pod, names)],
		[text.plural("annotation", "annotations", annotations) | count(annotations) > 0],
	))
}

_is_bad(holder) if {
	profile := holder.securityContext.appArmorProfile
	profile != null
	not _type(profile) in versions.app_armor_profiles
}

_type(profile) := text.word(object.get(profile, "type", null))

# Those of any container, also of one that there is not.
_annotations := {key: value |
	some key, profile in input.context.pod.metadata.annotations
	startswith(key, "container.apparmor.security.beta.kubernetes.io/")
	value := text.word(profile)
	not value in {"", "runtime/default"}
	not startswith(value, "localhost/")
}
