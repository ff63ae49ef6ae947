package lib.pod_security.seccomp_test

import data.lib.pod_security.seccomp

_input(spec, containers, annotations, exempt) := {"context": {"containers": [{"name": name, "path": sprintf("spec.containers[%d]", [index]), "container": container} | some index, [name, container] in containers], "pod": {"path": "spec", "spec": spec, "metadata": {"annotations": annotations}}}, "exempt": exempt}

test_pod_and_containers if {
	found := seccomp.explicit("c") with input as _input({"securityContext": {"seccompProfile": {"type": "Unconfined"}}}, [["a", {"securityContext": {"seccompProfile": {"type": "other"}}}], ["b", {"securityContext": {"seccompProfile": {}}}], ["c", {"securityContext": {"seccompProfile": {"type": "Localhost"}}}], ["d", {"securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}}], ["e", {}], ["f", {"securityContext": {"seccompProfile": null}}], ["g", {"securityContext": {"seccompProfile": {"type": "other"}}}], ["h", {"securityContext": {"seccompProfile": {"type": null}}}]], {}, {})
	found == {"check": "c", "containers": ["a", "b", "g", "h"], "detail": "pod and containers \"a\", \"b\", \"g\", \"h\" must not set securityContext.seccompProfile.type to \"\", \"Unconfined\", \"other\"", "fields": ["spec.securityContext.seccompProfile.type", "spec.containers[0].securityContext.seccompProfile.type", "spec.containers[1].securityContext.seccompProfile.type", "spec.containers[6].securityContext.seccompProfile.type", "spec.containers[7].securityContext.seccompProfile.type"], "reason": "seccompProfile", "remedy": "set `securityContext.seccompProfile.type` to RuntimeDefault or Localhost"}
}

test_a_container if {
	found := seccomp.explicit("c") with input as _input({"securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}}, [["a", {"securityContext": {"seccompProfile": {"type": "Unconfined"}}}]], {}, {})
	found == {"check": "c", "containers": ["a"], "detail": "container \"a\" must not set securityContext.seccompProfile.type to \"Unconfined\"", "fields": ["spec.containers[0].securityContext.seccompProfile.type"], "reason": "seccompProfile", "remedy": "set `securityContext.seccompProfile.type` to RuntimeDefault or Localhost"}
}

test_nothing_is_said if {
	not seccomp.explicit("c") with input as _input({}, [["a", {}]], {}, {})
}

test_an_exempt_container_is_not_judged if {
	not seccomp.explicit("c") with input as _input({}, [["a", {"securityContext": {"seccompProfile": {"type": "Unconfined"}}}]], {}, {"c": ["a"]})
}

test_a_profile_that_is_allowed if {
	found := seccomp.is_good({"securityContext": {"seccompProfile": {"type": "Localhost"}}}) with input as _input({}, [], {}, {})
	found == true
}

test_a_profile_that_is_not_allowed if {
	not seccomp.is_good({"securityContext": {"seccompProfile": {"type": "Unconfined"}}}) with input as _input({}, [], {}, {})
}

test_no_profile if {
	not seccomp.is_good({}) with input as _input({}, [], {}, {})
}
