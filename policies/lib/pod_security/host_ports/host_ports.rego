# METADATA
# title: "Pod Security check hostPorts: containers listen on no port of their node"
package lib.pod_security.host_ports

import data.lib.containers
import data.lib.pod_security.text

violation := {
	"check": "hostPorts",
	"reason": "hostPort",
	"detail": sprintf("%s %s %s %s", [
		text.containers(names),
		text.plural("uses", "use", names),
		text.plural("hostPort", "hostPorts", ports),
		concat(", ", ports),
	]),
	"containers": names,
	"fields": [sprintf("%s.ports[%d].hostPort", [path, place]) | some [path, place, _] in taken],
	"remedy": "remove `hostPort` and let a Service make the port known",
} if {
	view := containers.of("hostPorts")
	taken := [[container.path, place, port.hostPort] |
		some container in view
		some place, port in container.container.ports
		port.hostPort != 0
		port.hostPort != null
	]
	count(taken) > 0
	paths := {path | some [path, _, _] in taken}
	names := [container.name | some container in view; container.path in paths]
	ports := {sprintf("%d", [port]) | some [_, _, port] in taken}
}
