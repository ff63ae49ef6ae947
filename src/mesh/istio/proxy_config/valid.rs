//! What Istio's validation asks of a Pod's own configuration of its proxy (ValidateMeshConfigProxyConfig): what of it no
//! proxy could start with.

use ipnet::IpNet;
use serde_json::Value as Json;

use super::ProxyConfig;

/// Members that are the address of a service, each a path.
const ADDRESSES: [&str; 6] = [
    "/discoveryAddress",
    "/statsdUdpAddress",
    "/envoyMetricsServiceAddress",
    "/envoyMetricsService/address",
    "/envoyAccessLogService/address",
    "/tracing/zipkin/address",
];

impl ProxyConfig {
    /// Checks what is set.
    ///
    /// # Errors
    /// The first member that Istio refuses.
    pub(in crate::mesh::istio) fn check(&self) -> Result<(), String> {
        for name in ["configPath", "binaryPath", "serviceCluster", "discoveryAddress"] {
            if self.get(name).is_some_and(|text| *text == "") {
                return Err(format!("{name} is empty"));
            }
        }
        for name in ["proxyAdminPort", "statusPort"] {
            if !self.get(name).and_then(Json::as_u64).is_some_and(|port| (1..=65535).contains(&port)) {
                return Err(format!("{name} is not between 1 and 65535"));
            }
        }
        let is_whole = |text: &str| !text.contains('.') && !text.starts_with(['-', '0']);
        if !self.get("drainDuration").and_then(Json::as_str).is_some_and(is_whole) {
            return Err("drainDuration is not whole seconds, at least one".to_owned());
        }
        let whole = Json::Object(self.members.clone());
        let text = |path: &str| whole.pointer(path).and_then(Json::as_str);
        for path in ADDRESSES {
            let address = text(path).filter(|address| !address.is_empty() || path.starts_with("/tracing"));
            if !address.is_none_or(|address| is_address(&address.replace("$(HOST_IP)", "127.0.0.1"))) {
                return Err(format!(
                    "{} is no address such as collector.monitoring:9411",
                    path.trim_start_matches('/')
                ));
            }
        }
        if whole.pointer("/tracing/tlsSettings/mode") == Some(&Json::from("MUTUAL"))
            && ["clientCertificate", "privateKey"]
                .iter()
                .any(|name| text(&format!("/tracing/tlsSettings/{name}")).is_none_or(str::is_empty))
        {
            return Err("tracing.tlsSettings: MUTUAL needs clientCertificate and privateKey".to_owned());
        }
        Ok(())
    }
}

/// Whether it is a host and a port.
fn is_address(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_label = |label: &str| {
        let is_end = |end: Option<char>| end.is_some_and(|end| end.is_ascii_alphanumeric());
        is_end(label.chars().next())
            && is_end(label.chars().last())
            && label.len() <= 63
            && label.chars().all(|one| one.is_ascii_alphanumeric() || one == '-')
    };
    let is_name = host.len() <= 255 && host.trim_end_matches('.').split('.').all(is_label);
    let is_ip = |host: &str| format!("{host}/0").parse::<IpNet>().is_ok();
    let is_host = match inner {
        Some(inner) => is_ip(inner),
        None => !host.contains(':') && (is_ip(host) || is_name),
    };
    port.parse::<u16>().is_ok_and(|port| port > 0) && is_host
}

#[cfg(test)]
mod tests {
    use super::is_address;

    #[test]
    fn an_address_is_a_host_and_a_port() {
        for good in ["istiod.istio-system.svc:15012", "10.0.0.1:80", "[::1]:80", "a:1"] {
            assert!(is_address(good), "{good}");
        }
        for bad in ["", "a", "a:0", "a:70000", "a b:1", ":80", "a..b:80", "::1:80", "-a:1"] {
            assert!(!is_address(bad), "{bad}");
        }
    }
}
