//! Policies of Sigstore's policy-controller: what is taken, and which fields are named where something is not.

use std::fs;
use std::path::Path;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use meshgate::image::Authorities;
use meshgate::policy::{Draft, Tree};
use serde_json::Value;

use crate::{Tally, corpus};

/// A Sigstore instance in a cluster, by the URLs that the policies name.
fn instance(directory: &Path) -> String {
    let pem = |name: &str| STANDARD.encode(fs::read(directory.join("trustroot/golden").join(name)).unwrap());
    let root = |name: &str, authority: &str, log: &str| {
        format!(
            "apiVersion: policy.sigstore.dev/v1alpha1\nkind: TrustRoot\nmetadata: {{name: {name}}}\nspec:\n  sigstoreKeys:\n    certificateAuthorities: [{{uri: 'https://{authority}', certChain: {fulcio}}}]\n    tLogs: [{{baseURL: 'https://{log}', hashAlgorithm: sha-256, publicKey: {rekor}}}]\n    ctLogs: [{{baseURL: 'https://ct.example', hashAlgorithm: sha-256, publicKey: {ct}}}]\n    timestampAuthorities: [{{uri: 'https://tsa.example', certChain: {tsa}}}]\n",
            fulcio = pem("fulcio.crt.pem"),
            rekor = pem("rekor.pem"),
            ct = pem("ctfe.pem"),
            tsa = pem("tsa.crt.pem"),
        )
    };
    [
        root("cluster", "fulcio.fulcio-system.svc", "rekor.rekor-system.svc/"),
        root("my-sigstore-keys", "fulcio.other.svc", "rekor.other.svc"),
    ]
    .join("---\n")
}

/// A Secret with a public key.
fn secret(directory: &Path) -> String {
    let pem = STANDARD.encode(fs::read(directory.join("trustroot/golden/rekor.pem")).unwrap());
    format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: cip-secret}}\ndata: {{cosign.pub: {pem}}}\n")
}

/// What is wrong with a tree, line by line.
fn faults(files: &[(&str, &str)]) -> String {
    let mut tree = Tree::default();
    files.iter().for_each(|(path, text)| tree.insert(*path, text.as_bytes()));
    let draft = Draft::read_unbound(&tree, &Tree::default());
    let mut all: Vec<String> = draft.faults.iter().map(ToString::to_string).collect();
    let compiled = draft.image_trust.as_ref().map(Authorities::compile);
    all.extend(compiled.and_then(Result::err).map(|faults| faults.to_string()));
    all.join("\n")
}

#[test]
fn policies_of_policy_controller_are_taken_or_refused_as_stated() {
    let Some(directory) = corpus("sigstore").map(|directory| directory.join("policy-controller")) else {
        return;
    };
    let expected: Value =
        serde_json::from_slice(&fs::read(directory.join("expected.json")).unwrap()).unwrap();
    let (instance, secret) = (instance(&directory), secret(&directory));
    let mut tally = Tally::new("policies of policy-controller");
    for row in expected["files"].as_array().unwrap() {
        let name = row["file"].as_str().unwrap();
        let text = fs::read_to_string(directory.join(name)).unwrap();
        let needs: Vec<&str> =
            row["needs"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut files = vec![("policy.yaml", text.as_str())];
        files.extend(
            needs
                .iter()
                .any(|need| need.to_lowercase().contains("trust"))
                .then_some(("roots.yaml", instance.as_str())),
        );
        files.extend(
            needs.iter().any(|need| need.starts_with("Secret")).then_some(("secret.yaml", secret.as_str())),
        );
        let found = faults(&files);
        let fields: Vec<&str> =
            row["refusedFields"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let unnamed: Vec<&str> = fields.iter().copied().filter(|field| !found.contains(field)).collect();
        let verdict = if found.is_empty() { "load" } else { "refuse" };
        tally.compare(
            format!("{name}: {found}"),
            (verdict, unnamed),
            (row["meshgate"].as_str().unwrap(), vec![]),
        );
        // Without what it needs it is refused, not half understood.
        if !needs.is_empty() && verdict == "load" {
            assert!(!faults(&files[..1]).is_empty(), "{name} loads without {needs:?}");
        }
    }
    tally.finish(96);
}

#[test]
fn templates_of_trust_roots_are_taken_with_their_keys() {
    let Some(directory) = corpus("sigstore").map(|directory| directory.join("policy-controller")) else {
        return;
    };
    let pem = |name: &str| STANDARD.encode(fs::read(directory.join("trustroot/golden").join(name)).unwrap());
    let values = [
        ("FULCIO_CERT_CHAIN", pem("fulcio.crt.pem")),
        ("REKOR_PUBLIC_KEY", pem("rekor.pem")),
        ("CTFE_PUBLIC_KEY", pem("ctfe.pem")),
        ("TSA_CERT_CHAIN", pem("tsa.crt.pem")),
        ("TSA_URL", "https://tsa.example".to_owned()),
    ];
    for name in ["bring-your-own-keys.yaml", "with-tsa.yaml"] {
        let text = fs::read_to_string(directory.join("trustroot").join(name)).unwrap();
        let text = values.iter().fold(text, |text, (from, to)| text.replace(from, to));
        assert_eq!(faults(&[("root.yaml", &text)]), "", "{name}");
    }
}

fn policy(spec: &str) -> String {
    format!(
        "apiVersion: policy.sigstore.dev/v1beta1\nkind: ClusterImagePolicy\nmetadata: {{name: p}}\nspec:\n{spec}\n"
    )
}

fn of(authority: &str) -> String {
    policy(&format!("  images: [{{glob: '**'}}]\n  authorities: [{authority}]"))
}

const KEYLESS: &str = "identities: [{issuer: i, subject: s}]";

fn rego(kind: &str, data: &str) -> String {
    of(&format!(
        "{{keyless: {{{KEYLESS}}}, attestations: [{{name: a, predicateType: custom, policy: {{type: {kind}, data: \"{data}\"}}}}]}}"
    ))
}

/// Policies, and what is said of them.
fn refused() -> Vec<(String, &'static str)> {
    let keyless = |more: &str| of(&format!("{{keyless: {{{KEYLESS}}}, {more}}}"));
    let within = |more: &str| of(&format!("{{keyless: {{{KEYLESS}, {more}}}}}"));
    vec![
        (policy("  images: [{glob: '**'}]\n  authority: []"), "spec.authority: unknown field"),
        (policy("  images: []\n  authorities: [{static: {action: pass}}]"), "spec.images: empty"),
        (
            policy("  images: [{glob: 'docker.io/a/*'}]\n  authorities: [{static: {action: pass}}]"),
            "spec.images[0].glob: `docker.io/a/*` means no image of Docker Hub",
        ),
        (of("{static: {action: maybe}}"), "spec.authorities[0].static.action: `maybe`"),
        (of("{static: {action: pass}, ctlog: {}}"), "spec.authorities[0].ctlog: beside static"),
        (within("regExp: x"), "spec.authorities[0].keyless.regExp: unknown field"),
        (within("url: 'https://fulcio.nowhere'"), "has the certificate authority `https://fulcio.nowhere`"),
        (keyless("ctlog: {url: 'https://rekor.nowhere'}"), "and the log `https://rekor.nowhere`"),
        (within("trustRootRef: none"), "no trust root `none`"),
        (
            keyless("ctlog: {trustRootRef: public-good}"),
            "spec.authorities[0].keyless.trustRootRef: absent, while a log or timestamps are of `public-good`",
        ),
        (
            keyless("rfc3161timestamp: {trustRootRef: staging}"),
            "spec.authorities[0].keyless.trustRootRef: absent, while a log or timestamps are of `staging`",
        ),
        (
            of(&format!("{{keyless: {{{KEYLESS}, trustRootRef: staging}}, ctlog: {{}}}}")),
            "the trust root `staging` has not the log `https://rekor.sigstore.dev`",
        ),
        (keyless("rfc3161timestamp: {}"), "spec.authorities[0].rfc3161timestamp.trustRootRef: empty"),
        (keyless("signatureFormat: v9"), "spec.authorities[0].signatureFormat: `v9`"),
        (keyless("source: [{oci: a.b/c}, {oci: a.b/d}]"), "spec.authorities[0].source: more than one"),
        (keyless("source: [{oci: 'a.b/c:d'}]"), "spec.authorities[0].source.oci: a repository is named"),
        (of("{key: {secretRef: {name: s}}}"), "spec.authorities[0].key.secretRef.name: no Secret `s`"),
        (
            of("{key: {secretRef: {name: s, namespace: other}}}"),
            "spec.authorities[0].key.secretRef.namespace: `other`",
        ),
        (keyless("attestations: [{name: a}]"), "spec.authorities[0].attestations[0].predicateType: empty"),
        (rego("rego", "package other"), "spec.authorities[0].attestations[0].policy.data: no rule of"),
        (rego("rego", "package sigstore {"), "spec.authorities[0].attestations[0].policy.data: "),
        (rego("rego", ""), "spec.authorities[0].attestations[0].policy.data: empty"),
        (rego("js", "x"), "spec.authorities[0].attestations[0].policy.type: `js`"),
    ]
}

/// Who certifies, who logs and who stamps is one trust root, and it is named for the certificates.
#[test]
fn a_trust_root_counts_for_what_it_is_named_for() {
    for (keyless, more) in [
        ("", ""),
        ("trustRootRef: public-good", "ctlog: {}"),
        ("trustRootRef: public-good", "ctlog: {trustRootRef: public-good}"),
        ("trustRootRef: staging", "ctlog: {trustRootRef: staging, url: 'https://elsewhere'}"),
        ("trustRootRef: staging", "rfc3161timestamp: {trustRootRef: staging}"),
    ] {
        let text = of(&format!("{{keyless: {{{KEYLESS}, {keyless}}}, {more}}}"));
        assert_eq!(faults(&[("p.yaml", &text)]), "", "{text}");
    }
}

/// A policy as the corpus has none: what is not there is refused as well.
#[test]
fn what_a_policy_can_not_mean_is_refused_by_its_field() {
    for (text, expected) in refused() {
        let found = faults(&[("p.yaml", &text)]);
        assert!(found.contains(expected), "{text}\n{found}");
        assert!(found.contains("p.yaml:"), "{found}");
    }
    let unnamed = faults(&[
        ("p.yaml", &of("{static: {action: pass}}")),
        ("s.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: Yg==}\n"),
    ]);
    assert!(unnamed.contains("a tree holds no other Secret") && !unnamed.contains("Yg=="), "{unnamed}");
    let secret = |metadata: &str| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{{metadata}}}\nstringData: {{a: '-----BEGIN PUBLIC KEY-----'}}\n"
        )
    };
    let found = faults(&[
        ("p.yaml", &of("{static: {action: pass}}")),
        ("s.yaml", &secret("name: s, namespace: cosign-system")),
        ("t.yaml", &secret("name: s")),
        ("u.yaml", &secret("name: u, namespace: other")),
    ]);
    assert!(found.contains("`s` a second time"), "{found}");
    assert!(found.contains("metadata.namespace: not `cosign-system`"), "{found}");
}
