# METADATA
# title: Containers
# description: >-
#   The one way in which policies read containers: every list of every kind that makes Pods, less those that an
#   exception takes out of the view of a control. A policy that imports it declares the fact `containers`.
package lib.containers

# The containers that a control looks at, in the order of the fact.
of(control) := input.context.containers if sees_all(control)

of(control) := [container |
	some container in input.context.containers
	not _is_exempt(container, exempt)
] if {
	exempt := object.get(_exempt, control, [])
	exempt != []
}

# Whether no exception takes anything out of the view of a control.
sees_all(control) if object.get(_exempt, control, []) == []

_is_exempt(container, exempt) if container.name in exempt

# How a message names a container: `init container "migrate"`.
title(container) := sprintf("container \"%s\"", [container.name]) if container.kind == "regular"

title(container) := sprintf("%s container \"%s\"", [container.kind, container.name]) if container.kind != "regular"

default _exempt := {}

_exempt := input.exempt
