# METADATA
# title: "Pod Security check hostProbesAndHostLifecycle: the kubelet asks no other host for a container's health"
package lib.pod_security.host_probes_and_host_lifecycle

import data.lib.containers
import data.lib.pod_security.text

violation := {
	"check": "hostProbesAndHostLifecycle",
	"reason": "probe or lifecycle host",
	"detail": sprintf("%s %s %s %s", [
		text.containers(sorted),
		text.plural("uses", "use", sorted),
		text.plural("probe or lifecycle host", "probe or lifecycle hosts", hosts),
		text.quoted(hosts),
	]),
	"containers": [container.name | some container in view; container.path in paths],
	"fields": [sprintf("%s.%s.%s.host", [path, place, action]) | some [path, place, action, _] in named],
	"remedy": "remove `host` of probes and lifecycle handlers: the container itself is meant then",
} if {
	view := containers.of("hostProbesAndHostLifecycle")
	named := array.concat(
		[[container.path, place, action, host] |
			some container in view
			some place in ["livenessProbe", "readinessProbe", "startupProbe"]
			handler := container.container[place]
			some action in ["httpGet", "tcpSocket"]
			host := handler[action].host
			not host in {"", null}
		],
		[[container.path, sprintf("lifecycle.%s", [place]), action, host] |
			some container in view
			some place in ["postStart", "preStop"]
			handler := container.container.lifecycle[place]
			some action in ["httpGet", "tcpSocket"]
			host := handler[action].host
			not host in {"", null}
		],
	)
	count(named) > 0
	paths := {path | some [path, _, _, _] in named}

	# Unlike in other checks, a container is named once.
	sorted := {container.name | some container in view; container.path in paths}
	hosts := {host | some [_, _, _, host] in named}
}
