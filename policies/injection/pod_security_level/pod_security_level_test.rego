package policies.injection.pod_security_level_test

import data.policies.injection.pod_security_level

_denied(level, sub, container) := violations if {
	labels := {key: level | key := "pod-security.kubernetes.io/enforce"; level != ""}
	violations := pod_security_level.deny with input as {
		"request": {"operation": "CREATE", "subResource": sub, "object": {}},
		"context": {"namespace": {"name": "shop", "labels": labels}, "containers": [container]},
		"exempt": {},
	}
}

_container(name, rendered, added) := {
	"name": name,
	"path": "spec.initContainers[0]",
	"rendered": rendered,
	"container": {"securityContext": {"capabilities": {"add": added}}},
}

_violation(name, added, level) := {{
	"msg": sprintf(
		"container \"%s\" adds %s to redirect traffic, and the namespace enforces the level %s, which lets no such Pod in",
		[name, added, level],
	),
	"field": "spec.initContainers[0].securityContext.capabilities.add",
	"details": {"remedy": "install the mesh's CNI plugin, which redirects traffic from outside the Pod (Istio: pilot.cni.enabled; Linkerd: cniEnabled), or take the ambient mode"},
}}

test_levels_that_let_no_such_pod_in if {
	every level in ["baseline", "restricted"] {
		_denied(level, null, _container("istio-init", true, ["NET_RAW", "NET_ADMIN"])) == _violation("istio-init", "NET_ADMIN, NET_RAW", level)
		_denied(level, null, _container("istio-init", false, ["NET_ADMIN"])) == _violation("istio-init", "NET_ADMIN", level)
		_denied(level, null, _container("linkerd-init", false, ["NET_ADMIN"])) == _violation("linkerd-init", "NET_ADMIN", level)
		_denied(level, null, _container("setup", true, ["NET_ADMIN"])) == _violation("setup", "NET_ADMIN", level)
	}
}

test_what_fits if {
	every level in ["", "privileged", "other"] {
		_denied(level, null, _container("istio-init", true, ["NET_ADMIN"])) == set()
	}
	every container in [
		_container("istio-validation", true, []), _container("istio-proxy", true, ["CHOWN"]), _container("app", false, ["NET_ADMIN"]),
		{"name": "istio-init", "path": "a", "rendered": true, "container": {}},
	] {
		_denied("restricted", null, container) == set()
	}
	_denied("restricted", "eviction", _container("istio-init", true, ["NET_ADMIN"])) == set()
}
