//! The member `images`: which registries may be asked, with whose credentials, and how much of them is read. Whom to
//! trust is policy, and stands in the tree (`ImageTrust`).

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::source::duration;
use crate::kubernetes::quantity::Quantity;
use crate::kubernetes::registry_pattern::RegistryPattern;
use crate::outbound::Url;
use crate::policy::{Fault, Members};

/// The most that one piece of evidence may be allowed to have.
const MAX_EVIDENCE: u64 = 16 << 20;

/// Registries, and how they are read.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Images {
    /// The registries that may be asked, in this order; nothing else is ever connected to.
    pub registries: Vec<Registry>,
    /// Whose credentials are shown to them beside those that they name.
    pub pull_secrets: PullFrom,
    /// How long ago evidence may have been read that is used while a registry is away. None: none is.
    pub stale_if_error: Option<Duration>,
    /// How much is read.
    pub limits: ImageLimits,
}

/// Whose credentials are shown to registries on behalf of a Pod.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PullFrom {
    /// Nobody's.
    #[default]
    None,
    /// Those of the Pod: the pull secrets that it or its service account names, in its namespace.
    Pod,
}

/// A registry, or registries, and how they are reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Registry {
    /// A pattern of hosts ([`RegistryPattern`]), without a path.
    pub host: String,
    /// Authorities beside those of the system, as PEM.
    pub ca: Option<PathBuf>,
    /// Credentials that are shown to it. None: it is asked as anybody may.
    pub credentials: Option<Credentials>,
    /// Another place that holds the same, as `https://mirror.example.com/prefix`.
    pub endpoint: Option<String>,
    /// Whether it is spoken to without TLS; credentials are then shown within this machine only.
    #[serde(default)]
    pub plaintext: bool,
    /// The proxy that leads to it, as `http://proxy:3128`.
    pub proxy: Option<String>,
    /// Hosts beside its own that may give out its tokens.
    #[serde(default)]
    pub token_hosts: Vec<String>,
    /// Hosts that it may send readers to although their addresses are private.
    #[serde(default)]
    pub redirect_hosts: Vec<String>,
}

/// Where credentials come from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// A Docker configuration (`dockerconfigjson`), read anew when it changes.
    pub file: PathBuf,
}

/// How much is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageLimits {
    /// Bytes of one piece of evidence. Default: 1 MiB; at most 16 MiB.
    pub evidence_bytes: u64,
    /// Bytes of a predicate that policies see. Default: 1 MiB.
    pub predicate_bytes: u64,
    /// Requests at a time. Default: 32.
    pub concurrency: usize,
    /// Requests at a time to one registry. Default: 8.
    pub per_registry: usize,
    /// What is kept of what was read, in bytes. Default: 64 MiB.
    pub cache_bytes: u64,
}

impl Default for ImageLimits {
    fn default() -> Self {
        Self {
            evidence_bytes: 1 << 20,
            predicate_bytes: 1 << 20,
            concurrency: 32,
            per_registry: 8,
            cache_bytes: 64 << 20,
        }
    }
}

/// The member as it is written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(super) struct ImageFields {
    registries: Vec<Registry>,
    pull_secrets: PullFrom,
    /// `off` without quotes is false in YAML 1.1.
    stale_if_error: Option<Value>,
    limits: LimitFields,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct LimitFields {
    evidence_bytes: Option<Value>,
    predicate_bytes: Option<Value>,
    concurrency: Option<usize>,
    per_registry: Option<usize>,
    cache_bytes: Option<Value>,
}

impl ImageFields {
    /// What is well-formed and can't be meant.
    pub(super) fn contradictions(&self, members: &Members, faults: &mut Vec<Fault>) {
        let mut fault = |pointer: String, message: String| {
            let place = pointer.trim_start_matches('/').replace('/', ".");
            faults.push(members.fault(&pointer, format!("{place}: {message}")));
        };
        for (index, registry) in self.registries.iter().enumerate() {
            let at = format!("/images/registries/{index}");
            registry.contradictions(&mut |member, message| fault(format!("{at}/{member}"), message));
        }
        if self.pull_secrets == PullFrom::Pod && self.registries.is_empty() {
            let message = "no registry may be asked; name those that they are for in registries";
            fault("/images/pullSecrets".to_owned(), message.to_owned());
        }
        if self.stale_if_error.as_ref().is_some_and(|value| stale(value).is_none()) {
            fault(
                "/images/staleIfError".to_owned(),
                "write off, or a time up to a day, as 10m or 2h".to_owned(),
            );
        }
        let limits = &self.limits;
        let sizes = [
            ("evidenceBytes", &limits.evidence_bytes, MAX_EVIDENCE),
            ("predicateBytes", &limits.predicate_bytes, MAX_EVIDENCE),
            ("cacheBytes", &limits.cache_bytes, 64 << 30),
        ];
        for (name, value, most) in sizes {
            if value.as_ref().is_some_and(|value| size(value).is_none_or(|bytes| bytes == 0 || bytes > most))
            {
                let message = format!("write a number of bytes up to {most}, as in 1Mi");
                fault(format!("/images/limits/{name}"), message);
            }
        }
        for (name, value) in [("concurrency", limits.concurrency), ("perRegistry", limits.per_registry)] {
            if value.is_some_and(|value| value == 0 || value > 1024) {
                fault(format!("/images/limits/{name}"), "write a number from 1 to 1024".to_owned());
            }
        }
    }

    pub(super) fn images(self) -> Images {
        let (default, limits) = (ImageLimits::default(), self.limits);
        let bytes = |value: Option<Value>, default| value.as_ref().and_then(size).unwrap_or(default);
        Images {
            registries: self.registries,
            pull_secrets: self.pull_secrets,
            stale_if_error: self.stale_if_error.as_ref().and_then(stale).flatten(),
            limits: ImageLimits {
                evidence_bytes: bytes(limits.evidence_bytes, default.evidence_bytes),
                predicate_bytes: bytes(limits.predicate_bytes, default.predicate_bytes),
                concurrency: limits.concurrency.unwrap_or(default.concurrency),
                per_registry: limits.per_registry.unwrap_or(default.per_registry),
                cache_bytes: bytes(limits.cache_bytes, default.cache_bytes),
            },
        }
    }
}

impl Registry {
    fn contradictions(&self, fault: &mut dyn FnMut(String, String)) {
        match RegistryPattern::parse(&self.host) {
            Ok(pattern) if pattern.is_any() && self.credentials.is_some() => fault(
                "credentials".to_owned(),
                "every registry would be shown them; name the hosts that they are for".to_owned(),
            ),
            Ok(_) if self.host.contains('/') => {
                fault("host".to_owned(), "a host without a path; credentials may name one".to_owned());
            }
            Ok(_) => {}
            Err(why) => fault("host".to_owned(), why.to_string()),
        }
        for (name, url) in [("endpoint", &self.endpoint), ("proxy", &self.proxy)] {
            match url.as_deref().map(Url::parse) {
                Some(Err(why)) => fault(name.to_owned(), why.to_string()),
                Some(Ok(url)) if name == "proxy" && (url.origin().is_https() || url.path() != "/") => {
                    fault(name.to_owned(), "a proxy is written as http://host:port".to_owned());
                }
                Some(Ok(url)) if name == "endpoint" && url.origin().is_https() == self.plaintext => fault(
                    name.to_owned(),
                    "an endpoint of https needs plaintext: false, one of http plaintext: true".to_owned(),
                ),
                _ => {}
            }
        }
        if self.plaintext && self.ca.is_some() {
            fault(
                "ca".to_owned(),
                "without TLS there is no certificate to verify; leave one of the two out".to_owned(),
            );
        }
        if self.plaintext && self.proxy.is_some() {
            fault("proxy".to_owned(), "a proxy leads to https only; leave one of the two out".to_owned());
        }
        let lists = [("tokenHosts", &self.token_hosts), ("redirectHosts", &self.redirect_hosts)];
        for (name, hosts) in lists {
            for (index, host) in hosts.iter().enumerate() {
                let is_host = RegistryPattern::parse(host).is_ok_and(|pattern| !pattern.is_any());
                if !is_host || host.contains('/') {
                    let message = format!("`{host}` is no host; write one as `auth.example.com`");
                    fault(format!("{name}/{index}"), message);
                }
            }
        }
    }
}

/// The member as it would be written.
pub(super) fn shown(images: &Images) -> Value {
    let limits = &images.limits;
    let registries: Vec<Value> = images.registries.iter().map(shown_registry).collect();
    json!({
        "registries": registries,
        "pullSecrets": if images.pull_secrets == PullFrom::Pod { "pod" } else { "none" },
        "staleIfError": images.stale_if_error.map_or("off".to_owned(), |time| format!("{}s", time.as_secs())),
        "limits": {
            "evidenceBytes": limits.evidence_bytes,
            "predicateBytes": limits.predicate_bytes,
            "concurrency": limits.concurrency,
            "perRegistry": limits.per_registry,
            "cacheBytes": limits.cache_bytes,
        },
    })
}

fn shown_registry(registry: &Registry) -> Value {
    let mut value = json!({
        "host": registry.host,
        "plaintext": registry.plaintext,
        "tokenHosts": registry.token_hosts,
        "redirectHosts": registry.redirect_hosts,
    });
    if let Some(members) = value.as_object_mut() {
        let credentials = registry.credentials.as_ref().map(|from| json!({ "file": from.file }));
        members.extend(registry.ca.as_ref().map(|ca| ("ca".to_owned(), json!(ca))));
        members.extend(credentials.map(|value| ("credentials".to_owned(), value)));
        members.extend(registry.endpoint.as_ref().map(|url| ("endpoint".to_owned(), json!(url))));
        members.extend(registry.proxy.as_ref().map(|url| ("proxy".to_owned(), json!(url))));
    }
    value
}

/// `off`, or a time.
fn stale(value: &Value) -> Option<Option<Duration>> {
    match value {
        Value::Bool(false) => Some(None),
        Value::String(text) if text == "off" => Some(None),
        Value::String(text) => duration(text).map(Some),
        _ => None,
    }
}

/// A quantity of bytes.
fn size(value: &Value) -> Option<u64> {
    Quantity::from_json(value).ok()?.value().and_then(|bytes| u64::try_from(bytes).ok())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::config::Configuration;

    const HEAD: &str = "apiVersion: meshgate.io/v1alpha1\nkind: Configuration\n";

    fn read(text: &str) -> Result<Configuration, Vec<String>> {
        let content = format!("{HEAD}{text}");
        let read = Configuration::read("meshgate.yaml", content.as_bytes());
        read.map_err(|faults| faults.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn what_is_shown_says_the_same() {
        let text = "images:\n  registries:\n  - {host: '*.example.com', ca: /ca.pem, credentials: {file: /c.json}, proxy: 'http://p:1'}\n\
            \x20 - {host: docker.io, endpoint: 'https://mirror.example.com/hub', tokenHosts: [a.b], redirectHosts: [c.d]}\n\
            \x20 - {host: '127.0.0.1:5000', plaintext: true}\n\
            \x20 pullSecrets: pod\n\
            \x20 staleIfError: 10m\n\
            \x20 limits: {evidenceBytes: 2Mi, predicateBytes: 5, concurrency: 3, perRegistry: 2, cacheBytes: 1Gi}\n";
        let read_once = read(text).unwrap();
        assert_eq!(read_once.images.registries.len(), 3);
        assert_eq!(read_once.images.limits.evidence_bytes, 2 << 20);
        assert_eq!(read_once.images.stale_if_error, Some(Duration::from_secs(600)));
        for text in ["{}", "{staleIfError: off}", "{staleIfError: 'off'}"] {
            assert_eq!(read(&format!("images: {text}\n")).unwrap().images.stale_if_error, None);
        }
        let shown = read_once.shown().to_string();
        assert_eq!(Configuration::read("shown", shown.as_bytes()), Ok(read_once), "{shown}");
    }

    #[test]
    fn each_fault_has_its_place_and_its_remedy() {
        let rows = [
            (
                "registries: [{host: 'https://a.b'}]",
                "images.registries.0.host: a registry is written as host",
            ),
            ("registries: [{host: a.b/c}]", "images.registries.0.host: a host without a path"),
            (
                "registries: [{host: '*', credentials: {file: f}}]",
                "images.registries.0.credentials: every registry",
            ),
            (
                "registries: [{host: a.b, credentials: {file: f, exec: p}}]",
                "images.registries.0.credentials.exec: unknown field",
            ),
            (
                "registries: [{host: a.b, endpoint: 'http://m'}]",
                "images.registries.0.endpoint: an endpoint of https",
            ),
            (
                "registries: [{host: a.b, endpoint: 'https://u:p@m'}]",
                "images.registries.0.endpoint: a URL holds no user",
            ),
            (
                "registries: [{host: a.b, proxy: 'https://p'}]",
                "images.registries.0.proxy: a proxy is written as",
            ),
            ("registries: [{host: a.b, plaintext: true, ca: c}]", "images.registries.0.ca: without TLS"),
            (
                "registries: [{host: a.b, plaintext: true, proxy: 'http://p'}]",
                "images.registries.0.proxy: a proxy leads",
            ),
            (
                "registries: [{host: a.b, tokenHosts: ['*']}]",
                "images.registries.0.tokenHosts.0: `*` is no host",
            ),
            (
                "registries: [{host: a.b, redirectHosts: [c/d]}]",
                "images.registries.0.redirectHosts.0: `c/d` is no host",
            ),
            ("staleIfError: 25h", "images.staleIfError: write off, or a time up to a day"),
            ("staleIfError: 5", "images.staleIfError: write off, or a time"),
            ("pullSecrets: pod", "images.pullSecrets: no registry may be asked"),
            ("pullSecrets: node", "images.pullSecrets: unknown variant `node`, expected `none` or `pod`"),
            (
                "limits: {evidenceBytes: 17Mi}",
                "images.limits.evidenceBytes: write a number of bytes up to 16777216",
            ),
            ("limits: {cacheBytes: x}", "images.limits.cacheBytes: write a number"),
            ("limits: {perRegistry: 0}", "images.limits.perRegistry: write a number from 1 to 1024"),
        ];
        for (text, expected) in rows {
            let faults = read(&format!("images:\n  {text}\n")).unwrap_err();
            assert!(faults.len() == 1 && faults[0].contains(expected), "{text}: {faults:?}");
            assert!(faults[0].starts_with("meshgate.yaml:4:"), "{faults:?}");
        }
    }
}
