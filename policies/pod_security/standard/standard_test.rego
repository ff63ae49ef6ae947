package policies.pod_security.standard_test

import data.policies.pod_security.standard

_input(parameters, spec, annotations, containers) := {
	"request": {"operation": "CREATE"},
	"parameters": object.union({"level": "baseline", "version": "latest", "ceiling": "v1.37"}, parameters),
	"context": {
		"containers": [{"kind": "regular", "name": name, "path": sprintf("spec.containers[%d]", [index]), "container": container} |
			some index, [name, container] in containers
		],
		"pod": {"path": "spec", "template": false, "spec": spec, "metadata": {"annotations": annotations}},
	},
	"exempt": {},
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

_everything(parameters) := _input(parameters, _spec, _annotations, [["a", _container]])

_messages(violations) := [element.msg | some element in violations]

_versions(violations) := [[element.details.version, element.details.evaluated] | some element in violations]

# The ids of the checks, of the one violation.
_checks(violations) := [violation.check | some element in violations; some violation in element.details.violations]

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
	baseline := standard.deny with input as _everything({})
	_checks(baseline) == _baseline
	restricted := standard.deny with input as _everything({"level": "restricted"})
	_checks(restricted) == _restricted
	privileged := standard.deny with input as _everything({"level": "privileged"})
	privileged == set()
}

test_one_violation_with_all_that_is_wrong if {
	violations := standard.deny with input as _input({"version": "v1.30"}, {"hostPID": true}, {}, [["a", {"securityContext": {"privileged": true}}]])
	violations == {{
		"msg": "host namespaces (hostPID=true), privileged (container \"a\" must not set securityContext.privileged=true)",
		"field": "spec.hostPID",
		"details": {
			"level": "baseline",
			"version": "v1.30",
			"evaluated": "v1.30",
			"violations": [
				{
					"check": "hostNamespaces",
					"reason": "host namespaces",
					"detail": "hostPID=true",
					"containers": [],
					"fields": ["spec.hostPID"],
					"remedy": "remove `hostPID`",
				},
				{
					"check": "privileged",
					"reason": "privileged",
					"detail": "container \"a\" must not set securityContext.privileged=true",
					"containers": ["a"],
					"fields": ["spec.containers[0].securityContext.privileged"],
					"remedy": "remove `securityContext.privileged` or set it to false",
				},
			],
			"remedy": "remove `hostPID`; remove `securityContext.privileged` or set it to false",
		},
	}}
}

test_a_reason_without_detail_stands_alone if {
	violations := standard.deny with input as _input({}, {"securityContext": {"sysctls": [{"name": ""}]}}, {}, [])
	_messages(violations) == ["forbidden sysctls"]
}

test_the_ceiling_bounds_latest_and_later_versions if {
	rows := [
		["latest", "v1.37", "v1.37"], ["v1.99999", "v1.37", "v1.37"], ["v1.5", "v1.37", "v1.5"],
		["latest", "v1.30", "v1.30"], ["v1.31", "v1.30", "v1.30"], ["v1.9", "v1.30", "v1.9"], ["latest", "v1.99", "v1.37"],
	]
	every row in rows {
		[version, ceiling, evaluated] := row
		violations := standard.deny with input as _input({"version": version, "ceiling": ceiling}, {"hostPID": true}, {}, [])
		_versions(violations) == [[version, evaluated]]
	}
}

test_an_exemption_takes_a_container_out_of_one_check if {
	asked := object.union(_everything({}), {"exempt": {"privileged": ["a"], "hostPorts": ["other"]}})
	violations := standard.deny with input as asked
	_checks(violations) == [check | some check in _baseline; check != "privileged"]
}

test_a_pod_that_is_fine if {
	container := {"securityContext": {
		"allowPrivilegeEscalation": false,
		"capabilities": {"drop": ["ALL"]},
		"runAsNonRoot": true,
		"seccompProfile": {"type": "RuntimeDefault"},
	}}
	violations := standard.deny with input as _input({"level": "restricted"}, {}, {}, [["a", container]])
	violations == set()
}

test_an_object_without_pod if {
	asked := object.union(_input({"level": "restricted"}, {}, {}, []), {"context": {"pod": null}})
	violations := standard.deny with input as asked
	violations == set()
}
