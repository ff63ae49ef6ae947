package lib.pod_security.allow_privilege_escalation_test

import data.lib.pod_security.allow_privilege_escalation

_input(spec, containers, annotations, exempt) := {"context": {"containers": [{"name": name, "path": sprintf("spec.containers[%d]", [index]), "container": container} | some index, [name, container] in containers], "pod": {"path": "spec", "spec": spec, "metadata": {"annotations": annotations}}}, "exempt": exempt}

test_whoever_does_not_say_false_is_named if {
	found := allow_privilege_escalation.violation(37) with input as _input({}, [["false", {"securityContext": {"allowPrivilegeEscalation": false}}], ["true", {"securityContext": {"allowPrivilegeEscalation": true}}], ["null", {"securityContext": {"allowPrivilegeEscalation": null}}], ["nothing", {}], ["none", {"securityContext": null}]], {}, {})
	found == {"check": "allowPrivilegeEscalation", "containers": ["true", "null", "nothing", "none"], "detail": "containers \"true\", \"null\", \"nothing\", \"none\" must set securityContext.allowPrivilegeEscalation=false", "fields": ["spec.containers[1].securityContext.allowPrivilegeEscalation", "spec.containers[2].securityContext.allowPrivilegeEscalation", "spec.containers[3].securityContext.allowPrivilegeEscalation", "spec.containers[4].securityContext.allowPrivilegeEscalation"], "reason": "allowPrivilegeEscalation != false", "remedy": "set `securityContext.allowPrivilegeEscalation` of each container to false"}
}

test_false_is_fine if {
	not allow_privilege_escalation.violation(37) with input as _input({}, [["app", {"securityContext": {"allowPrivilegeEscalation": false}}]], {}, {})
}

test_windows_is_skipped_from_25_on if {
	not allow_privilege_escalation.violation(25) with input as _input({"os": {"name": "windows"}}, [["app", {}]], {}, {})
}

test_windows_is_not_skipped_before if {
	found := allow_privilege_escalation.violation(24) with input as _input({"os": {"name": "windows"}}, [["app", {}]], {}, {})
	found == {"check": "allowPrivilegeEscalation", "containers": ["app"], "detail": "container \"app\" must set securityContext.allowPrivilegeEscalation=false", "fields": ["spec.containers[0].securityContext.allowPrivilegeEscalation"], "reason": "allowPrivilegeEscalation != false", "remedy": "set `securityContext.allowPrivilegeEscalation` of each container to false"}
}

test_linux_is_not_skipped if {
	found := allow_privilege_escalation.violation(25) with input as _input({"os": {"name": "linux"}}, [["app", {}]], {}, {})
	found == {"check": "allowPrivilegeEscalation", "containers": ["app"], "detail": "container \"app\" must set securityContext.allowPrivilegeEscalation=false", "fields": ["spec.containers[0].securityContext.allowPrivilegeEscalation"], "reason": "allowPrivilegeEscalation != false", "remedy": "set `securityContext.allowPrivilegeEscalation` of each container to false"}
}

test_an_exempt_container_is_not_judged if {
	found := allow_privilege_escalation.violation(37) with input as _input({}, [["app", {}], ["proxy", {}]], {}, {"allowPrivilegeEscalation": ["proxy"]})
	found == {"check": "allowPrivilegeEscalation", "containers": ["app"], "detail": "container \"app\" must set securityContext.allowPrivilegeEscalation=false", "fields": ["spec.containers[0].securityContext.allowPrivilegeEscalation"], "reason": "allowPrivilegeEscalation != false", "remedy": "set `securityContext.allowPrivilegeEscalation` of each container to false"}
}
