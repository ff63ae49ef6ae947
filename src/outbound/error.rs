//! Why something was not asked, or not answered. No text of the other side is in it: whoever reads a message may be a
//! stranger to the one who was asked.

use std::error::Error;
use std::io;

use hyper_util::client::legacy;
use rustls::CertificateError;

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    /// Nothing was sent: it would not have been encrypted.
    #[error("plain http is spoken within this machine only, unless the configuration says otherwise")]
    Plaintext,
    /// Nothing was sent: somebody led to an address that is not of the public internet.
    #[error("it is led to an address of this machine or of a private network")]
    Address,
    /// The time is over: the caller's, that of one request, or that between two pieces of a body.
    #[error("no answer in time")]
    Deadline,
    /// The body is larger.
    #[error("more than {bytes} bytes")]
    Limit {
        /// How many it may have.
        bytes: u64,
    },
    /// It shows no certificate that is trusted.
    #[error("TLS failed: {0}")]
    Tls(&'static str),
    /// There is no connection.
    #[error("it can't be reached: {0}")]
    Unreachable(&'static str),
    /// The proxy does not lead there.
    #[error("the proxy refuses with status {0}")]
    Proxy(u16),
    /// The connection ended, or what came over it is not HTTP.
    #[error("the connection broke, or what came over it is no HTTP")]
    Broken,
    /// A header that can't be sent.
    #[error("a header has characters that can't be sent")]
    Header,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// No certificate in what should hold authorities.
    #[error("no certificate of an authority in PEM")]
    Authorities,
    /// A certificate that can't be one of an authority.
    #[error("a certificate that is none of an authority: {0}")]
    Authority(#[source] rustls::Error),
    /// TLS can't be set up.
    #[error("TLS can't be set up: {0}")]
    Tls(#[source] rustls::Error),
    /// No runtime can be made.
    #[error("can't start: {0}")]
    Runtime(#[source] io::Error),
}

impl OutboundError {
    /// What ended a request.
    pub(super) fn of_client(error: &legacy::Error) -> Self {
        let mut source: Option<&(dyn Error + 'static)> = error.source();
        while let Some(cause) = source {
            if let Some(known) = known(cause) {
                return known;
            }
            source = cause.source();
        }
        Self::Broken
    }

    /// What ended the making of a connection.
    pub(super) fn of_connecting(error: &(dyn Error + Send + Sync + 'static)) -> Self {
        let mut cause: &(dyn Error + 'static) = error;
        loop {
            if let Some(known) = known(cause) {
                return known;
            }
            match inner(cause) {
                Some(source) => cause = source,
                None => return Self::Broken,
            }
        }
    }

    /// What ended a connection to an address.
    pub(super) fn of_socket(error: &io::Error) -> Self {
        Self::Unreachable(match error.kind() {
            io::ErrorKind::ConnectionRefused => "the connection was refused",
            io::ErrorKind::TimedOut => "there was no connection in time",
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "there is no way to it",
            _ => "the connection failed",
        })
    }
}

/// An error within; an I/O error keeps its own beside its sources.
fn inner<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(held) => Some(held),
        None => error.source(),
    }
}

fn known(cause: &(dyn Error + 'static)) -> Option<OutboundError> {
    if let Some(ours) = cause.downcast_ref::<OutboundError>() {
        return Some(*ours);
    }
    cause.downcast_ref::<rustls::Error>().map(|error| OutboundError::Tls(of_tls(error)))
}

/// In words of ours: some of rustls' have the names of a certificate in them.
fn of_tls(error: &rustls::Error) -> &'static str {
    match error {
        rustls::Error::InvalidCertificate(why) => match why {
            CertificateError::UnknownIssuer => {
                "its certificate is of no authority that is trusted; name the authority in the configuration"
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "its certificate has expired"
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "its certificate is not valid yet; check the clock"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "its certificate is for other names"
            }
            CertificateError::Revoked => "its certificate was revoked",
            _ => "its certificate can't be verified",
        },
        rustls::Error::InvalidMessage(_) => "what it says is no TLS",
        rustls::Error::PeerIncompatible(_) => "it speaks no version of TLS from 1.2 on",
        rustls::Error::AlertReceived(_) => "it ended the handshake",
        _ => "the handshake failed",
    }
}
