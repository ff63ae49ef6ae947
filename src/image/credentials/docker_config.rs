//! Docker's configuration file, as far as it says who is who at which registry.
//!
//! Source: github.com/docker/cli, cli/config/types/authconfig.go; k8s.io/kubernetes, pkg/credentialprovider/config.go and
//! keyring.go (what becomes of an entry that can't be read).

use std::collections::BTreeMap;

use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine, alphabet};
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use super::Credential;
use crate::kubernetes::registry_pattern::RegistryPattern;

/// The largest file: a Secret has at most 1 MiB.
const BYTES: usize = 1 << 20;

/// Why a configuration can't be used. Nothing of its content is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DockerConfigError {
    /// Too large.
    #[error("a Docker configuration has at most 1 MiB")]
    TooLarge,
    /// Not the JSON that it should be; the line is given.
    #[error(
        "no Docker configuration: line {0} is not as in {{\"auths\": {{\"registry.example.com\": {{\"auth\": \"…\"}}}}}}"
    )]
    Format(usize),
    /// The name of a registry is none.
    #[error("`{0}` under auths is no registry; write host, or host/path")]
    Registry(String),
    /// `auth` can't be read.
    #[error("`auth` of {0} is not the base64 of user:password")]
    Auth(String),
    /// Programs that keep credentials.
    #[error("credsStore and credHelpers are not run; write the credentials out under auths")]
    Helpers,
}

/// As the kubelet reads `auth`: with padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

type Auths = BTreeMap<String, Auth>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    #[serde(default)]
    auths: Option<Auths>,
    #[serde(default)]
    creds_store: String,
    #[serde(default)]
    cred_helpers: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Auth {
    #[serde(default, deserialize_with = "text")]
    auth: Zeroizing<String>,
    #[serde(default, deserialize_with = "text")]
    username: Zeroizing<String>,
    #[serde(default, deserialize_with = "text")]
    password: Zeroizing<String>,
    #[serde(default, deserialize_with = "text")]
    identitytoken: Zeroizing<String>,
    #[serde(default, deserialize_with = "text")]
    registrytoken: Zeroizing<String>,
}

/// A text that is overwritten when it is dropped; null is none.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Zeroizing<String>, D::Error> {
    Option::<String>::deserialize(deserializer).map(|text| Zeroizing::new(text.unwrap_or_default()))
}

/// The credentials of a file that somebody wrote for this program: whatever can't be used of it is an error.
pub(super) fn read(content: &[u8]) -> Result<Vec<(RegistryPattern, Credential)>, DockerConfigError> {
    let file: File = parsed(content)?;
    if !file.creds_store.is_empty() || !file.cred_helpers.is_empty() {
        return Err(DockerConfigError::Helpers);
    }
    let mut all = Vec::new();
    for (key, auth) in file.auths.unwrap_or_default() {
        let pattern = pattern(&key)?;
        if let Some(credential) = auth.credential(&key)? {
            all.push((pattern, credential));
        }
    }
    Ok(all)
}

/// Those of a pull secret, as the kubelet takes them: a key that names no registry is left out, and the rest counts. An
/// entry of another form than it should have makes all of it one that can't be used; the kubelet does not even pull then.
/// Helpers are not looked at. `is_bare`: without `auths` around them.
pub(super) fn read_secret(
    content: &[u8],
    is_bare: bool,
) -> Result<Vec<(RegistryPattern, Credential)>, DockerConfigError> {
    let auths = if is_bare { parsed(content)? } else { parsed::<File>(content)?.auths.unwrap_or_default() };
    let mut all = Vec::new();
    for (key, auth) in auths {
        let credential = auth.credential(&key)?;
        all.extend(pattern(&key).ok().zip(credential));
    }
    Ok(all)
}

fn parsed<T: for<'de> Deserialize<'de>>(content: &[u8]) -> Result<T, DockerConfigError> {
    if content.len() > BYTES {
        return Err(DockerConfigError::TooLarge);
    }
    // The parser's message could quote what it read.
    serde_json::from_slice(content).map_err(|error| DockerConfigError::Format(error.line()))
}

fn pattern(key: &str) -> Result<RegistryPattern, DockerConfigError> {
    RegistryPattern::parse(&registry(key)).map_err(|_| DockerConfigError::Registry(key.to_owned()))
}

/// A key without what Docker and its users write around a registry.
fn registry(key: &str) -> String {
    let key = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let key = key.trim_end_matches('/');
    // `https://index.docker.io/v1/` is Docker Hub's, and others have been written like it.
    key.strip_suffix("/v1").or_else(|| key.strip_suffix("/v2")).unwrap_or(key).to_owned()
}

impl Auth {
    /// None where an entry is there and says nothing, as `docker login` with a helper leaves it.
    fn credential(self, key: &str) -> Result<Option<Credential>, DockerConfigError> {
        if !self.registrytoken.is_empty() {
            return Ok(Some(Credential::Registry { token: self.registrytoken }));
        }
        if !self.identitytoken.is_empty() {
            return Ok(Some(Credential::Identity { token: self.identitytoken }));
        }
        if !self.auth.is_empty() {
            let wrong = || DockerConfigError::Auth(key.to_owned());
            let bytes = BASE64.decode(self.auth.trim()).map(Zeroizing::new).map_err(|_| wrong())?;
            let pair = std::str::from_utf8(&bytes).map_err(|_| wrong())?;
            // Some versions of Docker wrote bytes of zero behind the password.
            let pair = Zeroizing::new(pair.trim_end_matches('\0').to_owned());
            return if pair.contains(':') { Ok(Some(Credential::Basic { pair })) } else { Err(wrong()) };
        }
        if self.username.is_empty() && self.password.is_empty() {
            return Ok(None);
        }
        Ok(Some(Credential::Basic { pair: Zeroizing::new(format!("{}:{}", *self.username, *self.password)) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> DockerConfigError {
        read(text.as_bytes()).map(|all| all.len()).unwrap_err()
    }

    #[test]
    fn every_form_of_a_credential_is_read() {
        let text = r#"{"auths": {
            "https://index.docker.io/v1/": {"auth": "dTpwOnA="},
            "a.io": {"username": "u", "password": "p", "email": "ignored"},
            "b.io/team/": {"identitytoken": "i", "auth": "dTpw"},
            "http://c.io:5000/v2/": {"registrytoken": "r"},
            "d.io": {},
            "e.io": {"auth": "dTpw\n", "username": null},
            "f.io": {"auth": "dTpxcQ"}
        }, "HttpHeaders": {}}"#;
        let all = read(text.as_bytes()).unwrap();
        let of = |registry: &str, repository: &str| {
            let found: Vec<_> =
                all.iter().filter(|(pattern, _)| pattern.matches(registry, repository)).collect();
            assert!(found.len() <= 1);
            found.first().map(|(_, credential)| credential.clone())
        };
        let basic = |pair: &str| Some(Credential::Basic { pair: pair.to_owned().into() });
        assert_eq!(of("docker.io", "library/nginx"), basic("u:p:p"));
        assert_eq!(of("a.io", "x"), basic("u:p"));
        assert_eq!(of("b.io", "team/x"), Some(Credential::Identity { token: "i".to_owned().into() }));
        assert_eq!(of("b.io", "x"), None);
        assert_eq!(of("c.io:5000", "x"), Some(Credential::Registry { token: "r".to_owned().into() }));
        assert_eq!(of("d.io", "x"), None);
        assert_eq!(of("e.io", "x"), basic("u:p"));
        assert_eq!(of("f.io", "x"), basic("u:qq"));
    }

    #[test]
    fn what_cannot_be_read_is_an_error_that_holds_nothing_of_it() {
        let canary = "canary";
        for (text, expected) in [
            (
                format!("{{\"auths\":\n {{\"a.io\": {{\"password\": [\"{canary}\"]}}}}}}"),
                DockerConfigError::Format(2),
            ),
            (
                format!("{{\"auths\": {{\"a.io\": {{\"auth\": \"{canary}!\"}}}}}}"),
                DockerConfigError::Auth("a.io".to_owned()),
            ),
            (
                "{\"auths\": {\"a.io\": {\"auth\": \"dQ==\"}}}".to_owned(),
                DockerConfigError::Auth("a.io".to_owned()),
            ),
            ("{\"auths\": {\"a b\": {}}}".to_owned(), DockerConfigError::Registry("a b".to_owned())),
            ("{\"credsStore\": \"pass\"}".to_owned(), DockerConfigError::Helpers),
            ("{\"credHelpers\": {\"a.io\": \"x\"}}".to_owned(), DockerConfigError::Helpers),
            ("x".repeat(BYTES + 1), DockerConfigError::TooLarge),
        ] {
            let refused = refused(&text);
            assert_eq!(refused, expected);
            assert!(!refused.to_string().contains(canary));
        }
    }

    /// What the kubelet makes of each: by the keys that count, or nothing where it does not pull.
    #[test]
    fn of_a_pull_secret_counts_what_the_kubelet_takes() {
        let of = |text: &str| {
            let all = read_secret(text.as_bytes(), false).ok()?;
            Some(all.iter().filter(|(pattern, _)| pattern.matches_host("a.io")).count() * 10 + all.len())
        };
        let good = r#""a.io": {"auth": "dTpw"}"#;
        for (bad, expected) in [
            (r#""b.io": {"auth": "dTpw"}"#, Some(12)),
            // Keys that are no registries.
            (r#""a b": {"auth": "dTpw"}"#, Some(11)),
            (r#""": {"auth": "dTpw"}"#, Some(11)),
            (r#""https://": {"auth": "dTpw"}"#, Some(11)),
            (r#""http://a%zz.io": {"username": "u", "password": "p"}"#, Some(11)),
            (r#""b.io": {}"#, Some(11)),
            // Entries of another form.
            (r#""b.io": {"auth": "dTpw!"}"#, None),
            (r#""b.io": {"auth": "dQ=="}"#, None),
            (r#""a b": {"auth": "dQ=="}"#, None),
            (r#""b.io": {"password": 1}"#, None),
            (r#""b.io": "dTpw""#, None),
        ] {
            assert_eq!(of(&format!(r#"{{"auths": {{{bad}, {good}}}}}"#)), expected, "{bad}");
            let bare = read_secret(format!("{{{bad}, {good}}}").as_bytes(), true);
            assert_eq!(bare.ok().map(|all| all.len()), expected.map(|found| found % 10), "{bad}");
        }
        assert_eq!(
            of(&format!(r#"{{"auths": {{{good}}}, "credsStore": "x", "credHelpers": {{"a.io": "x"}}}}"#)),
            Some(11)
        );
        assert_eq!(of(r#"{"auths": null}"#), Some(0));
        assert_eq!(of("{}"), Some(0));
        assert_eq!(of("1"), None);
    }
}
