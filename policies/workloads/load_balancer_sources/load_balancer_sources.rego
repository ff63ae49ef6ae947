# METADATA
# title: Load balancers say whom they answer
# description: >-
#   A Service of type LoadBalancer answers the whole internet unless `loadBalancerSourceRanges`, or the annotation of
#   old, says otherwise. What is open on purpose is listed as a range in a binding for it. A range is as good
#   as none where it holds a forbidden one or is very wide. A load balancer that only the provider's own network reaches
#   is recognised by its annotation, listed here: none by default, as other providers answer everybody in spite of it.
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
#         description: Ranges that are as good as none, and so are those that hold them.
#         type: array
#         items: {type: string, pattern: '^[0-9A-Fa-f.:]+/[0-9]+$'}
#         uniqueItems: true
#         default: [0.0.0.0/0, "::/0"]
#         x-meshgate-stricter: more
#       shortestIPv4:
#         description: The shortest prefix that a range of IPv4 may have, in bits.
#         type: integer
#         minimum: 0
#         maximum: 32
#         default: 8
#         x-meshgate-stricter: higher
#       shortestIPv6:
#         description: The shortest prefix that a range of IPv6 may have, in bits.
#         type: integer
#         minimum: 0
#         maximum: 128
#         default: 16
#         x-meshgate-stricter: higher
#       internalAnnotations:
#         description: >-
#           Annotations, with the value, by which this cluster's provider makes load balancers that only its own network
#           reaches: `networking.gke.io/load-balancer-type: Internal` on GKE,
#           `service.beta.kubernetes.io/azure-load-balancer-internal: "true"` on AKS,
#           `service.beta.kubernetes.io/aws-load-balancer-scheme: internal` on EKS.
#         type: object
#         additionalProperties: {type: string}
#         default: {}
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
	some problem in _problems(range.text)
	field := range.field
	msg := problem
	remedy := sprintf("list the networks that may reach it instead of %s", [range.text])
}

# One at most.
_problems(text) := {sprintf("the load balancer answers everybody: it has the source range %s", [text])} if {
	_holds_forbidden(text)
} else := {sprintf("whom the load balancer answers can't be told: its source range %s is none", [text])} if {
	not net.cidr_is_valid(text)
} else := {sprintf("the load balancer answers far too many: its source range %s has a prefix shorter than %d", [text, shortest])} if {
	shortest := input.parameters[_shortest(text)]
	to_number(split(text, "/")[1]) < shortest
} else := set()

_holds_forbidden(text) if text in input.parameters.forbiddenRanges

_holds_forbidden(text) if {
	net.cidr_is_valid(text)
	some forbidden in input.parameters.forbiddenRanges
	net.cidr_is_valid(forbidden)
	net.cidr_contains(text, forbidden)
}

_shortest(text) := "shortestIPv6" if contains(text, ":")

_shortest(text) := "shortestIPv4" if not contains(text, ":")

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
