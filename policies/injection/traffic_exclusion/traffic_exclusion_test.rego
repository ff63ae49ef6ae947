package policies.injection.traffic_exclusion_test

import data.policies.injection.traffic_exclusion

_parameters := {"inboundPorts": ["9090", "4190-4191"], "outboundPorts": ["5432"], "networks": ["10.0.0.0/8"]}

_pod(operation, path, annotations) := violations if {
	violations := traffic_exclusion.deny with input as {
		"request": {"operation": operation, "resource": {"resource": "deployments"}, "object": {}},
		"parameters": _parameters,
		"context": {"pod": {"path": path, "template": path != "spec", "spec": {}, "metadata": {"annotations": annotations}}},
		"exempt": {},
	}
}

_denied(annotations) := _pod("CREATE", "spec", annotations)

_past(place, key, excluded) := {
	"msg": sprintf("`%s` takes %s past the proxy", [key, excluded]),
	"field": sprintf("%s.annotations[%s]", [place, key]),
	"details": {"remedy": sprintf("remove %s from `%s`", [excluded, key])},
}

_else(key, value) := {{
	"msg": sprintf("`%s: \"%s\"` takes everything else past the proxy", [key, value]),
	"field": sprintf("metadata.annotations[%s]", [key]),
	"details": {"remedy": sprintf("remove `%s`, or set it to \"*\"", [key])},
}}

_nothing(key) := {{
	"msg": "nothing goes through the proxy: its interception mode is NONE",
	"field": sprintf("metadata.annotations[%s]", [key]),
	"details": {"remedy": "remove `interceptionMode`"},
}}

# Annotations, what of theirs is allowed, what is not.
_table := [
	["config.linkerd.io/skip-inbound-ports", "4190-4191", "8080"],
	["config.linkerd.io/skip-outbound-ports", "5432", "9090"],
	["config.linkerd.io/skip-subnets", "10.0.0.0/8", "0.0.0.0/0"],
	["traffic.sidecar.istio.io/excludeInboundPorts", "9090", "5432"],
	["traffic.sidecar.istio.io/excludeInterfaces", "", "eth1"],
	["traffic.sidecar.istio.io/excludeOutboundIPRanges", "10.0.0.0/8", "10.0.0.0/7"],
	["traffic.sidecar.istio.io/excludeOutboundPorts", "5432", "54321"],
]

test_nothing_goes_past if {
	every annotations in [{}, null, {"other": "8080"}, {"traffic.sidecar.istio.io/excludeInboundPorts": ""}, {"traffic.sidecar.istio.io/excludeInboundPorts": 8080}] {
		_denied(annotations) == set()
	}
	every key in ["traffic.sidecar.istio.io/includeInboundPorts", "traffic.sidecar.istio.io/includeOutboundIPRanges"] {
		_denied({key: "*"}) == set()
		_denied({key: " * "}) == set()
	}
}

test_what_goes_past_on_every_write if {
	every row in _table {
		_denied({row[0]: row[1]}) == set()
		every operation in ["CREATE", "UPDATE"] {
			_pod(operation, "spec", {row[0]: sprintf("%s, %s", [row[1], row[2]])}) == {_past("metadata", row[0], row[2])}
		}
	}
	_denied({"config.linkerd.io/skip-inbound-ports": "1,2"}) == {
		_past("metadata", "config.linkerd.io/skip-inbound-ports", "1"),
		_past("metadata", "config.linkerd.io/skip-inbound-ports", "2"),
	}
}

test_every_kind if {
	paths := {
		"spec": "metadata",
		"template.spec": "template.metadata",
		"spec.template.spec": "spec.template.metadata",
		"spec.jobTemplate.spec.template.spec": "spec.jobTemplate.spec.template.metadata",
	}
	every path, place in paths {
		_pod("CREATE", path, {"config.linkerd.io/skip-subnets": "1.1.1.1/32"}) == {_past(place, "config.linkerd.io/skip-subnets", "1.1.1.1/32")}
	}
}

test_what_is_included_leaves_out_the_rest if {
	every key in ["traffic.sidecar.istio.io/includeInboundPorts", "traffic.sidecar.istio.io/includeOutboundIPRanges"] {
		every value in ["", "8080", "*,8080"] {
			_denied({key: value}) == _else(key, value)
		}
	}
}

_untold(key, what, remedy) := {{
	"msg": sprintf("what goes through the proxy can't be told: %s", [what]),
	"field": sprintf("metadata.annotations[%s]", [key]),
	"details": {"remedy": remedy},
}}

_mode(key, mode) := _untold(
	key, sprintf("its interception mode is %v", [mode]),
	"remove `interceptionMode`, or set it to REDIRECT or TPROXY",
)

test_no_interception if {
	_denied({"sidecar.istio.io/interceptionMode": "NONE"}) == _nothing("sidecar.istio.io/interceptionMode")
	_denied({"sidecar.istio.io/interceptionMode": "2"}) == _nothing("sidecar.istio.io/interceptionMode")
	configs := [
		"interceptionMode: NONE\n", "{interceptionMode: none, concurrency: 2}", "interception_mode: NONE",
		"interceptionMode: 2", "interception_mode: 2.0", "interceptionMode: '2'", "{\"interception_mode\": \"NONE\"}",
		"{interceptionMode: REDIRECT, interception_mode: NONE}",
	]
	every config in configs {
		_denied({"proxy.istio.io/config": config}) == _nothing("proxy.istio.io/config")
	}
}

test_interception if {
	every mode in ["REDIRECT", "TPROXY"] {
		_denied({"sidecar.istio.io/interceptionMode": mode}) == set()
	}
	configs := ["", " ", "{}", "concurrency: 2", "interceptionMode: TPROXY", "interception_mode: REDIRECT", "interceptionMode: 0", "interception_mode: 1"]
	every config in configs {
		_denied({"proxy.istio.io/config": config}) == set()
	}
}

test_an_interception_that_cannot_be_told if {
	every mode in ["", "redirect", "5"] {
		_denied({"sidecar.istio.io/interceptionMode": mode}) == _mode("sidecar.istio.io/interceptionMode", mode)
	}
	modes := {"interceptionMode: 5": 5, "interception_mode: tproxy": "tproxy", "interceptionMode: [NONE]": ["NONE"], "interceptionMode:": null}
	every config, mode in modes {
		_denied({"proxy.istio.io/config": config}) == _mode("proxy.istio.io/config", mode)
	}
	every config in ["{interceptionMode: NONE", "- interceptionMode: NONE", "interceptionMode", "# nothing"] {
		_denied({"proxy.istio.io/config": config}) == _untold(
			"proxy.istio.io/config", "`proxy.istio.io/config` is no object in YAML",
			"correct `proxy.istio.io/config`, or remove it",
		)
	}
}

test_ambient_capture if {
	_denied({"ambient.istio.io/bypass-inbound-capture": "false"}) == set()
	every value in ["true", "True", "1", ""] {
		_denied({"ambient.istio.io/bypass-inbound-capture": value}) == {{
			"msg": sprintf("`ambient.istio.io/bypass-inbound-capture: \"%s\"` takes what comes in past ztunnel", [value]),
			"field": "metadata.annotations[ambient.istio.io/bypass-inbound-capture]",
			"details": {"remedy": "remove `ambient.istio.io/bypass-inbound-capture`"},
		}}
	}
}

test_a_subresource_is_not_judged if {
	annotations := {
		"config.linkerd.io/skip-subnets": "1.1.1.1/32",
		"traffic.sidecar.istio.io/includeInboundPorts": "",
		"sidecar.istio.io/interceptionMode": "NONE",
		"ambient.istio.io/bypass-inbound-capture": "true",
	}
	violations := traffic_exclusion.deny with input as {
		"request": {"operation": "UPDATE", "resource": {"resource": "pods"}, "subResource": "resize", "object": {}},
		"parameters": _parameters,
		"context": {"pod": {"path": "spec", "template": false, "spec": {}, "metadata": {"annotations": annotations}}},
	}
	violations == set()
}

test_namespaces_on_every_write if {
	every operation in ["CREATE", "UPDATE"] {
		violations := traffic_exclusion.deny with input as {
			"request": {
				"operation": operation,
				"resource": {"resource": "namespaces"},
				"object": {"metadata": {"annotations": {"config.linkerd.io/skip-subnets": "1.1.1.1/32"}}},
			},
			"parameters": _parameters,
			"context": {"pod": null},
		}
		violations == {_past("metadata", "config.linkerd.io/skip-subnets", "1.1.1.1/32")}
	}
	every object in [{}, {"metadata": {}}, {"metadata": {"annotations": null}}] {
		violations := traffic_exclusion.deny with input as {
			"request": {"operation": "CREATE", "resource": {"resource": "namespaces"}, "object": object},
			"parameters": _parameters,
			"context": {"pod": null},
		}
		violations == set()
	}
}
