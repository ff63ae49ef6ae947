//! Docker's configuration file, as far as it says who is who at which registry.
//!
//! Source: github.com/docker/cli, cli/config/types/authconfig.go; k8s.io/kubernetes, pkg/credentialprovider/config.go.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    #[serde(default)]
    auths: BTreeMap<String, Auth>,
    #[serde(default)]
    creds_store: String,
    #[serde(default)]
    cred_helpers: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Auth {
    #[serde(default)]
    auth: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    identitytoken: String,
    #[serde(default)]
    registrytoken: String,
}

/// The credentials of a file.
pub(super) fn read(content: &[u8]) -> Result<Vec<(RegistryPattern, Credential)>, DockerConfigError> {
    if content.len() > BYTES {
        return Err(DockerConfigError::TooLarge);
    }
    // The parser's message could quote what it read.
    let file: File =
        serde_json::from_slice(content).map_err(|error| DockerConfigError::Format(error.line()))?;
    if !file.creds_store.is_empty() || !file.cred_helpers.is_empty() {
        return Err(DockerConfigError::Helpers);
    }
    let mut all = Vec::new();
    for (key, auth) in file.auths {
        let pattern =
            RegistryPattern::parse(&registry(&key)).map_err(|_| DockerConfigError::Registry(key.clone()))?;
        if let Some(credential) = auth.credential(&key)? {
            all.push((pattern, credential));
        }
    }
    Ok(all)
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
            let bytes = STANDARD.decode(self.auth.trim()).map_err(|_| wrong())?;
            let pair = String::from_utf8(bytes).map_err(|_| wrong())?;
            // Some versions of Docker wrote bytes of zero behind the password.
            let pair = pair.trim_end_matches('\0').to_owned();
            return if pair.contains(':') { Ok(Some(Credential::Basic { pair })) } else { Err(wrong()) };
        }
        if self.username.is_empty() && self.password.is_empty() {
            return Ok(None);
        }
        Ok(Some(Credential::Basic { pair: format!("{}:{}", self.username, self.password) }))
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
            "d.io": {}
        }, "HttpHeaders": {}}"#;
        let all = read(text.as_bytes()).unwrap();
        let of = |registry: &str, repository: &str| {
            let found: Vec<_> =
                all.iter().filter(|(pattern, _)| pattern.matches(registry, repository)).collect();
            assert!(found.len() <= 1);
            found.first().map(|(_, credential)| credential.clone())
        };
        let basic = |pair: &str| Some(Credential::Basic { pair: pair.to_owned() });
        assert_eq!(of("docker.io", "library/nginx"), basic("u:p:p"));
        assert_eq!(of("a.io", "x"), basic("u:p"));
        assert_eq!(of("b.io", "team/x"), Some(Credential::Identity { token: "i".to_owned() }));
        assert_eq!(of("b.io", "x"), None);
        assert_eq!(of("c.io:5000", "x"), Some(Credential::Registry { token: "r".to_owned() }));
        assert_eq!(of("d.io", "x"), None);
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
}
