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
	told := input.context.pods.items
	items := _judged(told, exempt)
	number := _pods(items)
	total := (input.context.pods.total - _pods(told)) + number
	looked_at := _looked_at(items, number, most)
	checked := min([number, most])
	groups := _groups(looked_at, _reasons(items, mode.level, minor))
}

# A line for each reason, with the Pods of which it is said. What is sorted has those of one reason side by side, the
# first by name before the others: to look for them again for each reason would take too long where there are many.
_groups(looked_at, reasons) := [line |
	some place, start in starts
	line := _line(array.slice(said, start, ends[place]))
] if {
	said := sort([[reason, item.name, number] |
		some [item, number] in looked_at
		reason := reasons[[item.spec, item.annotations]]
		reason != ""
	])
	before := array.concat([""], [reason | some [reason, _, _] in said])
	starts := [index |
		some index, [reason, _, _] in said
		before[index] != reason
	]
	ends := array.concat(array.slice(starts, 1, count(starts)), [count(said)])
}

_line(found) := sprintf("%s%s: %s", [name, _others(sum([number | some [_, _, number] in found])), reason]) if {
	[reason, name, _] := found[0]
}

_others(1) := ""

_others(2) := " (and 1 other pod)"

_others(number) := sprintf(" (and %d other pods)", [number - 1]) if number > 2

# Those whose runtime class is not exempt.
_judged(told, []) := told

_judged(told, exempt) := [item |
	some item in told
	not _is_exempt(item, exempt)
] if {
	exempt != []
}

# The items with how many Pods of each are looked at, or one by one where there are too many.
_looked_at(items, number, most) := [[item, item.count] | some item in items] if number <= most

_looked_at(items, number, most) := [[item, 1] | some item in array.slice(array.concat(first, others), 0, most)] if {
	number > most
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
