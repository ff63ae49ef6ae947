//! Who may connect, where that is configured (R01): others are refused in the handshake.

use std::fs;
use std::sync::Arc;

use meshgate::config::ClientAuth;
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::SupportedProtocolVersion;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::{TLS12, TLS13};

use crate::bundle;
use crate::client::{Client, good_spec, review};
use crate::server::{Options, Server};
use crate::source::Namespaces;

const NAME: &str = "kube-apiserver";

/// An authority, as PEM and to sign with.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

type Chain = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = parameters.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(parameters, key) }
    }

    /// A certificate with this common name and these DNS names.
    fn signs(&self, common: &str, dns: &[&str], usage: ExtendedKeyUsagePurpose) -> Chain {
        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = dns.iter().map(|name| (*name).to_owned()).collect();
        let mut parameters = CertificateParams::new(names).unwrap();
        parameters.distinguished_name.push(DnType::CommonName, common);
        parameters.extended_key_usages = vec![usage];
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap();
        (
            vec![certificate.der().clone()],
            PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap(),
        )
    }
}

/// Whether who shows this is answered.
fn is_answered(server: &Server, version: &'static SupportedProtocolVersion, chain: Option<Chain>) -> bool {
    let mut client = Client::showing(server.address, &server.pem, &[version], &[], chain);
    // With TLS 1.3 the client's side of a handshake ends before its certificate is looked at.
    let good = review("1", "shop", &good_spec()).to_string();
    let head =
        crate::client::head("POST", "/validate", &[("Content-Type", "application/json")], Some(good.len()));
    let sent =
        client.handshake().and_then(|()| client.send(&head)).and_then(|()| client.send(good.as_bytes()));
    let response = client.receive();
    assert!(response.is_none() || sent.is_ok());
    response.is_some_and(|response| response.status == 200)
}

#[test]
fn whoever_is_not_named_by_the_authority_is_refused() {
    let (authority, other) = (Authority::new(), Authority::new());
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.crt");
    fs::write(&ca, &authority.pem).unwrap();
    let clients = Some(ClientAuth { ca, names: [NAME.to_owned()].into() });
    let server = Server::with(Some(bundle::inline()), Namespaces, Options { clients, ..Options::default() });

    let (client, serving) = (ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth);
    let table = [
        ("the common name", Some(authority.signs(NAME, &[], client.clone())), true),
        ("a DNS name", Some(authority.signs("other", &["a.example", NAME], client.clone())), true),
        ("no certificate", None, false),
        ("another name", Some(authority.signs("other", &["kube-apiserver.example"], client.clone())), false),
        ("upper case", Some(authority.signs("KUBE-APISERVER", &[], client.clone())), false),
        ("no name", Some(authority.signs("", &[], client.clone())), false),
        ("another authority", Some(other.signs(NAME, &[NAME], client.clone())), false),
        ("for servers", Some(authority.signs(NAME, &[NAME], serving)), false),
    ];
    for (what, chain, expected) in table {
        for version in [&TLS12, &TLS13] {
            let chain = chain.as_ref().map(|(certificates, key)| (certificates.clone(), key.clone_key()));
            assert_eq!(is_answered(&server, version, chain), expected, "{what}");
        }
    }
    let metrics = server.admin("/metrics").1;
    assert!(metrics.contains("\nmeshgate_tls_failures_total{reason=\"refused\"} 12\n"), "{metrics}");
}

#[test]
fn an_authority_that_can_not_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.crt");
    let names = [NAME.to_owned()].into();
    for (text, needle) in [(None, "can't read"), (Some("none"), "holds no certificate")] {
        if let Some(text) = text {
            fs::write(&ca, text).unwrap();
        }
        let error = meshgate::certificates::clients(&ca, &names).map(|_: Arc<_>| ()).unwrap_err().to_string();
        assert!(error.contains("ca.crt") && error.contains(needle), "{error}");
    }
}
