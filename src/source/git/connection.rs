//! One conversation with a repository: what a reference names, or a pack. Bounded in time and in what it writes.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use gix::bstr::ByteSlice;
use gix::progress::Discard;
use gix::protocol::handshake::Ref;
use gix::remote::Direction;
use gix::remote::fetch::{Shallow, Tags};
use gix_transport::Protocol;
use gix_transport::client::blocking_io::{Transport, connect, http};

use super::cache::{Cache, size};
use super::http::{Failure, GitHttp, PACK_BYTES};
use super::{Found, GitSource, PATIENCE, Reference};
use crate::source::refusal::{Reason, Refusal};
use crate::source::trust::ObjectHash;

/// Between looks at how much was written.
const LOOK: Duration = Duration::from_millis(20);

/// How much longer than a fetch one request may take.
const GRACE: Duration = Duration::from_secs(2);

/// Who is talked to, and where what it brings is kept.
pub(super) struct Connection<'a> {
    source: &'a GitSource,
    cache: &'a Cache,
    failure: Arc<Mutex<Option<Failure>>>,
}

/// What is to be fetched.
pub(super) struct Wanted<'a> {
    /// A commit.
    pub(super) id: &'a str,
    /// Under which name it is kept.
    pub(super) name: &'a str,
    /// Whether without what comes before it.
    pub(super) is_alone: bool,
}

/// How much of an error is told.
const SAID: usize = 500;

/// What servers say of an object that they do not have, or do not give away: git (`upload-pack.c`) and JGit
/// (`JGitText.properties`, `wantNotValid`).
const MISSING: [&str; 2] = ["not our ref", " not valid"];

type Boxed = Box<dyn Transport + Send>;

impl<'a> Connection<'a> {
    pub(super) fn new(source: &'a GitSource, cache: &'a Cache) -> Self {
        Self { source, cache, failure: Arc::default() }
    }

    /// The commit that the reference names.
    pub(super) fn head(&self) -> Result<String, Found> {
        let name = match &self.source.reference {
            Reference::Branch(name) => format!("refs/heads/{name}"),
            Reference::Tag(name) => format!("refs/tags/{name}"),
            Reference::Commit(id) => return Ok(id.clone()),
        };
        let remote = self.remote(&name).map_err(|error| self.failed(&error))?;
        let transport = self.transport().map_err(|error| self.failed(&error))?;
        let connection = remote.to_connection_with_transport(transport).with_credentials(|_| Ok(None));
        let (map, _) =
            connection.ref_map(Discard, Default::default()).map_err(|error| self.failed(&error))?;
        let hash = match map.object_hash {
            gix::hash::Kind::Sha256 => ObjectHash::Sha256,
            _ => ObjectHash::Sha1,
        };
        if hash != self.cache.hash() {
            return Err(Found::OtherHash(hash));
        }
        let named = |one: &&Ref| one.unpack().0 == name.as_bytes().as_bstr();
        let target = map.remote_refs.iter().find(named).and_then(|one| {
            let (_, target, peeled) = one.unpack();
            peeled.or(target)
        });
        target.map(|id| id.to_hex().to_string()).ok_or_else(|| {
            let message = format!(
                "{}: there is no {name}; check source.git.branch and source.git.tag",
                self.source.url
            );
            Found::Refused(Refusal::new(Reason::Fetch, message))
        })
    }

    /// Brings a commit.
    pub(super) fn fetch(&self, wanted: &Wanted<'_>) -> Result<(), Found> {
        let watch = Watch::start(self.cache.packs());
        let fetched = self.receive(wanted, &watch.ended);
        match watch.stop() {
            Some(why) => Err(self.refused(&why)),
            None => fetched.map_err(|error| self.failed(&error)),
        }
    }

    fn receive(&self, wanted: &Wanted<'_>, ended: &AtomicBool) -> gix::Result<()> {
        let spec = format!("+{}:refs/meshgate/{}", wanted.id, wanted.name);
        let remote = self.remote(&spec)?;
        let connection =
            remote.to_connection_with_transport(self.transport()?).with_credentials(|_| Ok(None));
        let depth = if wanted.is_alone {
            Shallow::DepthAtRemote(std::num::NonZeroU32::MIN)
        } else {
            Shallow::NoChange
        };
        connection.prepare_fetch(Discard, Default::default())?.with_shallow(depth).receive(Discard, ended)?;
        Ok(())
    }

    fn remote(&self, spec: &str) -> gix::Result<gix::Remote<'a>> {
        let remote = self.cache.repository().remote_at_without_url_rewrite(self.source.url.as_str())?;
        remote.with_fetch_tags(Tags::None).with_refspecs([spec], Direction::Fetch)
    }

    /// Our own client for http and https; gix's own ways for a daemon, and for a directory.
    fn transport(&self) -> gix::Result<Boxed> {
        let url = gix::url::parse(self.source.url.as_str())?;
        let Some(client) = self.source.client.as_ref().filter(|_| self.source.url.starts_with("http")) else {
            let options = connect::Options { version: Protocol::V2, ..connect::Options::default() };
            return connect::connect(url, options);
        };
        let client = GitHttp {
            client: client.clone(),
            credentials: self.source.credentials.clone(),
            // The watch comes first, and says what is to be done.
            until: Instant::now().checked_add(PATIENCE.saturating_add(GRACE)).unwrap_or_else(Instant::now),
            failure: Arc::clone(&self.failure),
            redirected: None,
        };
        Ok(Box::new(http::Transport::new_http(client, url, Protocol::V2, false)))
    }

    /// What went wrong: in our own words where we know it.
    fn failed(&self, error: &gix::Error) -> Found {
        let known = self.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Failure { message, retry_after }) = known else {
            let message = said(&self.source.url, error);
            let is_missing = MISSING.iter().any(|words| message.contains(words));
            let refusal = Refusal::new(Reason::Fetch, message);
            return if is_missing { Found::Missing(refusal) } else { Found::Odd(refusal) };
        };
        Found::Refused(Refusal { retry_after, ..Refusal::new(Reason::Fetch, message) })
    }

    fn refused(&self, why: &str) -> Found {
        Found::Refused(Refusal::new(Reason::Fetch, format!("{}: {why}", self.source.url)))
    }
}

/// An error of gix with its causes, in one line.
fn said(url: &str, error: &gix::Error) -> String {
    let mut causes = vec![error.to_string()];
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        causes.push(cause.to_string());
        source = cause.source();
    }
    let words = causes.iter().map(|cause| cause.split_whitespace().collect::<Vec<_>>().join(" "));
    let mut lines: Vec<String> = words.collect();
    lines.dedup();
    let text: String = lines.join(": ").chars().take(SAID).collect();
    format!("{url}: {text}; check source.git.url")
}

/// Ends a fetch that takes too long or brings too much.
struct Watch {
    ended: Arc<AtomicBool>,
    done: Arc<AtomicBool>,
    thread: Option<JoinHandle<Option<String>>>,
}

impl Watch {
    fn start(packs: PathBuf) -> Self {
        let (ended, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let before = size(&packs);
        let watch = {
            let (ended, done, began) = (Arc::clone(&ended), Arc::clone(&done), Instant::now());
            move || {
                while !done.load(Ordering::SeqCst) {
                    let why = if began.elapsed() > PATIENCE {
                        format!(
                            "the fetch takes longer than {} s; make the repository smaller",
                            PATIENCE.as_secs()
                        )
                    } else if size(&packs).saturating_sub(before) > PACK_BYTES {
                        format!(
                            "the pack is larger than {} MiB; large objects don't belong among policies",
                            PACK_BYTES >> 20
                        )
                    } else {
                        thread::sleep(LOOK);
                        continue;
                    };
                    ended.store(true, Ordering::SeqCst);
                    return Some(why);
                }
                None
            }
        };
        // Without a thread there is no limit but that of the transport.
        let thread = thread::Builder::new().name("fetch".to_owned()).spawn(watch).ok();
        Self { ended, done, thread }
    }

    /// Why it ended the fetch, if it did.
    fn stop(mut self) -> Option<String> {
        self.done.store(true, Ordering::SeqCst);
        self.thread.take().and_then(|thread| thread.join().ok()).flatten()
    }
}
