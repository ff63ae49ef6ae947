//! One registry, asked on behalf of one set of credentials.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, timeout_at};

use super::challenge::challenges;
use super::document::{ACCEPT, Blob, Descriptor, Document};
use super::gate::Gates;
use super::instances::{Scales, Weight};
use super::login::{Logins, Shown};
use super::referrers::referrers;
use super::reply::{ERROR_BYTES, Reply, of_transport};
use super::{Entry, Holder, RegistryPattern};
use crate::image::credentials::CredentialSet;
use crate::image::digest::Digest;
use crate::image::source::{Answer, SourceError};
use crate::outbound::{OutboundError, Reach, Request, Url};

/// Bytes of a manifest or an index: what OCI asks registries to take.
pub(in crate::image) const MANIFEST_BYTES: u64 = 4 << 20;

/// How often one is sent on to get a blob.
const REDIRECTS: usize = 3;

/// Docker Hub as it is written, and where it answers.
const HUB: (&str, &str) = ("docker.io", "registry-1.docker.io");

/// Where a registry answers.
pub(super) struct Place {
    pub(super) base: Url,
    /// Before the names of repositories, where a mirror holds those of several registries.
    prefix: String,
    /// The name under which credentials for it are kept.
    authority: String,
}

/// A registry, and what may be shown to it.
pub(in crate::image) struct Instance {
    pub(super) entry: Arc<Entry>,
    pub(super) place: Place,
    pub(super) credentials: CredentialSet,
    gates: Arc<Gates>,
    logins: Logins,
    scales: Scales,
    /// Of the credentials.
    _weight: Weight,
}

/// What is asked for.
pub(super) struct Ask<'a> {
    /// The repository.
    pub(super) name: &'a str,
    /// Behind the repository: `manifests/latest`.
    pub(super) path: &'a str,
    /// A query and the rest, where a registry said what to ask for next.
    pub(super) url: Option<&'a Url>,
    pub(super) accept: Option<&'static str>,
    pub(super) bytes: u64,
    /// What is said where there are more.
    pub(super) limit: &'static str,
}

/// A manifest or an index, as it is.
pub(in crate::image) struct Manifest {
    /// Of its bytes.
    pub(in crate::image) digest: Digest,
    pub(in crate::image) document: Document,
    pub(in crate::image) bytes: Bytes,
}

impl Place {
    /// A mirror: its path stands before the names of repositories.
    pub(super) fn of_endpoint(endpoint: &Url) -> Self {
        let prefix = endpoint.path().trim_matches('/');
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Self { authority: endpoint.origin().authority(), prefix, base: endpoint.clone() }
    }

    /// The registry itself. `plaintext`: None where that is what this machine speaks.
    pub(super) fn of_registry(registry: &str, plaintext: Option<bool>) -> Option<Self> {
        let host = if registry == HUB.0 { HUB.1 } else { registry };
        let https = Url::parse(&format!("https://{host}/")).ok()?;
        let base = if plaintext.unwrap_or_else(|| https.origin().is_loopback()) {
            Url::parse(&format!("http://{host}/")).ok()?
        } else {
            https
        };
        Some(Self { base, prefix: String::new(), authority: registry.to_owned() })
    }

    /// What of a set is for a repository, under the name that it has there.
    pub(super) fn shown(&self, who: &CredentialSet, name: &str) -> CredentialSet {
        who.narrowed(&self.authority, &self.name(name))
    }

    /// The repository as it is called there.
    pub(super) fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

impl Instance {
    pub(super) fn new(
        entry: Arc<Entry>,
        place: Place,
        credentials: CredentialSet,
        gates: Arc<Gates>,
        scales: Scales,
    ) -> Self {
        // What is said in the open stays on this machine.
        let is_safe = place.base.origin().is_https() || place.base.origin().is_loopback();
        let credentials = if is_safe { credentials } else { CredentialSet::none() };
        let weight = scales.weigh(credentials.bytes());
        Self { entry, place, credentials, gates, logins: Logins::default(), scales, _weight: weight }
    }

    /// What may be shown for a repository.
    pub(super) fn credentials(&self, name: &str) -> Vec<crate::image::credentials::Credential> {
        self.credentials.of(&self.place.authority, &self.place.name(name))
    }

    /// The manifest or the index under a tag or a digest.
    async fn document(&self, name: &str, reference: &str, until: Instant) -> Result<Manifest, SourceError> {
        let path = format!("manifests/{reference}");
        let (bytes, limit) = (MANIFEST_BYTES, "bytes of a manifest");
        let ask = Ask { name, path: &path, url: None, accept: Some(ACCEPT), bytes, limit };
        let reply = self.ask(&ask, until).await?.found()?;
        let digest = Digest::of(&reply.body);
        let asked = reference.parse::<Digest>().ok();
        let said = reply.digest.as_deref().and_then(|text| text.parse::<Digest>().ok());
        if asked.or(said).is_some_and(|expected| expected != digest)
            || said.is_some_and(|said| said != digest)
        {
            return Err(SourceError::Corrupt("a manifest with another digest"));
        }
        let document = Document::read(reply.content_type.as_deref(), &reply.body)?;
        Ok(Manifest { digest, document, bytes: reply.body })
    }

    /// The bytes that a document names, where they are at most so many.
    async fn bytes(
        &self,
        name: &str,
        Blob { digest, size }: Blob,
        most: u64,
        until: Instant,
    ) -> Result<Bytes, SourceError> {
        let limit = "bytes of a piece of evidence";
        if size > most {
            return Err(SourceError::Limit(limit));
        }
        let path = format!("blobs/{digest}");
        let ask = Ask { name, path: &path, url: None, accept: None, bytes: size, limit };
        let mut reply = self.ask(&ask, until).await?;
        let mut at = self.url(&ask)?;
        for _ in 0..REDIRECTS {
            let Some(location) = reply.location.as_deref().filter(|_| (300..=399).contains(&reply.status))
            else {
                break;
            };
            let is_private = reply.is_private;
            at = at.join(location).map_err(|_| SourceError::Corrupt("a redirect to what is no URL"))?;
            reply = self.follow(&ask, &at, is_private, until).await?;
        }
        if (300..=399).contains(&reply.status) {
            return Err(SourceError::Limit("redirects"));
        }
        let body = reply.found()?.body;
        if Digest::of(&body) != digest {
            return Err(SourceError::Corrupt("a blob with another digest"));
        }
        Ok(body)
    }

    /// Asks where a registry sent to. Nothing is shown there but to the registry itself, which was shown it before.
    async fn follow(
        &self,
        ask: &Ask<'_>,
        at: &Url,
        is_private: bool,
        until: Instant,
    ) -> Result<Reply, SourceError> {
        let (own, there) = (self.place.base.origin(), at.origin());
        if own == there {
            let ask = Ask { url: Some(at), ..*ask };
            return self.ask(&ask, until).await;
        }
        if !there.is_https() {
            return Err(SourceError::Corrupt("a redirect to a place without TLS"));
        }
        let named = |pattern: &RegistryPattern| pattern.matches_host(&there.authority());
        let reach = if self.entry.redirect_hosts.iter().any(named) {
            Reach::Any
        } else if is_private || there.host() == own.host() {
            self.entry.reach
        } else {
            Reach::Public
        };
        let _pass = self.gates.pass(&self.place.authority, until).await?;
        match self.send(at, ask, None, reach, until).await {
            Err(SourceError::Transport(_)) if self.entry.reach == Reach::Public => {
                Err(SourceError::Unreachable)
            }
            Err(SourceError::Transport(OutboundError::Address)) => Err(SourceError::Corrupt(
                "a redirect to a private address; name its host in `redirectHosts` if it is meant",
            )),
            answer => answer,
        }
    }

    /// Asks, and once more where the registry fails and half of the time is left.
    pub(super) async fn ask(&self, ask: &Ask<'_>, until: Instant) -> Result<Reply, SourceError> {
        let _pass = self.gates.pass(&self.place.authority, until).await?;
        let half = until.saturating_duration_since(Instant::now()).checked_div(2).unwrap_or(Duration::ZERO);
        let answer = self.exchange(ask, until).await;
        let again = match &answer {
            Ok(reply) => (500..=599).contains(&reply.status) && reply.status != 501,
            Err(SourceError::Transport(why)) => {
                matches!(why, OutboundError::Unreachable(_) | OutboundError::Broken)
            }
            Err(_) => false,
        };
        let answer = if again && until.saturating_duration_since(Instant::now()) > half {
            self.exchange(ask, until).await
        } else {
            answer
        };
        match answer {
            // Who names the host learns nothing of the network from it.
            Err(SourceError::Transport(_)) if self.entry.reach == Reach::Public => {
                Err(SourceError::Unreachable)
            }
            answer => answer,
        }
    }

    /// Asks as is known to do, and logs in where that is asked for: once.
    async fn exchange(&self, ask: &Ask<'_>, until: Instant) -> Result<Reply, SourceError> {
        let url = self.url(ask)?;
        let slot = self.logins.slot(ask.name, &self.scales);
        let used = locked(&slot, until).await?.as_ref().and_then(Shown::fresh);
        let mut reply =
            self.send(&url, ask, used.as_deref().map(String::as_str), self.entry.reach, until).await?;
        if reply.status == 403 && used.is_some() {
            // What was enough before is so no more: as at the beginning.
            reply = self.send(&url, ask, None, self.entry.reach, until).await?;
        }
        if reply.status != 401 {
            return Ok(reply);
        }
        let mut shown = locked(&slot, until).await?;
        // Somebody may have logged in meanwhile.
        let newer = shown.as_ref().and_then(Shown::fresh).filter(|newer| Some(newer) != used.as_ref());
        if let Some(newer) = newer {
            return self.send(&url, ask, Some(&newer), self.entry.reach, until).await;
        }
        *shown = None;
        let offered = challenges(reply.challenges.iter().map(String::as_str));
        for way in self.ways(ask.name, &offered)? {
            let offer = match self.shown(ask.name, &way, until).await {
                Err(SourceError::Unauthorized) => continue,
                offer => offer?,
            };
            let reply = self.send(&url, ask, Some(&offer.authorization), self.entry.reach, until).await?;
            // Some give a token to whoever asks: what it is worth the registry says, and it may be another one's.
            if !matches!(reply.status, 401 | 403) {
                *shown = Some(offer.weighed(&self.scales));
                return Ok(reply);
            }
        }
        Err(SourceError::Unauthorized)
    }

    async fn send(
        &self,
        url: &Url,
        ask: &Ask<'_>,
        authorization: Option<&str>,
        reach: Reach,
        until: Instant,
    ) -> Result<Reply, SourceError> {
        let mut request = Request::get(url, until.into_std()).reaching(reach);
        request = request.header("accept-encoding", "identity");
        if let Some(accept) = ask.accept {
            request = request.header("accept", accept);
        }
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let sent = self.entry.client.send(request).await;
        let response = sent.map_err(|error| of_transport(error, ask.limit))?;
        let header = |name: &str| response.header(name).map(str::to_owned);
        let mut reply = Reply {
            status: response.status,
            content_type: header("content-type"),
            digest: header("docker-content-digest"),
            links: response.headers("link").map(str::to_owned).collect(),
            challenges: response.headers("www-authenticate").map(str::to_owned).collect(),
            retry_after: header("retry-after"),
            location: header("location"),
            is_private: response.is_private,
            body: Bytes::new(),
        };
        let is_found = reply.status == 200;
        let read = response.body.read(if is_found { ask.bytes } else { ERROR_BYTES }).await;
        match read {
            Ok(body) => reply.body = body,
            // What an error says at length is of no use.
            Err(OutboundError::Limit { .. }) if !is_found => {}
            Err(error) => return Err(of_transport(error, ask.limit)),
        }
        Ok(reply)
    }

    pub(super) fn url(&self, ask: &Ask<'_>) -> Result<Url, SourceError> {
        if let Some(url) = ask.url {
            return Ok(url.clone());
        }
        let path = format!("/v2/{}/{}", self.place.name(ask.name), ask.path);
        // The parts are of the grammar of references: none of them leads elsewhere (R16).
        self.place.base.at(&path).map_err(|_| SourceError::Corrupt("a name that makes no URL"))
    }
}

impl Holder for Instance {
    fn manifest<'a>(&'a self, name: &'a str, reference: &'a str, until: Instant) -> Answer<'a, Manifest> {
        Box::pin(self.document(name, reference, until))
    }

    fn blob<'a>(&'a self, name: &'a str, blob: Blob, most: u64, until: Instant) -> Answer<'a, Bytes> {
        Box::pin(self.bytes(name, blob, most, until))
    }

    fn referrers<'a>(
        &'a self,
        name: &'a str,
        digest: &'a Digest,
        until: Instant,
    ) -> Answer<'a, Vec<Descriptor>> {
        Box::pin(referrers(self, name, digest, until))
    }
}

async fn locked(
    slot: &Mutex<Option<Shown>>,
    until: Instant,
) -> Result<MutexGuard<'_, Option<Shown>>, SourceError> {
    timeout_at(until, slot.lock()).await.map_err(|_| SourceError::Deadline)
}
