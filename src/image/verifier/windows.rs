//! Until when the authorities of a trust root count. The library asks for the window that the root writes beside an
//! authority, and takes each certificate of its chain for an anchor, whose own dates then count for nothing. Here the
//! window is narrowed to the dates of the certificate and of those above it, so that a chain has to have been valid when
//! something was signed, from its leaf to its root.

use sigstore_trust_root::TrustedRoot;
use sigstore_types::{DerCertificate, TimeRange};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use x509_parser::parse_x509_certificate;

/// The same trust root with each certificate of an authority of certificates as one of its own, and all windows narrowed.
/// What was never valid is left out.
pub(super) fn narrowed(root: &TrustedRoot) -> Result<TrustedRoot, String> {
    let mut narrow = root.clone();
    narrow.certificate_authorities.clear();
    narrow.timestamp_authorities.clear();
    for authority in &root.certificate_authorities {
        let mut window = authority.valid_for.map(Some);
        // From the root down: what is above has to be valid, too.
        for entry in authority.cert_chain.certificates.iter().rev() {
            window = within(window, &entry.raw_bytes)?;
            let mut one = authority.clone();
            one.cert_chain.certificates = vec![entry.clone()];
            if let Some(Some(window)) = window {
                one.valid_for = Some(window);
                narrow.certificate_authorities.push(one);
            }
        }
    }
    for authority in &root.timestamp_authorities {
        let certificates = authority.cert_chain.certificates.iter();
        let window =
            certificates.map(|entry| &entry.raw_bytes).try_fold(authority.valid_for.map(Some), within)?;
        let mut one = authority.clone();
        if let Some(Some(window)) = window {
            one.valid_for = Some(window);
            narrow.timestamp_authorities.push(one);
        }
    }
    Ok(narrow)
}

/// A window (None: all of time; `Some(None)`: never), as far as it is within the dates of a certificate.
fn within(
    window: Option<Option<TimeRange>>,
    certificate: &DerCertificate,
) -> Result<Option<Option<TimeRange>>, String> {
    let own = dates(certificate)?;
    let Some(window) = window else { return Ok(Some(Some(own))) };
    Ok(Some(window.and_then(|window| {
        let start = window.start.max(own.start);
        let end = window.end.into_iter().chain(own.end).min();
        end.is_none_or(|end| start <= end).then(|| TimeRange::new(start, end))
    })))
}

/// From when until when a certificate is valid.
fn dates(certificate: &DerCertificate) -> Result<TimeRange, String> {
    let wrong = |why: &dyn std::fmt::Display| format!("a certificate of an authority can't be read: {why}");
    let (_, parsed) = parse_x509_certificate(certificate.as_bytes()).map_err(|why| wrong(&why))?;
    let moment = |seconds: i64| {
        let moment = OffsetDateTime::from_unix_timestamp(seconds).map_err(|why| wrong(&why))?;
        let text = moment.format(&Rfc3339).map_err(|why| wrong(&why))?;
        text.parse().map_err(|why| wrong(&why))
    };
    let validity = parsed.validity();
    Ok(TimeRange::new(
        moment(validity.not_before.timestamp())?,
        Some(moment(validity.not_after.timestamp())?),
    ))
}
