# METADATA
# title: Words of the Pod Security checks
# description: How their messages name things, and where the fields of a Pod are.
package lib.pod_security.text

# `"a", "b"`. Sets are sorted; names within are taken as they are.
quoted(names) := sprintf("\"%s\"", [concat("\", \"", names)])

# The form for one thing, or that for several.
plural(one, _, things) := one if count(things) == 1

plural(_, many, things) := many if count(things) != 1

# `container "a"`, `containers "a", "b"`.
containers(names) := sprintf("%s %s", [plural("container", "containers", names), quoted(names)])

# Who sets something: `pod and container "a"`, of the Pod's own findings and the containers' names.
setters(pod, names) := concat(" and ", array.concat(["pod" | count(pod) > 0], [containers(names) | count(names) > 0]))

# A string that may be null, which is an empty one.
word(null) := ""

word(value) := value if value != null

# The path of a field of the Pod's spec.
pod_field(field) := sprintf("%s.%s", [input.context.pod.path, field])

# The path of an annotation of the Pod: its metadata stands beside the spec.
annotation_field(key) := sprintf("%smetadata.annotations[%s]", [trim_suffix(input.context.pod.path, "spec"), key])

names(containers) := [container.name | some container in containers]

# The paths of one field of several containers.
fields(containers, field) := [sprintf("%s.%s", [container.path, field]) | some container in containers]

# As much of a text as every place takes that shows it: 4,000 characters. Nobody reads more, and the rest is in what is
# said one by one.
bounded(long) := long if count(long) <= 4000

bounded(long) := sprintf("%s…", [substring(long, 0, 3999)]) if count(long) > 4000
