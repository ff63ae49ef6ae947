package lib.pod_security.existing_pods_test

import data.lib.pod_security.existing_pods

_mode := {"level": "baseline", "version": "v1.30"}

_item(name, count, controller, first, spec) := {
	"name": name, "count": count, "controller": controller, "first": first, "annotations": {}, "spec": spec,
}

_warnings(total, items, most) := warnings if {
	warnings := existing_pods.warnings("shop", _mode, 30, ["exempt"], most) with input.context.pods as {"total": total, "truncated": false, "items": items}
}

_title := "existing pods in namespace \"shop\" violate the new PodSecurity enforce level \"baseline:v1.30\""

_first(checked, total) := sprintf("new PodSecurity enforce level only checked against the first %d of %d existing pods", [checked, total])

test_pods_with_the_same_reasons_are_told_in_a_line if {
	_warnings(8, [
		_item("web", 2, "1", true, {"hostPID": true}), _item("app", 3, null, true, {"hostIPC": true}),
		_item("b", 2, null, true, {"volumes": [{"name": "v", "hostPath": {}}], "hostPID": true}),
		_item("fine", 1, null, true, {}),
	], 3000) == [_title, "app (and 4 other pods): host namespaces", "b (and 1 other pod): host namespaces, hostPath volumes"]
}

test_one_pod_stands_alone if {
	_warnings(1, [_item("web", 1, "1", true, {"hostPID": true})], 3000) == [_title, "web: host namespaces"]
}

test_every_list_and_the_annotations_are_looked_at if {
	every list in ["initContainers", "containers", "ephemeralContainers"] {
		spec := {list: [{"name": "a", "securityContext": {"privileged": true}}]}
		_warnings(1, [_item("web", 1, "1", true, spec)], 3000) == [_title, "web: privileged"]
	}
	annotated := object.union(_item("web", 1, null, true, {}), {"annotations": {"container.apparmor.security.beta.kubernetes.io/a": "x"}})
	_warnings(1, [annotated], 3000) == [_title, "web: forbidden AppArmor profile"]
}

test_nothing_is_said_where_nothing_is_wrong if {
	_warnings(0, [], 3000) == []
	_warnings(7, [_item("web", 7, "1", true, {})], 3000) == []
}

test_pods_of_an_exempt_runtime_class_are_not_counted if {
	exempt := _item("a", 5, null, true, {"hostPID": true, "runtimeClassName": "exempt"})
	other := _item("b", 2, null, true, {"hostPID": true, "runtimeClassName": "other"})
	_warnings(7, [exempt, other], 2) == [_title, "b (and 1 other pod): host namespaces"]
}

test_the_first_of_each_controller_is_looked_at_before_others if {
	items := [
		_item("web-1", 3, "1", true, {"hostPID": true}), _item("db-1", 2, "2", true, {"hostIPC": true}),
		_item("a", 2, null, true, {"volumes": [{"name": "v", "hostPath": {}}]}),
		_item("web-4", 2, "1", false, {"hostPID": true, "hostIPC": true}),
	]
	_warnings(9, items, 4) == [_first(4, 9), _title, "a (and 1 other pod): hostPath volumes", "db-1 (and 1 other pod): host namespaces"]
	_warnings(9, items, 1) == [_first(1, 9), _title, "web-1: host namespaces"]
	_warnings(9, items, 7) == [_first(7, 9), _title, "a (and 1 other pod): hostPath volumes", "db-1 (and 4 other pods): host namespaces"]
}

test_what_the_fact_does_not_tell_is_not_looked_at if {
	_warnings(9000, [_item("web", 2, null, true, {})], 3000) == [_first(2, 9000)]
}

test_a_container_that_is_exempt_in_the_request_is_not_here if {
	spec := {"containers": [{"name": "a", "securityContext": {"privileged": true}}]}
	warnings := _warnings(1, [_item("web", 1, "1", true, spec)], 3000) with input.exempt as {"privileged": ["a"]}
	warnings == [_title, "web: privileged"]
}

# Reasons have no paths in them; no check goes without its reason for that.
test_every_check_is_asked if {
	bad := {"type": "Unconfined"}
	context := {
		"appArmorProfile": bad, "capabilities": {"add": ["SYS_ADMIN"]}, "privileged": true, "procMount": "Unmasked",
		"runAsNonRoot": false, "runAsUser": 0, "seLinuxOptions": {"user": "u"}, "seccompProfile": bad,
		"windowsOptions": {"hostProcess": true},
	}
	of_pod := object.filter(context, {"appArmorProfile", "runAsNonRoot", "runAsUser", "seLinuxOptions", "seccompProfile", "windowsOptions"})
	container := {"name": "a", "ports": [{"hostPort": 80}], "livenessProbe": {"httpGet": {"host": "x"}}, "securityContext": context}
	volumes := [{"name": "v", "hostPath": {}}]
	of_containers := {"hostPID": true, "volumes": volumes, "securityContext": {"sysctls": [{"name": "a"}]}, "containers": [container]}
	_reasons("restricted", 37, of_containers, {}) == concat(", ", [
		"forbidden AppArmor profile, host namespaces, hostPort, probe or lifecycle host, privileged, seLinuxOptions, forbidden sysctls",
		"hostProcess, allowPrivilegeEscalation != false, unrestricted capabilities, procMount, restricted volume types",
		"runAsNonRoot != true, runAsUser=0, seccompProfile",
	])
	_reasons("baseline", 37, of_containers, {}) == concat(", ", [
		"forbidden AppArmor profile, non-default capabilities, host namespaces, hostPath volumes, hostPort, probe or lifecycle host",
		"privileged, procMount, seLinuxOptions, seccompProfile, forbidden sysctls, hostProcess",
	])
	_reasons("restricted", 37, {"securityContext": of_pod}, {}) == concat(", ", [
		"forbidden AppArmor profile, seLinuxOptions, hostProcess, runAsNonRoot != true, runAsUser=0, seccompProfile",
	])
	annotation := {"container.seccomp.security.alpha.kubernetes.io/a": "unconfined"}
	_reasons("baseline", 18, {"containers": [{"name": "a"}]}, annotation) == "seccompProfile"
}

_reasons(level, minor, spec, annotations) := trim_prefix(warnings[1], "web: ") if {
	item := object.union(_item("web", 1, null, true, spec), {"annotations": annotations})
	warnings := existing_pods.warnings("shop", {"level": level, "version": "latest"}, minor, [], 10) with input.context.pods as {"total": 1, "truncated": false, "items": [item]}
}
