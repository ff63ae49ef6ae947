//! The process's own configuration, as editors and programs that write it are told of it.

use serde_json::{Value, json};

use crate::program::meshgate;

/// What every configuration has.
fn with(members: Value) -> Value {
    let mut configuration = json!({ "apiVersion": "meshgate.io/v1alpha1", "kind": "Configuration" });
    configuration.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    configuration
}

#[test]
fn its_schema_allows_what_is_read_and_refuses_what_is_refused() {
    let printed = meshgate(&["config", "schema"]);
    assert_eq!((printed.code, printed.err.as_str()), (0, ""));
    let schema: Value = serde_json::from_str(&printed.out).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("meshgate.yaml");
    let path = file.to_str().unwrap();
    let git = json!({ "url": "https://git.example/policies.git", "branch": "main" });
    let good = [
        json!({}),
        json!({ "policies": "embedded/strict", "listen": { "webhook": "127.0.0.1:9443" } }),
        json!({ "decisionLog": { "file": "decisions.json", "messages": true } }),
        json!({ "images": { "registries": [{ "host": "registry.example", "redirectHosts": ["blobs.example"] }] } }),
    ];
    let bad = [
        json!({ "polices": "embedded/strict" }),
        json!({ "policies": ["embedded/strict"] }),
        json!({ "listen": { "web": "127.0.0.1:9443" } }),
        json!({ "caches": { "maxBytes": "many" } }),
        json!({ "source": { "git": git, "oci": {} }, "trust": { "mode": "none" } }),
        json!({ "trust": { "mode": "commit", "committer": "some" } }),
    ];
    for (members, is_good) in good.iter().map(|one| (one, true)).chain(bad.iter().map(|one| (one, false))) {
        let configuration = with(members.clone());
        std::fs::write(&file, configuration.to_string()).unwrap();
        let ran = meshgate(&["policies", "list", "--config", path]);
        assert_eq!(ran.code == 0, is_good, "{members}: {}", ran.err);
        assert_eq!(validator.is_valid(&configuration), is_good, "{members}");
    }
    for foreign in [
        json!({ "kind": "Configuration" }),
        json!({ "apiVersion": "meshgate.io/v1alpha1", "kind": "Bundle" }),
    ] {
        assert!(!validator.is_valid(&foreign), "{foreign}");
    }
}

#[test]
fn a_command_judges_by_the_policies_of_a_configuration_or_refuses_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("meshgate.yaml");
    let path = file.to_str().unwrap();
    std::fs::write(&file, with(json!({ "policies": "embedded/strict" })).to_string()).unwrap();
    let binding = |arguments: &[&str]| {
        let shown = meshgate(&[&["policies", "show", "workloads/probes"], arguments].concat());
        assert_eq!(shown.code, 0, "{}", shown.err);
        shown.out.contains("  name: probes\n")
    };
    assert!(
        binding(&["--config", path])
            && !binding(&[])
            && !binding(&["--config", path, "-p", "embedded/starter"])
    );

    std::fs::write(&file, with(json!({ "policies": "missing" })).to_string()).unwrap();
    for command in ["lint", "test", "policies list"] {
        let arguments: Vec<&str> = command.split(' ').chain(["--config", path]).collect();
        let ran = meshgate(&arguments);
        assert!(
            ran.code == 2 && ran.err.contains("--policies missing: no policies"),
            "{command}: {}",
            ran.err
        );
    }
    for command in ["version", "completions bash", "config schema", "bundle inspect policies", "eval data"] {
        let arguments: Vec<&str> = command.split(' ').chain(["--config", path]).collect();
        let ran = meshgate(&arguments);
        assert!(
            ran.code == 2 && ran.err.contains("this command asks nothing of a configuration"),
            "{command}: {}",
            ran.err
        );
    }
}
