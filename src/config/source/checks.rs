//! What can't be meant, and what this release does not do.

use std::time::Duration;

use super::SHORTEST_INTERVAL;
use super::fields::{GitFields, RolloutFields, SourceFields, TrustFields};
use crate::kubernetes::label_selector::is_dns_label;
use crate::kubernetes::quantity::Quantity;
use crate::policy::{Fault, Members};

/// The least memory that tests get: the program itself takes some of it.
const LEAST_MEMORY: u64 = 64 << 20;

/// The longest name of a source: an annotation has the short form in 128 bytes.
const NAME_BYTES: usize = 63;

/// Faults at their places.
pub(super) struct Faulty<'a> {
    members: &'a Members,
    faults: &'a mut Vec<Fault>,
}

impl Faulty<'_> {
    fn say(&mut self, pointer: &str, message: impl Into<String>) {
        let field = pointer.trim_start_matches('/').replace('/', ".");
        self.faults.push(self.members.fault(pointer, format!("{field}: {}", message.into())));
    }

    /// Refuses what is there although this release does not do it.
    fn later(&mut self, pointer: &str, is_there: bool, instead: &str) {
        if is_there {
            self.say(pointer, format!("not built in this release; {instead}"));
        }
    }
}

impl SourceFields {
    /// What is well-formed and can't be meant. `policies`: whether they come from elsewhere, too.
    pub(in crate::config) fn contradictions(
        &self,
        trust: Option<&TrustFields>,
        (has_policies, has_state): (bool, bool),
        members: &Members,
        faults: &mut Vec<Fault>,
    ) {
        let mut faulty = Faulty { members, faults };
        if has_policies {
            faulty.say("/policies", "beside `source`; policies come from one place: remove one of both");
        }
        if !has_state {
            faulty
                .say("/source", "without `state`; name a directory in which the last good policies are kept");
        }
        if trust.is_none() {
            faulty.say(
                "/source",
                "without `trust`; write trust: {allowedSigners: FILE}, or trust: {mode: none}",
            );
        }
        if !is_dns_label(&self.name) || self.name.len() > NAME_BYTES {
            faulty.say("/source/name", format!("`{}`: write a short name as `platform`", self.name));
        }
        for (pointer, is_there) in [
            ("/source/oci", self.oci.is_some()),
            ("/source/tarball", self.tarball.is_some()),
            ("/source/flux", self.flux.is_some()),
        ] {
            faulty.later(
                pointer,
                is_there,
                "name a repository with source.git, or a directory with policies",
            );
        }
        faulty.later("/source/push", self.push.is_some(), "the repository is asked each source.interval");
        let is_interval =
            |text: &String| duration(text).is_some_and(|interval| interval >= SHORTEST_INTERVAL);
        if self.interval.as_ref().is_some_and(|text| !is_interval(text)) {
            faulty.say("/source/interval", "write at least 5s, as 60s or 5m");
        }
        match &self.git {
            Some(git) => self.check_git(git, trust, &mut faulty),
            None => faulty.say("/source", "without `git`; write git: {url: https://…, branch: main}"),
        }
        self.check_access(&mut faulty);
    }

    fn check_access(&self, faulty: &mut Faulty<'_>) {
        if let Some(credentials) = &self.credentials {
            let is_basic = credentials.file.is_some() && credentials.username.is_some();
            let is_bearer = credentials.bearer_file.is_some();
            let is_part = credentials.file.is_some() != credentials.username.is_some();
            if is_part || is_basic == is_bearer {
                faulty
                    .say("/source/credentials", "write {file: FILE, username: NAME}, or {bearerFile: FILE}");
            }
        }
        if self.proxy.as_ref().is_some_and(|proxy| !proxy.starts_with("http://")) {
            faulty.say("/source/proxy", "write http://host:port");
        }
        if let Some(back) = &self.rollback {
            if !is_id(&back.to) {
                faulty.say("/source/rollback/to", "write the commit's full id, 40 or 64 digits");
            }
            if back.reason.trim().is_empty() {
                faulty.say("/source/rollback/reason", "write why; it is told with the event");
            }
        }
    }

    fn check_git(&self, git: &GitFields, trust: Option<&TrustFields>, faulty: &mut Faulty<'_>) {
        let named = [&git.branch, &git.tag, &git.commit].into_iter().flatten().count();
        if named != 1 {
            faulty.say("/source/git", "write one of branch, tag and commit");
        }
        if git.commit.as_ref().is_some_and(|id| !is_id(id)) {
            faulty.say("/source/git/commit", "write the commit's full id, 40 or 64 digits");
        }
        for (pointer, name) in [("/source/git/branch", &git.branch), ("/source/git/tag", &git.tag)] {
            if name.as_ref().is_some_and(|name| !is_reference(name)) {
                faulty.say(pointer, "no name of a branch or a tag; write it as `main`, without refs/heads/");
            }
        }
        if git.path.split('/').any(|part| part == ".." || part == ".") {
            faulty.say("/source/git/path", "write a folder of the repository, as `policies`");
        }
        let (scheme, rest) = git.url.split_once("://").unwrap_or(("", git.url.as_str()));
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if host.contains('@') && scheme != "ssh" && !scheme.is_empty() {
            faulty.say("/source/git/url", "holds a user; write it without, and name source.credentials");
        }
        match scheme {
            "https" => {}
            "http" if is_loopback(host) => {}
            "http" => self.check_plaintext(git, trust, faulty),
            "git" => faulty.say(
                "/source/git/url",
                "git:// has no limit of time and proves no server; write https://…, or let git-sync bring a directory",
            ),
            "ssh" | "" => faulty.say(
                "/source/git/url",
                "SSH needs a program that the image does not have; write https://… with a token, or let git-sync bring a directory",
            ),
            "file" => faulty.say("/source/git/url", "a repository on this machine is for commands; name a directory with policies"),
            _ => faulty.say("/source/git/url", "write https://…"),
        }
    }

    fn check_plaintext(&self, git: &GitFields, trust: Option<&TrustFields>, faulty: &mut Faulty<'_>) {
        if !git.plaintext {
            faulty.say(
                "/source/git/url",
                "not encrypted; write https://…, or plaintext: true where signatures are enough",
            );
        } else if self.credentials.is_some() {
            faulty.say("/source/credentials", "would be sent without encryption; write https://…");
        } else if trust.is_some_and(|trust| trust.mode == "none") {
            faulty.say(
                "/trust/mode",
                "nobody would vouch for what comes without encryption; name trust.allowedSigners",
            );
        }
    }
}

impl TrustFields {
    pub(in crate::config) fn contradictions(
        &self,
        has_source: bool,
        members: &Members,
        faults: &mut Vec<Fault>,
    ) {
        let mut faulty = Faulty { members, faults };
        if !has_source {
            faulty.say(
                "/trust",
                "without `source`; policies in a directory are trusted as they are: remove it",
            );
        }
        match self.mode.as_str() {
            "commit" if self.allowed_signers.is_none() => {
                faulty.say("/trust", "without `allowedSigners`; name the file, or write mode: none");
            }
            "commit" => {}
            "none" => {
                let signers =
                    [self.allowed_signers.is_some(), self.revoked.is_some(), self.committer.is_some()];
                if signers.contains(&true) {
                    faulty.say("/trust/mode", "`none` and signers; write mode: commit, or remove them");
                }
            }
            "range" | "tag" | "tag+commit" | "artifact" => {
                faulty.later(
                    "/trust/mode",
                    true,
                    "write commit, the signature of the commit that comes in force",
                );
            }
            other => faulty.say("/trust/mode", format!("`{other}`: write commit or none")),
        }
        if self.floor.as_ref().is_some_and(|id| !is_id(id)) {
            faulty.say("/trust/floor", "write the commit's full id, 40 or 64 digits");
        }
        faulty.later("/trust/scope", self.scope.is_some(), "it belongs to the mode `range`");
        faulty.later("/trust/keyring", self.keyring.is_some(), "sign with SSH keys, and name allowedSigners");
        faulty.later("/trust/forge", self.forge.is_some(), "let people sign, and name allowedSigners");
    }
}

impl RolloutFields {
    pub(in crate::config) fn contradictions(
        &self,
        has_source: bool,
        members: &Members,
        faults: &mut Vec<Fault>,
    ) {
        let mut faulty = Faulty { members, faults };
        if !has_source {
            faulty.say(
                "/rollout",
                "without `source`; what is in a directory comes in force as it is: remove it",
            );
        }
        let steps = "a revision comes in force when its tests have passed";
        for (name, is_there) in [
            ("steps", self.steps.is_some()),
            ("stop", self.stop.is_some()),
            ("manual", self.manual.is_some()),
            ("trailer", self.trailer.is_some()),
        ] {
            faulty.later(&format!("/rollout/{name}"), is_there, steps);
        }
        if self.tests.timeout.as_ref().is_some_and(|text| duration(text).is_none()) {
            faulty.say("/rollout/tests/timeout", "write a time as 60s or 5m");
        }
        let is_memory = |text: &String| bytes(text).is_some_and(|bytes| bytes >= LEAST_MEMORY);
        if self.tests.memory.as_ref().is_some_and(|text| !is_memory(text)) {
            faulty.say("/rollout/tests/memory", "write at least 64Mi, as 512Mi");
        }
    }
}

/// `60s`, `5m`, `1h`: up to a day.
pub(in crate::config) fn duration(text: &str) -> Option<Duration> {
    let unit = text.chars().next_back()?;
    let number = text.strip_suffix(unit)?;
    let each = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        _ => return None,
    };
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = number.parse::<u64>().ok().filter(|_| is_number)?.checked_mul(each)?;
    (1..=86_400).contains(&seconds).then(|| Duration::from_secs(seconds))
}

/// As Kubernetes writes memory: `512Mi`.
pub(super) fn bytes(text: &str) -> Option<u64> {
    Quantity::parse(text).ok()?.value().and_then(|bytes| u64::try_from(bytes).ok())
}

fn is_id(text: &str) -> bool {
    [40, 64].contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// What git takes as the name of a branch or a tag (git-check-ref-format(1)), without what only a full name begins with.
fn is_reference(name: &str) -> bool {
    let is_bad = |c: char| c.is_whitespace() || c.is_control() || "~^:?*[\\".contains(c);
    let part = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock");
    let has_bad = ["..", "@{"].iter().any(|bad| name.contains(bad)) || name.chars().any(is_bad);
    !has_bad && name.split('/').all(part) && !name.starts_with("refs/") && !name.ends_with('.') && name != "@"
}

fn is_loopback(host: &str) -> bool {
    let host = host
        .strip_prefix('[')
        .and_then(|rest| rest.split(']').next())
        .unwrap_or_else(|| host.split(':').next().unwrap_or_default());
    host == "localhost" || host.parse::<core::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
