package lib.pod_security.se_linux_options_test

import data.lib.pod_security.se_linux_options

_input(spec, containers, annotations, exempt) := {"context": {"containers": [{"name": name, "path": sprintf("spec.containers[%d]", [index]), "container": container} | some index, [name, container] in containers], "pod": {"path": "spec", "spec": spec, "metadata": {"annotations": annotations}}}, "exempt": exempt}

test_types_together_then_user_and_role if {
	found := se_linux_options.violation(37) with input as _input({"securityContext": {"seLinuxOptions": {"type": "spc_t", "user": "u"}}}, [["a", {"securityContext": {"seLinuxOptions": {"type": "other_t", "role": "r"}}}], ["b", {"securityContext": {"seLinuxOptions": {"type": "container_t", "level": "s0"}}}], ["c", {"securityContext": {"seLinuxOptions": {"type": "spc_t"}}}], ["d", {}], ["e", {"securityContext": {"seLinuxOptions": null}}], ["f", {"securityContext": {"seLinuxOptions": {"type": "", "user": "", "role": ""}}}], ["g", {"securityContext": {"seLinuxOptions": {"type": null}}}]], {}, {})
	found == {"check": "seLinuxOptions", "containers": ["a", "c"], "detail": "pod and containers \"a\", \"c\" set forbidden securityContext.seLinuxOptions: types \"other_t\", \"spc_t\"; user may not be set; role may not be set", "fields": ["spec.securityContext.seLinuxOptions.type", "spec.securityContext.seLinuxOptions.user", "spec.containers[0].securityContext.seLinuxOptions.type", "spec.containers[0].securityContext.seLinuxOptions.role", "spec.containers[2].securityContext.seLinuxOptions.type"], "reason": "seLinuxOptions", "remedy": "remove `user`, `role` and a `type` of your own from `securityContext.seLinuxOptions`"}
}

test_one_type if {
	found := se_linux_options.violation(37) with input as _input({}, [["a", {"securityContext": {"seLinuxOptions": {"type": "spc_t"}}}]], {}, {})
	found == {"check": "seLinuxOptions", "containers": ["a"], "detail": "container \"a\" set forbidden securityContext.seLinuxOptions: type \"spc_t\"", "fields": ["spec.containers[0].securityContext.seLinuxOptions.type"], "reason": "seLinuxOptions", "remedy": "remove `user`, `role` and a `type` of your own from `securityContext.seLinuxOptions`"}
}

test_user_alone if {
	found := se_linux_options.violation(37) with input as _input({"securityContext": {"seLinuxOptions": {"user": "u"}}}, [], {}, {})
	found == {"check": "seLinuxOptions", "containers": [], "detail": "pod set forbidden securityContext.seLinuxOptions: user may not be set", "fields": ["spec.securityContext.seLinuxOptions.user"], "reason": "seLinuxOptions", "remedy": "remove `user`, `role` and a `type` of your own from `securityContext.seLinuxOptions`"}
}

test_container_engines_before_31 if {
	found := se_linux_options.violation(30) with input as _input({}, [["a", {"securityContext": {"seLinuxOptions": {"type": "container_engine_t"}}}]], {}, {})
	found == {"check": "seLinuxOptions", "containers": ["a"], "detail": "container \"a\" set forbidden securityContext.seLinuxOptions: type \"container_engine_t\"", "fields": ["spec.containers[0].securityContext.seLinuxOptions.type"], "reason": "seLinuxOptions", "remedy": "remove `user`, `role` and a `type` of your own from `securityContext.seLinuxOptions`"}
}

test_container_engines_from_31_on if {
	not se_linux_options.violation(31) with input as _input({}, [["a", {"securityContext": {"seLinuxOptions": {"type": "container_engine_t"}}}]], {}, {})
}

test_an_exempt_container_is_not_judged if {
	not se_linux_options.violation(37) with input as _input({}, [["a", {"securityContext": {"seLinuxOptions": {"type": "spc_t"}}}]], {}, {"seLinuxOptions": ["a"]})
}
