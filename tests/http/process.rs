//! The program's own server, as an operator runs it: certificate files, and a signal to stop.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::{JoinHandle, spawn};
use std::time::Instant;

use rcgen::{CertificateParams, KeyPair};

use crate::client::{Client, good_spec, review};
use crate::server::get;

/// `meshgate serve` on a free port.
pub(crate) struct Process {
    child: Child,
    /// Reads the log, so that it does not fill its pipe, and gives it at the end.
    log: Option<JoinHandle<String>>,
    pub(crate) client: Client,
    /// Where health and metrics are.
    pub(crate) admin: SocketAddr,
    _certificate: tempfile::TempDir,
}

impl Process {
    /// Starts it with a certificate from files and these flags.
    pub(crate) fn start(flags: &[&str]) -> Self {
        let certificate = tempfile::tempdir().unwrap();
        let pem = write_certificate(certificate.path());
        let mut command = Command::new(env!("CARGO_BIN_EXE_meshgate"));
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--listen-admin", "127.0.0.1:0", "--tls-cert-file"])
            .arg(certificate.path().join("tls.crt"));
        command.arg("--tls-private-key-file").arg(certificate.path().join("tls.key")).args(flags);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut address = |scheme: &str, end: char| {
            let mut line = String::new();
            said.read_line(&mut line).unwrap();
            let address = line.split(scheme).nth(1).and_then(|rest| rest.split(end).next());
            address.and_then(|address| address.parse().ok()).unwrap_or_else(|| panic!("{line}"))
        };
        let (webhook, admin) = (address("https://", ','), address("http://", '\n'));
        let client = Client::connect(webhook, &pem);
        let log = spawn(move || {
            let mut log = String::new();
            said.read_to_string(&mut log).unwrap();
            log
        });
        Self { child, log: Some(log), client, admin, _certificate: certificate }
    }

    /// Tells it to stop; gives its exit code and the rest of its log.
    pub(crate) fn stop(&mut self, signal: &str) -> (Option<i32>, String) {
        self.signal(signal);
        self.ended()
    }

    fn signal(&self, signal: &str) {
        let kill = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(kill.success());
    }

    fn ended(&mut self) -> (Option<i32>, String) {
        (self.child.wait().unwrap().code(), self.log.take().unwrap().join().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended already where a test stopped it.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// `tls.crt` and `tls.key` for localhost; the certificate's text.
fn write_certificate(directory: &Path) -> String {
    let key = KeyPair::generate().unwrap();
    let parameters = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let pem = parameters.self_signed(&key).unwrap().pem();
    std::fs::write(directory.join("tls.crt"), &pem).unwrap();
    std::fs::write(directory.join("tls.key"), key.serialize_pem()).unwrap();
    pem
}

#[test]
fn a_signal_ends_it_with_0_after_it_has_answered() {
    // Who presses Ctrl-C does not want to wait until nobody sends anything here any more.
    for (signal, least, most) in [("-INT", 0, 10), ("-TERM", 15, 25)] {
        let mut process = Process::start(&[]);
        let body = review("1", "shop", &good_spec());
        assert_eq!(process.client.review("/validate", &body).status, 200);
        let metrics = get(process.admin, "/metrics").1;
        assert!(metrics.contains("\nmeshgate_certificate_expiry_seconds{use=\"serving\"} "), "{metrics}");
        let began = Instant::now();
        process.signal(signal);
        // What an API server keeps open without using it would be waited for.
        if signal == "-TERM" {
            while get(process.admin, "/livez").0 == 200 && get(process.admin, "/readyz").0 == 200 {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            let response = process.client.review("/validate", &body);
            assert_eq!((response.status, response.header("connection")), (200, Some("close")));
        }
        let (code, log) = process.ended();
        let seconds = began.elapsed().as_secs();
        assert!(code == Some(0) && (least..=most).contains(&seconds), "{signal}: {seconds} s: {log}");
        assert!(log.contains("\"message\":\"stopping\""), "{log}");
        assert!(process.client.ends());
    }
}

#[test]
fn a_certificate_that_is_none_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("tls.crt"), folder.path().join("tls.key"));
    std::fs::write(&certificate, "no certificate").unwrap();
    std::fs::write(&key, "no key").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshgate"));
    command.args(["serve", "--tls-cert-file"]).arg(&certificate).arg("--tls-private-key-file").arg(&key);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("tls.crt holds no certificate in PEM form"), "{said}");
}
