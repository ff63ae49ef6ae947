# METADATA
# title: "Pod Security check allowPrivilegeEscalation: containers say that they can't gain privileges"
package lib.pod_security.allow_privilege_escalation

import data.lib.containers
import data.lib.pod_security.text
import data.lib.pod_security.versions

violation(minor) := {
	"check": "allowPrivilegeEscalation",
	"reason": "allowPrivilegeEscalation != false",
	"detail": sprintf("%s must set securityContext.allowPrivilegeEscalation=false", [text.containers(names)]),
	"containers": names,
	"fields": text.fields(bad, "securityContext.allowPrivilegeEscalation"),
	"remedy": "set `securityContext.allowPrivilegeEscalation` of each container to false",
} if {
	not _skipped(minor)
	bad := [container |
		some container in containers.of("allowPrivilegeEscalation")
		object.get(container.container, ["securityContext", "allowPrivilegeEscalation"], null) != false
	]
	count(bad) > 0
	names := text.names(bad)
}

_skipped(minor) if {
	versions.windows_pods_are_skipped(minor)
	input.context.pod.spec.os.name == "windows"
}
