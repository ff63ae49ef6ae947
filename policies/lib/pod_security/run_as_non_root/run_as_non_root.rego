# METADATA
# title: "Pod Security check runAsNonRoot: containers say that they don't run as root"
package lib.pod_security.run_as_non_root

import data.lib.containers
import data.lib.pod_security.text
import data.lib.pod_security.versions

violation(minor) := {
	"check": "runAsNonRoot",
	"reason": "runAsNonRoot != true",
	"detail": detail,
	"containers": text.names(bad),
	"fields": array.concat(pod, text.fields(bad, "securityContext.runAsNonRoot")),
	"remedy": "set `securityContext.runAsNonRoot` of the Pod to true, and leave it out in containers",
} if {
	not _relaxed(minor)
	[detail, pod, bad] := _explicit
}

violation(minor) := {
	"check": "runAsNonRoot",
	"reason": "runAsNonRoot != true",
	"detail": sprintf("pod or %s must set securityContext.runAsNonRoot=true", [text.containers(names)]),
	"containers": names,
	"fields": text.fields(bad, "securityContext.runAsNonRoot"),
	"remedy": "set `securityContext.runAsNonRoot` of the Pod to true",
} if {
	not _relaxed(minor)
	not _explicit
	not _pod_says_so
	bad := [container |
		some container in containers.of("runAsNonRoot")
		object.get(container.container, ["securityContext", "runAsNonRoot"], null) == null
	]
	count(bad) > 0
	names := text.names(bad)
}

# What says false. Nothing that others say makes up for it.
_explicit := [detail, pod, bad] if {
	pod := [text.pod_field("securityContext.runAsNonRoot") | input.context.pod.spec.securityContext.runAsNonRoot == false]
	bad := [container |
		some container in containers.of("runAsNonRoot")
		container.container.securityContext.runAsNonRoot == false
	]
	count(pod) + count(bad) > 0
	detail := sprintf("%s must not set securityContext.runAsNonRoot=false", [text.setters(pod, text.names(bad))])
}

_pod_says_so if input.context.pod.spec.securityContext.runAsNonRoot == true

# In a user namespace of its own the Pod's root is nobody on the node.
_relaxed(minor) if {
	versions.user_namespaces_are_skipped(minor)
	input.context.pod.spec.hostUsers == false
}
