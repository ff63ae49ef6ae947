package policies.images.no_latest_test

import data.policies.images.no_latest

_digest := "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

_image(text, tag, digest, error) := {
	"text": text,
	"registry": "docker.io",
	"repository": "library/nginx",
	"tag": tag,
	"digest": digest,
	"error": error,
}

_container(kind, path, image) := {
	"kind": kind,
	"name": "app",
	"path": path,
	"image": image,
	"container": {"name": "app", "image": image.text},
}

_input(operation, containers) := {
	"request": {"operation": operation},
	"context": {"containers": containers},
	"exempt": {},
}

_denied(image) := violations if {
	container := _container("regular", "spec.containers[0]", image)
	violations := no_latest.deny with input as _input("CREATE", [container])
}

_violation(title, path, problem) := {
	"msg": sprintf("%s has the image %s", [title, problem]),
	"field": sprintf("%s.image", [path]),
	"details": {"remedy": "name a version, as in `nginx:1.29.1`, or a digest, as in `nginx@sha256:…`", "required": "a version or a digest"},
}

test_a_version_or_a_digest_is_fine if {
	images := [
		_image("nginx:1.29.1", "1.29.1", null, null),
		_image("nginx:latest-1", "latest-1", null, null),
		_image("nginx:Latest", "Latest", null, null),
		_image("nginx@sha256", null, _digest, null),
		_image("nginx:latest@sha256", "latest", _digest, null),
	]
	every image in images {
		_denied(image) == set()
	}
}

test_the_tag_latest if {
	_denied(_image("nginx:latest", "latest", null, null)) == {_violation(
		"container \"app\"", "spec.containers[0]",
		"\"nginx:latest\", whose tag `latest` can be another image tomorrow",
	)}
}

test_neither_tag_nor_digest if {
	_denied(_image("nginx", null, null, null)) == {_violation(
		"container \"app\"", "spec.containers[0]",
		"\"nginx\", which has neither tag nor digest and so is `latest`",
	)}
}

test_what_cannot_be_read_is_refused if {
	_denied(_image("nginx:", null, null, "no reference")) == {_violation(
		"container \"app\"", "spec.containers[0]",
		"\"nginx:\", whose tag can't be read: no reference",
	)}
}

test_every_list_on_every_write if {
	image := _image("nginx", null, null, null)
	problem := "\"nginx\", which has neither tag nor digest and so is `latest`"
	containers := [
		_container("init", "spec.template.spec.initContainers[0]", image),
		_container("sidecar", "spec.template.spec.initContainers[1]", image),
		_container("regular", "spec.template.spec.containers[0]", image),
		_container("ephemeral", "spec.template.spec.ephemeralContainers[0]", image),
	]
	every operation in ["CREATE", "UPDATE"] {
		violations := no_latest.deny with input as _input(operation, containers)
		violations == {
			_violation("init container \"app\"", "spec.template.spec.initContainers[0]", problem),
			_violation("sidecar container \"app\"", "spec.template.spec.initContainers[1]", problem),
			_violation("container \"app\"", "spec.template.spec.containers[0]", problem),
			_violation("ephemeral container \"app\"", "spec.template.spec.ephemeralContainers[0]", problem),
		}
	}
}

test_an_exempt_container_is_not_judged if {
	image := _image("nginx:latest", "latest", null, null)
	containers := [
		_container("regular", "spec.containers[0]", image),
		object.union(_container("regular", "spec.containers[1]", image), {"name": "log"}),
	]
	given := object.union(_input("CREATE", containers), {"exempt": {"images/no_latest": ["log"]}})
	violations := no_latest.deny with input as given
	violations == {_violation(
		"container \"app\"", "spec.containers[0]",
		"\"nginx:latest\", whose tag `latest` can be another image tomorrow",
	)}
}
