package lib.pod_security.unknown_fields_test

import data.lib.pod_security.unknown_fields

_input(spec, containers, exempt) := {
	"context": {
		"pod": {"path": "spec", "spec": spec},
		"containers": [{"name": name, "path": sprintf("spec.containers[%d]", [index]), "container": container} |
			some index, [name, container] in containers
		],
	},
	"exempt": exempt,
}

_fields(spec, container) := fields if {
	found := unknown_fields.violation with input as _input(spec, [["a", container]], {})
	fields := found.fields
}

test_all_of_a_pod_are_told if {
	spec := {"hostpid": true, "securityContext": {"runAsNonroot": true}}
	containers := [["a", {"securityContext": {"privelaged": true}}], ["b", {}], ["c", {"SecurityContext": {}, "securityContext": {"capabilities": {"Drop": ["ALL"]}}}]]
	found := unknown_fields.violation with input as _input(spec, containers, {})
	found == {
		"check": "unknownFields",
		"reason": "unknown fields",
		"detail": "pod and containers \"a\", \"c\" must not set \"SecurityContext\", \"hostpid\", \"securityContext.capabilities.Drop\", \"securityContext.privelaged\", \"securityContext.runAsNonroot\"",
		"containers": ["a", "c"],
		"fields": [
			"spec.hostpid", "spec.securityContext.runAsNonroot", "spec.containers[0].securityContext.privelaged",
			"spec.containers[2].SecurityContext", "spec.containers[2].securityContext.capabilities.Drop",
		],
		"remedy": "correct the spelling of \"SecurityContext\", \"hostpid\", \"securityContext.capabilities.Drop\", \"securityContext.privelaged\", \"securityContext.runAsNonroot\", or remove what no release of Kubernetes has",
	}
	one := unknown_fields.violation with input as _input(spec, containers, {"unknownFields": ["a", "c"]})
	one.detail == "pod must not set \"hostpid\", \"securityContext.runAsNonroot\""
}

test_what_is_known_is_fine if {
	profile := {"localhostProfile": "x", "type": "Localhost"}
	windows := {"gmsaCredentialSpec": "a", "gmsaCredentialSpecName": "b", "hostProcess": false, "runAsUserName": "c"}
	both := {
		"appArmorProfile": profile, "runAsGroup": 1, "runAsNonRoot": true, "runAsUser": 1, "seccompProfile": profile,
		"seLinuxOptions": {"level": "a", "role": "b", "type": "c", "user": "d"}, "windowsOptions": windows,
	}
	pod := object.union(both, {
		"fsGroup": 1, "fsGroupChangePolicy": "a", "seLinuxChangePolicy": "b", "supplementalGroups": [],
		"supplementalGroupsPolicy": "c", "sysctls": [],
	})
	container := object.union(both, {
		"allowPrivilegeEscalation": false, "capabilities": {"add": [], "drop": []}, "privileged": false, "procMount": "a",
		"readOnlyRootFilesystem": true,
	})
	spec := {
		"hostIPC": false, "hostNetwork": false, "hostPID": false, "hostUsers": true, "os": {}, "runtimeClassName": "a",
		"securityContext": pod, "volumes": [], "anything": true,
	}
	not unknown_fields.violation with input as _input(spec, [["a", {"name": "a", "securityContext": container, "anything": 1}]], {})
	not unknown_fields.violation with input as _input({"securityContext": null}, [["a", {"securityContext": null}]], {})
}

test_names_that_differ_by_case_are_unknown if {
	every name in ["HostIPC", "hostnetwork", "hostPid", "hostusers", "OS", "RuntimeClassName", "securitycontext", "Volumes"] {
		_fields({name: {}}, {}) == [sprintf("spec.%s", [name])]
	}
	_fields({}, {"securitycontext": {}}) == ["spec.containers[0].securitycontext"]
	not _fields({}, {"Volumes": {}})
}

test_each_object_has_its_own_members if {
	every name in ["appArmorProfile", "seLinuxOptions", "seccompProfile", "windowsOptions", "capabilities"] {
		_fields({}, {"securityContext": {name: {"x": 1}}}) == [sprintf("spec.containers[0].securityContext.%s.x", [name])]
	}
	_fields({"securityContext": {"privileged": true}}, {}) == ["spec.securityContext.privileged"]
	_fields({}, {"securityContext": {"fsGroup": 1}}) == ["spec.containers[0].securityContext.fsGroup"]
}
