//! What is wrong with a policies' tree: all of it at once, each with its place and its remedy.

use crate::program::{folder, run};

const HEAD: &str = "# METADATA\n# title: t\n# description: d\n# custom:\n#   match:\n#     rules:\n#       - {apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}\n";

fn binding(name: &str, rest: &str) -> String {
    format!(
        "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {{name: {name}}}\nspec: {{{rest}}}\n"
    )
}

#[test]
fn all_faults_are_listed_at_once() {
    let head = |package: &str| format!("{HEAD}package policies.workloads.{package}\n\n");
    let files = [
        ("p/workloads/good/good.rego", format!("{}deny contains \"no\" if false\n", head("good"))),
        ("p/workloads/syntax/syntax.rego", format!("{}deny contains \"no\" if {{\n", head("syntax"))),
        ("p/workloads/form/form.rego", format!("{}deny := \"no\"\n", head("form"))),
        ("p/workloads/none/none.rego", format!("{}allow := true\n", head("none"))),
        ("p/workloads/package/package.rego", format!("{}deny contains \"no\" if false\n", head("other"))),
        (
            "p/workloads/bare/bare.rego",
            "package policies.workloads.bare\n\ndeny contains \"no\" if false\n".to_owned(),
        ),
        (
            "p/workloads/typo/typo.rego",
            format!(
                "{}package policies.workloads.typo\n\ndeny contains \"no\" if false\n",
                HEAD.replace("match", "macth")
            ),
        ),
        (
            "p/workloads/severity/severity.rego",
            format!(
                "{}#   severity: fatal\npackage policies.workloads.severity\n\ndeny contains \"no\" if false\n",
                HEAD
            ),
        ),
        (
            "p/workloads/fact/fact.rego",
            format!(
                "{}#   context: [weather]\npackage policies.workloads.fact\n\ndeny contains \"no\" if false\n",
                HEAD
            ),
        ),
        ("p/stray.rego", "package stray\n".to_owned()),
        ("p/a.yaml", binding("a", "policy: workloads/goood, enforcement: deny")),
        ("p/b.yaml", binding("b", "policy: workloads/good, enforcement: deny, parameters: {x: 1}")),
        ("p/c.yaml", binding("c", "policy: workloads/good")),
        (
            "p/d.yaml",
            format!(
                "{}---\n{}",
                binding("d", "policy: workloads/good, enforcement: deny"),
                binding("d", "policy: workloads/good, enforcement: warn")
            ),
        ),
        ("p/e.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n".to_owned()),
        ("p/f.yaml", "apiVersion: meshgate.io/v1alpha1\nkind: PolicyExeption\n".to_owned()),
        ("p/g.yaml", "a: 1\na: 2\n".to_owned()),
        (
            "p/h.yaml",
            "apiVersion: meshgate.io/v1alpha1\nkind: Bundle\nmetadata: {name: b}\nspec: {includes: [mlts]}\n"
                .to_owned(),
        ),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let folder = folder(&files);
    let ran = run(folder.path(), &["check", "-p", "p", "-"], "");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    insta::assert_snapshot!("faults", ran.err);
}

/// A document of a kind.
fn kind(kind: &str, name: &str, spec: &str) -> String {
    format!(
        "apiVersion: meshgate.io/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec:\n{}",
        spec.lines().map(|line| format!("  {line}\n")).collect::<String>()
    )
}

const CONTAINERS: &str = "#   context: [containers]\n#   controls: [privileged, host_ports]\n";

const BUNDLE: &str = "\
defaultMode: dney
maxExpiry: 90 days
test: {required: true}
includes: [pod_securty, embedded/startr, imagse, ../other, ./nowhere/]
tenants:
- {path: teams/Shop, namespaces: [shop]}
- {path: teams/pay, namespaces: [], ceiling: off}
- {path: nowhere, namespaces: [pay-*], maxExpiry: soon}
podTemplates:
- {group: apps, kind: Deployment, resource: deployments, path: spec.template}
- {group: argoproj.io/v1alpha1, kind: Rollout, resource: rollouts, path: spec.template}
- {group: argoproj.io, kind: roll out, resource: rollouts, path: spec.template}
- {group: argoproj.io, kind: Rollout, resource: rollouts, path: /spec/template}
- {group: argoproj.io, kind: Rollout, resource: rollouts, path: spec.template}
- {group: argoproj.io, kind: Rollout, resource: rollouts, path: spec.other}
- {group: example.org, kind: Gang, resource: gangs, path: 'spec.roles[0].template'}
- {group: example.org, kind: Fleet, resource: fleets, pth: spec.template}
- {group: example.org, kind: Ring, path: spec.template}
";

const EXCEPTIONS: [(&str, &str); 9] = [
    ("empty", "{}"),
    (
        "typos",
        "polcy: workloads/good\nowner: ' '\nreason: r\nexpire: 2026-12-31T00:00:00Z\nmatch: {namspace: shop}",
    ),
    ("unknown", "policy: workloads/god\nowner: o\nreason: r\nexpires: tomorrow"),
    (
        "glob",
        "policy: workloads/*\nowner: o\nreason: r\nexpires: 2026-12-31T00:00:00Z\nmatch: {namespace: 'shop-*', name: 'a/b'}",
    ),
    (
        "unseen",
        "policy: workloads/good\nowner: o\nreason: r\nexpires: 2026-12-31T00:00:00Z\ncontainers: [{name: a, image: nginx}]",
    ),
    (
        "control",
        "policy: workloads/view\nowner: o\nreason: r\nexpires: 2026-12-31T00:00:00Z\ncontrols: [privilged]\ncontainers: []",
    ),
    (
        "which",
        "policy: workloads/view\nowner: o\nreason: r\nexpires: 2026-12-31T00:00:00Z\ncontrols: [privileged]",
    ),
    (
        "images",
        "policy: workloads/view\nowner: o\nreason: r\nexpires: 2026-12-31T00:00:00Z\ncontainers:\n- {name: a}\n- {name: '*', image: nginx}\n- {name: a, image: '*.io/nginx'}\n- {name: a, image: Nginx}\n- {name: a, digest: 'sha256:1'}\n- {name: a, image: nginx, digest: 'sha256:1'}\n- {image: nginx}",
    ),
    ("images", "policy: workloads/view\nowner: o\nreason: r\nexpires: 2026-12-31T00:00:00Z"),
];

#[test]
fn the_faults_of_every_kind_are_listed_at_once() {
    let head = |package: &str, more: &str| format!("{HEAD}{more}package policies.workloads.{package}\n\n");
    let exceptions: Vec<String> =
        EXCEPTIONS.iter().map(|(name, spec)| kind("PolicyException", name, spec)).collect();
    let binding_of = |spec: &str| kind("PolicyBinding", "a", spec);
    let files = [
        ("p/workloads/good/good.rego", format!("{}deny contains \"no\" if false\n", head("good", ""))),
        ("p/workloads/view/view.rego", format!("{}deny contains \"no\" if false\n", head("view", CONTAINERS))),
        ("p/bundle.yaml", kind("Bundle", "b", BUNDLE)),
        ("p/second.yaml", kind("Bundle", "b", "{}")),
        ("p/binding.yaml", binding_of("policy: workloads/good\nenforcemnt: deny\ntemplates: wran\nmatch: {rulez: []}")),
        ("p/exceptions.yaml", exceptions.join("---\n")),
        ("p/name.yaml", "apiVersion: meshgate.io/v1alpha1\nkind: PolicyException\nmetadata: {nmae: x}\nspec: {}\nspce: {}\n".to_owned()),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let folder = folder(&files);
    let ran = run(folder.path(), &["check", "-p", "p", "-"], "");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    insta::assert_snapshot!("kinds", ran.err);
}

#[test]
fn what_a_tenant_may_not_is_a_fault() {
    let policy = |id: &str, rule: &str| format!("{HEAD}package policies.{id}\n\n{rule}\n");
    let tenants = "maxExpiry: 365d\ntenants:\n- {path: teams/shop, namespaces: [shop], ceiling: warn, mayExcept: [workloads/soft, pod_security/*], maxExpiry: 30d}\n- {path: teams/pay, namespaces: [pay]}";
    let exception = |name: &str, policy: &str, rest: &str| {
        kind("PolicyException", name, &format!("policy: {policy}\nowner: o\nreason: r\n{rest}"))
    };
    let binding = |name: &str, policy: &str, enforcement: &str| {
        kind("PolicyBinding", name, &format!("policy: {policy}\nenforcement: {enforcement}"))
    };
    let (soon, late) = ("expires: 2026-02-20T00:00:00Z", "expires: 2026-06-30T00:00:00Z");
    let files = [
        ("p/bundle.yaml", kind("Bundle", "b", tenants)),
        ("p/workloads/hard/hard.rego", policy("workloads.hard", "deny contains \"no\" if false")),
        ("p/workloads/soft/soft.rego", policy("workloads.soft", "deny contains \"no\" if false")),
        ("p/teams/shop/own/own.rego", policy("tenant_shop.own", "deny contains \"no\" if false")),
        ("p/teams/shop/own/examples/allowed-pod.yaml", "apiVersion: v1\nkind: Pod\n".to_owned()),
        ("p/teams/shop/lib/lib.rego", "package lib.shop\n\nx := 1\n".to_owned()),
        ("p/teams/pay/own/own.rego", policy("tenant_pay.own", "deny contains \"no\" if false")),
        ("p/teams/pay/other/other.rego", policy("tenant_shop.own", "deny contains \"no\" if false")),
        ("p/tenant_x/own/own.rego", policy("tenant_x.own", "deny contains \"no\" if false")),
        (
            "p/platform.yaml",
            [binding("all", "'*'", "warn"), binding("of-tenant", "tenant_shop/own", "warn")].join("---\n"),
        ),
        ("p/late.yaml", exception("late", "workloads/hard", "expires: 2027-06-30T00:00:00Z")),
        ("p/teams/shop/bundle.yaml", kind("Bundle", "c", "{}")),
        (
            "p/teams/shop/bindings.yaml",
            [
                binding("a", "workloads/hard", "deny"),
                binding("b", "tenant_shop/own", "namespace"),
                binding("c", "tenant_pay/own", "warn"),
            ]
            .join("---\n"),
        ),
        (
            "p/teams/shop/exceptions.yaml",
            [
                exception("one", "workloads/hard", soon),
                exception("two", "workloads/soft", &format!("{soon}\nmatch: {{namespace: pay}}")),
                exception("three", "workloads/soft", late),
                exception("four", "workloads/soft", soon),
            ]
            .join("---\n"),
        ),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let folder = folder(&files);
    let ran = run(folder.path(), &["check", "-p", "p", "--now", "2026-01-31T12:00:00Z", "-"], "");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    insta::assert_snapshot!("tenants", ran.err);
}

const TRUST: &str = "\
apiVersion: meshgate.io/v1alpha1
kind: ImageTrust
trustRoots:
  corp: {file: keys/trusted_root.json}
  lost: {file: keys/lost.json}
authorities:
  release:
    keyless:
      trustRoot: public-good
      identities:
        - {issuer: https://a.example, subjectRegExp: 'a)|(?:b'}
        - {issuer: https://a.example, issuerRegExp: a, subject: s}
        - {issuer: https://a.example}
  nobody: {keyless: {trustRoot: corp, identities: []}}
  vendor:
    key: {files: [keys/vendor.pub, keys/lost.pub], data: PEM, timestamp: required, validFor: {start: '2026-02-01T00:00:00Z', end: '2026-01-01T00:00:00Z'}}
  both: {static: pass, key: {files: [keys/vendor.pub], transparencyLog: none, validFor: {start: soon}}}
  neither: {formats: [bundle]}
  mute: {static: {fail: ''}}
rules:
  - {name: a, images: ['registry.io/**'], require: {of: [realease, {authority: vendor, attested: []}]}, enforcement: deny}
  - {name: a, images: ['registry.io/[ab]'], require: {atLeast: 2, of: [vendor]}, enforcement: audit}
  - {name: b, images: [], require: {of: []}, enforcement: warn}
";

const MESHES: &str = "\
meshes:
- mesh: istio
  revisions:
  - {revision: default, namespace: istio-system, mode: off}
  - {revision: default, namespace: '', mode: auto, webhooks: [{name: w, objectSelector: {matchLabel: {a: b}}}]}
  - {revision: canary, namespace: istio-system, mode: forward}
- mesh: istio
  revisions: []
- mesh: linkerd
  revisions: []
";

#[test]
fn trust_and_meshes_are_typed_and_judged() {
    let good = format!("{HEAD}package policies.workloads.good\n\ndeny contains \"no\" if false\n");
    let trust = "apiVersion: meshgate.io/v1alpha1\nkind: ImageTrust\nauthorities:\n  vendor: {key: {files: [keys/vendor.pub], transparencyLog: none}, formats: [bundle, legacy]}\n  ours: {static: pass}\nrules: [{name: a, images: ['registry.io/**'], require: {atLeast: 1, of: [vendor, {authority: ours, attested: [x]}]}, enforcement: deny}]\nunchanged: verify\n";
    let meshes = kind(
        "MeshSettings",
        "m",
        "meshes: [{mesh: istio, revisions: [{revision: default, namespace: istio-system}]}]",
    );
    let bound = binding("a", "policy: workloads/good, enforcement: deny");
    let files = [
        ("good/workloads/good/good.rego", good.as_str()),
        ("good/a.yaml", bound.as_str()),
        ("good/trust.yaml", trust),
        ("good/mesh.yaml", meshes.as_str()),
        ("good/keys/vendor.pub", &rcgen::KeyPair::generate().unwrap().public_key_pem()),
        ("useless/workloads/good/good.rego", good.as_str()),
        ("useless/a.yaml", bound.as_str()),
        ("useless/trust.yaml", trust),
        ("useless/keys/vendor.pub", "no key"),
        ("bad/workloads/good/good.rego", good.as_str()),
        ("bad/a.yaml", bound.as_str()),
        ("bad/trust.yaml", TRUST),
        (
            "bad/typo.yaml",
            "apiVersion: meshgate.io/v1alpha1\nkind: ImageTrust\nauthority: {}\nrules: [{name: a, image: []}]\n",
        ),
        ("bad/keys/trusted_root.json", "{}"),
        ("bad/keys/other.json", "{}"),
        ("bad/keys/vendor.pub", ""),
        ("bad/mesh.yaml", &kind("MeshSettings", "m", MESHES)),
    ];
    let folder = folder(&files);
    let ran = run(folder.path(), &["policies", "list", "-p", "good"], "");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let ran = run(folder.path(), &["policies", "list", "-p", "useless"], "");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("useless/keys/vendor.pub: no public key"), "{}", ran.err);
    let ran = run(folder.path(), &["check", "-p", "bad", "-"], "");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    insta::assert_snapshot!("trust", ran.err);
}

#[test]
fn a_tree_in_which_nothing_is_bound_is_refused() {
    let policy = format!("{HEAD}package policies.workloads.good\n\ndeny contains \"no\" if false\n");
    let folder = folder(&[("p/workloads/good/good.rego", &policy)]);
    for command in [&["check", "-p", "p", "-"][..], &["serve", "--dev", "--listen", "127.0.0.1:0", "-p", "p"]]
    {
        let ran = run(folder.path(), command, "");
        assert_eq!(ran.code, 2, "{}", ran.out);
        assert!(ran.err.contains("nothing is bound") && ran.err.contains("workloads/good"), "{}", ran.err);
    }
}

#[test]
fn what_is_no_tree_is_refused() {
    let folder = folder(&[("p/real.yaml", "")]);
    std::os::unix::fs::symlink("real.yaml", folder.path().join("p/link.yaml")).unwrap();
    for (policies, needle) in [
        ("absent", "can't read absent"),
        ("p", "link.yaml: a link; what it leads to was not reviewed"),
        ("embedded/lenient", "no embedded profile `lenient`; there are mesh, starter, strict"),
    ] {
        let ran = run(folder.path(), &["check", "-p", policies, "-"], "");
        assert_eq!(ran.code, 2, "{policies}");
        assert!(ran.err.contains(needle), "{policies}: {}", ran.err);
    }
}
