//! Evidence of the kit in registries as they are: written byte by byte, as cosign lays it out.

use std::io::{Read, Write};
use std::net::TcpStream;

use meshgate::image::{Annotations, Digest};
use serde_json::{Value, json};

use crate::kit::{BUNDLE, INDEX, MANIFEST, SIMPLE_SIGNING};
use crate::programs::Kind;

const EMPTY: &str = "application/vnd.oci.empty.v1+json";

/// A repository in a registry on this machine.
pub(crate) struct Pushed<'a> {
    pub(crate) address: &'a str,
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

impl Pushed<'_> {
    /// Sends a request; gives the status and the place that it names.
    fn send(&self, method: &str, path: &str, media_type: &str, body: &[u8]) -> (u16, Option<String>) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: {media_type}\r\ncontent-length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).unwrap();
        let mut said = Vec::new();
        stream.read_to_end(&mut said).unwrap();
        let said = String::from_utf8_lossy(&said);
        let status = said.split(' ').nth(1).unwrap().parse().unwrap();
        let place = said.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("location").then(|| value.trim().to_owned())
        });
        (status, place)
    }

    fn blob(&self, bytes: &[u8]) -> Value {
        let digest = Digest::of(bytes).to_string();
        let (status, place) =
            self.send("POST", &format!("/v2/{}/blobs/uploads/", self.name), "text/plain", b"");
        let place = place.unwrap();
        assert_eq!(status, 202, "{place}");
        let path = place.strip_prefix(&format!("http://{}", self.address)).unwrap_or(&place);
        let mark = if path.contains('?') { '&' } else { '?' };
        let path = format!("{path}{mark}digest={}", digest.replace(':', "%3A"));
        assert_eq!(self.send("PUT", &path, "application/octet-stream", bytes).0, 201, "{path}");
        json!({ "mediaType": EMPTY, "digest": digest, "size": bytes.len() })
    }

    /// Puts a manifest or an index under a tag, or under its digest; gives its descriptor.
    fn manifest(&self, tag: Option<&str>, media_type: &str, document: &Value) -> Value {
        let bytes = document.to_string().into_bytes();
        let digest = Digest::of(&bytes).to_string();
        let path = format!("/v2/{}/manifests/{}", self.name, tag.unwrap_or(&digest));
        assert_eq!(self.send("PUT", &path, media_type, &bytes).0, 201, "{path}");
        json!({ "mediaType": media_type, "digest": digest, "size": bytes.len() })
    }

    /// An image `v1` of its own; its name by digest, and its descriptor.
    pub(crate) fn image(&self) -> (String, Value) {
        let config = self
            .blob(json!({ "architecture": "amd64", "os": "linux", "of": self.name }).to_string().as_bytes());
        let config = with(config, "application/vnd.oci.image.config.v1+json");
        let document = json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [] });
        let said = self.manifest(Some("v1"), MANIFEST, &document);
        let name = format!("{}/{}@{}", self.address, self.name, said["digest"].as_str().unwrap());
        (name, said)
    }

    /// A bundle that refers to an image, in the list of the registry or, where it keeps none, under the tag.
    pub(crate) fn bundle(&self, image: &Value, bundle: &Value, kind: &str) {
        let layer = with(self.blob(bundle.to_string().as_bytes()), BUNDLE);
        let document = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": BUNDLE, "config": self.blob(b"{}"),
            "layers": [layer], "subject": image,
            "annotations": { "dev.sigstore.bundle.content": "dsse-envelope", "dev.sigstore.bundle.predicateType": kind },
        });
        let mut said = self.manifest(None, MANIFEST, &document);
        if self.kind != Kind::Referrers {
            said["artifactType"] = json!(BUNDLE);
            let list = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [said] });
            let tag = image["digest"].as_str().unwrap().replace(':', "-");
            self.manifest(Some(&tag), INDEX, &list);
        }
    }

    /// A signature in cosign's older form.
    pub(crate) fn signature(&self, image: &Value, payload: &[u8], annotations: &Annotations) {
        let mut layer = with(self.blob(payload), SIMPLE_SIGNING);
        layer["annotations"] = json!(annotations);
        let config = self.blob(b"{}");
        let config = with(config, "application/vnd.oci.image.config.v1+json");
        let document =
            json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer] });
        let tag = format!("{}.sig", image["digest"].as_str().unwrap().replace(':', "-"));
        self.manifest(Some(&tag), MANIFEST, &document);
    }
}

fn with(mut descriptor: Value, media_type: &str) -> Value {
    descriptor["mediaType"] = json!(media_type);
    descriptor
}
