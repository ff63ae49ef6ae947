# METADATA
# title: Pods get the sidecar that their mesh proposes
# description: >-
#   Whoever labels a namespace or a Pod for a mesh gets what the mesh itself would inject; without a policy that agrees,
#   nothing is injected. Bind another policy with `inject` beside it to turn injections off. What the mesh's own template
#   adds to a Pod beside its sidecar, such as the sysctl of a gateway, is the mesh's to add: `mayChange` names it.
# custom:
#   severity: medium
#   since: "0.1"
#   docs: https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/
#   context: [mesh.proposal]
#   mayChange:
#     - allowPrivilegeEscalation
#     - automountServiceAccountToken
#     - capabilities
#     - containers
#     - runAsNonRoot
#     - runAsUser
#     - seccompProfile
#     - sysctls
#   match:
#     rules:
#       - apiGroups: [""]
#         apiVersions: [v1]
#         resources: [pods]
#         operations: [CREATE]
package policies.injection.follow_mesh

inject := object.filter(input.context.mesh.proposal, ["mesh", "revision", "inject", "reasons"])
