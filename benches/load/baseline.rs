//! The least that a webhook in Rust can do: TLS, HTTP, a body parsed as JSON, an answer that allows.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use meshgate::certificates::{Identity, Serving, server_config};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// Serves until it is killed; says where on standard error.
pub(crate) fn serve(certificate: &str) {
    let directory = Path::new(certificate);
    let identity = Identity::from_files(&directory.join("tls.crt"), &directory.join("tls.key"));
    let tls = server_config(&Serving::new(identity.expect("a certificate")), None).expect("TLS");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let greeting = format!("https://{address}\n");
        std::io::Write::write_all(&mut std::io::stderr(), greeting.as_bytes()).expect("said");
        let acceptor = TlsAcceptor::from(Arc::clone(&tls));
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                stream.set_nodelay(true).unwrap_or_default();
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(allow));
                drop(served.await);
            });
        }
    });
}

async fn allow(request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let bytes = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let review: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let uid = review.pointer("/request/uid").cloned().unwrap_or_default();
    let answer = json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": { "uid": uid, "allowed": true }
    });
    Ok(Response::new(Body::from(answer.to_string())))
}
