# METADATA
# title: "Pod Security check sysctls: Pods set kernel parameters only that are theirs alone"
package lib.pod_security.sysctls

import data.lib.pod_security.text
import data.lib.pod_security.versions

violation(minor) := {
	"check": "sysctls",
	"reason": "forbidden sysctls",
	"detail": concat(", ", [_name(index) | some index in bad]),
	"containers": [],
	"fields": [text.pod_field(sprintf("securityContext.sysctls[%d].name", [index])) | some index in bad],
	"remedy": "remove these of `securityContext.sysctls`",
} if {
	bad := [index |
		some index, _ in input.context.pod.spec.securityContext.sysctls
		object.get(versions.sysctls, _name(index), minor + 1) > minor
	]
	count(bad) > 0
}

_name(index) := text.word(object.get(input.context.pod.spec.securityContext.sysctls[index], "name", null))
