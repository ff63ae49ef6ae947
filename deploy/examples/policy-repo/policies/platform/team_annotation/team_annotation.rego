# METADATA
# title: Namespaces name their team
# description: >-
#   Who is called when something fails in a namespace looks for the annotation `acme.example/team` of it.
# custom:
#   severity: low
#   match:
#     rules:
#       - apiGroups: [""]
#         apiVersions: [v1]
#         resources: [namespaces]
package policies.platform.team_annotation

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy}} if {
	not _named
	msg := "the namespace names no team"
	field := "metadata.annotations[acme.example/team]"
	remedy := "add the annotation, with the name of the team"
}

_named if {
	team := object.get(input.request.object, ["metadata", "annotations", "acme.example/team"], "")
	is_string(team)
	team != ""
}
