# METADATA
# title: "Pod Security check seccompProfile_restricted: containers have a seccomp profile"
package lib.pod_security.seccomp_profile_restricted

import data.lib.containers
import data.lib.pod_security.seccomp
import data.lib.pod_security.text
import data.lib.pod_security.versions

violation(minor) := _explicit if not _skipped(minor)

violation(minor) := {
	"check": "seccompProfile_restricted",
	"reason": "seccompProfile",
	"detail": sprintf("pod or %s must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"", [text.containers(names)]),
	"containers": names,
	"fields": text.fields(bad, "securityContext.seccompProfile"),
	"remedy": "set `securityContext.seccompProfile.type` of the Pod to RuntimeDefault",
} if {
	not _skipped(minor)
	not _explicit
	not _pod_has_one
	bad := [container |
		some container in containers.of("seccompProfile_restricted")
		object.get(container.container, ["securityContext", "seccompProfile"], null) == null
	]
	count(bad) > 0
	names := text.names(bad)
}

_explicit := seccomp.explicit("seccompProfile_restricted")

_pod_has_one if seccomp.is_good(input.context.pod.spec)

_skipped(minor) if {
	versions.windows_pods_are_skipped(minor)
	input.context.pod.spec.os.name == "windows"
}
