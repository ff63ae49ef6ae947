package lib.pod_security.run_as_user_test

import data.lib.pod_security.run_as_user

_input(spec, containers, annotations, exempt) := {"context": {"containers": [{"name": name, "path": sprintf("spec.containers[%d]", [index]), "container": container} | some index, [name, container] in containers], "pod": {"path": "spec", "spec": spec, "metadata": {"annotations": annotations}}}, "exempt": exempt}

test_root_of_pod_and_containers if {
	found := run_as_user.violation(37) with input as _input({"securityContext": {"runAsUser": 0}}, [["a", {"securityContext": {"runAsUser": 0}}], ["b", {"securityContext": {"runAsUser": 1}}], ["c", {"securityContext": {"runAsUser": null}}], ["d", {}], ["e", {"securityContext": {"runAsUser": 0}}]], {}, {})
	found == {"check": "runAsUser", "containers": ["a", "e"], "detail": "pod and containers \"a\", \"e\" must not set runAsUser=0", "fields": ["spec.securityContext.runAsUser", "spec.containers[0].securityContext.runAsUser", "spec.containers[4].securityContext.runAsUser"], "reason": "runAsUser=0", "remedy": "remove `securityContext.runAsUser` or set it to another user than 0"}
}

test_root_of_a_container if {
	found := run_as_user.violation(37) with input as _input({}, [["a", {"securityContext": {"runAsUser": 0}}]], {}, {})
	found == {"check": "runAsUser", "containers": ["a"], "detail": "container \"a\" must not set runAsUser=0", "fields": ["spec.containers[0].securityContext.runAsUser"], "reason": "runAsUser=0", "remedy": "remove `securityContext.runAsUser` or set it to another user than 0"}
}

test_another_user_is_fine if {
	not run_as_user.violation(37) with input as _input({"securityContext": {"runAsUser": 1}}, [["a", {}]], {}, {})
}

test_user_namespaces_are_skipped_from_35_on if {
	not run_as_user.violation(35) with input as _input({"hostUsers": false}, [["a", {"securityContext": {"runAsUser": 0}}]], {}, {})
}

test_user_namespaces_are_not_skipped_before if {
	found := run_as_user.violation(34) with input as _input({"hostUsers": false}, [["a", {"securityContext": {"runAsUser": 0}}]], {}, {})
	found == {"check": "runAsUser", "containers": ["a"], "detail": "container \"a\" must not set runAsUser=0", "fields": ["spec.containers[0].securityContext.runAsUser"], "reason": "runAsUser=0", "remedy": "remove `securityContext.runAsUser` or set it to another user than 0"}
}

test_an_exempt_container_is_not_judged if {
	not run_as_user.violation(37) with input as _input({}, [["a", {"securityContext": {"runAsUser": 0}}]], {}, {"runAsUser": ["a"]})
}
