//! The certificate that the server shows.

use anyhow::bail;

use super::Arguments;
use super::knowledge::Knowledge;
use crate::certificates::{Identity, Serving};
use crate::config::{Certificates, Configuration};

/// By flags, by the configuration, or made for this machine. In a cluster what the configuration says is the
/// registration's matter, which begins with none.
pub(super) fn serving(
    arguments: &Arguments,
    configuration: &Configuration,
    knowledge: &Knowledge,
) -> anyhow::Result<Serving> {
    let is_in_cluster = matches!(knowledge, Knowledge::Cluster(..));
    Ok(match (&arguments.tls_cert_file, &arguments.tls_private_key_file, &configuration.certificates) {
        (Some(certificate), Some(key), _) => Serving::new(Identity::from_files(certificate, key)?),
        _ if arguments.dev => Serving::new(Identity::for_localhost()?),
        _ if is_in_cluster => Serving::default(),
        (_, _, Certificates::Files { certificate, key, .. }) => {
            Serving::new(Identity::from_files(certificate, key)?)
        }
        (_, _, Certificates::Own) => {
            bail!(
                "there is no cluster in which to keep a certificate; name --tls-cert-file and --tls-private-key-file, or \
                 say --dev to try it on this machine (more: meshgate serve --help)"
            )
        }
    })
}
