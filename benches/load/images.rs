//! Five hundred Pods of twenty images, of which sixteen are signed by whom the policies trust, two by somebody else, and
//! two by nobody; signed by cosign with keys, in a registry in a process of its own that is 50 ms away.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::Client;
use crate::far::{Far, LATENCY};
use crate::programs::{Kind, Program, Signer, tools};
use crate::server::{self, Server};

const PODS: usize = 500;
const IMAGES: usize = 20;
/// The first of those that somebody else signed, and of those that nobody did.
const FOREIGN: usize = 16;
const UNSIGNED: usize = 18;
/// As many as an API server asks at once when it is asked for many Pods.
const CONNECTIONS: usize = 64;

const HEAD: &str = "apiVersion: meshgate.io/v1alpha1\n";
const BINDINGS: &str = "kind: PolicyBinding\nmetadata: {name: signed}\nspec: {policy: images/require_signature, enforcement: deny}\n---\napiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {name: pinned}\nspec: {policy: images/pin_digest, enforcement: deny}\n";
const BUNDLE: &str = "kind: Bundle\nmetadata: {name: b}\nspec: {includes: [images], defaultMode: deny}\n";

/// What came of one Pod.
struct Judged {
    took: Duration,
    /// What was said of it: None where neither yes nor no was.
    allowed: Option<bool>,
}

/// As an API server asks: it connects anew where a connection ended, and comes again after a 503.
struct Asker<'a> {
    server: &'a Server,
    client: Option<Client>,
}

/// How often it comes again, and after how long.
const RETRIES: usize = 2;
const AGAIN: Duration = Duration::from_secs(1);

/// Asks a server about one Pod.
type Ask<'a> = &'a (dyn Fn(&mut Asker<'_>, usize) -> Judged + Sync);

pub(crate) fn run() {
    let Some(tools) = tools() else { return };
    let registry = Program::start(Kind::Referrers, &tools).expect("it comes with the tools");
    let far = Far::before(&registry.address);
    let (signer, other) = (Signer::new(&tools), Signer::new(&tools));
    let digests: Vec<String> = (0..IMAGES).map(|index| image(&registry, index, &signer, &other)).collect();
    println!(
        "{PODS} Pods of {IMAGES} images, {CONNECTIONS} connections, a registry {} ms away",
        LATENCY.as_millis()
    );
    let key = fs::read_to_string(signer.directory.path().join("cosign.pub")).expect("a key");
    let folder = configured(&far.address.to_string(), &key);
    let certificate = server::certificate();
    let name = |pod: usize| format!("{}/app{}@{}", far.address, pod % IMAGES, digests[pod % IMAGES]);
    let by_digest = |asker: &mut Asker<'_>, pod: usize| validated(asker, pod, &name(pod));
    let by_tag = |asker: &mut Asker<'_>, pod: usize| {
        let began = Instant::now();
        let tag = format!("{}/app{}:v1", far.address, pod % IMAGES);
        let name = pinned(asker, pod, &tag);
        let allowed = name.and_then(|name| validated(asker, pod, &name).allowed);
        Judged { took: began.elapsed(), allowed }
    };
    let kinds: [(&str, Ask<'_>); 2] =
        [("by digest: /validate", &by_digest), ("by tag: /mutate and /validate", &by_tag)];
    for (kind, ask) in kinds {
        let server = Server::with(&certificate, &arguments(folder.path()));
        for cache in ["cold", "warm"] {
            let all = judged(&server, ask);
            told(&format!("{kind}, {cache}"), &all, far.calls());
        }
        println!("RSS {} KiB", server.rss_kib());
    }
}

/// Makes an image and signs it, or not; gives its digest.
fn image(registry: &Program, index: usize, signer: &Signer, other: &Signer) -> String {
    let name = signer.image(&registry.address, &format!("app{index}"));
    match index {
        ..FOREIGN => signer.sign(&name, index % 2 == 1),
        FOREIGN..UNSIGNED => other.sign(&name, index % 2 == 1),
        _ => {}
    }
    name.split_once('@').expect("a digest").1.to_owned()
}

/// Policies that trust a key, and a configuration that names the registry.
fn configured(host: &str, key: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a directory");
    let trust = format!(
        "kind: ImageTrust\nauthorities: {{release: {{key: {{files: [k.pub], transparencyLog: none}}}}}}\nrules: [{{name: all, images: ['{host}/**'], require: {{of: [release]}}, enforcement: deny}}]\n"
    );
    let configuration =
        format!("kind: Configuration\nimages: {{registries: [{{host: '{host}', plaintext: true}}]}}\n");
    fs::create_dir(folder.path().join("p")).expect("made");
    fs::write(folder.path().join("p/k.pub"), key).expect("written");
    for (file, text) in [
        ("p/trust.yaml", trust.as_str()),
        ("p/bindings.yaml", BINDINGS),
        ("p/bundle.yaml", BUNDLE),
        ("meshgate.yaml", &configuration),
    ] {
        fs::write(folder.path().join(file), format!("{HEAD}{text}")).expect("written");
    }
    folder
}

fn arguments(folder: &Path) -> Vec<OsString> {
    let (policies, configuration) = (folder.join("p"), folder.join("meshgate.yaml"));
    let words = ["--mode", "deny", "-p"].map(OsString::from);
    let rest = [policies.into(), "--config".into(), configuration.into()];
    words.into_iter().chain(rest).collect()
}

/// Every Pod once, as many at a time as there are connections.
fn judged(server: &Server, ask: Ask<'_>) -> Vec<(usize, Judged)> {
    let next = AtomicUsize::new(0);
    let connection = || {
        let mut asker = Asker { server, client: None };
        let pods = std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::SeqCst)).filter(|pod| *pod < PODS));
        pods.map(|pod| (pod, ask(&mut asker, pod))).collect::<Vec<_>>()
    };
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(connection)).collect();
        all.into_iter().flat_map(|one| one.join().expect("a client ends")).collect()
    })
}

fn validated(asker: &mut Asker<'_>, pod: usize, image: &str) -> Judged {
    let began = Instant::now();
    let answer = answered(asker, "/validate?timeout=10s", pod, image);
    let code = answer.pointer("/response/status/code").and_then(Value::as_u64);
    // A denial for want of an answer is none of the image.
    let allowed = match answer.pointer("/response/allowed") {
        Some(Value::Bool(true)) => Some(true),
        Some(Value::Bool(false)) if code == Some(403) => Some(false),
        _ => None,
    };
    Judged { took: began.elapsed(), allowed }
}

/// The image as `/mutate` pins it.
fn pinned(asker: &mut Asker<'_>, pod: usize, image: &str) -> Option<String> {
    let answer = answered(asker, "/mutate?timeout=10s", pod, image);
    let patch = STANDARD.decode(answer.pointer("/response/patch")?.as_str()?).ok()?;
    let patch: Value = serde_json::from_slice(&patch).ok()?;
    let texts = patch.as_array()?.iter().filter_map(|one| one.get("value")?.as_str());
    texts.filter(|text| text.contains("@sha256:")).map(str::to_owned).next()
}

/// Null where it is no answer.
fn answered(asker: &mut Asker<'_>, path: &str, pod: usize, image: &str) -> Value {
    let spec = json!({ "containers": [{ "name": "app", "image": image }] });
    let name = format!("app-{pod}");
    let object = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name, "namespace": "shop" }, "spec": spec });
    asker.ask(path, crate::review_of(&name, object).to_string().as_bytes())
}

impl Asker<'_> {
    fn ask(&mut self, path: &str, review: &[u8]) -> Value {
        for _ in 0..=RETRIES {
            let client = self.client.take().map_or_else(|| Client::connect(&self.server.target()), Ok);
            let answer = client.and_then(|mut one| one.ask(path, review).map(|answer| (one, answer)));
            let Ok((client, answer)) = answer else { continue };
            self.client = (!answer.is_last).then_some(client);
            match answer.status {
                200 => return serde_json::from_slice(&answer.body).unwrap_or_default(),
                503 => std::thread::sleep(AGAIN),
                _ => return Value::Null,
            }
        }
        Value::Null
    }
}

fn told(name: &str, all: &[(usize, Judged)], calls: usize) {
    let count = |is: &dyn Fn(usize, Option<bool>) -> bool| {
        all.iter().filter(|(pod, one)| is(*pod, one.allowed)).count()
    };
    let is_good = |pod: usize| pod % IMAGES < FOREIGN;
    let mut times: Vec<Duration> = all.iter().map(|(_, one)| one.took).collect();
    times.sort();
    let at = |per_cent: usize| times[(times.len() * per_cent / 100).min(times.len() - 1)].as_secs_f64() * 1e3;
    println!(
        "{name}: {calls} registry calls; p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms; {} allowed, {} denied; wrong: {} denied, {} allowed, {} without an answer",
        at(50),
        at(99),
        at(100),
        count(&|_, said| said == Some(true)),
        count(&|_, said| said == Some(false)),
        count(&|pod, said| is_good(pod) && said == Some(false)),
        count(&|pod, said| !is_good(pod) && said == Some(true)),
        count(&|_, said| said.is_none()),
    );
}
