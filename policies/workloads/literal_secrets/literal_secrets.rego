# METADATA
# title: Secrets stand in Secrets
# description: >-
#   A password in the environment of a Pod or in a ConfigMap is read by everybody who may read those, stands in the
#   repository, in backups and in logs. Looked for are names that say so (`DB_PASSWORD`) with a value that may be one, and
#   values that have the shape of a known kind of secret, whatever their name, in commands and their arguments, too. What
#   is empty, a yes or no, a path, or only refers to something else is none. The value is never told.
# custom:
#   severity: high
#   since: "0.1"
#   docs: https://kubernetes.io/docs/concepts/configuration/secret/
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
#       - apiGroups: [""]
#         apiVersions: [v1]
#         resources: [configmaps]
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       names:
#         description: >-
#           A regular expression that is found in names of secrets: of variables, and of the keys of ConfigMaps.
#         type: string
#         minLength: 1
#         default: '(?i)(passwords?|passwd|passphrase|secret|token|(api|access|private|secret|encryption|signing)[_.-]?key|(^|[_.-])(pass|pwd|credentials?))$'
#       values:
#         description: Kinds of secrets, each with a regular expression that is found in its values.
#         type: object
#         additionalProperties: {type: string, minLength: 1}
#         default:
#           a private key: '-----BEGIN [A-Z ]*PRIVATE KEY-----'
#           an access key of AWS: '\b(AKIA|ASIA)[0-9A-Z]{16}\b'
#           a token of GitHub: '\b(gh[pousr]_[0-9A-Za-z]{36}|github_pat_[0-9A-Za-z_]{60,})'
#           a token of GitLab: '\bglpat-[0-9A-Za-z_-]{20}'
#           a token of Slack: '\bxox[abeprs]-[0-9A-Za-z-]{10,}'
#           a key of Google: '\bAIza[0-9A-Za-z_-]{35}\b'
#           a key of Stripe: '\b[rs]k_live_[0-9A-Za-z]{16,}'
#           a URL with a password: '[a-z][a-z0-9+.-]*://[^/\s:@"]*:[^/\s:@"$({<*]+@[^\s/]'
#         x-meshgate-stricter: more
package policies.workloads.literal_secrets

import data.lib.containers

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy, "observed": null}} if {
	some container in containers.of("workloads/literal_secrets")
	some index, variable in object.get(container.container, "env", [])
	name := object.get(variable, "name", "")
	some problem in _problems(name, object.get(variable, "value", ""))
	msg := sprintf("%s: the variable %s %s", [containers.title(container), name, problem])
	field := sprintf("%s.env[%d].value", [container.path, index])
	remedy := "put it into a Secret, and take it from there by `valueFrom.secretKeyRef`"
}

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy, "observed": null}} if {
	input.request.resource.resource == "configmaps"
	some key, value in object.get(input.request.object, "data", {})
	some problem in _problems(key, value)
	msg := sprintf("the key %s %s", [key, problem])
	field := sprintf("data[%s]", [key])
	remedy := "put it into a Secret, and mount or refer to that instead"
}

deny contains {"msg": msg, "field": field, "details": {"remedy": remedy, "observed": null}} if {
	some container in containers.of("workloads/literal_secrets")
	some member in ["command", "args"]
	some index, word in object.get(container.container, member, [])
	is_string(word)
	kinds := _kinds(word)
	count(kinds) > 0
	msg := sprintf("%s: a word of `%s` looks like %s", [containers.title(container), member, concat(" and ", kinds)])
	field := sprintf("%s.%s[%d]", [container.path, member, index])
	remedy := "put it into a Secret, take it into a variable from there by `valueFrom.secretKeyRef`, and write `$(VARIABLE)`"
}

# One at most: what the value looks like tells more than its name.
_problems(name, value) := {sprintf("looks like %s", [concat(" and ", kinds)])} if {
	is_string(value)
	kinds := _kinds(value)
	count(kinds) > 0
} else := {"has the name of a secret and a value of its own"} if {
	is_string(value)
	regex.match(input.parameters.names, name)
	not regex.match(_no_secret, value)
} else := set()

_kinds(value) := [kind | some kind, pattern in input.parameters.values; regex.match(pattern, value)]

# Nothing, a yes or no, a path, or nothing but references and placeholders with marks between them.
_no_secret := `^\s*((?i:true|false|yes|no|on|off|null|none|0|1)|/\S*|((\$\([^)]*\)|\$\{[^}]*\}|\{\{[^}]*\}\}|<[^>]*>)[\s:@/.,_-]*)+|\*+)?\s*$`
