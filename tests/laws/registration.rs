//! What is registered: the same for equal bundles, and nothing less than the policies match.
#![cfg(test)]

use std::collections::BTreeSet;

use meshgate::config::Configuration;
use meshgate::engine::{Bundle, compile};
use meshgate::policy::{Draft, Tree};
use meshgate::registration::{
    CaBundle, Coverage, NoCaBundle, Rules, Wanted, desired, difference, guarded, guarded_labels,
};
use proptest::prelude::*;
use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};

fn certificate() -> String {
    let key = KeyPair::generate().unwrap();
    let parameters = CertificateParams::new(vec!["a".to_owned()]).unwrap();
    parameters.self_signed(&key).unwrap().pem().replace("\r\n", "\n")
}

fn ca_bundle() -> CaBundle {
    CaBundle::read([certificate().as_str()]).unwrap()
}

/// A bundle of a policy for each of these rules; every second one patches.
fn bundle(rules: &[Value]) -> Bundle {
    let mut tree = Tree::default();
    for (number, rule) in rules.iter().enumerate() {
        let entry = if number % 2 == 0 { "deny contains \"no\" if false" } else { "patch := []" };
        let text = format!(
            "# METADATA\n# title: t\n# description: d\n# custom:\n#   match: {{rules: [{rule}]}}\npackage policies.x.p{number}\n\n{entry}\n"
        );
        tree.insert(format!("x/p{number}/p{number}.rego"), text);
    }
    tree.insert(
        "b.yaml",
        "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {name: b}\nspec: {policy: \"*\", enforcement: deny}\n",
    );
    compile(Draft::read(&tree, &Tree::default())).unwrap_or_else(|faults| panic!("{faults}"))
}

fn rule(groups: &[&str], resources: &[&str], operations: &[&str], scope: &str) -> Value {
    json!({ "apiGroups": groups, "apiVersions": ["v1"], "resources": resources, "operations": operations, "scope": scope })
}

fn samples() -> Vec<Value> {
    vec![
        rule(&[""], &["pods"], &["CREATE", "UPDATE"], "*"),
        rule(&["apps"], &["deployments", "statefulsets"], &["CREATE"], "*"),
        rule(&[""], &["services", "pods/exec"], &["UPDATE", "CREATE"], "*"),
        rule(&["rbac.authorization.k8s.io"], &["clusterroles"], &["*"], "Cluster"),
    ]
}

fn registered(bundle: &Bundle, configuration: &Configuration, guard_stands: bool) -> [Value; 2] {
    let ca_bundle = ca_bundle();
    let needs = Coverage::of(bundle);
    let mut both =
        desired(&Wanted { needs: Some(&needs), configuration, ca_bundle: &ca_bundle, guard_stands });
    let entries = both.iter_mut().filter_map(|one| one["webhooks"].as_array_mut()).flatten();
    for entry in entries {
        assert_eq!(entry["clientConfig"]["caBundle"], ca_bundle.encode());
        entry["clientConfig"]["caBundle"] = json!("CERTIFICATE");
    }
    both
}

#[test]
fn both_configurations_are_as_documented() {
    let configuration = Configuration {
        excluded_namespaces: ["calico-system".to_owned()].into(),
        guarded_labels: ["pod-security.kubernetes.io/enforce".to_owned()].into(),
        ..Configuration::default()
    };
    let [mutating, validating] = registered(&bundle(&samples()), &configuration, true);
    let text = |value: &Value| serde_json::to_string_pretty(value).unwrap();
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("registration-mutating", text(&mutating));
        insta::assert_snapshot!("registration-validating", text(&validating));
        insta::assert_snapshot!("registration-guarded", guarded(&guarded_labels(&configuration)));
    });
}

/// The failurePolicies, as `entry: policy`, mutating then validating.
fn failures(both: &[Value; 2]) -> Vec<Vec<String>> {
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let of = |entry: &Value| {
        let name = word(&entry["name"]);
        format!("{}: {}", name.split('.').next().unwrap(), word(&entry["failurePolicy"]))
    };
    both.iter().map(|one| one["webhooks"].as_array().unwrap().iter().map(of).collect()).collect()
}

#[test]
fn the_guard_fails_closed_only_where_nothing_else_holds_and_workloads_are_sent() {
    let (bundle, configuration, ca_bundle) = (bundle(&samples()), Configuration::default(), ca_bundle());
    let needs = Coverage::of(&bundle);
    let failures = |needs, guard_stands| {
        let wanted = Wanted { needs, configuration: &configuration, ca_bundle: &ca_bundle, guard_stands };
        failures(&desired(&wanted))
    };
    let open = ["workloads: Fail", "guard: Ignore", "own: Ignore"];
    assert_eq!(failures(Some(&needs), true), [open, open]);
    assert_eq!(failures(Some(&needs), false), [open, ["workloads: Fail", "guard: Fail", "own: Ignore"]]);
    assert_eq!(failures(None, true), [["guard: Ignore", "own: Ignore"]; 2]);
    assert_eq!(failures(None, false), [["guard: Ignore", "own: Ignore"]; 2]);
}

type Change<'a> = &'a dyn Fn(&mut Value);

#[test]
fn differences_are_told_and_what_an_api_server_adds_is_none() {
    let [desired, _] = registered(&bundle(&samples()), &Configuration::default(), true);
    let changed = |change: Change<'_>| {
        let mut live = desired.clone();
        change(&mut live);
        difference(&desired, &live)
    };
    assert_eq!(changed(&|_| ()), None);
    assert_eq!(changed(&|live| live["webhooks"][0]["added"] = json!(1)), None);
    assert_eq!(changed(&|live| live["metadata"]["uid"] = json!("1")), None);
    let table: [(Change<'_>, &str); 6] = [
        (&|live| live["webhooks"] = json!([]), "entries are []"),
        (&|live| drop(live.as_object_mut().unwrap().remove("webhooks")), "entries are []"),
        (&|live| live["webhooks"].as_array_mut().unwrap().push(json!({ "name": "x" })), "\"x\"], not"),
        (&|live| live["webhooks"].as_array_mut().unwrap().swap(0, 1), "entries are"),
        (&|live| live["webhooks"][0]["clientConfig"]["caBundle"] = json!(""), "clientConfig of workloads"),
        (&|live| live["webhooks"][2]["matchConditions"] = json!([{}]), "matchConditions of own"),
    ];
    for (change, expected) in table {
        let found = changed(change).unwrap_or_else(|| panic!("{expected}"));
        assert!(found.contains(expected), "{expected}: {found}");
    }
}

#[test]
fn a_ca_bundle_holds_each_certificate_once_and_nothing_else() {
    let (one, two) = (certificate(), certificate());
    let both = CaBundle::read([format!("{one}{two}").as_str(), &two, &one]).unwrap();
    assert_eq!(both.as_pem(), format!("{one}{two}"));
    assert_eq!(CaBundle::decode(&both.encode()), Ok(both));
    let key = KeyPair::generate().unwrap().serialize_pem();
    for texts in [vec![], vec![""], vec!["", &one], vec![&one, "Cg=="]] {
        assert_eq!(CaBundle::read(texts.iter().copied()), Err(NoCaBundle::Empty), "{texts:?}");
    }
    let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for texts in [vec![garbage], vec![&one, garbage], vec![&key]] {
        let read = CaBundle::read(texts.iter().copied());
        assert!(matches!(read, Err(NoCaBundle::Damaged(_))), "{texts:?}");
    }
    for text in ["", "Cg=="] {
        assert_eq!(CaBundle::decode(text), Err(NoCaBundle::Empty), "{text}");
    }
}

/// Rules as people may write them, with every star.
fn rules() -> impl Strategy<Value = Value> {
    let some = |words: &'static [&'static str]| prop::sample::subsequence(words, 1..=words.len());
    let groups = some(&["*", "apps", "example.org"]);
    let resources =
        some(&["*", "*/*", "*/scale", "deployments", "deployments/*", "deployments/scale", "pods"]);
    let operations = some(&["*", "CONNECT", "CREATE", "DELETE", "UPDATE"]);
    let scope = prop::sample::select(vec!["*", "Cluster", "Namespaced"]);
    (groups, resources, operations, scope)
        .prop_map(|(groups, resources, operations, scope)| rule(&groups, &resources, &operations, scope))
}

fn strings(value: &Value) -> BTreeSet<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Whether one of the rules means that request, as an API server reads them (predicates/rules).
fn means(rules: &Value, group: &str, of: &str, sub: &str, operation: &str, scope: &str) -> bool {
    let has = |all: &Value, word: &str| strings(all).contains("*") || strings(all).contains(word);
    let resource = |pattern: &String| {
        let (their_of, their_sub) = pattern.split_once('/').unwrap_or((pattern, ""));
        [of, "*"].contains(&their_of) && [sub, "*"].contains(&their_sub)
    };
    rules.as_array().into_iter().flatten().any(|rule| {
        has(&rule["apiGroups"], group)
            && has(&rule["operations"], operation)
            && (rule["scope"] == "*" || rule["scope"] == scope)
            && strings(&rule["resources"]).iter().any(resource)
    })
}

proptest! {
    #[test]
    fn what_is_registered_means_what_was_written(written in prop::collection::vec(rules(), 1..5)) {
        let all = Rules::read(&Value::Array(written.clone()));
        let (value, written) = (all.to_value(), Value::Array(written));
        prop_assert_eq!(&Rules::read(&value), &all, "read again");
        for group in ["apps", "other"] {
            for (of, sub) in [("deployments", ""), ("deployments", "scale"), ("pods", ""), ("pods", "exec"), ("x", "scale")] {
                for (operation, scope) in [("CREATE", "Namespaced"), ("DELETE", "Cluster"), ("CONNECT", "Namespaced")] {
                    let is_meant = |rules: &Value| means(rules, group, of, sub, operation, scope);
                    prop_assert_eq!(is_meant(&value), is_meant(&written), "{} {}/{} {}", group, of, sub, operation);
                    let namespaced = all.namespaced().to_value();
                    prop_assert_eq!(is_meant(&namespaced), scope == "Namespaced" && is_meant(&written));
                }
            }
        }
    }

    /// What an API server refuses beside a star is gone (validateResources, validateRule).
    #[test]
    fn nothing_stands_beside_a_star_that_covers_it(written in prop::collection::vec(rules(), 1..5)) {
        let value = Rules::read(&Value::Array(written)).to_value();
        for rule in value.as_array().unwrap() {
            for list in ["apiGroups", "operations"] {
                let words = strings(&rule[list]);
                prop_assert!(!words.contains("*") || words.len() == 1, "{}", rule);
            }
            let resources = strings(&rule["resources"]);
            prop_assert!(!resources.contains("*/*") || resources.len() == 1, "{}", rule);
            for one in &resources {
                let (of, sub) = one.split_once('/').unwrap_or((one, ""));
                let others = resources.iter().filter(|other| *other != one);
                let covers = |other: &String| {
                    let (their_of, their_sub) = other.split_once('/').unwrap_or((other, ""));
                    [of, "*"].contains(&their_of) && [sub, "*"].contains(&their_sub)
                };
                prop_assert!(!others.clone().any(covers), "{}", rule);
            }
        }
    }

    #[test]
    fn order_changes_nothing_and_a_union_covers_both(
        written in prop::collection::vec(rules(), 2..6),
        at in 0_usize..6,
    ) {
        let read = |rules: &[Value]| Rules::read(&Value::Array(rules.to_vec()));
        let mut turned = written.clone();
        turned.reverse();
        prop_assert_eq!(read(&written), read(&turned));
        let (one, two) = written.split_at(at.min(written.len()));
        let needs = |rules: &[Value]| Coverage { mutating: read(rules), validating: read(rules) };
        let (one, two) = (needs(one), needs(two));
        let both = one.union(&two);
        prop_assert_eq!(&both, &needs(&written));
        prop_assert!(both.covers(&one) && both.covers(&two));
    }
}
