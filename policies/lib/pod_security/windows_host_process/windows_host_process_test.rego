package lib.pod_security.windows_host_process_test

import data.lib.pod_security.windows_host_process

_input(spec, containers, annotations, exempt) := {"context": {"containers": [{"name": name, "path": sprintf("spec.containers[%d]", [index]), "container": container} | some index, [name, container] in containers], "pod": {"path": "spec", "spec": spec, "metadata": {"annotations": annotations}}}, "exempt": exempt}

test_pod_and_containers if {
	found := windows_host_process.violation with input as _input({"securityContext": {"windowsOptions": {"hostProcess": true}}}, [["a", {"securityContext": {"windowsOptions": {"hostProcess": true}}}], ["b", {"securityContext": {"windowsOptions": {"hostProcess": false}}}], ["c", {"securityContext": {"windowsOptions": null}}], ["d", {}]], {}, {})
	found == {"check": "windowsHostProcess", "containers": ["a"], "detail": "pod and container \"a\" must not set securityContext.windowsOptions.hostProcess=true", "fields": ["spec.securityContext.windowsOptions.hostProcess", "spec.containers[0].securityContext.windowsOptions.hostProcess"], "reason": "hostProcess", "remedy": "remove `securityContext.windowsOptions.hostProcess` or set it to false"}
}

test_a_container if {
	found := windows_host_process.violation with input as _input({}, [["a", {"securityContext": {"windowsOptions": {"hostProcess": true}}}]], {}, {})
	found == {"check": "windowsHostProcess", "containers": ["a"], "detail": "container \"a\" must not set securityContext.windowsOptions.hostProcess=true", "fields": ["spec.containers[0].securityContext.windowsOptions.hostProcess"], "reason": "hostProcess", "remedy": "remove `securityContext.windowsOptions.hostProcess` or set it to false"}
}

test_an_exempt_container_is_not_judged if {
	not windows_host_process.violation with input as _input({}, [["a", {"securityContext": {"windowsOptions": {"hostProcess": true}}}]], {}, {"windowsHostProcess": ["a"]})
}
