//! What is asked, and the head of what is answered.

use std::time::Instant;

use bytes::Bytes;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use zeroize::Zeroizing;

use super::body::Body;
use super::error::OutboundError;
use super::url::Url;

/// What is asked of whom, until when.
pub struct Request<'a> {
    pub(super) url: &'a Url,
    pub(super) until: Instant,
    pub(super) post: Option<Bytes>,
    pub(super) reach: Reach,
    /// Overwritten when they are dropped.
    headers: Vec<(&'static str, Zeroizing<String>)>,
}

/// Which addresses may be connected to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// All: the host was named by the operator.
    #[default]
    Any,
    /// Those of the public internet: the host was named by another host. Behind a proxy, where names are not looked up
    /// here, only addresses that are written out can be refused.
    Public,
}

/// The head of an answer, and its body to be read.
#[derive(Debug)]
pub struct Response {
    /// The status, as in 200.
    pub status: u16,
    /// The body, of which nothing was read.
    pub body: Body,
    /// Whether who answered has an address of this machine or of a private network. Behind a proxy: false.
    pub is_private: bool,
    pub(super) headers: HeaderMap,
}

impl<'a> Request<'a> {
    /// Asks for a document.
    pub fn get(url: &'a Url, until: Instant) -> Self {
        Self { url, until, post: None, reach: Reach::Any, headers: Vec::new() }
    }

    /// Sends one.
    pub fn post(url: &'a Url, until: Instant, body: impl Into<Bytes>) -> Self {
        Self { post: Some(body.into()), ..Self::get(url, until) }
    }

    /// With a header; `authorization` is held secret. Of two with one name both are sent.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, Zeroizing::new(value.into())));
        self
    }

    /// To such addresses only.
    #[must_use]
    pub fn reaching(self, reach: Reach) -> Self {
        Self { reach, ..self }
    }

    pub(super) fn header_map(&self) -> Result<HeaderMap, OutboundError> {
        let mut map = HeaderMap::new();
        for (name, value) in &self.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| OutboundError::Header)?;
            let mut value = HeaderValue::from_str(value).map_err(|_| OutboundError::Header)?;
            value.set_sensitive(name == hyper::header::AUTHORIZATION);
            map.append(name, value);
        }
        Ok(map)
    }
}

impl Response {
    /// The first header of a name, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// All headers of a name that are text.
    pub fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
    }
}
