# METADATA
# title: "Pod Security check procMount: containers see /proc masked"
package lib.pod_security.proc_mount

import data.lib.containers
import data.lib.pod_security.text
import data.lib.pod_security.versions

violation(minor) := {
	"check": "procMount",
	"reason": "procMount",
	"detail": sprintf("%s must not set securityContext.procMount to %s", [text.containers(names), text.quoted(mounts)]),
	"containers": names,
	"fields": text.fields(bad, "securityContext.procMount"),
	"remedy": "remove `securityContext.procMount` or set it to Default",
} if {
	not _relaxed(minor)
	bad := [container |
		some container in containers.of("procMount")
		mount := container.container.securityContext.procMount
		not mount in {"Default", null}
	]
	count(bad) > 0
	names := text.names(bad)
	mounts := {container.container.securityContext.procMount | some container in bad}
}

# In a user namespace of its own the Pod's root is nobody on the node.
_relaxed(minor) if {
	versions.user_namespaces_are_skipped(minor)
	input.context.pod.spec.hostUsers == false
}
