# METADATA
# title: Updates of Pods
# description: Which changes of a Pod are reason to ask Pod Security again. What a Pod is, it was allowed to be before.
package lib.pod_security.updates

import data.lib.pod_security.text

# As Pod Security admission has it: another number of containers, another image, or an ephemeral container that is new.
is_significant(new, old) if {
	some list in ["containers", "initContainers"]
	_images(_listed(new, list)) != _images(_listed(old, list))
}

is_significant(new, old) if {
	some container in _listed(new, "ephemeralContainers")
	namesakes := [other | some other in _listed(old, "ephemeralContainers"); _name(other) == _name(container)]
	_images(array.slice(namesakes, 0, 1)) != _images([container])
}

# The stricter reading: any other value of something that the checks read, whether or not an API server would let it
# change.
is_relevant(new, old) if _read(new) != _read(old)

# Why the object that was stored is no Pod whose containers can be told; undefined where it is one.
undecoded(pod) := problems[0] if {
	problems := array.concat(
		["spec is not an object" | not _has_spec(pod)],
		[problem | some list in _lists; some problem in _problems(list, pod.spec[list])],
	)
	count(problems) > 0
}

_lists := ["initContainers", "containers", "ephemeralContainers"]

_has_spec(pod) if is_object(pod.spec)

_problems(list, containers) := [sprintf("spec.%s is not an array", [list])] if {
	containers != null
	not is_array(containers)
}

_problems(list, containers) := [sprintf("spec.%s[%d] is not a container", [list, index]) |
	some index, container in containers
	not _is_container(container)
] if {
	is_array(containers)
}

_is_container(container) if {
	is_object(container)
	is_string(_name(container))
	is_string(_image(container))
}

# The containers of one list, which may be null.
_listed(pod, list) := [container | some container in pod.spec[list]]

_name(container) := text.word(object.get(container, "name", null))

_image(container) := text.word(object.get(container, "image", null))

_images(containers) := [_image(container) | some container in containers]

_read(pod) := [
	object.filter(pod.spec, {
		"hostIPC",
		"hostNetwork",
		"hostPID",
		"hostUsers",
		"os",
		"securityContext",
		"volumes",
	}),
	{list: [object.remove(container, {"resources"}) | some container in _listed(pod, list)] | some list in _lists},
	{key: value |
		some key, value in pod.metadata.annotations
		regex.match(`^(container\.apparmor\.security\.beta|(container\.)?seccomp\.security\.alpha)\.kubernetes\.io/`, key)
	},
]
