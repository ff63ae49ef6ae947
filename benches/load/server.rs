//! The servers that are measured, each a process of its own, and what the kernel says of them.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;

use crate::client::Target;

const MESHGATE: &str = env!("CARGO_BIN_EXE_meshgate");
/// Clock ticks a second in /proc (proc(5); 100 on all of Linux' platforms).
const TICKS: f64 = 100.0;

/// A server in a process of its own.
pub(crate) struct Server {
    child: Child,
    target: Target,
    ready: Duration,
}

/// A directory with `tls.crt` and `tls.key` for localhost.
pub(crate) fn certificate() -> TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let key = KeyPair::generate().expect("a key");
    let parameters = CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
    let pem = parameters.self_signed(&key).expect("a certificate").pem();
    fs::write(directory.path().join("tls.crt"), pem).expect("written");
    fs::write(directory.path().join("tls.key"), key.serialize_pem()).expect("written");
    directory
}

impl Server {
    pub(crate) fn meshgate(certificate: &TempDir) -> Self {
        Self::with(certificate, &["--mode", "warn"].map(OsString::from))
    }

    /// The same with these arguments.
    pub(crate) fn with(certificate: &TempDir, arguments: &[OsString]) -> Self {
        let mut command = Command::new(MESHGATE);
        command.args(["serve", "--listen", "127.0.0.1:0", "--listen-admin", "127.0.0.1:0"]).args(arguments);
        command.arg("--tls-cert-file").arg(certificate.path().join("tls.crt"));
        command.arg("--tls-private-key-file").arg(certificate.path().join("tls.key"));
        // A line for each review is what an operator has too, and nobody reads it here.
        Self::start(command, certificate, |said| {
            let webhook = address(said, "https://", ',');
            let admin = address(said, "http://", '\n');
            while !is_ready(admin) {
                thread::sleep(Duration::from_millis(1));
            }
            webhook
        })
    }

    pub(crate) fn baseline(certificate: &TempDir) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("a path"));
        command.arg("baseline").arg(certificate.path());
        Self::start(command, certificate, |said| address(said, "https://", '\n'))
    }

    fn start(
        mut command: Command,
        certificate: &TempDir,
        ready: impl Fn(&mut BufReader<ChildStderr>) -> SocketAddr,
    ) -> Self {
        let began = Instant::now();
        let mut child = command.stderr(Stdio::piped()).spawn().expect("a process");
        let mut said = BufReader::new(child.stderr.take().expect("piped"));
        let address = ready(&mut said);
        let ready = began.elapsed();
        thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        Self { child, target: Target { address, tls: trusting(certificate) }, ready }
    }

    pub(crate) fn target(&self) -> Target {
        self.target.clone()
    }

    pub(crate) fn ready_ms(&self) -> u128 {
        self.ready.as_millis()
    }

    pub(crate) fn binary_kib(&self) -> u64 {
        fs::metadata(MESHGATE).map_or(0, |metadata| metadata.len() / 1_024)
    }

    /// What the process has used of all cores.
    pub(crate) fn cpu(&self) -> Duration {
        let stat = self.proc("stat");
        // The second field is the name in parentheses, and may hold anything (proc(5)).
        let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        let ticks: f64 = fields.skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
        Duration::from_secs_f64(ticks / TICKS)
    }

    pub(crate) fn rss_kib(&self) -> u64 {
        let status = self.proc("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        line.split_whitespace().next().and_then(|text| text.parse().ok()).unwrap_or_default()
    }

    fn proc(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).expect("the server runs")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The address in the next line that is said.
fn address(said: &mut BufReader<ChildStderr>, scheme: &str, end: char) -> SocketAddr {
    let mut line = String::new();
    said.read_line(&mut line).expect("a line");
    let address = line.split(scheme).nth(1).and_then(|rest| rest.split(end).next());
    address.and_then(|text| text.trim().parse().ok()).unwrap_or_else(|| panic!("{line}"))
}

fn is_ready(admin: SocketAddr) -> bool {
    let Ok(mut socket) = TcpStream::connect(admin) else { return false };
    let mut text = String::new();
    let asked = socket.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    asked.is_ok() && socket.read_to_string(&mut text).is_ok() && text.starts_with("HTTP/1.1 200")
}

fn trusting(certificate: &TempDir) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let pem = CertificateDer::from_pem_file(certificate.path().join("tls.crt")).expect("a certificate");
    roots.add(pem).expect("an authority");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Arc::new(config.expect("TLS").with_root_certificates(roots).with_no_client_auth())
}
