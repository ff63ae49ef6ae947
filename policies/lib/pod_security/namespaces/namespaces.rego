# METADATA
# title: Namespaces under Pod Security
# description: What becomes of a request that makes a Namespace or changes one, by its labels of Pod Security.
package lib.pod_security.namespaces

import data.lib.pod_security.labels

# The first that holds: `["failed", what, why]`; `["invalid", faults]`; `["exempt", warnings]`; `["tightened", mode]` where
# more is enforced than before, by which the Pods that are there were never judged; or nothing, `[]`.
course(defaults, exempt) := [] if {
	object.get(input.request, "subResource", "") != ""
} else := ["failed", what, why] if {
	[what, why] := _failure(input.request.object, ["failed to decode namespace", "failed to decode object"])
} else := ["failed", what, why] if {
	input.request.operation == "UPDATE"

	# The reference has two blanks in them.
	[what, why] := _failure(input.request.oldObject, ["failed to decode  old namespace", "failed to decode  old object"])
} else := ["invalid", faults] if {
	faults := labels.faults(_labels(input.request.object))
	count(faults) > 0

	# What was wrong before does not keep anybody from changing something else.
	faults != labels.faults(_labels(object.get(input.request, "oldObject", null)))
} else := [] if {
	input.request.operation == "UPDATE"
	_asks_for_no_more(_policy(input.request.object, defaults), _policy(input.request.oldObject, defaults))
} else := ["exempt", warnings] if {
	input.request.namespace in exempt
	warnings := [warning | warning := _exemption(input.request.object, defaults)]
} else := ["tightened", _policy(input.request.object, defaults).enforce] if {
	input.request.operation == "UPDATE"
} else := []

_failure(namespace, [what, _]) := [what, ""] if not _is_namespace(namespace)

_failure(namespace, [_, what]) := [what, "metadata.labels is not a map of strings"] if {
	_is_namespace(namespace)
	_labels(namespace) != {key: value | some key, value in _labels(namespace); is_string(value)}
}

_is_namespace(namespace) if namespace.kind == "Namespace"

# Without an object there are none; null is the same as none.
_labels(null) := {}

_labels(namespace) := array.concat([found | some found in [namespace.metadata.labels]; found != null], [{}])[0] if {
	namespace != null
}

_policy(namespace, defaults) := labels.policy(_labels(namespace), defaults)

_asks_for_no_more(new, old) if new.enforce == old.enforce

_asks_for_no_more(new, _) if {
	mode := new.enforce
	not labels.demands(mode)
}

_asks_for_no_more(new, old) if {
	new.enforce.version == old.enforce.version
	[level, before] := [new.enforce.level, old.enforce.level]
	not labels.is_stricter(level, before)
}

# That labels do nothing; undefined for those that ask for nothing, or for what holds anyway.
_exemption(namespace, defaults) := sprintf("%s is exempt from Pod Security, and the policy (%s) will be ignored", [name, policy]) if {
	new := _policy(namespace, defaults)
	demanded := {mode | some mode, asked in new; labels.demands(asked)}
	count(demanded) > 0
	[_plain(new[mode]) | some mode in labels.modes] != [_plain(defaults[mode]) | some mode in labels.modes]
	name := sprintf("namespace %q", [namespace.metadata.name])
	policy := concat(", ", [sprintf("%s=%s", [mode, labels.title(new[mode])]) |
		some mode in labels.modes
		mode in demanded
		count({key | some key in [labels.key(mode), labels.version_key(mode)]; _labels(namespace)[key]}) > 0
	])
}

# Versions of nothing are all the same.
_plain(mode) := "" if not labels.demands(mode)

_plain(mode) := labels.title(mode) if labels.demands(mode)
