package lib.pod_security.namespaces_test

import data.lib.pod_security.namespaces

_defaults := {"enforce": mode, "audit": mode, "warn": mode} if mode := {"level": "privileged", "version": "latest"}

_namespace(short) := {"kind": "Namespace", "metadata": {"name": "shop", "labels": labels}} if {
	labels := {sprintf("pod-security.kubernetes.io/%s", [name]): value | some name, value in short}
}

_create(labels) := {"request": {"operation": "CREATE", "namespace": "shop", "object": _namespace(labels)}}

_update(old, new) := {"request": {
	"operation": "UPDATE",
	"namespace": "shop",
	"object": _namespace(new),
	"oldObject": _namespace(old),
}}

_course(asked) := course if course := namespaces.course(_defaults, ["other"]) with input as asked

_exempt(asked) := course if course := namespaces.course(_defaults, ["shop"]) with input as asked

test_a_subresource_brings_no_labels if {
	_course(object.union(_create({"enforce": "x"}), {"request": {"subResource": "status"}})) == []
}

test_labels_are_well_written_where_they_are_new if {
	["invalid", [fault]] = _course(_create({"enforce": "x"}))
	fault.key == "pod-security.kubernetes.io/enforce"
	["invalid", [_]] = _course(_update({}, {"enforce": "x"}))
	["invalid", [_]] = _course(_update({"enforce": "y"}, {"enforce": "x"}))
	["invalid", [_]] = _exempt(_create({"enforce": "x"}))
	_course(_update({"enforce": "x"}, {"enforce": "x", "audit": "baseline"})) == []
	_course(_create({"enforce": "restricted"})) == []
}

test_who_asks_for_no_more_is_told_nothing if {
	_course(_update({"enforce": "baseline"}, {"enforce": "baseline", "warn": "restricted"})) == []
	_course(_update({"enforce": "baseline"}, {"enforce": "privileged", "enforce-version": "v1.5"})) == []
	_course(_update({"enforce": "restricted"}, {"enforce": "baseline"})) == []
}

test_who_asks_for_more_is_told_about_pods if {
	_course(_update({"enforce": "baseline"}, {"enforce": "restricted"})) == ["tightened", {"level": "restricted", "version": "latest"}]
	_course(_update({}, {"enforce": "baseline"})) == ["tightened", {"level": "baseline", "version": "latest"}]
	other := _course(_update({"enforce": "restricted"}, {"enforce": "baseline", "enforce-version": "v1.5"}))
	other == ["tightened", {"level": "baseline", "version": "v1.5"}]
}

test_labels_of_an_exempt_namespace_do_nothing if {
	_exempt(_create({"enforce": "restricted", "enforce-version": "v1.0", "warn": "baseline"})) == ["exempt", [concat("", [
		"namespace \"shop\" is exempt from Pod Security, and the policy ",
		"(enforce=restricted:v1.0, warn=baseline:latest) will be ignored",
	])]]
	_exempt(_create({"enforce": "baseline", "audit": "privileged"})) == ["exempt", ["namespace \"shop\" is exempt from Pod Security, and the policy (enforce=baseline:latest) will be ignored"]]
	_exempt(_update({}, {"enforce": "baseline"})) == ["exempt", ["namespace \"shop\" is exempt from Pod Security, and the policy (enforce=baseline:latest) will be ignored"]]
}

test_labels_of_an_exempt_namespace_that_ask_for_nothing if {
	_exempt(_create({})) == ["exempt", []]
	_exempt(_create({"enforce": "privileged", "enforce-version": "v1.5"})) == ["exempt", []]
}

test_what_holds_anyway_is_not_spoken_of if {
	mode := {"level": "baseline", "version": "v1.23"}
	defaults := {"enforce": mode, "audit": mode, "warn": mode}
	same := namespaces.course(defaults, ["shop"]) with input as _create({"enforce": "baseline"})
	same == ["exempt", []]
	other := namespaces.course(defaults, ["shop"]) with input as _create({"warn-version": "latest"})
	other == ["exempt", ["namespace \"shop\" is exempt from Pod Security, and the policy (warn=baseline:latest) will be ignored"]]
}

test_what_is_no_namespace_can_not_be_judged if {
	_course({"request": {"operation": "CREATE", "object": {"kind": "Pod"}}}) == ["failed", "failed to decode namespace", ""]
	_course({"request": {"operation": "CREATE", "object": {"kind": "Namespace", "metadata": {"labels": {"a": 1}}}}}) == ["failed", "failed to decode object", "metadata.labels is not a map of strings"]
	_course({"request": {"operation": "CREATE", "object": {"kind": "Namespace", "metadata": {"labels": "a"}}}}) == ["failed", "failed to decode object", "metadata.labels is not a map of strings"]
	without := {"operation": "UPDATE", "object": _namespace({})}
	_course({"request": object.union(without, {"oldObject": {"kind": "Pod"}})}) == ["failed", "failed to decode  old namespace", ""]
	_course({"request": object.union(without, {"oldObject": {"kind": "Namespace", "metadata": {"labels": ["a"]}}})}) == ["failed", "failed to decode  old object", "metadata.labels is not a map of strings"]
}

test_no_labels_are_as_good_as_none if {
	every metadata in [{}, {"labels": null}, {"labels": {}}] {
		_course({"request": {"operation": "CREATE", "object": {"kind": "Namespace", "metadata": metadata}}}) == []
	}
}
