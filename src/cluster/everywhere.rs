//! Whether every ready replica shows the new certificate: the former authority is trusted until then.

use std::net::{IpAddr, SocketAddr};

use futures_util::future::join_all;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::ListParams;
use kube::{Api, Client};

use crate::certificates::{Kept, answers};
use crate::config::{NAMESPACE, SERVICE};

/// Asks each of them. What can't be asked does not show it.
pub(super) async fn shows(client: &Client, kept: &Kept, name: &str) -> bool {
    let Some(Ok(authorities)) = kept.current.as_ref().map(|leaf| leaf.authorities()) else { return false };
    let slices: Api<EndpointSlice> = Api::namespaced(client.clone(), NAMESPACE);
    let of_service = ListParams::default().labels(&format!("kubernetes.io/service-name={SERVICE}"));
    let slices = match slices.list(&of_service).await {
        Ok(slices) => slices,
        Err(error) => {
            tracing::warn!(%error, "the replicas can't be listed");
            return false;
        }
    };
    // All at once: one that does not answer is not to keep the leader from what else there is to do.
    let asked = slices.iter().flat_map(addresses).map(|address| {
        let authorities = &authorities;
        async move { answers(address, name, authorities).await.map_err(|why| (address, why)) }
    });
    let mut all = true;
    for (address, why) in join_all(asked).await.into_iter().filter_map(Result::err) {
        tracing::info!(%address, why, "a replica does not show the new certificate yet");
        all = false;
    }
    all
}

/// The ready addresses of a slice, at its webhook's port.
fn addresses(slice: &EndpointSlice) -> Vec<SocketAddr> {
    let ports = slice.ports.iter().flatten();
    let webhook =
        |name: &Option<String>| name.as_deref().is_none_or(|name| name.is_empty() || name == "webhook");
    let ports: Vec<u16> =
        ports.filter(|port| webhook(&port.name)).filter_map(|port| u16::try_from(port.port?).ok()).collect();
    let is_ready = |ready: Option<bool>| ready.unwrap_or(true);
    let ready = slice
        .endpoints
        .iter()
        .filter(|endpoint| is_ready(endpoint.conditions.as_ref().and_then(|conditions| conditions.ready)));
    let addresses: Vec<IpAddr> =
        ready.flat_map(|endpoint| &endpoint.addresses).filter_map(|address| address.parse().ok()).collect();
    addresses.iter().flat_map(|ip| ports.iter().map(|port| SocketAddr::new(*ip, *port))).collect()
}
