# METADATA
# title: "Pod Security check capabilities_restricted: containers drop all capabilities and add at most NET_BIND_SERVICE"
package lib.pod_security.capabilities_restricted

import data.lib.containers
import data.lib.pod_security.text
import data.lib.pod_security.versions

violation(minor) := {
	"check": "capabilities_restricted",
	"reason": "unrestricted capabilities",
	"detail": concat("; ", array.concat(_missing(keeping), _forbidden(adding))),
	"containers": [container.name | some container in view; container.path in bad],
	"fields": array.concat(
		text.fields(keeping, "securityContext.capabilities.drop"),
		text.fields(adding, "securityContext.capabilities.add"),
	),
	"remedy": "set `securityContext.capabilities.drop` of each container to [ALL] and add at most NET_BIND_SERVICE",
} if {
	not _skipped(minor)
	view := containers.of("capabilities_restricted")
	dropping := {container.path |
		some container in view
		"ALL" in container.container.securityContext.capabilities.drop
	}
	keeping := [container |
		some container in view
		path := container.path
		not path in dropping
	]
	adding := [container |
		some container in view
		container.container.securityContext.capabilities.add != null
		count(_added(container)) > 0
	]
	bad := {container.path | some list in [keeping, adding]; some container in list}
	count(bad) > 0
}

_skipped(minor) if {
	versions.windows_pods_are_skipped(minor)
	input.context.pod.spec.os.name == "windows"
}

_added(container) := {name |
	some entry in container.container.securityContext.capabilities.add
	name := text.word(entry)
	not name in versions.restricted_capabilities
}

_missing(keeping) := [sprintf("%s must set securityContext.capabilities.drop=[\"ALL\"]", [text.containers(names)]) |
	count(keeping) > 0
	names := text.names(keeping)
]

_forbidden(adding) := [sprintf("%s must not include %s in securityContext.capabilities.add", [text.containers(names), text.quoted(added)]) |
	count(adding) > 0
	names := text.names(adding)
	added := {name | some container in adding; some name in _added(container)}
]
