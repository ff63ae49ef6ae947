package policies.workloads.deprecated_api_test

import data.policies.workloads.deprecated_api

_given(operation, minor, version, kind) := {
	"request": {"operation": operation, "object": {"apiVersion": version, "kind": kind}},
	"parameters": {"ahead": 1},
	"context": {"cluster": {"version": {"major": 1, "minor": minor}}},
	"exempt": {},
}

_denied(operation, minor, version, kind) := violations if {
	violations := deprecated_api.deny with input as _given(operation, minor, version, kind)
}

_warned(operation, minor, version, kind) := warnings if {
	warnings := deprecated_api.warn with input as _given(operation, minor, version, kind)
}

_finding(msg, details) := {{"msg": msg, "field": "apiVersion", "details": details}}

_successor(new) := {
	"remedy": sprintf("use %s, and see in the guide which fields it calls otherwise", [new]),
	"required": new,
} if {
	new != null
}

_successor(new) := {"remedy": "it has no successor; remove it"} if new == null

# Version, kinds, the minor version without them, successor.
_table := [
	["admissionregistration.k8s.io/v1beta1", ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"], 22, "admissionregistration.k8s.io/v1"],
	["admissionregistration.k8s.io/v1alpha1", ["InitializerConfiguration"], 14, null],
	["apiextensions.k8s.io/v1beta1", ["CustomResourceDefinition"], 22, "apiextensions.k8s.io/v1"],
	["apps/v1beta1", ["ControllerRevision", "Deployment", "StatefulSet"], 16, "apps/v1"],
	["apps/v1beta2", ["ControllerRevision", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"], 16, "apps/v1"],
	["autoscaling/v2beta1", ["HorizontalPodAutoscaler"], 25, "autoscaling/v2"],
	["autoscaling/v2beta2", ["HorizontalPodAutoscaler"], 26, "autoscaling/v2"],
	["batch/v1beta1", ["CronJob"], 25, "batch/v1"],
	["discovery.k8s.io/v1beta1", ["EndpointSlice"], 25, "discovery.k8s.io/v1"],
	["extensions/v1beta1", ["DaemonSet", "Deployment", "ReplicaSet"], 16, "apps/v1"],
	["extensions/v1beta1", ["NetworkPolicy"], 16, "networking.k8s.io/v1"],
	["extensions/v1beta1", ["Ingress"], 22, "networking.k8s.io/v1"],
	["extensions/v1beta1", ["PodSecurityPolicy"], 16, null],
	["networking.k8s.io/v1beta1", ["Ingress", "IngressClass"], 22, "networking.k8s.io/v1"],
	["node.k8s.io/v1beta1", ["RuntimeClass"], 25, "node.k8s.io/v1"],
	["policy/v1beta1", ["PodDisruptionBudget"], 25, "policy/v1"],
	["policy/v1beta1", ["PodSecurityPolicy"], 25, null],
	["rbac.authorization.k8s.io/v1beta1", ["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"], 22, "rbac.authorization.k8s.io/v1"],
	["scheduling.k8s.io/v1beta1", ["PriorityClass"], 22, "scheduling.k8s.io/v1"],
	["storage.k8s.io/v1beta1", ["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"], 22, "storage.k8s.io/v1"],
	["storage.k8s.io/v1beta1", ["CSIStorageCapacity"], 27, "storage.k8s.io/v1"],
]

_gone(row, kind) := _finding(sprintf("%s of %s is not served from Kubernetes 1.%d on", [kind, row[0], row[2]]), _successor(row[3]))

_goes(row, kind) := _finding(sprintf("%s of %s will not be served from Kubernetes 1.%d on", [kind, row[0], row[2]]), _successor(row[3]))

test_what_is_gone_by_the_next_version if {
	every row in _table {
		every kind in row[1] {
			_denied("CREATE", row[2] - 1, row[0], kind) == _gone(row, kind)
		}
	}
}

test_what_goes_later_is_warned_of if {
	every row in _table {
		every kind in row[1] {
			_warned("CREATE", row[2] - 2, row[0], kind) == _goes(row, kind)
		}
	}
}

test_it_is_either_denied_or_warned_of_on_every_write if {
	row := _table[0]
	kind := row[1][0]
	every operation in ["CREATE", "UPDATE"] {
		every minor in [21, 22, 99] {
			_denied(operation, minor, row[0], kind) == _gone(row, kind)
			_warned(operation, minor, row[0], kind) == set()
		}
		_denied(operation, 20, row[0], kind) == set()
		_warned(operation, 20, row[0], kind) == _goes(row, kind)
	}
}

test_what_stays if {
	every object in [["apps/v1", "Deployment"], ["storage.k8s.io/v1beta1", "VolumeAttributesClass"], ["policy/v1", "PodDisruptionBudget"], ["", ""]] {
		_denied("CREATE", 99, object[0], object[1]) == set()
		_warned("CREATE", 1, object[0], object[1]) == set()
	}
	violations := deprecated_api.deny with input as json.remove(_given("CREATE", 30, "a", "b"), ["/request/object/kind", "/request/object/apiVersion"])
	violations == set()
}
