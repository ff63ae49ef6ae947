# METADATA
# title: The Pod Security Standards
# description: All checks of a level in a version of the standards, asked about one Pod, and what is said of it.
package lib.pod_security.standards

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
import data.lib.pod_security.text
import data.lib.pod_security.versions
import data.lib.pod_security.windows_host_process

# The violations, in the order of the messages: those of the checks of a level in a version, by its minor number.
violations(level, minor) := [violation |
	some check in versions.checks
	versions.in_force(check, level, minor)
	some violation in found[check.id]
] if {
	found := {
		"allowPrivilegeEscalation": [one | one := allow_privilege_escalation.violation(minor)],
		"appArmorProfile": [one | one := app_armor_profile.violation],
		"capabilities_baseline": [one | one := capabilities_baseline.violation],
		"capabilities_restricted": [one | one := capabilities_restricted.violation(minor)],
		"hostNamespaces": [one | one := host_namespaces.violation],
		"hostPathVolumes": [one | one := host_path_volumes.violation],
		"hostPorts": [one | one := host_ports.violation],
		"hostProbesAndHostLifecycle": [one | one := host_probes_and_host_lifecycle.violation],
		"privileged": [one | one := privileged.violation],
		"procMount": [one | one := proc_mount.violation(minor)],
		"procMount_restricted": [one | one := proc_mount_restricted.violation],
		"restrictedVolumes": [one | one := restricted_volumes.violation],
		"runAsNonRoot": [one | one := run_as_non_root.violation(minor)],
		"runAsUser": [one | one := run_as_user.violation(minor)],
		"seLinuxOptions": [one | one := se_linux_options.violation(minor)],
		"seccompProfile_baseline": [one | one := seccomp_profile_baseline.violation(minor)],
		"seccompProfile_restricted": [one | one := seccomp_profile_restricted.violation(minor)],
		"sysctls": [one | one := sysctls.violation(minor)],
		"windowsHostProcess": [one | one := windows_host_process.violation],
	}
}

# The version that decides where one is asked for: not beyond the ceiling, nor beyond what is known.
minor(version, ceiling) := min([number |
	some one in [version, ceiling, sprintf("v1.%d", [versions.newest])]
	one != "latest"
	number := to_number(trim_prefix(one, "v1."))
])

# What is said of violations: their reasons, each with its detail.
message(violations) := text.bounded(concat(", ", [_line(violation) | some violation in violations]))

# The same without details.
reasons(violations) := concat(", ", [violation.reason | some violation in violations])

# The change that mends all of them.
remedy(violations) := text.bounded(concat("; ", [violation.remedy | some violation in violations]))

# The first of their fields.
field(violations) := [field | some violation in violations; some field in violation.fields][0]

_line(violation) := sprintf("%s (%s)", [violation.reason, violation.detail]) if violation.detail != ""

_line(violation) := violation.reason if violation.detail == ""
