package lib.pod_security.seccomp_profile_baseline_test

import data.lib.pod_security.seccomp_profile_baseline

_input(spec, containers, annotations, exempt) := {"context": {"containers": [{"name": name, "path": sprintf("spec.containers[%d]", [index]), "container": container} | some index, [name, container] in containers], "pod": {"path": "spec", "spec": spec, "metadata": {"annotations": annotations}}}, "exempt": exempt}

test_fields_are_read_from_19_on if {
	found := seccomp_profile_baseline.violation(19) with input as _input({"securityContext": {"seccompProfile": {"type": "Unconfined"}}}, [["a", {"securityContext": {"seccompProfile": {"type": "x"}}}], ["b", {"securityContext": {"seccompProfile": {"type": "Localhost"}}}]], {"seccomp.security.alpha.kubernetes.io/pod": "unconfined"}, {})
	found == {"check": "seccompProfile_baseline", "containers": ["a"], "detail": "pod and container \"a\" must not set securityContext.seccompProfile.type to \"Unconfined\", \"x\"", "fields": ["spec.securityContext.seccompProfile.type", "spec.containers[0].securityContext.seccompProfile.type"], "reason": "seccompProfile", "remedy": "set `securityContext.seccompProfile.type` to RuntimeDefault or Localhost"}
}

test_annotations_are_read_before if {
	found := seccomp_profile_baseline.violation(18) with input as _input({"securityContext": {"seccompProfile": {"type": "Unconfined"}}}, [["b", {}], ["a", {}]], {"seccomp.security.alpha.kubernetes.io/pod": "un\"confined", "container.seccomp.security.alpha.kubernetes.io/b": "", "container.seccomp.security.alpha.kubernetes.io/a": null, "container.seccomp.security.alpha.kubernetes.io/gone": "unconfined"}, {})
	found == {"check": "seccompProfile_baseline", "containers": ["b", "a"], "detail": "forbidden annotations container.seccomp.security.alpha.kubernetes.io/a=\"\", container.seccomp.security.alpha.kubernetes.io/b=\"\", seccomp.security.alpha.kubernetes.io/pod=\"un\\\"confined\"", "fields": ["metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]", "metadata.annotations[container.seccomp.security.alpha.kubernetes.io/b]", "metadata.annotations[container.seccomp.security.alpha.kubernetes.io/a]"], "reason": "seccompProfile", "remedy": "set the annotations to runtime/default, or remove them"}
}

test_one_annotation if {
	found := seccomp_profile_baseline.violation(18) with input as _input({}, [["a", {}]], {"seccomp.security.alpha.kubernetes.io/pod": "unconfined"}, {})
	found == {"check": "seccompProfile_baseline", "containers": [], "detail": "forbidden annotation seccomp.security.alpha.kubernetes.io/pod=\"unconfined\"", "fields": ["metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]"], "reason": "seccompProfile", "remedy": "set the annotations to runtime/default, or remove them"}
}

test_profiles_that_are_allowed if {
	not seccomp_profile_baseline.violation(18) with input as _input({}, [["a", {}], ["b", {}]], {"seccomp.security.alpha.kubernetes.io/pod": "runtime/default", "container.seccomp.security.alpha.kubernetes.io/a": "docker/default", "container.seccomp.security.alpha.kubernetes.io/b": "localhost/x"}, {})
}

test_an_exempt_container_is_not_judged if {
	found := seccomp_profile_baseline.violation(18) with input as _input({}, [["a", {}], ["b", {}]], {"container.seccomp.security.alpha.kubernetes.io/a": "x", "container.seccomp.security.alpha.kubernetes.io/b": "y"}, {"seccompProfile_baseline": ["a"]})
	found == {"check": "seccompProfile_baseline", "containers": ["b"], "detail": "forbidden annotation container.seccomp.security.alpha.kubernetes.io/b=\"y\"", "fields": ["metadata.annotations[container.seccomp.security.alpha.kubernetes.io/b]"], "reason": "seccompProfile", "remedy": "set the annotations to runtime/default, or remove them"}
}

test_an_exempt_container_is_not_judged_by_fields if {
	not seccomp_profile_baseline.violation(37) with input as _input({}, [["a", {"securityContext": {"seccompProfile": {"type": "x"}}}]], {}, {"seccompProfile_baseline": ["a"]})
}
