package main

deny contains msg if {
	input.kind == "Deployment"
	some container in input.spec.template.spec.containers
	container.securityContext.privileged == true
	msg := sprintf("container %q is privileged", [container.name])
}

deny contains msg if {
	input.kind == "Deployment"
	some container in input.spec.template.spec.containers
	endswith(container.image, ":latest")
	msg := sprintf("container %q has the image %q", [container.name, container.image])
}

deny contains msg if {
	input.kind == "Deployment"
	some container in input.spec.template.spec.containers
	some resource in ["cpu", "memory"]
	object.get(container, ["resources", "requests", resource], "") == ""
	msg := sprintf("container %q requests no %s", [container.name, resource])
}
