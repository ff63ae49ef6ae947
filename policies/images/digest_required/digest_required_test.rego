package policies.images.digest_required_test

import data.policies.images.digest_required

_digest := "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

_image(text, digest, error) := {
	"text": text,
	"registry": "docker.io",
	"repository": "library/nginx",
	"tag": "1.29.1",
	"digest": digest,
	"error": error,
}

_container(kind, path, image) := {"kind": kind, "name": "app", "path": path, "image": image, "container": {"name": "app"}}

_input(operation, containers) := {
	"request": {"operation": operation},
	"context": {"containers": containers},
	"exempt": {},
}

_denied(image) := violations if {
	container := _container("regular", "spec.containers[0]", image)
	violations := digest_required.deny with input as _input("CREATE", [container])
}

_violation(title, path, problem) := {
	"msg": sprintf("%s has the image %s", [title, problem]),
	"field": sprintf("%s.image", [path]),
	"details": {"remedy": _added, "required": "a digest"},
}

_added := "add the digest, as in `nginx:1.29.1@sha256:…`; `crane digest IMAGE` prints it"

_without := "\"nginx:1.29.1\", which has no digest and can be another image tomorrow"

test_a_digest_is_fine if {
	_denied(_image("nginx@sha256:…", _digest, null)) == set()
}

test_a_tag_is_not_enough if {
	_denied(_image("nginx:1.29.1", null, null)) == {_violation("container \"app\"", "spec.containers[0]", _without)}
}

test_what_cannot_be_read_is_refused if {
	_denied(_image("nginx:", null, "no reference")) == {{
		"msg": "container \"app\" has the image \"nginx:\", whose digest can't be read: no reference",
		"field": "spec.containers[0].image",
		"details": {"remedy": "write it as registry/repository:tag@sha256:…", "required": "a digest"},
	}}
}

test_every_list_on_every_write if {
	image := _image("nginx:1.29.1", null, null)
	containers := [
		_container("init", "spec.template.spec.initContainers[0]", image),
		_container("sidecar", "spec.template.spec.initContainers[1]", image),
		_container("regular", "spec.template.spec.containers[0]", image),
		_container("ephemeral", "spec.template.spec.ephemeralContainers[0]", image),
	]
	every operation in ["CREATE", "UPDATE"] {
		violations := digest_required.deny with input as _input(operation, containers)
		violations == {
			_violation("init container \"app\"", "spec.template.spec.initContainers[0]", _without),
			_violation("sidecar container \"app\"", "spec.template.spec.initContainers[1]", _without),
			_violation("container \"app\"", "spec.template.spec.containers[0]", _without),
			_violation("ephemeral container \"app\"", "spec.template.spec.ephemeralContainers[0]", _without),
		}
	}
}

test_an_exempt_container_is_not_judged if {
	image := _image("nginx:1.29.1", null, null)
	containers := [
		_container("regular", "spec.containers[0]", image),
		object.union(_container("regular", "spec.containers[1]", image), {"name": "log"}),
	]
	given := object.union(_input("CREATE", containers), {"exempt": {"images/digest_required": ["log"]}})
	violations := digest_required.deny with input as given
	violations == {_violation("container \"app\"", "spec.containers[0]", _without)}
}
