package lib.pod_security.sysctls_test

import data.lib.pod_security.sysctls

_input(spec, containers, annotations, exempt) := {"context": {"containers": [{"name": name, "path": sprintf("spec.containers[%d]", [index]), "container": container} | some index, [name, container] in containers], "pod": {"path": "spec", "spec": spec, "metadata": {"annotations": annotations}}}, "exempt": exempt}

test_those_not_allowed_are_named_in_their_order if {
	found := sysctls.violation(37) with input as _input({"securityContext": {"sysctls": [{"name": "net.core.somaxconn"}, {"name": "kernel.shm_rmid_forced"}, {"name": "kernel.msgmax"}, {"name": "net.core.somaxconn"}, {"name": null}, {}]}}, [], {}, {})
	found == {"check": "sysctls", "containers": [], "detail": "net.core.somaxconn, kernel.msgmax, net.core.somaxconn, , ", "fields": ["spec.securityContext.sysctls[0].name", "spec.securityContext.sysctls[2].name", "spec.securityContext.sysctls[3].name", "spec.securityContext.sysctls[4].name", "spec.securityContext.sysctls[5].name"], "reason": "forbidden sysctls", "remedy": "remove these of `securityContext.sysctls`"}
}

test_what_a_later_version_allows_is_forbidden if {
	found := sysctls.violation(28) with input as _input({"securityContext": {"sysctls": [{"name": "net.ipv4.tcp_keepalive_time", "value": "1"}, {"name": "net.ipv4.ip_local_reserved_ports", "value": "1"}]}}, [], {}, {})
	found == {"check": "sysctls", "containers": [], "detail": "net.ipv4.tcp_keepalive_time", "fields": ["spec.securityContext.sysctls[0].name"], "reason": "forbidden sysctls", "remedy": "remove these of `securityContext.sysctls`"}
}

test_and_allowed_from_then_on if {
	not sysctls.violation(29) with input as _input({"securityContext": {"sysctls": [{"name": "net.ipv4.tcp_keepalive_time", "value": "1"}]}}, [], {}, {})
}

test_no_sysctls if {
	not sysctls.violation(37) with input as _input({"securityContext": {"sysctls": null}}, [], {}, {})
}
