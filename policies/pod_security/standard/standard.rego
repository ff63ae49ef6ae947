# METADATA
# title: Pods meet the Pod Security Standards
# description: >-
#   The checks of Pod Security admission at a level and in a version of the standards, with its messages. `baseline`
#   keeps Pods from what is known to lead to their node; `restricted` asks for what hardens them besides. A container
#   that is exempt from one of the checks is still judged by the others.
# custom:
#   severity: critical
#   since: "0.1"
#   docs: https://kubernetes.io/docs/concepts/security/pod-security-standards/
#   message: plain
#   context: [containers, pod]
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
#   match:
#     rules:
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
#       level:
#         description: How much is demanded; at `privileged` nothing is.
#         enum: [privileged, baseline, restricted]
#         default: baseline
#       version:
#         description: The version of the standards, such as v1.37; `latest` is the newest that is known.
#         type: string
#         pattern: ^(latest|v1\.(0|[1-9][0-9]{0,17}))$
#         default: latest
#       ceiling:
#         description: What `latest`, and every version after it, stands for; such as the version of the API server.
#         type: string
#         pattern: ^v1\.(0|[1-9][0-9]{0,17})$
#         default: v1.37
package policies.pod_security.standard

import data.lib.pod_security.standards

deny contains {"msg": msg, "field": field, "details": details} if {
	minor := standards.minor(input.parameters.version, input.parameters.ceiling)
	violations := standards.violations(input.parameters.level, minor)
	count(violations) > 0
	msg := standards.message(violations)
	field := standards.field(violations)
	details := {
		"level": input.parameters.level,
		"version": input.parameters.version,
		"evaluated": sprintf("v1.%d", [minor]),
		"violations": violations,
		"remedy": standards.remedy(violations),
	}
}
