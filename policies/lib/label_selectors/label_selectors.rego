# METADATA
# title: Label selectors
# description: >-
#   Which labels a selector of Kubernetes means: `matchLabels` and `matchExpressions` together. An empty selector means
#   all; null means none; an operator that is not known means none.
package lib.label_selectors

# The selector means an object with these labels.
matches(selector, labels) if {
	is_object(selector)
	wanted := _members(selector, "matchLabels")
	every key, value in wanted {
		labels[key] == value
	}
	expressions := _list(selector)
	every expression in expressions {
		_holds(expression, labels)
	}
}

_holds(expression, labels) if {
	expression.operator == "In"
	labels[expression.key] in expression.values
}

_holds(expression, labels) if {
	expression.operator == "NotIn"
	value := object.get(labels, expression.key, null)
	unwanted := object.get(expression, "values", [])
	not value in unwanted
}

_holds(expression, labels) if {
	expression.operator == "Exists"
	expression.key in object.keys(labels)
}

_holds(expression, labels) if {
	expression.operator == "DoesNotExist"
	key := expression.key
	not key in object.keys(labels)
}

_members(selector, name) := value if {
	value := object.get(selector, name, {})
	is_object(value)
} else := {}

_list(selector) := value if {
	value := object.get(selector, "matchExpressions", [])
	is_array(value)
} else := []
