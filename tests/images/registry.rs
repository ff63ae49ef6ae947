//! A registry as a source: what is read of it, and that whatever goes wrong is an error of its own, never "nothing there".

use std::sync::Arc;
use std::time::{Duration, Instant};

use meshgate::config::{ImageLimits, Images, Registry};
use meshgate::image::{Cached, CredentialSet, Digest, EvidenceSource, Registries, SourceError};
use meshgate::kubernetes::image_reference::ImageReference;
use serde_json::{Value, json};

use crate::kit::{
    BUNDLE, ENVELOPE, Holds, INDEX, MANIFEST, SIMPLE_SIGNING, Said, digests, evidence, in_seconds, index,
    layers, paths, registries, registry, resolve,
};
use crate::server::Server;

const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

#[tokio::test]
async fn all_that_lies_about_an_image_is_read_by_its_digest() {
    let holds = Holds::default();
    let image = holds.image();
    holds.legacy(&image, "sig", SIMPLE_SIGNING, &["sig-1", "sig-2"]);
    holds.legacy(&image, "att", ENVELOPE, &["att-1"]);
    let entries = [
        holds.referrer(&image, "bundle-1", Some("https://sigstore.dev/cosign/sign/v1")),
        holds.referrer(&image, "bundle-2", Some("https://slsa.dev/provenance/v1")),
        holds.referrer(&image, "bundle-3", None),
        holds.referrer(&image, "unasked", Some("https://spdx.dev/Document")),
        holds.referrer(&Digest::of(b"another"), "of-another", None),
    ];
    let path = format!("/v2/app/referrers/{image}");
    let next = format!("<{path}?n=2>; rel=\"next\"");
    holds.put(path.clone(), Said::of(200, &[("content-type", INDEX), ("link", &next)], index(&entries[..2])));
    holds.put(format!("{path}?n=2"), Said::of(200, &[("content-type", INDEX)], index(&entries[2..])));
    let server = holds.serve();
    let source = registries(&[registry(&server)]);
    let resolved = resolve(&source, &server, 10).await.unwrap();
    assert_eq!((resolved.digest, resolved.media_type.as_str()), (image, MANIFEST));
    let gathered = evidence(&source, &server, &image).await.unwrap();
    let expected = digests(&["sig-1", "sig-2", "att-1", "bundle-1", "bundle-2", "bundle-3"]);
    assert_eq!(layers(&gathered), expected);
    assert_eq!(gathered.unread, []);
    let asked = server.asked();
    let manifests = asked.iter().filter(|one| one.path().contains("/manifests/"));
    assert!(manifests.clone().count() > 3);
    manifests.for_each(|one| assert_eq!(one.header("accept"), Some(ACCEPT), "{one:?}"));
    for one in &asked {
        assert_eq!((one.header("accept-encoding"), one.header("authorization")), (Some("identity"), None));
    }
    let unasked = Digest::of(b"unasked");
    assert!(
        !paths(&asked).iter().any(|path| path.contains(&unasked.hex())),
        "what nobody asks for is not read"
    );
}

#[tokio::test]
async fn an_image_without_signatures_has_none() {
    let holds = Holds::default();
    let image = holds.image();
    let server = holds.serve();
    let gathered = evidence(&registries(&[registry(&server)]), &server, &image).await.unwrap();
    assert_eq!((gathered.evidence.len(), gathered.unread.len()), (0, 0));
}

/// Which answers mean that a registry keeps no list, so that the tag is looked at, and which mean that it failed.
#[tokio::test]
async fn only_who_keeps_no_list_is_asked_for_the_tag() {
    let unsupported = [
        Said::of(404, &[("content-type", "text/plain")], "404 page not found"),
        Said::of(404, &[("content-type", "application/json")], "{\"errors\": []}"),
        Said::of(400, &[], ""),
        Said::of(405, &[], ""),
        Said::of(406, &[], ""),
        Said::of(501, &[], ""),
        Said::of(200, &[("content-type", "text/html")], "<p>"),
    ];
    let failed = [
        (Said::of(401, &[], ""), SourceError::Unauthorized),
        (Said::of(403, &[], ""), SourceError::Unauthorized),
        (Said::of(429, &[], ""), SourceError::RateLimited { retry_after: None }),
        (Said::of(500, &[], ""), SourceError::Unavailable),
        (Said::of(503, &[], ""), SourceError::Unavailable),
        (
            Said::of(200, &[("content-type", INDEX)], "{\"manifests\": ["),
            SourceError::Corrupt("a manifest that is no JSON, or not of its form"),
        ),
    ];
    for said in unsupported {
        let holds = Holds::default();
        let image = holds.image();
        holds.put(format!("/v2/app/referrers/{image}"), said.clone());
        let entry = holds.referrer(&image, "by tag", None);
        holds.document(
            &format!("sha256-{}", image.hex()),
            INDEX,
            &serde_json::from_slice(&index(&[entry])).unwrap(),
        );
        let server = holds.serve();
        let gathered = evidence(&registries(&[registry(&server)]), &server, &image).await.unwrap();
        assert_eq!((layers(&gathered), gathered.unread), (digests(&["by tag"]), Vec::new()), "{said:?}");
    }
    for (said, expected) in failed {
        let holds = Holds::default();
        let image = holds.image();
        holds.put(format!("/v2/app/referrers/{image}"), said.clone());
        holds.legacy(&image, "sig", SIMPLE_SIGNING, &["sig"]);
        let server = holds.serve();
        let gathered = evidence(&registries(&[registry(&server)]), &server, &image).await.unwrap();
        assert_eq!((layers(&gathered), gathered.unread), (digests(&["sig"]), vec![expected]), "{said:?}");
    }
}

#[tokio::test]
async fn a_page_of_referrers_that_is_not_there_is_no_end_of_the_list() {
    let holds = Holds::default();
    let image = holds.image();
    let path = format!("/v2/app/referrers/{image}");
    let next = format!("<{path}?n=2>; rel=\"next\"");
    holds.put(path.clone(), Said::of(200, &[("content-type", INDEX), ("link", &next)], index(&[])));
    holds.put(format!("{path}?n=2"), Said::of(404, &[], ""));
    let server = holds.serve();
    let error = evidence(&registries(&[registry(&server)]), &server, &image).await.unwrap_err();
    assert_eq!(error, SourceError::Corrupt("a page of referrers that is not there"));
}

/// Each fault of a manifest, and what it is called.
#[tokio::test]
async fn a_faulty_manifest_is_an_error_of_its_own() {
    let manifest = |body: &str| Said::of(200, &[("content-type", MANIFEST)], body);
    let corrupt = SourceError::Corrupt;
    let denies = r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"OCI manifest found, but accept header does not support OCI manifests"}]}"#;
    let other = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let rows = [
        (Said::of(404, &[], "x"), SourceError::NotFound),
        (
            Said::of(404, &[], denies),
            corrupt("it holds the manifest and says that the request does not accept its type"),
        ),
        (Said::of(401, &[], ""), SourceError::Unauthorized),
        (Said::of(401, &[("www-authenticate", "Bearer realm")], ""), corrupt("a challenge without a realm")),
        (Said::of(403, &[], ""), SourceError::Unauthorized),
        (
            Said::of(429, &[("retry-after", "7")], ""),
            SourceError::RateLimited { retry_after: Some(Duration::from_secs(7)) },
        ),
        (Said::of(500, &[], ""), SourceError::Unavailable),
        (
            Said::of(302, &[("location", "/elsewhere")], ""),
            corrupt("a redirect of what never leaves its host"),
        ),
        (Said::of(204, &[], ""), corrupt("a status that says nothing about what was asked")),
        (manifest("{\"layers\": ["), corrupt("a manifest that is no JSON, or not of its form")),
        (manifest(r#"{"layers": [], "manifests": []}"#), corrupt("a manifest that is an index, too")),
        (
            Said::of(200, &[("content-type", "text/html")], "{}"),
            corrupt("a manifest of another media type than those of OCI and of Docker's schema 2"),
        ),
        (
            Said::of(200, &[("content-type", MANIFEST), ("docker-content-digest", other)], "{}"),
            corrupt("a manifest with another digest"),
        ),
        (manifest(&" ".repeat((4 << 20) + 1)), SourceError::Limit("bytes of a manifest")),
    ];
    for (said, expected) in rows {
        let holds = Holds::default();
        holds.put("/v2/app/manifests/v1", said.clone());
        let server = holds.serve();
        let error = resolve(&registries(&[registry(&server)]), &server, 10).await.unwrap_err();
        assert_eq!(error, expected);
        let times = if expected == SourceError::Unavailable { 2 } else { 1 };
        assert_eq!(server.asked().len(), times, "a registry that fails is asked once more: {expected:?}");
    }
}

#[tokio::test]
async fn a_digest_is_that_of_the_bytes() {
    let holds = Holds::default();
    let image = holds.image();
    holds.put(format!("/v2/app/manifests/{image}"), Said::of(200, &[("content-type", MANIFEST)], "{}"));
    holds.legacy(&image, "sig", SIMPLE_SIGNING, &["sig"]);
    holds.put(format!("/v2/app/blobs/{}", Digest::of(b"sig")), Said::of(200, &[], "gis"));
    let server = holds.serve();
    let source = registries(&[registry(&server)]);
    let by_digest = ImageReference::parse(&format!("{}/app@{image}", server.address));
    let none = CredentialSet::none();
    let error = source.resolve(&by_digest.unwrap(), &none, in_seconds(9)).await;
    assert_eq!(error, Err(SourceError::Corrupt("a manifest with another digest")));
    let error = evidence(&source, &server, &image).await.unwrap_err();
    assert_eq!(error, SourceError::Corrupt("a blob with another digest"));
}

#[tokio::test]
async fn what_is_beyond_a_limit_is_not_read_and_not_called_absent() {
    let layers: Vec<String> = (0..65).map(|number| format!("sig-{number}")).collect();
    let layers: Vec<&str> = layers.iter().map(String::as_str).collect();
    let many = |count: usize| {
        let entry = json!({ "mediaType": MANIFEST, "digest": Digest::of(b"x").to_string(), "size": 1 });
        index(&vec![entry; count])
    };
    type Make<'a> = &'a dyn Fn(&Holds, &Digest);
    let page = |holds: &Holds, image: &Digest| {
        let path = format!("/v2/app/referrers/{image}");
        let next = format!("<{path}>; rel=next");
        holds.put(path, Said::of(200, &[("content-type", INDEX), ("link", &next)], index(&[])));
    };
    let list = |count: usize| {
        move |holds: &Holds, image: &Digest| {
            holds.put(
                format!("/v2/app/referrers/{image}"),
                Said::of(200, &[("content-type", INDEX)], many(count)),
            );
        }
    };
    let rows: [(Make<'_>, &str); 5] = [
        (&|holds, image| holds.legacy(image, "sig", SIMPLE_SIGNING, &layers), "signatures"),
        (
            &|holds, image| holds.legacy(image, "att", ENVELOPE, &[&"x".repeat((1 << 20) + 1)]),
            "bytes of a piece of evidence",
        ),
        (&page, "pages of referrers"),
        (&list(65), "referrers"),
        (&list(100_000), "bytes of a list of referrers"),
    ];
    for (make, expected) in rows {
        let holds = Holds::default();
        let image = holds.image();
        make(&holds, &image);
        let server = holds.serve();
        let error = evidence(&registries(&[registry(&server)]), &server, &image).await.unwrap_err();
        assert_eq!(error, SourceError::Limit(expected));
        let asked = server.asked();
        assert!(asked.len() < 12 && !paths(&asked).iter().any(|path| path.contains("/blobs/")), "{asked:?}");
    }
}

#[tokio::test]
async fn an_endless_or_silent_registry_ends_in_time() {
    let endless = Server::start(|_, stream| {
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-type: {MANIFEST}\r\ntransfer-encoding: chunked\r\n\r\n");
        let mut alive = stream.write_all(head.as_bytes()).is_ok();
        let piece = [b"10000\r\n".as_slice(), &[b' '; 65_536], b"\r\n"].concat();
        while alive {
            alive = stream.write_all(&piece).is_ok();
        }
    });
    let error = resolve(&registries(&[registry(&endless)]), &endless, 5).await.unwrap_err();
    assert_eq!(error, SourceError::Limit("bytes of a manifest"));
    let silent = Server::start(|_, _| std::thread::sleep(Duration::from_secs(10)));
    let start = Instant::now();
    let error = resolve(&registries(&[registry(&silent)]), &silent, 1).await.unwrap_err();
    assert!(error == SourceError::Deadline && start.elapsed() < Duration::from_secs(2), "{error}");
    let broken =
        Server::start(|_, stream| drop(stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx")));
    let error = resolve(&registries(&[registry(&broken)]), &broken, 1).await.unwrap_err();
    assert!(matches!(error, SourceError::Deadline | SourceError::Transport(_)), "{error}");
}

#[tokio::test]
async fn nobody_is_asked_whom_the_configuration_does_not_name() {
    let holds = Holds::default();
    holds.image();
    let server = holds.serve();
    let others = Registry { host: "*.example.com".to_owned(), ..Registry::default() };
    for all in [Vec::new(), vec![others]] {
        assert_eq!(resolve(&registries(&all), &server, 5).await.unwrap_err(), SourceError::Denied);
    }
    assert!(server.asked().is_empty());
    // The first that fits, but an exact host before a pattern.
    let any = Registry { host: "*".to_owned(), plaintext: false, ..Registry::default() };
    assert!(resolve(&registries(&[any, registry(&server)]), &server, 5).await.is_ok());
    // Who names the image would choose the host: it learns nothing of what is there.
    let any = Registry { host: "*".to_owned(), plaintext: true, ..Registry::default() };
    let asked = server.asked().len();
    let error = resolve(&registries(&[any]), &server, 5).await.unwrap_err();
    assert_eq!((error.to_string().as_str(), server.asked().len()), ("its registry can't be reached", asked));
    // A person at a terminal may ask whom they like; on this machine without TLS.
    assert!(resolve(&Registries::everywhere().unwrap(), &server, 5).await.is_ok());
}

#[tokio::test]
async fn a_mirror_is_asked_instead() {
    let holds = Holds::default();
    let image = holds.image();
    holds.put("/v2/hub/team/app/manifests/v1", holds.said("/v2/app/manifests/v1"));
    let server = holds.serve();
    let endpoint = Some(server.url("/hub"));
    let entry = Registry { host: "docker.io".to_owned(), endpoint, plaintext: true, ..Registry::default() };
    let reference = ImageReference::parse("team/app:v1").unwrap();
    let none = CredentialSet::none();
    let source = registries(&[entry]);
    let resolved = source.resolve(&reference, &none, in_seconds(5)).await;
    assert_eq!(resolved.map(|resolved| resolved.digest), Ok(image));
}

/// 51 Pods at once: one reading. A tag is asked for again each time, and evidence is not.
#[tokio::test]
async fn many_who_ask_at_once_cause_one_reading() {
    let holds = Holds::default();
    let image = holds.image();
    holds.legacy(&image, "sig", SIMPLE_SIGNING, &["sig"]);
    let slow = holds.clone();
    let server = Server::start(move |asked, stream| {
        std::thread::sleep(Duration::from_millis(30));
        slow.said(asked.path()).to(stream);
    });
    let source = Cached::new(Arc::new(registries(&[registry(&server)])), 1 << 20);
    let all = futures_util::future::join_all((0..51).map(|_| async {
        let resolved = resolve(&source, &server, 10).await.unwrap();
        evidence(&source, &server, &resolved.digest).await.unwrap()
    }));
    assert!(all.await.iter().all(|gathered| layers(gathered) == digests(&["sig"])));
    let count = |part: &str| paths(&server.asked()).iter().filter(|path| path.contains(part)).count();
    assert_eq!(
        (count("/manifests/v1"), count("/blobs/"), count("/referrers/")),
        (1, 1, 1),
        "{:?}",
        server.asked()
    );
    resolve(&source, &server, 10).await.unwrap();
    evidence(&source, &server, &image).await.unwrap();
    assert_eq!((count("/manifests/v1"), count("/blobs/")), (2, 1), "a tag may have moved; a digest has not");
}

#[tokio::test]
async fn requests_at_a_time_are_bounded() {
    let busy = Arc::new(std::sync::Mutex::new((0_usize, 0_usize)));
    let seen = Arc::clone(&busy);
    let server = Server::start(move |_, stream| {
        {
            let mut seen = seen.lock().unwrap();
            seen.0 += 1;
            seen.1 = seen.1.max(seen.0);
        }
        std::thread::sleep(Duration::from_millis(30));
        seen.lock().unwrap().0 -= 1;
        Said::of(200, &[("content-type", MANIFEST)], "{}").to(stream);
    });
    let limits = ImageLimits { per_registry: 3, ..ImageLimits::default() };
    let images = Images { registries: vec![registry(&server)], limits, ..Images::default() };
    let source = Registries::new(&images).map_err(|errors| format!("{errors:?}")).unwrap();
    let all = futures_util::future::join_all((0..20).map(|_| resolve(&source, &server, 10)));
    assert!(all.await.iter().all(Result::is_ok));
    assert_eq!(busy.lock().unwrap().1, 3);
}

/// Of a list of referrers that names what is not there, nothing is made up.
#[tokio::test]
async fn what_is_listed_and_not_there_is_an_error() {
    let holds = Holds::default();
    let image = holds.image();
    let gone = json!({ "mediaType": BUNDLE, "digest": Digest::of(b"gone").to_string(), "size": 1 });
    let body = index(std::slice::from_ref(&gone));
    holds.put(format!("/v2/app/referrers/{image}"), Said::of(200, &[("content-type", INDEX)], body));
    let layers: Value =
        json!({ "layers": [{ "mediaType": SIMPLE_SIGNING, "digest": gone["digest"], "size": 1 }] });
    holds.document(&format!("sha256-{}.sig", image.hex()), MANIFEST, &layers);
    let server = holds.serve();
    let source = registries(&[registry(&server)]);
    assert_eq!(
        evidence(&source, &server, &image).await.unwrap_err(),
        SourceError::Corrupt("a list of referrers that are not there")
    );
}
