# METADATA
# title: Containers are not privileged
# description: >-
#   A privileged container has all capabilities and all devices of its node and no profile that confines it: who
#   takes it over has the node, and with it every Pod there. Init, sidecar and ephemeral containers are no safer.
# custom:
#   severity: critical
#   since: "0.1"
#   docs: https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline
#   context: [containers]
#   match:
#     rules:
#       - apiGroups: [""]
#         apiVersions: [v1]
#         resources: [pods, podtemplates, replicationcontrollers]
#       - apiGroups: [apps]
#         apiVersions: ["*"]
#         resources: [daemonsets, deployments, replicasets, statefulsets]
#       - apiGroups: [batch]
#         apiVersions: ["*"]
#         resources: [cronjobs, jobs]
package policies.pod_security.privileged

import data.lib.containers

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	some container in containers.of("pod_security/privileged")
	privileged := object.get(container.container, ["securityContext", "privileged"], false)
	not privileged in {false, null}
	msg := sprintf("%s is privileged: who takes it over has the node", [containers.title(container)])
	field := sprintf("%s.securityContext.privileged", [container.path])
	remedy := "remove `privileged` or set it to false; add what is really needed to `securityContext.capabilities.add`"
}
