package lib.pod_security.host_ports_test

import data.lib.pod_security.host_ports

_input(spec, containers, annotations, exempt) := {"context": {"containers": [{"name": name, "path": sprintf("spec.containers[%d]", [index]), "container": container} | some index, [name, container] in containers], "pod": {"path": "spec", "spec": spec, "metadata": {"annotations": annotations}}}, "exempt": exempt}

test_ports_are_sorted_as_strings_and_named_once if {
	found := host_ports.violation with input as _input({}, [["app", {"ports": [{"containerPort": 80, "hostPort": 9090}, {"containerPort": 81}, {"hostPort": 10250}]}], ["log", {"ports": [{"hostPort": 443}, {"hostPort": 9090}]}], ["fine", {"ports": [{"hostPort": 0}, {"hostPort": null}]}], ["null", {"ports": null}]], {}, {})
	found == {"check": "hostPorts", "containers": ["app", "log"], "detail": "containers \"app\", \"log\" use hostPorts 10250, 443, 9090", "fields": ["spec.containers[0].ports[0].hostPort", "spec.containers[0].ports[2].hostPort", "spec.containers[1].ports[0].hostPort", "spec.containers[1].ports[1].hostPort"], "reason": "hostPort", "remedy": "remove `hostPort` and let a Service make the port known"}
}

test_one_port if {
	found := host_ports.violation with input as _input({}, [["app", {"ports": [{"hostPort": 80}]}]], {}, {})
	found == {"check": "hostPorts", "containers": ["app"], "detail": "container \"app\" uses hostPort 80", "fields": ["spec.containers[0].ports[0].hostPort"], "reason": "hostPort", "remedy": "remove `hostPort` and let a Service make the port known"}
}

test_an_exempt_container_is_not_judged if {
	not host_ports.violation with input as _input({}, [["app", {"ports": [{"hostPort": 80}]}]], {}, {"hostPorts": ["app"]})
}
