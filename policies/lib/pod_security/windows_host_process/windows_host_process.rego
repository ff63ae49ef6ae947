# METADATA
# title: "Pod Security check windowsHostProcess: containers are no processes of a Windows node"
package lib.pod_security.windows_host_process

import data.lib.containers
import data.lib.pod_security.text

violation := {
	"check": "windowsHostProcess",
	"reason": "hostProcess",
	"detail": sprintf("%s must not set securityContext.windowsOptions.hostProcess=true", [text.setters(pod, names)]),
	"containers": names,
	"fields": array.concat(pod, text.fields(bad, "securityContext.windowsOptions.hostProcess")),
	"remedy": "remove `securityContext.windowsOptions.hostProcess` or set it to false",
} if {
	pod := [text.pod_field("securityContext.windowsOptions.hostProcess") | input.context.pod.spec.securityContext.windowsOptions.hostProcess == true]
	bad := [container |
		some container in containers.of("windowsHostProcess")
		container.container.securityContext.windowsOptions.hostProcess == true
	]
	count(pod) + count(bad) > 0
	names := text.names(bad)
}
