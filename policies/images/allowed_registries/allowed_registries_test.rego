package policies.images.allowed_registries_test

import data.policies.images.allowed_registries

_registries := ["docker.io/library", "registry.io", "build:5000/team", "ghcr.io/our-org/apps"]

_image(registry, repository) := {
	"text": sprintf("%s/%s:1", [registry, repository]),
	"registry": registry,
	"repository": repository,
	"tag": "1",
	"digest": null,
	"error": null,
}

_unreadable(text, error) := {
	"text": text,
	"registry": null,
	"repository": null,
	"tag": null,
	"digest": null,
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
	"parameters": {"registries": _registries},
	"context": {"containers": containers},
	"exempt": {},
}

_denied(image) := violations if {
	container := _container("regular", "spec.containers[0]", image)
	violations := allowed_registries.deny with input as _input("CREATE", [container])
}

_violation(title, path, name) := {
	"msg": sprintf("%s has an image from %s, which is not allowed", [title, name]),
	"field": sprintf("%s.image", [path]),
	"details": {"remedy": "take the image from docker.io/library, registry.io, build:5000/team, ghcr.io/our-org/apps", "required": "an image from docker.io/library, registry.io, build:5000/team, ghcr.io/our-org/apps"},
}

test_parts_that_are_allowed if {
	images := [
		["docker.io", "library/nginx"],
		["registry.io", "app"],
		["registry.io", "team/deep/app"],
		["build:5000", "team/app"],
		["build:5000", "team"],
		["ghcr.io", "our-org/apps"],
		["ghcr.io", "our-org/apps/web"],
	]
	every image in images {
		_denied(_image(image[0], image[1])) == set()
	}
}

test_parts_that_only_look_like_it if {
	images := [
		["registry.io.attacker.com", "app"],
		["evilregistry.io", "app"],
		["evilregistry.io.attacker.com", "app"],
		["registry.io:443", "app"],
		["REGISTRY.io", "app"],
		["docker.io", "registry.io/app"],
		["docker.io", "bitnami/nginx"],
		["docker.io", "library-evil/nginx"],
		["docker.io", "evil/library/nginx"],
		["build", "team/app"],
		["build:50000", "team/app"],
		["build:5000", "team2/app"],
		["build:5000", "app"],
		["ghcr.io", "our-org/apps-evil"],
		["ghcr.io", "our-org/app"],
		["ghcr.io", "our-org"],
	]
	every image in images {
		_denied(_image(image[0], image[1])) == {_violation(
			"container \"app\"", "spec.containers[0]",
			sprintf("%s/%s", [image[0], image[1]]),
		)}
	}
}

test_what_cannot_be_read_is_refused if {
	_denied(_unreadable("<image_url>", "no reference")) == {{
		"msg": "container \"app\" has the image \"<image_url>\", which can't be read: no reference",
		"field": "spec.containers[0].image",
		"details": {"remedy": "write it as registry/repository:tag, from docker.io/library, registry.io, build:5000/team, ghcr.io/our-org/apps", "required": "an image from docker.io/library, registry.io, build:5000/team, ghcr.io/our-org/apps"},
	}}
}

test_every_list_on_every_write if {
	image := _image("evil.io", "app")
	containers := [
		_container("init", "spec.template.spec.initContainers[0]", image),
		_container("sidecar", "spec.template.spec.initContainers[1]", image),
		_container("regular", "spec.template.spec.containers[0]", image),
		_container("ephemeral", "spec.template.spec.ephemeralContainers[0]", image),
	]
	every operation in ["CREATE", "UPDATE"] {
		violations := allowed_registries.deny with input as _input(operation, containers)
		violations == {
			_violation("init container \"app\"", "spec.template.spec.initContainers[0]", "evil.io/app"),
			_violation("sidecar container \"app\"", "spec.template.spec.initContainers[1]", "evil.io/app"),
			_violation("container \"app\"", "spec.template.spec.containers[0]", "evil.io/app"),
			_violation("ephemeral container \"app\"", "spec.template.spec.ephemeralContainers[0]", "evil.io/app"),
		}
	}
}

test_an_exempt_container_is_not_judged if {
	containers := [
		_container("regular", "spec.containers[0]", _image("evil.io", "app")),
		object.union(_container("regular", "spec.containers[1]", _image("evil.io", "log")), {"name": "log"}),
		object.union(_container("regular", "spec.containers[2]", _unreadable("", "there is no image")), {"name": "log"}),
	]
	given := object.union(_input("CREATE", containers), {"exempt": {"images/allowed_registries": ["log"]}})
	violations := allowed_registries.deny with input as given
	violations == {_violation("container \"app\"", "spec.containers[0]", "evil.io/app")}
}
