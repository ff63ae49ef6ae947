# METADATA
# title: "Pod Security check seccompProfile_baseline: nobody switches system calls free"
package lib.pod_security.seccomp_profile_baseline

import data.lib.containers
import data.lib.pod_security.seccomp
import data.lib.pod_security.text
import data.lib.pod_security.versions

violation(minor) := seccomp.explicit("seccompProfile_baseline") if versions.seccomp_is_read_from_fields(minor)

# Before there were fields, annotations said it.
violation(minor) := {
	"check": "seccompProfile_baseline",
	"reason": "seccompProfile",
	"detail": sprintf("forbidden %s %s", [text.plural("annotation", "annotations", values), concat(", ", values)]),
	"containers": [name | some [name, _] in of_containers],
	"fields": [text.annotation_field(key) | some key in bad],
	"remedy": "set the annotations to runtime/default, or remove them",
} if {
	not versions.seccomp_is_read_from_fields(minor)
	of_pod := ["seccomp.security.alpha.kubernetes.io/pod" | _is_bad("seccomp.security.alpha.kubernetes.io/pod")]
	of_containers := [[container.name, key] |
		some container in containers.of("seccompProfile_baseline")
		key := sprintf("container.seccomp.security.alpha.kubernetes.io/%s", [container.name])
		_is_bad(key)
	]
	bad := array.concat(of_pod, [key | some [_, key] in of_containers])
	count(bad) > 0
	values := {sprintf("%s=%q", [key, text.word(input.context.pod.metadata.annotations[key])]) | some key in bad}
}

_is_bad(key) if {
	profile := text.word(input.context.pod.metadata.annotations[key])
	not profile in {"runtime/default", "docker/default"}
	not startswith(profile, "localhost/")
}
