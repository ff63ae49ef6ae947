package lib.pod_security.capabilities_baseline_test

import data.lib.pod_security.capabilities_baseline

_input(spec, containers, annotations, exempt) := {"context": {"containers": [{"name": name, "path": sprintf("spec.containers[%d]", [index]), "container": container} | some index, [name, container] in containers], "pod": {"path": "spec", "spec": spec, "metadata": {"annotations": annotations}}}, "exempt": exempt}

test_what_is_added_beyond_the_usual_is_named_once if {
	found := capabilities_baseline.violation with input as _input({}, [["a", {"securityContext": {"capabilities": {"add": ["NET_RAW", "CHOWN", "chown"]}}}], ["b", {"securityContext": {"capabilities": {"add": ["CHOWN"]}}}], ["c", {"securityContext": {"capabilities": {"add": ["NET_RAW", null]}}}], ["d", {}], ["e", {"securityContext": {"capabilities": null}}], ["f", {"securityContext": {"capabilities": {"add": null}}}]], {}, {})
	found == {"check": "capabilities_baseline", "containers": ["a", "c"], "detail": "containers \"a\", \"c\" must not include \"\", \"NET_RAW\", \"chown\" in securityContext.capabilities.add", "fields": ["spec.containers[0].securityContext.capabilities.add", "spec.containers[2].securityContext.capabilities.add"], "reason": "non-default capabilities", "remedy": "remove \"\", \"NET_RAW\", \"chown\" from `securityContext.capabilities.add`"}
}

test_the_usual_ones_are_fine if {
	not capabilities_baseline.violation with input as _input({}, [["a", {"securityContext": {"capabilities": {"add": ["AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"]}}}]], {}, {})
}

test_an_exempt_container_is_not_judged if {
	found := capabilities_baseline.violation with input as _input({}, [["a", {"securityContext": {"capabilities": {"add": ["NET_RAW"]}}}], ["b", {"securityContext": {"capabilities": {"add": ["SYS_TIME"]}}}]], {}, {"capabilities_baseline": ["a"]})
	found == {"check": "capabilities_baseline", "containers": ["b"], "detail": "container \"b\" must not include \"SYS_TIME\" in securityContext.capabilities.add", "fields": ["spec.containers[1].securityContext.capabilities.add"], "reason": "non-default capabilities", "remedy": "remove \"SYS_TIME\" from `securityContext.capabilities.add`"}
}
