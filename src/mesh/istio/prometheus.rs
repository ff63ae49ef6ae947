//! Metrics of the application, merged into those of the proxy: the annotations that Prometheus reads point to the proxy, and
//! the proxy learns where the application's own are.

use serde_json::Value;

use super::json;
use super::pod::{self, parse_bool};

/// The proxy's own ports, which nothing can be scraped from.
const RESERVED: [u16; 9] = [15000, 15001, 15004, 15006, 15008, 15020, 15021, 15053, 15090];

const SCRAPE: &str = "prometheus_io_scrape";
const PORT: &str = "prometheus_io_port";
const PATH: &str = "prometheus_io_path";
const TARGETS: &str = "prometheus_istio_io_scrape_targets";
const SECURE_PORT: &str = "prometheus_istio_io_secure_port";

/// What of it depends on the version of Istio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Behaviour {
    /// Whether a list of targets is read, and ports are checked (from 1.31 on).
    pub(super) has_targets: bool,
}

/// An annotation's name as Prometheus makes a label of it.
fn sanitized(name: &str) -> String {
    let keep = |character: char| if character.is_ascii_alphanumeric() { character } else { '_' };
    name.chars().map(keep).collect()
}

fn spelled<'a>(merged: &'a Value, wanted: &'a str) -> impl Iterator<Item = &'a str> {
    pod::texts(merged, "annotations").filter(move |(name, _)| sanitized(name) == wanted).map(|(_, text)| text)
}

/// Forgets the annotations of an earlier injection.
pub(super) fn forget(stripped: &mut Value, status_port: &str) {
    if spelled(stripped, PORT).any(|port| port == status_port) {
        remove(stripped, &[SCRAPE, PORT, PATH]);
    }
}

fn remove(merged: &mut Value, names: &[&str]) {
    if let Some(annotations) = pod::texts_mut(merged, "annotations") {
        annotations.retain(|name, _| !names.contains(&sanitized(name).as_str()));
    }
}

/// Merges the metrics, where that is wanted.
///
/// # Errors
/// A port that can't be scraped.
pub(super) fn merge(
    merged: &mut Value,
    is_default: bool,
    status_port: u64,
    behaviour: Behaviour,
) -> Result<(), String> {
    let target = status_port.to_string();
    let scrape = spelled(merged, SCRAPE).find_map(parse_bool).unwrap_or(true);
    let wanted = pod::annotation(merged, "prometheus.istio.io/merge-metrics").and_then(parse_bool);
    if !scrape || !wanted.unwrap_or(is_default) || spelled(merged, PORT).any(|port| port == target) {
        return Ok(());
    }
    let mut found = Found {
        scrape: spelled(merged, SCRAPE).last().unwrap_or_default().to_owned(),
        path: spelled(merged, PATH).last().unwrap_or_default().to_owned(),
        port: spelled(merged, PORT).last().unwrap_or_default().to_owned(),
        targets: Vec::new(),
    };
    if behaviour.has_targets {
        found.read_targets(spelled(merged, TARGETS).last().unwrap_or_default());
        found.check(&target)?;
    }
    if let Some(proxy) = pod::proxy_mut(merged).filter(|_| !found.is_empty()) {
        pod::add_env(proxy, "ISTIO_PROMETHEUS_ANNOTATIONS", &found.text());
    }
    let names: &[&str] =
        if behaviour.has_targets { &[SCRAPE, PORT, PATH, TARGETS] } else { &[SCRAPE, PORT, PATH] };
    remove(merged, names);
    pod::annotate(merged, "prometheus.io/port", target);
    pod::annotate(merged, "prometheus.io/path", "/stats/prometheus".to_owned());
    pod::annotate(merged, "prometheus.io/scrape", "true".to_owned());
    Ok(())
}

/// Puts the application's own annotations back, as the proxy was told of them.
pub(super) fn restore(injected: &mut Value) {
    let is_merged = spelled(injected, PATH).any(|path| path == "/stats/prometheus");
    if !is_merged {
        return;
    }
    let env =
        pod::proxy_mut(injected).and_then(|proxy| proxy.get("env")?.as_array().cloned()).unwrap_or_default();
    let told = env.iter().find(|one| pod::name(one) == "ISTIO_PROMETHEUS_ANNOTATIONS");
    let told = told.and_then(|one| serde_json::from_str::<Value>(one.get("value")?.as_str()?).ok());
    remove(injected, &[SCRAPE, PORT, PATH]);
    for name in ["scrape", "port", "path"] {
        let text = told.as_ref().and_then(|told| told.get(name)?.as_str().map(str::to_owned));
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            pod::annotate(injected, &format!("prometheus.io/{name}"), text);
        }
    }
}

/// Says which port serves the merged metrics over mTLS, where the proxy has one (from 1.31 on).
pub(super) fn secure_port(merged: &mut Value) {
    if spelled(merged, SECURE_PORT).next().is_some() {
        return;
    }
    let env =
        pod::proxy_mut(merged).and_then(|proxy| proxy.get("env")?.as_array().cloned()).unwrap_or_default();
    let mut ports = env.iter().filter(|one| pod::name(one) == "ENVOY_SECURE_MERGED_METRICS_PORT");
    let port = ports.find_map(|one| one.get("value")?.as_str().filter(|port| !matches!(*port, "" | "0")));
    if let Some(port) = port {
        pod::annotate(merged, "prometheus.istio.io/secure-port", port.to_owned());
    }
}

/// What the annotations say of the application.
struct Found {
    scrape: String,
    path: String,
    port: String,
    targets: Vec<(String, String)>,
}

impl Found {
    fn is_empty(&self) -> bool {
        self.scrape.is_empty() && self.path.is_empty() && self.port.is_empty() && self.targets.is_empty()
    }

    /// A list `port[:path],…`; one that can't be read counts for nothing.
    fn read_targets(&mut self, list: &str) {
        let target = |one: &str| {
            let (port, path) = one.trim().split_once(':').unwrap_or((one.trim(), "/metrics"));
            let (port, path) = (port.trim(), path.trim());
            let path = if path.is_empty() { "/metrics" } else { path };
            (!port.is_empty()).then(|| (port.to_owned(), path.to_owned()))
        };
        let read: Option<Vec<_>> = list.split(',').filter(|one| !one.trim().is_empty()).map(target).collect();
        self.targets = read.unwrap_or_default();
        if let Some((port, path)) = self.targets.first() {
            (self.port, self.path) = (port.clone(), path.clone());
        }
    }

    fn check(&self, target: &str) -> Result<(), String> {
        let fits = |port: &str| match port.parse::<u16>() {
            Ok(0) | Err(_) => Err(format!("port {port:?} is not between 1 and 65535")),
            Ok(number) if number.to_string() == target || RESERVED.contains(&number) => {
                Err(format!("port {port} is one of the proxy's own"))
            }
            Ok(_) => Ok(()),
        };
        for (port, _) in &self.targets {
            fits(port).map_err(|why| format!("invalid prometheus scrape targets: {why}"))?;
        }
        if self.targets.is_empty() && !self.port.is_empty() {
            fits(&self.port).map_err(|why| format!("invalid prometheus scrape configuration: {why}"))?;
        }
        Ok(())
    }

    fn text(&self) -> String {
        let text = |text: &str| json::encode(&Value::from(text));
        let mut members =
            vec![("scrape", text(&self.scrape)), ("path", text(&self.path)), ("port", text(&self.port))];
        if !self.targets.is_empty() {
            let targets: Vec<String> = self
                .targets
                .iter()
                .map(|(port, path)| json::object([("port", text(port)), ("path", text(path))]))
                .collect();
            members.push(("targets", format!("[{}]", targets.join(","))));
        }
        json::object(members)
    }
}
