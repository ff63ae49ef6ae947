//! A configuration as `meshgate.yaml` would say it, with every default written. Nothing in it is secret: keys are
//! files, and named by their paths.

use serde_json::{Value, json};

use super::{Certificates, Configuration, fields, images};
use crate::policy::API_VERSION;

pub(super) fn shown(configuration: &Configuration) -> Value {
    let mut value = json!({
        "apiVersion": API_VERSION,
        "kind": fields::KIND,
        "listen": { "webhook": configuration.webhook, "admin": configuration.admin },
        "policies": configuration.policies,
        "certificates": match &configuration.certificates {
            Certificates::Own => json!({ "mode": "own" }),
            Certificates::Files { certificate, key, ca } => {
                json!({ "mode": "files", "certificate": certificate, "key": key, "ca": ca })
            }
        },
        "subjects": {
            "users": configuration.subjects.users(),
            "groups": configuration.subjects.groups(),
        },
        "guard": { "also": configuration.guarded_labels },
        "registration": {
            "excludedNamespaces": configuration.excluded_namespaces,
            "servicePort": configuration.service_port,
        },
        "caches": { "maxBytes": configuration.cache_bytes },
        "images": images::shown(&configuration.images),
    });
    let client_auth =
        configuration.client_auth.as_ref().map(|client| json!({ "ca": client.ca, "names": client.names }));
    let decision_log =
        configuration.decision_log.as_ref().map(|log| json!({ "file": log.file, "messages": log.messages }));
    if let Some(members) = value.as_object_mut() {
        let from_source = super::source::shown(configuration);
        if !from_source.is_empty() {
            members.remove("policies");
        }
        members.extend(from_source);
        members.extend(configuration.is_plain.then(|| ("plain".to_owned(), true.into())));
        members.extend(client_auth.map(|value| ("clientAuth".to_owned(), value)));
        members.extend(decision_log.map(|value| ("decisionLog".to_owned(), value)));
    }
    value
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use super::*;
    use crate::config::{ClientAuth, DecisionLog};
    use crate::context::Subjects;

    #[test]
    fn what_is_shown_says_the_same() {
        let (labels, excluded) = (["example.com/name".to_owned()].into(), ["calico".to_owned()].into());
        let full = Configuration {
            subjects: Arc::new(Subjects::default().guarding(&labels).excluding(&excluded)),
            webhook: "127.0.0.1:1".parse().unwrap(),
            certificates: Certificates::Files { certificate: "a".into(), key: "b".into(), ca: "c".into() },
            client_auth: Some(ClientAuth { ca: "d".into(), names: BTreeSet::from(["api".to_owned()]) }),
            guarded_labels: labels,
            excluded_namespaces: excluded,
            service_port: 8443,
            is_plain: true,
            decision_log: Some(DecisionLog { file: "-".into(), messages: true }),
            ..Configuration::default()
        };
        for configuration in [Configuration::default(), full] {
            let text = shown(&configuration).to_string();
            assert_eq!(Configuration::read("shown", text.as_bytes()), Ok(configuration), "{text}");
        }
    }
}
