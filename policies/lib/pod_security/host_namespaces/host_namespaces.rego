# METADATA
# title: "Pod Security check hostNamespaces: Pods have namespaces of their own for network, processes and IPC"
package lib.pod_security.host_namespaces

import data.lib.pod_security.text

violation := {
	"check": "hostNamespaces",
	"reason": "host namespaces",
	"detail": concat(", ", [sprintf("%s=true", [name]) | some name in shared]),
	"containers": [],
	"fields": [text.pod_field(name) | some name in shared],
	"remedy": sprintf("remove %s", [concat(", ", [sprintf("`%s`", [name]) | some name in shared])]),
} if {
	shared := [name |
		some name in ["hostNetwork", "hostPID", "hostIPC"]
		input.context.pod.spec[name] == true
	]
	count(shared) > 0
}
