//! Two API servers on one etcd: of one who shows who it is and one who does not, the second is not let in; where one goes
//! away for a while, the other one asks on.

use std::thread::sleep;
use std::time::Duration;

use http::Method;
use meshgate::config::{NAMESPACE, SERVICE};
use serde_json::{Value, json};

use crate::balancer::Balancer;
use crate::environment::{Environment, User, wait_until};
use crate::installation::{Installed, PACE, account};
use crate::load::{admitted, by_the_starter_profile, is_long, under_load};

const CONFIGURATIONS: [&str; 2] = [
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/meshgate-mutating",
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/meshgate-validating",
];
const SECRET: &str = "/api/v1/namespaces/meshgate-system/secrets/meshgate-certificates";
const LEASE: &str = "/apis/coordination.k8s.io/v1/namespaces/meshgate-system/leases/meshgate-leader";

/// The common name of the API server's certificate.
const CLIENT: &str = "e2e-kube-apiserver";

/// What `--admission-control-config-file` names: the certificate that is shown to the Service of meshgate.
fn admission_configuration(environment: &Environment, port: u16) -> String {
    let folder = environment.folder("admission");
    let file = |name: &str| folder.join(name).display().to_string();
    let pair = environment.authority.user(CLIENT, None);
    std::fs::write(file("client.crt"), pair.certificate).unwrap();
    std::fs::write(file("client.key"), pair.key).unwrap();
    let user = json!({ "client-certificate": file("client.crt"), "client-key": file("client.key") });
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config",
        "users": [{ "name": format!("{SERVICE}.{NAMESPACE}.svc:{port}"), "user": user }],
    });
    std::fs::write(file("kubeconfig"), kubeconfig.to_string()).unwrap();
    let plugin = |name: &str| {
        json!({ "name": name, "configuration": {
            "apiVersion": "apiserver.config.k8s.io/v1", "kind": "WebhookAdmissionConfiguration",
            "kubeConfigFile": file("kubeconfig"),
        } })
    };
    let configuration = json!({
        "apiVersion": "apiserver.config.k8s.io/v1", "kind": "AdmissionConfiguration",
        "plugins": [plugin("MutatingAdmissionWebhook"), plugin("ValidatingAdmissionWebhook")],
    });
    std::fs::write(file("admission.json"), configuration.to_string()).unwrap();
    file("admission.json")
}

#[test]
fn an_api_server_is_let_in_by_its_certificate() {
    let Some(_turn) = Environment::turn() else { return };
    let environment = Environment::bare();
    let balancer = Balancer::start(Vec::new());
    let file = admission_configuration(&environment, balancer.port);
    let flags = [("admission-control-config-file", file.as_str())];
    let (known, admin) = environment.api_server_beside("kube-apiserver-known", &flags);
    let replicas = environment.user_of(&known, &account(), None);
    let ca = environment.directory.join("ca.crt");
    let more = format!("clientAuth: {{ca: {}, names: [{CLIENT}]}}\n", ca.display());
    let installed = Installed::of_ones_own(environment, balancer, replicas, (&more, PACE));

    // What is registered was probed through the one who is known.
    let judged = |admin: &User| admin.create(&installed.pods(), &admitted(0, true));
    let refused = judged(&admin);
    assert!(by_the_starter_profile(true, &refused), "{}", refused.body);
    // Who has begun to send when it is told reports that it could not send.
    let said = wait_until("it is told why", || {
        let closed = judged(&installed.environment.admin);
        assert_eq!(closed.status, 500, "{}", closed.body);
        Some(closed.message().to_owned()).filter(|said| said.contains("tls: certificate required"))
    });
    println!("who shows no certificate is told: {said}");
}

/// The entries of both configurations, and the certificates.
fn kept(admin: &User) -> [Value; 3] {
    let [mutating, validating] = CONFIGURATIONS.map(|path| admin.get(path).body["webhooks"].clone());
    [mutating, validating, admin.get(SECRET).body["data"].clone()]
}

/// The same when nothing of it changes any more: the old authority leaves the registrations after the renewal is over.
fn settled(admin: &User) -> [Value; 3] {
    let mut before = kept(admin);
    wait_until("registrations that stay", || {
        sleep(Duration::from_secs(3));
        let now = kept(admin);
        let is_settled = now == before;
        before = now.clone();
        is_settled.then_some(now)
    })
}

#[test]
fn one_api_server_goes_away_and_the_other_asks_on() {
    let Some(_turn) = Environment::turn() else { return };
    let environment = Environment::bare();
    let (_beside, there) = environment.api_server_beside("kube-apiserver-beside", &[]);
    let replicas = environment.user(&account(), None);
    let installed = Installed::of_ones_own(environment, Balancer::start(Vec::new()), replicas, ("", PACE));
    let here = installed.environment.admin.clone();
    let path = installed.pods();
    assert_eq!(kept(&here), kept(&there));

    // Both learn of a renewal in time.
    let former = kept(&here);
    let mut beside = None;
    let tally = under_load(&here, &path, by_the_starter_profile, || {
        beside = Some(under_load(&there, &path, by_the_starter_profile, || {
            let renew = json!({ "metadata": { "annotations": { "meshgate.io/renew-after": "2020-01-01T00:00:00Z" } } });
            let asked = here.request(&Method::PATCH, SECRET, "application/merge-patch+json", &renew);
            assert_eq!(asked.status, 200, "{}", asked.body);
            wait_until("a new certificate alone", || {
                let secret = there.get(SECRET).body;
                let is_stable = secret["metadata"]["annotations"]["meshgate.io/phase"] == "stable";
                (is_stable && secret["data"]["current.crt"] != former[2]["current.crt"]).then_some(())
            });
        }));
    });
    tally.assert_clean("a renewal, seen here");
    beside.unwrap().assert_clean("a renewal, seen by the other API server");

    // The one whom the replicas ask stands still, longer than a leader leads without it.
    let away = if is_long() { 60 } else { 13 };
    let before = settled(&there);
    let tally = under_load(&there, &path, by_the_starter_profile, || {
        installed.environment.api_server.program.signal("STOP");
        sleep(Duration::from_secs(away));
        assert_eq!(kept(&there), before, "nothing is torn down");
        installed.environment.api_server.program.signal("CONT");
    });
    tally.assert_clean(&format!("without their API server for {away} s"));
    assert!(installed.logged().contains("\"leads\":false"), "the leader must have given up");

    // Somebody leads again.
    let renewed = || there.get(LEASE).body["spec"]["renewTime"].clone();
    let last = renewed();
    wait_until("somebody leads", || (renewed() != last).then_some(()));
    assert_eq!(there.delete(CONFIGURATIONS[0]).status, 200);
    wait_until("the repair", || (kept(&there) == before).then_some(()));
}
