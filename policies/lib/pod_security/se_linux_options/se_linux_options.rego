# METADATA
# title: "Pod Security check seLinuxOptions: SELinux types are those of containers, user and role are not chosen"
package lib.pod_security.se_linux_options

import data.lib.containers
import data.lib.pod_security.text
import data.lib.pod_security.versions

violation(minor) := {
	"check": "seLinuxOptions",
	"reason": "seLinuxOptions",
	"detail": sprintf("%s set forbidden securityContext.seLinuxOptions: %s", [text.setters(pod, names), concat("; ", _parts(faults))]),
	"containers": names,
	"fields": [sprintf("%s.%s", [path, member]) | some [path, member, _] in faults],
	"remedy": "remove `user`, `role` and a `type` of your own from `securityContext.seLinuxOptions`",
} if {
	pod := _faults(input.context.pod, input.context.pod.path, minor)
	bad := [[container.name, found] |
		some container in containers.of("seLinuxOptions")
		container.container.securityContext.seLinuxOptions != null
		found := _faults({"spec": container.container}, container.path, minor)
		count(found) > 0
	]
	count(pod) + count(bad) > 0
	names := [name | some [name, _] in bad]
	faults := array.concat(pod, [fault | some [_, found] in bad; some fault in found])
}

# What is wrong at one place: path, member, value.
_faults(holder, path, minor) := [[sprintf("%s.securityContext.seLinuxOptions", [path]), member, value] |
	some member in ["type", "user", "role"]
	value := text.word(holder.spec.securityContext.seLinuxOptions[member])
	_is_bad(member, value, minor)
]

_is_bad("type", value, minor) if object.get(versions.se_linux_types, value, minor + 1) > minor

_is_bad("user", value, _) if value != ""

_is_bad("role", value, _) if value != ""

# The types together, then user and role.
_parts(faults) := array.concat(
	[sprintf("%s %s", [text.plural("type", "types", types), text.quoted(types)]) |
		types := {value | some [_, "type", value] in faults}
		count(types) > 0
	],
	[sprintf("%s may not be set", [member]) |
		some member in ["user", "role"]
		member in {member | some [_, member, _] in faults}
	],
)
