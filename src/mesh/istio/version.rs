//! Which version of Istio an installation is, as far as its configuration tells, and what istiod does since or until one.
//!
//! Templates, values and MeshConfig come with the installation; what istiod does beside them is in its code, and was changed
//! in some releases. A template never asks for more than its istiod has, so that what the templates ask for is the least
//! version; a tag or label may tell a later one.

use serde_json::Value;

/// What templates ask for, and the first minor version (of 1) that has it.
const ASKED: [(&str, u32); 8] = [
    (".ProxyInitImage", 31),
    ("otelResourceAttributes", 30),
    ("omitNil", 28),
    (".NativeSidecars", 27),
    ("istio.io/reroute-virtual-interfaces", 25),
    ("sidecar.istio.io/nativeSidecar", 24),
    ("outlierLogPath", 23),
    (".InboundTrafficPolicyMode", 22),
];

/// The oldest version that is told apart: what it does, older ones do, too.
const OLDEST: u32 = 20;

/// The newest one, which is what nothing is told of.
const NEWEST: u32 = 31;

/// A minor version of Istio 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version(u32);

impl Default for Version {
    fn default() -> Self {
        Self(NEWEST)
    }
}

impl Version {
    /// By the texts of templates, and what else tells of a version: `global.tag` of the values, or the label
    /// `app.kubernetes.io/version` of the ConfigMap. Where only the templates tell, it is the version that they are of.
    pub(super) fn told<'a>(templates: impl Iterator<Item = &'a str>, others: &[Option<&str>]) -> Self {
        let (mut least, mut are_any) = (None, false);
        for text in templates {
            are_any = true;
            let asked = ASKED.iter().find(|(asked, _)| text.contains(asked)).map(|(_, minor)| *minor);
            least = least.max(asked);
        }
        let told = others.iter().flatten().filter_map(|text| minor(text)).max();
        match (least, told) {
            (least, Some(told)) => Self(least.unwrap_or(OLDEST).max(told)),
            (Some(least), None) => Self(least),
            (None, None) => Self(if are_any { OLDEST } else { NEWEST }),
        }
    }

    /// Whether it is 1.`minor` or later.
    pub(super) fn since(self, minor: u32) -> bool {
        self.0 >= minor
    }

    /// Whether the annotation or label `sidecar.istio.io/inject` is read as YAML once read a boolean (`yes`, `On`), and
    /// anything else as false: until 1.26.
    pub(super) fn reads_booleans_of_yaml(self) -> bool {
        !self.since(27)
    }
}

/// The minor version in a text such as `1.30.2`, `v1.31-alpha.0` or `1.24.1-distroless`; None for any other.
fn minor(text: &str) -> Option<u32> {
    let rest = text.trim_start_matches('v').strip_prefix("1.")?;
    let digits =
        rest.find(|one: char| !one.is_ascii_digit()).map_or(rest, |end| rest.get(..end).unwrap_or_default());
    digits.parse().ok()
}

/// The tag of the images that the values name.
pub(super) fn tag(values: &Value) -> Option<&str> {
    values.pointer("/global/tag").and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Templates, what else tells, and the version.
    type Row<'a> = (&'a [&'a str], &'a [Option<&'a str>], u32);

    #[test]
    fn templates_tell_the_least_and_a_tag_may_tell_more() {
        let rows: [Row<'_>; 9] = [
            (&[], &[None], 31),
            (&["{{ .ProxyImage }}"], &[None], 20),
            (&["{{ .ProxyImage }}"], &[Some("latest")], 20),
            (&["{{ .ProxyImage }}"], &[Some("1.29.0-distroless"), None], 29),
            (&["a", "{{ .NativeSidecars }} {{ omitNil . }}"], &[None], 28),
            (&["{{ .ProxyInitImage }}", "b"], &[Some("1.20.1")], 31),
            (&["{{ omitNil . }}"], &[Some("v1.29-alpha.1"), Some("1.28.0")], 29),
            (&["{{ omitNil . }}"], &[Some("2.0.0"), Some("1.x")], 28),
            (&["{{ .InboundTrafficPolicyMode }}"], &[Some("1.32-dev")], 32),
        ];
        for (templates, others, minor) in rows {
            assert_eq!(
                Version::told(templates.iter().copied(), others),
                Version(minor),
                "{templates:?} {others:?}"
            );
        }
    }
}
