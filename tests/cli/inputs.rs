//! What PATH means, and what becomes of documents that are no manifests.

use serde_json::Value;

use crate::program::{Run, folder, run, with_input};

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n\
                   spec: {containers: [{name: a, image: nginx, securityContext: {privileged: yes}}]}\n";

/// Each document of the report: file, line, name, status, reason.
fn documents(ran: &Run) -> Vec<String> {
    let report: Value =
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}{}", ran.out, ran.err));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let one = |d: &Value| {
        format!(
            "{}:{} {} {} {}",
            text(&d["file"]),
            d["line"],
            text(&d["name"]),
            text(&d["status"]),
            text(&d["reason"])
        )
    };
    report["documents"].as_array().unwrap().iter().map(one).map(|line| line.trim_end().to_owned()).collect()
}

#[test]
fn a_path_is_a_file_a_directory_a_glob_or_standard_input() {
    let folder = folder(&[
        ("deploy/b.yml", POD),
        ("deploy/a.yaml", POD),
        (
            "deploy/sub/c.json",
            r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[]}}"#,
        ),
        ("deploy/notes.txt", "no manifest"),
        ("deploy/.hidden.yaml", POD),
        ("deploy/.git/d.yaml", POD),
    ]);
    let table: [(&[&str], &[&str]); 6] = [
        (&["deploy"], &["deploy/a.yaml", "deploy/b.yml", "deploy/sub/c.json"]),
        (&["-f", "deploy"], &["deploy/a.yaml", "deploy/b.yml", "deploy/sub/c.json"]),
        (&["deploy/b.yml", "-f", "deploy/a.yaml"], &["deploy/b.yml", "deploy/a.yaml"]),
        (&["deploy/*.y*ml"], &["deploy/a.yaml", "deploy/b.yml"]),
        (&["-"], &["-"]),
        (&["deploy/.hidden.yaml"], &["deploy/.hidden.yaml"]),
    ];
    for (paths, files) in table {
        let ran = run(folder.path(), &[&["check", "-o", "json"], paths].concat(), POD);
        let found: Vec<String> =
            documents(&ran).iter().map(|line| line.split(':').next().unwrap().to_owned()).collect();
        assert_eq!(found, files, "{paths:?}");
    }
}

#[test]
fn a_path_that_leads_nowhere_is_an_error() {
    let folder = folder(&[("empty/notes.txt", "")]);
    for (path, needle) in [
        ("absent.yaml", "can't read absent.yaml"),
        ("absent/*.yaml", "no file"),
        ("empty", "no file ending in .yaml, .yml or .json"),
        ("[", "[: not a glob"),
    ] {
        let ran = run(folder.path(), &["check", path], "");
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{path}: {}", ran.err);
        assert!(ran.err.contains(needle), "{path}: {}", ran.err);
    }
}

#[test]
fn what_is_no_manifest_is_skipped_in_a_directory_and_refused_where_it_is_named() {
    let folder = folder(&[
        ("d/kustomization.yaml", "resources: [a.yaml]\n"),
        ("d/k.yaml", "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: []\n"),
        ("d/values.yaml", "image: nginx\n---\n- 1\n"),
        ("d/z.yaml", "a: 'b\n---\napiVersion: v1\nkind: List\nitems: []\n"),
    ]);
    let ran = run(folder.path(), &["check", "-o", "json", "d"], "");
    assert_eq!(
        documents(&ran),
        [
            "d/k.yaml:1  skipped a file for kustomize; check the output of `kustomize build`",
            "d/kustomization.yaml:1  skipped no apiVersion or no kind; a manifest has both",
            "d/values.yaml:1  skipped no apiVersion or no kind; a manifest has both",
            "d/values.yaml:3  skipped not a mapping; a manifest has apiVersion and kind",
            "d/z.yaml:2  invalid not YAML: found unexpected end of stream while scanning a quoted scalar; correct the syntax",
            "d/z.yaml:3  skipped an empty List",
        ]
    );
    assert_eq!(ran.code, 2);
    for path in ["d/kustomization.yaml", "d/values.yaml", "d/k.yaml"] {
        let ran = run(folder.path(), &["check", "-o", "json", path], "");
        assert_eq!(ran.code, 2, "{path}");
        assert!(documents(&ran)[0].contains(" invalid "), "{path}: {}", ran.out);
    }
}

#[test]
fn lists_are_unrolled_and_findings_point_into_them() {
    let list = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: PodList\n  items:\n  - metadata: {name: inner}\n    spec:\n      containers:\n      - {name: a, image: nginx}\n";
    let list = list.replace("  - metadata", "  - apiVersion: v1\n    kind: Pod\n    metadata");
    let ran = with_input(&["check", "-", "-o", "json", "--mode", "deny"], &list);
    assert_eq!(documents(&ran), ["-:7 inner denied"]);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    let latest =
        report["findings"].as_array().unwrap().iter().find(|f| f["policy"] == "images/no_latest").unwrap();
    assert_eq!(
        (&latest["line"], &latest["column"], &latest["field"]),
        (&12.into(), &19.into(), &"spec.containers[0].image".into())
    );
}

#[test]
fn the_namespace_flag_is_kubectls() {
    let named = POD.replace("{name: a}\nspec", "{name: a, namespace: shop}\nspec");
    let table = [
        (POD, &[][..], 0, "default"),
        (POD, &["-n", "shop"], 0, "shop"),
        (&named, &[], 0, "shop"),
        (&named, &["-n", "shop"], 0, "shop"),
        (&named, &["-n", "other"], 2, "is not `other`"),
    ];
    for (manifest, flags, code, needle) in table {
        let ran = with_input(&[&["check", "-", "-o", "json"], flags].concat(), manifest);
        assert_eq!(ran.code, code, "{flags:?}: {}", ran.out);
        assert!(ran.out.contains(needle), "{flags:?}: {}", ran.out);
    }
}

#[test]
fn what_yaml_1_1_says_is_what_is_judged() {
    for value in ["yes", "on", "True", "y"] {
        let ran = with_input(&["check", "-", "--mode", "deny"], &POD.replace("yes", value));
        assert!(ran.out.contains("securityContext.privileged=true"), "{value}: {}", ran.out);
    }
    // The API server would not decode these; they are never read as "no".
    for value in ["\"on\"", "'yes'", "1", "0777", "1e3"] {
        let ran = with_input(&["check", "-", "--mode", "deny"], &POD.replace("yes", value));
        assert!(ran.out.contains("[pod_security/standard] the fact `containers` is missing: spec.containers[0].securityContext.privileged is not a boolean"), "{value}: {}", ran.out);
        assert_eq!(ran.code, 3, "{value}");
    }
    for value in ["no", "off", "False", "n", "null", "~"] {
        let ran = with_input(&["check", "-", "--mode", "deny"], &POD.replace("yes", value));
        assert!(!ran.out.contains("securityContext.privileged=true"), "{value}: {}", ran.out);
    }
}
