//! The client itself.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::USER_AGENT;
use hyper::{Method, Request as HttpRequest};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpInfo;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{Instant, timeout_at};

use super::addresses::is_public;
use super::body::Body;
use super::connect::Connector;
use super::error::{OutboundError, SettingsError};
use super::request::{Reach, Request, Response};
use super::settings::{Settings, Waits};

/// Who asks.
const AGENT: &str = concat!("meshgate/", env!("CARGO_PKG_VERSION"));

/// Bytes of an answer's head: registries send some kilobytes.
const HEAD_BYTES: usize = 64 * 1024;
/// Lines of an answer's head.
const HEAD_LINES: usize = 100;

/// How long a connection is kept that nobody uses. Shorter than what servers keep, so that few requests meet an end.
const KEPT: Duration = Duration::from_secs(15);
/// Connections to one host that nobody uses.
const KEPT_EACH: usize = 8;

type Hyper = legacy::Client<Connector, Full<Bytes>>;

/// Asks over connections that it keeps. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Client {
    any: Hyper,
    public: Hyper,
    waits: Waits,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("waits", &self.waits).finish_non_exhaustive()
    }
}

impl Client {
    /// A client without connections yet.
    ///
    /// # Errors
    /// The authorities can't be read.
    pub fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let client = |reach| Ok::<_, SettingsError>(hyper(Connector::new(settings, reach)?));
        Ok(Self { any: client(Reach::Any)?, public: client(Reach::Public)?, waits: settings.waits })
    }

    /// Asks once. Any status is an answer, a redirect too.
    ///
    /// # Errors
    /// There is none.
    pub async fn send(&self, request: Request<'_>) -> Result<Response, OutboundError> {
        let now = Instant::now();
        let later = |wait: Duration| now.checked_add(wait).unwrap_or(now);
        let until = Instant::from_std(request.until).min(later(self.waits.request));
        let head = until.min(later(self.waits.connect.saturating_add(self.waits.idle)));
        let client = match request.reach {
            Reach::Any => &self.any,
            Reach::Public => &self.public,
        };
        let answer = timeout_at(head, client.request(http(&request)?)).await;
        let answer = answer.map_err(|_| OutboundError::Deadline)?;
        let (head, incoming) = answer.map_err(|error| OutboundError::of_client(&error))?.into_parts();
        let peer = head.extensions.get::<HttpInfo>().map(HttpInfo::remote_addr);
        Ok(Response {
            status: head.status.as_u16(),
            body: Body { incoming, until, idle: self.waits.idle },
            is_private: peer.is_some_and(|peer| !is_public(peer.ip())),
            headers: head.headers,
        })
    }
}

fn hyper(connector: Connector) -> Hyper {
    legacy::Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(KEPT)
        .pool_max_idle_per_host(KEPT_EACH)
        .http1_max_buf_size(HEAD_BYTES)
        .http1_max_headers(HEAD_LINES)
        .build(connector)
}

fn http(request: &Request<'_>) -> Result<HttpRequest<Full<Bytes>>, OutboundError> {
    let uri = request.url.uri().map_err(|_| OutboundError::Header)?;
    let method = if request.post.is_some() { Method::POST } else { Method::GET };
    let body = Full::new(request.post.clone().unwrap_or_default());
    let mut http = HttpRequest::new(body);
    *http.method_mut() = method;
    *http.uri_mut() = uri;
    *http.headers_mut() = request.header_map()?;
    http.headers_mut().entry(USER_AGENT).or_insert(hyper::header::HeaderValue::from_static(AGENT));
    Ok(http)
}
