# METADATA
# title: Images are pulled anew
# description: >-
#   An image that is on a node already runs there without the registry being asked, so whoever may make Pods runs images
#   of others, pulled with the others' credentials. Every container gets the pull policy of the parameter, also where it
#   has another one: API servers fill in `IfNotPresent` before anybody is asked. An image that is named by its digest is
#   left alone, unless the parameter says otherwise.
# custom:
#   severity: low
#   since: "0.1"
#   docs: https://kubernetes.io/docs/concepts/containers/images/#image-pull-policy
#   context: [containers, pod]
#   match:
#     rules:
#       - apiGroups: [""]
#         apiVersions: [v1]
#         resources: [pods]
#         operations: [CREATE]
#       - apiGroups: [""]
#         apiVersions: [v1]
#         resources: [podtemplates, replicationcontrollers]
#       - apiGroups: [apps]
#         apiVersions: ["*"]
#         resources: [daemonsets, deployments, replicasets, statefulsets]
#       - apiGroups: [batch]
#         apiVersions: ["*"]
#         resources: [cronjobs]
#       - apiGroups: [batch]
#         apiVersions: ["*"]
#         resources: [jobs]
#         operations: [CREATE]
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       policy:
#         description: The policy that containers get.
#         enum: [Always, IfNotPresent]
#         default: Always
#       digests:
#         description: Whether images that are named by their digest get it, too.
#         type: boolean
#         default: false
package policies.defaults.image_pull_policy

import data.lib.changes

patch := [{"op": "add", "path": sprintf("%s/imagePullPolicy", [changes.pointer(container.path)]), "value": input.parameters.policy} |
	some container in changes.containers
	_counts(container.image)
	object.get(container.container, "imagePullPolicy", "") != input.parameters.policy
]

_counts(image) if image.digest == null

_counts(_) if input.parameters.digests
