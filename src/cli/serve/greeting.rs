//! What is said at the start, for who started it by hand.

use std::net::SocketAddr;

use super::Arguments;
use super::knowledge::Knowledge;
use crate::context::Others;
use crate::engine::Bundle;

/// What is served, where, and how to try it.
pub(super) fn text(
    arguments: &Arguments,
    knowledge: &Knowledge,
    address: SocketAddr,
    bundle: &Bundle,
) -> String {
    let bound = bundle.bound.len();
    let mut text = format!(
        "meshgate serves {bound} bound policies on https://{address}, revision {}\n",
        bundle.revision
    );
    text.push_str(match knowledge {
        Knowledge::Cluster(..) => "What policies want to know of other objects is kept as the API server shows it.\n",
        Knowledge::Files(facts) if facts.others() == Others::Fresh => "There is no cluster: a namespace that --facts does not give is taken as freshly made.\n",
        Knowledge::Files(_) => {
            "There is no cluster: what hangs on a namespace that --facts does not give is an error; --mode or --dev take \
             it as freshly made.\n"
        }
    });
    if arguments.dev {
        let port = address.port();
        text.push_str(&format!(
            "Try it (the certificate lives in memory only, hence -k):\n  \
             curl -k https://localhost:{port}/validate -H 'Content-Type: application/json' -d @docs/examples/review.json\n"
        ));
    }
    text
}
