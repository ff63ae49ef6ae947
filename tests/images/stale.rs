//! A registry that is away: closed, or, where the operator allows it for a while, by what was read of it before.

use std::sync::Arc;
use std::time::Duration;

use meshgate::context::{ContextSource, Fact, FactKey, ImageKey, Puller};
use meshgate::image::{Asked, Authorities, Cached, Digest, Gatherer, Limits, Remembered};
use meshgate::metrics::Metrics;
use serde_json::{Value, json};

use crate::compiled::trust;
use crate::kit::{Holds, INDEX, Said, index, registries, registry};
use crate::server::Server;
use crate::sigstore::{self as kit, SIGNED, statement};

struct Place {
    holds: Holds,
    registry: Server,
    image: Digest,
    pem: String,
    entry: Value,
}

impl Place {
    fn new() -> Self {
        let (holds, key) = (Holds::default(), kit::key());
        let image = holds.image();
        let bundle = kit::key_bundle(&key, &statement(&image, SIGNED, json!({})), None).to_string();
        let entry = holds.referrer(&image, &bundle, Some(SIGNED));
        let registry = holds.serve();
        let place = Self { holds, registry, image, pem: kit::pem_of(&key), entry };
        place.says(200);
        place
    }

    /// The registry answers with its list, or with a status.
    fn says(&self, status: u16) {
        let body = if status == 200 { index(std::slice::from_ref(&self.entry)) } else { Vec::new() };
        let said = Said::of(status, &[("content-type", INDEX)], body);
        self.holds.put(format!("/v2/app/referrers/{}", self.image), said);
    }

    /// Whoever keeps nothing but what may be used while the registry is away.
    fn gatherer(&self, longest: Option<Duration>, metrics: &Metrics) -> Gatherer {
        let host = self.registry.address;
        let text = format!(
            "authorities:\n  a: {{key: {{files: [k.pub], transparencyLog: none}}}}\n  b: {{key: {{files: [k.pub], transparencyLog: none}}, source: {{oci: '{host}/elsewhere'}}}}\nrules:\n- {{name: one, images: ['{host}/app**'], require: {{of: [a]}}, enforcement: deny}}\n- {{name: two, images: ['{host}/both**'], require: {{atLeast: 1, of: [a, b]}}, enforcement: deny}}\n"
        );
        let authorities = Authorities::compile(&trust(&text, &[("k.pub", &self.pem)]).unwrap()).unwrap();
        let cached = Cached::new(Arc::new(registries(&[registry(&self.registry)])), 0);
        let cached = match longest {
            Some(longest) => cached.or_stale(longest, 1 << 20, metrics.clone()),
            None => cached,
        };
        let asked = Asked { authorities: Some([].into()), ..Asked::default() };
        let verifier = Remembered::sigstore(Limits::default(), 1 << 20);
        Gatherer::new(Arc::new(authorities), Arc::new(cached), verifier, asked, Limits::default())
    }

    async fn asked(&self, gatherer: &Gatherer) -> (Value, Value, bool, String) {
        let text = format!("{}/app@{}", self.registry.address, self.image);
        let key = FactKey::Signatures(ImageKey { text, puller: Puller::default() });
        let Fact::Known(entry) = gatherer.fetch(&key).await else { panic!("a fault") };
        let message = entry["errors"][0]["message"].as_str().unwrap_or_default().to_owned();
        (entry["status"].clone(), entry["complete"].clone(), entry["rules"][0]["holds"] == true, message)
    }
}

fn used(metrics: &Metrics) -> bool {
    metrics.text(0).unwrap().contains("meshgate_image_stale_evidence_total 1\n")
}

#[tokio::test]
async fn what_was_read_before_counts_while_the_registry_is_away_and_says_so() {
    let (place, metrics) = (Place::new(), Metrics::new());
    let gatherer = place.gatherer(Some(Duration::from_secs(60)), &metrics);
    assert_eq!(place.asked(&gatherer).await, (json!("ok"), json!(true), true, String::new()));
    assert!(!used(&metrics));
    place.says(500);
    let (status, complete, holds, message) = place.asked(&gatherer).await;
    assert_eq!((status, complete, holds), (json!("ok"), json!(false), true));
    assert!(
        message.contains("its registry fails; what was read of them before is used (`staleIfError`)"),
        "{message}"
    );
    assert!(used(&metrics), "{}", metrics.text(0).unwrap());
    // It says that nothing is there: that is an answer.
    place.says(404);
    let (status, _, holds, _) = place.asked(&gatherer).await;
    assert_eq!((status, holds), (json!("ok"), false));
    for status in [401, 403] {
        place.says(status);
        let (said, _, holds, _) = place.asked(&gatherer).await;
        assert_eq!((said, holds), (json!("error"), false), "{status} is no outage");
    }
}

#[tokio::test]
async fn what_is_gone_does_not_come_back_in_an_outage() {
    let (place, metrics) = (Place::new(), Metrics::new());
    let gatherer = place.gatherer(Some(Duration::from_secs(60)), &metrics);
    for status in [404, 401, 403] {
        place.says(200);
        assert!(place.asked(&gatherer).await.2);
        for said in [status, 500] {
            place.says(said);
            assert!(!place.asked(&gatherer).await.2, "{said} after {status}");
        }
    }
    assert!(metrics.text(0).unwrap().contains("meshgate_image_stale_evidence_total 0\n"));
}

#[tokio::test]
async fn nothing_is_used_that_is_too_old_was_never_read_or_where_nobody_allowed_it() {
    let (place, metrics) = (Place::new(), Metrics::new());
    let brief = place.gatherer(Some(Duration::from_millis(50)), &metrics);
    let cold = place.gatherer(Some(Duration::from_secs(60)), &metrics);
    let off = place.gatherer(None, &metrics);
    for gatherer in [&brief, &off] {
        assert!(place.asked(gatherer).await.2);
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    place.says(500);
    for gatherer in [&brief, &cold, &off] {
        let (status, complete, holds, message) = place.asked(gatherer).await;
        assert_eq!((status, complete, holds), (json!("error"), json!(false), false));
        assert!(message.contains("could not be read") && !message.contains("staleIfError"), "{message}");
    }
    assert!(!used(&metrics));
}
