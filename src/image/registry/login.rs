//! How a registry is shown who asks: Basic, or a token that somebody whom it names gives out.
//!
//! Source: github.com/distribution/distribution, docs/content/spec/auth/token.md and oauth.md.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex as Lock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::challenge::Challenge;
use super::instance::Instance;
use super::instances::{Scales, Weight};
use super::reply::of_transport;
use crate::image::credentials::Credential;
use crate::image::source::SourceError;
use crate::outbound::{Request, Response, Url};

/// Bytes of what gives out tokens.
const TOKEN_BYTES: u64 = 64 * 1024;
/// The longest token: servers take no longer headers.
const TOKEN: usize = 16 * 1024;

/// How long a token holds that does not say it.
const UNSAID: Duration = Duration::from_secs(60);
/// The longest that one is kept.
const LONGEST: Duration = Duration::from_secs(3600);
/// So long before its end a token is not shown any more.
const EARLY: Duration = Duration::from_secs(10);

/// Repositories for which something is known.
const KNOWN: usize = 256;
/// Bytes that each takes beside its name.
const BESIDE_NAME: usize = 256;

/// Who gives out the tokens of registries that everybody knows, where it is not the registry.
const TOKEN_HOSTS: [(&str, &str); 2] =
    [("registry-1.docker.io", "auth.docker.io"), ("registry.gitlab.com", "gitlab.com")];

type Slot = Arc<Mutex<Option<Shown>>>;

/// What was shown with success, by repository.
#[derive(Default)]
pub(super) struct Logins {
    slots: Lock<BTreeMap<String, (Slot, Weight)>>,
}

/// A value of `Authorization`, which is overwritten when it is dropped.
pub(super) struct Shown {
    pub(super) authorization: Zeroizing<String>,
    /// None: as long as it does.
    until: Option<Instant>,
    /// Where it is kept.
    _weight: Option<Weight>,
}

impl Shown {
    /// The value, while it holds.
    pub(super) fn fresh(&self) -> Option<Zeroizing<String>> {
        let holds = self.until.is_none_or(|until| Instant::now() < until);
        holds.then(|| self.authorization.clone())
    }

    /// The same, counted.
    pub(super) fn weighed(self, scales: &Scales) -> Self {
        Self { _weight: Some(scales.weigh(self.authorization.len())), ..self }
    }
}

impl Logins {
    /// What is known of a repository; whoever logs in holds it, so that others wait instead of asking too.
    pub(super) fn slot(&self, name: &str, scales: &Scales) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= KNOWN && !slots.contains_key(name) {
            slots.clear();
        }
        let make = || (Slot::default(), scales.weigh(name.len().saturating_add(BESIDE_NAME)));
        Arc::clone(&slots.entry(name.to_owned()).or_insert_with(make).0)
    }
}

#[derive(Deserialize)]
struct Given {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<u64>,
}

/// A way in: what is shown, or who gives a token for it.
pub(super) struct Way {
    credential: Option<Credential>,
    /// Who gives out tokens, and the service that is named to them. None: the credential is shown as it is.
    token_of: Option<(Url, Option<String>)>,
}

impl Instance {
    /// The ways in for a repository, in the order in which they are tried.
    pub(super) fn ways(&self, name: &str, challenges: &[Challenge]) -> Result<Vec<Way>, SourceError> {
        let credentials = self.credentials(name).into_iter();
        let is_shown = |credential: &Credential| !matches!(credential, Credential::Identity { .. });
        let as_it_is = |credential| Way { credential: Some(credential), token_of: None };
        let Some(bearer) = challenges.iter().find(|challenge| challenge.scheme == "bearer") else {
            let is_basic = challenges.iter().any(|challenge| challenge.scheme == "basic");
            return Ok(credentials.filter(|one| is_basic && is_shown(one)).map(as_it_is).collect());
        };
        let (realm, service) = self.realm(bearer)?;
        let by_token =
            |credential| Way { credential, token_of: Some((realm.clone(), service.map(str::to_owned))) };
        let way = |credential| match credential {
            Credential::Registry { .. } => as_it_is(credential),
            other => by_token(Some(other)),
        };
        let ways: Vec<Way> = credentials.map(way).collect();
        Ok(if ways.is_empty() { vec![by_token(None)] } else { ways })
    }

    /// What is shown on a way in.
    pub(super) async fn shown(&self, name: &str, way: &Way, until: Instant) -> Result<Shown, SourceError> {
        let credential = way.credential.as_ref();
        if let Some((realm, service)) = &way.token_of {
            return self.token(name, realm, service.as_deref(), credential, until).await;
        }
        let authorization = credential.and_then(Credential::authorization);
        let authorization = authorization.ok_or(SourceError::Unauthorized)?;
        Ok(Shown { authorization, until: None, _weight: None })
    }

    /// Who gives out tokens: the registry itself, or who is named for it. Nobody else is asked, and nothing is shown to
    /// them (Ratify, CVE-2025-27403).
    fn realm<'a>(&self, bearer: &'a Challenge) -> Result<(Url, Option<&'a str>), SourceError> {
        let said =
            bearer.parameters.get("realm").ok_or(SourceError::Corrupt("a challenge without a realm"))?;
        let realm =
            Url::parse(said).map_err(|_| SourceError::Corrupt("a challenge whose realm is no URL"))?;
        let (own, there) = (self.place.base.origin(), realm.origin());
        let is_listed = self.entry.token_hosts.iter().any(|host| host.matches_host(&there.authority()));
        let is_known = TOKEN_HOSTS.contains(&(own.host(), there.host())) && there.port() == 443;
        let is_own = own.host() == there.host() && own.port() == there.port();
        // Without TLS only where the registry has none either, on this machine.
        let is_safe = there.is_https() || (!own.is_https() && own.is_loopback() && there.is_loopback());
        if !is_safe || !(is_own || is_listed || is_known) {
            return Err(SourceError::TokenHost);
        }
        Ok((realm, bearer.parameters.get("service").map(String::as_str)))
    }

    /// Gets a token to pull from a repository. The scope is ours, whatever the challenge asks for.
    async fn token(
        &self,
        name: &str,
        realm: &Url,
        service: Option<&str>,
        credential: Option<&Credential>,
        until: Instant,
    ) -> Result<Shown, SourceError> {
        let scope = format!("repository:{}:pull", self.place.name(name));
        let mut form: Vec<(&str, &str)> = service.map(|service| ("service", service)).into_iter().collect();
        form.push(("scope", &scope));
        let response = if let Some(Credential::Identity { token }) = credential {
            form.extend([
                ("grant_type", "refresh_token"),
                ("client_id", "meshgate"),
                ("refresh_token", token),
            ]);
            let form = Bytes::from_owner(encoded(&form));
            let request = Request::post(realm, until.into_std(), form);
            let request = request
                .reaching(self.entry.reach)
                .header("content-type", "application/x-www-form-urlencoded");
            self.entry.client.send(request).await
        } else {
            let between = if realm.path().contains('?') { '&' } else { '?' };
            let url = realm.at(&format!("{}{between}{}", realm.path(), *encoded(&form)));
            let url = url.map_err(|_| SourceError::Corrupt("a challenge whose realm is no URL"))?;
            let mut request = Request::get(&url, until.into_std()).reaching(self.entry.reach);
            if let Some(authorization) = credential.and_then(Credential::authorization) {
                request = request.header("authorization", authorization.as_str());
            }
            self.entry.client.send(request).await
        };
        given(response.map_err(|error| of_transport(error, "bytes of a token"))?).await
    }
}

async fn given(response: Response) -> Result<Shown, SourceError> {
    match response.status {
        200 => {}
        400 | 401 | 403 | 404 => return Err(SourceError::Unauthorized),
        429 => return Err(SourceError::RateLimited { retry_after: None }),
        500..=599 => return Err(SourceError::Unavailable),
        _ => return Err(SourceError::Corrupt("a status that says nothing about a token")),
    }
    let body = response.body.read(TOKEN_BYTES).await;
    let body = body.map_err(|error| of_transport(error, "bytes of a token"))?;
    let corrupt = SourceError::Corrupt("what gives out its tokens gives none");
    let given: Given = serde_json::from_slice(&body).map_err(|_| corrupt.clone())?;
    let [token, other] = [given.token, given.access_token].map(|token| token.map(Zeroizing::new));
    let is_token = |token: &Zeroizing<String>| {
        (1..=TOKEN).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic())
    };
    let token = token.or(other).filter(is_token).ok_or(corrupt)?;
    let holds = given.expires_in.map_or(UNSAID, Duration::from_secs).min(LONGEST).saturating_sub(EARLY);
    let until = Instant::now().checked_add(holds);
    Ok(Shown { authorization: Zeroizing::new(format!("Bearer {}", *token)), until, _weight: None })
}

/// As a query and as a form (WHATWG URL, `application/x-www-form-urlencoded`). It is overwritten when it is dropped, and is
/// never moved while it grows.
fn encoded(pairs: &[(&str, &str)]) -> Zeroizing<String> {
    let length = |(name, value): &(&str, &str)| name.len().saturating_add(value.len()).saturating_add(1);
    let most = pairs.iter().map(length).fold(0_usize, usize::saturating_add).saturating_mul(3);
    let mut form = Zeroizing::new(String::with_capacity(most));
    for (name, value) in pairs {
        if !form.is_empty() {
            form.push('&');
        }
        escape(name, &mut form);
        form.push('=');
        escape(value, &mut form);
    }
    form
}

fn escape(text: &str, form: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            form.push(char::from(byte));
        } else {
            form.push_str(&format!("%{byte:02X}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_form_leads_out_of_it() {
        let pairs = [("service", "a b&c=d"), ("scope", "repository:a/b:pull")];
        assert_eq!(*encoded(&pairs), "service=a%20b%26c%3Dd&scope=repository%3Aa%2Fb%3Apull");
    }

    #[test]
    fn names_count_as_long_as_they_are_known() {
        let (logins, scales) = (Logins::default(), Scales::default());
        let name = |index: usize| format!("{index:0>244}");
        for index in 0..KNOWN {
            drop((logins.slot(&name(index), &scales), logins.slot(&name(0), &scales)));
        }
        assert_eq!(scales.held(), KNOWN * (244 + BESIDE_NAME));
        drop(logins.slot("more", &scales));
        assert_eq!(scales.held(), 4 + BESIDE_NAME);
        drop(logins);
        assert_eq!(scales.held(), 0);
    }
}
