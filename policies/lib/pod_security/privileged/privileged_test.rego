package lib.pod_security.privileged_test

import data.lib.pod_security.privileged

_input(spec, containers, annotations, exempt) := {"context": {"containers": [{"name": name, "path": sprintf("spec.containers[%d]", [index]), "container": container} | some index, [name, container] in containers], "pod": {"path": "spec", "spec": spec, "metadata": {"annotations": annotations}}}, "exempt": exempt}

test_each_privileged_container_is_named if {
	found := privileged.violation with input as _input({}, [["setup", {"securityContext": {"privileged": true}}], ["app", {"securityContext": {"privileged": false}}], ["log", {"securityContext": {"privileged": true}}], ["plain", {}], ["null", {"securityContext": {"privileged": null}}]], {}, {})
	found == {"check": "privileged", "containers": ["setup", "log"], "detail": "containers \"setup\", \"log\" must not set securityContext.privileged=true", "fields": ["spec.containers[0].securityContext.privileged", "spec.containers[2].securityContext.privileged"], "reason": "privileged", "remedy": "remove `securityContext.privileged` or set it to false"}
}

test_one_container if {
	found := privileged.violation with input as _input({}, [["app", {"securityContext": {"privileged": true}}]], {}, {})
	found == {"check": "privileged", "containers": ["app"], "detail": "container \"app\" must not set securityContext.privileged=true", "fields": ["spec.containers[0].securityContext.privileged"], "reason": "privileged", "remedy": "remove `securityContext.privileged` or set it to false"}
}

test_an_exempt_container_is_not_judged if {
	not privileged.violation with input as _input({}, [["app", {"securityContext": {"privileged": true}}]], {}, {"privileged": ["app"]})
}
