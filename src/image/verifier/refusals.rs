//! The library's errors in our classes. A kind of error that comes with a later release counts as `unsupported`.

use sigstore_bundle::Error as Structure;
use sigstore_crypto::Error as Crypto;
use sigstore_verify::{CertificateError, Error, TransparencyLogError};

use crate::image::reject::{Class, Reject};

impl From<Error> for Reject {
    fn from(error: Error) -> Self {
        Self::new(class(&error), error)
    }
}

fn class(error: &Error) -> Class {
    match error {
        Error::IdentityMismatch { .. } | Error::IssuerMismatch { .. } => Class::Identity,
        Error::SignatureInvalid(_) => Class::Signature,
        Error::ArtifactMismatch(_) => Class::Binding,
        Error::UnsupportedArtifact(_) | Error::UnsupportedBundle(_) => Class::Unsupported,
        Error::Certificate(CertificateError::Malformed(_)) => Class::Malformed,
        Error::Certificate(CertificateError::Sct(_)) => Class::Sct,
        Error::Certificate(_) => Class::Certificate,
        Error::TransparencyLog(TransparencyLogError::EntryMismatch(_)) => Class::LogMismatch,
        Error::TransparencyLog(TransparencyLogError::MalformedEntry(_)) => Class::Malformed,
        Error::TransparencyLog(_) => Class::Log,
        Error::Timestamp(_) => Class::Time,
        Error::InvalidBundle(_) | Error::Types(_) | Error::ArtifactRead(_) => Class::Malformed,
        Error::Crypto(Crypto::Verification(_)) => Class::Signature,
        Error::Crypto(Crypto::UnsupportedAlgorithm(_) | Crypto::InvalidKey(_)) => Class::Unsupported,
        Error::Crypto(_) => Class::Malformed,
        Error::Bundle(error) => structure(error),
        Error::InvalidTrustRoot(_) | Error::TrustRoot(_) | Error::TrustedCertificate(_) => Class::TrustRoot,
        _ => Class::Unsupported,
    }
}

fn structure(error: &Structure) -> Class {
    match error {
        Structure::MissingInclusionPromise(_)
        | Structure::MissingInclusionProof(_)
        | Structure::MissingCheckpoint
        | Structure::LogIndexOutOfRange { .. }
        | Structure::CheckpointRootMismatch => Class::Log,
        Structure::MissingSigningTimeEvidence | Structure::MissingTimestamp => Class::Time,
        Structure::CertificateChainNotAllowed(_) => Class::Malformed,
        _ => Class::Unsupported,
    }
}
