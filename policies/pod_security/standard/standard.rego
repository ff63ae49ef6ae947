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

import data.lib.pod_security.allow_privilege_escalation
import data.lib.pod_security.app_armor_profile
import data.lib.pod_security.capabilities_baseline
import data.lib.pod_security.capabilities_restricted
import data.lib.pod_security.host_namespaces
import data.lib.pod_security.host_path_volumes
import data.lib.pod_security.host_ports
import data.lib.pod_security.host_probes_and_host_lifecycle
import data.lib.pod_security.privileged
import data.lib.pod_security.proc_mount
import data.lib.pod_security.proc_mount_restricted
import data.lib.pod_security.restricted_volumes
import data.lib.pod_security.run_as_non_root
import data.lib.pod_security.run_as_user
import data.lib.pod_security.se_linux_options
import data.lib.pod_security.seccomp_profile_baseline
import data.lib.pod_security.seccomp_profile_restricted
import data.lib.pod_security.sysctls
import data.lib.pod_security.versions
import data.lib.pod_security.windows_host_process

deny contains {"msg": msg, "field": field, "details": details} if {
	count(_violations) > 0
	msg := concat(", ", [_line(violation) | some violation in _violations])
	field := [field | some violation in _violations; some field in violation.fields][0]
	details := {
		"level": input.parameters.level,
		"version": input.parameters.version,
		"evaluated": sprintf("v1.%d", [_minor]),
		"violations": _violations,
		"remedy": concat("; ", [violation.remedy | some violation in _violations]),
	}
}

# The checks' order is that of the messages.
_violations := [violation |
	some check in versions.checks
	violation := _found[check.id]
	versions.in_force(check, input.parameters.level, _minor)
]

_line(violation) := sprintf("%s (%s)", [violation.reason, violation.detail]) if violation.detail != ""

_line(violation) := violation.reason if violation.detail == ""

# The version that decides.
_minor := min([number |
	some version in [input.parameters.version, input.parameters.ceiling, sprintf("v1.%d", [versions.newest])]
	version != "latest"
	number := to_number(trim_prefix(version, "v1."))
])

_found["allowPrivilegeEscalation"] := allow_privilege_escalation.violation(_minor)

_found["appArmorProfile"] := app_armor_profile.violation

_found["capabilities_baseline"] := capabilities_baseline.violation

_found["capabilities_restricted"] := capabilities_restricted.violation(_minor)

_found["hostNamespaces"] := host_namespaces.violation

_found["hostPathVolumes"] := host_path_volumes.violation

_found["hostPorts"] := host_ports.violation

_found["hostProbesAndHostLifecycle"] := host_probes_and_host_lifecycle.violation

_found["privileged"] := privileged.violation

_found["procMount"] := proc_mount.violation(_minor)

_found["procMount_restricted"] := proc_mount_restricted.violation

_found["restrictedVolumes"] := restricted_volumes.violation

_found["runAsNonRoot"] := run_as_non_root.violation(_minor)

_found["runAsUser"] := run_as_user.violation(_minor)

_found["seLinuxOptions"] := se_linux_options.violation(_minor)

_found["seccompProfile_baseline"] := seccomp_profile_baseline.violation(_minor)

_found["seccompProfile_restricted"] := seccomp_profile_restricted.violation(_minor)

_found["sysctls"] := sysctls.violation(_minor)

_found["windowsHostProcess"] := windows_host_process.violation
