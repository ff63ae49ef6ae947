package lib.pod_security.host_namespaces_test

import data.lib.pod_security.host_namespaces

_input(spec, containers, annotations, exempt) := {"context": {"containers": [{"name": name, "path": sprintf("spec.containers[%d]", [index]), "container": container} | some index, [name, container] in containers], "pod": {"path": "spec", "spec": spec, "metadata": {"annotations": annotations}}}, "exempt": exempt}

test_those_that_are_shared_are_named_in_order if {
	found := host_namespaces.violation with input as _input({"hostIPC": true, "hostNetwork": true, "hostPID": true}, [], {}, {})
	found == {"check": "hostNamespaces", "containers": [], "detail": "hostNetwork=true, hostPID=true, hostIPC=true", "fields": ["spec.hostNetwork", "spec.hostPID", "spec.hostIPC"], "reason": "host namespaces", "remedy": "remove `hostNetwork`, `hostPID`, `hostIPC`"}
}

test_false_is_not_shared if {
	found := host_namespaces.violation with input as _input({"hostIPC": true, "hostNetwork": false, "hostPID": null}, [], {}, {})
	found == {"check": "hostNamespaces", "containers": [], "detail": "hostIPC=true", "fields": ["spec.hostIPC"], "reason": "host namespaces", "remedy": "remove `hostIPC`"}
}

test_nothing_is_shared if {
	not host_namespaces.violation with input as _input({"hostUsers": true}, [], {}, {})
}
