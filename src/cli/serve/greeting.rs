//! What is said at the start, for who started it by hand.

use super::Arguments;
use super::knowledge::Knowledge;
use super::ports::{Ports, address};
use crate::context::Others;
use crate::engine::Bundle;

/// What is served, where, and how to try it.
pub(super) fn text(
    arguments: &Arguments,
    knowledge: &Knowledge,
    ports: &Ports,
    bundle: Option<&Bundle>,
) -> anyhow::Result<String> {
    let webhook = address(&ports.webhook)?;
    let mut text = match bundle {
        Some(bundle) => format!(
            "meshgate serves {} bound policies on https://{webhook}, revision {}\n",
            bundle.bound.len(),
            bundle.revision
        ),
        None => {
            format!("meshgate serves policies from Git on https://{webhook}, as soon as there are some\n")
        }
    };
    if let Some(admin) = &ports.admin {
        let scheme = if admin.tls.is_some() { "https" } else { "http" };
        text.push_str(&format!("Health and metrics are on {scheme}://{}\n", address(admin)?));
    }
    text.push_str(match knowledge {
        Knowledge::Cluster(..) => "What policies want to know of other objects is kept as the API server shows it.\n",
        Knowledge::Files(facts) if facts.others() == Others::Fresh => "There is no cluster: a namespace that --facts does not give is taken as freshly made.\n",
        Knowledge::Files(_) => {
            "There is no cluster: what hangs on a namespace that --facts does not give is an error; --mode or --dev take \
             it as freshly made.\n"
        }
    });
    if arguments.dev {
        let port = webhook.port();
        text.push_str(&format!(
            "Try it (the certificate lives in memory only, hence -k):\n  \
             curl -k https://localhost:{port}/validate -H 'Content-Type: application/json' -d @docs/examples/review.json\n"
        ));
    }
    Ok(text)
}
