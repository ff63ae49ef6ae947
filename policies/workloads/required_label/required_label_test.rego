package policies.workloads.required_label_test

import data.policies.workloads.required_label

_request(parameters, path, metadata) := {
	"request": {"operation": "CREATE"},
	"parameters": parameters,
	"context": {"pod": {"path": path, "template": path != "spec", "spec": {}, "metadata": metadata}},
	"exempt": {},
}

_denied(parameters, metadata) := violations if {
	violations := required_label.deny with input as _request(parameters, "spec", metadata)
}

_violation(label, problem, remedy, required) := {
	"msg": sprintf("the label %s %s", [label, problem]),
	"field": sprintf("metadata.labels[%s]", [label]),
	"details": {"remedy": remedy, "required": required},
}

_missing := _violation("owner", "is missing or empty", "give it a value in `metadata.labels`", "a value")

test_a_label_that_is_there_passes if {
	_denied({"label": "owner"}, {"labels": {"owner": "team-a"}}) == set()
	_denied({"label": "app.kubernetes.io/name"}, {"labels": {"app.kubernetes.io/name": "web"}}) == set()
}

test_a_label_that_is_missing if {
	missing := [
		{}, {"labels": null}, {"labels": {}}, {"labels": {"Owner": "team-a"}}, {"labels": {"owner": ""}},
		{"labels": {"owner": null}}, {"labels": {"owner": 5}}, {"labels": ["owner"]}, {"labels": "owner"},
		{"annotations": {"owner": "team-a"}},
	]
	every metadata in missing {
		_denied({"label": "owner"}, metadata) == {_missing}
		_denied({"label": "owner", "pattern": "team-.*", "values": ["team-a"]}, metadata) == {_missing}
	}
}

test_the_field_is_where_the_pods_have_it if {
	paths := {
		"spec": "metadata.labels",
		"template.spec": "template.metadata.labels",
		"spec.template.spec": "spec.template.metadata.labels",
		"spec.jobTemplate.spec.template.spec": "spec.jobTemplate.spec.template.metadata.labels",
	}
	every path, labels in paths {
		every operation in ["CREATE", "UPDATE"] {
			given := object.union(
				_request({"label": "app.kubernetes.io/name"}, path, {}),
				{"request": {"operation": operation}},
			)
			violations := required_label.deny with input as given
			violations == {{
				"msg": "the label app.kubernetes.io/name is missing or empty",
				"field": sprintf("%s[app.kubernetes.io/name]", [labels]),
				"details": {"remedy": sprintf("give it a value in `%s`", [labels]), "required": "a value"},
			}}
		}
	}
}

test_the_whole_value_matches_the_pattern if {
	parameters := {"label": "owner", "pattern": "team-[a-z]+|platform"}
	every value in ["team-a", "team-shop", "platform"] {
		_denied(parameters, {"labels": {"owner": value}}) == set()
	}
	every value in ["team-", "team-1", "my-team-a", "team-a1", "platforms", "a platform", "Team-a"] {
		_denied(parameters, {"labels": {"owner": value}}) == {_violation(
			"owner",
			sprintf("is \"%s\", which does not match team-[a-z]+|platform", [value]),
			"give it a value that matches team-[a-z]+|platform as a whole",
			"a value that matches team-[a-z]+|platform",
		)}
	}
}

test_the_value_is_one_of_those_allowed if {
	parameters := {"label": "tier", "values": ["web", "data"]}
	_denied(parameters, {"labels": {"tier": "data"}}) == set()
	every value in ["dat", "data2", "Data", "web, data"] {
		_denied(parameters, {"labels": {"tier": value}}) == {_violation(
			"tier",
			sprintf("is \"%s\", which is none of its values", [value]),
			"give it one of web, data",
			"one of web, data",
		)}
	}
}

test_pattern_and_values_both_hold if {
	parameters := {"label": "tier", "pattern": "[a-z]+", "values": ["web", "data1"]}
	_denied(parameters, {"labels": {"tier": "web"}}) == set()
	_denied(parameters, {"labels": {"tier": "data1"}}) == {_violation("tier", "is \"data1\", which does not match [a-z]+", "give it a value that matches [a-z]+ as a whole", "a value that matches [a-z]+")}
	_denied(parameters, {"labels": {"tier": "DB"}}) == {
		_violation("tier", "is \"DB\", which does not match [a-z]+", "give it a value that matches [a-z]+ as a whole", "a value that matches [a-z]+"),
		_violation("tier", "is \"DB\", which is none of its values", "give it one of web, data1", "one of web, data1"),
	}
}

test_a_subresource_that_cannot_change_labels_is_not_judged if {
	every subresource in ["ephemeralcontainers", "resize"] {
		given := object.union(
			_request({"label": "owner"}, "spec", {}),
			{"request": {"operation": "UPDATE", "subResource": subresource}},
		)
		violations := required_label.deny with input as given
		violations == set()
	}
	every subresource in ["", null] {
		given := object.union(_request({"label": "owner"}, "spec", {}), {"request": {"subResource": subresource}})
		violations := required_label.deny with input as given
		violations == {_missing}
	}
}

test_an_exempt_container_changes_nothing if {
	given := object.union(_request({"label": "owner"}, "spec", {}), {"exempt": {"workloads/required_label": ["app"]}})
	violations := required_label.deny with input as given
	violations == {_missing}
}
