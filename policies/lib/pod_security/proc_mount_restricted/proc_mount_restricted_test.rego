package lib.pod_security.proc_mount_restricted_test

import data.lib.pod_security.proc_mount_restricted

_input(spec, containers, annotations, exempt) := {"context": {"containers": [{"name": name, "path": sprintf("spec.containers[%d]", [index]), "container": container} | some index, [name, container] in containers], "pod": {"path": "spec", "spec": spec, "metadata": {"annotations": annotations}}}, "exempt": exempt}

test_other_mounts_are_named if {
	found := proc_mount_restricted.violation with input as _input({}, [["a", {"securityContext": {"procMount": "Unmasked"}}], ["b", {"securityContext": {"procMount": "Default"}}], ["c", {"securityContext": {"procMount": ""}}], ["d", {"securityContext": {"procMount": null}}], ["e", {}], ["f", {"securityContext": {"procMount": "Unmasked"}}]], {}, {})
	found == {"check": "procMount_restricted", "containers": ["a", "c", "f"], "detail": "containers \"a\", \"c\", \"f\" must not set securityContext.procMount to \"\", \"Unmasked\"", "fields": ["spec.containers[0].securityContext.procMount", "spec.containers[2].securityContext.procMount", "spec.containers[5].securityContext.procMount"], "reason": "procMount", "remedy": "remove `securityContext.procMount` or set it to Default"}
}

test_an_exempt_container_is_not_judged if {
	not proc_mount_restricted.violation with input as _input({}, [["a", {"securityContext": {"procMount": "Unmasked"}}]], {}, {"procMount_restricted": ["a"]})
}

test_user_namespaces_are_not_skipped if {
	found := proc_mount_restricted.violation with input as _input({"hostUsers": false}, [["a", {"securityContext": {"procMount": "Unmasked"}}]], {}, {})
	found == {"check": "procMount_restricted", "containers": ["a"], "detail": "container \"a\" must not set securityContext.procMount to \"Unmasked\"", "fields": ["spec.containers[0].securityContext.procMount"], "reason": "procMount", "remedy": "remove `securityContext.procMount` or set it to Default"}
}
