package policies.injection.proxy_uid_test

import data.policies.injection.proxy_uid

_container(kind, path, name, context) := {
	"kind": kind,
	"name": name,
	"path": path,
	"container": {"securityContext": context},
	"rendered": false,
}

_input(operation, spec, containers) := {
	"request": {"operation": operation},
	"parameters": {"ids": [1337, 2102], "proxies": {"istio-proxy": 1337, "linkerd-proxy": 2102}},
	"context": {
		"containers": containers,
		"pod": {"path": "spec", "template": false, "spec": spec, "metadata": {}},
	},
	"exempt": {},
}

_denied(name, context) := violations if {
	violations := proxy_uid.deny with input as _input("CREATE", {}, [_container("regular", "spec.containers[0]", name, context)])
}

_violation(title, path, member, id) := {
	"msg": sprintf("%s has `%s: %d`, the proxy's, so what it sends goes past the proxy", [title, member, id]),
	"field": sprintf("%s.securityContext.%s", [path, member]),
	"details": {"remedy": "take another id"},
}

test_other_users if {
	every context in [null, {}, {"runAsUser": 1000, "runAsGroup": 0}, {"fsGroup": 1337}] {
		_denied("app", context) == set()
	}
}

test_the_users_and_groups_of_proxies if {
	every id in [1337, 2102] {
		every member in ["runAsUser", "runAsGroup"] {
			_denied("app", {member: id}) == {_violation("container \"app\"", "spec.containers[0]", member, id)}
		}
	}
	rendered := object.union(_container("regular", "spec.containers[0]", "app", {"runAsUser": 1337}), {"rendered": true})
	violations := proxy_uid.deny with input as _input("CREATE", {}, [rendered])
	violations == set()
}

test_a_proxy_has_only_its_own_id if {
	title := "container \"%s\""
	every member in ["runAsUser", "runAsGroup"] {
		_denied("istio-proxy", {member: 1337}) == set()
		_denied("linkerd-proxy", {member: 2102}) == set()
		_denied("istio-proxy", {member: 2102}) == {_violation(sprintf(title, ["istio-proxy"]), "spec.containers[0]", member, 2102)}
		_denied("linkerd-proxy", {member: 1337}) == {_violation(sprintf(title, ["linkerd-proxy"]), "spec.containers[0]", member, 1337)}
	}
}

test_every_list_on_every_write if {
	context := {"runAsUser": 1337}
	containers := [
		_container("init", "spec.initContainers[0]", "app", context),
		_container("sidecar", "spec.initContainers[1]", "app", context),
		_container("regular", "spec.containers[0]", "app", context),
		_container("ephemeral", "spec.ephemeralContainers[0]", "app", context),
	]
	every operation in ["CREATE", "UPDATE"] {
		violations := proxy_uid.deny with input as _input(operation, {}, containers)
		violations == {
			_violation("init container \"app\"", "spec.initContainers[0]", "runAsUser", 1337),
			_violation("sidecar container \"app\"", "spec.initContainers[1]", "runAsUser", 1337),
			_violation("container \"app\"", "spec.containers[0]", "runAsUser", 1337),
			_violation("ephemeral container \"app\"", "spec.ephemeralContainers[0]", "runAsUser", 1337),
		}
	}
}

test_the_pod_itself if {
	every member in ["runAsUser", "runAsGroup"] {
		given := _input("CREATE", {"securityContext": {member: 2102}}, [])
		violations := proxy_uid.deny with input as given
		violations == {{
			"msg": sprintf("the Pod has `%s: 2102`, the proxy's, so what its containers send goes past the proxy", [member]),
			"field": sprintf("spec.securityContext.%s", [member]),
			"details": {"remedy": "take another id"},
		}}
		none := proxy_uid.deny with input as object.union(given, {"request": {"subResource": "resize"}})
		none == set()
	}
}

test_an_exempt_container_is_not_judged if {
	given := _input("CREATE", {}, [_container("regular", "spec.containers[0]", "app", {"runAsUser": 1337})])
	violations := proxy_uid.deny with input as object.union(given, {"exempt": {"injection/proxy_uid": ["app"]}})
	violations == set()
}
