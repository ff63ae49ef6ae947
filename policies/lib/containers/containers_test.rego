package lib.containers_test

import data.lib.containers

_view := [
	{"kind": "init", "name": "migrate", "path": "spec.initContainers[0]"},
	{"kind": "sidecar", "name": "proxy", "path": "spec.initContainers[1]"},
	{"kind": "regular", "name": "app", "path": "spec.containers[0]"},
	{"kind": "ephemeral", "name": "debug", "path": "spec.ephemeralContainers[0]"},
]

test_every_container_is_seen if {
	seen := containers.of("a/b") with input as {"context": {"containers": _view}, "exempt": {}}
	seen == _view
}

test_an_exemption_takes_out_what_it_names if {
	seen := containers.of("a/b") with input as {
		"context": {"containers": _view},
		"exempt": {"a/b": ["proxy", "debug", "other"]},
	}
	[container.name | some container in seen] == ["migrate", "app"]
}

test_an_exemption_of_another_control_takes_out_nothing if {
	seen := containers.of("a/b") with input as {
		"context": {"containers": _view},
		"exempt": {"a/c": ["proxy"], "a": ["app"], "proxy": ["a/b"]},
	}
	seen == _view
}

test_without_exemptions_nothing_is_exempt if {
	seen := containers.of("a/b") with input as {"context": {"containers": _view}}
	seen == _view
}

test_no_containers if {
	seen := containers.of("a/b") with input as {"context": {"containers": []}, "exempt": {"a/b": ["app"]}}
	seen == []
}

test_titles_name_list_and_container if {
	[containers.title(container) | some container in _view] == [
		"init container \"migrate\"",
		"sidecar container \"proxy\"",
		"container \"app\"",
		"ephemeral container \"debug\"",
	]
}
