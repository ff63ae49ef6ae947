# METADATA
# title: "Pod Security check runAsUser: containers don't run as user 0"
package lib.pod_security.run_as_user

import data.lib.containers
import data.lib.pod_security.text
import data.lib.pod_security.versions

violation(minor) := {
	"check": "runAsUser",
	"reason": "runAsUser=0",
	"detail": sprintf("%s must not set runAsUser=0", [text.setters(pod, names)]),
	"containers": names,
	"fields": array.concat(pod, text.fields(bad, "securityContext.runAsUser")),
	"remedy": "remove `securityContext.runAsUser` or set it to another user than 0",
} if {
	not _relaxed(minor)
	pod := [text.pod_field("securityContext.runAsUser") | input.context.pod.spec.securityContext.runAsUser == 0]
	bad := [container |
		some container in containers.of("runAsUser")
		container.container.securityContext.runAsUser == 0
	]
	count(pod) + count(bad) > 0
	names := text.names(bad)
}

# In a user namespace of its own the Pod's root is nobody on the node.
_relaxed(minor) if {
	versions.user_namespaces_are_skipped(minor)
	input.context.pod.spec.hostUsers == false
}
