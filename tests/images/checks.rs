//! The checks of a signed image, one by one: the digest that the payload is about, the log's entry and its inclusion, the
//! certificate's chain when it signed, issuer and subject, the validity of keys, the type of a statement, its own signature,
//! and that what can't be read is refused. For each there is evidence that is right but for the one thing; it counts for
//! nobody, and the reason is the one that is named. It goes the way of a review: from what lies somewhere, by an ImageTrust,
//! to the entry that policies see.

mod rows;
mod statements;

use std::collections::BTreeSet;
use std::sync::Arc;

use meshgate::image::Evidence;
use serde_json::{Value, json};

use crate::facts::{Shelf, entry, gatherer};
use crate::sigstore::{self as kit, Authority, Kit, Leaf};

/// Who may sign, and what is demanded of them.
const TRUST: &str = "trustRoots: {kit: {file: r.json}}
authorities:
  exact: {keyless: {trustRoot: kit, identities: [{issuer: 'https://issuer.example', subject: 'https://ci.example/acme/app/release@main'}]}}
  pattern: {keyless: {trustRoot: kit, identities: [{issuerRegExp: 'https://issuer\\.example', subjectRegExp: 'https://ci\\.example/acme/[a-z]+/release@main'}]}}
  stamped: {keyless: {trustRoot: kit, transparencyLog: none, timestamp: required, identities: [{issuer: 'https://issuer.example', subject: 'https://ci.example/acme/app/release@main'}]}}
  keyed: {key: {files: [k.pub], transparencyLog: required, trustRoot: kit, validFor: {start: '2020-01-01T00:00:00Z'}}}
  ended: {key: {files: [k.pub], transparencyLog: required, trustRoot: kit, validFor: {end: '2021-01-01T00:00:00Z'}}}
  alone: {key: {files: [k.pub], transparencyLog: none}}
rules:
- {name: exact, images: ['**'], require: {of: [exact]}, enforcement: deny}
- {name: pattern, images: ['**'], require: {of: [pattern]}, enforcement: deny}
- {name: stamped, images: ['**'], require: {of: [stamped]}, enforcement: deny}
- {name: keyed, images: ['**'], require: {of: [keyed]}, enforcement: deny}
- {name: ended, images: ['**'], require: {of: [ended]}, enforcement: deny}
- {name: alone, images: ['**'], require: {of: [alone]}, enforcement: deny}
- {name: attested by exact, images: ['**'], require: {of: [{authority: exact, attested: [t]}]}, enforcement: deny}
- {name: attested by alone, images: ['**'], require: {of: [{authority: alone, attested: [t]}]}, enforcement: deny}
";

/// Everybody who signs, and whom the trust root names.
struct Bench {
    kit: Kit,
    leaf: Leaf,
    key: sigstore_crypto::KeyPair,
}

/// Evidence, and what is to become of it under a rule: it holds, or nobody counts it for this reason.
struct Row {
    what: &'static str,
    evidence: Evidence,
    rule: &'static str,
    /// `counts`, a class of refusals, or `nothing`: verified, and not what the rule demands.
    expected: &'static str,
    /// The trust root, where it is not the bench's.
    root: Option<Value>,
}

fn row(what: &'static str, rule: &'static str, expected: &'static str, evidence: Evidence) -> Row {
    Row { what, evidence, rule, expected, root: None }
}

impl Bench {
    fn new() -> Self {
        // An intermediate as Fulcio has one.
        let authority = Authority::new().below(time::Duration::days(300));
        let kit = Kit { authority, ..Kit::new() };
        Self { leaf: kit.authority.leaf(), key: kit::key(), kit }
    }

    fn root(&self) -> Value {
        self.kit.full_root("2020-01-01T00:00:00Z")
    }

    /// What becomes of evidence, in the words of a row.
    fn judged(&self, row: &Row) -> String {
        let root = row.root.clone().unwrap_or_else(|| self.root()).to_string();
        let pem = kit::pem_of(&self.key);
        let shelf = Shelf { evidence: vec![row.evidence.clone()], ..Shelf::default() };
        let files = [("r.json", root.as_str()), ("k.pub", pem.as_str())];
        let seen = entry(&gatherer(TRUST, &files, Arc::new(shelf), &["t"]), "registry.example/app:1");
        assert_eq!((&seen["status"], &seen["complete"]), (&json!("ok"), &json!(true)), "{seen}");
        let authority = row.rule.trim_start_matches("attested by ");
        let rules = seen["rules"].as_array().unwrap();
        let rule = rules.iter().find(|rule| rule["name"] == row.rule).unwrap();
        let rejected = seen["rejected"].as_array().unwrap().iter();
        let reasons: BTreeSet<&str> = rejected
            .filter(|one| one["authority"] == authority)
            .map(|one| one["reason"].as_str().unwrap())
            .collect();
        match (rule["holds"] == true, reasons.len()) {
            (true, 0) => "counts".to_owned(),
            (false, 0) => "nothing".to_owned(),
            (holds, _) => {
                format!("{}{reasons:?}", if holds { "counts " } else { "" }).replace(['{', '}', '"'], "")
            }
        }
    }
}

#[test]
fn each_check_refuses_what_does_not_pass_it_and_names_it() {
    let bench = Bench::new();
    let mut table = String::new();
    let mut different = 0;
    for (check, rows) in rows::of(&bench) {
        assert!(
            rows.iter().any(|row| row.expected == "counts")
                && rows.iter().any(|row| row.expected != "counts"),
            "{check}: what is right beside what is wrong"
        );
        for row in rows {
            let found = bench.judged(&row);
            different += usize::from(found != row.expected);
            let mark = if found == row.expected { ' ' } else { '!' };
            table.push_str(&format!("{mark} {check:34} {:56} {:12} {found}\n", row.what, row.expected));
        }
    }
    println!("{table}");
    assert_eq!(different, 0, "\n{table}");
}
