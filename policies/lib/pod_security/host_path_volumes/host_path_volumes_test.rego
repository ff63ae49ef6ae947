package lib.pod_security.host_path_volumes_test

import data.lib.pod_security.host_path_volumes

_input(spec, containers, annotations, exempt) := {"context": {"containers": [{"name": name, "path": sprintf("spec.containers[%d]", [index]), "container": container} | some index, [name, container] in containers], "pod": {"path": "spec", "spec": spec, "metadata": {"annotations": annotations}}}, "exempt": exempt}

test_volumes_of_the_node_are_named if {
	found := host_path_volumes.violation with input as _input({"volumes": [{"name": "a", "hostPath": {"path": "/"}}, {"name": "b", "emptyDir": {}}, {"name": "c", "hostPath": {}}, {"hostPath": {"path": "/x"}}]}, [], {}, {})
	found == {"check": "hostPathVolumes", "containers": [], "detail": "volumes \"a\", \"c\", \"\"", "fields": ["spec.volumes[0].hostPath", "spec.volumes[2].hostPath", "spec.volumes[3].hostPath"], "reason": "hostPath volumes", "remedy": "take another source for the volume, such as emptyDir, configMap or persistentVolumeClaim"}
}

test_one_volume if {
	found := host_path_volumes.violation with input as _input({"volumes": [{"name": "a", "hostPath": {"path": "/"}}]}, [], {}, {})
	found == {"check": "hostPathVolumes", "containers": [], "detail": "volume \"a\"", "fields": ["spec.volumes[0].hostPath"], "reason": "hostPath volumes", "remedy": "take another source for the volume, such as emptyDir, configMap or persistentVolumeClaim"}
}

test_others_are_fine if {
	not host_path_volumes.violation with input as _input({"volumes": [{"name": "a", "hostPath": null}, {"name": "b", "nfs": {}}]}, [], {}, {})
}
