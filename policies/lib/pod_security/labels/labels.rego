# METADATA
# title: Labels of Pod Security
# description: >-
#   What the labels of a Namespace ask of its Pods, as Pod Security admission reads them. A mode is
#   `{"level", "version"}`; a policy has one each for `enforce`, `audit` and `warn`. The defaults are such a policy.
package lib.pod_security.labels

# From the least to the most that is demanded.
levels := ["privileged", "baseline", "restricted"]

modes := ["enforce", "audit", "warn"]

key(mode) := sprintf("pod-security.kubernetes.io/%s", [mode])

version_key(mode) := sprintf("pod-security.kubernetes.io/%s-version", [mode])

# Where a level is written that is none, Pods are refused as if it were the strictest, and nothing is said besides.
policy(labels, defaults) := {
	"enforce": {"level": enforce, "version": enforce_version},
	"audit": {"level": _level(labels, "audit", defaults, "privileged"), "version": _version(labels, "audit", defaults)},
	"warn": _warn(labels, enforce, enforce_version, defaults),
} if {
	enforce := _level(labels, "enforce", defaults, "restricted")
	enforce_version := _version(labels, "enforce", defaults)
}

# What is wrong with the labels: `[{"key", "value", "message"}]`.
faults(labels) := [fault |
	some mode in modes
	some [name, is_known, message] in [
		[key(mode), _known_levels(labels, key(mode)), "must be one of privileged, baseline, restricted"],
		[version_key(mode), _known_versions(labels, version_key(mode)), "must be \"latest\" or \"v1.x\""],
	]
	value := labels[name]
	is_known == []
	fault := {"key": name, "value": value, "message": sprintf("Invalid value: %q: %s", [value, message])}
]

# A fault in words, and several.
text(fault) := sprintf("metadata.labels[%s]: %s", [fault.key, fault.message])

texts(faults) := text(faults[0]) if count(faults) == 1

texts(faults) := sprintf("[%s]", [concat(", ", [text(fault) | some fault in faults])]) if count(faults) > 1

# Whether a level demands more than another.
is_stricter(level, other) if _rank(level) > _rank(other)

# Whether a mode demands anything.
demands(mode) if is_stricter(mode.level, levels[0])

# As it is written: `restricted:v1.37`.
title(mode) := sprintf("%s:%s", [mode.level, mode.version])

_rank(level) := [rank | some rank, name in levels; name == level][0]

# What stands in the label, if it is a level, or a version.
_known_levels(labels, name) := [value | value := labels[name]; value in levels]

_known_versions(labels, name) := [value | value := labels[name]; is_version(value)]

# Its number is one that 63 bits hold.
is_version(text) if text == "latest"

is_version(text) if {
	regex.match(`^v1\.(0|[1-9][0-9]{0,18})$`, text)
	to_number(trim_prefix(text, "v1.")) <= 9223372036854775807
}

_level(labels, mode, defaults, _) := defaults[mode].level if not _has(labels, key(mode))

_level(labels, mode, _, otherwise) := array.concat(_known_levels(labels, key(mode)), [otherwise])[0] if {
	_has(labels, key(mode))
}

_version(labels, mode, defaults) := defaults[mode].version if not _has(labels, version_key(mode))

_version(labels, mode, _) := array.concat(_known_versions(labels, version_key(mode)), ["latest"])[0] if {
	_has(labels, version_key(mode))
}

# Who enforces more than is warned about, and says nothing about warnings, is warned about that as well.
_warn(labels, enforce, enforce_version, defaults) := {"level": enforce, "version": version} if {
	_follows(labels, enforce, defaults)
	version := _version_of_warnings(labels, enforce_version, defaults)
}

_warn(labels, enforce, _, defaults) := {"level": level, "version": version} if {
	not _follows(labels, enforce, defaults)
	level := _level(labels, "warn", defaults, "privileged")
	version := _version(labels, "warn", defaults)
}

_version_of_warnings(labels, _, defaults) := _version(labels, "warn", defaults) if _has(labels, version_key("warn"))

_version_of_warnings(labels, enforce_version, _) := enforce_version if not _has(labels, version_key("warn"))

_follows(labels, enforce, defaults) if {
	not _has(labels, key("warn"))
	count(_known_levels(labels, key("enforce"))) == 1
	is_stricter(enforce, defaults.warn.level)
}

_has(labels, name) if name in object.keys(labels)
