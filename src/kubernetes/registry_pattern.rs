//! Patterns of registries, as the kubelet reads them in `matchImages` and in the keys of a Docker configuration: a star
//! stands within one label of the host, a port is part of the name, a path is where the repository begins.
//!
//! Source: k8s.io/kubernetes, pkg/credentialprovider/keyring.go (`URLsMatch`). Stricter: a path ends between two
//! components, so that what is for `host/team` is not shown for `host/teams`.

use core::cmp::Reverse;

use super::pattern::Pattern;

/// Docker Hub, as it is written in references.
const HUB: &str = "docker.io";

/// Names under which people and tools keep credentials for Docker Hub.
const HUB_NAMES: [&str; 3] = ["docker.io", "index.docker.io", "registry-1.docker.io"];

/// Which registries, and which repositories in them, are meant.
#[derive(Clone, Debug)]
pub struct RegistryPattern {
    /// None: every host.
    labels: Option<Vec<Pattern>>,
    stars: usize,
    port: Option<String>,
    path: String,
}

/// Why a text is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a registry is written as host[:port][/path], without a scheme; a star stands within one label, as in *.example.com, or alone"
)]
pub struct RegistryPatternError;

impl RegistryPattern {
    /// Reads a pattern. `index.docker.io` is `docker.io`.
    ///
    /// # Errors
    /// [`RegistryPatternError`].
    pub fn parse(text: &str) -> Result<Self, RegistryPatternError> {
        let (authority, path) = text.split_once('/').unwrap_or((text, ""));
        let path = path.trim_end_matches('/').to_owned();
        if authority == "*" {
            return Ok(Self { labels: None, stars: usize::MAX, port: None, path });
        }
        let (host, port) = split_port(authority);
        let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        let host = if HUB_NAMES.contains(&host) && port.is_none() { HUB } else { host };
        let is_label = |label: &str| {
            !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_*[]:".contains(&b))
        };
        if !host.split('.').all(is_label) || !port.is_none_or(is_port) {
            return Err(RegistryPatternError);
        }
        let labels: Option<Vec<Pattern>> = host.to_ascii_lowercase().split('.').map(Pattern::new).collect();
        let labels = Some(labels.ok_or(RegistryPatternError)?);
        Ok(Self { labels, stars: host.matches('*').count(), port: port.map(str::to_owned), path })
    }

    /// Whether it means a repository of a registry, both as in a parsed reference.
    pub fn matches(&self, registry: &str, repository: &str) -> bool {
        let within = repository.strip_prefix(self.path.as_str());
        let is_path =
            self.path.is_empty() || within.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        is_path && self.matches_host(registry)
    }

    /// Whether it means a registry, whatever the repository.
    pub fn matches_host(&self, registry: &str) -> bool {
        let Some(patterns) = &self.labels else { return true };
        let (host, port) = split_port(registry);
        let host = host.to_ascii_lowercase();
        let labels: Vec<&str> = host.split('.').collect();
        self.port.as_deref() == port
            && labels.len() == patterns.len()
            && patterns.iter().zip(labels).all(|(pattern, label)| pattern.matches(label))
    }

    /// Whether it means one host.
    pub fn is_exact(&self) -> bool {
        self.stars == 0
    }

    /// Whether it means every registry.
    pub fn is_any(&self) -> bool {
        self.labels.is_none()
    }

    /// Sorts the most exact before others: without stars, then by the length of the path.
    pub fn exactness(&self) -> impl Ord + use<> {
        (self.stars, Reverse(self.path.len()))
    }
}

/// A host, which may be an IPv6 address in brackets, and the port behind it.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, registry: &str, repository: &str) -> bool {
        RegistryPattern::parse(pattern).unwrap().matches(registry, repository)
    }

    #[test]
    fn a_star_stays_within_its_label() {
        for (pattern, registry, repository, expected) in [
            ("registry.io", "registry.io", "a/b", true),
            ("registry.io", "REGISTRY.io", "a", true),
            ("registry.io", "registry.io.attacker.com", "a", false),
            ("registry.io", "registry.io:5000", "a", false),
            ("registry.io:5000", "registry.io:5000", "a", true),
            ("*.io", "registry.io", "a", true),
            ("*.io", "a.registry.io", "a", false),
            ("*.dkr.ecr.*.amazonaws.com", "1.dkr.ecr.eu-west-1.amazonaws.com", "a", true),
            ("*.dkr.ecr.*.amazonaws.com", "1.dkr.ecr.eu.west.amazonaws.com", "a", false),
            ("app-*.io", "app-1.io", "a", true),
            ("app-*.io", "ap-1.io", "a", false),
            ("registry.io/team", "registry.io", "team/app", true),
            ("registry.io/team", "registry.io", "team", true),
            ("registry.io/team/", "registry.io", "team/app", true),
            ("registry.io/team", "registry.io", "teams/app", false),
            ("index.docker.io", "docker.io", "library/nginx", true),
            ("*", "anything.example:1", "a", true),
            ("[::1]:5000", "[::1]:5000", "a", true),
            ("[::1]", "[::1]:5000", "a", false),
        ] {
            assert_eq!(matches(pattern, registry, repository), expected, "{pattern} {registry}/{repository}");
        }
        for text in ["", "https://registry.io", "a..b", "a b.io", "registry.io:", "registry.io:x", "?.io"] {
            assert!(RegistryPattern::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_most_exact_comes_first() {
        let mut patterns =
            ["*", "*.io", "registry.io", "registry.io/team/a", "*.io/team", "registry.io/team"];
        patterns.sort_by_key(|text| RegistryPattern::parse(text).unwrap().exactness());
        assert_eq!(
            patterns,
            ["registry.io/team/a", "registry.io/team", "registry.io", "*.io/team", "*.io", "*"]
        );
    }
}
