//! Who asks the API server: a client certificate, as requests of the test's own and through kubectl.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{Method, Request};
use http_body_util::BodyExt;
use kube::client::Body;
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use super::authority::Pair;

/// Connections belong to a runtime, so all clients share one.
pub(crate) static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());

/// A user of the cluster.
#[derive(Clone)]
pub(crate) struct User {
    pub(crate) kubeconfig: PathBuf,
    kubectl: PathBuf,
    client: kube::Client,
}

/// What the API server answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) warnings: Vec<String>,
    pub(crate) body: Value,
}

/// What a kubectl came to.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl User {
    pub(crate) fn new(kubeconfig: PathBuf, kubectl: PathBuf) -> Self {
        let read = Kubeconfig::read_from(&kubeconfig).unwrap();
        let client = RUNTIME.block_on(async {
            let config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await.unwrap();
            kube::Client::try_from(config).unwrap()
        });
        Self { kubeconfig, kubectl, client }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        RUNTIME.block_on(self.ask(Method::GET, path, "", None)).unwrap()
    }

    /// POST of an object to a collection.
    pub(crate) fn create(&self, path: &str, object: &Value) -> Answer {
        RUNTIME.block_on(self.ask(Method::POST, path, "application/json", Some(object))).unwrap()
    }

    pub(crate) fn delete(&self, path: &str) -> Answer {
        RUNTIME.block_on(self.ask(Method::DELETE, path, "", None)).unwrap()
    }

    /// Any request; `object` null: without a body.
    pub(crate) fn request(&self, method: &Method, path: &str, content: &str, object: &Value) -> Answer {
        let object = Some(object).filter(|object| !object.is_null());
        RUNTIME.block_on(self.ask(method.clone(), path, content, object)).unwrap()
    }

    /// The same, not waited for. An error is one of the way to the API server; what the API server says is an answer.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        content: &str,
        object: Option<&Value>,
    ) -> Result<Answer, kube::Error> {
        let body = object.map(|object| object.to_string().into_bytes()).unwrap_or_default();
        let request = Request::builder().method(method).uri(path).header("content-type", content);
        let response = self.client.send(request.body(Body::from(body)).unwrap()).await?;
        let warnings = response.headers().get_all("warning").iter();
        let warnings = warnings.map(|value| unquoted(value.to_str().unwrap())).collect();
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await?.to_bytes();
        let text = || Value::String(String::from_utf8_lossy(&bytes).into_owned());
        let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| text());
        Ok(Answer { status, warnings, body })
    }

    /// kubectl with `input` on its standard input.
    pub(crate) fn kubectl(&self, arguments: &[&str], input: &str) -> Run {
        let mut command = Command::new(&self.kubectl);
        command.args(arguments).env("KUBECONFIG", &self.kubeconfig).env_remove("KUBECTL_EXTERNAL_DIFF");
        // kubectl keeps what it discovered below the home directory.
        command.env("HOME", self.kubeconfig.parent().unwrap());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_owned();
        let writer = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Run { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Answer {
    pub(crate) fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }
}

/// Writes a kubeconfig for a user of the API server at `server`.
pub(crate) fn write_kubeconfig(path: &Path, server: &str, ca: &str, pair: &Pair) {
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": "e2e", "cluster": {
            "server": server, "certificate-authority-data": STANDARD.encode(ca) } }],
        "users": [{ "name": "user", "user": {
            "client-certificate-data": STANDARD.encode(&pair.certificate),
            "client-key-data": STANDARD.encode(&pair.key) } }],
        "contexts": [{ "name": "e2e", "context": { "cluster": "e2e", "user": "user", "namespace": "default" } }],
        "current-context": "e2e"
    });
    std::fs::write(path, config.to_string()).unwrap();
}

/// The text of a `Warning` header: `299 - "text"` (RFC 7234, section 5.5).
fn unquoted(header: &str) -> String {
    let text = header.split_once('"').map_or(header, |(_, rest)| rest);
    let text = text.strip_suffix('"').unwrap_or(text);
    text.replace("\\\"", "\"").replace("\\\\", "\\")
}
