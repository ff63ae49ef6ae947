//! The certificate that the server shows.

use anyhow::bail;

use super::Arguments;
use crate::certificates::Identity;
use crate::config::{Certificates, Configuration};

/// By flags, by the configuration, or made for this machine.
pub(super) fn identity(arguments: &Arguments, configuration: &Configuration) -> anyhow::Result<Identity> {
    match (&arguments.tls_cert_file, &arguments.tls_private_key_file, &configuration.certificates) {
        (Some(certificate), Some(key), _) => Ok(Identity::from_files(certificate, key)?),
        _ if arguments.dev => Ok(Identity::for_localhost()?),
        (_, _, Certificates::Files { certificate, key, .. }) => Ok(Identity::from_files(certificate, key)?),
        (_, _, Certificates::Own) => {
            bail!("name --tls-cert-file and --tls-private-key-file, or say --dev to try it on this machine")
        }
    }
}
