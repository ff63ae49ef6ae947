//! An API server that does what a real one does seldom: it refuses, forgets, and takes its time.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// What is answered: lines of JSON, one after the other.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) lines: Vec<Value>,
    /// Whether the answer then stays open, as that of a watch does.
    pub(crate) holds: bool,
}

/// Answers a request by its path and query.
pub(crate) type Script = dyn Fn(&str) -> Reply + Send + Sync;

pub(crate) struct Fake {
    _folder: tempfile::TempDir,
    pub(crate) kubeconfig: PathBuf,
    /// The requests so far.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    /// Access reviews are all allowed, and no watch shows a Namespace; `script` answers the rest.
    pub(crate) fn start(script: Arc<Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        let folder = tempfile::tempdir().unwrap();
        let kubeconfig = folder.path().join("kubeconfig");
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "a", "users": [{ "name": "a", "user": {} }],
            "clusters": [{ "name": "a", "cluster": { "server": server } }],
            "contexts": [{ "name": "a", "context": { "cluster": "a", "user": "a" } }],
        });
        std::fs::write(&kubeconfig, config.to_string()).unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (script, noted) = (Arc::clone(&script), Arc::clone(&noted));
                thread::spawn(move || answer(stream.unwrap(), &*script, &noted));
            }
        });
        Self { _folder: folder, kubeconfig, asked }
    }

    /// What was asked for below a path.
    pub(crate) fn asked(&self, path: &str) -> Vec<String> {
        self.asked.lock().unwrap().iter().filter(|asked| asked.starts_with(path)).cloned().collect()
    }
}

fn answer(mut stream: TcpStream, script: &Script, noted: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        head.push(line);
    }
    let length = head
        .iter()
        .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    let Some(path) = head.first().and_then(|line| line.split(' ').nth(1)).map(str::to_owned) else { return };
    noted.lock().unwrap().push(path.clone());
    let reply = match path.as_str() {
        path if path.contains("selfsubjectaccessreviews") => Reply {
            status: 201,
            lines: vec![json!({ "spec": {}, "status": { "allowed": true } })],
            holds: false,
        },
        path if path.starts_with("/api/v1/namespaces?") => watched(&[], "1"),
        path => script(path),
    };
    let head =
        format!("HTTP/1.1 {} x\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n", reply.status);
    let lines: String = reply.lines.iter().map(|line| format!("{line}\n")).collect();
    // Who no longer listens is no matter.
    let sent = stream.write_all(format!("{head}{lines}").as_bytes());
    while reply.holds && sent.is_ok() {
        thread::sleep(Duration::from_secs(60));
    }
}

pub(crate) fn object(name: &str, version: &str) -> Value {
    json!({ "metadata": { "name": name, "namespace": "shop", "resourceVersion": version } })
}

/// A listing as a stream, which goes on as a watch.
pub(crate) fn watched(names: &[&str], version: &str) -> Reply {
    let added = names.iter().map(|name| json!({ "type": "ADDED", "object": object(name, version) }));
    let annotations = json!({ "k8s.io/initial-events-end": "true" });
    let metadata = json!({ "resourceVersion": version, "annotations": annotations });
    let end =
        json!({ "type": "BOOKMARK", "object": { "kind": "x", "apiVersion": "v1", "metadata": metadata } });
    Reply { status: 200, lines: added.chain([end]).collect(), holds: true }
}

/// A page of a listing.
pub(crate) fn page(names: &[&str], version: &str, next: &str) -> Reply {
    let items: Vec<Value> = names.iter().map(|name| object(name, version)).collect();
    let metadata = json!({ "resourceVersion": version, "continue": next });
    let list = json!({ "kind": "List", "apiVersion": "v1", "metadata": metadata, "items": items });
    Reply { status: 200, lines: vec![list], holds: false }
}

pub(crate) fn refused(code: u16, message: &str) -> Reply {
    let status = json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": "x", "code": code });
    Reply { status: code, lines: vec![status], holds: false }
}

/// A watch that goes on with these events.
pub(crate) fn events(events: Vec<Value>, holds: bool) -> Reply {
    Reply { status: 200, lines: events, holds }
}
