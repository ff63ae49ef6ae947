# METADATA
# title: "Pod Security check procMount_restricted: containers see /proc masked, also in user namespaces"
package lib.pod_security.proc_mount_restricted

import data.lib.containers
import data.lib.pod_security.text

violation := {
	"check": "procMount_restricted",
	"reason": "procMount",
	"detail": sprintf("%s must not set securityContext.procMount to %s", [text.containers(names), text.quoted(mounts)]),
	"containers": names,
	"fields": text.fields(bad, "securityContext.procMount"),
	"remedy": "remove `securityContext.procMount` or set it to Default",
} if {
	bad := [container |
		some container in containers.of("procMount_restricted")
		mount := container.container.securityContext.procMount
		not mount in {"Default", null}
	]
	count(bad) > 0
	names := text.names(bad)
	mounts := {container.container.securityContext.procMount | some container in bad}
}
