//! How a connection is made: the name looked up, the address judged, through the proxy where there is one, and TLS.

use core::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use hyper::http::uri::Scheme;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tower_service::Service;

use super::addresses::is_public;
use super::error::{OutboundError, SettingsError};
use super::request::Reach;
use super::settings::{Plaintext, Settings, roots};
use super::url::Url;

/// Bytes of a proxy's answer.
const PROXY_HEAD: usize = 8 * 1024;

/// Makes connections, each within its time.
#[derive(Clone)]
pub(super) struct Connector {
    tls: HttpsConnector<Tcp>,
    limit: Duration,
}

/// Makes connections to addresses that may be connected to.
#[derive(Clone)]
struct Tcp {
    reach: Reach,
    plaintext: Plaintext,
    proxy: Option<Arc<Url>>,
}

type Connecting<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

impl Connector {
    /// As the settings say, to such addresses.
    pub(super) fn new(settings: &Settings, reach: Reach) -> Result<Self, SettingsError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let versions = [&rustls::version::TLS13, &rustls::version::TLS12];
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&versions)
            .map_err(SettingsError::Tls)?;
        let roots = roots(settings.authorities.as_deref())?;
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let proxy = settings.proxy.clone().map(Arc::new);
        let tcp = Tcp { reach, plaintext: settings.plaintext, proxy };
        Ok(Self { tls: HttpsConnector::from((tcp, config)), limit: settings.waits.connect })
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = OutboundError;
    type Future = Connecting<Self::Response, OutboundError>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), OutboundError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let (connecting, limit) = (self.tls.call(uri), self.limit);
        Box::pin(async move {
            let late = OutboundError::Unreachable("there was no connection in time");
            let connected = timeout(limit, connecting).await.map_err(|_| late)?;
            connected.map_err(|error| OutboundError::of_connecting(error.as_ref()))
        })
    }
}

impl Service<Uri> for Tcp {
    type Response = TokioIo<TcpStream>;
    type Error = OutboundError;
    type Future = Connecting<Self::Response, OutboundError>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), OutboundError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let tcp = self.clone();
        Box::pin(async move { tcp.connect(&uri).await.map(TokioIo::new) })
    }
}

impl Tcp {
    async fn connect(&self, uri: &Uri) -> Result<TcpStream, OutboundError> {
        let https = uri.scheme() == Some(&Scheme::HTTPS);
        let host = uri.host().unwrap_or_default();
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let port = uri.port_u16().unwrap_or(if https { 443 } else { 80 });
        let literal = host.parse::<IpAddr>().ok();
        match &self.proxy {
            // The proxy looks the name up; an address that is written out is judged all the same.
            Some(proxy) if https => {
                literal.map_or(Ok(()), |address| self.judge(address, https))?;
                let proxied = to_any(&addresses(proxy.origin().host(), proxy.origin().port()).await?).await?;
                through(proxied, host, port).await
            }
            _ => {
                let found = addresses(host, port).await?;
                let judged = found.iter().map(|address| self.judge(address.ip(), https).map(|()| *address));
                let (allowed, refused): (Vec<_>, Vec<_>) = judged.partition(Result::is_ok);
                let allowed: Vec<SocketAddr> = allowed.into_iter().flatten().collect();
                match refused.into_iter().find_map(Result::err) {
                    Some(why) if allowed.is_empty() => Err(why),
                    _ => to_any(&allowed).await,
                }
            }
        }
    }

    fn judge(&self, address: IpAddr, https: bool) -> Result<(), OutboundError> {
        if self.reach == Reach::Public && !is_public(address) {
            return Err(OutboundError::Address);
        }
        if !https && self.plaintext == Plaintext::Loopback && !address.to_canonical().is_loopback() {
            return Err(OutboundError::Plaintext);
        }
        Ok(())
    }
}

/// The addresses of a name.
async fn addresses(host: &str, port: u16) -> Result<Vec<SocketAddr>, OutboundError> {
    let unknown = OutboundError::Unreachable("its name leads to no address");
    let found = lookup_host((host, port)).await.map_err(|_| unknown)?;
    let found: Vec<SocketAddr> = found.collect();
    if found.is_empty() { Err(unknown) } else { Ok(found) }
}

/// A connection to the first of them that answers. The caller bounds the time.
async fn to_any(addresses: &[SocketAddr]) -> Result<TcpStream, OutboundError> {
    let mut last = OutboundError::Unreachable("its name leads to no address");
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // Small requests are not to wait for acknowledgements; a socket that can't is merely slower.
                stream.set_nodelay(true).unwrap_or_default();
                return Ok(stream);
            }
            Err(error) => last = OutboundError::of_socket(&error),
        }
    }
    Err(last)
}

/// Asks a proxy to connect (RFC 9110, 9.3.6).
async fn through(mut stream: TcpStream, host: &str, port: u16) -> Result<TcpStream, OutboundError> {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let asked = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n");
    stream.write_all(asked.as_bytes()).await.map_err(|_| OutboundError::Broken)?;
    // Byte by byte: what follows the head belongs to who is behind.
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let byte = stream.read_u8().await.map_err(|_| OutboundError::Broken)?;
        head.push(byte);
        if head.len() > PROXY_HEAD {
            return Err(OutboundError::Broken);
        }
    }
    let text = String::from_utf8_lossy(&head);
    let status = text.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1)?.parse::<u16>().ok());
    match status {
        Some(200..=299) => Ok(stream),
        Some(status) => Err(OutboundError::Proxy(status)),
        None => Err(OutboundError::Broken),
    }
}
