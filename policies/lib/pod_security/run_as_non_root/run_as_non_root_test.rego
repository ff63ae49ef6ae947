package lib.pod_security.run_as_non_root_test

import data.lib.pod_security.run_as_non_root

_input(spec, containers, annotations, exempt) := {"context": {"containers": [{"name": name, "path": sprintf("spec.containers[%d]", [index]), "container": container} | some index, [name, container] in containers], "pod": {"path": "spec", "spec": spec, "metadata": {"annotations": annotations}}}, "exempt": exempt}

test_nobody_says_anything if {
	found := run_as_non_root.violation(37) with input as _input({}, [["a", {}], ["b", {"securityContext": {"runAsNonRoot": null}}], ["c", {"securityContext": {"runAsNonRoot": true}}]], {}, {})
	found == {"check": "runAsNonRoot", "containers": ["a", "b"], "detail": "pod or containers \"a\", \"b\" must set securityContext.runAsNonRoot=true", "fields": ["spec.containers[0].securityContext.runAsNonRoot", "spec.containers[1].securityContext.runAsNonRoot"], "reason": "runAsNonRoot != true", "remedy": "set `securityContext.runAsNonRoot` of the Pod to true"}
}

test_false_of_a_container_masks_those_that_say_nothing if {
	found := run_as_non_root.violation(37) with input as _input({}, [["a", {"securityContext": {"runAsNonRoot": false}}], ["b", {}], ["c", {"securityContext": {"runAsNonRoot": true}}]], {}, {})
	found == {"check": "runAsNonRoot", "containers": ["a"], "detail": "container \"a\" must not set securityContext.runAsNonRoot=false", "fields": ["spec.containers[0].securityContext.runAsNonRoot"], "reason": "runAsNonRoot != true", "remedy": "set `securityContext.runAsNonRoot` of the Pod to true, and leave it out in containers"}
}

test_false_of_the_pod_is_one_whatever_containers_say if {
	found := run_as_non_root.violation(37) with input as _input({"securityContext": {"runAsNonRoot": false}}, [["a", {"securityContext": {"runAsNonRoot": true}}]], {}, {})
	found == {"check": "runAsNonRoot", "containers": [], "detail": "pod must not set securityContext.runAsNonRoot=false", "fields": ["spec.securityContext.runAsNonRoot"], "reason": "runAsNonRoot != true", "remedy": "set `securityContext.runAsNonRoot` of the Pod to true, and leave it out in containers"}
}

test_false_of_pod_and_containers if {
	found := run_as_non_root.violation(37) with input as _input({"securityContext": {"runAsNonRoot": false}}, [["a", {"securityContext": {"runAsNonRoot": false}}], ["b", {"securityContext": {"runAsNonRoot": false}}]], {}, {})
	found == {"check": "runAsNonRoot", "containers": ["a", "b"], "detail": "pod and containers \"a\", \"b\" must not set securityContext.runAsNonRoot=false", "fields": ["spec.securityContext.runAsNonRoot", "spec.containers[0].securityContext.runAsNonRoot", "spec.containers[1].securityContext.runAsNonRoot"], "reason": "runAsNonRoot != true", "remedy": "set `securityContext.runAsNonRoot` of the Pod to true, and leave it out in containers"}
}

test_the_pod_says_it_for_all if {
	not run_as_non_root.violation(37) with input as _input({"securityContext": {"runAsNonRoot": true}}, [["a", {}]], {}, {})
}

test_every_container_says_it if {
	not run_as_non_root.violation(37) with input as _input({}, [["a", {"securityContext": {"runAsNonRoot": true}}]], {}, {})
}

test_user_namespaces_are_skipped_from_35_on if {
	not run_as_non_root.violation(35) with input as _input({"hostUsers": false}, [["a", {}]], {}, {})
}

test_user_namespaces_are_not_skipped_before if {
	found := run_as_non_root.violation(34) with input as _input({"hostUsers": false}, [["a", {}]], {}, {})
	found == {"check": "runAsNonRoot", "containers": ["a"], "detail": "pod or container \"a\" must set securityContext.runAsNonRoot=true", "fields": ["spec.containers[0].securityContext.runAsNonRoot"], "reason": "runAsNonRoot != true", "remedy": "set `securityContext.runAsNonRoot` of the Pod to true"}
}

test_an_exempt_container_need_not_say_it if {
	found := run_as_non_root.violation(37) with input as _input({}, [["a", {}], ["b", {}]], {}, {"runAsNonRoot": ["a"]})
	found == {"check": "runAsNonRoot", "containers": ["b"], "detail": "pod or container \"b\" must set securityContext.runAsNonRoot=true", "fields": ["spec.containers[1].securityContext.runAsNonRoot"], "reason": "runAsNonRoot != true", "remedy": "set `securityContext.runAsNonRoot` of the Pod to true"}
}

test_an_exempt_container_may_say_false if {
	found := run_as_non_root.violation(37) with input as _input({}, [["a", {"securityContext": {"runAsNonRoot": false}}], ["b", {}]], {}, {"runAsNonRoot": ["a"]})
	found == {"check": "runAsNonRoot", "containers": ["b"], "detail": "pod or container \"b\" must set securityContext.runAsNonRoot=true", "fields": ["spec.containers[1].securityContext.runAsNonRoot"], "reason": "runAsNonRoot != true", "remedy": "set `securityContext.runAsNonRoot` of the Pod to true"}
}
