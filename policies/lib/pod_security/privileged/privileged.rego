# METADATA
# title: "Pod Security check privileged: containers are not privileged"
package lib.pod_security.privileged

import data.lib.containers
import data.lib.pod_security.text

violation := {
	"check": "privileged",
	"reason": "privileged",
	"detail": sprintf("%s must not set securityContext.privileged=true", [text.containers(names)]),
	"containers": names,
	"fields": text.fields(bad, "securityContext.privileged"),
	"remedy": "remove `securityContext.privileged` or set it to false",
} if {
	bad := [container |
		some container in containers.of("privileged")
		container.container.securityContext.privileged == true
	]
	count(bad) > 0
	names := text.names(bad)
}
