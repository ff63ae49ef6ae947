//! `meshgate.yaml` as it is written, and what makes no sense in it.

use core::net::SocketAddr;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::images::ImageFields;
use super::source::{self, RolloutFields, SourceFields, TrustFields};
use super::{Certificates, ClientAuth, Configuration, DecisionLog};
use crate::context::Subjects;
use crate::kubernetes::label_selector::{is_dns_label, is_label_key};
use crate::policy::{self, Fault, Faults, Member, Members};

/// The file's kind.
pub(super) const KIND: &str = "Configuration";

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct Fields {
    listen: ListenFields,
    policies: Option<String>,
    plain: bool,
    source: Option<SourceFields>,
    trust: Option<TrustFields>,
    state: Option<PathBuf>,
    rollout: Option<RolloutFields>,
    certificates: Option<CertificateFields>,
    client_auth: Option<ClientAuthFields>,
    subjects: Option<SubjectFields>,
    guard: GuardFields,
    registration: RegistrationFields,
    caches: CacheFields,
    decision_log: Option<DecisionLogFields>,
    images: ImageFields,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ListenFields {
    webhook: Option<SocketAddr>,
    admin: Option<SocketAddr>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", tag = "mode")]
enum CertificateFields {
    #[serde(rename = "own")]
    Own {},
    #[serde(rename = "files")]
    Files { certificate: PathBuf, key: PathBuf, ca: PathBuf },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClientAuthFields {
    ca: PathBuf,
    names: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SubjectFields {
    #[serde(default)]
    users: BTreeSet<String>,
    #[serde(default)]
    groups: BTreeSet<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct GuardFields {
    also: BTreeSet<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct RegistrationFields {
    excluded_namespaces: BTreeSet<String>,
    service_port: Option<u16>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct CacheFields {
    max_bytes: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DecisionLogFields {
    file: PathBuf,
    #[serde(default)]
    messages: bool,
}

/// What the file may have in it.
pub(super) fn members() -> Vec<Member> {
    policy::members::<Fields>("")
}

/// That, as a JSON Schema (2020-12).
pub(super) fn schema() -> Value {
    let mut schema = policy::schema::<Fields>();
    for (member, value) in [("apiVersion", policy::API_VERSION), ("kind", KIND)] {
        if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            properties.insert(member.to_owned(), json!({ "const": value }));
        }
    }
    let about = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The configuration of meshgate's own process",
        "required": ["apiVersion", "kind"],
    });
    if let (Some(schema), Value::Object(about)) = (schema.as_object_mut(), about) {
        schema.extend(about);
    }
    schema
}

pub(super) fn read(file: &str, content: &[u8]) -> Result<Configuration, Faults> {
    let members = Members::read(file, content, KIND)?;
    let fields: Fields = members.typed()?;
    let mut faults = contradictions(&fields, &members);
    of_source(&fields, &members, &mut faults);
    Faults::or(faults, configuration(fields))
}

/// What is well-formed and can't be meant.
fn contradictions(fields: &Fields, members: &Members) -> Vec<Fault> {
    let mut faults = Vec::new();
    if fields.client_auth.as_ref().is_some_and(|client| client.names.is_empty()) {
        let message = "clientAuth.names: none, so nobody could connect; name the API server's certificate";
        faults.push(members.fault("/clientAuth/names", message));
    }
    if fields
        .subjects
        .as_ref()
        .is_some_and(|subjects| subjects.users.is_empty() && subjects.groups.is_empty())
    {
        let message = "subjects: nobody, so what is guarded could never be changed; name users or groups";
        faults.push(members.fault("/subjects", message));
    }
    for label in fields.guard.also.iter().filter(|label| !is_label_key(label)) {
        let message = format!("guard.also: `{label}` is no label's name; write one as `example.com/name`");
        faults.push(members.fault("/guard/also", message));
    }
    for name in fields.registration.excluded_namespaces.iter().filter(|name| !is_dns_label(name)) {
        let message = format!(
            "registration.excludedNamespaces: `{name}` is no namespace's name; write one as `calico-system`, without stars"
        );
        faults.push(members.fault("/registration/excludedNamespaces", message));
    }
    if fields.registration.service_port == Some(0) {
        let message =
            "registration.servicePort: no Service has the port 0; name the port of the Service `meshgate`";
        faults.push(members.fault("/registration/servicePort", message));
    }
    let listen = [fields.listen.webhook, fields.listen.admin];
    if matches!(listen, [Some(webhook), Some(admin)] if webhook == admin && webhook.port() != 0) {
        let message = "listen: webhook and admin are the same address; give them two ports";
        faults.push(members.fault("/listen", message));
    }
    fields.images.contradictions(members, &mut faults);
    faults
}

/// The same of policies from a repository.
fn of_source(fields: &Fields, members: &Members, faults: &mut Vec<Fault>) {
    let has_source = fields.source.is_some();
    if let Some(source) = &fields.source {
        let beside = (fields.policies.is_some(), fields.state.is_some());
        source.contradictions(fields.trust.as_ref(), beside, members, faults);
        if fields.plain {
            let message = "plain: beside `source`; it is about a directory of policies: remove it";
            faults.push(members.fault("/plain", message));
        }
    } else if fields.state.is_some() {
        let message = "state: without `source`; nothing is kept of a directory: remove it";
        faults.push(members.fault("/state", message));
    }
    if let Some(trust) = &fields.trust {
        trust.contradictions(has_source, members, faults);
    }
    if let Some(rollout) = &fields.rollout {
        rollout.contradictions(has_source, members, faults);
    }
}

fn configuration(fields: Fields) -> Configuration {
    let default = Configuration::default();
    let subjects = fields.subjects.map(|named| Subjects::new(named.users, named.groups)).unwrap_or_default();
    let decision_log = fields.decision_log.map(|log| DecisionLog { file: log.file, messages: log.messages });
    Configuration {
        webhook: fields.listen.webhook.unwrap_or(default.webhook),
        admin: fields.listen.admin.unwrap_or(default.admin),
        policies: fields.policies.unwrap_or(default.policies),
        is_plain: fields.plain,
        source: fields.source.and_then(source::source),
        trust: fields.trust.and_then(source::trust),
        state: fields.state,
        trials: fields.rollout.map_or(default.trials, source::trials),
        certificates: match fields.certificates {
            None | Some(CertificateFields::Own {}) => Certificates::Own,
            Some(CertificateFields::Files { certificate, key, ca }) => {
                Certificates::Files { certificate, key, ca }
            }
        },
        client_auth: fields.client_auth.map(|client| ClientAuth { ca: client.ca, names: client.names }),
        subjects: Arc::new(
            subjects.guarding(&fields.guard.also).excluding(&fields.registration.excluded_namespaces),
        ),
        guarded_labels: fields.guard.also,
        excluded_namespaces: fields.registration.excluded_namespaces,
        service_port: fields.registration.service_port.unwrap_or(default.service_port),
        cache_bytes: fields.caches.max_bytes.unwrap_or(default.cache_bytes),
        decision_log,
        images: fields.images.images(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const HEAD: &str = "apiVersion: meshgate.io/v1alpha1\nkind: Configuration\n";

    fn faults(text: &str) -> Vec<String> {
        let faults = read("meshgate.yaml", format!("{HEAD}{text}").as_bytes()).unwrap_err();
        faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_not_said_is_the_default() {
        assert_eq!(read("meshgate.yaml", HEAD.as_bytes()), Ok(Configuration::default()));
    }

    #[test]
    fn each_member_is_read() {
        let text = "listen: {webhook: 127.0.0.1:1, admin: 127.0.0.1:2}\npolicies: /policies\nplain: true\n\
            certificates: {mode: files, certificate: tls.crt, key: tls.key, ca: ca.crt}\n\
            clientAuth: {ca: client.crt, names: [api]}\nsubjects: {users: [jane], groups: [platform]}\n\
            guard: {also: [pod-security.kubernetes.io/enforce]}\nregistration: {excludedNamespaces: [calico], servicePort: 8443}\n\
            caches: {maxBytes: 1000}\ndecisionLog: {file: '-', messages: true}\n";
        let names = |name: &str| BTreeSet::from([name.to_owned()]);
        let path = |name: &str| Path::new(name).to_owned();
        let expected = Configuration {
            webhook: "127.0.0.1:1".parse().unwrap(),
            admin: "127.0.0.1:2".parse().unwrap(),
            policies: "/policies".to_owned(),
            is_plain: true,
            certificates: Certificates::Files {
                certificate: path("tls.crt"),
                key: path("tls.key"),
                ca: path("ca.crt"),
            },
            client_auth: Some(ClientAuth { ca: path("client.crt"), names: names("api") }),
            subjects: Arc::new(
                Subjects::new(names("jane"), names("platform"))
                    .guarding(&names("pod-security.kubernetes.io/enforce"))
                    .excluding(&names("calico")),
            ),
            guarded_labels: names("pod-security.kubernetes.io/enforce"),
            excluded_namespaces: names("calico"),
            service_port: 8443,
            cache_bytes: 1000,
            decision_log: Some(DecisionLog { file: path("-"), messages: true }),
            ..Configuration::default()
        };
        assert_eq!(read("meshgate.yaml", format!("{HEAD}{text}").as_bytes()), Ok(expected));
    }

    #[test]
    fn every_fault_has_its_place_and_its_remedy() {
        let text = "listn: {}\nsubjects: {}\nclientAuth: {ca: a, names: []}\nguard: {also: [a b]}\n\
            registration: {excludedNamespaces: ['team-*', Calico, calico-system]}\n";
        assert_eq!(faults(text).len(), 1, "what is unknown is said first: {:?}", faults(text));
        assert!(
            faults(text)[0].starts_with("meshgate.yaml:3:1: listn: unknown field `listn`"),
            "{:?}",
            faults(text)
        );
        let text = text.replace("listn: {}", "listen: {webhook: '[::1]:1', admin: '[::1]:1'}");
        assert_eq!(
            faults(&text),
            [
                "meshgate.yaml:3:1: listen: webhook and admin are the same address; give them two ports",
                "meshgate.yaml:4:1: subjects: nobody, so what is guarded could never be changed; name users or groups",
                "meshgate.yaml:5:21: clientAuth.names: none, so nobody could connect; name the API server's certificate",
                "meshgate.yaml:6:9: guard.also: `a b` is no label's name; write one as `example.com/name`",
                "meshgate.yaml:7:16: registration.excludedNamespaces: `Calico` is no namespace's name; write one as `calico-system`, without stars",
                "meshgate.yaml:7:16: registration.excludedNamespaces: `team-*` is no namespace's name; write one as `calico-system`, without stars",
            ]
        );
        for (text, start) in [
            ("certificates: {mode: secrets}", "meshgate.yaml:3:"),
            ("certificates: {mode: own, key: a}", "meshgate.yaml:3:"),
            ("---\na: 1", "meshgate.yaml:4:1: a second document"),
        ] {
            assert!(faults(text)[0].starts_with(start), "{:?}", faults(text));
        }
        let other = read("f", b"apiVersion: v1\nkind: Configuration\n").unwrap_err();
        assert_eq!(other.to_string(), "f:1:1: apiVersion: write `meshgate.io/v1alpha1`");
    }
}
