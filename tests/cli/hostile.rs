//! What can be wrong with a directory of manifests, all of it at once: each is named, and nothing keeps anything else
//! from being judged.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use serde_json::{Value, json};

use crate::program::{folder, meshgate, run};

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: NAME\nspec:\n  containers:\n  - name: a\n    image: nginx\n";

fn pod(name: &str) -> String {
    POD.replace("NAME", name)
}

/// A directory with ten faults between good manifests.
fn hostile() -> tempfile::TempDir {
    let folder = folder(&[
        ("d/a-good.yaml", &pod("first")),
        ("d/b-broken.yaml", &format!("kind: 'Pod\n---\n{}", pod("behind"))),
        ("d/c-kind.yaml", &pod("kind").replace("Pod", "pod")),
        ("d/d-version.yaml", &pod("version").replace("v1", "v1beta7")),
        ("d/e-empty.yaml", ""),
        ("d/f-binary.yaml", "apiVersion: v1\n\0\u{1}\u{2}"),
        ("d/j-twice.yaml", &pod("first")),
        ("d/k-crlf.yaml", &format!("\u{feff}{}", pod("crlf")).replace('\n', "\r\n")),
        ("d/z-good.yaml", &pod("last")),
        ("d/chart/Chart.yaml", "apiVersion: v2\nname: chart\nversion: 1.0.0\n"),
        ("d/chart/templates/pod.yaml", "kind: {{ .Values.kind }}\n"),
    ]);
    let path = |name: &str| folder.path().join("d").join(name);
    // Sparse: it takes no room.
    File::create(path("g-large.yaml")).unwrap().set_len(100 * 1024 * 1024).unwrap();
    symlink("..", path("h-loop")).unwrap();
    symlink("h-self.yaml", path("h-self.yaml")).unwrap();
    // Nobody can read this, not even root.
    symlink("/proc/self/mem", path("i-unreadable.yaml")).unwrap();
    fs::write(path("i-secret.yaml"), pod("secret")).unwrap();
    fs::set_permissions(path("i-secret.yaml"), Permissions::from_mode(0o000)).unwrap();
    let made = std::process::Command::new("mkfifo").arg(path("i-pipe.yaml")).status();
    assert!(made.unwrap().success());
    folder
}

/// `file:line` and name with status and reason.
fn documents(directory: &Path) -> (i32, BTreeMap<String, String>, Value) {
    let ran = run(directory, &["check", "d", "-o", "json", "--mode", "deny"], "");
    let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let one = |document: &Value| {
        let place = format!("{}:{} {}", text(&document["file"]), document["line"], text(&document["name"]));
        let status = format!("{} {}", text(&document["status"]), text(&document["reason"]));
        (place.trim().to_owned(), status.trim().to_owned())
    };
    (ran.code, report["documents"].as_array().unwrap().iter().map(one).collect(), report)
}

#[test]
fn ten_faults_in_one_directory_are_each_named_and_stop_nothing() {
    let folder = hostile();
    let (code, mut found, report) = documents(folder.path());
    // Root may read what nobody may.
    let secret =
        found.remove("d/i-secret.yaml:1").or_else(|| found.remove("d/i-secret.yaml:1 secret")).unwrap();
    assert!(secret == "denied" || secret.starts_with("invalid can't be read: Permission denied"), "{secret}");
    let invalid = |reason: &str| format!("invalid {reason}");
    let expected = [
        ("d/a-good.yaml:1 first", "denied".to_owned()),
        (
            "d/b-broken.yaml:2",
            invalid(
                "not YAML: found unexpected end of stream while scanning a quoted scalar; correct the syntax",
            ),
        ),
        ("d/b-broken.yaml:3 behind", "denied".to_owned()),
        ("d/c-kind.yaml:1 kind", invalid("no kind `pod` in v1; did you mean `Pod`?")),
        ("d/chart/Chart.yaml:1", "skipped no apiVersion or no kind; a manifest has both".to_owned()),
        (
            "d/chart/templates:1",
            "skipped templates of a Helm chart; check the output of `helm template`".to_owned(),
        ),
        ("d/d-version.yaml:1 version", "denied".to_owned()),
        ("d/e-empty.yaml:1", "skipped there is no document in it".to_owned()),
        ("d/f-binary.yaml:1", invalid("not text: it has NUL bytes; a manifest is YAML or JSON in UTF-8")),
        ("d/g-large.yaml:1", invalid("larger than 64 MiB; split it, or leave it out")),
        ("d/h-loop:1", "skipped a link to a directory is not followed; name it itself".to_owned()),
        ("d/h-self.yaml:1", invalid("can't be read: Too many levels of symbolic links (os error 40)")),
        ("d/i-pipe.yaml:1", invalid("neither a file nor a directory; remove it, or name it itself")),
        ("d/i-unreadable.yaml:1", invalid("can't be read: Input/output error (os error 5)")),
        ("d/j-twice.yaml:1 first", "denied".to_owned()),
        ("d/k-crlf.yaml:1 crlf", "denied".to_owned()),
        ("d/z-good.yaml:1 last", "denied".to_owned()),
    ];
    assert_eq!(found, expected.into_iter().map(|(place, status)| (place.to_owned(), status)).collect());
    assert_eq!(code, 2);
    let summary = &report["summary"];
    assert_eq!(summary["repeatedObjects"], json!(["Pod/default/first: d/a-good.yaml:1, d/j-twice.yaml:1"]));
    assert_eq!(
        summary["guessedResources"],
        json!([]),
        "a version that is not served stands for the one that is"
    );
    let latest =
        |finding: &&Value| finding["policy"] == "images/no_latest" && finding["file"] == "d/k-crlf.yaml";
    let finding = report["findings"].as_array().unwrap().iter().find(latest).unwrap();
    assert_eq!((&finding["line"], &finding["column"]), (&json!(8), &json!(5)));
}

#[test]
fn what_can_not_be_read_is_a_fault_of_facts() {
    let folder = hostile();
    let ran = run(folder.path(), &["check", "d/a-good.yaml", "--facts", "d"], "");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    for file in ["b-broken", "e-empty", "f-binary", "g-large", "h-loop", "i-unreadable"] {
        assert!(ran.err.contains(&format!("d/{file}")), "{file}: {}", ran.err);
    }
}

#[test]
fn flags_of_later_releases_are_refused_by_name() {
    for (arguments, needle) in [
        (["--images", "layout:"], "write registry, layout:DIR, facts:FILE or skip"),
        (["--policies", "oci://ghcr.io/acme/policies"], "a registry or a server is not read by this release"),
        (
            ["--policies", "https://example.org/p.git"],
            "fetch what is there, and name the directory or the archive",
        ),
    ] {
        let ran = meshgate(&[&["check", "docs/examples/shop.yaml"][..], &arguments].concat());
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments:?}");
        assert!(ran.err.contains(needle), "{arguments:?}: {}", ran.err);
    }
}
