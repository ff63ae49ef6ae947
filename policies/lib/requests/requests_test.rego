package lib.requests_test

import data.lib.requests

test_an_object_itself if {
	every request in [{}, {"subResource": ""}, {"subResource": null}] {
		requests.of_object with input as {"request": request}
	}
}

test_a_subresource if {
	every name in ["scale", "ephemeralcontainers", "resize"] {
		not requests.of_object with input as {"request": {"subResource": name}}
	}
}

_owned(references) := {"request": {"object": {"metadata": {"ownerReferences": references}}}}

test_a_controller if {
	requests.is_controlled with input as _owned([{"kind": "A"}, {"kind": "B", "controller": true}])
}

test_no_controller if {
	every references in [[], null, "a", [{"kind": "A"}], [{"kind": "A", "controller": false}], [{"controller": "true"}]] {
		not requests.is_controlled with input as _owned(references)
	}
	not requests.is_controlled with input as {"request": {"object": {}}}
}
