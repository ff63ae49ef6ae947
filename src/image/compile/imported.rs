//! What policies of policy-controller bring along: trust roots that are named by URLs, and modules of Rego.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Compiler;
use crate::image::compliance::Compliance;
use crate::image::trust::TrustRoot;
use crate::policy::Fault;
use crate::policy::image_trust::{Attested, ByUrl, Demand};

impl Compiler<'_> {
    /// A root by its name, or, where that is empty, the one that has what is named by URLs.
    pub(super) fn root_of(&mut self, name: &str, by_url: Option<&ByUrl>, at: &str) -> Option<Arc<TrustRoot>> {
        let Some(by_url) = by_url else { return self.root(name, at) };
        if !name.is_empty() {
            let root = self.root(name, at)?;
            if !has(&root, by_url) {
                self.fault(at, format!("the trust root `{name}` has not {}", said(by_url)));
                return None;
            }
            return Some(root);
        }
        let own = self.trust.trust_roots.keys().map(String::as_str);
        let names: BTreeSet<String> = own.chain(TrustRoot::EMBEDDED).map(str::to_owned).collect();
        let mut fitting: Vec<Arc<TrustRoot>> = Vec::new();
        for name in names {
            let root = self.root(&name, at);
            fitting.extend(root.filter(|root| has(root, by_url)));
        }
        match <[Arc<TrustRoot>; 1]>::try_from(fitting) {
            Ok([root]) => Some(root),
            Err(all) if all.is_empty() => {
                let remedy = "add a TrustRoot, or a trust root of an ImageTrust, that has it";
                self.fault(at, format!("no trust root has {}; {remedy}", said(by_url)));
                None
            }
            Err(_) => {
                self.fault(at, format!("several trust roots have {}; name one", said(by_url)));
                None
            }
        }
    }

    /// All modules, compiled.
    pub(super) fn compliance(&mut self) -> Compliance {
        let (trust, mut compiled) = (self.trust, Compliance::default());
        let mut load = |file: &str, at: &str, rego: &Option<String>| {
            let loaded = rego.as_ref().map(|rego| compiled.load(rego));
            let why = loaded.and_then(Result::err)?;
            Some(Fault::of_file(file, format!("{at}.data: {}", why.replace('\n', "; "))))
        };
        let mut faults = Vec::new();
        for rule in &trust.rules {
            let place = |demand: &Demand| trust.authorities.get(demand.authority())?.place.clone();
            for demand in &rule.require.of {
                let (Demand::Attested(Attested { checks, .. }), Some(place)) = (demand, place(demand)) else {
                    continue;
                };
                for (index, check) in checks.iter().enumerate() {
                    let at = format!("{}.attestations[{index}].policy", place.field);
                    faults.extend(load(&place.file, &at, &check.rego));
                }
            }
            let file = rule.require.of.first().and_then(place).map_or(trust.file.clone(), |place| place.file);
            faults.extend(load(&file, "spec.policy", &rule.policy));
        }
        self.faults.extend(faults);
        compiled
    }
}

fn has(root: &TrustRoot, by_url: &ByUrl) -> bool {
    by_url.authority.as_ref().is_none_or(|url| root.has_certificate_authority(&bare(url)))
        && by_url.log.as_ref().is_none_or(|url| root.has_log(&bare(url)))
}

/// A URL without its scheme and a slash at its end.
fn bare(url: &str) -> String {
    let bare = url.split_once("://").map_or(url, |(_, rest)| rest);
    bare.trim_end_matches('/').to_owned()
}

fn said(by_url: &ByUrl) -> String {
    let authority = by_url.authority.as_ref().map(|url| format!("the certificate authority `{url}`"));
    let log = by_url.log.as_ref().map(|url| format!("the log `{url}`"));
    authority.into_iter().chain(log).collect::<Vec<_>>().join(" and ")
}
