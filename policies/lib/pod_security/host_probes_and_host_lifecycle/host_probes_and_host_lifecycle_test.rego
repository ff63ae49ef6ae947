package lib.pod_security.host_probes_and_host_lifecycle_test

import data.lib.pod_security.host_probes_and_host_lifecycle

_input(spec, containers, annotations, exempt) := {"context": {"containers": [{"name": name, "path": sprintf("spec.containers[%d]", [index]), "container": container} | some index, [name, container] in containers], "pod": {"path": "spec", "spec": spec, "metadata": {"annotations": annotations}}}, "exempt": exempt}

test_every_probe_and_handler_is_looked_at if {
	found := host_probes_and_host_lifecycle.violation with input as _input({}, [["b", {"livenessProbe": {"httpGet": {"host": "h1"}}, "readinessProbe": {"tcpSocket": {"host": "h2"}}, "startupProbe": {"httpGet": {"host": "h3"}, "exec": {}}}], ["a", {"lifecycle": {"postStart": {"tcpSocket": {"host": "h4"}}, "preStop": {"httpGet": {"host": "h1"}}}}], ["c", {"livenessProbe": {"httpGet": {"host": ""}}, "readinessProbe": {"tcpSocket": {"host": null}}, "startupProbe": null, "lifecycle": {"preStop": null}}], ["d", {"lifecycle": null}]], {}, {})
	found == {"check": "hostProbesAndHostLifecycle", "containers": ["b", "a"], "detail": "containers \"a\", \"b\" use probe or lifecycle hosts \"h1\", \"h2\", \"h3\", \"h4\"", "fields": ["spec.containers[0].livenessProbe.httpGet.host", "spec.containers[0].readinessProbe.tcpSocket.host", "spec.containers[0].startupProbe.httpGet.host", "spec.containers[1].lifecycle.postStart.tcpSocket.host", "spec.containers[1].lifecycle.preStop.httpGet.host"], "reason": "probe or lifecycle host", "remedy": "remove `host` of probes and lifecycle handlers: the container itself is meant then"}
}

test_one_host if {
	found := host_probes_and_host_lifecycle.violation with input as _input({}, [["a", {"livenessProbe": {"httpGet": {"host": "127.0.0.1"}}}]], {}, {})
	found == {"check": "hostProbesAndHostLifecycle", "containers": ["a"], "detail": "container \"a\" uses probe or lifecycle host \"127.0.0.1\"", "fields": ["spec.containers[0].livenessProbe.httpGet.host"], "reason": "probe or lifecycle host", "remedy": "remove `host` of probes and lifecycle handlers: the container itself is meant then"}
}

test_an_exempt_container_is_not_judged if {
	not host_probes_and_host_lifecycle.violation with input as _input({}, [["a", {"livenessProbe": {"httpGet": {"host": "x"}}}]], {}, {"hostProbesAndHostLifecycle": ["a"]})
}
