//! Certificates that end, and those that somebody else renews.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use meshgate::registration::CaBundle;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::balancer::Balancer;
use crate::environment::{Authority, Environment, Pair, wait_until};
use crate::installation::{Installed, account};
use crate::load::{by_the_starter_profile, under_load};
use crate::webhook::pod;

const MUTATING: &str =
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/meshgate-mutating";
const SECRET: &str = "/api/v1/namespaces/meshgate-system/secrets/meshgate-certificates";
const NAME: &str = "meshgate.meshgate-system.svc";

/// How soon a new certificate must be in use.
const RECOVERED: Duration = Duration::from_secs(10);

/// How long a certificate lives that is to end during a test.
const SHORT: Duration = Duration::from_secs(6);

/// Files are looked at each 0.4 s, and another certificate is shown when the API server has had 0.2 s to learn of it.
const PACE: &str = "0.04";

/// A directory as a kubelet mounts a Secret: links to what `..data` leads to.
struct Mounted {
    directory: PathBuf,
    version: usize,
}

impl Mounted {
    fn new(directory: PathBuf) -> Self {
        for name in ["tls.crt", "tls.key", "ca.crt"] {
            symlink(Path::new("..data").join(name), directory.join(name)).unwrap();
        }
        Self { directory, version: 0 }
    }

    /// Puts others in their place, all at once.
    fn swap(&mut self, authority: &Authority, pair: &Pair) {
        self.version += 1;
        let version = format!("..{}", self.version);
        let folder = self.directory.join(&version);
        std::fs::create_dir(&folder).unwrap();
        for (name, text) in
            [("tls.crt", &pair.certificate), ("tls.key", &pair.key), ("ca.crt", &authority.pem)]
        {
            std::fs::write(folder.join(name), text).unwrap();
        }
        symlink(&version, self.directory.join("..data_tmp")).unwrap();
        std::fs::rename(self.directory.join("..data_tmp"), self.directory.join("..data")).unwrap();
    }
}

/// What the API server trusts.
fn trusted(installed: &Installed) -> Option<CaBundle> {
    let configuration = installed.environment.admin.get(MUTATING).body;
    CaBundle::decode(configuration["webhooks"][0]["clientConfig"]["caBundle"].as_str()?).ok()
}

fn of(authorities: &[&Authority]) -> Option<CaBundle> {
    CaBundle::read(authorities.iter().map(|authority| authority.pem.as_str())).ok()
}

/// A certificate, and when it has ended.
fn short(authority: &Authority) -> (Pair, Instant) {
    // It ends with a whole second, which is not after this moment.
    let end = Instant::now() + SHORT;
    (authority.server_until(&[NAME], OffsetDateTime::now_utc() + SHORT), end)
}

/// What a Pod comes to that is to be refused, over a connection that is made for it.
fn judged(installed: &Installed) -> (u16, String) {
    installed.balancer.cut();
    let privileged = pod("web", &json!({ "privileged": true }));
    let answer = installed.environment.admin.create(&installed.pods(), &privileged);
    (answer.status, answer.message().to_owned())
}

#[test]
fn files_are_taken_when_they_change_and_one_that_ended_is_replaced() {
    let Some(_turn) = Environment::turn() else { return };
    let environment = Environment::bare();
    let [one, two] = ["one", "two"].map(Authority::new);
    let mut mounted = Mounted::new(environment.folder("mounted"));
    mounted.swap(&one, &one.server(&[NAME]));
    let file = |name: &str| mounted.directory.join(name).display().to_string();
    let more = format!(
        "certificates: {{mode: files, certificate: {}, key: {}, ca: {}}}\n",
        file("tls.crt"),
        file("tls.key"),
        file("ca.crt")
    );
    let replicas = environment.user(&account(), None);
    let balancer = Balancer::start(Vec::new());
    let installed = Installed::of_ones_own(environment, balancer, replicas, (&more, PACE));
    assert_eq!(trusted(&installed), of(&[&one]));
    assert_eq!(installed.environment.admin.get(SECRET).status, 404, "nothing is kept that others keep");

    // Another authority: both are trusted for a while.
    let tally = under_load(&installed.environment.admin, &installed.pods(), by_the_starter_profile, || {
        mounted.swap(&two, &two.server(&[NAME]));
        wait_until("both authorities", || (trusted(&installed) == of(&[&two, &one])).then_some(()));
        wait_until("the new one alone", || (trusted(&installed) == of(&[&two])).then_some(()));
    });
    tally.assert_clean("another certificate, from files");

    // One that ends, and nobody brings another.
    let (pair, end) = short(&two);
    mounted.swap(&two, &pair);
    sleep(end.saturating_duration_since(Instant::now()));
    // Who had begun to send on the connection that is cut reports that.
    wait_until("the end is named", || {
        let (status, said) = judged(&installed);
        assert_eq!(status, 500, "closed, not open: {said}");
        said.contains("certificate has expired").then_some(())
    });
    for said in installed.say("/readyz") {
        assert!(said.starts_with("HTTP/1.1 503") && said.contains("[-]certificate failed"), "{said}");
    }
    let start = Instant::now();
    mounted.swap(&two, &two.server(&[NAME]));
    wait_until("a denial", || (judged(&installed).0 == 403).then_some(()));
    println!(
        "after the end of a certificate from files: judged {} ms after another",
        start.elapsed().as_millis()
    );
    assert!(start.elapsed() < RECOVERED);
}

/// As if nobody had renewed it for a month.
#[test]
fn one_that_ended_is_made_anew() {
    Installed::with(|installed| {
        let admin = installed.environment.admin.clone();
        let authority = Authority::new("short");
        let (pair, end) = short(&authority);
        let encoded = |text: &str| Value::String(STANDARD.encode(text));
        let data = json!({
            "current.crt": encoded(&pair.certificate),
            "current.key": encoded(&pair.key),
            "current.ca": encoded(&authority.pem),
        });
        let change = json!({ "data": data });
        let kept = admin.request(&Method::PATCH, SECRET, "application/merge-patch+json", &change);
        assert_eq!(kept.status, 200, "{}", kept.body);
        wait_until("its authority", || (trusted(installed) == of(&[&authority])).then_some(()));
        wait_until("it is shown", || (judged(installed).0 == 403).then_some(()));
        wait_until("an Event", || {
            let events = admin.get("/apis/events.k8s.io/v1/namespaces/meshgate-system/events").body;
            let ends = |event: &Value| {
                let note = event["note"].as_str().unwrap_or_default();
                event["reason"] == "CertificateLate" && note.starts_with("the serving certificate ends at ")
            };
            events["items"].as_array()?.iter().any(ends).then_some(())
        });
        wait_until("another one, and a denial", || {
            let current = admin.get(SECRET).body["data"]["current.crt"].clone();
            let is_another = current.is_string() && current != data["current.crt"];
            (end.elapsed() > Duration::ZERO && is_another && judged(installed).0 == 403).then_some(())
        });
        let took = end.elapsed();
        println!("after the end of our own certificate: judged {} ms later", took.as_millis());
        assert!(took < RECOVERED, "{took:?}");
    });
}
