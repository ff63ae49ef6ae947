//! What a Pod may say to the templates. Two checks before anything is rendered: that of Istio itself (validate.go), and
//! one that keeps every text of a Pod from being more than a text in the template that it is put into.

mod grammar;
mod hostile;

use serde_json::Value;

use super::pod;
use super::proxy_config::ProxyConfig;
use super::version::Version;
use crate::kubernetes::quantity::Quantity;

pub(super) use hostile::check as check_texts;

type Check = fn(&str) -> Result<(), String>;

const INTERFACES: Check = grammar::interfaces;

/// The annotations that Istio checks, and how.
const CHECKED: [(&str, Check); 18] = [
    ("sidecar.istio.io/interceptionMode", |text| match text {
        "REDIRECT" | "TPROXY" | "NONE" => Ok(()),
        _ => Err("interceptionMode invalid: write REDIRECT, TPROXY or NONE".to_owned()),
    }),
    ("status.sidecar.istio.io/port", |text| grammar::port(text)),
    ("readiness.status.sidecar.istio.io/initialDelaySeconds", grammar::uint32),
    ("readiness.status.sidecar.istio.io/periodSeconds", grammar::uint32),
    ("readiness.status.sidecar.istio.io/failureThreshold", grammar::uint32),
    ("traffic.sidecar.istio.io/includeOutboundIPRanges", |text| match text {
        "*" => Ok(()),
        _ => grammar::cidrs(text).map_err(|why| format!("includeIPRanges invalid: {why}")),
    }),
    ("traffic.sidecar.istio.io/excludeOutboundIPRanges", |text| {
        grammar::cidrs(text).map_err(|why| format!("excludeIPRanges invalid: {why}"))
    }),
    ("traffic.sidecar.istio.io/includeInboundPorts", |text| match text {
        "*" => Ok(()),
        _ => grammar::ports(text).map_err(|why| format!("includeInboundPorts invalid: {why}")),
    }),
    ("traffic.sidecar.istio.io/excludeInboundPorts", |text| {
        grammar::ports(text).map_err(|why| format!("excludeInboundPorts invalid: {why}"))
    }),
    ("traffic.sidecar.istio.io/excludeOutboundPorts", |text| {
        grammar::ports(text).map_err(|why| format!("excludeOutboundPorts invalid: {why}"))
    }),
    ("traffic.sidecar.istio.io/excludeInterfaces", INTERFACES),
    ("traffic.sidecar.istio.io/kubevirtInterfaces", INTERFACES),
    ("istio.io/reroute-virtual-interfaces", INTERFACES),
    ("prometheus.istio.io/merge-metrics", boolean),
    ("sidecar.istio.io/proxyCPU", quantity),
    ("sidecar.istio.io/proxyCPULimit", quantity),
    ("sidecar.istio.io/proxyMemory", quantity),
    ("sidecar.istio.io/proxyMemoryLimit", quantity),
];

/// What is checked until 1.24, after which nothing reads it.
const CORE_DUMP: &str = "sidecar.istio.io/enableCoreDump";

fn boolean(text: &str) -> Result<(), String> {
    pod::parse_bool(text).map(drop).ok_or_else(|| "no boolean; write true or false".to_owned())
}

fn quantity(text: &str) -> Result<(), String> {
    if text.chars().any(char::is_control) {
        return Err("has a control character".to_owned());
    }
    Quantity::parse(text).map(drop).map_err(|why| why.to_string())
}

/// Istio's own check of a Pod's annotations.
///
/// # Errors
/// All that is wrong, in Istio's form.
pub(super) fn check(pod: &Value, version: Version) -> Result<(), String> {
    let mut faults = Vec::new();
    for (name, text) in pod::texts(pod, "annotations") {
        let outcome = match CHECKED.iter().find(|(checked, _)| *checked == name) {
            Some((_, check)) => check(text),
            None if name == pod::CONFIG => {
                overlaid(&ProxyConfig::of(version), text).and_then(|config| config.check())
            }
            None if name == CORE_DUMP && !version.since(25) => boolean(text),
            None => Ok(()),
        };
        if let Err(why) = outcome {
            faults.push(format!("invalid value '{text}' for annotation '{name}': {why}"));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("; ")) }
}

/// A proxy's configuration with that of an annotation over it.
///
/// # Errors
/// What is wrong with the annotation's text.
pub(super) fn overlaid(default_config: &ProxyConfig, text: &str) -> Result<ProxyConfig, String> {
    let own = crate::yaml::read_last_wins(text).map_err(|fault| fault.to_string())?;
    let mut config = default_config.clone();
    config.overlay(&own)?;
    Ok(config)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn istio_takes_some_values_and_refuses_others() {
        let rows: [(&str, &[&str], &[&str]); 12] = [
            ("sidecar.istio.io/interceptionMode", &["REDIRECT", "TPROXY", "NONE"], &["", "redirect"]),
            ("status.sidecar.istio.io/port", &["0", " 15020 ", "65535"], &["", "65536", "a", "-1"]),
            (
                "readiness.status.sidecar.istio.io/periodSeconds",
                &["0", "4294967295"],
                &["", "4294967296", "1s"],
            ),
            (
                "traffic.sidecar.istio.io/includeOutboundIPRanges",
                &["*", "", "10.0.0.0/8", "10.0.0.0/8,fd00::/8"],
                &["*,10.0.0.0/8", "10.0.0.0", "10.0.0.0/33", "a/8"],
            ),
            ("traffic.sidecar.istio.io/excludeOutboundIPRanges", &["", "10.0.0.0/8"], &["*", "10.0.0.0/8,"]),
            (
                "traffic.sidecar.istio.io/includeInboundPorts",
                &["*", "", "80", "80, 443"],
                &["*,80", "http", "70000"],
            ),
            ("traffic.sidecar.istio.io/excludeInboundPorts", &["", "80,443"], &["*", "80,"]),
            ("traffic.sidecar.istio.io/excludeOutboundPorts", &["", "80"], &["*", "80;81"]),
            (
                "istio.io/reroute-virtual-interfaces",
                &["", "eth0", "net1, net2", "abcdefghijklmno"],
                &["1eth", "abcdefghijklmnop", "a b", "eth0,"],
            ),
            ("prometheus.istio.io/merge-metrics", &["true", "F", "0"], &["", "yes", "TrUe"]),
            ("sidecar.istio.io/proxyCPU", &["100m", "2"], &["", "x", "1\n"]),
            (
                pod::CONFIG,
                &["", "{}", "concurrency: 2\n", "{\"drainDuration\": \"5s\", \"unheardOf\": 1}"],
                &["concurrency: two", "- a", "a: [", "drainDuration: 5", "interceptionMode: SOME"],
            ),
        ];
        let judged = |name: &str, text: &str| {
            let pod = json!({ "metadata": { "annotations": { name: text } } });
            check(&pod, Version::default())
        };
        for (name, good, bad) in rows {
            for text in good {
                assert_eq!(judged(name, text), Ok(()), "{name} {text:?}");
            }
            for text in bad {
                let why = judged(name, text).unwrap_err();
                let begin = format!("invalid value '{text}' for annotation '{name}': ");
                assert!(why.starts_with(&begin), "{why}");
            }
        }
        assert_eq!(judged("traffic.sidecar.istio.io/includeOutboundPorts", "any"), Ok(()));
    }
}
