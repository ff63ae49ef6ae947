package policies.defaults.image_registry_test

import data.policies.defaults.image_registry

_rewrites := [
	{"from": "docker.io/library", "to": "mirror.example.com/official"},
	{"from": "docker.io", "to": "mirror.example.com/hub"},
	{"from": "quay.io/a/b", "to": "quay.io/a"},
]

_container(path, registry, repository, tag, digest) := {
	"kind": "regular",
	"name": "app",
	"path": path,
	"image": {"registry": registry, "repository": repository, "tag": tag, "digest": digest, "error": null},
	"rendered": false,
}

_input(operation, containers) := {
	"request": {"operation": operation, "resource": {"resource": "deployments"}, "object": {}},
	"parameters": {"rewrites": _rewrites},
	"context": {
		"pod": {"path": "spec.template.spec", "template": true, "spec": {}, "metadata": {}},
		"containers": containers,
	},
	"exempt": {},
}

_patch(registry, repository, tag, digest) := patch if {
	containers := [_container("spec.template.spec.containers[0]", registry, repository, tag, digest)]
	patch := image_registry.patch with input as _input("CREATE", containers)
}

_image(text) := [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": text}]

test_images_are_taken_from_elsewhere if {
	_patch("docker.io", "library/nginx", "1.29.1", null) == _image("mirror.example.com/official/nginx:1.29.1")
	_patch("docker.io", "library/nginx", null, null) == _image("mirror.example.com/official/nginx")
	_patch("docker.io", "bitnami/nginx", "1", "sha256:…") == _image("mirror.example.com/hub/bitnami/nginx:1@sha256:…")
	_patch("docker.io", "library2/nginx", null, "sha256:…") == _image("mirror.example.com/hub/library2/nginx@sha256:…")
}

test_others_stay if {
	every registry in ["docker.io.example.com", "ghcr.io", "docker.io:443"] {
		_patch(registry, "library/nginx", "1", null) == []
	}
}

test_what_is_there_already_stays if {
	_patch("mirror.example.com", "official/nginx", "1", null) == []
	_patch("mirror.example.com", "hub/library/nginx", "1", null) == []
	_patch("quay.io", "a/b/c", "1", null) == []
}

test_what_cannot_be_read_stays if {
	container := {"kind": "regular", "name": "a", "path": "spec.containers[0]", "image": {"error": "no reference"}, "rendered": false}
	patch := image_registry.patch with input as _input("CREATE", [container])
	patch == []
}

test_every_list if {
	paths := [
		"spec.template.spec.initContainers[0]", "spec.template.spec.containers[0]", "spec.template.spec.ephemeralContainers[0]",
	]
	containers := [_container(path, "docker.io", "a/b", "1", null) | some path in paths]
	rendered := object.union(_container("spec.template.spec.containers[1]", "docker.io", "a/b", "1", null), {"rendered": true})
	patch := image_registry.patch with input as _input("CREATE", array.concat(containers, [rendered]))
	[operation.path | some operation in patch] == [
		"/spec/template/spec/initContainers/0/image",
		"/spec/template/spec/containers/0/image",
		"/spec/template/spec/ephemeralContainers/0/image",
	]
}

test_an_update_that_changes_no_template_changes_nothing if {
	containers := [_container("spec.template.spec.containers[0]", "docker.io", "a/b", "1", null)]
	patch := image_registry.patch with input as _input("UPDATE", containers)
	patch == []
}
