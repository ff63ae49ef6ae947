package policies.images.pin_digest_test

import data.policies.images.pin_digest

_image(text, error) := {
	"text": text,
	"registry": "docker.io",
	"repository": "library/nginx",
	"tag": "1.29.1",
	"digest": null,
	"error": error,
}

_container(kind, path, image) := {"kind": kind, "name": "app", "path": path, "image": image, "container": {"name": "app"}}

_input(containers, exempt) := {
	"request": {"operation": "CREATE"},
	"context": {"containers": containers},
	"parameters": {"pinTemplates": false},
	"exempt": exempt,
}

_violation(title, path) := {
	"msg": sprintf("%s has the image \"nginx:\", which no registry can be asked for: no reference", [title]),
	"field": sprintf("%s.image", [path]),
	"details": {"remedy": "write it as [registry/]repository[:tag][@digest]"},
}

test_what_no_registry_can_be_asked_for_is_refused if {
	containers := [
		_container("regular", "spec.containers[0]", _image("nginx:", "no reference")),
		_container("init", "spec.initContainers[0]", _image("nginx:", "no reference")),
		_container("regular", "spec.containers[1]", _image("nginx:1.29.1", null)),
	]
	pin_digest.deny == {
		_violation("container \"app\"", "spec.containers[0]"),
		_violation("init container \"app\"", "spec.initContainers[0]"),
	} with input as _input(containers, {})
}

test_a_tag_is_no_violation if {
	container := _container("regular", "spec.containers[0]", _image("nginx:1.29.1", null))
	pin_digest.deny == set() with input as _input([container], {})
}

test_an_exempt_container_is_not_judged if {
	container := _container("regular", "spec.containers[0]", _image("nginx:", "no reference"))
	pin_digest.deny == set() with input as _input([container], {"images/pin_digest": ["app"]})
}
