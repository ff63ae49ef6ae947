//! `ImageTrust`, from the files of a tree to authorities, and what is refused at load.

use meshgate::image::Authorities;
use meshgate::policy::image_trust::ImageTrust;
use meshgate::policy::{Draft, Tree};
use serde_json::Value;

use crate::sigstore::{self as kit, Kit};

pub(crate) const HEAD: &str = "apiVersion: meshgate.io/v1alpha1\nkind: ImageTrust\n";

/// The ImageTrust of a tree with these files.
pub(crate) fn trust(text: &str, files: &[(&str, &str)]) -> Result<ImageTrust, String> {
    let mut tree = Tree::default();
    tree.insert("trust.yaml", format!("{HEAD}{text}").into_bytes());
    files.iter().for_each(|(path, content)| tree.insert(*path, content.as_bytes()));
    let draft = Draft::read_unbound(&tree, &Tree::default());
    let faults: Vec<String> = draft.faults.iter().map(ToString::to_string).collect();
    if faults.is_empty() { Ok(draft.image_trust.unwrap()) } else { Err(faults.join("\n")) }
}

fn compiled(text: &str, files: &[(&str, &str)]) -> Result<Authorities, String> {
    Authorities::compile(&trust(text, files)?).map_err(|faults| faults.to_string())
}

fn refused(text: &str, files: &[(&str, &str)]) -> String {
    compiled(text, files).err().unwrap_or_else(|| panic!("{text} is taken"))
}

#[test]
fn authorities_of_every_kind_are_taken() {
    let (kit, pem) = (Kit::new(), kit::pem_of(&kit::key()));
    let text = "trustRoots: {corp: {file: keys/root.json}}\nauthorities:\n  a: {keyless: {trustRoot: corp, identities: [{issuer: i, subjectRegExp: 's.*'}]}}\n  b: {keyless: {trustRoot: public-good, identities: [{issuer: i, subject: s}], timestamp: required}}\n  c: {key: {files: [keys/a.pub], transparencyLog: none}, formats: [bundle]}\n  d: {key: {files: [keys/a.pub], transparencyLog: required, trustRoot: staging, validFor: {start: '2025-01-01T00:00:00Z'}}}\n  e: {static: {fail: denied}}\n  f: {key: {files: [keys/a.pub], transparencyLog: none}, source: {oci: registry.example/signatures, tagPrefix: v-}}\nrules: [{name: r, images: ['**'], require: {of: [a, {authority: c, attested: [t]}]}, enforcement: deny}]\n";
    let authorities =
        compiled(text, &[("keys/root.json", &kit.root().to_string()), ("keys/a.pub", &pem)]).unwrap();
    assert_eq!(authorities.iter().map(|one| one.name()).collect::<Vec<_>>(), ["a", "b", "c", "d", "e", "f"]);
}

#[test]
fn what_can_not_be_used_is_refused_with_its_file() {
    let pem = kit::pem_of(&kit::key());
    let key = |more: &str| format!("authorities: {{a: {{key: {{files: [k.pub], {more}}}}}}}\n");
    let keyless = |more: &str| {
        format!("authorities: {{a: {{keyless: {{identities: [{{issuer: i, subject: s}}], {more}}}}}}}\n")
    };
    let sha512 = key("transparencyLog: none, hashAlgorithm: sha512");
    let windowed = key("transparencyLog: none, validFor: {end: '2025-01-01T00:00:00Z'}");
    let source = "authorities: {a: {key: {files: [k.pub], transparencyLog: none}, source: {oci: 'registry.example/a:1'}}}\n";
    for (text, content, needle) in [
        (key("transparencyLog: none"), "no key", "k.pub: no public key"),
        (
            key("transparencyLog: none"),
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
            "k.pub: no key to verify with",
        ),
        (sha512, &pem, "k.pub: no key to verify with"),
        (windowed, &pem, "trust.yaml: authorities.a.key: `validFor` is a matter of times"),
        (source.to_owned(), &pem, "authorities.a.source.oci: a repository is named without tag and digest"),
        (
            key("transparencyLog: required, trustRoot: github"),
            &pem,
            "the trust root has no transparency logs",
        ),
        (
            keyless("trustRoot: nowhere"),
            &pem,
            "no trust root `nowhere`; there are public-good, staging, github",
        ),
        (
            keyless("trustRoot: own").replace("authorities", "trustRoots: {own: {file: k.pub}}\nauthorities"),
            &pem,
            "k.pub: no trust root",
        ),
    ] {
        let faults = refused(&text, &[("k.pub", content)]);
        assert!(faults.contains(needle), "{text}: {faults}");
    }
}

#[test]
fn members_that_nobody_reads_are_refused_by_name() {
    for text in [
        "rules: [{name: r, images: ['**'], require: {of: []}, enforcement: deny, alsoVerifyPlatforms: [linux/amd64]}]\n",
        "authorities: {a: {static: pass, policy: x}}\n",
        "authorities: {a: {keyless: {trustRoot: public-good, identities: [{issuer: i, subject: s}], url: x}}}\n",
    ] {
        let faults = refused(text, &[]);
        assert!(faults.contains("unknown field"), "{faults}");
    }
}

#[test]
fn a_root_without_what_is_asked_of_it_is_refused() {
    let kit = Kit::new();
    let mut bare: Value = kit.root();
    bare["certificateAuthorities"] = serde_json::json!([]);
    let text = "trustRoots: {corp: {file: r.json}}\nauthorities: {a: {keyless: {trustRoot: corp, identities: [{issuer: i, subject: s}], timestamp: required}}}\n";
    let faults = refused(text, &[("r.json", &bare.to_string())]);
    assert!(
        faults.contains("no certificate authorities") && faults.contains("no timestamp authorities"),
        "{faults}"
    );
    bare["tlogs"][0]["publicKey"]["validFor"] = serde_json::json!({});
    assert!(refused(text, &[("r.json", &bare.to_string())]).contains("r.json: no trust root"));
}

#[test]
fn nobody_counts_twice() {
    let (one, other) = (kit::pem_of(&kit::key()), kit::pem_of(&kit::key()));
    let files = [("1.pub", one.as_str()), ("2.pub", other.as_str())];
    let keyless = "{keyless: {trustRoot: public-good, identities: [{issuer: i, subject: s}]}}";
    let text = |require: &str| {
        format!(
            "authorities:\n  a: {{key: {{files: [1.pub], transparencyLog: none}}}}\n  b: {{key: {{files: [2.pub, 1.pub], transparencyLog: none}}}}\n  c: {{key: {{files: [2.pub], transparencyLog: none}}}}\n  d: {keyless}\n  e: {keyless}\nrules: [{{name: r, images: ['**'], require: {require}, enforcement: deny}}]\n"
        )
    };
    for (require, needle) in [
        ("{atLeast: 2, of: [a, a]}", "rules.0.require.of.1: `a` a second time"),
        ("{of: [{authority: a, attested: [t, u]}, {authority: a, attested: [u, t]}]}", "`a` a second time"),
        ("{atLeast: 2, of: [a, b]}", "rules.r.require.of: `a` and `b` can be one signer"),
        ("{atLeast: 2, of: [d, e, a]}", "rules.r.require.of: `d` and `e` can be one signer"),
    ] {
        let faults = refused(&text(require), &files);
        assert!(faults.contains(needle), "{require}: {faults}");
    }
    for require in [
        "{of: [a, b]}",
        "{atLeast: 2, of: [a, c, d]}",
        "{atLeast: 2, of: [a, {authority: a, attested: [t]}]}",
    ] {
        assert_eq!(compiled(&text(require), &files).err(), None, "{require}");
    }
}

#[test]
fn a_pattern_of_docker_hub_has_the_name_that_short_names_have() {
    let text = "authorities: {a: {static: pass}}\nrules: [{name: r, images: ['docker.io/library/*'], require: {of: [a]}, enforcement: deny}]\n";
    assert!(refused(text, &[]).contains("write `index.docker.io/library/*`"));
}
