//! An evidence pack: what a registry has about images, without their layers, as an OCI image layout. Where there is no
//! registry (a CI job, an air gap), the same is read of it ([`super::Layout`]). The same content makes the same files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::authority::Authorities;
use super::credentials::CredentialSet;
use super::digest::Digest;
use super::evidence::Repository;
use super::layout::REF_NAME;
use super::registry::document::Descriptor;
use super::registry::instance::Manifest;
use super::registry::{Holder, Registries};
use super::source::SourceError;
use crate::config::ImageLimits;
use crate::kubernetes::image_reference::ImageReference;

/// Children of an index whose configurations are saved.
const CHILDREN: usize = 64;

/// What was read, ready to be written.
#[derive(Default)]
pub struct Pack {
    blobs: BTreeMap<Digest, Bytes>,
    /// What the layout's index names, by name and digest.
    named: BTreeMap<(String, Digest), (String, usize)>,
}

/// Somewhere that evidence lies.
struct Place<'a> {
    holder: &'a dyn Holder,
    at: &'a Repository,
    until: Instant,
}

impl Registries {
    /// Adds to a pack what there is about an image: its manifest or index with their configurations, and what lies beside it
    /// and where authorities look for it.
    ///
    /// # Errors
    /// Something that is there could not be read: a pack without it would say that nobody signed.
    pub async fn save(
        &self,
        image: &ImageReference,
        authorities: &Authorities,
        who: &CredentialSet,
        pack: &mut Pack,
        until: Instant,
    ) -> Result<Digest, SourceError> {
        let beside = Repository::of(image);
        let holder = self.instance(&beside, who)?;
        let place = Place { holder: &*holder, at: &beside, until };
        let reference = image.digest().or(image.tag()).unwrap_or("latest");
        let found = place.manifest(reference).await?;
        pack.name(&place.name(reference), &found);
        place.children(&found, pack).await?;
        let mut places: BTreeSet<(Repository, String)> =
            authorities.iter().filter_map(|authority| authority.source.clone()).collect();
        places.insert((beside.clone(), String::new()));
        for (at, prefix) in &places {
            let holder = self.instance(at, who)?;
            let place = Place { holder: &*holder, at, until };
            place.evidence(&found.digest, prefix, pack).await?;
        }
        Ok(found.digest)
    }
}

impl Place<'_> {
    /// The name of what is under a tag or a digest.
    fn name(&self, reference: &str) -> String {
        let mark = if reference.contains(':') { '@' } else { ':' };
        format!("{}/{}{mark}{reference}", self.at.registry(), self.at.name())
    }

    async fn manifest(&self, reference: &str) -> Result<Manifest, SourceError> {
        self.holder.manifest(self.at.name(), reference, self.until).await
    }

    async fn blob(&self, descriptor: &Descriptor, pack: &mut Pack) -> Result<(), SourceError> {
        let most = ImageLimits::default().evidence_bytes.saturating_mul(16);
        let blob = descriptor.blob()?;
        let bytes = self.holder.blob(self.at.name(), blob, most, self.until).await?;
        pack.blobs.insert(blob.digest, bytes);
        Ok(())
    }

    async fn children(&self, found: &Manifest, pack: &mut Pack) -> Result<(), SourceError> {
        if found.document.manifests.len() > CHILDREN {
            return Err(SourceError::Limit("images of an index"));
        }
        let mut configs: Vec<Descriptor> = found.document.config.iter().cloned().collect();
        for child in &found.document.manifests {
            let child = self.manifest(&child.digest()?.to_string()).await?;
            pack.blobs.insert(child.digest, child.bytes.clone());
            configs.extend(child.document.config.clone());
        }
        for config in &configs {
            self.blob(config, pack).await?;
        }
        Ok(())
    }

    /// cosign's two tags, and the referrers.
    async fn evidence(&self, digest: &Digest, prefix: &str, pack: &mut Pack) -> Result<(), SourceError> {
        let mut found = Vec::new();
        for suffix in ["sig", "att"] {
            let tag = format!("{prefix}sha256-{}.{suffix}", digest.hex());
            match self.manifest(&tag).await {
                Err(SourceError::NotFound) => {}
                manifest => found.push((self.name(&tag), manifest?)),
            }
        }
        for referrer in self.holder.referrers(self.at.name(), digest, self.until).await? {
            let reference = referrer.digest()?.to_string();
            let manifest = self.manifest(&reference).await?;
            if manifest.document.subject == Some(*digest) {
                found.push((self.name(&reference), manifest));
            }
        }
        for (name, manifest) in &found {
            pack.name(name, manifest);
            for layer in manifest.document.config.iter().chain(&manifest.document.layers) {
                self.blob(layer, pack).await?;
            }
        }
        Ok(())
    }
}

impl Pack {
    fn name(&mut self, name: &str, manifest: &Manifest) {
        self.blobs.insert(manifest.digest, manifest.bytes.clone());
        let described = (manifest.document.media_type.clone(), manifest.bytes.len());
        self.named.insert((name.to_owned(), manifest.digest), described);
    }

    /// Writes it, beside what a layout has there already; a name that it has is given anew.
    ///
    /// # Errors
    /// Files can't be written, or what is there is no layout.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let blobs = path.join("blobs").join("sha256");
        fs::create_dir_all(&blobs)?;
        for (digest, bytes) in &self.blobs {
            fs::write(blobs.join(digest.hex()), bytes)?;
        }
        let index = path.join("index.json");
        let mut entries: BTreeMap<(String, String), Value> = BTreeMap::new();
        if index.exists() {
            let known: Value = serde_json::from_slice(&fs::read(&index)?)?;
            let known = known.get("manifests").and_then(Value::as_array).cloned().unwrap_or_default();
            for entry in known {
                let text = |pointer: &str| entry.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
                let key = (
                    text("/annotations/org.opencontainers.image.ref.name").to_owned(),
                    text("/digest").to_owned(),
                );
                let is_renamed = !key.0.is_empty() && self.named.keys().any(|(name, _)| *name == key.0);
                if !is_renamed {
                    entries.insert(key, entry);
                }
            }
        }
        for ((name, digest), (media_type, size)) in &self.named {
            let annotations = BTreeMap::from([(REF_NAME, name)]);
            let entry = json!({ "mediaType": media_type, "digest": digest.to_string(), "size": size, "annotations": annotations });
            entries.insert((name.clone(), digest.to_string()), entry);
        }
        let manifests: Vec<&Value> = entries.values().collect();
        let media_type = "application/vnd.oci.image.index.v1+json";
        let document = json!({ "schemaVersion": 2, "mediaType": media_type, "manifests": manifests });
        fs::write(path.join("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}")?;
        fs::write(index, serde_json::to_vec(&document)?)
    }
}
