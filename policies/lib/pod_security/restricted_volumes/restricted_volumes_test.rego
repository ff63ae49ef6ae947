package lib.pod_security.restricted_volumes_test

import data.lib.pod_security.restricted_volumes

_input(spec, containers, annotations, exempt) := {"context": {"containers": [{"name": name, "path": sprintf("spec.containers[%d]", [index]), "container": container} | some index, [name, container] in containers], "pod": {"path": "spec", "spec": spec, "metadata": {"annotations": annotations}}}, "exempt": exempt}

test_restricted_kinds_are_named if {
	found := restricted_volumes.violation with input as _input({"volumes": [{"name": "a", "nfs": {}}, {"name": "b", "hostPath": {}, "nfs": {}}, {"name": "c", "unheardOf": {}}, {"name": "d", "emptyDir": {}}, {"name": "e", "hostPath": {}, "secret": {}}]}, [], {}, {})
	found == {"check": "restrictedVolumes", "containers": [], "detail": "volumes \"a\", \"b\", \"c\" use restricted volume types \"hostPath\", \"nfs\", \"unknown\"", "fields": ["spec.volumes[0]", "spec.volumes[1]", "spec.volumes[2]"], "reason": "restricted volume types", "remedy": "take one of these sources for the volume: configMap, csi, downwardAPI, emptyDir, ephemeral, image, persistentVolumeClaim, projected, secret"}
}

test_one_volume if {
	found := restricted_volumes.violation with input as _input({"volumes": [{"nfs": {}}]}, [], {}, {})
	found == {"check": "restrictedVolumes", "containers": [], "detail": "volume \"\" uses restricted volume type \"nfs\"", "fields": ["spec.volumes[0]"], "reason": "restricted volume types", "remedy": "take one of these sources for the volume: configMap, csi, downwardAPI, emptyDir, ephemeral, image, persistentVolumeClaim, projected, secret"}
}

test_every_allowed_kind_is_fine if {
	not restricted_volumes.violation with input as _input({"volumes": [{"name": "a", "configMap": {}}, {"name": "a", "csi": {}}, {"name": "a", "downwardAPI": {}}, {"name": "a", "emptyDir": {}}, {"name": "a", "ephemeral": {}}, {"name": "a", "image": {}}, {"name": "a", "persistentVolumeClaim": {}}, {"name": "a", "projected": {}}, {"name": "a", "secret": {}}]}, [], {}, {})
}

test_a_volume_without_source_is_an_empty_directory if {
	not restricted_volumes.violation with input as _input({"volumes": [{"name": "a"}, {"name": "b", "nfs": null}]}, [], {}, {})
}
