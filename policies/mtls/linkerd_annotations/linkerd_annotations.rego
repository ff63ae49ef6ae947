# METADATA
# title: Annotations of Linkerd have an effect
# description: >-
#   A value that Linkerd does not know is dropped without a word, and its annotations count only where the Pods have them:
#   at a workload's template, or at the namespace. Values that are none are denied; annotations that stand at the
#   workload itself and not at its template are warned of.
# custom:
#   severity: medium
#   since: "0.1"
#   docs: https://linkerd.io/2/reference/proxy-configuration/
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
package policies.mtls.linkerd_annotations

import data.lib.requests

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy, "required": required}} if {
	requests.of_object
	some key, words in _words
	key in object.keys(_annotations)
	value := _annotations[key]
	not value in words
	msg := sprintf("`%s: %v` is none of its values, and so has no effect", [key, value])
	field := sprintf("%s[%s]", [_field, key])
	required := sprintf("one of %s", [concat(", ", words)])
	remedy := sprintf("write %s", [required])
}

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy, "required": "ports from 1 to 65535"}} if {
	requests.of_object
	some key, names in _ports
	key in object.keys(_annotations)
	some part in split(sprintf("%v", [_annotations[key]]), ",")
	port := trim_space(part)
	not _is_port(port, names)
	msg := sprintf("`%s` has \"%s\", which is no port, and so has no effect", [key, port])
	field := sprintf("%s[%s]", [_field, key])
	remedy := "list ports from 1 to 65535, or ranges as in 8000-8010, with commas between"
}

warn contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	requests.of_object
	input.context.pod.template
	some key, _ in object.get(input.request.object, ["metadata", "annotations"], {})
	some prefix in _prefixes
	startswith(key, prefix)
	not key in object.keys(_annotations)
	msg := sprintf("`%s` stands at the workload and has no effect there: Linkerd reads the template's annotations", [key])
	field := sprintf("metadata.annotations[%s]", [key])
	remedy := sprintf("move it to `%s`", [_field])
}

_prefixes := {"config.linkerd.io/", "config.alpha.linkerd.io/", "linkerd.io/inject"}

_words := {
	"config.linkerd.io/default-inbound-policy": [
		"all-authenticated", "all-unauthenticated", "audit", "cluster-authenticated", "cluster-unauthenticated", "deny",
	],
	"linkerd.io/inject": ["disabled", "enabled", "ingress"],
}

# Lists of ports, and whether they may have names of ports.
_ports := {
	"config.linkerd.io/opaque-ports": true,
	"config.linkerd.io/proxy-require-identity-inbound-ports": false,
	"config.linkerd.io/skip-inbound-ports": false,
	"config.linkerd.io/skip-outbound-ports": false,
}

_is_port(text, _) if {
	regex.match(`^[0-9]{1,5}(-[0-9]{1,5})?$`, text)
	every number in split(text, "-") {
		to_number(number) > 0
		to_number(number) <= 65535
	}
}

_is_port(text, names) if {
	names
	regex.match(`^[a-z0-9-]*[a-z][a-z0-9-]*$`, text)
}

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
