//! Who asks, and who may change what is guarded: flags that several commands share.

use clap::Args;
use serde_json::{Value, json};

use crate::config::Configuration;
use crate::context::Subjects;

/// The group of whoever says who he is (k8s.io/apiserver, pkg/authentication/user, AllAuthenticated).
const AUTHENTICATED: &str = "system:authenticated";

/// Who may set, change and remove what loosens anything in a namespace.
#[derive(Debug, Args)]
pub(super) struct GuardFlags {
    /// A user who may change the labels meshgate.io/mode and meshgate.io/exempt, and the annotation
    /// meshgate.io/suspend, of Namespaces; may be repeated
    #[arg(long = "subject-user", value_name = "NAME")]
    subject_users: Vec<String>,
    /// A group whose members may; may be repeated [default: system:masters]
    #[arg(long = "subject-group", value_name = "NAME")]
    subject_groups: Vec<String>,
}

/// Who sends manifests.
#[derive(Debug, Args)]
pub(super) struct UserFlags {
    /// The user who sends the manifests, as in kubectl [default: nobody in particular, who may change what is guarded]
    #[arg(long = "as", value_name = "USER")]
    as_user: Option<String>,
    /// A group of that user; may be repeated
    #[arg(long = "as-group", value_name = "GROUP", requires = "as_user")]
    as_groups: Vec<String>,
}

impl GuardFlags {
    /// Those that are named, else those of a configuration, else the default; what they are the masters of is the
    /// configuration's.
    pub(super) fn subjects(&self, configured: Option<&Configuration>) -> Subjects {
        match (self.named(), configured) {
            (None, None) => Subjects::default(),
            (Some(named), None) => named,
            (None, Some(configured)) => Subjects::clone(&configured.subjects),
            (Some(named), Some(configured)) => {
                named.guarding(&configured.guarded_labels).excluding(&configured.excluded_namespaces)
            }
        }
    }

    /// Those that are named, where any are; where no group is, the default's.
    fn named(&self) -> Option<Subjects> {
        if self.subject_users.is_empty() && self.subject_groups.is_empty() {
            return None;
        }
        let subjects = match self.subject_groups.as_slice() {
            [] => Subjects::default(),
            groups => Subjects::new([].into(), groups.iter().cloned().collect()),
        };
        Some(self.subject_users.iter().fold(subjects, |subjects, user| subjects.with_user(user)))
    }
}

impl UserFlags {
    /// The user, as an API server tells who asks.
    pub(super) fn info(&self) -> Option<Value> {
        let user = self.as_user.as_ref()?;
        let groups: Vec<&str> = self
            .as_groups
            .iter()
            .map(String::as_str)
            .filter(|group| *group != AUTHENTICATED)
            .chain([AUTHENTICATED])
            .collect();
        Some(json!({ "username": user, "groups": groups }))
    }
}
