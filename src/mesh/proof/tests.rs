use super::*;

fn now() -> Now {
    Now::parse("2026-01-31T12:00:00Z").unwrap()
}

fn keys(secret: u8) -> ProofKeys {
    ProofKeys::default().rotated(now(), [secret; 32])
}

fn rendered() -> Vec<RenderedContainer> {
    let one = |list: &str, name: &str, plain| {
        let container = json!({ "name": name, "image": "mesh.example/proxy:1", "args": ["run"], "resources": { "limits": { "cpu": "1000m" } } });
        RenderedContainer { list: list.to_owned(), container, plain }
    };
    vec![one("initContainers", "init", true), one("containers", "proxy", false)]
}

/// With the images pinned to a digest, where one is given.
fn pod(digest: Option<&str>) -> Value {
    let of = |list: &str| -> Vec<Value> {
        let own = rendered().into_iter().filter(|one| one.list == list).map(|one| one.container);
        own.map(|mut one| {
            if let Some(digest) = digest {
                one["image"] = json!(format!("mesh.example/proxy:1@{digest}"));
            }
            one
        })
        .collect()
    };
    let mut containers = vec![json!({ "name": "app", "image": "a:1" })];
    containers.extend(of("containers"));
    json!({ "metadata": { "annotations": {} }, "spec": { "containers": containers, "initContainers": of("initContainers") } })
}

fn signed(keys: &ProofKeys, mut pod: Value) -> Value {
    let text = sign(keys, now(), "shop", ("istio", "default"), &rendered(), &pod).unwrap();
    pod["metadata"]["annotations"][ANNOTATION] = json!(text);
    pod
}

fn names(keys: &ProofKeys, namespace: &str, pod: &Value) -> Option<Vec<(String, bool)>> {
    let proven = check(keys, namespace, pod)?;
    Some(proven.iter().map(|one| (one.name().to_owned(), one.plain)).collect())
}

#[test]
fn what_was_rendered_is_proven_with_the_defaults_of_an_api_server() {
    let expected = Some(vec![("init".to_owned(), true), ("proxy".to_owned(), false)]);
    for digest in [None, Some("sha256:aa")] {
        let mut pod = signed(&keys(1), pod(digest));
        assert_eq!(names(&keys(1), "shop", &pod), expected, "{digest:?}");
        pod["spec"]["containers"][1]["imagePullPolicy"] = json!("IfNotPresent");
        pod["spec"]["containers"][1]["resources"]["limits"]["cpu"] = json!("1");
        pod["spec"]["containers"][0]["image"] = json!("b:1");
        pod["metadata"]["name"] = json!("web-1");
        assert_eq!(names(&keys(1), "shop", &pod), expected, "{digest:?}");
        let rotated = keys(1).rotated(Now::parse("2026-05-31T12:00:00Z").unwrap(), [2; 32]);
        assert_eq!(names(&rotated, "shop", &pod), expected, "the key before still verifies");
    }
}

#[test]
fn whatever_else_changes_proves_nothing() {
    let signed = signed(&keys(1), pod(Some("sha256:aa")));
    let changes = [
        ("/spec/containers/1/image", json!("mesh.example/proxy:1@sha256:ab")),
        ("/spec/containers/1/image", json!("mesh.example/proxy:2@sha256:aa")),
        ("/spec/containers/1/args/0", json!("rum")),
        ("/spec/initContainers/0/resources/limits/cpu", json!("2")),
        ("/spec/initContainers/0/name", json!("inis")),
        ("/spec/containers/0/name", json!("proxy")),
        ("/spec/initContainers", json!([])),
        ("/spec/containers/1/command", json!(["sh"])),
    ];
    for (pointer, value) in changes {
        let mut other = signed.clone();
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        match other.pointer_mut(parent).unwrap() {
            Value::Array(items) => items[member.parse::<usize>().unwrap()] = value.clone(),
            members => members[member] = value.clone(),
        }
        assert_eq!(names(&keys(1), "shop", &other), None, "{pointer} {value}");
    }
    assert_eq!(names(&keys(1), "other", &signed), None, "another namespace");
    assert_eq!(names(&keys(2), "shop", &signed), None, "another key of the same name");
    let gone = keys(1).rotated(Now::parse("2026-05-31T12:00:00Z").unwrap(), [2; 32]);
    let gone = gone.rotated(Now::parse("2026-09-30T12:00:00Z").unwrap(), [3; 32]);
    assert_eq!(names(&gone, "shop", &signed), None, "a key that was dropped");
    assert_eq!(names(&ProofKeys::default(), "shop", &signed), None, "no key");
}

#[test]
fn what_the_annotation_says_can_not_be_changed() {
    let signed = signed(&keys(1), pod(Some("sha256:aa")));
    let text = signed["metadata"]["annotations"][ANNOTATION].as_str().unwrap();
    let changes = [
        ("\"plain\":false", "\"plain\":true"),
        ("sha256:aa", "sha256:ab"),
        ("\"istio\"", "\"other\""),
        ("\"default\"", "\"canary\""),
        ("\"v\":1", "\"v\":2"),
        (",{\"at\":\"containers/proxy\",\"plain\":false}", ""),
        ("{", "{\"more\":1,"),
    ];
    for (from, to) in changes {
        let mut other = signed.clone();
        assert!(text.contains(from), "{from}: {text}");
        other["metadata"]["annotations"][ANNOTATION] = json!(text.replacen(from, to, 1));
        assert_eq!(names(&keys(1), "shop", &other), None, "{from} -> {to}");
    }
}
