//! Pull secrets: a Pod's images are read with what its own namespace may show, and what one namespace may read is no other's.

use std::fs;

use meshgate::image::Digest;
use serde_json::{Value, json};

use crate::kit::{Holds, INDEX, Said, index};
use crate::programs::{Program, Signer, tools};
use crate::server::Server;
use crate::sigstore::{self as kit, SIGNED, statement};
use crate::wired::{Place, Serving, pod};

const PASSWORD: &str = "canary-of-the-pull-secret";
const OTHER: &str = "canary-of-another-secret";

/// A registry that wants to know who asks, and an image in it that is signed; `app:v1` by its digest.
fn place(more: &str) -> (Place, String) {
    let (holds, key, folder) = (Holds::default(), kit::key(), tempfile::tempdir().unwrap());
    let signed: Digest = holds.image();
    let bundle = kit::key_bundle(&key, &statement(&signed, SIGNED, json!({})), None).to_string();
    let entry = holds.referrer(&signed, &bundle, Some(SIGNED));
    let said = Said::of(200, &[("content-type", INDEX)], index(&[entry]));
    holds.put(format!("/v2/app/referrers/{signed}"), said);
    let expected = basic(PASSWORD);
    let server = Server::start(move |asked, stream| {
        let said = if asked.header("authorization") == Some(&expected) {
            holds.said(asked.path())
        } else {
            Said::of(401, &[("www-authenticate", "Basic realm=x")], "")
        };
        said.to(stream);
    });
    let host = server.address;
    let place = Place::of(server, &key, signed, folder);
    let text = format!(
        "apiVersion: meshgate.io/v1alpha1\nkind: Configuration\ndecisionLog: {{file: decisions.log, messages: true}}\nimages: {{{more}registries: [{{host: '{host}', plaintext: true}}]}}\n"
    );
    fs::write(place.folder.path().join("meshgate.yaml"), text).unwrap();
    let image = format!("{}@{signed}", place.image("v1"));
    (place, image)
}

fn basic(password: &str) -> String {
    format!("Basic {}", kit::b64(format!("robot:{password}")))
}

/// A Secret of a namespace, in either of both forms.
fn secret(place: &Place, namespace: &str, name: &str, password: &str, is_old: bool) -> Value {
    let auths =
        json!({ place.registry.address.to_string(): { "auth": kit::b64(format!("robot:{password}")) } });
    let (kind, key, content) = match is_old {
        true => ("kubernetes.io/dockercfg", ".dockercfg", auths),
        false => ("kubernetes.io/dockerconfigjson", ".dockerconfigjson", json!({ "auths": auths })),
    };
    json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name, "namespace": namespace },
        "type": kind, "data": { key: kit::b64(content.to_string()) },
    })
}

/// A Pod in a namespace, with pull secrets and a service account.
fn puller(image: &str, namespace: &str, secrets: &[&str], account: Option<&str>) -> Value {
    let mut pod = pod(image);
    pod["metadata"]["namespace"] = json!(namespace);
    let names: Vec<Value> = secrets.iter().map(|name| json!({ "name": name })).collect();
    pod["spec"]["imagePullSecrets"] = names.into();
    pod["spec"]["serviceAccountName"] = json!(account);
    pod
}

/// What is known: right and wrong Secrets in `shop`, an account with one, and a Secret of another password in `other`.
fn objects(place: &Place) -> Vec<Value> {
    let mut opaque = secret(place, "shop", "opaque", PASSWORD, false);
    opaque["type"] = json!("Opaque");
    let mut unreadable = secret(place, "shop", "unreadable", PASSWORD, false);
    unreadable["data"][".dockerconfigjson"] = json!(kit::b64("{"));
    // A key that names no registry, which the kubelet leaves out.
    let auth = json!({ "auth": kit::b64(format!("robot:{PASSWORD}")) });
    let auths = json!({ "auths": { place.registry.address.to_string(): auth, "no registry": auth } });
    let mut mixed = secret(place, "shop", "mixed", PASSWORD, false);
    mixed["data"][".dockerconfigjson"] = json!(kit::b64(auths.to_string()));
    let account = json!({
        "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "puller", "namespace": "shop" },
        "imagePullSecrets": [{ "name": "regcred" }],
    });
    vec![
        secret(place, "shop", "regcred", PASSWORD, false),
        secret(place, "shop", "old", PASSWORD, true),
        secret(place, "shop", "wrong", OTHER, false),
        secret(place, "other", "theirs", OTHER, false),
        opaque,
        unreadable,
        mixed,
        account,
    ]
}

fn written(place: &Place, name: &str, objects: &[Value]) {
    let text: Vec<String> = objects.iter().map(Value::to_string).collect();
    fs::write(place.folder.path().join(name), text.join("\n---\n")).unwrap();
}

#[test]
fn a_dry_run_pulls_with_the_secrets_among_the_manifests() {
    let (place, image) = place("pullSecrets: pod, ");
    let of = |namespace: &str, secrets: &[&str], account: Option<&str>| {
        puller(&image, namespace, secrets, account)
    };
    let refused = "not readable with the credentials at hand";
    let rows = [
        (of("shop", &["regcred"], None), ""),
        (of("shop", &["old"], None), ""),
        (of("shop", &["mixed"], None), ""),
        (of("shop", &[], Some("puller")), ""),
        (of("shop", &["absent", "wrong", "regcred"], None), ""),
        // As the kubelet does: who names any has none of the account's.
        (of("shop", &["wrong"], Some("puller")), refused),
        (of("shop", &[], None), refused),
        (of("shop", &["opaque"], None), "its pull secret `opaque` is no pull secret that can be used"),
        (
            of("shop", &["unreadable"], None),
            "its pull secret `unreadable` is no pull secret that can be used",
        ),
        // Another namespace has a right of its own, or none.
        (of("other", &["regcred"], None), "its pull secret `regcred` is not there"),
        (of("other", &["theirs"], None), refused),
        (of("other", &["../../shop/secrets/regcred"], None), "is in part no name"),
        (of("other", &[], Some("puller")), refused),
    ];
    for (pod, expected) in rows {
        // By a file of facts, and among the manifests.
        for is_fact in [false, true] {
            written(&place, "objects.yaml", &objects(&place));
            written(&place, "pod.yaml", std::slice::from_ref(&pod));
            let more: &[&str] = if is_fact { &["--facts", "objects.yaml"] } else { &["objects.yaml"] };
            let common = ["check", "-p", "p", "--config", "meshgate.yaml", "--mode", "deny", "pod.yaml"];
            let (code, said) = place.run(&[&common[..], more].concat());
            assert_eq!(code, Some(i32::from(!expected.is_empty())), "{pod}: {said}");
            assert!(said.contains(expected), "{pod}: {expected}: {said}");
            assert!(!said.contains(PASSWORD) && !said.contains(OTHER), "{said}");
        }
    }
}

#[test]
fn nobodys_secrets_are_shown_unless_the_configuration_says_so() {
    for more in ["", "pullSecrets: none, "] {
        let (place, image) = place(more);
        written(&place, "objects.yaml", &objects(&place));
        written(&place, "pod.yaml", &[puller(&image, "shop", &["regcred"], None)]);
        let common =
            ["check", "-p", "p", "--config", "meshgate.yaml", "--mode", "deny", "pod.yaml", "objects.yaml"];
        assert_eq!(place.run(&common).0, Some(1));
        let shown = place
            .registry
            .asked()
            .into_iter()
            .filter_map(|asked| asked.header("authorization").map(str::to_owned));
        assert_eq!(shown.collect::<Vec<_>>(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn what_one_namespace_may_read_is_no_other_ones() {
    let (place, image) = place("pullSecrets: pod, ");
    let labelled =
        |name: &str| json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
    written(&place, "facts.yaml", &[objects(&place), vec![labelled("shop"), labelled("other")]].concat());
    let flags = ["--config", "meshgate.yaml", "--facts", "facts.yaml"];
    let serving = Serving::start(&place, &flags);
    let tag = place.image("v1");
    let mut said = Vec::new();
    let of = |image: &str, namespace: &str, secrets: &[&str]| {
        (namespace.to_owned(), puller(image, namespace, secrets, None))
    };
    let rows = [
        (of(&image, "shop", &["regcred"]), 200),
        // What was read for the one is kept, and none of it for those who may not read it.
        (of(&image, "other", &["regcred"]), 403),
        (of(&image, "other", &["theirs"]), 403),
        (of(&image, "shop", &[]), 403),
        (of(&tag, "other", &["regcred"]), 403),
        (of(&image, "shop", &["regcred"]), 200),
    ];
    for ((namespace, pod), expected) in rows {
        let (code, message) = serving.judged(&namespace, &pod).await;
        assert_eq!(code, expected, "{pod}: {message}");
        said.push(message);
    }
    assert!(said[1].contains("its pull secret `regcred` is not there"), "{said:?}");
    let shown = place.registry.asked();
    assert!(shown.iter().any(|asked| asked.header("authorization") == Some(&basic(PASSWORD))));
    let decisions = fs::read_to_string(place.folder.path().join("decisions.log")).unwrap();
    let (log, metrics) = (serving.logged(), serving.metrics().await);
    assert!(decisions.lines().count() >= 6 && log.len() > 1000 && metrics.len() > 1000);
    for text in [said.join("\n"), decisions, log, metrics] {
        for canary in [PASSWORD, OTHER] {
            assert!(!text.contains(canary) && !text.contains(&kit::b64(format!("robot:{canary}"))), "{text}");
        }
    }
}

/// Debian's registry with a password, and an image in it that the real cosign signed.
#[test]
fn a_registry_that_asks_for_a_password_is_read_with_it() {
    let Some(tools) = tools() else { return };
    let Some(registry) = Program::guarded(&tools, PASSWORD) else { return };
    let signer = Signer::new(&tools);
    let folder = signer.directory.path();
    let auth = kit::b64(format!("robot:{PASSWORD}"));
    let config = json!({ "auths": { registry.address.clone(): { "auth": auth } } });
    fs::write(folder.join("config.json"), config.to_string()).unwrap();
    let image = signer.image(&registry.address, "app");
    signer.sign(&image, false);
    for (config, expected) in [(folder, 0), (std::path::Path::new("/nonexistent"), 3)] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_meshgate"));
        command.current_dir(folder).env("DOCKER_CONFIG", config);
        let key = ["--key", "cosign.pub", "--insecure-ignore-tlog"];
        let output = command.args(["images", "verify", &image]).args(key).output().unwrap();
        assert_eq!(output.status.code(), Some(expected), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
