# METADATA
# title: Load balancers say whom they answer
# description: >-
#   A Service of type LoadBalancer answers the whole internet unless `loadBalancerSourceRanges`, or the annotation of
#   old, says otherwise. What is open on purpose is listed as a range in a binding for it. A load balancer that is only
#   inside the provider's network is recognised by its annotation, listed here.
# custom:
#   severity: high
#   since: "0.1"
#   docs: https://kubernetes.io/docs/concepts/services-networking/service/#loadbalancer
#   match:
#     rules:
#       - apiGroups: [""]
#         apiVersions: [v1]
#         resources: [services]
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       forbiddenRanges:
#         description: Ranges that are as good as none.
#         type: array
#         items: {type: string, pattern: '^[0-9A-Fa-f.:]+/[0-9]+$'}
#         uniqueItems: true
#         default: [0.0.0.0/0, "::/0"]
#         x-meshgate-stricter: more
#       internalAnnotations:
#         description: Annotations, with the value, of load balancers that only the provider's own network reaches.
#         type: object
#         additionalProperties: {type: string}
#         default:
#           cloud.google.com/load-balancer-type: Internal
#           networking.gke.io/load-balancer-type: Internal
#           service.beta.kubernetes.io/aws-load-balancer-internal: "true"
#           service.beta.kubernetes.io/aws-load-balancer-scheme: internal
#           service.beta.kubernetes.io/azure-load-balancer-internal: "true"
#         x-meshgate-stricter: fewer
package policies.workloads.load_balancer_sources

deny contains {"msg": msg, "field": "spec.loadBalancerSourceRanges", "details": {"remedy": remedy}} if {
	_is_open
	count(_ranges) == 0
	msg := "the load balancer answers everybody: it has no source ranges"
	remedy := "list the networks that may reach it in `spec.loadBalancerSourceRanges`, as in 203.0.113.0/24"
}

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	_is_open
	some range in _ranges
	range.text in input.parameters.forbiddenRanges
	field := range.field
	msg := sprintf("the load balancer answers everybody: it has the source range %s", [range.text])
	remedy := sprintf("list the networks that may reach it instead of %s", [range.text])
}

_is_open if {
	object.get(input.request.object, ["spec", "type"], "") == "LoadBalancer"
	not _internal
}

_internal if {
	some key, value in input.parameters.internalAnnotations
	lower(_annotation(key)) == lower(value)
}

# The field counts; the annotation where the field is empty.
_ranges := [range |
	some index, text in _listed
	range := {"text": _network(text), "field": sprintf("spec.loadBalancerSourceRanges[%d]", [index])}
] if {
	count(_listed) > 0
}

_ranges := [range |
	some part in split(_annotation(_key), ",")
	text := _network(part)
	text != ""
	range := {"text": text, "field": sprintf("metadata.annotations[%s]", [_key])}
] if {
	count(_listed) == 0
}

_network(text) := trim_space(text)

_key := "service.beta.kubernetes.io/load-balancer-source-ranges"

_listed := [text |
	some text in object.get(input.request.object, ["spec", "loadBalancerSourceRanges"], [])
	is_string(text)
]

_annotation(key) := value if {
	value := object.get(input.request.object, ["metadata", "annotations", key], "")
	is_string(value)
} else := ""
