package policies.workloads.minimum_replicas_test

import data.policies.workloads.minimum_replicas

_request(operation, resource, object, scalers) := {
	"request": {
		"operation": operation,
		"resource": {"group": "apps", "version": "v1", "resource": resource},
		"name": "web",
		"object": object,
	},
	"parameters": {"atLeast": 3},
	"context": {"autoscalers": scalers},
	"exempt": {},
}

_denied(object, scalers) := violations if {
	violations := minimum_replicas.deny with input as _request("CREATE", "deployments", object, scalers)
}

_few(what) := {{
	"msg": sprintf("it has %s, where at least 3 are wanted", [what]),
	"field": "spec.replicas",
	"details": {"remedy": "set `spec.replicas` to 3 or more", "required": "≥ 3"},
}}

_replicas(number) := {"spec": {"replicas": number}}

test_enough_replicas if {
	every number in [3, 4, 100] {
		_denied(_replicas(number), []) == set()
	}
}

test_none_is_switched_off if {
	_denied(_replicas(0), []) == set()
}

test_too_few_on_every_write if {
	every operation in ["CREATE", "UPDATE"] {
		every resource in ["deployments", "statefulsets"] {
			violations := minimum_replicas.deny with input as _request(operation, resource, _replicas(2), [])
			violations == _few("2 replicas")
		}
	}
}

test_without_a_number_there_is_one if {
	every object in [{}, {"spec": {}}, {"spec": {"replicas": null}}, {"spec": {"replicas": 1}}] {
		_denied(object, []) == _few("1 replica")
	}
}

test_a_scale_without_a_number_is_switched_off if {
	every resource in ["deployments", "statefulsets"] {
		_scaled_to(resource, {"spec": {"replicas": 2}}) == _few("2 replicas")
		every object in [{}, {"spec": {}}, {"spec": {"replicas": null}}, {"spec": {"replicas": 0}}, {"spec": {"replicas": 3}}] {
			_scaled_to(resource, object) == set()
		}
	}
}

_scaled_to(resource, object) := violations if {
	request := json.patch(_request("UPDATE", resource, object, []), [{"op": "add", "path": "/request/subResource", "value": "scale"}])
	violations := minimum_replicas.deny with input as request
}

_horizontal(target, spec) := {
	"apiVersion": "autoscaling/v2",
	"kind": "HorizontalPodAutoscaler",
	"metadata": {"name": "scaler"},
	"spec": object.union({"scaleTargetRef": target}, spec),
}

_scaled(target, spec) := object.union(_horizontal(target, spec), {"kind": "ScaledObject"})

_web := {"kind": "Deployment", "name": "web"}

_may(kind, what, field) := {{
	"msg": sprintf("the %s \"scaler\" may leave %s, where at least 3 are wanted", [kind, what]),
	"details": {"remedy": sprintf("set `spec.%s` of that %s to 3 or more", [field, kind]), "required": "≥ 3"},
}}

test_an_autoscaler_that_keeps_enough if {
	_denied(_replicas(1), [_horizontal(_web, {"minReplicas": 3})]) == set()
	_denied(_replicas(1), [_scaled(_web, {"minReplicaCount": 3})]) == set()
	_denied(_replicas(1), [_scaled({"name": "web"}, {})]) == set()
	_denied(_replicas(1), [_scaled(_web, {"minReplicaCount": 0})]) == set()
}

test_an_autoscaler_that_may_leave_too_few if {
	_denied(_replicas(5), [_horizontal(_web, {"minReplicas": 2})]) == _may("HorizontalPodAutoscaler", "2 replicas", "minReplicas")
	_denied(_replicas(5), [_horizontal(_web, {})]) == _may("HorizontalPodAutoscaler", "1 replica", "minReplicas")
	_denied(_replicas(5), [_scaled(_web, {"minReplicaCount": 1})]) == _may("ScaledObject", "1 replica", "minReplicaCount")
}

test_autoscalers_of_others_do_not_count if {
	others := [
		_horizontal({"kind": "StatefulSet", "name": "web"}, {"minReplicas": 3}),
		_horizontal({"kind": "Deployment", "name": "db"}, {"minReplicas": 3}),
		object.union(_horizontal(_web, {"minReplicas": 3}), {"kind": "VerticalPodAutoscaler"}),
		{"kind": "ScaledObject"},
	]
	every other in others {
		_denied(_replicas(2), [other]) == _few("2 replicas")
	}
}

test_a_stateful_set_has_its_own_autoscaler if {
	scaler := _horizontal({"kind": "StatefulSet", "name": "web"}, {"minReplicas": 2})
	violations := minimum_replicas.deny with input as _request("UPDATE", "statefulsets", _replicas(3), [scaler])
	violations == _may("HorizontalPodAutoscaler", "2 replicas", "minReplicas")
}

test_an_autoscaler_without_a_name_is_told if {
	scaler := json.remove(_horizontal(_web, {"minReplicas": 2}), ["/metadata"])
	{violation.msg | some violation in _denied({}, [scaler])} == {"the HorizontalPodAutoscaler \"\" may leave 2 replicas, where at least 3 are wanted"}
}
