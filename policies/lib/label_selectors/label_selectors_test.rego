package lib.label_selectors_test

import data.lib.label_selectors

_labels := {"app": "web", "tier": "front"}

test_all_labels_are_the_same if {
	every wanted in [{}, {"app": "web"}, {"app": "web", "tier": "front"}, null, []] {
		label_selectors.matches({"matchLabels": wanted}, _labels)
	}
	every wanted in [{"app": "we"}, {"app": "web", "tier": "back"}, {"zone": "a"}, {"zone": ""}] {
		not label_selectors.matches({"matchLabels": wanted}, _labels)
	}
}

test_nothing_is_asked_for if {
	label_selectors.matches({}, {})
	label_selectors.matches({"matchExpressions": null}, _labels)
	label_selectors.matches({"matchExpressions": []}, _labels)
}

test_what_is_no_selector_means_nothing if {
	every selector in [null, "app=web", []] {
		not label_selectors.matches(selector, _labels)
	}
}

_holds(expression) if label_selectors.matches({"matchExpressions": [expression]}, _labels)

test_expressions_that_hold if {
	expressions := [
		{"key": "app", "operator": "In", "values": ["web", "db"]},
		{"key": "app", "operator": "NotIn", "values": ["db"]},
		{"key": "zone", "operator": "NotIn", "values": ["db"]},
		{"key": "app", "operator": "Exists"},
		{"key": "zone", "operator": "DoesNotExist"},
	]
	every expression in expressions {
		_holds(expression)
	}
	label_selectors.matches({"matchLabels": {"app": "web"}, "matchExpressions": expressions}, _labels)
}

test_expressions_that_do_not if {
	expressions := [
		{"key": "app", "operator": "In", "values": ["db"]},
		{"key": "zone", "operator": "In", "values": ["web"]},
		{"key": "app", "operator": "NotIn", "values": ["web", "db"]},
		{"key": "zone", "operator": "Exists"},
		{"key": "app", "operator": "DoesNotExist"},
		{"key": "app", "operator": "Gt", "values": ["0"]},
		{"key": "app"},
		{},
	]
	every expression in expressions {
		not _holds(expression)
		not label_selectors.matches(
			{"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "app", "operator": "Exists"}, expression]},
			_labels,
		)
	}
}
