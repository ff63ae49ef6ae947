# METADATA
# title: Containers say what they need
# description: >-
#   Every init, sidecar and regular container has the requests that the scheduler plans with and the limits that keep
#   it from its neighbours. A request is also given by the limit of the same name and by the Pod's own
#   `spec.resources`, a limit by the Pod's own; zero counts as none. What a LimitRange supplies counts where it has
#   been supplied: in Pods. Ephemeral containers can't have resources. By default no CPU limit is demanded: CPU is
#   shared out by requests when it is scarce and a limit only slows the container down, whereas memory that is gone
#   takes the node along.
# custom:
#   severity: medium
#   since: "0.1"
#   docs: https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
#   context: [containers, pod]
#   match:
#     rules:
#       # Not pods/ephemeralcontainers: it can't change resources.
#       - apiGroups: [""]
#         apiVersions: [v1]
#         resources: [pods, pods/resize, podtemplates, replicationcontrollers]
#       - apiGroups: [apps]
#         apiVersions: ["*"]
#         resources: [daemonsets, deployments, replicasets, statefulsets]
#       - apiGroups: [batch]
#         apiVersions: ["*"]
#         resources: [cronjobs, jobs]
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       requests:
#         description: The resources of which every container needs a request.
#         type: array
#         items: {type: string, minLength: 1}
#         uniqueItems: true
#         default: [cpu, memory]
#         x-meshgate-stricter: more
#       limits:
#         description: The resources of which every container needs a limit.
#         type: array
#         items: {type: string, minLength: 1}
#         uniqueItems: true
#         default: [memory]
#         x-meshgate-stricter: more
package policies.resources.required

import data.lib.containers

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy, "required": "a quantity above zero"}} if {
	some container in containers.of("resources/required")
	container.kind != "ephemeral"
	written := container.container
	some demand in _demands
	not _satisfied(written, demand)
	msg := sprintf("%s %s", [containers.title(container), _problem(written, demand)])
	field := sprintf("%s.resources.%s%s", [container.path, demand.list, _member(demand.resource)])
	example := object.get(_examples, demand.resource, "1")
	remedy := sprintf("set `resources.%s%s`, for example to %s", [demand.list, _member(demand.resource), example])
}

# What the Pod's own resources leave to its containers.
_demands contains demand if {
	some resource in input.parameters.requests
	demand := {"list": "requests", "noun": "request", "resource": resource}
	pod_spec := _pod_spec
	not _satisfied(pod_spec, demand)
}

_demands contains demand if {
	some resource in input.parameters.limits
	demand := {"list": "limits", "noun": "limit", "resource": resource}
	pod_spec := _pod_spec
	not _satisfied(pod_spec, demand)
}

_examples := {"cpu": "100m", "memory": "128Mi", "ephemeral-storage": "1Gi"}

default _pod_spec := {}

_pod_spec := input.context.pod.spec

# Containers and the Pod's spec have the same member `resources`.
_satisfied(holder, demand) if _positive(_written(holder, demand))

# The API server takes a limit for the request that is left out.
_satisfied(holder, demand) if {
	demand.list == "requests"
	_written(holder, demand) == false
	_positive(_written(holder, {"list": "limits", "resource": demand.resource}))
}

# The quantity that is written; false, which is none, where there is nothing.
_written(holder, demand) := object.get(holder, ["resources", demand.list, demand.resource], false)

_positive(quantity) if {
	is_number(quantity)
	quantity > 0
}

_positive(quantity) if {
	is_string(quantity)
	regex.match(`^\+?[0-9.]*[1-9][0-9.]*([numkMGTPE]|[KMGTPE]i|[eE][-+]?[0-9]+)?$`, trim_space(quantity))
}

_problem(container, demand) := sprintf("has no %s %s", [demand.resource, demand.noun]) if {
	_written(container, demand) == false
}

_problem(container, demand) := sprintf("has a %s %s of %v: it must be above zero", [demand.resource, demand.noun, quantity]) if {
	quantity := _written(container, demand)
	quantity != false
}

# `.cpu`, but `[nvidia.com/gpu]`.
_member(resource) := sprintf(".%s", [resource]) if regex.match(`^[A-Za-z0-9_-]+$`, resource)

_member(resource) := sprintf("[%s]", [resource]) if not regex.match(`^[A-Za-z0-9_-]+$`, resource)
