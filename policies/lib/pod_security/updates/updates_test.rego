package lib.pod_security.updates_test

import data.lib.pod_security.updates

_pod(spec) := {"metadata": {}, "spec": spec}

_containers(images) := [{"name": sprintf("c%d", [index]), "image": image} | some index, image in images]

test_other_containers_are_significant if {
	every list in ["containers", "initContainers"] {
		old := _pod({list: _containers(["a", "b"])})
		every images in [["a"], ["a", "b", "c"], ["a", "c"], ["b", "a"]] {
			updates.is_significant(_pod({list: _containers(images)}), old)
		}
		not updates.is_significant(_pod({list: [{"name": "x", "image": "a"}, {"name": "c1", "image": "b", "tty": true}]}), old)
		updates.is_significant(_pod({}), old)
	}
}

test_ephemeral_containers_are_significant_where_they_are_new_or_have_another_image if {
	old := _pod({"ephemeralContainers": _containers(["a", "b"])})
	updates.is_significant(_pod({"ephemeralContainers": _containers(["a", "b", "a"])}), old)
	updates.is_significant(_pod({"ephemeralContainers": _containers(["a", "c"])}), old)
	updates.is_significant(_pod({"ephemeralContainers": [{"image": "a"}]}), old)
	not updates.is_significant(_pod({"ephemeralContainers": _containers(["a"])}), old)
	not updates.is_significant(_pod({"ephemeralContainers": null}), old)
	not updates.is_significant(_pod({"ephemeralContainers": [{"name": "c1", "image": "b", "tty": true}]}), old)
	updates.is_significant(_pod({"ephemeralContainers": [{"name": "x"}]}), _pod({}))
	not updates.is_significant(_pod({"ephemeralContainers": [{"name": "x"}]}), _pod({"ephemeralContainers": [{"name": "x", "image": null}]}))
}

test_what_the_checks_read_is_relevant if {
	old := _pod({"containers": _containers(["a"])})
	every name in ["hostIPC", "hostNetwork", "hostPID", "hostUsers", "os", "securityContext", "volumes"] {
		updates.is_relevant(_pod({"containers": _containers(["a"]), name: {"x": true}}), old)
	}
	every list in ["initContainers", "containers", "ephemeralContainers"] {
		updates.is_relevant(_pod({list: [{"name": "c0", "image": "a", "tty": true}]}), old)
	}
	every name in [
		"container.apparmor.security.beta.kubernetes.io/a", "seccomp.security.alpha.kubernetes.io/pod",
		"container.seccomp.security.alpha.kubernetes.io/a",
	] {
		updates.is_relevant({"metadata": {"annotations": {name: "x"}}, "spec": old.spec}, old)
	}
}

test_other_things_are_not if {
	old := _pod({"containers": _containers(["a"])})
	not updates.is_relevant(_pod({"containers": [{"name": "c0", "image": "a", "resources": {"x": 1}}], "tolerations": [1], "initContainers": null}), old)
	not updates.is_relevant({"metadata": {"annotations": {"a": "x"}, "labels": {"b": "y"}}, "spec": old.spec}, old)
}

test_what_was_stored_is_a_pod if {
	every spec in [{}, {"containers": null}, {"containers": [{}], "initContainers": [], "ephemeralContainers": [{"name": "a", "image": null}]}] {
		not updates.undecoded(_pod(spec))
	}
}

test_what_was_stored_is_no_pod if {
	updates.undecoded({}) == "spec is not an object"
	updates.undecoded({"spec": "x"}) == "spec is not an object"
	every list in ["initContainers", "containers", "ephemeralContainers"] {
		updates.undecoded(_pod({list: {"a": 1}})) == sprintf("spec.%s is not an array", [list])
		every container in ["x", {"name": 1}, {"name": "a", "image": 2}] {
			updates.undecoded(_pod({list: [{"name": "a"}, container]})) == sprintf("spec.%s[1] is not a container", [list])
		}
	}
}
