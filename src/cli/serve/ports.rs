//! The ports of the server, with what they show to whoever connects.

use std::net::SocketAddr;

use anyhow::Context;
use tokio::net::TcpListener;

use super::Arguments;
use crate::certificates::{self, Serving};
use crate::config::Configuration;
use crate::webhook::Port;

/// Both ports, bound.
pub(super) struct Ports {
    /// `/mutate` and `/validate`; who connects is asked for a certificate where that is configured.
    pub(super) webhook: Port,
    /// Health and metrics; None where only this machine tries things.
    pub(super) admin: Option<Port>,
}

impl Ports {
    /// Takes the addresses.
    pub(super) async fn bind(
        arguments: &Arguments,
        configuration: &Configuration,
        serving: &Serving,
    ) -> anyhow::Result<Self> {
        let clients = configuration.client_auth.as_ref();
        let clients = clients.map(|auth| certificates::clients(&auth.ca, &auth.names)).transpose()?;
        let tls = certificates::server_config(serving, clients)?;
        let webhook = Port { listener: listen(configuration.webhook).await?, tls: Some(tls) };
        Ok(Self { webhook, admin: admin(arguments, configuration, serving).await? })
    }
}

/// Where a port is.
pub(super) fn address(port: &Port) -> anyhow::Result<SocketAddr> {
    port.listener.local_addr().context("can't tell the address")
}

/// With the same certificate, and nobody is asked for one; on addresses of this machine without TLS (R02).
async fn admin(
    arguments: &Arguments,
    configuration: &Configuration,
    serving: &Serving,
) -> anyhow::Result<Option<Port>> {
    if !arguments.serves_admin() {
        return Ok(None);
    }
    let address = configuration.admin;
    let tls =
        if address.ip().is_loopback() { None } else { Some(certificates::server_config(serving, None)?) };
    Ok(Some(Port { listener: listen(address).await?, tls }))
}

async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("can't listen on {address}"))
}
