package lib.pod_security.labels_test

import data.lib.pod_security.labels

_key(name) := sprintf("pod-security.kubernetes.io/%s", [name])

_labels(short) := {_key(name): value | some name, value in short}

_defaults(level, version) := {"enforce": mode, "audit": mode, "warn": mode} if mode := {"level": level, "version": version}

# The policy that labels come to, as it is written.
_policy(short, defaults) := {mode: labels.title(one) | some mode, one in labels.policy(_labels(short), defaults)}

test_without_labels_the_defaults_hold if {
	labels.policy({}, _defaults("baseline", "v1.20")) == _defaults("baseline", "v1.20")
	labels.policy({"enforce": "restricted"}, _defaults("baseline", "v1.20")) == _defaults("baseline", "v1.20")
}

test_each_label_replaces_its_part if {
	short := {
		"enforce": "restricted", "enforce-version": "v1.1", "audit": "baseline", "audit-version": "v1.2",
		"warn": "privileged", "warn-version": "v1.3",
	}
	found := _policy(short, _defaults("baseline", "latest"))
	found == {"enforce": "restricted:v1.1", "audit": "baseline:v1.2", "warn": "privileged:v1.3"}
	_policy({"audit": "restricted"}, _defaults("baseline", "v1.9")) == {"enforce": "baseline:v1.9", "audit": "restricted:v1.9", "warn": "baseline:v1.9"}
}

test_a_level_that_is_none_is_strict_for_who_enforces_and_else_nothing if {
	every value in ["", "Baseline", "other"] {
		found := _policy({"enforce": value, "audit": value, "warn": value}, _defaults("baseline", "v1.20"))
		found == {"enforce": "restricted:v1.20", "audit": "privileged:v1.20", "warn": "privileged:v1.20"}
	}
}

test_a_version_that_is_none_is_the_latest if {
	short := {"enforce-version": "v1", "audit-version": "", "warn-version": "v2.0"}
	found := _policy(short, _defaults("baseline", "v1.20"))
	found == {"enforce": "baseline:latest", "audit": "baseline:latest", "warn": "baseline:latest"}
}

test_versions if {
	every version in ["latest", "v1.0", "v1.9", "v1.10", "v1.99999", "v1.9223372036854775807"] {
		labels.is_version(version)
	}
	every version in ["", "Latest", "v1", "1.2", "v1.01", "v1.00", "v2.0", "v1.-1", "v1.1 ", " v1.1", "v1.9223372036854775808", "v1.99999999999999999999"] {
		not labels.is_version(version)
	}
}

test_warnings_follow_what_is_enforced if {
	nothing := _defaults("privileged", "latest")
	_policy({"enforce": "baseline", "enforce-version": "v1.5"}, nothing).warn == "baseline:v1.5"
	_policy({"enforce": "baseline", "enforce-version": "v1.5", "warn-version": "v1.6"}, nothing).warn == "baseline:v1.6"
	_policy({"enforce": "restricted"}, _defaults("baseline", "v1.5")).warn == "restricted:v1.5"
}

test_warnings_do_not_follow_where_they_are_spoken_of_or_nothing_is_gained if {
	nothing := _defaults("privileged", "latest")
	_policy({"enforce": "baseline", "warn": "privileged"}, nothing).warn == "privileged:latest"
	_policy({"enforce": "baseline", "warn": "x"}, nothing).warn == "privileged:latest"
	_policy({"enforce": "other"}, nothing).warn == "privileged:latest"
	_policy({"enforce-version": "v1.5"}, _defaults("restricted", "v1.4")).warn == "restricted:v1.4"
	_policy({"enforce": "baseline"}, _defaults("baseline", "v1.4")).warn == "baseline:v1.4"
	_policy({"enforce": "baseline"}, _defaults("restricted", "v1.4")).warn == "restricted:v1.4"
}

test_faults_are_told_in_order if {
	short := {
		"warn-version": "v1", "warn": "", "audit-version": "1", "audit": "x", "enforce-version": "y", "enforce": "\"",
		"other": "z",
	}
	faults := labels.faults(_labels(short))
	level := "must be one of privileged, baseline, restricted"
	version := "must be \"latest\" or \"v1.x\""
	faults == [
		{"key": _key("enforce"), "value": "\"", "message": sprintf("Invalid value: \"\\\"\": %s", [level])},
		{"key": _key("enforce-version"), "value": "y", "message": sprintf("Invalid value: \"y\": %s", [version])},
		{"key": _key("audit"), "value": "x", "message": sprintf("Invalid value: \"x\": %s", [level])},
		{"key": _key("audit-version"), "value": "1", "message": sprintf("Invalid value: \"1\": %s", [version])},
		{"key": _key("warn"), "value": "", "message": sprintf("Invalid value: \"\": %s", [level])},
		{"key": _key("warn-version"), "value": "v1", "message": sprintf("Invalid value: \"v1\": %s", [version])},
	]
	one := sprintf("metadata.labels[%s]: Invalid value: \"x\": %s", [_key("audit"), level])
	labels.texts([faults[2]]) == one
	labels.texts([faults[2], faults[2]]) == sprintf("[%s, %s]", [one, one])
}

test_what_is_well_written_has_no_faults if {
	labels.faults(_labels({"enforce": "restricted", "audit": "baseline", "warn": "privileged", "warn-version": "latest"})) == []
	labels.faults({"enforce": "x"}) == []
}

test_what_demands_something if {
	labels.demands({"level": "baseline", "version": "v1.0"})
	labels.demands({"level": "restricted", "version": "v1.0"})
	not labels.demands({"level": "privileged", "version": "v1.0"})
}

test_levels_are_ordered if {
	labels.is_stricter("restricted", "baseline")
	labels.is_stricter("baseline", "privileged")
	not labels.is_stricter("baseline", "baseline")
	not labels.is_stricter("baseline", "restricted")
}
