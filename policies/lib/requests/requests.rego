# METADATA
# title: Requests
# description: What a request is about, beside the object.
package lib.requests

# The request is about an object itself, not about a subresource through which only a part of it changes.
of_object if object.get(input.request, "subResource", "") in {"", null}

# The object has a controller, as a ReplicaSet has its Deployment: it is what that one made it.
is_controlled if {
	references := object.get(input.request.object, ["metadata", "ownerReferences"], [])
	is_array(references)
	some reference in references
	reference.controller == true
}
