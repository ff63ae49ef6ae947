//! The program's own server with policies from Git, and who asks it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};

/// `meshgate serve` with a configuration.
pub(crate) struct Process {
    pub(crate) child: Child,
    log: Option<JoinHandle<String>>,
    webhook: SocketAddr,
    admin: SocketAddr,
    client: Arc<ClientConfig>,
}

impl Process {
    /// Starts it; waits are a tenth as long, so the shortest interval is half a second.
    pub(crate) fn start(folder: &Path, configuration: &str) -> Self {
        Self::started(folder, command(folder, configuration))
    }

    /// Starts it as this command says.
    pub(crate) fn started(folder: &Path, mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut address = |scheme: &str, end: char| loop {
            let mut line = String::new();
            assert!(said.read_line(&mut line).unwrap() > 0, "it ended");
            let address = line.split(scheme).nth(1).and_then(|rest| rest.split(end).next());
            if let Some(address) = address.and_then(|address| address.parse().ok()) {
                return address;
            }
        };
        let (webhook, admin) = (address("https://", ','), address("http://", '\n'));
        let log = spawn(move || {
            let mut log = String::new();
            said.read_to_string(&mut log).unwrap();
            log
        });
        let mut roots = RootCertStore::empty();
        let der = std::fs::read(folder.join("tls.der")).unwrap();
        roots.add(CertificateDer::from(der)).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let client = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
        Self { child, log: Some(log), webhook, admin, client }
    }

    /// Ends it at once; its log.
    pub(crate) fn kill(&mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.log.take().unwrap().join().unwrap()
    }

    /// Status and text of a path of the admin port.
    pub(crate) fn admin(&self, path: &str) -> (u16, String) {
        let mut socket = TcpStream::connect(self.admin).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).unwrap();
        answer(socket)
    }

    pub(crate) fn bundle(&self) -> Value {
        serde_json::from_str(&self.admin("/bundle").1).unwrap()
    }

    /// The commit in force.
    pub(crate) fn active(&self) -> Option<String> {
        let id = self.bundle()["active"]["id"].as_str()?.to_owned();
        id.split_once(':').map(|(_, digits)| digits.to_owned())
    }

    /// What is said of a Pod: status, and the answer.
    pub(crate) fn review(&self) -> (u16, Value) {
        let mut stream = self.connect();
        let body = pod().to_string();
        let head = format!(
            "POST /validate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        let (status, text) = answer(stream);
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    /// A connection to the webhook.
    pub(crate) fn connect(&self) -> StreamOwned<ClientConnection, TcpStream> {
        let name = "localhost".try_into().unwrap();
        let connection = ClientConnection::new(Arc::clone(&self.client), name).unwrap();
        StreamOwned::new(connection, TcpStream::connect(self.webhook).unwrap())
    }

    /// The process that loads and tests a candidate, while there is one.
    pub(crate) fn trial(&self) -> Option<String> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).ok()?;
        let children =
            tasks.flatten().filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
        children.collect::<String>().split_whitespace().next().map(str::to_owned)
    }

    /// Waits until there is something.
    #[track_caller]
    pub(crate) fn until_some<T>(&self, what: &str, found: impl Fn(&Self) -> Option<T>) -> T {
        let mut some = None;
        self.until(what, |process| {
            some = found(process);
            some.is_some()
        });
        some.unwrap()
    }

    /// Waits until something holds.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, mut holds: impl FnMut(&Self) -> bool) -> Duration {
        let began = Instant::now();
        while !holds(self) {
            assert!(
                began.elapsed() < Duration::from_secs(180),
                "waited too long for {what}: {:#}",
                self.bundle()
            );
            sleep(Duration::from_millis(20));
        }
        began.elapsed()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The program with a configuration, which is written into the folder.
pub(crate) fn command(folder: &Path, configuration: &str) -> Command {
    let (key, config) = (folder.join("tls.key"), folder.join("meshgate.yaml"));
    if !key.exists() {
        let pair = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&pair).unwrap();
        std::fs::write(folder.join("tls.crt"), certificate.pem()).unwrap();
        std::fs::write(folder.join("tls.der"), certificate.der()).unwrap();
        std::fs::write(&key, pair.serialize_pem()).unwrap();
    }
    std::fs::write(&config, configuration).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshgate"));
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--listen-admin", "127.0.0.1:0", "--config"])
        .arg(config);
    command.arg("--tls-cert-file").arg(folder.join("tls.crt")).arg("--tls-private-key-file").arg(key);
    command.args(["--mode", "deny"]).env("MESHGATE_PACE", "0.1").stderr(Stdio::piped());
    command
}

fn answer(mut stream: impl Read) -> (u16, String) {
    let mut bytes = Vec::new();
    // Who ends without a farewell has said all the same what it had to.
    drop(stream.read_to_end(&mut bytes));
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    (head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0), body.to_owned())
}

/// An AdmissionReview of a Pod.
pub(crate) fn pod() -> Value {
    json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "1", "kind": { "group": "", "version": "v1", "kind": "Pod" },
            "resource": { "group": "", "version": "v1", "resource": "pods" },
            "name": "p", "namespace": "shop", "operation": "CREATE", "userInfo": { "username": "jane" },
            "object": { "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "p", "namespace": "shop" },
                "spec": { "containers": [{ "name": "c", "image": "i" }] } },
        },
    })
}

/// What the configuration says beside its source.
pub(crate) fn configuration(folder: &Path, url: &str, source: &str, trust: &str) -> String {
    let state: PathBuf = folder.join("state");
    format!(
        "apiVersion: meshgate.io/v1alpha1\nkind: Configuration\nsource:\n  name: platform\n  git: {{url: \"{url}\", branch: main, path: policies}}\n  interval: 5s\n{source}trust: {trust}\nstate: {}\n",
        state.display()
    )
}

/// What the system says of a process's memory, in KiB: `VmRSS`, now; `VmHWM`, at the most.
pub(crate) fn memory(process: u32, of: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(of)?.strip_prefix(':')).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}
