//! What is wrong with an `ImageTrust`, all of it.

use std::collections::BTreeSet;

use super::{
    Authority, Demand, Identity, ImageGlob, ImageTrust, Key, Keyless, Need, Pattern, Static, TrustRule,
};
use crate::context::Now;
use crate::policy::fault::Fault;
use crate::policy::files::step;
use crate::policy::near::remedy;
use crate::policy::tree::Tree;
use crate::policy::written::Written;

/// Reads the documents of the kind. `tree` has the files that they name.
pub(in crate::policy) fn read(
    documents: &[&Written],
    tree: &Tree,
    faults: &mut Vec<Fault>,
) -> Option<ImageTrust> {
    let (first, others) = documents.split_first()?;
    for second in others {
        faults.push(second.fault("", "a second ImageTrust; a tree has at most one"));
        drop(second.members::<ImageTrust>(faults));
    }
    let mut trust: ImageTrust = first.members(faults)?;
    let mut found = Vec::new();
    let mut fault = |pointer: String, message: String| found.push((pointer, message));
    for (name, root) in &trust.trust_roots {
        in_tree(tree, &root.file, &format!("/trustRoots/{}/file", step(name)), &mut fault);
    }
    for (name, authority) in &trust.authorities {
        of_authority(authority, tree, &format!("/authorities/{}", step(name)), &mut fault);
    }
    let mut names = BTreeSet::new();
    for (index, rule) in trust.rules.iter().enumerate() {
        let at = format!("/rules/{index}");
        if rule.name.is_empty() || !names.insert(&rule.name) {
            fault(format!("{at}/name"), format!("`{}`; give each rule a name of its own", rule.name));
        }
        of_rule(rule, &trust, &at, &mut fault);
    }
    faults.extend(found.into_iter().map(|(pointer, message)| {
        let place = pointer.trim_start_matches('/').replace('/', ".");
        first.fault(&pointer, format!("{place}: {message}"))
    }));
    trust.file.clone_from(&first.file);
    let named = trust.files();
    let contents = tree.iter().filter(|(path, _)| named.contains(path));
    trust.contents = contents.map(|(path, content)| (path.to_owned(), content.to_vec())).collect();
    Some(trust)
}

/// Adds a fault at a pointer.
type Add<'a> = &'a mut dyn FnMut(String, String);

fn in_tree(tree: &Tree, file: &str, at: &str, fault: Add<'_>) {
    if !tree.contains(file) {
        fault(at.to_owned(), format!("the tree has no file `{file}`; a path is that within the tree"));
    }
}

fn of_authority(authority: &Authority, tree: &Tree, at: &str, fault: Add<'_>) {
    let forms = [authority.keyless.is_some(), authority.key.is_some(), authority.fixed.is_some()];
    if forms.into_iter().filter(|is_there| *is_there).count() != 1 {
        fault(at.to_owned(), "an authority is one of keyless, key and static; write exactly one".to_owned());
    }
    if let Some(keyless) = &authority.keyless {
        of_keyless(keyless, &format!("{at}/keyless"), fault);
    }
    if let Some(key) = &authority.key {
        of_key(key, tree, &format!("{at}/key"), fault);
    }
    if let Some(Static::Fail(message)) = &authority.fixed
        && message.is_empty()
    {
        fault(format!("{at}/static/fail"), "empty; say what people are told".to_owned());
    }
}

fn of_keyless(keyless: &Keyless, at: &str, fault: Add<'_>) {
    if keyless.identities.is_empty() {
        fault(
            format!("{at}/identities"),
            "empty, so no certificate would ever do; name issuer and subject".to_owned(),
        );
    }
    for (index, identity) in keyless.identities.iter().enumerate() {
        of_identity(identity, &format!("{at}/identities/{index}"), fault);
    }
}

/// One form of issuer and one of subject: an identity without either would be anybody (R19).
pub(super) fn of_identity(identity: &Identity, at: &str, fault: Add<'_>) {
    let pairs = [
        ("issuer", &identity.issuer, &identity.issuer_reg_exp),
        ("subject", &identity.subject, &identity.subject_reg_exp),
    ];
    for (name, exact, pattern) in pairs {
        match (exact.as_deref(), pattern.as_deref()) {
            (None | Some(""), None) => {
                fault(format!("{at}/{name}"), format!("no {name}; write `{name}` or `{name}RegExp`"))
            }
            (Some(_), Some(_)) => {
                fault(at.to_owned(), format!("`{name}` and `{name}RegExp`; write one of them"))
            }
            (Some(_), None) => {}
            (None, Some(pattern)) => {
                if let Err(why) = Pattern::parse(pattern) {
                    fault(format!("{at}/{name}RegExp"), format!("no regular expression: {why}"));
                }
            }
        }
    }
}

fn of_key(key: &Key, tree: &Tree, at: &str, fault: Add<'_>) {
    if key.files.is_empty() == key.data.is_none() {
        fault(at.to_owned(), "a key is in `files` or in `data`; write one of them".to_owned());
    }
    for (index, file) in key.files.iter().enumerate() {
        in_tree(tree, file, &format!("{at}/files/{index}"), fault);
    }
    if key.transparency_log.is_none() {
        fault(at.to_owned(), "no `transparencyLog`; say whether one is `required`, or `none`".to_owned());
    }
    let needs_root = [key.transparency_log, key.timestamp].contains(&Some(Need::Required));
    if needs_root && key.trust_root.is_none() {
        fault(at.to_owned(), "no `trustRoot`, by which log and timestamp are verified; name it".to_owned());
    }
    let Some(window) = &key.valid_for else { return };
    let mut moment = |name: &str, text: &Option<String>| {
        let read = text.as_deref().map(Now::parse);
        if matches!(read, Some(Err(_))) {
            fault(format!("{at}/validFor/{name}"), "no time; write it as 2026-01-31T12:00:00Z".to_owned());
        }
        read.and_then(Result::ok)
    };
    let (start, end) = (moment("start", &window.start), moment("end", &window.end));
    if start.zip(end).is_some_and(|(start, end)| end < start) {
        fault(format!("{at}/validFor"), "ends before it begins; correct one of the two".to_owned());
    }
}

/// What is wrong with a pattern of images.
pub(super) fn of_image(image: &str) -> Result<(), String> {
    ImageGlob::parse(image)?;
    match image.strip_prefix("docker.io/") {
        // Short names are of `index.docker.io`, so they would escape the rule.
        Some(rest) => Err(format!(
            "`{image}` means no image of Docker Hub that is written without it; write `index.docker.io/{rest}`"
        )),
        None => Ok(()),
    }
}

fn of_rule(rule: &TrustRule, trust: &ImageTrust, at: &str, fault: Add<'_>) {
    if rule.images.is_empty() {
        fault(format!("{at}/images"), "empty, so no image would be meant; name some".to_owned());
    }
    for (index, image) in rule.images.iter().enumerate() {
        if let Err(why) = of_image(image) {
            fault(format!("{at}/images/{index}"), why);
        }
    }
    let demands = &rule.require.of;
    if demands.is_empty() {
        fault(format!("{at}/require/of"), "empty, so nothing would be demanded; name authorities".to_owned());
    } else if rule.require.at_least == 0 || rule.require.at_least > demands.len() {
        let count = demands.len();
        fault(
            format!("{at}/require/atLeast"),
            format!("{}; of {count} at least 1 and at most {count}", rule.require.at_least),
        );
    }
    for (index, demand) in demands.iter().enumerate() {
        let (name, member) = match demand {
            Demand::Signed(name) => (name, ""),
            Demand::Attested(attested) => (&attested.authority, "/authority"),
        };
        let at = format!("{at}/require/of/{index}");
        if demands.iter().take(index).any(|other| demand.repeats(other)) {
            fault(at.clone(), format!("`{name}` a second time, who counts once; remove it"));
        }
        if !trust.authorities.contains_key(name) {
            let remedy = remedy(name, trust.authorities.keys().map(String::as_str));
            fault(format!("{at}{member}"), format!("no authority `{name}`; {remedy}"));
        }
        if matches!(demand, Demand::Attested(attested) if attested.attested.is_empty()) {
            fault(
                format!("{at}/attested"),
                "empty; name predicate types, or write the authority's name alone".to_owned(),
            );
        }
    }
}

impl ImageTrust {
    /// The files of the tree that it names, which are read by nothing else.
    pub(in crate::policy) fn files(&self) -> BTreeSet<&str> {
        let keys = self.authorities.values().filter_map(|authority| authority.key.as_ref());
        let roots = self.trust_roots.values().map(|root| root.file.as_str());
        keys.flat_map(|key| key.files.iter().map(String::as_str)).chain(roots).collect()
    }
}
