# METADATA
# title: Workloads have several replicas
# description: >-
#   One replica is away for as long as its node is drained or it starts anew. Deployments and StatefulSets have at least
#   so many, also when they are scaled; none at all is a workload that is switched off, and passes. Where an autoscaler
#   decides, what counts is the fewest that it may leave.
# custom:
#   severity: medium
#   since: "0.1"
#   docs: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/
#   context: [autoscalers]
#   match:
#     rules:
#       - apiGroups: [apps]
#         apiVersions: ["*"]
#         resources: [deployments, deployments/scale, statefulsets, statefulsets/scale]
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       atLeast:
#         description: The fewest replicas.
#         type: integer
#         minimum: 2
#         default: 2
#         x-meshgate-stricter: higher
package policies.workloads.minimum_replicas

deny contains {"msg": msg, "field": "spec.replicas", "details": {"remedy": remedy, "required": _required}} if {
	count(_scalers) == 0
	replicas := _number(object.get(input.request.object, ["spec", "replicas"], null), _unsaid)
	_too_few(replicas)
	msg := sprintf("it has %s, where at least %d are wanted", [_replicas(replicas), input.parameters.atLeast])
	remedy := sprintf("set `spec.replicas` to %d or more", [input.parameters.atLeast])
}

deny contains {"msg": msg, "details": {"remedy": remedy, "required": _required}} if {
	some scaler in _scalers
	_too_few(scaler.fewest)
	msg := sprintf("the %s \"%s\" may leave %s, where at least %d are wanted", [scaler.kind, scaler.name, _replicas(scaler.fewest), input.parameters.atLeast])
	remedy := sprintf("set `spec.%s` of that %s to %d or more", [scaler.field, scaler.kind, input.parameters.atLeast])
}

_required := sprintf("≥ %d", [input.parameters.atLeast])

# A workload that says nothing has 1 replica; a Scale that says nothing means 0.
default _unsaid := 1

_unsaid := 0 if input.request.subResource == "scale"

_too_few(replicas) if {
	replicas > 0
	replicas < input.parameters.atLeast
}

_replicas(1) := "1 replica"

_replicas(number) := sprintf("%v replicas", [number]) if number != 1

# What is no number the API server refuses.
_number(value, absent) := absent if value == null

_number(value, _) := value if is_number(value)

# Autoscalers of the workload.
_scalers contains {"kind": kind, "name": name, "field": field, "fewest": fewest} if {
	some scaler in input.context.autoscalers
	kind := scaler.kind
	field := _fields[kind]
	target := object.get(scaler, ["spec", "scaleTargetRef"], {})
	target.name == _workload.name
	object.get(target, "kind", "Deployment") == _workload.kind
	name := object.get(scaler, ["metadata", "name"], "")
	fewest := _number(object.get(scaler, ["spec", field], null), _absent[kind])
}

_fields := {"HorizontalPodAutoscaler": "minReplicas", "ScaledObject": "minReplicaCount"}

# KEDA lets a workload go wholly.
_absent := {"HorizontalPodAutoscaler": 1, "ScaledObject": 0}

_workload := {"kind": kind, "name": object.get(input.request, "name", "")} if {
	kind := {"deployments": "Deployment", "statefulsets": "StatefulSet"}[input.request.resource.resource]
}
