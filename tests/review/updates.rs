//! Patches of objects that are there: only what the API server lets an update change.

use meshgate::admission::Operation;
use serde_json::{Value, json};

use crate::world::{Kind, POD, Policies, mutated, pod, request, sets, shown};

/// The same, before the update: with another label, so that the update says something.
fn older(object: &Value) -> Value {
    let mut old = object.clone();
    old["metadata"]["labels"]["old"] = json!("1");
    old
}

const JOB: Kind = ("batch", "v1", "Job", "jobs");
const DEPLOYMENT: Kind = ("apps", "v1", "Deployment", "deployments");

#[test]
fn what_an_update_can_not_change_is_left_out_and_said() {
    let spec = || json!({ "containers": [{ "name": "app", "image": "a:1", "resources": { "limits": { "cpu": "1" } } }] });
    let of_pod = || pod(json!({ "labels": {} }), spec());
    let with_template = || pod(json!({ "labels": {} }), json!({ "template": { "spec": spec() } }));
    let (limit, grace) = ("/spec/containers/0/resources/limits/cpu", "/spec/terminationGracePeriodSeconds");
    let in_template = "/spec/template/spec/terminationGracePeriodSeconds";
    let rows: [(Kind, Option<&str>, &str, Value, bool); 9] = [
        (POD, None, "/metadata/labels/a", json!("1"), true),
        (POD, None, grace, json!(5), false),
        (POD, None, limit, json!("2"), false),
        (POD, Some("resize"), limit, json!("2"), true),
        (POD, Some("resize"), "/metadata/labels/a", json!("1"), false),
        (POD, Some("ephemeralcontainers"), grace, json!(5), false),
        (JOB, None, in_template, json!(5), false),
        (JOB, None, "/spec/parallelism", json!(5), true),
        (DEPLOYMENT, None, in_template, json!(5), true),
    ];
    for (kind, sub_resource, path, value, is_changed) in rows {
        let bundle = Policies::default().with("sets", &[], &sets(path, &value)).compiled();
        let object = if kind == POD { of_pod() } else { with_template() };
        let update =
            request(kind, sub_resource, Operation::Update, Some(object.clone()), Some(older(&object)));
        let decision = mutated(&bundle, &update);
        let case = format!("{kind:?} {sub_resource:?} {path}");
        let field = path.trim_start_matches('/').replace("/0/", "[0].").replace('/', ".");
        let left_out = format!(
            "Audit test/sets: its change is left out: the API server does not let an update change `{field}`"
        );
        let expected = if is_changed { vec![] } else { vec![left_out] };
        assert_eq!(shown(&decision.findings), expected, "{case}");
        assert_eq!((decision.patch.len(), decision.allowed()), (usize::from(is_changed), true), "{case}");
        let made = mutated(&bundle, &request(kind, None, Operation::Create, Some(object), None));
        assert_eq!((shown(&made.findings), made.patch.len()), (vec![], 1), "{case}");
    }
}

#[test]
fn a_change_is_left_out_wholly() {
    let body = "patch := [{\"op\": \"add\", \"path\": \"/metadata/labels/a\", \"value\": \"1\"}, {\"op\": \"add\", \"path\": \"/spec/hostname\", \"value\": \"a\"}] if not input.request.object.spec.hostname";
    let bundle = Policies::default().with("both", &[], body).compiled();
    let object = pod(json!({ "labels": {} }), json!({}));
    let decision =
        mutated(&bundle, &request(POD, None, Operation::Update, Some(object.clone()), Some(older(&object))));
    assert_eq!(decision.patch.to_value(), json!([]));
}
