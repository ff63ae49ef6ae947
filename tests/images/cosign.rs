//! Images that the real cosign signed, in registries as they are.

use meshgate::config::Registry;
use meshgate::image::{CredentialSet, Digest, EvidenceSource, Gathered, Repository, SourceError, Wanted};
use meshgate::kubernetes::image_reference::ImageReference;

use crate::kit::{in_seconds, registries};
use crate::programs::{Kind, Program, Signer, tools};

const PROVENANCE: &str = "https://slsa.dev/provenance/v1";

async fn read(image: &str, legacy: bool, bundles: bool, types: &[&str]) -> Result<Gathered, SourceError> {
    let reference = ImageReference::parse(image).unwrap();
    let at = Repository::of(&reference);
    let digest: Digest = reference.digest().unwrap().parse().unwrap();
    let predicate_types = types.iter().map(ToString::to_string).collect();
    let want = Wanted { legacy, bundles, predicate_types, tag_prefix: String::new() };
    let entry = Registry { host: at.registry().to_owned(), plaintext: true, ..Registry::default() };
    registries(&[entry]).evidence(&at, &digest, &want, &CredentialSet::none(), in_seconds(10)).await
}

/// How many pieces there are, where all that is there could be read.
async fn count(image: &str, legacy: bool, bundles: bool, types: &[&str]) -> usize {
    let gathered = read(image, legacy, bundles, types).await.unwrap();
    assert_eq!(gathered.unread, [], "{image}");
    gathered.evidence.len()
}

#[tokio::test]
async fn what_cosign_left_in_a_registry_is_found() {
    let Some(tools) = tools() else { return };
    let signer = Signer::new(&tools);
    for kind in Kind::ALL {
        let Some(registry) = Program::start(kind, &tools) else { continue };
        let (signed, unsigned) =
            (signer.image(&registry.address, "app"), signer.image(&registry.address, "other"));
        for legacy in [false, true] {
            signer.sign(&signed, legacy);
            signer.attest(&signed, legacy);
        }
        assert_eq!(count(&signed, true, true, &[PROVENANCE]).await, 4, "{kind:?}");
        assert_eq!(count(&signed, true, false, &[PROVENANCE]).await, 2, "{kind:?}");
        assert_eq!(count(&signed, false, true, &[PROVENANCE]).await, 2, "{kind:?}");
        // Where no list is kept, cosign does not write into its own of what kind an entry is: it is read to know.
        let read = if kind == Kind::Referrers { 1 } else { 2 };
        assert_eq!(count(&signed, false, true, &["https://spdx.dev/Document"]).await, read, "{kind:?}");
        assert_eq!(count(&unsigned, true, true, &[PROVENANCE]).await, 0, "{kind:?}");
        // What the tag means is what crane says.
        let tagged = ImageReference::parse(&format!("{}/app:v1", registry.address)).unwrap();
        let entry = Registry { host: registry.address.clone(), plaintext: true, ..Registry::default() };
        let resolved =
            registries(&[entry]).resolve(&tagged, &CredentialSet::none(), in_seconds(10)).await.unwrap();
        assert!(signed.ends_with(&resolved.digest.to_string()), "{kind:?}: {signed} {}", resolved.digest);
        println!("{kind:?}: signatures and attestations of both forms are found");
    }
}
