package lib.pod_security.app_armor_profile_test

import data.lib.pod_security.app_armor_profile

_input(spec, containers, annotations, exempt) := {"context": {"containers": [{"name": name, "path": sprintf("spec.containers[%d]", [index]), "container": container} | some index, [name, container] in containers], "pod": {"path": "spec", "spec": spec, "metadata": {"annotations": annotations}}}, "exempt": exempt}

test_pod_containers_and_annotations if {
	found := app_armor_profile.violation with input as _input({"securityContext": {"appArmorProfile": {"type": "Unconfined"}}}, [["a", {"securityContext": {"appArmorProfile": {}}}], ["b", {"securityContext": {"appArmorProfile": {"type": "Localhost"}}}], ["c", {"securityContext": {"appArmorProfile": {"type": "RuntimeDefault"}}}], ["d", {}], ["e", {"securityContext": {"appArmorProfile": null}}]], {"container.apparmor.security.beta.kubernetes.io/x": "un\"confined", "container.apparmor.security.beta.kubernetes.io/a": "y", "container.apparmor.security.beta.kubernetes.io/b": "runtime/default", "container.apparmor.security.beta.kubernetes.io/c": "localhost/z", "container.apparmor.security.beta.kubernetes.io/d": "", "container.apparmor.security.beta.kubernetes.io/e": null, "other": "x"}, {})
	found == {"check": "appArmorProfile", "containers": ["a"], "detail": "pod and container \"a\" and annotations must not set AppArmor profile type to \"\", \"Unconfined\", \"container.apparmor.security.beta.kubernetes.io/a=\"y\"\", \"container.apparmor.security.beta.kubernetes.io/x=\"un\\\"confined\"\"", "fields": ["spec.securityContext.appArmorProfile.type", "spec.containers[0].securityContext.appArmorProfile.type", "metadata.annotations[container.apparmor.security.beta.kubernetes.io/a]", "metadata.annotations[container.apparmor.security.beta.kubernetes.io/x]"], "reason": "forbidden AppArmor profiles", "remedy": "set `securityContext.appArmorProfile.type` to RuntimeDefault or Localhost, and the annotations to runtime/default, or remove them"}
}

test_one_annotation if {
	found := app_armor_profile.violation with input as _input({}, [], {"container.apparmor.security.beta.kubernetes.io/app": "unconfined"}, {})
	found == {"check": "appArmorProfile", "containers": [], "detail": "annotation must not set AppArmor profile type to \"container.apparmor.security.beta.kubernetes.io/app=\"unconfined\"\"", "fields": ["metadata.annotations[container.apparmor.security.beta.kubernetes.io/app]"], "reason": "forbidden AppArmor profile", "remedy": "set `securityContext.appArmorProfile.type` to RuntimeDefault or Localhost, and the annotations to runtime/default, or remove them"}
}

test_one_container if {
	found := app_armor_profile.violation with input as _input({}, [["a", {"securityContext": {"appArmorProfile": {"type": "x"}}}]], {}, {})
	found == {"check": "appArmorProfile", "containers": ["a"], "detail": "container \"a\" must not set AppArmor profile type to \"x\"", "fields": ["spec.containers[0].securityContext.appArmorProfile.type"], "reason": "forbidden AppArmor profile", "remedy": "set `securityContext.appArmorProfile.type` to RuntimeDefault or Localhost, and the annotations to runtime/default, or remove them"}
}

test_nothing_is_said if {
	not app_armor_profile.violation with input as _input({}, [["a", {}]], {}, {})
}

test_an_exempt_container_is_not_judged if {
	not app_armor_profile.violation with input as _input({}, [["a", {"securityContext": {"appArmorProfile": {"type": "x"}}}]], {}, {"appArmorProfile": ["a"]})
}
