package policies.workloads.host_path_test

import data.policies.workloads.host_path

_allowed := [{"path": "/var/log"}, {"path": "/run/agent/", "write": true}, {"path": "/var/log/agent", "write": true}]

_volume(path) := {"name": "host", "hostPath": {"path": path}}

_container(kind, path, mounts) := {"kind": kind, "name": "app", "path": path, "container": {"volumeMounts": mounts}}

_input(operation, volumes, containers) := {
	"request": {"operation": operation},
	"parameters": {"allowedPaths": _allowed},
	"context": {
		"containers": containers,
		"pod": {"path": "spec", "template": false, "spec": {"volumes": volumes}, "metadata": {}},
	},
	"exempt": {},
}

_denied(volumes, containers) := violations if {
	violations := host_path.deny with input as _input("CREATE", volumes, containers)
}

_refused(index, name, path) := {
	"msg": sprintf("the volume \"%s\" is the path %s of the node, which is not allowed", [name, path]),
	"field": sprintf("spec.volumes[%d].hostPath.path", [index]),
	"details": {"remedy": "take a volume of another type: `emptyDir` for what may be lost, `persistentVolumeClaim` for what stays"},
}

_written(title, path, index) := {
	"msg": sprintf("%s may write to the volume \"host\", the path /var/log/pods of the node", [title]),
	"field": sprintf("%s.volumeMounts[%d].readOnly", [path, index]),
	"details": {"remedy": "set `readOnly: true` at this mount", "required": "true"},
}

test_other_volumes_are_fine if {
	_denied([{"name": "a", "emptyDir": {}}, {"name": "b", "hostPath": null}], []) == set()
}

test_no_volumes if {
	every spec in [{}, {"volumes": null}, {"volumes": []}] {
		given := json.patch(_input("CREATE", [], []), [{"op": "replace", "path": "/context/pod/spec", "value": spec}])
		violations := host_path.deny with input as given
		violations == set()
	}
}

test_paths_that_are_allowed if {
	every path in ["/var/log", "/var/log/", "/var//./log/pods", "/run/agent", "/run/agent/a.sock"] {
		_denied([_volume(path)], []) == set()
	}
}

test_paths_that_only_look_like_it if {
	every path in ["/", "", "/var", "/var/logs", "/var/log/../lib", "/var/log/..", "var/log", "/run", "/run/agents", "/VAR/log"] {
		_denied([{"name": "a", "emptyDir": {}}, _volume(path)], []) == {_refused(1, "host", path)}
	}
}

test_a_volume_without_path_or_name_is_refused if {
	_denied([{"hostPath": {}}], []) == {_refused(0, "", "")}
}

test_every_list_on_every_write if {
	mounts := [{"name": "other"}, {"name": "host"}, {"name": "host", "readOnly": true}, {"name": "host", "readOnly": false}]
	containers := [
		_container("init", "spec.initContainers[0]", mounts),
		_container("sidecar", "spec.initContainers[1]", mounts),
		_container("regular", "spec.containers[0]", mounts),
		_container("ephemeral", "spec.ephemeralContainers[0]", mounts),
		_container("regular", "spec.containers[1]", null),
	]
	titles := {
		"spec.initContainers[0]": "init container \"app\"",
		"spec.initContainers[1]": "sidecar container \"app\"",
		"spec.containers[0]": "container \"app\"",
		"spec.ephemeralContainers[0]": "ephemeral container \"app\"",
	}
	every operation in ["CREATE", "UPDATE"] {
		violations := host_path.deny with input as _input(operation, [_volume("/var/log/pods")], containers)
		violations == {_written(title, path, index) | some path, title in titles; some index in {1, 3}}
	}
}

test_where_writing_is_allowed_mounts_may_write if {
	containers := [_container("regular", "spec.containers[0]", [{"name": "host"}])]
	every path in ["/run/agent/a.sock", "/var/log/agent/buffer"] {
		_denied([_volume(path)], containers) == set()
	}
}

test_a_subresource_does_not_bring_volumes_but_containers_that_mount_them if {
	containers := [_container("ephemeral", "spec.ephemeralContainers[0]", [{"name": "host"}])]
	given := object.union(
		_input("UPDATE", [_volume("/var/log/pods"), _volume("/etc")], containers),
		{"request": {"subResource": "ephemeralcontainers"}},
	)
	violations := host_path.deny with input as given
	violations == {_written("ephemeral container \"app\"", "spec.ephemeralContainers[0]", 0)}
}

test_an_exempt_container_may_write if {
	containers := [_container("regular", "spec.containers[0]", [{"name": "host"}])]
	given := object.union(
		_input("CREATE", [_volume("/var/log/pods")], containers),
		{"exempt": {"workloads/host_path": ["app"]}},
	)
	violations := host_path.deny with input as given
	violations == set()
}
