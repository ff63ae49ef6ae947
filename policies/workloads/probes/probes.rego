# METADATA
# title: Containers are probed
# description: >-
#   Without a readiness probe a container gets requests before it can answer them, and without a liveness probe one that
#   hangs is never restarted. Regular containers of Pods that run on have both, each with an action; containers that
#   come to an end are not asked, nor are init, sidecar and ephemeral ones. One probe for both purposes is warned of:
#   a container that is only busy is then restarted.
# custom:
#   severity: medium
#   since: "0.1"
#   docs: https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/
#   context: [containers, pod]
#   match:
#     rules:
#       # Not pods/ephemeralcontainers and pods/resize: they can't change probes. Not Jobs: their Pods come to an end.
#       - apiGroups: [""]
#         apiVersions: [v1]
#         resources: [pods, podtemplates, replicationcontrollers]
#       - apiGroups: [apps]
#         apiVersions: ["*"]
#         resources: [daemonsets, deployments, replicasets, statefulsets]
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       probes:
#         description: The probes that every container has.
#         type: array
#         items: {enum: [livenessProbe, readinessProbe, startupProbe]}
#         uniqueItems: true
#         default: [livenessProbe, readinessProbe]
#         x-meshgate-stricter: more
package policies.workloads.probes

import data.lib.containers
import data.lib.requests

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	some container in _judged
	some probe in input.parameters.probes
	not _acts(container, probe)
	msg := sprintf("%s has no %s, so %s", [containers.title(container), _names[probe], _effects[probe]])
	field := sprintf("%s.%s", [container.path, probe])
	remedy := sprintf("give it a `%s` with one of %s", [probe, concat(", ", _actions)])
}

warn contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	some container in _judged
	_acts(container, "livenessProbe")
	_what(container, "livenessProbe") == _what(container, "readinessProbe")
	msg := sprintf("%s is asked the same by its liveness and its readiness probe: what should only get no requests for a while is restarted", [containers.title(container)])
	field := sprintf("%s.livenessProbe", [container.path])
	remedy := "let the liveness probe ask for less, or fail later by a higher `failureThreshold` or `periodSeconds`"
}

_judged contains container if {
	requests.of_object
	not _ends
	some container in containers.of("workloads/probes")
	container.kind == "regular"
}

# A Pod whose containers are not started anew when they succeed is meant to come to an end.
_ends if object.get(input.context.pod.spec, "restartPolicy", "") in {"Never", "OnFailure"}

_acts(container, probe) if {
	some action in _actions
	object.get(container.container, [probe, action], null) != null
}

# What a probe asks, and when it has failed.
_what(container, probe) := [value |
	some member in array.concat(_actions, ["failureThreshold", "periodSeconds", "timeoutSeconds"])
	value := object.get(container.container, [probe, member], null)
]

_actions := ["exec", "grpc", "httpGet", "tcpSocket"]

_names := {"livenessProbe": "liveness probe", "readinessProbe": "readiness probe", "startupProbe": "startup probe"}

_effects := {
	"livenessProbe": "it is not restarted when it hangs",
	"readinessProbe": "it gets requests before it can answer them",
	"startupProbe": "it may be restarted while it still starts",
}
