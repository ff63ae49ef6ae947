# METADATA
# title: Objects have an API version that lasts
# description: >-
#   An API version that Kubernetes gave up is refused by every newer API server: a chart or a repository that still has
#   it can't be applied after the upgrade. Denied is what the cluster, or one so many minor versions ahead of it, no
#   longer serves; what goes later is warned of. Of API groups about which no policy is ever asked nothing is said.
# custom:
#   severity: medium
#   since: "0.1"
#   docs: https://kubernetes.io/docs/reference/using-api/deprecation-guide/
#   context: [cluster.version]
#   match:
#     rules:
#       - apiGroups: [extensions]
#         apiVersions: [v1beta1]
#         resources: ["*"]
#       - apiGroups: [admissionregistration.k8s.io, apiextensions.k8s.io, apps, batch, policy, rbac.authorization.k8s.io]
#         apiVersions: ["*"]
#         resources: ["*"]
#       - apiGroups: [autoscaling, discovery.k8s.io, networking.k8s.io, node.k8s.io, scheduling.k8s.io, storage.k8s.io]
#         apiVersions: ["*"]
#         resources: ["*"]
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       ahead:
#         description: How many minor versions the next upgrade goes.
#         type: integer
#         minimum: 0
#         maximum: 100
#         default: 1
#         x-meshgate-stricter: higher
package policies.workloads.deprecated_api

deny contains {"msg": msg, "field": "apiVersion", "details": details} if {
	some old in _old
	old.until <= _next
	msg := sprintf("%s of %s is not served from Kubernetes 1.%d on", [old.kind, old.version, old.until])
	details := _details(old)
}

warn contains {"msg": msg, "field": "apiVersion", "details": details} if {
	some old in _old
	old.until > _next
	msg := sprintf("%s of %s will not be served from Kubernetes 1.%d on", [old.kind, old.version, old.until])
	details := _details(old)
}

_next := input.context.cluster.version.minor + input.parameters.ahead

_old contains {"kind": kind, "version": version, "until": until, "new": new} if {
	kind := object.get(input.request.object, "kind", "")
	version := object.get(input.request.object, "apiVersion", "")
	[until, new] := _given_up[version][kind]
}

_details(old) := {"remedy": remedy, "required": old.new} if {
	old.new != null
	remedy := sprintf("use %s, and see in the guide which fields it calls otherwise", [old.new])
}

_details(old) := {"remedy": "it has no successor; remove it"} if old.new == null

# By version and kind: the minor version without it, and its successor.
_given_up := {
	"admissionregistration.k8s.io/v1alpha1": {"InitializerConfiguration": [14, null]},
	"admissionregistration.k8s.io/v1beta1": {
		"MutatingWebhookConfiguration": [22, "admissionregistration.k8s.io/v1"],
		"ValidatingWebhookConfiguration": [22, "admissionregistration.k8s.io/v1"],
	},
	"apiextensions.k8s.io/v1beta1": {"CustomResourceDefinition": [22, "apiextensions.k8s.io/v1"]},
	"apps/v1beta1": {
		"ControllerRevision": [16, "apps/v1"],
		"Deployment": [16, "apps/v1"],
		"StatefulSet": [16, "apps/v1"],
	},
	"apps/v1beta2": {
		"ControllerRevision": [16, "apps/v1"],
		"DaemonSet": [16, "apps/v1"],
		"Deployment": [16, "apps/v1"],
		"ReplicaSet": [16, "apps/v1"],
		"StatefulSet": [16, "apps/v1"],
	},
	"autoscaling/v2beta1": {"HorizontalPodAutoscaler": [25, "autoscaling/v2"]},
	"autoscaling/v2beta2": {"HorizontalPodAutoscaler": [26, "autoscaling/v2"]},
	"batch/v1beta1": {"CronJob": [25, "batch/v1"]},
	"discovery.k8s.io/v1beta1": {"EndpointSlice": [25, "discovery.k8s.io/v1"]},
	"extensions/v1beta1": {
		"DaemonSet": [16, "apps/v1"],
		"Deployment": [16, "apps/v1"],
		"Ingress": [22, "networking.k8s.io/v1"],
		"NetworkPolicy": [16, "networking.k8s.io/v1"],
		"PodSecurityPolicy": [16, null],
		"ReplicaSet": [16, "apps/v1"],
	},
	"networking.k8s.io/v1beta1": {
		"Ingress": [22, "networking.k8s.io/v1"],
		"IngressClass": [22, "networking.k8s.io/v1"],
	},
	"node.k8s.io/v1beta1": {"RuntimeClass": [25, "node.k8s.io/v1"]},
	"policy/v1beta1": {
		"PodDisruptionBudget": [25, "policy/v1"],
		"PodSecurityPolicy": [25, null],
	},
	"rbac.authorization.k8s.io/v1beta1": {
		"ClusterRole": [22, "rbac.authorization.k8s.io/v1"],
		"ClusterRoleBinding": [22, "rbac.authorization.k8s.io/v1"],
		"Role": [22, "rbac.authorization.k8s.io/v1"],
		"RoleBinding": [22, "rbac.authorization.k8s.io/v1"],
	},
	"scheduling.k8s.io/v1beta1": {"PriorityClass": [22, "scheduling.k8s.io/v1"]},
	"storage.k8s.io/v1beta1": {
		"CSIDriver": [22, "storage.k8s.io/v1"],
		"CSINode": [22, "storage.k8s.io/v1"],
		"CSIStorageCapacity": [27, "storage.k8s.io/v1"],
		"StorageClass": [22, "storage.k8s.io/v1"],
		"VolumeAttachment": [22, "storage.k8s.io/v1"],
	},
}
