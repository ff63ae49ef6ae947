# METADATA
# title: Traffic goes through the proxy
# description: >-
#   Ports, networks and interfaces that annotations of Istio or Linkerd take past the proxy have no mutual TLS, no
#   authorization and no policy, whatever the mesh demands: clients in the mesh still believe so. What must go past it
#   is listed here. Nor may a Pod of the ambient mode take what comes in past ztunnel.
# custom:
#   severity: high
#   since: "0.1"
#   docs: https://istio.io/latest/docs/reference/config/annotations/
#   context: [pod]
#   match:
#     rules:
#       - apiGroups: [""]
#         apiVersions: [v1]
#         resources: [namespaces]
#       - apiGroups: [""]
#         apiVersions: [v1]
#         resources: [pods, podtemplates, replicationcontrollers]
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
#       inboundPorts:
#         description: Ports, or ranges as they are written, that may be reached past the proxy.
#         type: array
#         items: {type: string, minLength: 1}
#         uniqueItems: true
#         default: []
#         x-meshgate-stricter: fewer
#       outboundPorts:
#         description: Ports that Pods may reach past the proxy.
#         type: array
#         items: {type: string, minLength: 1}
#         uniqueItems: true
#         default: []
#         x-meshgate-stricter: fewer
#       networks:
#         description: Networks that may be reached, or may come, past the proxy.
#         type: array
#         items: {type: string, minLength: 1}
#         uniqueItems: true
#         default: []
#         x-meshgate-stricter: fewer
package policies.injection.traffic_exclusion

import data.lib.requests

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	requests.of_object
	some key, parameter in _exclusions
	some part in split(_value(key), ",")
	excluded := trim_space(part)
	excluded != ""
	not excluded in object.get(input.parameters, parameter, [])
	msg := sprintf("`%s` takes %s past the proxy", [key, excluded])
	field := sprintf("%s[%s]", [_field, key])
	remedy := sprintf("remove %s from `%s`", [excluded, key])
}

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	requests.of_object
	some key in _inclusions
	key in object.keys(_annotations)
	value := _value(key)
	trim_space(value) != "*"
	msg := sprintf("`%s: \"%s\"` takes everything else past the proxy", [key, value])
	field := sprintf("%s[%s]", [_field, key])
	remedy := sprintf("remove `%s`, or set it to \"*\"", [key])
}

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	requests.of_object
	some key, problems in _modes
	some problem in problems
	msg := problem.msg
	field := sprintf("%s[%s]", [_field, key])
	remedy := problem.remedy
}

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	requests.of_object
	_bypass in object.keys(_annotations)
	value := _value(_bypass)
	value != "false"
	msg := sprintf("`%s: \"%s\"` takes what comes in past ztunnel", [_bypass, value])
	field := sprintf("%s[%s]", [_field, _bypass])
	remedy := sprintf("remove `%s`", [_bypass])
}

_bypass := "ambient.istio.io/bypass-inbound-capture"

# By the annotation that says it: what is wrong with how traffic gets to the proxy.
_modes := {
	"proxy.istio.io/config": ({problem | some mode in _configured; some problem in _problems(mode)} | _unreadable),
	"sidecar.istio.io/interceptionMode": {problem | some mode in _annotated; some problem in _problems(mode)},
}

_problems(mode) := {{
	"msg": "nothing goes through the proxy: its interception mode is NONE",
	"remedy": "remove `interceptionMode`",
}} if {
	upper(sprintf("%v", [mode])) in {"NONE", "2"}
} else := {{
	"msg": sprintf("what goes through the proxy can't be told: its interception mode is %v", [mode]),
	"remedy": "remove `interceptionMode`, or set it to REDIRECT or TPROXY",
}} if {
	not mode in {"REDIRECT", "TPROXY", 0, 1}
} else := set()

_annotated contains mode if {
	"sidecar.istio.io/interceptionMode" in object.keys(_annotations)
	mode := _annotations["sidecar.istio.io/interceptionMode"]
}

# Istio takes both spellings, and the numbers of the modes.
_configured contains mode if {
	is_object(_config)
	some name, mode in _config
	name in {"interceptionMode", "interception_mode"}
}

_unreadable contains problem if {
	not is_object(_config)
	problem := {
		"msg": "what goes through the proxy can't be told: `proxy.istio.io/config` is no object in YAML",
		"remedy": "correct `proxy.istio.io/config`, or remove it",
	}
}

default _config := null

_config := yaml.unmarshal(_text) if {
	_text != ""
	yaml.is_valid(_text)
}

_config := {} if _text == ""

_text := trim_space(_value("proxy.istio.io/config"))

# Annotations, and the parameter that lists what they may name; none names interfaces.
_exclusions := {
	"config.linkerd.io/skip-inbound-ports": "inboundPorts",
	"config.linkerd.io/skip-outbound-ports": "outboundPorts",
	"config.linkerd.io/skip-subnets": "networks",
	"traffic.sidecar.istio.io/excludeInboundPorts": "inboundPorts",
	"traffic.sidecar.istio.io/excludeInterfaces": "",
	"traffic.sidecar.istio.io/excludeOutboundIPRanges": "networks",
	"traffic.sidecar.istio.io/excludeOutboundPorts": "outboundPorts",
}

_inclusions := {"traffic.sidecar.istio.io/includeInboundPorts", "traffic.sidecar.istio.io/includeOutboundIPRanges"}

_value(key) := value if {
	value := object.get(_annotations, key, "")
	is_string(value)
} else := ""

# The Pods' own, or those of the namespace, which Linkerd copies to its Pods.
default _annotations := {}

_annotations := annotations if {
	annotations := object.get(input.context.pod.metadata, "annotations", {})
	is_object(annotations)
}

_annotations := annotations if {
	input.request.resource.resource == "namespaces"
	annotations := object.get(input.request.object, ["metadata", "annotations"], {})
	is_object(annotations)
}

default _field := "metadata.annotations"

_field := sprintf("%smetadata.annotations", [trim_suffix(input.context.pod.path, "spec")])
