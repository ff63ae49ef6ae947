# METADATA
# title: Pods meet what their namespace asks of them
# description: >-
#   Pod Security admission as a policy: the labels `pod-security.kubernetes.io/enforce`, `audit` and `warn` of a
#   Namespace, and their versions, say which of the Pod Security Standards hold there. Pods that violate what is enforced
#   are denied; workloads are warned about and never denied; labels that say nothing are refused; and who asks for more
#   than the Pods of a namespace give is told which.
# custom:
#   severity: critical
#   since: "0.1"
#   docs: https://kubernetes.io/docs/concepts/security/pod-security-admission/
#   message: plain
#   context: [containers, namespace, pod, pods]
#   errors: [containers, namespace, pod, pods]
#   controls:
#     - appArmorProfile
#     - capabilities_baseline
#     - hostNamespaces
#     - hostPathVolumes
#     - hostPorts
#     - hostProbesAndHostLifecycle
#     - privileged
#     - procMount
#     - seLinuxOptions
#     - seccompProfile_baseline
#     - sysctls
#     - windowsHostProcess
#     - allowPrivilegeEscalation
#     - capabilities_restricted
#     - procMount_restricted
#     - restrictedVolumes
#     - runAsNonRoot
#     - runAsUser
#     - seccompProfile_restricted
#     - unknownFields
#   match:
#     rules:
#       - apiGroups: [""]
#         apiVersions: [v1]
#         resources: [namespaces, pods, "pods/*", podtemplates, replicationcontrollers]
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
#       defaults:
#         description: What holds where a label is absent.
#         type: object
#         additionalProperties: false
#         default: {}
#         properties:
#           enforce:
#             enum: [privileged, baseline, restricted]
#             default: privileged
#           enforce-version:
#             type: string
#             pattern: ^(latest|v1\.(0|[1-9][0-9]{0,17}))$
#             default: latest
#           audit:
#             enum: [privileged, baseline, restricted]
#             default: privileged
#           audit-version:
#             type: string
#             pattern: ^(latest|v1\.(0|[1-9][0-9]{0,17}))$
#             default: latest
#           warn:
#             enum: [privileged, baseline, restricted]
#             default: privileged
#           warn-version:
#             type: string
#             pattern: ^(latest|v1\.(0|[1-9][0-9]{0,17}))$
#             default: latest
#       exemptions:
#         description: Who and what is not judged, by exact names.
#         type: object
#         additionalProperties: false
#         default: {}
#         properties:
#           usernames:
#             type: array
#             items: {type: string, minLength: 1}
#             uniqueItems: true
#             default: []
#           namespaces:
#             type: array
#             items: {type: string, minLength: 1}
#             uniqueItems: true
#             default: []
#           runtimeClasses:
#             type: array
#             items: {type: string, minLength: 1}
#             uniqueItems: true
#             default: []
#       ceiling:
#         description: What `latest`, and every version after it, stands for; such as the version of the API server.
#         type: string
#         pattern: ^v1\.(0|[1-9][0-9]{0,17})$
#         default: v1.37
#       reading:
#         description: >-
#           `reference`: as Pod Security admission has it. `strict`: also updates that change something which the checks
#           read and no image; and fields that Kubernetes does not have are warned about, and denied where `restricted`
#           is enforced.
#         enum: [reference, strict]
#         default: reference
#       existingPods:
#         description: How many Pods are looked at when the labels of a namespace change.
#         type: integer
#         minimum: 1
#         maximum: 3000
#         default: 3000
package policies.pod_security.admission

import data.lib.pod_security.existing_pods
import data.lib.pod_security.labels
import data.lib.pod_security.namespaces
import data.lib.pod_security.standards
import data.lib.pod_security.text
import data.lib.pod_security.unknown_fields
import data.lib.pod_security.updates

# A Pod that violates what is enforced.
deny contains {"msg": msg, "field": field, "details": details, "status": status} if {
	_is_denied
	field := standards.field(_enforced)
	message := standards.message(_enforced)
	violates := sprintf("violates PodSecurity %q: %s", [labels.title(_policy.enforce), message])
	msg := text.bounded(sprintf("%s is forbidden: %s", [_title, violates]))
	details := {"violations": _enforced, "remedy": standards.remedy(_enforced)}
	status := {"code": 403, "reason": "Forbidden", "details": {"name": _name, "kind": "pods"}}
}

# A Namespace with labels that say nothing.
deny contains {"msg": msg, "field": field, "status": status} if {
	["invalid", faults] = _namespace_course
	field := sprintf("metadata.labels[%s]", [faults[0].key])
	msg := text.bounded(sprintf("Namespace %q is invalid: %s", [_name, labels.texts(faults)]))
	causes := [cause |
		some fault in faults
		place := sprintf("metadata.labels[%s]", [fault.key])
		cause := {"reason": "FieldValueInvalid", "message": fault.message, "field": place}
	]
	status := {"code": 422, "reason": "Invalid", "details": {"name": _name, "kind": "Namespace", "causes": causes}}
}

# What can't be judged.
deny contains failure if {
	some ["failed", failure, _] in _failed
}

warn contains {"msg": msg, "field": field} if {
	_course == ["evaluated"]
	not _is_denied
	count(_found.warn) > 0
	msg := _would("warn")
	field := standards.field(_found.warn)
}

warn contains {"msg": msg, "field": field} if {
	_course == ["evaluated"]
	not _is_denied
	input.parameters.reading == "strict"
	msg := text.bounded(sprintf("fields that Kubernetes does not have: %s", [unknown_fields.violation.detail]))
	field := unknown_fields.violation.fields[0]
}

warn contains {"msg": msg, "key": key} if {
	some index, warning in _namespace_warnings
	key := sprintf("%05d", [index])
	msg := text.bounded(warning)
}

audit contains {"msg": msg, "field": field} if {
	_course == ["evaluated"]
	count(_found.audit) > 0
	msg := _would("audit")
	field := standards.field(_found.audit)
}

annotations["exempt"] := who if ["exempt", who] = _course

annotations["enforce-policy"] := "privileged:latest" if _course == ["privileged"]

annotations["enforce-policy"] := labels.title(_policy.enforce) if {
	_course == ["evaluated"]
	_is_pod
}

annotations["audit-violations"] := _would("audit") if {
	_course == ["evaluated"]
	count(_found.audit) > 0
}

annotations["error"] := text.bounded(sprintf("Failed to parse policy: %s", [labels.texts(_faults)])) if {
	_course == ["evaluated"]
	count(_faults) > 0
}

annotations["error"] := text.bounded(why) if ["unclear", why] = _course

annotations["error"] := text.bounded(why) if some ["failed", _, why] in _failed

_failed := array.concat([_course | _course[0] == "failed"], [failure |
	["failed", what, why] = _namespace_course
	failure := _bad_request(what, why)
])

# What becomes of a request about a Pod or a workload: the first that holds.
_course := [] if {
	_is_ignored
} else := ["exempt", "namespace"] if {
	input.request.namespace in input.parameters.exemptions.namespaces
} else := ["exempt", "user"] if {
	input.request.userInfo.username in input.parameters.exemptions.usernames
} else := failure if {
	failure := _lookup_failure
} else := ["privileged"] if {
	_is_pod
	_asks_for_nothing(labels.modes)
} else := [] if {
	not _is_pod
	_asks_for_nothing(["audit", "warn"])
} else := failure if {
	failure := _kind_failure
} else := [] if {
	_has_no_template
} else := failure if {
	failure := _pod_failure
} else := failure if {
	failure := _old_failure
} else := [] if {
	_is_update_of_pod
	not _is_significant
} else := ["exempt", "runtimeClass"] if {
	input.context.pod.spec.runtimeClassName in input.parameters.exemptions.runtimeClasses
} else := ["evaluated"]

_is_ignored if _is_namespace

# The subresources of Pods that bring no Pod. Any other is taken for one.
_is_ignored if {
	_is_pod
	_sub_resource in {"attach", "binding", "eviction", "exec", "log", "portforward", "proxy", "status"}
}

_is_ignored if {
	not _is_pod
	_sub_resource != ""
}

_lookup_failure := ["failed", {"msg": msg, "status": status}, error] if {
	_is_pod
	[what, why] := _lookup
	msg := sprintf("Internal error occurred: %s", [what])
	status := {"code": 500, "reason": "InternalError", "details": {"causes": [{"message": what}]}}
	error := sprintf("%s: %s", [msg, why])
}

_lookup_failure := ["unclear", sprintf("%s: %s", _lookup)] if not _is_pod

# What could not be looked up, and why.
_lookup := [what, why] if {
	not _is_known
	what := sprintf("failed to lookup namespace %q", [object.get(input.request, "namespace", "")])
	why := array.concat([why | why := input.context.namespace.error], ["there is none"])[0]
}

_is_known if is_object(_labels)

_kind_failure := _failure("failed to decode pod", "") if {
	_is_pod
	_kind(input.request.object) != "Pod"
}

_kind_failure := ["unclear", sprintf("failed to extract pod template: unexpected object type: %s", [type])] if {
	not _is_pod
	not _makes_pods
	version := object.get(input.request.object, "apiVersion", "")
	group := array.concat([version | contains(version, "/")], [sprintf("/%s", [version])])[0]
	type := sprintf("%s, Kind=%s", [group, _kind(input.request.object)])
}

_makes_pods if {
	_kind(input.request.object) == input.request.kind.kind
	input.context.pod != null
}

# Of all kinds it alone may have none.
_has_no_template if {
	input.request.kind.kind == "ReplicationController"
	object.get(input.request.object, ["spec", "template"], null) == null
}

_pod_failure := _failure("failed to decode object", min(_unreadable)) if count(_unreadable) > 0

_unreadable contains why if why := input.context.pod.error

_unreadable contains why if why := input.context.containers.error

_old_failure := _failure("failed to decode old pod", "") if {
	_is_update_of_pod
	_kind(input.request.oldObject) != "Pod"
}

_old_failure := _failure("failed to decode old object", why) if {
	_is_update_of_pod
	_kind(input.request.oldObject) == "Pod"
	why := updates.undecoded(input.request.oldObject)
}

# Of a Pod it is a denial; a workload makes Pods, which are asked about.
_failure(what, why) := _bad_request(what, why) if _is_pod

_failure(what, why) := ["unclear", _with(what, why)] if not _is_pod

_bad_request(what, why) := ["failed", {"msg": what, "status": {"code": 400, "reason": "BadRequest"}}, _with(what, why)]

_with(what, "") := what

_with(what, why) := sprintf("%s: %s", [what, why]) if why != ""

_is_significant if updates.is_significant(input.request.object, input.request.oldObject)

_is_significant if {
	input.parameters.reading == "strict"
	updates.is_relevant(input.request.object, input.request.oldObject)
}

# Whether it is denied: for a Pod alone something is enforced.
_is_denied if {
	_course == ["evaluated"]
	_is_pod
	count(_enforced) > 0
}

_enforced := array.concat(_found.enforce, [violation |
	input.parameters.reading == "strict"
	_policy.enforce.level == "restricted"
	violation := unknown_fields.violation
])

# The violations of each mode that demands something. What two of them ask alike is asked once.
_found := {mode: [violation | some violation in all[[_policy[mode].level, minor]]] | some mode, minor in _minors} if {
	asked := {[_policy[mode].level, minor] | some mode, minor in _minors; labels.demands(_policy[mode])}
	all := {one: standards.violations(level, minor) | some one in asked; [level, minor] := one}
}

_minors := {mode: standards.minor(_policy[mode].version, input.parameters.ceiling) | some mode in labels.modes}

_would(mode) := text.bounded(sprintf("would violate PodSecurity %q: %s", [
	labels.title(_policy[mode]),
	standards.message(_found[mode]),
]))

_namespace_warnings := warnings if ["exempt", warnings] = _namespace_course

_namespace_warnings := ["failed to list pods while checking new PodSecurity enforce level"] if {
	["tightened", _] = _namespace_course
	_are_not_listed
}

_namespace_warnings := warnings if {
	["tightened", enforce] = _namespace_course
	not _are_not_listed
	minor := standards.minor(enforce.version, input.parameters.ceiling)
	exempt := input.parameters.exemptions.runtimeClasses
	warnings := existing_pods.warnings(_name, enforce, minor, exempt, input.parameters.existingPods)
}

_are_not_listed if input.context.pods.error

_namespace_course := namespaces.course(_defaults, input.parameters.exemptions.namespaces) if _is_namespace

_defaults := {mode: {"level": level, "version": version} |
	some mode in labels.modes
	level := input.parameters.defaults[mode]
	version := input.parameters.defaults[sprintf("%s-version", [mode])]
}

# What the labels of the namespace that the object is in come to.
_policy := labels.policy(_labels, _defaults)

_faults := labels.faults(_labels)

_labels := input.context.namespace.labels

_asks_for_nothing(modes) if {
	count(_faults) == 0
	every mode in modes {
		asked := _policy[mode]
		not labels.demands(asked)
	}
}

_is_namespace if _is("namespaces")

_is_pod if _is("pods")

_is(resource) if {
	input.request.resource.group == ""
	input.request.resource.resource == resource
}

_is_update_of_pod if {
	_is_pod
	input.request.operation == "UPDATE"
}

_sub_resource := object.get(input.request, "subResource", "")

_name := object.get(input.request, "name", "")

# One whose name is yet to be generated has none.
_title := sprintf("pods %q", [_name]) if _name != ""

_title := "pods" if _name == ""

_kind(made) := object.get(made, "kind", "")
