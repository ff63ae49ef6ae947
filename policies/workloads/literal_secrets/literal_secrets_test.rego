package policies.workloads.literal_secrets_test

import data.policies.workloads.literal_secrets

_parameters := {
	"names": "(?i)(password|token)$",
	"values": {"a private key": "-----BEGIN [A-Z ]*PRIVATE KEY-----", "a key of ours": "ours-[0-9]{4}"},
}

_container(kind, path, env) := {"kind": kind, "name": "app", "path": path, "container": {"env": env}}

_input(operation, containers) := {
	"request": {"operation": operation, "resource": {"resource": "pods"}, "object": {"data": {"PASSWORD": "abc"}}},
	"parameters": _parameters,
	"context": {"containers": containers},
	"exempt": {},
}

_denied(env) := violations if {
	violations := literal_secrets.deny with input as _input("CREATE", [_container("regular", "spec.containers[0]", env)])
}

_violation(title, path, name, problem) := {
	"msg": sprintf("%s: the variable %s %s", [title, name, problem]),
	"field": sprintf("%s.value", [path]),
	"details": {"remedy": "put it into a Secret, and take it from there by `valueFrom.secretKeyRef`", "observed": null},
}

_named(name) := {_violation(
	"container \"app\"", "spec.containers[0].env[0]", name,
	"has the name of a secret and a value of its own",
)}

_shaped(name, kinds) := {_violation("container \"app\"", "spec.containers[0].env[0]", name, sprintf("looks like %s", [kinds]))}

_pem := "-----BEGIN RSA PRIVATE KEY-----\nMIIE"

test_other_variables if {
	variables := [
		{"name": "LOG_LEVEL", "value": "debug"}, {"name": "PASSWORD_FILE", "value": "abc"}, {"name": "TOKENS", "value": "abc"},
		{"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}, {"name": "PASSWORD", "value": null},
		{"name": "PASSWORD", "value": 5}, {"value": "abc"}, {},
	]
	every variable in variables {
		_denied([variable]) == set()
	}
	_denied(null) == set()
	violations := literal_secrets.deny with input as _input("CREATE", [{"kind": "regular", "name": "a", "path": "b", "container": {}}])
	violations == set()
}

test_names_with_a_value_of_their_own if {
	every name in ["PASSWORD", "db_password", "dbPassword", "API_TOKEN", "token"] {
		every value in ["hunter2", "1234", "a b", "/etc and more words", "yes-we-can"] {
			_denied([{"name": name, "value": value}]) == _named(name)
		}
	}
}

test_references_hide_nothing_between_them if {
	values := [
		"$(A)hunter2$(B)", "${A}hunter2${B}", "{{ a }}hunter2{{ b }}", "<a>hunter2<b>", "$(A)hunter2", "hunter2${B}",
		"$(A)\nhunter2\n$(B)", "$(A", "${A:hunter2",
	]
	every value in values {
		_denied([{"name": "DB_PASSWORD", "value": value}]) == _named("DB_PASSWORD")
	}
}

test_values_that_are_none if {
	values := [
		"", " ", "true", "False", "YES", "no", "on", "off", "0", "1", "null", "none", "/run/secrets/password", "$(OTHER)", "${OTHER}",
		"{{ .Values.password }}", "<your password>", "****",
		"$(A)$(B)", "${A}:${B}", "$(A)-${B}", " {{ .a }}/{{ .b }} ",
	]
	every value in values {
		_denied([{"name": "PASSWORD", "value": value}]) == set()
	}
}

test_values_of_a_known_shape_whatever_the_name if {
	every name in ["CONFIG", "PASSWORD"] {
		_denied([{"name": name, "value": _pem}]) == _shaped(name, "a private key")
		_denied([{"name": name, "value": sprintf("%s ours-1234", [_pem])}]) == _shaped(name, "a key of ours and a private key")
	}
}

test_every_list_on_every_write if {
	env := [{"name": "A", "value": "b"}, {"name": "TOKEN", "value": "abc"}]
	containers := [
		_container("init", "spec.initContainers[0]", env),
		_container("sidecar", "spec.initContainers[1]", env),
		_container("regular", "spec.containers[0]", env),
		_container("ephemeral", "spec.ephemeralContainers[0]", env),
	]
	problem := "has the name of a secret and a value of its own"
	every operation in ["CREATE", "UPDATE"] {
		violations := literal_secrets.deny with input as _input(operation, containers)
		violations == {
			_violation("init container \"app\"", "spec.initContainers[0].env[1]", "TOKEN", problem),
			_violation("sidecar container \"app\"", "spec.initContainers[1].env[1]", "TOKEN", problem),
			_violation("container \"app\"", "spec.containers[0].env[1]", "TOKEN", problem),
			_violation("ephemeral container \"app\"", "spec.ephemeralContainers[0].env[1]", "TOKEN", problem),
		}
	}
}

_word(title, path, member, index, kinds) := {
	"msg": sprintf("%s: a word of `%s` looks like %s", [title, member, kinds]),
	"field": sprintf("%s.%s[%d]", [path, member, index]),
	"details": {"remedy": "put it into a Secret, take it into a variable from there by `valueFrom.secretKeyRef`, and write `$(VARIABLE)`", "observed": null},
}

_running(kind, path) := {"kind": kind, "name": "app", "path": path, "container": {
	"command": ["sh", "-c", "curl -H 'Key: ours-1234'"],
	"args": ["--token=hunter2", "PASSWORD", 5, sprintf("%s ours-1234", [_pem])],
}}

test_words_of_commands if {
	containers := [_running("init", "spec.initContainers[0]"), _running("regular", "spec.containers[0]")]
	every operation in ["CREATE", "UPDATE"] {
		violations := literal_secrets.deny with input as _input(operation, containers)
		violations == {
			_word("init container \"app\"", "spec.initContainers[0]", "command", 2, "a key of ours"),
			_word("init container \"app\"", "spec.initContainers[0]", "args", 3, "a key of ours and a private key"),
			_word("container \"app\"", "spec.containers[0]", "command", 2, "a key of ours"),
			_word("container \"app\"", "spec.containers[0]", "args", 3, "a key of ours and a private key"),
		}
	}
	every words in [null, [], ["ours", "$(PASSWORD)"]] {
		given := {"kind": "regular", "name": "app", "path": "spec.containers[0]", "container": {"command": words, "args": words}}
		violations := literal_secrets.deny with input as _input("CREATE", [given])
		violations == set()
	}
}

test_an_exempt_container_is_not_judged if {
	given := _input("CREATE", [_container("regular", "spec.containers[0]", [{"name": "TOKEN", "value": "abc"}])])
	violations := literal_secrets.deny with input as object.union(given, {"exempt": {"workloads/literal_secrets": ["app"]}})
	violations == set()
	running := _input("CREATE", [_running("regular", "spec.containers[0]")])
	none := literal_secrets.deny with input as object.union(running, {"exempt": {"workloads/literal_secrets": ["app"]}})
	none == set()
}

_map(operation, object) := violations if {
	violations := literal_secrets.deny with input as {
		"request": {"operation": operation, "resource": {"resource": "configmaps"}, "object": object},
		"parameters": _parameters,
		"context": {"containers": []},
	}
}

_key(key, problem) := {
	"msg": sprintf("the key %s %s", [key, problem]),
	"field": sprintf("data[%s]", [key]),
	"details": {"remedy": "put it into a Secret, and mount or refer to that instead", "observed": null},
}

test_config_maps_on_every_write if {
	every operation in ["CREATE", "UPDATE"] {
		_map(operation, {"data": {"level": "debug", "db.password": "abc", "server.key": _pem, "token": "/run/token"}}) == {
			_key("db.password", "has the name of a secret and a value of its own"),
			_key("server.key", "looks like a private key"),
		}
	}
	every object in [{}, {"data": null}, {"data": {}}, {"binaryData": {"password": "YWJj"}}] {
		_map("CREATE", object) == set()
	}
}
