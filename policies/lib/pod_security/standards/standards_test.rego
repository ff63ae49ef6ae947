package lib.pod_security.standards_test

import data.lib.pod_security.standards

_input(spec, annotations, containers, exempt) := {
	"context": {
		"containers": [{"name": name, "path": sprintf("spec.containers[%d]", [index]), "container": container} |
			some index, [name, container] in containers
		],
		"pod": {"path": "spec", "spec": spec, "metadata": {"annotations": annotations}},
	},
	"exempt": exempt,
}

# A Pod that violates every check that fields can violate, and one of annotations.
_spec := {
	"hostPID": true,
	"securityContext": {"runAsUser": 0, "seccompProfile": {"type": "Unconfined"}, "sysctls": [{"name": "a"}]},
	"volumes": [{"name": "v", "hostPath": {"path": "/"}}],
}

_annotations := {
	"container.apparmor.security.beta.kubernetes.io/a": "unconfined",
	"seccomp.security.alpha.kubernetes.io/pod": "unconfined",
}

_container := {
	"ports": [{"hostPort": 80}],
	"livenessProbe": {"httpGet": {"host": "x"}},
	"securityContext": {
		"capabilities": {"add": ["SYS_ADMIN"]},
		"privileged": true,
		"procMount": "Unmasked",
		"seLinuxOptions": {"user": "u"},
		"windowsOptions": {"hostProcess": true},
	},
}

_everything(exempt) := _input(_spec, _annotations, [["a", _container]], exempt)

_checks(violations) := [violation.check | some violation in violations]

_baseline := [
	"appArmorProfile", "capabilities_baseline", "hostNamespaces", "hostPathVolumes", "hostPorts",
	"hostProbesAndHostLifecycle", "privileged", "procMount", "seLinuxOptions", "seccompProfile_baseline", "sysctls",
	"windowsHostProcess",
]

_restricted := [
	"appArmorProfile", "hostNamespaces", "hostPorts", "hostProbesAndHostLifecycle", "privileged", "seLinuxOptions", "sysctls",
	"windowsHostProcess", "allowPrivilegeEscalation", "capabilities_restricted", "procMount_restricted", "restrictedVolumes",
	"runAsNonRoot", "runAsUser", "seccompProfile_restricted",
]

test_every_check_at_its_level_in_order if {
	baseline := standards.violations("baseline", 37) with input as _everything({})
	_checks(baseline) == _baseline
	restricted := standards.violations("restricted", 37) with input as _everything({})
	_checks(restricted) == _restricted
	privileged := standards.violations("privileged", 37) with input as _everything({})
	privileged == []
}

test_older_versions_have_fewer_checks if {
	violations := standards.violations("restricted", 0) with input as _everything({})
	_checks(violations) == [
		"appArmorProfile", "capabilities_baseline", "hostNamespaces", "hostPorts", "privileged", "procMount",
		"seLinuxOptions", "seccompProfile_baseline", "sysctls", "windowsHostProcess", "restrictedVolumes", "runAsNonRoot",
	]
}

test_an_exemption_takes_a_container_out_of_one_check if {
	violations := standards.violations("baseline", 37) with input as _everything({"privileged": ["a"], "hostPorts": ["other"]})
	_checks(violations) == [check | some check in _baseline; check != "privileged"]
}

test_an_object_without_pod if {
	asked := object.union(_everything({}), {"context": {"containers": [], "pod": null}})
	violations := standards.violations("restricted", 37) with input as asked
	violations == []
}

test_the_ceiling_bounds_latest_and_later_versions if {
	rows := [
		["latest", "v1.37", 37], ["v1.99999", "v1.37", 37], ["v1.5", "v1.37", 5], ["latest", "v1.30", 30],
		["v1.31", "v1.30", 30], ["v1.9", "v1.30", 9], ["latest", "v1.99", 37], ["v1.9223372036854775807", "v1.37", 37],
	]
	every row in rows {
		[version, ceiling, minor] := row
		standards.minor(version, ceiling) == minor
	}
}

test_what_is_said_of_violations if {
	violations := [
		{"reason": "a", "detail": "b", "fields": [], "remedy": "c"},
		{"reason": "d", "detail": "", "fields": ["e", "f"], "remedy": "g"},
	]
	standards.message(violations) == "a (b), d"
	standards.reasons(violations) == "a, d"
	standards.remedy(violations) == "c; g"
	standards.field(violations) == "e"
}

test_too_much_is_cut if {
	violations := [{"reason": sprintf("%d", [index]), "detail": "ü", "remedy": "0123456789"} | some index in numbers.range(1, 999)]
	count(standards.message(violations)) == 4000
	count(standards.remedy(violations)) == 4000
}
