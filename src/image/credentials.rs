//! The credentials that one caller may use, as one value, and what a Docker configuration says of them.

mod docker_config;

use std::fmt;
use std::sync::{Arc, LazyLock};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::kubernetes::registry_pattern::RegistryPattern;

pub use docker_config::DockerConfigError;

/// How many credentials are tried for one repository, the most exact first.
const TRIED: usize = 3;

/// What a source may show to registries on behalf of one caller. Sets are equal where what they hold is. `Debug` says
/// nothing of it, and neither does the identity by which caches know a set: its key lasts as long as the process.
#[derive(Clone, Default)]
pub struct CredentialSet {
    id: CredentialId,
    entries: Arc<Vec<Entry>>,
}

/// A set of credentials as caches know it, which holds nothing of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CredentialId([u8; 32]);

struct Entry {
    pattern: RegistryPattern,
    credential: Credential,
}

/// What is shown to a registry, or to who gives out its tokens. It is overwritten when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Credential {
    /// User and password.
    Basic {
        /// `user:password`.
        pair: Zeroizing<String>,
    },
    /// A token that is exchanged for others (OAuth2 `refresh_token`).
    Identity {
        /// The token.
        token: Zeroizing<String>,
    },
    /// A token that is shown as it is.
    Registry {
        /// The token.
        token: Zeroizing<String>,
    },
}

impl CredentialSet {
    /// Registries are asked as anybody may ask them.
    pub fn none() -> Self {
        Self::default()
    }

    /// Reads a Docker configuration: `{"auths": {"registry.example.com": {"auth": "…"}}}`, the content of a
    /// `config.json` and of Secrets of the type `kubernetes.io/dockerconfigjson`.
    ///
    /// # Errors
    /// [`DockerConfigError`], which holds nothing of what was read.
    pub fn of_docker_config(content: &[u8]) -> Result<Self, DockerConfigError> {
        docker_config::read(content).map(Self::new)
    }

    /// Reads a pull secret: a Docker configuration, or, where `is_bare`, what stands under its `auths`. As the kubelet does,
    /// which leaves out keys that are no registries and pulls nothing where an entry has another form.
    ///
    /// # Errors
    /// [`DockerConfigError`], which holds nothing of what was read.
    pub fn of_pull_secret(content: &[u8], is_bare: bool) -> Result<Self, DockerConfigError> {
        docker_config::read_secret(content, is_bare).map(Self::new)
    }

    /// The credentials of all, those of the first one first.
    #[must_use]
    pub fn joined(sets: &[Self]) -> Self {
        let mut with_some = sets.iter().filter(|set| !set.entries.is_empty());
        match (with_some.next(), with_some.next()) {
            (None, _) => Self::none(),
            (Some(one), None) => one.clone(),
            _ => Self::new(sets.iter().flat_map(|set| set.entries.iter()).map(Entry::copied).collect()),
        }
    }

    /// What of it may be shown for a repository, and nothing else: what is kept for as long as an answer is.
    #[must_use]
    pub fn narrowed(&self, registry: &str, repository: &str) -> Self {
        let fitting = self.fitting(registry, repository);
        Self::new(fitting.map(Entry::copied).collect())
    }

    /// How many credentials there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What caches know it by.
    pub(super) fn id(&self) -> CredentialId {
        self.id
    }

    /// About so many bytes does it hold.
    pub(super) fn bytes(&self) -> usize {
        let text = |entry: &Entry| match &entry.credential {
            Credential::Basic { pair: text }
            | Credential::Identity { token: text }
            | Credential::Registry { token: text } => text.len(),
        };
        self.entries.iter().map(text).fold(0, usize::saturating_add)
    }

    fn new(all: Vec<(RegistryPattern, Credential)>) -> Self {
        let mut entries: Vec<Entry> =
            all.into_iter().map(|(pattern, credential)| Entry { pattern, credential }).collect();
        // Stable: of two that are as exact the first one stays first.
        entries.sort_by_key(|entry| entry.pattern.exactness());
        if entries.is_empty() {
            return Self::default();
        }
        Self { id: CredentialId(identity(&entries)), entries: Arc::new(entries) }
    }

    /// What may be shown for a repository, the most exact first.
    pub(super) fn of(&self, registry: &str, repository: &str) -> Vec<Credential> {
        self.fitting(registry, repository).map(|entry| entry.credential.clone()).collect()
    }

    fn fitting<'a>(&'a self, registry: &'a str, repository: &'a str) -> impl Iterator<Item = &'a Entry> {
        let fits = move |entry: &&Entry| entry.pattern.matches(registry, repository);
        self.entries.iter().filter(fits).take(TRIED)
    }
}

impl Entry {
    fn copied(&self) -> (RegistryPattern, Credential) {
        (self.pattern.clone(), self.credential.clone())
    }
}

impl Credential {
    /// The value of `Authorization` for the registry itself or for who gives out tokens; None for a token that is
    /// exchanged.
    pub(super) fn authorization(&self) -> Option<Zeroizing<String>> {
        let value = match self {
            Self::Basic { pair } => format!("Basic {}", *Zeroizing::new(STANDARD.encode(&**pair))),
            Self::Registry { token } => format!("Bearer {}", **token),
            Self::Identity { .. } => return None,
        };
        Some(Zeroizing::new(value))
    }
}

/// A keyed hash of what the entries hold.
fn identity(entries: &[Entry]) -> [u8; 32] {
    static KEY: LazyLock<[u8; 32]> = LazyLock::new(|| {
        let mut key = [0; 32];
        // Without randomness the identity is still one, and it leaves the process nowhere.
        aws_lc_rs::rand::fill(&mut key).unwrap_or_default();
        key
    });
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(KEY.as_slice()) else { return [0; 32] };
    for entry in entries {
        let (kind, text) = match &entry.credential {
            Credential::Basic { pair } => ("basic", pair),
            Credential::Identity { token } => ("identity", token),
            Credential::Registry { token } => ("registry", token),
        };
        for part in [format!("{:?}", entry.pattern).as_str(), kind, text] {
            mac.update(part.as_bytes());
            mac.update(b"\0");
        }
    }
    mac.finalize().into_bytes().into()
}

impl fmt::Debug for CredentialSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.entries.is_empty() {
            "CredentialSet(none)"
        } else {
            "CredentialSet(***)"
        })
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

impl PartialEq for CredentialSet {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for CredentialSet {}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> CredentialSet {
        CredentialSet::of_docker_config(text.as_bytes()).unwrap()
    }

    fn pairs(set: &CredentialSet, registry: &str, repository: &str) -> Vec<String> {
        let pair = |credential: Credential| match credential {
            Credential::Basic { pair } => pair.to_string(),
            Credential::Identity { token } => format!("identity {}", *token),
            Credential::Registry { token } => format!("registry {}", *token),
        };
        set.of(registry, repository).into_iter().map(pair).collect()
    }

    #[test]
    fn the_most_exact_are_tried_and_no_others() {
        let auths: Vec<String> = ["*.io", "a.io/team/app", "a.io", "a.io/team", "b.io", "*.io/team"]
            .iter()
            .map(|key| format!(r#""{key}": {{"username": "{key}", "password": "p"}}"#))
            .collect();
        let set = set(&format!(r#"{{"auths": {{{}}}}}"#, auths.join(",")));
        assert_eq!(pairs(&set, "a.io", "team/app"), ["a.io/team/app:p", "a.io/team:p", "a.io:p"]);
        assert_eq!(pairs(&set, "a.io", "teams"), ["a.io:p", "*.io:p"]);
        assert!(pairs(&set, "a.io.attacker.com", "team").is_empty());
        assert!(pairs(&set, "a.io:5000", "team").is_empty());
    }

    #[test]
    fn sets_are_equal_where_what_they_hold_is() {
        let one = |password: &str| {
            set(&format!(r#"{{"auths": {{"a.io": {{"username": "u", "password": "{password}"}}}}}}"#))
        };
        assert_eq!(one("p"), one("p"));
        assert_ne!(one("p"), one("q"));
        assert_ne!(one("p"), CredentialSet::none());
        assert_eq!(set("{}"), CredentialSet::none());
        assert_eq!(CredentialSet::joined(&[one("p"), CredentialSet::none()]), one("p"));
        let joined = CredentialSet::joined(&[one("p"), CredentialSet::none(), one("q")]);
        assert_eq!(pairs(&joined, "a.io", "x"), ["u:p", "u:q"]);
    }

    #[test]
    fn a_key_holds_what_can_be_shown_there_and_nothing_else() {
        let auths = |hosts: &[&str]| {
            let auth = |host: &&str| format!(r#""{host}": {{"username": "{host}", "password": "p"}}"#);
            set(&format!(r#"{{"auths": {{{}}}}}"#, hosts.iter().map(auth).collect::<Vec<_>>().join(",")))
        };
        let all = auths(&["*.io", "a.io/team/app", "a.io", "a.io/team", "b.io", "*.io/team"]);
        let narrowed = all.narrowed("a.io", "team/app");
        assert_eq!(narrowed.len(), 3);
        assert_eq!(pairs(&narrowed, "a.io", "team/app"), pairs(&all, "a.io", "team/app"));
        assert_eq!(narrowed, auths(&["a.io/team/app", "a.io", "a.io/team"]));
        assert_eq!(all.narrowed("a.com", "x"), CredentialSet::none());
    }

    #[test]
    fn nothing_of_it_is_shown() {
        let set = set(r#"{"auths": {"a.io": {"username": "u", "password": "canary"}}}"#);
        let shown = format!("{set:?} {:?}", set.of("a.io", "x"));
        assert!(!shown.contains("canary") && shown.contains("***"), "{shown}");
    }
}
