//! The program as it is run: by its own registries and authorities, in a server, in a dry run, and for one image.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use meshgate::image::Digest;
use meshgate::outbound::{Client, Request, Settings, Url};
use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::compiled::HEAD;
use crate::kit::{Holds, INDEX, MANIFEST, Said, index};
use crate::server::Server;
use crate::sigstore::{self as kit, SIGNED, statement};

pub(crate) const BINDING: &str = "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {name: signed}\nspec: {policy: images/require_signature, enforcement: deny}\n---\napiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {name: pinned}\nspec: {policy: images/pin_digest, enforcement: deny}\n";
pub(crate) const BUNDLE: &str = "apiVersion: meshgate.io/v1alpha1\nkind: Bundle\nmetadata: {name: b}\nspec: {includes: [images], defaultMode: deny}\n";

/// A registry with `app:v1`, which is signed, and `app:v2`, which is not; policies that trust the key; configurations.
pub(crate) struct Place {
    pub(crate) registry: Server,
    pub(crate) folder: TempDir,
    pub(crate) signed: Digest,
}

impl Place {
    fn new() -> Self {
        Self::with(|_, _, _| {})
    }

    /// The same, with more of the image `app:v1`.
    pub(crate) fn with(more: impl FnOnce(&Holds, &sigstore_crypto::KeyPair, &Digest)) -> Self {
        let (holds, key, folder) = (Holds::default(), kit::key(), tempfile::tempdir().unwrap());
        let signed = holds.image();
        let other =
            json!({ "schemaVersion": 2, "mediaType": MANIFEST, "layers": [], "annotations": {"v": "2"} });
        holds.document("v2", MANIFEST, &other);
        let bundle = kit::key_bundle(&key, &statement(&signed, SIGNED, json!({})), None).to_string();
        let entry = holds.referrer(&signed, &bundle, Some(SIGNED));
        let said = Said::of(200, &[("content-type", INDEX)], index(&[entry]));
        holds.put(format!("/v2/app/referrers/{signed}"), said);
        more(&holds, &key, &signed);
        Self::of(holds.serve(), &key, signed, folder)
    }

    /// Policies and a configuration for a registry.
    pub(crate) fn of(
        registry: Server,
        key: &sigstore_crypto::KeyPair,
        signed: Digest,
        folder: TempDir,
    ) -> Self {
        let host = registry.address;
        let trust = format!(
            "{HEAD}authorities: {{vendor: {{key: {{files: [k.pub], transparencyLog: none}}}}}}\nrules: [{{name: all, images: ['{host}/**', '127.0.0.1:1/**'], require: {{of: [vendor]}}, enforcement: deny}}]\n"
        );
        let configuration = format!(
            "apiVersion: meshgate.io/v1alpha1\nkind: Configuration\nimages: {{registries: [{{host: '{host}', plaintext: true}}]}}\n"
        );
        let pem = kit::pem_of(key);
        let files = [
            ("p/trust.yaml", trust.as_str()),
            ("p/k.pub", &pem),
            ("p/binding.yaml", BINDING),
            ("p/bundle.yaml", BUNDLE),
            ("other.pub", &kit::pem_of(&kit::key())),
            ("meshgate.yaml", &configuration),
        ];
        fs::create_dir(folder.path().join("p")).unwrap();
        files.iter().for_each(|(name, text)| fs::write(folder.path().join(name), text).unwrap());
        Self { registry, folder, signed }
    }

    pub(crate) fn image(&self, tag: &str) -> String {
        format!("{}/app:{tag}", self.registry.address)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meshgate"));
        command.current_dir(self.folder.path()).env("DOCKER_CONFIG", self.folder.path()).args(arguments);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let Output { status, stdout, stderr } = self.command(arguments).output().unwrap();
        (status.code(), format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr)))
    }
}

pub(crate) fn pod(image: &str) -> Value {
    let spec = json!({ "containers": [{ "name": "web", "image": image }] });
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "web", "namespace": "shop" }, "spec": spec })
}

/// `meshgate serve`; it ends with this value.
pub(crate) struct Serving {
    child: Child,
    url: Url,
    client: Client,
    /// What it logs.
    said: Arc<Mutex<Vec<u8>>>,
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Serving {
    /// The number of its process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// What was logged so far.
    pub(crate) fn logged(&self) -> String {
        String::from_utf8_lossy(&self.said.lock().unwrap()).into_owned()
    }

    pub(crate) fn start(place: &Place, flags: &[&str]) -> Self {
        let pem = certificate(place.folder.path());
        let fixed = ["serve", "--plain", "-p", "p", "--mode", "deny", "--listen", "127.0.0.1:0"];
        let mut command = place.command(&fixed);
        command.args(["--listen-admin", "127.0.0.1:0"]);
        command.args(["--tls-cert-file", "tls.crt", "--tls-private-key-file", "tls.key"]).args(flags);
        command.envs(std::env::var("MESHGATE_LOG").is_err().then_some(("MESHGATE_LOG", "trace")));
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut reader = BufReader::new(child.stderr.take().unwrap());
        let said: Arc<Mutex<Vec<u8>>> = Arc::default();
        let port = loop {
            let mut line = String::new();
            assert_ne!(
                reader.read_line(&mut line).unwrap(),
                0,
                "it ended: {}",
                String::from_utf8_lossy(&said.lock().unwrap())
            );
            said.lock().unwrap().extend_from_slice(line.as_bytes());
            let port = line.split("https://").nth(1).and_then(|rest| rest.split([',', '\n', '/']).next());
            if let Some(port) = port {
                break port.trim().to_owned();
            }
        };
        let url = Url::parse(&format!("https://{port}/")).unwrap();
        // So that it never waits for somebody to read its log.
        let log = Arc::clone(&said);
        std::thread::spawn(move || {
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
                log.lock().unwrap().append(&mut line);
            }
        });
        let settings = Settings { authorities: Some(pem.into_bytes()), ..Settings::default() };
        Self { child, url, client: Client::new(&settings).unwrap(), said }
    }

    /// What Prometheus would read.
    pub(crate) async fn metrics(&self) -> String {
        let log = self.logged();
        let admin = log.split("Health and metrics are on ").nth(1).and_then(|rest| rest.lines().next());
        let url = Url::parse(&format!("{}/metrics", admin.unwrap_or_else(|| panic!("{log}")))).unwrap();
        let response = self.client.send(Request::get(&url, Instant::now() + Duration::from_secs(30))).await;
        String::from_utf8(response.unwrap().body.read(1 << 22).await.unwrap().to_vec()).unwrap()
    }

    /// The code of the answer, 200 where the Pod is let in, and its message.
    pub(crate) async fn asked(&self, image: &str) -> (u64, String) {
        self.judged("shop", &pod(image)).await
    }

    /// The same of a Pod in a namespace.
    pub(crate) async fn judged(&self, namespace: &str, pod: &Value) -> (u64, String) {
        self.judged_at("/validate?timeout=20s", namespace, pod).await
    }

    /// The same of one of the webhooks, with its timeout.
    pub(crate) async fn judged_at(&self, path: &str, namespace: &str, pod: &Value) -> (u64, String) {
        let review = json!({
            "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
            "request": {
                "uid": "1", "operation": "CREATE", "namespace": namespace, "name": "web",
                "kind": { "group": "", "version": "v1", "kind": "Pod" },
                "resource": { "group": "", "version": "v1", "resource": "pods" },
                "userInfo": { "username": "ann" }, "object": pod, "dryRun": false,
            },
        });
        let until = Instant::now() + Duration::from_secs(30);
        let url = self.url.at(path).unwrap();
        let request = Request::post(&url, until, review.to_string());
        let response = self.client.send(request.header("content-type", "application/json")).await.unwrap();
        assert_eq!(response.status, 200);
        let answer: Value = serde_json::from_slice(&response.body.read(1 << 20).await.unwrap()).unwrap();
        let response = &answer["response"];
        let code = if response["allowed"] == true { Some(200) } else { response["status"]["code"].as_u64() };
        (code.unwrap(), response["status"]["message"].as_str().unwrap_or_default().to_owned())
    }
}

/// `tls.crt` and `tls.key`, the same for all who serve from there; the certificate's text.
fn certificate(folder: &Path) -> String {
    if let Ok(known) = fs::read_to_string(folder.join("tls.crt")) {
        return known;
    }
    let key = KeyPair::generate().unwrap();
    let pem = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap().pem();
    fs::write(folder.join("tls.crt"), &pem).unwrap();
    fs::write(folder.join("tls.key"), key.serialize_pem()).unwrap();
    pem
}

#[tokio::test]
async fn a_server_lets_in_what_is_signed_and_nothing_else() {
    let place = Place::new();
    let serving = Serving::start(&place, &["--config", "meshgate.yaml"]);
    let signed = format!("{}@{}", place.image("v1"), place.signed);
    assert_eq!(serving.asked(&signed).await, (200, String::new()));
    let (code, message) = serving.asked(&place.image("v1")).await;
    assert!(code == 403 && message.contains("it has no digest"), "{message}");
    let (code, message) = serving.asked(&format!("{}@{}", place.image("v2"), Digest::of(b"v2"))).await;
    assert!(
        code == 403 && message.contains("has not what the signature of \"vendor\" would say"),
        "{message}"
    );
    let (code, message) = serving.asked(&place.image("v3")).await;
    assert!(code == 403 && message.contains("can't be verified"), "{message}");
    // A registry that may not be asked is not: here nobody listens, and nobody notices.
    let (code, message) = serving.asked("127.0.0.1:1/app:v1").await;
    assert!(code == 403 && message.contains("can't be verified"), "{message}");
    // The same again costs nothing, and the tag itself alone: what lies beside the digest is known.
    let before = place.registry.asked().len();
    assert_eq!(serving.asked(&signed).await.0, 200);
    assert_eq!(place.registry.asked().len(), before);
    assert_eq!(serving.asked(&place.image("v1")).await.0, 403);
    assert_eq!(place.registry.asked().len() - before, 1);
}

#[tokio::test]
async fn two_processes_know_nothing_of_each_other() {
    let place = Place::new();
    let serve = || Serving::start(&place, &["--config", "meshgate.yaml"]);
    let (one, other) = (serve(), serve());
    let signed = format!("{}@{}", place.image("v1"), place.signed);
    let unsigned = format!("{}@{}", place.image("v2"), Digest::of(b"v2"));
    let many = async |server: &Serving| {
        let all = futures_util::future::join_all((0..8).map(|_| server.asked(&signed))).await;
        assert!(all.iter().all(|(code, _)| *code == 200), "{all:?}");
        server.asked(&unsigned).await
    };
    let said = many(&one).await;
    assert_eq!(said.0, 403);
    let reads = place.registry.asked().len();
    // What one has read and verified the other reads and verifies for itself, and says the same.
    assert_eq!(many(&other).await, said);
    assert_eq!(place.registry.asked().len(), 2 * reads);
    drop(one);
    assert_eq!(many(&other).await, said);
    assert_eq!(place.registry.asked().len(), 2 * reads, "nothing went with the other process");
}

#[tokio::test]
async fn a_server_without_registries_lets_in_no_image_that_has_to_be_signed() {
    let place = Place::new();
    let serving = Serving::start(&place, &[]);
    let (code, message) = serving.asked(&place.image("v1")).await;
    assert!(code == 500 && message.contains("images/require_signature"), "{message}");
    assert_eq!(place.registry.asked().len(), 0);
}

#[test]
fn a_dry_run_asks_registries() {
    let place = Place::new();
    let judged = |tag: &str, more: &[&str]| {
        fs::write(place.folder.path().join("pod.json"), pod(&place.image(tag)).to_string()).unwrap();
        place.run(&[&["check", "-p", "p", "--mode", "deny", "pod.json"], more].concat())
    };
    for more in [&[][..], &["--images", "registry"]] {
        let (code, said) = judged("v1", more);
        assert_eq!(code, Some(0), "{said}");
        let (code, said) = judged("v2", more);
        assert!(code == Some(1) && said.contains("the signature of \"vendor\""), "{said}");
    }
    let asked = place.registry.asked().len();
    let (code, said) = judged("v2", &["--images", "skip"]);
    assert!(code == Some(0) && said.contains("not judged"), "{said}");
    assert_eq!(place.registry.asked().len(), asked);
}

#[test]
fn images_verify_tells_who_signed() {
    let place = Place::new();
    let (signed, unsigned) = (place.image("v1"), place.image("v2"));
    let verify = |arguments: &[&str]| place.run(&[&["images", "verify"], arguments].concat());
    let by_key = |key: &str, image: &str| verify(&[image, "--key", key, "--insecure-ignore-tlog"]);
    let (code, said) = verify(&[&signed, "-p", "p"]);
    assert!(code == Some(0) && said.contains(&place.signed.to_string()), "{said}");
    assert!(said.contains("signature") && said.contains("vendor  bundle  key sha256:"), "{said}");
    assert_eq!(verify(&[&signed, "-p", "p", "--authority", "vendor"]).0, Some(0));
    assert_eq!(verify(&[&signed, "-p", "p", "--authority", "nobody"]).0, Some(2));
    assert_eq!(by_key("p/k.pub", &signed).0, Some(0));
    let (code, said) = by_key("other.pub", &signed);
    assert!(code == Some(1) && said.contains("refused") && said.contains("signature"), "{said}");
    let (code, said) = verify(&[&unsigned, "-p", "p"]);
    assert!(code == Some(1) && said.contains("nothing that counts by vendor"), "{said}");
    // Nobody answers; the worst of several is the exit code.
    assert_eq!(verify(&[&signed, "127.0.0.1:1/app:v1", "-p", "p"]).0, Some(3));
    let (code, said) = verify(&[&signed, &unsigned, "-p", "p", "-o", "json"]);
    let said: Value = serde_json::from_str(&said).unwrap();
    let verdicts: Vec<&Value> =
        said["images"].as_array().unwrap().iter().map(|one| &one["verdict"]).collect();
    assert_eq!((code, verdicts), (Some(1), vec![&json!("verified"), &json!("unverified")]));
}
