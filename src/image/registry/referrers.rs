//! Who refers to a digest: the registry's own list, or, where it keeps none, an index under a tag.

use super::Holder;
use super::document::{Descriptor, Document};
use super::instance::{Ask, Instance, MANIFEST_BYTES};
use super::reply::Reply;
use crate::image::digest::Digest;
use crate::image::source::SourceError;
use crate::outbound::Url;
use tokio::time::Instant;

/// Pages of a list.
const PAGES: usize = 4;
/// Entries of a list.
const ENTRIES: usize = 64;

const ACCEPT: &str = "application/vnd.oci.image.index.v1+json";

/// The manifests that say of themselves that they are about a digest; nobody has looked at them yet.
pub(super) async fn referrers(
    instance: &Instance,
    name: &str,
    digest: &Digest,
    until: Instant,
) -> Result<Vec<Descriptor>, SourceError> {
    let path = format!("referrers/{digest}");
    let (bytes, limit) = (MANIFEST_BYTES, "bytes of a list of referrers");
    let ask = Ask { name, path: &path, url: None, accept: Some(ACCEPT), bytes, limit };
    let mut reply = instance.ask(&ask, until).await?;
    let mut at = instance.url(&ask)?;
    // Without the list some registries say 404, others that the request or its method is wrong, others send a page.
    let is_list = |reply: &Reply| {
        reply
            .content_type
            .as_deref()
            .is_some_and(|text| text.split(';').next().unwrap_or_default().trim() == ACCEPT)
    };
    let is_unknown = matches!(reply.status, 400 | 404 | 405 | 406 | 501);
    if is_unknown || (reply.status == 200 && !is_list(&reply)) {
        return by_tag(instance, name, digest, until).await;
    }
    let mut all = Vec::new();
    for _ in 0..PAGES {
        // The registry named the page: that it is not there is no list without it.
        reply = reply.found().map_err(|error| match error {
            SourceError::NotFound => SourceError::Corrupt("a page of referrers that is not there"),
            error => error,
        })?;
        all.extend(Document::read(reply.content_type.as_deref(), &reply.body)?.manifests);
        if all.len() > ENTRIES {
            return Err(SourceError::Limit("referrers"));
        }
        let Some(next) = next(&reply.links, &at)? else { return Ok(all) };
        at = next;
        reply = instance.ask(&Ask { url: Some(&at), ..ask }, until).await?;
    }
    Err(SourceError::Limit("pages of referrers"))
}

/// The index under the tag `sha256-…`, which who pushes maintains.
async fn by_tag(
    instance: &Instance,
    name: &str,
    digest: &Digest,
    until: Instant,
) -> Result<Vec<Descriptor>, SourceError> {
    let found = instance.manifest(name, &format!("sha256-{}", digest.hex()), until).await;
    let document = match found {
        Err(SourceError::NotFound) => return Ok(Vec::new()),
        found => found?.document,
    };
    if !document.is_index() {
        return Err(SourceError::Corrupt("a manifest where an index of referrers should be"));
    }
    if document.manifests.len() > ENTRIES {
        return Err(SourceError::Limit("referrers"));
    }
    Ok(document.manifests)
}

/// Where the next page is (RFC 8288): on the same host, or nowhere.
fn next(links: &[String], at: &Url) -> Result<Option<Url>, SourceError> {
    let corrupt = || SourceError::Corrupt("a next page of referrers that is elsewhere, or no URL");
    for link in links {
        let Some((target, parameters)) = link.trim().strip_prefix('<').and_then(|rest| rest.split_once('>'))
        else {
            return Err(corrupt());
        };
        let is_next = parameters.split(';').any(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or_default();
            name.trim().eq_ignore_ascii_case("rel")
                && value.trim().trim_matches('"').eq_ignore_ascii_case("next")
        });
        if is_next {
            let next = at.join(target).map_err(|_| corrupt())?;
            return if next.origin() == at.origin() { Ok(Some(next)) } else { Err(corrupt()) };
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_on_the_same_host() {
        let at = Url::parse("https://a.io/v2/x/referrers/sha256:1").unwrap();
        let of = |link: &str| {
            next(&[link.to_owned()], &at)
                .map(|next| next.map(|url| format!("{}{}", url.origin(), url.path())))
        };
        let page = "https://a.io/v2/x/referrers/sha256:1?page=2";
        assert_eq!(of("</v2/x/referrers/sha256:1?page=2>; rel=\"next\""), Ok(Some(page.to_owned())));
        assert_eq!(of(&format!("<{page}>;rel=next;title=x")), Ok(Some(page.to_owned())));
        assert_eq!(of("</x>; rel=\"prev\""), Ok(None));
        for link in
            ["<https://b.io/x>; rel=next", "<http://a.io/x>; rel=next", "/x; rel=next", "<../x>; rel=next"]
        {
            assert!(of(link).is_err(), "{link}");
        }
    }
}
