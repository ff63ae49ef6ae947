package lib.pod_security.seccomp_profile_restricted_test

import data.lib.pod_security.seccomp_profile_restricted

_input(spec, containers, annotations, exempt) := {"context": {"containers": [{"name": name, "path": sprintf("spec.containers[%d]", [index]), "container": container} | some index, [name, container] in containers], "pod": {"path": "spec", "spec": spec, "metadata": {"annotations": annotations}}}, "exempt": exempt}

test_nobody_says_anything if {
	found := seccomp_profile_restricted.violation(37) with input as _input({}, [["a", {}], ["b", {"securityContext": {"seccompProfile": {"type": "Localhost"}}}], ["c", {"securityContext": {"seccompProfile": null}}]], {}, {})
	found == {"check": "seccompProfile_restricted", "containers": ["a", "c"], "detail": "pod or containers \"a\", \"c\" must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"", "fields": ["spec.containers[0].securityContext.seccompProfile", "spec.containers[2].securityContext.seccompProfile"], "reason": "seccompProfile", "remedy": "set `securityContext.seccompProfile.type` of the Pod to RuntimeDefault"}
}

test_a_bad_one_masks_those_that_say_nothing if {
	found := seccomp_profile_restricted.violation(37) with input as _input({"securityContext": {"seccompProfile": {"type": "Unconfined"}}}, [["a", {}], ["b", {"securityContext": {"seccompProfile": {"type": "x"}}}]], {}, {})
	found == {"check": "seccompProfile_restricted", "containers": ["b"], "detail": "pod and container \"b\" must not set securityContext.seccompProfile.type to \"Unconfined\", \"x\"", "fields": ["spec.securityContext.seccompProfile.type", "spec.containers[1].securityContext.seccompProfile.type"], "reason": "seccompProfile", "remedy": "set `securityContext.seccompProfile.type` to RuntimeDefault or Localhost"}
}

test_the_pod_says_it_for_all if {
	not seccomp_profile_restricted.violation(37) with input as _input({"securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}}, [["a", {}]], {}, {})
}

test_windows_is_skipped_from_25_on if {
	not seccomp_profile_restricted.violation(25) with input as _input({"os": {"name": "windows"}, "securityContext": {"seccompProfile": {"type": "x"}}}, [["app", {}]], {}, {})
}

test_windows_is_not_skipped_before if {
	found := seccomp_profile_restricted.violation(24) with input as _input({"os": {"name": "windows"}}, [["app", {}]], {}, {})
	found == {"check": "seccompProfile_restricted", "containers": ["app"], "detail": "pod or container \"app\" must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"", "fields": ["spec.containers[0].securityContext.seccompProfile"], "reason": "seccompProfile", "remedy": "set `securityContext.seccompProfile.type` of the Pod to RuntimeDefault"}
}

test_an_exempt_container_need_not_say_it if {
	found := seccomp_profile_restricted.violation(37) with input as _input({}, [["a", {}], ["b", {}]], {}, {"seccompProfile_restricted": ["a"]})
	found == {"check": "seccompProfile_restricted", "containers": ["b"], "detail": "pod or container \"b\" must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"", "fields": ["spec.containers[1].securityContext.seccompProfile"], "reason": "seccompProfile", "remedy": "set `securityContext.seccompProfile.type` of the Pod to RuntimeDefault"}
}
