package lib.pod_security.text_test

import data.lib.pod_security.text

test_names_are_quoted_as_they_are if {
	text.quoted(["a"]) == "\"a\""
	text.quoted(["b", "a\"", "b"]) == "\"b\", \"a\"\", \"b\""
	text.quoted({"b", "a"}) == "\"a\", \"b\""
}

test_one_and_many if {
	text.plural("one", "many", []) == "many"
	text.plural("one", "many", ["a"]) == "one"
	text.plural("one", "many", ["a", "b"]) == "many"
	text.containers(["a"]) == "container \"a\""
	text.containers(["b", "a"]) == "containers \"b\", \"a\""
}

test_setters if {
	text.setters(["spec.x"], []) == "pod"
	text.setters([], ["a"]) == "container \"a\""
	text.setters(["spec.x"], ["a", "b"]) == "pod and containers \"a\", \"b\""
}

test_null_is_an_empty_string if {
	text.word(null) == ""
	text.word("") == ""
	text.word("a") == "a"
}

test_fields_of_pods_and_templates if {
	text.pod_field("hostPID") == "spec.hostPID" with input as {"context": {"pod": {"path": "spec"}}}
	text.annotation_field("a/b") == "metadata.annotations[a/b]" with input as {"context": {"pod": {"path": "spec"}}}
	template := "spec.template.metadata.annotations[a/b]"
	text.annotation_field("a/b") == template with input as {"context": {"pod": {"path": "spec.template.spec"}}}
}

test_containers if {
	view := [{"name": "a", "path": "spec.containers[0]"}, {"name": "b", "path": "spec.containers[1]"}]
	text.names(view) == ["a", "b"]
	text.fields(view, "x.y") == ["spec.containers[0].x.y", "spec.containers[1].x.y"]
}

test_a_text_is_cut_where_no_place_takes_more if {
	long := concat("", ["ü" | some _ in numbers.range(1, 4000)])
	text.bounded(long) == long
	text.bounded(sprintf("%sab", [long])) == sprintf("%s…", [substring(long, 0, 3999)])
}
