//! Evidence packs: what was saved says the same without a registry, and what was touched says nothing.

use std::fs;
use std::path::Path;

use meshgate::image::Digest;
use serde_json::{Value, json};

use crate::kit::{Holds, INDEX, MANIFEST};
use crate::sigstore::{self as kit, statement};
use crate::wired::{Place, pod};

/// Everything that cosign writes about an image, in both forms, and an index with two images.
fn everything() -> (Place, Vec<String>) {
    let place = Place::with(|holds, key, signed| {
        let payload = kit::simple_signing(signed);
        let signature = key.sign(&payload).unwrap();
        legacy(holds, signed, "sig", crate::kit::SIMPLE_SIGNING, &payload, &kit::b64(signature.as_bytes()));
        let said = statement(signed, "https://spdx.dev/Document", json!({ "a": 1 }));
        let envelope = kit::envelope(&said, key.sign(&kit::pae(&said)).unwrap().as_bytes()).to_string();
        legacy(holds, signed, "att", crate::kit::ENVELOPE, envelope.as_bytes(), "");
        let config = holds.blob(b"{\"config\": {\"User\": \"7\"}}");
        let child = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "layers": [],
            "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": config.to_string(), "size": 25 },
        });
        let child = holds.document("child", MANIFEST, &child);
        let size = 0;
        let many = json!({
            "schemaVersion": 2, "mediaType": INDEX,
            "manifests": [{ "mediaType": MANIFEST, "digest": child.to_string(), "size": size }],
        });
        holds.document("many", INDEX, &many);
    });
    let images = ["v1", "v2", "many"].map(|tag| place.image(tag));
    (place, images.to_vec())
}

fn legacy(holds: &Holds, image: &Digest, suffix: &str, media_type: &str, bytes: &[u8], signature: &str) {
    let layer = json!({
        "mediaType": media_type, "digest": holds.blob(bytes).to_string(), "size": bytes.len(),
        "annotations": { "dev.cosignproject.cosign/signature": signature },
    });
    let manifest = json!({ "schemaVersion": 2, "mediaType": MANIFEST, "layers": [layer] });
    holds.document(&format!("sha256-{}.{suffix}", image.hex()), MANIFEST, &manifest);
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                all.push((name, fs::read(&path).unwrap()));
            }
        }
    }
    all.sort();
    all
}

#[test]
fn what_is_saved_says_the_same_without_a_registry() {
    let (place, images) = everything();
    let names: Vec<&str> = images.iter().map(String::as_str).collect();
    let facts = |source: &str| {
        let (code, said) =
            place.run(&[&["images", "facts", "-p", "p", "--images", source], &names[..]].concat());
        assert_eq!(code, Some(0), "{said}");
        serde_json::from_str::<Value>(&said).unwrap()
    };
    let online = facts("registry");
    assert_eq!(online[&images[0]]["signatures"].as_array().unwrap().len(), 2, "{online}");
    assert_eq!(place.run(&[&["images", "save", "-p", "p", "-o", "pack"], &names[..]].concat()).0, Some(0));
    // One by one, and a second time, makes the same files.
    for name in names.iter().chain(&names) {
        assert_eq!(place.run(&["images", "save", "-p", "p", "-o", "again", name]).0, Some(0));
    }
    let folder = place.folder.path();
    assert_eq!(files(&folder.join("pack")), files(&folder.join("again")));
    let asked = place.registry.asked().len();
    assert_eq!(facts("layout:pack"), online);
    for (tag, code) in [("v1", 0), ("v2", 1), ("v9", 3)] {
        fs::write(folder.join("pod.json"), pod(&place.image(tag)).to_string()).unwrap();
        let (found, said) =
            place.run(&["check", "-p", "p", "--mode", "deny", "--images", "layout:pack", "pod.json"]);
        assert_eq!(found, Some(code), "{tag}: {said}");
    }
    // The facts as a file say it, too.
    let stored =
        place.run(&["images", "facts", "-p", "p", "--images", "layout:pack", "-o", "facts.json", &images[0]]);
    assert_eq!(stored, (Some(0), String::new()));
    fs::write(folder.join("pod.json"), pod(&images[0]).to_string()).unwrap();
    let (code, said) =
        place.run(&["check", "-p", "p", "--mode", "deny", "--images", "facts:facts.json", "pod.json"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(place.registry.asked().len(), asked, "nobody was asked");
}

#[test]
fn a_pack_that_was_touched_says_nothing() {
    let (place, images) = everything();
    let image = images[0].as_str();
    let folder = place.folder.path();
    assert_eq!(place.run(&["images", "save", "-p", "p", "-o", "pack", image]).0, Some(0));
    let verify = || place.run(&["images", "verify", "-p", "p", "--images", "layout:pack", image]).0;
    assert_eq!(verify(), Some(0));
    let blobs = folder.join("pack/blobs/sha256");
    let all = files(&blobs);
    assert!(all.len() > 5, "{}", all.len());
    for (name, bytes) in &all {
        let path = blobs.join(name);
        let mut other = bytes.clone();
        if let Some(last) = other.last_mut() {
            *last ^= 1;
        }
        let longer = [bytes.as_slice(), b" "].concat();
        for content in [&other, &longer] {
            fs::write(&path, content).unwrap();
            assert_ne!(verify(), Some(1), "{name}: no outage makes an image unsigned");
        }
        fs::remove_file(&path).unwrap();
        let gone = verify();
        fs::write(&path, bytes).unwrap();
        // Configurations are taken along, and nobody looks at them here.
        let is_config = bytes.starts_with(b"{\"config\"") || bytes == b"{}";
        assert!(is_config || !matches!(gone, Some(0 | 1)), "{name}: {gone:?}");
    }
    assert_eq!(verify(), Some(0));
    assert_eq!(place.run(&["images", "verify", "-p", "p", "--images", "layout:nowhere", image]).0, Some(2));
    let (code, said) = place.run(&["images", "save", "-p", "p", "-o", "other", &place.image("v9")]);
    assert!(code == Some(3) && said.contains("not found"), "{said}");
    assert!(!folder.join("other").exists(), "what could not be read is no pack");
}

/// An entry whose name is beyond what is read may be the signature that is sought.
#[test]
fn a_pack_with_an_entry_of_too_many_annotations_is_none() {
    let (place, images) = everything();
    let image = images[0].as_str();
    assert_eq!(place.run(&["images", "save", "-p", "p", "-o", "pack", image]).0, Some(0));
    let path = place.folder.path().join("pack/index.json");
    let index: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let count = index["manifests"].as_array().unwrap().len();
    assert!(count > 1, "{index}");
    for at in 0..count {
        for (more, code) in [(63, 0), (64, 2)] {
            let mut other = index.clone();
            let annotations = other["manifests"][at]["annotations"].as_object_mut().unwrap();
            assert_eq!(annotations.len(), 1);
            annotations.extend((0..more).map(|number| (format!("n{number}"), Value::from("v"))));
            fs::write(&path, other.to_string()).unwrap();
            let (found, said) = place.run(&["images", "verify", "-p", "p", "--images", "layout:pack", image]);
            assert_eq!(found, Some(code), "{at}: {said}");
            assert!(code == 0 || said.contains("annotations of a descriptor"), "{said}");
        }
    }
}

#[test]
fn of_what_is_in_no_layout_nothing_is_known() {
    let (place, images) = everything();
    assert_eq!(place.run(&["images", "save", "-p", "p", "-o", "pack", &images[1]]).0, Some(0));
    let pinned = format!("{}@{}", images[0], place.signed);
    for image in [&images[0], &pinned] {
        let (code, said) = place.run(&["images", "verify", "-p", "p", "--images", "layout:pack", image]);
        assert!(code == Some(3) && said.contains("not found"), "{image}: {said}");
    }
}
