//! Whether two texts are the same Rego: equal but for comments, line breaks and spaces.

use super::normalise;
use super::syntax::{Parsed, RegoVersion};
use crate::policy::Module;

/// What a module says, however it is laid out; None for a text that is no module. Equal ones decide the same.
pub fn canonical(module: &Module) -> Option<String> {
    let parsed = Parsed::parse(module.clone(), RegoVersion::V1).ok()?;
    Some(normalise::printed(&parsed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<String> {
        canonical(&Module { path: "a.rego".to_owned(), text: text.to_owned() })
    }

    #[test]
    fn layout_and_comments_make_no_difference_and_all_else_does() {
        let one = of(
            "# METADATA\n# title: t\npackage a\n\nimport data.lib.b\n\ndeny contains msg if {\n\tb.c[_] == 1\n\tmsg := \"x  y\"\n}\n",
        );
        assert!(one.is_some());
        let other =
            "package a\nimport data.lib.b # why\ndeny contains msg if { b.c[_] == 1; msg := \"x  y\" }\n";
        assert_eq!(of(other), one);
        for (from, to) in [
            ("== 1", "== 2"),
            ("x  y", "x y"),
            ("lib.b", "lib.d as b"),
            ("deny", "warn"),
            ("package a", "package b"),
        ] {
            assert_ne!(of(&other.replace(from, to)), one, "{from} → {to}");
        }
        assert_eq!(of("package"), None);
    }
}
