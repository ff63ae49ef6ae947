# METADATA
# title: "Pod Security check hostPathVolumes: Pods mount nothing of their node"
package lib.pod_security.host_path_volumes

import data.lib.pod_security.text

violation := {
	"check": "hostPathVolumes",
	"reason": "hostPath volumes",
	"detail": sprintf("%s %s", [text.plural("volume", "volumes", names), text.quoted(names)]),
	"containers": [],
	"fields": [text.pod_field(sprintf("volumes[%d].hostPath", [index])) | some index in bad],
	"remedy": "take another source for the volume, such as emptyDir, configMap or persistentVolumeClaim",
} if {
	bad := [index |
		some index, volume in input.context.pod.spec.volumes
		object.get(volume, "hostPath", null) != null
	]
	count(bad) > 0
	names := [text.word(object.get(input.context.pod.spec.volumes[index], "name", null)) | some index in bad]
}
