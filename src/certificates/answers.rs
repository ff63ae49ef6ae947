//! What a server shows, as a client sees it that trusts some authorities and no other.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use rustls::version::{TLS12, TLS13};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::chain::roots;
use super::provider;
use crate::registration::CaBundle;

/// How long a handshake may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// Whether the server at `address` shows a certificate for `name` that leads to `authorities`. Whether it would take who
/// asks for a client is not asked: that comes later in a handshake of TLS 1.3.
///
/// # Errors
/// Why it does not, or can't be asked.
pub async fn answers(address: SocketAddr, name: &str, authorities: &CaBundle) -> Result<(), String> {
    let config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots(authorities)?)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).map_err(|error| error.to_string())?;
    let shaken = async {
        let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
        let shaken = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
        shaken.map(drop).map_err(|error| error.to_string())
    };
    timeout(PATIENCE, shaken).await.unwrap_or_else(|_| Err("no answer within 3 s".to_owned()))
}
