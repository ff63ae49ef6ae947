# METADATA
# title: Fields that nobody knows
# description: >-
#   Members of what Pod Security reads that Kubernetes does not have: a misspelt `allowPrivilegeEscalation` is none, and
#   whoever wrote it believes otherwise.
package lib.pod_security.unknown_fields

import data.lib.containers
import data.lib.pod_security.text

# A violation as the checks have it.
violation := {
	"check": "unknownFields",
	"reason": "unknown fields",
	"detail": sprintf("%s must not set %s", [text.setters(pod, names), text.quoted({field | some [_, field] in all})]),
	"containers": names,
	"fields": [path | some [path, _] in all],
	"remedy": sprintf("correct the spelling of %s, or remove what no release of Kubernetes has", [text.quoted({field | some [_, field] in all})]),
} if {
	pod := [[text.pod_field(field), field] |
		some field in array.concat(_misspelt(input.context.pod.spec, _spec), _in_context(input.context.pod.spec, _pod_context))
	]
	bad := [[container, fields] |
		some container in containers.of("unknownFields")
		fields := array.concat(_misspelt(container.container, {"securityContext"}), _in_context(container.container, _context))
		count(fields) > 0
	]
	names := [container.name | some [container, _] in bad]
	all := array.concat(pod, [[sprintf("%s.%s", [container.path, field]), field] |
		some [container, fields] in bad
		some field in fields
	])
	count(all) > 0
}

# What differs from a known name by case only.
_misspelt(holder, known) := [name |
	some name, _ in holder
	not name in known
	lower(name) in {lower(other) | some other in known}
]

_spec := {"hostIPC", "hostNetwork", "hostPID", "hostUsers", "os", "runtimeClassName", "securityContext", "volumes"}

# Of a securityContext, and of the objects in it.
_in_context(holder, known) := array.concat(
	[sprintf("securityContext.%s", [name]) |
		some name, _ in holder.securityContext
		not name in known
	],
	[sprintf("securityContext.%s.%s", [within, name]) |
		some within, members in _objects
		some name, _ in holder.securityContext[within]
		not name in members
	],
)

_context := {
	"allowPrivilegeEscalation",
	"appArmorProfile",
	"capabilities",
	"privileged",
	"procMount",
	"readOnlyRootFilesystem",
	"runAsGroup",
	"runAsNonRoot",
	"runAsUser",
	"seLinuxOptions",
	"seccompProfile",
	"windowsOptions",
}

_pod_context := {
	"appArmorProfile",
	"fsGroup",
	"fsGroupChangePolicy",
	"runAsGroup",
	"runAsNonRoot",
	"runAsUser",
	"seLinuxChangePolicy",
	"seLinuxOptions",
	"seccompProfile",
	"supplementalGroups",
	"supplementalGroupsPolicy",
	"sysctls",
	"windowsOptions",
}

_objects := {
	"appArmorProfile": {"localhostProfile", "type"},
	"capabilities": {"add", "drop"},
	"seLinuxOptions": {"level", "role", "type", "user"},
	"seccompProfile": {"localhostProfile", "type"},
	"windowsOptions": {"gmsaCredentialSpec", "gmsaCredentialSpecName", "hostProcess", "runAsUserName"},
}
