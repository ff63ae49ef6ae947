# METADATA
# title: Images have a tag that stays
# description: >-
#   What `latest` is, and with it an image without tag, changes under a running workload: Pods of one Deployment run
#   different code, and going back is not possible. A digest says exactly what runs, whatever tag stands beside it.
# custom:
#   severity: medium
#   since: "0.1"
#   docs: https://kubernetes.io/docs/concepts/containers/images/#image-names
#   context: [containers]
#   match:
#     rules:
#       - apiGroups: [""]
#         apiVersions: [v1]
#         resources: [pods, podtemplates, replicationcontrollers]
#       - apiGroups: [apps]
#         apiVersions: ["*"]
#         resources: [daemonsets, deployments, replicasets, statefulsets]
#       - apiGroups: [batch]
#         apiVersions: ["*"]
#         resources: [cronjobs, jobs]
package policies.images.no_latest

import data.lib.containers

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy, "required": "a version or a digest"}} if {
	some container in containers.of("images/no_latest")
	some problem in _problems(container.image)
	msg := sprintf("%s has the image \"%s\", %s", [containers.title(container), container.image.text, problem])
	field := sprintf("%s.image", [container.path])
	remedy := "name a version, as in `nginx:1.29.1`, or a digest, as in `nginx@sha256:…`"
}

# One problem at most; none where there is a digest or another tag.
_problems(image) := {sprintf("whose tag can't be read: %s", [image.error])} if image.error != null

_problems(image) := {"which has neither tag nor digest and so is `latest`"} if {
	image.error == null
	image.digest == null
	image.tag == null
}

_problems(image) := {"whose tag `latest` can be another image tomorrow"} if {
	image.digest == null
	image.tag == "latest"
}
