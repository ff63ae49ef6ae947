# METADATA
# title: Pods get no token of the API server unless they ask for one
# description: >-
#   Pods and templates that say nothing get `automountServiceAccountToken: false`. A Pod that comes by itself has the
#   token's volume already, because the API server adds it before it asks: the volume and its mounts are removed. Who
#   needs a token says `true`, or has a volume that projects one.
# custom:
#   severity: medium
#   since: "0.1"
#   docs: https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/
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
package policies.defaults.service_account_token

import data.lib.changes

patch := array.concat(
	[{"op": "add", "path": changes.spec_pointer("automountServiceAccountToken"), "value": false}],
	array.concat(_mounts, _volumes),
) if {
	changes.allowed
	object.get(input.context.pod.spec, "automountServiceAccountToken", null) == null
}

_mounts := [{"op": "replace", "path": sprintf("%s/volumeMounts", [changes.pointer(container.path)]), "value": kept} |
	some container in input.context.containers
	mounts := _list(container.container, "volumeMounts")
	kept := [mount | some mount in mounts; not _is_token(mount)]
	count(kept) < count(mounts)
]

_volumes := [{"op": "replace", "path": changes.spec_pointer("volumes"), "value": kept} |
	volumes := _list(input.context.pod.spec, "volumes")
	kept := [volume | some volume in volumes; not _is_token(volume)]
	count(kept) < count(volumes)
]

# What the API server adds has this name, and nobody else may take it.
_is_token(entry) if startswith(entry.name, "kube-api-access-")

_list(holder, name) := list if {
	list := object.get(holder, name, [])
	is_array(list)
} else := []
