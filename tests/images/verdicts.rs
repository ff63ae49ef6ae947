//! `meshgate images verify` beside `cosign verify`, on the same images with the same keys: the same verdicts, but for an
//! attestation, which cosign 3 takes for a signature where both are bundles.

use std::path::Path;
use std::process::Command;

use crate::programs::{Kind, Program, Signer, tools};

/// What both say of an image: whether it is verified with the key of `who`.
fn verdicts(by: &Signer, who: &Signer, image: &str, legacy: bool) -> (bool, bool) {
    let key = who.directory.path().join("cosign.pub");
    let key = key.to_str().unwrap();
    let mut arguments = vec!["verify", "--key", key, "--insecure-ignore-tlog=true"];
    if legacy {
        arguments.push("--new-bundle-format=false");
    }
    arguments.push(image);
    let theirs = by.run("cosign", &arguments).status.success();
    let mut ours = Command::new(env!("CARGO_BIN_EXE_meshgate"));
    ours.env("DOCKER_CONFIG", Path::new("/nonexistent"));
    let output =
        ours.args(["images", "verify", "--key", key, "--insecure-ignore-tlog", image]).output().unwrap();
    let code = output.status.code();
    assert!(matches!(code, Some(0 | 1)), "{image}: {code:?} {}", String::from_utf8_lossy(&output.stderr));
    (theirs, code == Some(0))
}

#[test]
fn the_same_images_are_verified() {
    let Some(tools) = tools() else { return };
    let (signer, other) = (Signer::new(&tools), Signer::new(&tools));
    let mut table = "registry   image      form    key    cosign  meshgate\n".to_owned();
    let mut different = 0;
    for kind in Kind::ALL {
        let Some(registry) = Program::start(kind, &tools) else { continue };
        let image = |name: &str| signer.image(&registry.address, name);
        let (bundle, legacy) = (image("bundle"), image("legacy"));
        let (unsigned, attested, copied) = (image("unsigned"), image("attested"), image("copied"));
        signer.sign(&bundle, false);
        signer.sign(&legacy, true);
        signer.attest(&attested, false);
        // The signature of another image, under the tag where that of this one would be.
        let tag = |image: &str| {
            let (repository, digest) = image.split_once('@').unwrap();
            format!("{repository}:{}.sig", digest.replace(':', "-"))
        };
        assert!(signer.run("crane", &["copy", &tag(&legacy), &tag(&copied)]).status.success());
        let rows = [
            ("signed", &bundle, false, true),
            ("signed", &legacy, true, true),
            ("unsigned", &unsigned, false, false),
            ("unsigned", &unsigned, true, false),
            // Somebody said how it was built, and nobody signed it.
            ("attested", &attested, false, false),
            ("copied", &copied, true, false),
        ];
        for (name, image, is_legacy, expected) in rows {
            for (whose, who) in [("own", &signer), ("other", &other)] {
                let (theirs, ours) = verdicts(&signer, who, image, is_legacy);
                let form = if is_legacy { "legacy" } else { "bundle" };
                let kind = format!("{kind:?}");
                table.push_str(&format!("{kind:10} {name:10} {form:7} {whose:6} {theirs:7} {ours}\n"));
                let wanted = expected && whose == "own";
                let theirs_wanted = wanted || (name == "attested" && whose == "own");
                different += usize::from(theirs != theirs_wanted || ours != wanted);
            }
        }
    }
    println!("{table}");
    assert_eq!(different, 0, "\n{table}");
}
