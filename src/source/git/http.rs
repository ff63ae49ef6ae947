//! Git's HTTP over our own client: its limits, its authorities, its proxy, and credentials that are read anew for each
//! request and go to the configured host only.

use std::any::Any;
use std::io::{self, BufRead, BufReader, Cursor, Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gix_transport::client::blocking_io::http::{GetResponse, Http, PostBodyDataKind, PostResponse};
use zeroize::Zeroizing;

use crate::outbound::{Blocking, BlockingResponse, OutboundError, Request, Url};

/// The largest answer: a pack.
pub(super) const PACK_BYTES: u64 = 64 << 20;

/// The largest request: what is there already of a history.
const REQUEST_BYTES: usize = 4 << 20;

/// How often a server may lead elsewhere.
const REDIRECTS: usize = 3;

/// With which right a repository is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// A user, and a file with a password or a token.
    Basic {
        /// The user's name.
        username: String,
        /// The file.
        file: PathBuf,
    },
    /// A file with a bearer token.
    Bearer(PathBuf),
}

/// What went wrong with the last exchange, in our own words.
#[derive(Clone, Debug, Default)]
pub(super) struct Failure {
    pub(super) message: String,
    pub(super) retry_after: Option<Duration>,
}

/// The client for one operation.
pub(super) struct GitHttp {
    pub(super) client: Blocking,
    pub(super) credentials: Option<Credentials>,
    pub(super) until: Instant,
    pub(super) failure: Arc<Mutex<Option<Failure>>>,
    pub(super) redirected: Option<String>,
}

/// A request that is sent when its answer is first wanted: by then all of it is written.
struct Exchange {
    client: Blocking,
    url: String,
    /// Overwritten when they are dropped: one may be a credential.
    headers: Vec<(&'static str, Zeroizing<String>)>,
    until: Instant,
    body: Arc<Mutex<Vec<u8>>>,
    failure: Arc<Mutex<Option<Failure>>>,
    answer: Option<BlockingResponse>,
    is_sent: bool,
}

/// The headers of an answer, of which git looks at one.
pub(super) struct Headers(Arc<Mutex<Exchange>>, Option<Cursor<Vec<u8>>>);

/// The body of an answer.
pub(super) struct Answer(Arc<Mutex<Exchange>>);

/// The body of a request.
pub(super) struct Question(Arc<Mutex<Vec<u8>>>);

impl GitHttp {
    fn exchange(&self, url: &str, headers: Vec<String>) -> Result<Exchange, String> {
        let mut kept: Vec<(&'static str, Zeroizing<String>)> = Vec::new();
        for header in &headers {
            let (name, value) = header.split_once(':').unwrap_or((header, ""));
            const NAMES: [&str; 4] = ["user-agent", "content-type", "accept", "git-protocol"];
            let known = NAMES.into_iter().find(|known| name.eq_ignore_ascii_case(known));
            kept.extend(known.map(|name| (name, Zeroizing::new(value.trim().to_owned()))));
        }
        kept.extend(self.authorization()?.map(|value| ("authorization", value)));
        Ok(Exchange {
            client: self.client.clone(),
            url: url.to_owned(),
            headers: kept,
            until: self.until,
            body: Arc::default(),
            failure: Arc::clone(&self.failure),
            answer: None,
            is_sent: false,
        })
    }

    /// No text on the way grows, since what it was moved from would not be overwritten.
    fn authorization(&self) -> Result<Option<Zeroizing<String>>, String> {
        let Some(credentials) = &self.credentials else { return Ok(None) };
        let (Credentials::Basic { file, .. } | Credentials::Bearer(file)) = credentials;
        let secret = std::fs::read_to_string(file)
            .map(Zeroizing::new)
            .map_err(|error| format!("source.credentials: can't read {}: {error}", file.display()))?;
        let value = match credentials {
            Credentials::Basic { username, .. } => {
                let pair = Zeroizing::new([username, ":", secret.trim()].concat());
                let encoded = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
                ["Basic ", &encoded].concat()
            }
            Credentials::Bearer(_) => ["Bearer ", secret.trim()].concat(),
        };
        Ok(Some(Zeroizing::new(value)))
    }

    fn fail(&self, message: String) -> io::Error {
        *lock(&self.failure) = Some(Failure { message: message.clone(), retry_after: None });
        io::Error::other(message)
    }

    /// The answer to a GET, and where it came from.
    fn get_following(&mut self, url: &str, headers: &[String]) -> io::Result<(Exchange, String)> {
        let mut at = url.to_owned();
        for _ in 0..=REDIRECTS {
            let mut exchange = self.exchange(&at, headers.to_vec()).map_err(|why| self.fail(why))?;
            let Some(location) = exchange.send()? else { return Ok((exchange, at)) };
            let from = Url::parse(&at).map_err(|error| self.fail(error.to_string()))?;
            let to =
                from.join(&location).map_err(|error| self.fail(format!("{from} leads nowhere: {error}")))?;
            if to.origin() != from.origin() {
                let message =
                    format!("{from} leads to {}, another host; write the URL that it leads to", to.origin());
                return Err(self.fail(message));
            }
            at = format!("{}{}", to.origin(), to.path());
        }
        Err(self.fail(format!("{url} leads on more than {REDIRECTS} times; write the URL that it leads to")))
    }
}

impl Http for GitHttp {
    type Headers = Headers;
    type ResponseBody = BufReader<Answer>;
    type PostBody = Question;

    fn get(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> gix::Result<GetResponse<Self::Headers, Self::ResponseBody>> {
        let headers: Vec<String> = headers.into_iter().map(|header| header.as_ref().to_owned()).collect();
        let (exchange, at) = self.get_following(url, &headers).map_err(gix::Error::from_error)?;
        if at != url {
            let tail = url.strip_prefix(base_url).unwrap_or(url);
            let Some(base) = at.strip_suffix(tail) else {
                let message =
                    format!("{base_url} leads to what is no repository of Git; check source.git.url");
                return Err(gix::Error::from_error(self.fail(message)));
            };
            self.redirected = Some(base.to_owned());
        }
        let exchange = Arc::new(Mutex::new(exchange));
        let body = BufReader::new(Answer(Arc::clone(&exchange)));
        Ok(GetResponse { headers: Headers(exchange, None), body })
    }

    fn post(
        &mut self,
        url: &str,
        _: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
        _: PostBodyDataKind,
    ) -> gix::Result<PostResponse<Self::Headers, Self::ResponseBody, Self::PostBody>> {
        let headers = headers.into_iter().map(|header| header.as_ref().to_owned()).collect();
        let exchange = self.exchange(url, headers).map_err(|why| gix::Error::from_error(self.fail(why)))?;
        let post_body = Question(Arc::clone(&exchange.body));
        let exchange = Arc::new(Mutex::new(exchange));
        let body = BufReader::new(Answer(Arc::clone(&exchange)));
        Ok(PostResponse { post_body, headers: Headers(exchange, None), body })
    }

    fn configure(&mut self, _: &dyn Any) -> gix::Result<()> {
        // What git would read from its own configuration; there is none here.
        Ok(())
    }

    fn redirected_base_url(&self) -> Option<String> {
        self.redirected.clone()
    }
}

impl Exchange {
    /// Sends it, once; where it leads, if it leads elsewhere.
    fn send(&mut self) -> io::Result<Option<String>> {
        if self.is_sent {
            return Ok(None);
        }
        self.is_sent = true;
        let url = Url::parse(&self.url).map_err(|error| self.fail(error.to_string(), None))?;
        let body = std::mem::take(&mut *lock(&self.body));
        let mut request = if body.is_empty() {
            Request::get(&url, self.until)
        } else {
            Request::post(&url, self.until, body)
        };
        for (name, value) in &self.headers {
            request = request.header(name, value.as_str());
        }
        let answer = self.client.send(request, PACK_BYTES);
        let answer = answer.map_err(|error| self.fail(failed(&url.to_string(), error), None))?;
        let status = answer.status();
        let location = answer
            .header("location")
            .map(str::to_owned)
            .filter(|_| matches!(status, 301 | 302 | 303 | 307 | 308));
        if location.is_none() && status != 200 {
            let seconds = answer.header("retry-after").and_then(|text| text.trim().parse().ok());
            let failure = self.fail(refused(&url, status), seconds.map(Duration::from_secs));
            return Err(failure);
        }
        self.answer = Some(answer);
        Ok(location)
    }

    fn fail(&self, message: String, retry_after: Option<Duration>) -> io::Error {
        *lock(&self.failure) = Some(Failure { message: message.clone(), retry_after });
        io::Error::other(message)
    }
}

/// No answer, or not all of it, and what to do.
fn failed(url: &str, error: OutboundError) -> String {
    let remedy = match error {
        OutboundError::Limit { .. } => "large objects don't belong among policies",
        OutboundError::Deadline => "look why its server is slow, or make the repository smaller",
        OutboundError::Tls(_) => "check source.ca, and what the server shows",
        _ => "check source.git.url and source.proxy, and look at its server",
    };
    format!("{url}: {error}; {remedy}")
}

/// An answer that is none, and what to do.
fn refused(url: &Url, status: u16) -> String {
    let remedy = match status {
        401 => "the credentials are not accepted; check source.credentials",
        403 => "these credentials may not read it; give them that right",
        404 => "there is no such repository, or not for these credentials; check source.git.url",
        429 => "it is asked too often; raise source.interval",
        500.. => "the server is in trouble; look at its log",
        _ => "no answer of a Git server; check source.git.url",
    };
    format!("{url} answers {status}: {remedy}")
}

impl Read for Answer {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut exchange = lock(&self.0);
        exchange.send()?;
        let Some(answer) = exchange.answer.as_mut() else { return Ok(0) };
        let read = answer.read(buffer);
        read.map_err(|error| {
            let ours = error.get_ref().and_then(|inner| inner.downcast_ref()).copied();
            exchange.fail(failed(&exchange.url, ours.unwrap_or(OutboundError::Broken)), None)
        })
    }
}

impl Read for Headers {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Headers {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.1.is_none() {
            let mut exchange = lock(&self.0);
            exchange.send()?;
            let kind =
                exchange.answer.as_ref().and_then(|answer| answer.header("content-type")).unwrap_or_default();
            self.1 = Some(Cursor::new(format!("content-type: {kind}\n").into_bytes()));
        }
        self.1.as_mut().map_or(Ok(&[]), Cursor::fill_buf)
    }

    fn consume(&mut self, amount: usize) {
        if let Some(text) = &mut self.1 {
            text.consume(amount);
        }
    }
}

impl Write for Question {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut body = lock(&self.0);
        if body.len().saturating_add(bytes.len()) > REQUEST_BYTES {
            return Err(io::Error::other("the request is larger than any that asks for commits"));
        }
        body.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
