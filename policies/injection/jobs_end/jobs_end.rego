# METADATA
# title: Jobs end, also with a sidecar
# description: >-
#   A Job is done when all containers of its Pod have ended. A proxy beside the others never does, so the Job hangs, and
#   what waits for it. Where nodes run sidecars as init containers (Kubernetes 1.29 and later) the proxy ends with the
#   Pod. Judged is the Pod of a Job, as it will run.
# custom:
#   severity: medium
#   since: "0.1"
#   docs: https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/
#   context: [containers]
#   match:
#     rules:
#       - apiGroups: [""]
#         apiVersions: [v1]
#         resources: [pods]
package policies.injection.jobs_end

import data.lib.requests

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	requests.of_object
	_is_of_a_job
	some container in input.context.containers
	container.kind == "regular"
	_is_proxy(container)
	msg := sprintf("container \"%s\" never ends, and neither does the Job of this Pod", [container.name])
	field := container.path
	remedy := "let the sidecar be an init container (Istio: annotation `sidecar.istio.io/nativeSidecar: \"true\"`; Linkerd: `config.alpha.linkerd.io/proxy-enable-native-sidecar: \"true\"`), or leave the Pod out of the mesh"
}

_is_of_a_job if {
	some reference in object.get(input.request.object, ["metadata", "ownerReferences"], [])
	reference.kind == "Job"
	startswith(reference.apiVersion, "batch/")
	reference.controller == true
}

_is_proxy(container) if container.rendered

_is_proxy(container) if container.name in {"istio-proxy", "linkerd-proxy"}
