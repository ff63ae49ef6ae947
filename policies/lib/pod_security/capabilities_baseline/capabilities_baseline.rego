# METADATA
# title: "Pod Security check capabilities_baseline: containers add no capability beyond the usual ones"
package lib.pod_security.capabilities_baseline

import data.lib.containers
import data.lib.pod_security.text
import data.lib.pod_security.versions

violation := {
	"check": "capabilities_baseline",
	"reason": "non-default capabilities",
	"detail": sprintf("%s must not include %s in securityContext.capabilities.add", [text.containers(names), text.quoted(added)]),
	"containers": names,
	"fields": text.fields(bad, "securityContext.capabilities.add"),
	"remedy": sprintf("remove %s from `securityContext.capabilities.add`", [text.quoted(added)]),
} if {
	bad := [container |
		some container in containers.of("capabilities_baseline")
		container.container.securityContext.capabilities.add != null
		count(_added(container)) > 0
	]
	count(bad) > 0
	names := text.names(bad)
	added := {name | some container in bad; some name in _added(container)}
}

_added(container) := {name |
	some entry in container.container.securityContext.capabilities.add
	name := text.word(entry)
	not name in versions.baseline_capabilities
}
