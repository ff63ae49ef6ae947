# METADATA
# title: "Pod Security check restrictedVolumes: Pods mount volumes of a few kinds only"
package lib.pod_security.restricted_volumes

import data.lib.pod_security.text
import data.lib.pod_security.versions

violation := {
	"check": "restrictedVolumes",
	"reason": "restricted volume types",
	"detail": sprintf("%s %s %s %s %s", [
		text.plural("volume", "volumes", names),
		text.quoted(names),
		text.plural("uses", "use", names),
		text.plural("restricted volume type", "restricted volume types", kinds),
		text.quoted(kinds),
	]),
	"containers": [],
	"fields": [text.pod_field(sprintf("volumes[%d]", [index])) | some index in bad],
	"remedy": sprintf("take one of these sources for the volume: %s", [concat(", ", versions.restricted_volumes)]),
} if {
	bad := [index |
		some index, volume in input.context.pod.spec.volumes
		sources := {name | some name, source in volume; source != null; name != "name"}

		# A volume without any is an emptyDir: the API server says so before it asks.
		count(sources) > 0
		count(sources & versions.restricted_volumes) == 0
	]
	count(bad) > 0
	volumes := [input.context.pod.spec.volumes[index] | some index in bad]
	names := [text.word(object.get(volume, "name", null)) | some volume in volumes]
	kinds := {_kind(volume) | some volume in volumes}
}

_kind(volume) := array.concat([name | some name in versions.other_volumes; object.get(volume, name, null) != null], ["unknown"])[0]
