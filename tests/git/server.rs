//! The real `git http-backend` behind TLS, asked for a user and a password, and the faults of such servers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// `Basic` of `git:secret`.
const AUTHORIZATION: &str = "Basic Z2l0OnNlY3JldA==";

/// What the server does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// As it should.
    Good,
    /// Answers with this status, and perhaps a header.
    Status(u16, &'static str),
    /// Ends in the middle of an answer.
    Cuts,
    /// Sends for ever.
    Endless,
    /// Goes away without a word.
    Closes,
    /// Sends for ever where a pack is wanted.
    EndlessPack,
    /// The same, a line now and then.
    SlowPack,
}

pub(crate) struct GitServer {
    pub(crate) address: SocketAddr,
    pub(crate) manner: Arc<Mutex<Manner>>,
    /// The certificate, as PEM.
    pub(crate) pem: String,
    /// When each request came.
    asked: Arc<Mutex<Vec<Instant>>>,
}

impl GitServer {
    /// Serves the repositories below a folder.
    pub(crate) fn start(root: &Path) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
        let chain = vec![CertificateDer::from(certificate.der().to_vec())];
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let manner = Arc::new(Mutex::new(Manner::Good));
        let asked = Arc::<Mutex<Vec<Instant>>>::default();
        let (root, of_all, times) = (root.to_owned(), Arc::clone(&manner), Arc::clone(&asked));
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                times.lock().unwrap().push(Instant::now());
                let (config, root, manner) = (Arc::clone(&config), root.clone(), Arc::clone(&of_all));
                thread::spawn(move || {
                    let stream = StreamOwned::new(ServerConnection::new(config).unwrap(), socket);
                    let manner = manner.lock().unwrap().clone();
                    // A client that goes away is no fault of the server.
                    drop(answer(stream, &root, &manner));
                });
            }
        });
        Self { address, manner, pem: certificate.pem(), asked }
    }

    pub(crate) fn url(&self) -> String {
        format!("https://localhost:{}/policies.git", self.address.port())
    }

    /// When it was asked, each time.
    pub(crate) fn asked(&self) -> Vec<Instant> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn behaves(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }
}

type Stream = StreamOwned<ServerConnection, TcpStream>;

struct Asked {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Asked {
    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

fn read(stream: &mut Stream) -> std::io::Result<Asked> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (path, query) = (path.to_owned(), query.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let mut asked = Asked { method, path, query, headers, body: Vec::new() };
    let length: u64 = asked.header("content-length").parse().unwrap_or(0);
    reader.take(length).read_to_end(&mut asked.body)?;
    Ok(asked)
}

fn answer(mut stream: Stream, root: &Path, manner: &Manner) -> std::io::Result<()> {
    let asked = read(&mut stream)?;
    let wants_pack = asked.body.windows(13).any(|some| some == b"command=fetch");
    if *manner == Manner::Closes {
        return Ok(());
    }
    if asked.header("authorization") != AUTHORIZATION {
        stream.write_all(
            b"HTTP/1.1 401 x\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        )?;
    } else {
        match manner {
            Manner::Status(status, header) => {
                let head =
                    format!("HTTP/1.1 {status} x\r\n{header}Content-Length: 0\r\nConnection: close\r\n\r\n");
                stream.write_all(head.as_bytes())?;
            }
            Manner::Endless => {
                let kind = "application/x-git-upload-pack-advertisement";
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n001e# service=git-upload-pack\n"
                );
                stream.write_all(head.as_bytes())?;
                let line = format!("ffef{}\n", "x".repeat(0xffea));
                loop {
                    stream.write_all(line.as_bytes())?;
                }
            }
            Manner::EndlessPack if wants_pack => promised(&mut stream, Duration::ZERO, &"x".repeat(0xff00))?,
            Manner::SlowPack if wants_pack => promised(&mut stream, Duration::from_millis(100), "soon\n")?,
            _ => {
                let (head, body) = backend(root, &asked)?;
                let length = body.len();
                let head = format!("HTTP/1.1 {head}Content-Length: {length}\r\nConnection: close\r\n\r\n");
                stream.write_all(head.as_bytes())?;
                let sent = if *manner == Manner::Cuts { length / 2 } else { length };
                stream.write_all(&body[..sent])?;
            }
        }
    }
    stream.conn.send_close_notify();
    stream.flush()
}

/// What comes before a pack (git, gitprotocol-v2, channel 2: what is told meanwhile), and never ends.
fn promised(stream: &mut Stream, pause: Duration, told: &str) -> std::io::Result<()> {
    let kind = "application/x-git-upload-pack-result";
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n000dpackfile\n");
    stream.write_all(head.as_bytes())?;
    let line = format!("{:04x}\x02{told}", told.len().saturating_add(5));
    loop {
        stream.write_all(line.as_bytes())?;
        thread::sleep(pause);
    }
}

/// What CGI says: the head, with its status, and the body.
fn backend(root: &Path, asked: &Asked) -> std::io::Result<(String, Vec<u8>)> {
    let mut command = Command::new("git");
    command.arg("http-backend").env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    command.env("GIT_PROJECT_ROOT", root).env("GIT_HTTP_EXPORT_ALL", "1").env("REMOTE_USER", "git");
    command
        .env("REQUEST_METHOD", &asked.method)
        .env("PATH_INFO", &asked.path)
        .env("QUERY_STRING", &asked.query);
    command
        .env("CONTENT_TYPE", asked.header("content-type"))
        .env("CONTENT_LENGTH", asked.body.len().to_string());
    command.env("GIT_PROTOCOL", asked.header("git-protocol")).env("HOME", root);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    child.stdin.take().unwrap().write_all(&asked.body)?;
    let said = child.wait_with_output()?.stdout;
    let end = said.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(said.len().saturating_sub(4));
    let head = String::from_utf8_lossy(&said[..end]).into_owned();
    let status = head.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK").to_owned();
    let rest = head.lines().filter(|line| !line.starts_with("Status: ")).map(|line| format!("{line}\r\n"));
    Ok((
        format!("{status}\r\n{}", rest.collect::<String>()),
        said.get(end.saturating_add(4)..).unwrap_or_default().to_vec(),
    ))
}

/// A bare copy of a repository, to which is pushed.
pub(crate) fn bare(work: &Path, root: &Path) -> PathBuf {
    let bare = root.join("policies.git");
    let status = Command::new("git").args(["clone", "-q", "--bare"]).arg(work).arg(&bare).status().unwrap();
    assert!(status.success());
    bare
}
