package lib.pod_security.versions_test

import data.lib.pod_security.versions

_baseline := [
	"appArmorProfile",
	"capabilities_baseline",
	"hostNamespaces",
	"hostPathVolumes",
	"hostPorts",
	"privileged",
	"procMount",
	"seLinuxOptions",
	"seccompProfile_baseline",
	"sysctls",
	"windowsHostProcess",
]

_baseline_34 := array.concat(array.concat(array.slice(_baseline, 0, 5), ["hostProbesAndHostLifecycle"]), array.slice(_baseline, 5, 11))

_in_force(level, minor) := [check.id | some check in versions.checks; versions.in_force(check, level, minor)]

test_baseline if {
	every minor in [0, 33] {
		_in_force("baseline", minor) == _baseline
	}
	every minor in [34, 35, 37] {
		_in_force("baseline", minor) == _baseline_34
	}
}

test_privileged_has_no_checks if {
	every minor in [0, 37] {
		_in_force("privileged", minor) == []
	}
}

# The last of each is a version before the next.
test_restricted if {
	_restricted(0, {"hostPathVolumes"}, ["restrictedVolumes", "runAsNonRoot"])
	_restricted(7, {"hostPathVolumes"}, ["restrictedVolumes", "runAsNonRoot"])
	_restricted(8, {"hostPathVolumes"}, ["allowPrivilegeEscalation", "restrictedVolumes", "runAsNonRoot"])
	_restricted(18, {"hostPathVolumes"}, ["allowPrivilegeEscalation", "restrictedVolumes", "runAsNonRoot"])
	_restricted(19, {"hostPathVolumes", "seccompProfile_baseline"}, _from_19)
	_restricted(21, {"hostPathVolumes", "seccompProfile_baseline"}, _from_19)
	_restricted(22, _replaced_22, _from_22)
	_restricted(23, _replaced_22, _from_23)
	_restricted(33, _replaced_22, _from_23)
	_restricted(34, _replaced_22, _from_23)
	_restricted(35, _replaced_22 | {"procMount"}, _from_35)
	_restricted(37, _replaced_22 | {"procMount"}, _from_35)
}

_from_19 := ["allowPrivilegeEscalation", "restrictedVolumes", "runAsNonRoot", "seccompProfile_restricted"]

_from_22 := array.concat(["allowPrivilegeEscalation", "capabilities_restricted"], array.slice(_from_19, 1, 4))

_from_23 := array.concat(array.slice(_from_22, 0, 4), ["runAsUser", "seccompProfile_restricted"])

_from_35 := array.concat(array.concat(array.slice(_from_23, 0, 2), ["procMount_restricted"]), array.slice(_from_23, 2, 6))

_replaced_22 := {"capabilities_baseline", "hostPathVolumes", "seccompProfile_baseline"}

_restricted(minor, replaced, more) if {
	kept := [id | some id in _in_force("baseline", minor); not id in replaced]
	_in_force("restricted", minor) == array.concat(kept, more)
}

test_rules_that_changed if {
	not versions.seccomp_is_read_from_fields(18)
	versions.seccomp_is_read_from_fields(19)
	not versions.windows_pods_are_skipped(24)
	versions.windows_pods_are_skipped(25)
	not versions.user_namespaces_are_skipped(34)
	versions.user_namespaces_are_skipped(35)
}

test_values if {
	versions.newest == 37
	versions.restricted_capabilities == {"NET_BIND_SERVICE"}
	versions.baseline_capabilities == {
		"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP",
		"SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
	}
	versions.seccomp_profiles == {"Localhost", "RuntimeDefault"}
	versions.app_armor_profiles == {"Localhost", "RuntimeDefault"}
	versions.restricted_volumes == {
		"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret",
	}
	versions.other_volumes == [
		"hostPath", "gcePersistentDisk", "awsElasticBlockStore", "gitRepo", "nfs", "iscsi", "glusterfs", "rbd", "flexVolume",
		"cinder", "cephfs", "flocker", "fc", "azureFile", "vsphereVolume", "quobyte", "azureDisk", "photonPersistentDisk",
		"portworxVolume", "scaleIO", "storageos",
	]
}

test_sysctls if {
	{name | some name, 0 in versions.sysctls} == {
		"kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
		"net.ipv4.ping_group_range", "net.ipv4.tcp_syncookies",
	}
	{name: from | some name, from in versions.sysctls; from > 0} == {
		"net.ipv4.ip_local_reserved_ports": 27,
		"net.ipv4.tcp_fin_timeout": 29,
		"net.ipv4.tcp_keepalive_intvl": 29,
		"net.ipv4.tcp_keepalive_probes": 29,
		"net.ipv4.tcp_keepalive_time": 29,
		"net.ipv4.tcp_notsent_lowat": 37,
		"net.ipv4.tcp_rmem": 32,
		"net.ipv4.tcp_slow_start_after_idle": 37,
		"net.ipv4.tcp_wmem": 32,
	}
}

test_se_linux_types if {
	versions.se_linux_types == {
		"": 0,
		"container_engine_t": 31,
		"container_init_t": 0,
		"container_kvm_t": 0,
		"container_t": 0,
	}
}
