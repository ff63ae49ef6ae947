package policies.workloads.rbac_bindings_test

import data.policies.workloads.rbac_bindings

_denied(operation, role, subjects) := violations if {
	violations := rbac_bindings.deny with input as {
		"request": {"operation": operation, "object": {"kind": "RoleBinding", "roleRef": role, "subjects": subjects}},
		"parameters": {"roles": ["cluster-admin", "admin"], "subjects": ["system:anonymous", "system:unauthenticated"]},
		"exempt": {},
	}
}

_view := {"kind": "ClusterRole", "name": "view"}

_role(name) := {
	"msg": sprintf("it binds the ClusterRole %s", [name]),
	"field": "roleRef.name",
	"details": {"remedy": "bind a role that grants what is needed"},
}

_stranger(index, name) := {
	"msg": sprintf("it gives a role to %s: that is whoever reaches the API server", [name]),
	"field": sprintf("subjects[%d].name", [index]),
	"details": {"remedy": "name users, groups or service accounts that are known"},
}

test_known_subjects_and_a_small_role if {
	every subjects in [null, [], [{"kind": "User", "name": "alice"}], [{"kind": "Group", "name": "system:authenticated"}], [{}]] {
		_denied("CREATE", _view, subjects) == set()
	}
	_denied("CREATE", {"kind": "Role", "name": "admin"}, []) == set()
	_denied("CREATE", {}, []) == set()
}

test_roles_that_are_not_to_be_bound_on_every_write if {
	every operation in ["CREATE", "UPDATE"] {
		every name in ["cluster-admin", "admin"] {
			_denied(operation, {"kind": "ClusterRole", "name": name}, []) == {_role(name)}
		}
	}
}

test_strangers_on_every_write if {
	subjects := [
		{"kind": "User", "name": "system:anonymous"}, {"kind": "Group", "name": "system:unauthenticated"},
		{"kind": "ServiceAccount", "name": "system:anonymous"}, {"kind": "User", "name": "alice"},
	]
	every operation in ["CREATE", "UPDATE"] {
		_denied(operation, _view, subjects) == {_stranger(0, "system:anonymous"), _stranger(1, "system:unauthenticated")}
	}
}

test_no_subjects if {
	violations := rbac_bindings.deny with input as {
		"request": {"operation": "CREATE", "object": {"roleRef": _view}},
		"parameters": {"roles": [], "subjects": []},
	}
	violations == set()
}
