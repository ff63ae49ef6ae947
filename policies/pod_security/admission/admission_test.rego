package policies.pod_security.admission_test

import data.policies.pod_security.admission

_parameters := {
	"defaults": {
		"enforce": "privileged", "enforce-version": "latest", "audit": "privileged", "audit-version": "latest",
		"warn": "privileged", "warn-version": "latest",
	},
	"exemptions": {"usernames": ["exempt-user"], "namespaces": ["exempt"], "runtimeClasses": ["exempt-class"]},
	"ceiling": "v1.37",
	"reading": "reference",
	"existingPods": 3000,
}

_labels(short) := {sprintf("pod-security.kubernetes.io/%s", [name]): value | some name, value in short}

_privileged := {"name": "a", "image": "i", "securityContext": {"privileged": true}}

_fine := {"name": "a", "image": "i"}

_view(containers) := [{"name": one.name, "path": sprintf("spec.containers[%d]", [index]), "container": one} | some index, one in containers]

# A Pod that is made with that container, in a namespace with those labels.
_made(short, container) := {
	"request": {
		"operation": "CREATE", "name": "p", "namespace": "shop", "userInfo": {"username": "alice"},
		"kind": {"group": "", "version": "v1", "kind": "Pod"},
		"resource": {"group": "", "version": "v1", "resource": "pods"},
		"object": {"apiVersion": "v1", "kind": "Pod", "metadata": {}, "spec": {"containers": [container]}},
		"oldObject": null,
	},
	"parameters": _parameters,
	"context": {
		"namespace": {"name": "shop", "labels": _labels(short), "annotations": {}},
		"containers": _view([container]),
		"pod": {"path": "spec", "template": false, "spec": {"containers": [container]}, "metadata": {}},
		"pods": {"total": 0, "truncated": false, "items": []},
	},
	"exempt": {},
}

_deployed(short, container) := object.union(_made(short, container), {"request": {
	"kind": {"group": "apps", "version": "v1", "kind": "Deployment"},
	"resource": {"group": "apps", "version": "v1", "resource": "deployments"},
	"object": {"apiVersion": "apps/v1", "kind": "Deployment"},
}})

_updated(old, new) := object.union(_made({"enforce": "baseline"}, new), {"request": {
	"operation": "UPDATE",
	"oldObject": {"kind": "Pod", "spec": {"containers": [old]}},
}})

_relabelled(operation, old, new) := {
	"request": {
		"operation": operation, "name": "shop", "namespace": "shop", "userInfo": {"username": "alice"},
		"kind": {"group": "", "version": "v1", "kind": "Namespace"},
		"resource": {"group": "", "version": "v1", "resource": "namespaces"},
		"object": {"kind": "Namespace", "metadata": {"name": "shop", "labels": _labels(new)}},
		"oldObject": {"kind": "Namespace", "metadata": {"name": "shop", "labels": _labels(old)}},
	},
	"parameters": _parameters,
	"context": {
		"namespace": {"name": "shop", "labels": _labels(new), "annotations": {}},
		"containers": [],
		"pod": null,
		"pods": {"total": 2, "truncated": false, "items": [
			{"name": "b", "count": 1, "controller": null, "first": true, "annotations": {}, "spec": {"hostPID": true}},
			{"name": "a", "count": 1, "controller": null, "first": true, "annotations": {}, "spec": {"hostPID": true}},
		]},
	},
	"exempt": {},
}

# All that is said of a request.
_said(asked) := {"deny": deny, "warn": warn, "audit": audit, "annotations": annotations} if {
	deny := admission.deny with input as asked
	warn := admission.warn with input as asked
	audit := admission.audit with input as asked
	annotations := admission.annotations with input as asked
}

_nothing := {"deny": set(), "warn": set(), "audit": set(), "annotations": {}}

_annotated(annotations) := object.union(_nothing, {"annotations": annotations})

_violation := {
	"check": "privileged",
	"reason": "privileged",
	"detail": "container \"a\" must not set securityContext.privileged=true",
	"containers": ["a"],
	"fields": ["spec.containers[0].securityContext.privileged"],
	"remedy": "remove `securityContext.privileged` or set it to false",
}

_message := "privileged (container \"a\" must not set securityContext.privileged=true)"

_would := sprintf("would violate PodSecurity \"baseline:v1.30\": %s", [_message])

_finding := {"msg": _would, "field": _violation.fields[0]}

_denial(title, violates, name) := {
	"msg": sprintf("%s is forbidden: violates PodSecurity %s: %s", [title, violates, _message]),
	"field": _violation.fields[0],
	"details": {"violations": [_violation], "remedy": _violation.remedy},
	"status": {"code": 403, "reason": "Forbidden", "details": {"name": name, "kind": "pods"}},
}

_is_denied(asked) if {
	found := _said(asked)
	found == object.union(_annotated({"enforce-policy": "baseline:latest"}), {"deny": {_denial("pods \"p\"", "\"baseline:latest\"", "p")}})
}

test_a_pod_that_violates_what_is_enforced_is_denied if {
	_is_denied(_made({"enforce": "baseline"}, _privileged))
}

test_a_pod_without_a_name if {
	asked := json.remove(_made({"enforce": "baseline"}, _privileged), ["/request/name"])
	found := admission.deny with input as asked
	found == {_denial("pods", "\"baseline:latest\"", "")}
}

test_a_pod_that_meets_what_is_enforced if {
	_said(_made({"enforce": "baseline", "enforce-version": "v1.30"}, _fine)) == _annotated({"enforce-policy": "baseline:v1.30"})
}

test_what_is_only_warned_about_and_recorded if {
	short := {"audit": "baseline", "audit-version": "v1.30", "warn": "baseline", "warn-version": "v1.30"}
	found := {"warn": {_finding}, "audit": {_finding}}
	_said(_made(short, _privileged)) == object.union(object.union(_nothing, found), {"annotations": {
		"enforce-policy": "privileged:latest",
		"audit-violations": _would,
	}})
	_said(_deployed(short, _privileged)) == object.union(object.union(_nothing, found), {"annotations": {"audit-violations": _would}})
}

test_what_is_only_recorded_of_a_workload if {
	found := _said(_deployed({"audit": "baseline", "audit-version": "v1.30"}, _privileged))
	found == object.union(_annotated({"audit-violations": _would}), {"audit": {_finding}})
}

test_what_is_denied_is_not_warned_about_and_is_recorded if {
	found := _said(_made({"enforce": "baseline", "audit": "baseline", "audit-version": "v1.30", "warn": "baseline"}, _privileged))
	found.deny == {_denial("pods \"p\"", "\"baseline:latest\"", "p")}
	found.warn == set()
	found.audit == {_finding}
	found.annotations == {"enforce-policy": "baseline:latest", "audit-violations": _would}
}

test_workloads_are_never_denied if {
	every level in ["baseline", "restricted"] {
		found := _said(_deployed({"enforce": level, "warn": "privileged"}, _privileged))
		found == _nothing
	}
	found := _said(_deployed({"enforce": "baseline", "enforce-version": "v1.30"}, _privileged))
	found == object.union(_nothing, {"warn": {_finding}})
}

test_where_nothing_is_asked_nothing_is_evaluated if {
	_said(_made({}, _privileged)) == _annotated({"enforce-policy": "privileged:latest"})
	_said(_made({"enforce": "privileged", "enforce-version": "v1.5"}, _privileged)) == _annotated({"enforce-policy": "privileged:latest"})
	_said(_deployed({}, _privileged)) == _nothing
}

test_defaults_hold_where_there_are_no_labels if {
	defaults := {"parameters": {"defaults": {
		"enforce": "baseline", "enforce-version": "v1.1", "audit": "baseline", "audit-version": "v1.2",
		"warn": "restricted", "warn-version": "v1.3",
	}}}
	found := _said(object.union(_made({}, _privileged), defaults))
	{one.msg | some one in found.deny} == {sprintf("pods \"p\" is forbidden: violates PodSecurity \"baseline:v1.1\": %s", [_message])}
	found.annotations == {
		"enforce-policy": "baseline:v1.1",
		"audit-violations": sprintf("would violate PodSecurity \"baseline:v1.2\": %s", [_message]),
	}
	workload := _said(object.union(_deployed({}, _privileged), defaults))
	some warning in workload.warn
	startswith(warning.msg, "would violate PodSecurity \"restricted:v1.3\": privileged (")
}

test_labels_that_say_nothing_are_told if {
	level := "Invalid value: \"x\": must be one of privileged, baseline, restricted"
	error := sprintf("Failed to parse policy: metadata.labels[pod-security.kubernetes.io/audit]: %s", [level])
	_said(_made({"audit": "x"}, _privileged)) == _annotated({"enforce-policy": "privileged:latest", "error": error})
	_said(_deployed({"audit": "x"}, _privileged)) == _annotated({"error": error})
}

test_exemptions if {
	every asked in [_made({"enforce": "baseline"}, _privileged), _deployed({"warn": "baseline"}, _privileged)] {
		_said(object.union(asked, {"request": {"namespace": "exempt"}})) == _annotated({"exempt": "namespace"})
		_said(object.union(asked, {"request": {"userInfo": {"username": "exempt-user"}}})) == _annotated({"exempt": "user"})
		of_class := object.union(asked, {"context": {"pod": {"spec": {"runtimeClassName": "exempt-class"}}}})
		_said(of_class) == _annotated({"exempt": "runtimeClass"})
	}
}

test_subresources_that_bring_no_pod if {
	every name in ["attach", "binding", "eviction", "exec", "log", "portforward", "proxy", "status"] {
		_said(object.union(_made({"enforce": "baseline"}, _privileged), {"request": {"subResource": name}})) == _nothing
	}
	every name in ["ephemeralcontainers", "resize", "of-a-later-release"] {
		_is_denied(object.union(_made({"enforce": "baseline"}, _privileged), {"request": {"subResource": name}}))
	}
	every name in ["scale", "status", "of-a-later-release"] {
		_said(object.union(_deployed({"warn": "baseline"}, _privileged), {"request": {"subResource": name}})) == _nothing
	}
}

test_a_namespace_that_is_not_known if {
	every unknown in [[{"error": "why"}, "why"], [null, "there is none"]] {
		[fact, why] := unknown
		pod := object.union(json.remove(_made({}, _fine), ["/context/namespace"]), {"context": {"namespace": fact}})
		what := "failed to lookup namespace \"shop\""
		_said(pod) == object.union(_annotated({"error": sprintf("Internal error occurred: %s: %s", [what, why])}), {"deny": {{
			"msg": sprintf("Internal error occurred: %s", [what]),
			"status": {"code": 500, "reason": "InternalError", "details": {"causes": [{"message": what}]}},
		}}})
		workload := object.union(json.remove(_deployed({}, _fine), ["/context/namespace"]), {"context": {"namespace": fact}})
		_said(workload) == _annotated({"error": sprintf("%s: %s", [what, why])})
	}
}

_bad_request(what, error) := object.union(_annotated({"error": error}), {"deny": {{"msg": what, "status": {"code": 400, "reason": "BadRequest"}}}})

test_a_pod_that_can_not_be_read if {
	every fact in ["pod", "containers"] {
		unread := {"context": {fact: {"error": "why"}}}
		asked := json.remove(_made({"enforce": "baseline"}, _fine), [sprintf("/context/%s", [fact])])
		_said(object.union(asked, unread)) == _bad_request("failed to decode object", "failed to decode object: why")
		workload := json.remove(_deployed({"warn": "baseline"}, _fine), [sprintf("/context/%s", [fact])])
		_said(object.union(workload, unread)) == _annotated({"error": "failed to decode object: why"})
	}
}

test_an_object_of_another_kind if {
	pod := object.union(_made({"enforce": "baseline"}, _fine), {"request": {"object": {"kind": "Other"}}})
	_said(pod) == _bad_request("failed to decode pod", "failed to decode pod")
	what := "failed to extract pod template: unexpected object type: "
	other := object.union(_deployed({"warn": "baseline"}, _fine), {"request": {"object": {"kind": "Other"}}})
	_said(other) == _annotated({"error": sprintf("%sapps/v1, Kind=Other", [what])})

	# Where nothing is asked of workloads, none is looked at.
	unasked := object.union(_deployed({}, _fine), {"request": {"object": {"kind": "Other"}}})
	_said(unasked) == _nothing
	audited := object.union(_deployed({"audit": "baseline"}, _fine), {"request": {"object": {"kind": "Other"}}})
	_said(audited) == _annotated({"error": sprintf("%sapps/v1, Kind=Other", [what])})
	service := object.union(json.remove(_deployed({"warn": "baseline"}, _fine), ["/context/pod"]), {
		"request": {"kind": {"kind": "Service"}, "object": {"apiVersion": "v1", "kind": "Service"}},
		"context": {"pod": null},
	})
	_said(service) == _annotated({"error": sprintf("%s/v1, Kind=Service", [what])})
	untyped := json.remove(_deployed({"warn": "baseline"}, _fine), ["/request/object/kind", "/request/object/apiVersion"])
	_said(untyped) == _annotated({"error": sprintf("%s/, Kind=", [what])})
}

test_a_replication_controller_may_have_no_template if {
	controller := {"request": {"kind": {"kind": "ReplicationController"}, "object": {"kind": "ReplicationController", "spec": {"template": null}}}}
	asked := object.union(json.remove(_deployed({"warn": "baseline"}, _fine), ["/context/pod"]), {"context": {"pod": {"error": "why"}}})
	_said(object.union(asked, controller)) == _nothing
	with_one := object.union(asked, {"request": {
		"kind": {"kind": "ReplicationController"},
		"object": {"kind": "ReplicationController", "spec": {"template": {}}},
	}})
	_said(with_one) == _annotated({"error": "failed to decode object: why"})
}

test_an_update_is_judged_where_it_is_significant if {
	_is_denied(_updated({"name": "a", "image": "other"}, _privileged))
	_said(_updated(_privileged, _privileged)) == _nothing
	_said(_updated(_fine, _privileged)) == _nothing
	_said(object.union(_updated(_fine, _fine), {"context": {"pod": {"error": "why"}}})) == _bad_request("failed to decode object", "failed to decode object: why")
}

test_what_was_stored_and_is_no_pod if {
	other := object.union(_updated(_fine, _privileged), {"request": {"oldObject": {"kind": "Other"}}})
	_said(other) == _bad_request("failed to decode old pod", "failed to decode old pod")
	undecoded := object.union(_updated(_fine, _privileged), {"request": {"oldObject": {"spec": "x"}}})
	_said(undecoded) == _bad_request("failed to decode old object", "failed to decode old object: spec is not an object")
}

test_workloads_are_judged_at_every_update if {
	asked := object.union(_deployed({"warn": "baseline", "warn-version": "v1.30"}, _privileged), {"request": {"operation": "UPDATE", "oldObject": {"kind": "x"}}})
	_said(asked) == object.union(_nothing, {"warn": {_finding}})
}

test_the_strict_reading_sees_other_changes if {
	_is_denied(object.union(_updated(_fine, _privileged), {"parameters": {"reading": "strict"}}))
	_said(object.union(_updated(_privileged, _privileged), {"parameters": {"reading": "strict"}})) == _nothing
}

_misspelt := {"name": "a", "image": "i", "securityContext": {
	"allowPrivilegeEscalation": false,
	"capabilities": {"drop": ["ALL"]},
	"runAsNonRoot": true,
	"seccompProfile": {"type": "RuntimeDefault"},
	"privelaged": false,
}}

test_the_strict_reading_sees_fields_that_nobody_knows if {
	field := "spec.containers[0].securityContext.privelaged"
	detail := "container \"a\" must not set \"securityContext.privelaged\""
	warned := _said(object.union(_made({"enforce": "baseline"}, _misspelt), {"parameters": {"reading": "strict"}}))
	warned == object.union(_annotated({"enforce-policy": "baseline:latest"}), {"warn": {{
		"msg": sprintf("fields that Kubernetes does not have: %s", [detail]),
		"field": field,
	}}})
	denied := _said(object.union(_made({"enforce": "restricted"}, _misspelt), {"parameters": {"reading": "strict"}}))
	denied.warn == set()
	{[one.msg, one.field] | some one in denied.deny} == {[sprintf("pods \"p\" is forbidden: violates PodSecurity \"restricted:latest\": unknown fields (%s)", [detail]), field]}
	_said(_made({"enforce": "restricted"}, _misspelt)) == _annotated({"enforce-policy": "restricted:latest"})
}

test_an_exempt_container_is_let_off if {
	_said(object.union(_made({"enforce": "baseline"}, _privileged), {"exempt": {"privileged": ["a"]}})) == _annotated({"enforce-policy": "baseline:latest"})
}

test_a_namespace_with_labels_that_say_nothing if {
	message := "Invalid value: \"x\": must be one of privileged, baseline, restricted"
	field := "metadata.labels[pod-security.kubernetes.io/enforce]"
	_said(_relabelled("UPDATE", {}, {"enforce": "x"})) == object.union(_nothing, {"deny": {{
		"msg": sprintf("Namespace \"shop\" is invalid: %s: %s", [field, message]),
		"field": field,
		"status": {"code": 422, "reason": "Invalid", "details": {
			"name": "shop",
			"kind": "Namespace",
			"causes": [{"reason": "FieldValueInvalid", "message": message, "field": field}],
		}},
	}}})
}

test_a_namespace_that_can_not_be_read if {
	asked := object.union(_relabelled("CREATE", {}, {}), {"request": {"object": {"kind": "Pod"}}})
	_said(asked) == _bad_request("failed to decode namespace", "failed to decode namespace")
}

test_a_namespace_that_is_exempt if {
	asked := object.union(_relabelled("UPDATE", {}, {"enforce": "baseline"}), {"request": {"namespace": "exempt"}})
	_said(asked) == object.union(_nothing, {"warn": {{
		"msg": "namespace \"shop\" is exempt from Pod Security, and the policy (enforce=baseline:latest) will be ignored",
		"key": "00000",
	}}})
}

test_who_asks_for_more_is_told_about_pods if {
	_said(_relabelled("UPDATE", {}, {"enforce": "baseline"})) == object.union(_nothing, {"warn": {
		{"msg": "existing pods in namespace \"shop\" violate the new PodSecurity enforce level \"baseline:latest\"", "key": "00000"},
		{"msg": "a (and 1 other pod): host namespaces", "key": "00001"},
	}})
	_said(_relabelled("UPDATE", {"enforce": "baseline"}, {"enforce": "baseline"})) == _nothing
	unlisted := json.remove(_relabelled("UPDATE", {}, {"enforce": "baseline"}), ["/context/pods"])
	_said(object.union(unlisted, {"context": {"pods": {"error": "why"}}})) == object.union(_nothing, {"warn": {{
		"msg": "failed to list pods while checking new PodSecurity enforce level",
		"key": "00000",
	}}})
}

test_pods_of_another_group_are_workloads if {
	asked := object.union(_made({"enforce": "baseline", "warn": "privileged"}, _privileged), {"request": {"resource": {"group": "example.org"}}})
	_said(asked) == _nothing
}
