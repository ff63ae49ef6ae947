# METADATA
# title: Versions of the Pod Security Standards
# description: >-
#   Which checks there are, at which level and from which version, and the values that they allow: all that differs
#   between versions of the standards stands here. A version is its minor number.
package lib.pod_security.versions

# The newest version in which something changed. Later ones are judged by it.
newest := 37

# In the order of the messages. `replaced`: the version from which a check of level `restricted` takes its place there.
checks := [
	{"id": "appArmorProfile", "level": "baseline", "from": 0},
	{"id": "capabilities_baseline", "level": "baseline", "from": 0, "replaced": 22},
	{"id": "hostNamespaces", "level": "baseline", "from": 0},
	{"id": "hostPathVolumes", "level": "baseline", "from": 0, "replaced": 0},
	{"id": "hostPorts", "level": "baseline", "from": 0},
	{"id": "hostProbesAndHostLifecycle", "level": "baseline", "from": 34},
	{"id": "privileged", "level": "baseline", "from": 0},
	{"id": "procMount", "level": "baseline", "from": 0, "replaced": 35},
	{"id": "seLinuxOptions", "level": "baseline", "from": 0},
	{"id": "seccompProfile_baseline", "level": "baseline", "from": 0, "replaced": 19},
	{"id": "sysctls", "level": "baseline", "from": 0},
	{"id": "windowsHostProcess", "level": "baseline", "from": 0},
	{"id": "allowPrivilegeEscalation", "level": "restricted", "from": 8},
	{"id": "capabilities_restricted", "level": "restricted", "from": 22},
	{"id": "procMount_restricted", "level": "restricted", "from": 35},
	{"id": "restrictedVolumes", "level": "restricted", "from": 0},
	{"id": "runAsNonRoot", "level": "restricted", "from": 0},
	{"id": "runAsUser", "level": "restricted", "from": 23},
	{"id": "seccompProfile_restricted", "level": "restricted", "from": 19},
]

# Whether a check belongs to a level in a version.
in_force(check, level, minor) if {
	check.level == level
	minor >= check.from
}

in_force(check, "restricted", minor) if {
	check.level == "baseline"
	minor >= check.from
	minor < object.get(check, "replaced", minor + 1)
}

# The versions in which the rule of a check became another.
windows_pods_are_skipped(minor) if minor >= 25

user_namespaces_are_skipped(minor) if minor >= 35

seccomp_is_read_from_fields(minor) if minor >= 19

baseline_capabilities := {
	"AUDIT_WRITE",
	"CHOWN",
	"DAC_OVERRIDE",
	"FOWNER",
	"FSETID",
	"KILL",
	"MKNOD",
	"NET_BIND_SERVICE",
	"SETFCAP",
	"SETGID",
	"SETPCAP",
	"SETUID",
	"SYS_CHROOT",
}

restricted_capabilities := {"NET_BIND_SERVICE"}

seccomp_profiles := {"Localhost", "RuntimeDefault"}

app_armor_profiles := {"Localhost", "RuntimeDefault"}

# By the version that allowed them first.
sysctls := {
	"kernel.shm_rmid_forced": 0,
	"net.ipv4.ip_local_port_range": 0,
	"net.ipv4.ip_local_reserved_ports": 27,
	"net.ipv4.ip_unprivileged_port_start": 0,
	"net.ipv4.ping_group_range": 0,
	"net.ipv4.tcp_fin_timeout": 29,
	"net.ipv4.tcp_keepalive_intvl": 29,
	"net.ipv4.tcp_keepalive_probes": 29,
	"net.ipv4.tcp_keepalive_time": 29,
	"net.ipv4.tcp_notsent_lowat": 37,
	"net.ipv4.tcp_rmem": 32,
	"net.ipv4.tcp_slow_start_after_idle": 37,
	"net.ipv4.tcp_syncookies": 0,
	"net.ipv4.tcp_wmem": 32,
}

# By the version that allowed them first.
se_linux_types := {
	"": 0,
	"container_engine_t": 31,
	"container_init_t": 0,
	"container_kvm_t": 0,
	"container_t": 0,
}

# The sources of volumes that `restricted` allows, in every version.
restricted_volumes := {
	"configMap",
	"csi",
	"downwardAPI",
	"emptyDir",
	"ephemeral",
	"image",
	"persistentVolumeClaim",
	"projected",
	"secret",
}

# The other sources; of a volume with several the first is named.
other_volumes := [
	"hostPath",
	"gcePersistentDisk",
	"awsElasticBlockStore",
	"gitRepo",
	"nfs",
	"iscsi",
	"glusterfs",
	"rbd",
	"flexVolume",
	"cinder",
	"cephfs",
	"flocker",
	"fc",
	"azureFile",
	"vsphereVolume",
	"quobyte",
	"azureDisk",
	"photonPersistentDisk",
	"portworxVolume",
	"scaleIO",
	"storageos",
]
