package lib.pod_security.capabilities_restricted_test

import data.lib.pod_security.capabilities_restricted

_input(spec, containers, annotations, exempt) := {"context": {"containers": [{"name": name, "path": sprintf("spec.containers[%d]", [index]), "container": container} | some index, [name, container] in containers], "pod": {"path": "spec", "spec": spec, "metadata": {"annotations": annotations}}}, "exempt": exempt}

test_who_keeps_some_and_who_adds_some if {
	found := capabilities_restricted.violation(37) with input as _input({}, [["good", {"securityContext": {"capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]}}}], ["both", {"securityContext": {"capabilities": {"add": ["CHOWN", "NET_ADMIN"], "drop": ["NET_RAW"]}}}], ["adds", {"securityContext": {"capabilities": {"add": ["CHOWN", null], "drop": ["ALL", "KILL"]}}}], ["nothing", {}], ["null", {"securityContext": {"capabilities": null}}], ["lower", {"securityContext": {"capabilities": {"drop": ["all"]}}}]], {}, {})
	found == {"check": "capabilities_restricted", "containers": ["both", "adds", "nothing", "null", "lower"], "detail": "containers \"both\", \"nothing\", \"null\", \"lower\" must set securityContext.capabilities.drop=[\"ALL\"]; containers \"both\", \"adds\" must not include \"\", \"CHOWN\", \"NET_ADMIN\" in securityContext.capabilities.add", "fields": ["spec.containers[1].securityContext.capabilities.drop", "spec.containers[3].securityContext.capabilities.drop", "spec.containers[4].securityContext.capabilities.drop", "spec.containers[5].securityContext.capabilities.drop", "spec.containers[1].securityContext.capabilities.add", "spec.containers[2].securityContext.capabilities.add"], "reason": "unrestricted capabilities", "remedy": "set `securityContext.capabilities.drop` of each container to [ALL] and add at most NET_BIND_SERVICE"}
}

test_who_only_keeps_some if {
	found := capabilities_restricted.violation(37) with input as _input({}, [["a", {}]], {}, {})
	found == {"check": "capabilities_restricted", "containers": ["a"], "detail": "container \"a\" must set securityContext.capabilities.drop=[\"ALL\"]", "fields": ["spec.containers[0].securityContext.capabilities.drop"], "reason": "unrestricted capabilities", "remedy": "set `securityContext.capabilities.drop` of each container to [ALL] and add at most NET_BIND_SERVICE"}
}

test_who_only_adds_some if {
	found := capabilities_restricted.violation(37) with input as _input({}, [["a", {"securityContext": {"capabilities": {"add": ["CHOWN"], "drop": ["ALL"]}}}]], {}, {})
	found == {"check": "capabilities_restricted", "containers": ["a"], "detail": "container \"a\" must not include \"CHOWN\" in securityContext.capabilities.add", "fields": ["spec.containers[0].securityContext.capabilities.add"], "reason": "unrestricted capabilities", "remedy": "set `securityContext.capabilities.drop` of each container to [ALL] and add at most NET_BIND_SERVICE"}
}

test_all_dropped_is_fine if {
	not capabilities_restricted.violation(37) with input as _input({}, [["good", {"securityContext": {"capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]}}}], ["none", {"securityContext": {"capabilities": {"drop": ["ALL"]}}}]], {}, {})
}

test_windows_is_skipped_from_25_on if {
	not capabilities_restricted.violation(25) with input as _input({"os": {"name": "windows"}}, [["app", {}]], {}, {})
}

test_windows_is_not_skipped_before if {
	found := capabilities_restricted.violation(24) with input as _input({"os": {"name": "windows"}}, [["app", {}]], {}, {})
	found == {"check": "capabilities_restricted", "containers": ["app"], "detail": "container \"app\" must set securityContext.capabilities.drop=[\"ALL\"]", "fields": ["spec.containers[0].securityContext.capabilities.drop"], "reason": "unrestricted capabilities", "remedy": "set `securityContext.capabilities.drop` of each container to [ALL] and add at most NET_BIND_SERVICE"}
}

test_an_exempt_container_is_not_judged if {
	found := capabilities_restricted.violation(37) with input as _input({}, [["app", {}], ["proxy", {}]], {}, {"capabilities_restricted": ["proxy"]})
	found == {"check": "capabilities_restricted", "containers": ["app"], "detail": "container \"app\" must set securityContext.capabilities.drop=[\"ALL\"]", "fields": ["spec.containers[0].securityContext.capabilities.drop"], "reason": "unrestricted capabilities", "remedy": "set `securityContext.capabilities.drop` of each container to [ALL] and add at most NET_BIND_SERVICE"}
}
