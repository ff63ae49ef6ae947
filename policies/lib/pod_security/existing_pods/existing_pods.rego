# METADATA
# title: Pods that exist already
# description: >-
#   What a namespace is told about its Pods when more is demanded of them: they stay, and nothing is denied. Of the fact
#   `pods`, in whose order they are looked at: first what has no controller and the first Pod of each, then the other
#   replicas.
package lib.pod_security.existing_pods

import data.lib.pod_security.labels
import data.lib.pod_security.standards

# The warnings, in their order. `most`: how many Pods are looked at. `exempt`: runtime classes whose Pods are not.
warnings(namespace, mode, minor, exempt, most) := array.concat(
	array.concat(
		[text |
			total > checked
			text := sprintf("new PodSecurity enforce level only checked against the first %d of %d existing pods", [checked, total])
		],
		[text |
			count(groups) > 0
			text := sprintf("existing pods in namespace %q violate the new PodSecurity enforce level %q", [namespace, labels.title(mode)])
		],
	),
	sort(groups),
) if {
	items := [item |
		some item in input.context.pods.items
		not _is_exempt(item, exempt)
	]
	left_out := _pods(input.context.pods.items) - _pods(items)
	total := input.context.pods.total - left_out
	looked_at := _looked_at(items, most)
	checked := sum([number | some [_, number] in looked_at])
	reasons := _reasons(items, mode.level, minor)
	groups := [_line(found, reason) |
		some reason in {reason | some reason in reasons; reason != ""}
		found := [[item.name, number] |
			some [item, number] in looked_at
			reasons[[item.spec, item.annotations]] == reason
		]
		count(found) > 0
	]
}

_line(found, reason) := sprintf("%s%s: %s", [min([name | some [name, _] in found]), _others(sum([number | some [_, number] in found])), reason])

_others(1) := ""

_others(2) := " (and 1 other pod)"

_others(number) := sprintf(" (and %d other pods)", [number - 1]) if number > 2

# The items with how many Pods of each are looked at, or one by one where there are too many.
_looked_at(items, most) := [[item, item.count] | some item in items] if _pods(items) <= most

_looked_at(items, most) := [[item, 1] | some item in array.slice(array.concat(first, others), 0, most)] if {
	_pods(items) > most
	first := [item |
		some item in items
		_first(item) > 0
		some _ in numbers.range(1, _first(item))
	]
	others := [item |
		some item in items
		item.count > _first(item)
		some _ in numbers.range(1, item.count - _first(item))
	]
}

_pods(items) := sum([item.count | some item in items])

# How many Pods of an item are looked at before the others.
_first(item) := item.count if item.controller == null

_first(item) := 1 if {
	item.controller != null
	item.first == true
}

_first(item) := 0 if {
	item.controller != null
	item.first == false
}

_is_exempt(item, exempt) if item.spec.runtimeClassName in exempt

# What is wrong with each distinct Pod, as it is said of a namespace; an empty text where nothing is.
_reasons(items, level, minor) := {pod: reasons |
	some pod in {[item.spec, item.annotations] | some item in items}
	[spec, annotations] := pod
	own := {"path": "", "spec": spec, "metadata": {"annotations": annotations}}
	view := [{"name": container.name, "path": list, "container": container} |
		some list in ["initContainers", "containers", "ephemeralContainers"]
		some container in spec[list]
	]
	violations := standards.violations(level, minor) with input.context.pod as own
		with input.context.containers as view
		with input.exempt as {}
	reasons := standards.reasons(violations)
}
