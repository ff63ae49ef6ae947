//! The codes of the gate (MG1xx) and of the lints (MG2xx), each with its page. Codes are stable: one that is no longer
//! used is not given to anything else.

/// All codes, in order, with their pages in Markdown.
const PAGES: [(&str, &str); 37] = [
    ("MG100", include_str!("../../docs/codes/MG100.md")),
    ("MG101", include_str!("../../docs/codes/MG101.md")),
    ("MG102", include_str!("../../docs/codes/MG102.md")),
    ("MG103", include_str!("../../docs/codes/MG103.md")),
    ("MG104", include_str!("../../docs/codes/MG104.md")),
    ("MG105", include_str!("../../docs/codes/MG105.md")),
    ("MG106", include_str!("../../docs/codes/MG106.md")),
    ("MG108", include_str!("../../docs/codes/MG108.md")),
    ("MG109", include_str!("../../docs/codes/MG109.md")),
    ("MG110", include_str!("../../docs/codes/MG110.md")),
    ("MG111", include_str!("../../docs/codes/MG111.md")),
    ("MG112", include_str!("../../docs/codes/MG112.md")),
    ("MG113", include_str!("../../docs/codes/MG113.md")),
    ("MG114", include_str!("../../docs/codes/MG114.md")),
    ("MG115", include_str!("../../docs/codes/MG115.md")),
    ("MG116", include_str!("../../docs/codes/MG116.md")),
    ("MG117", include_str!("../../docs/codes/MG117.md")),
    ("MG118", include_str!("../../docs/codes/MG118.md")),
    ("MG119", include_str!("../../docs/codes/MG119.md")),
    ("MG120", include_str!("../../docs/codes/MG120.md")),
    ("MG121", include_str!("../../docs/codes/MG121.md")),
    ("MG122", include_str!("../../docs/codes/MG122.md")),
    ("MG123", include_str!("../../docs/codes/MG123.md")),
    ("MG124", include_str!("../../docs/codes/MG124.md")),
    ("MG126", include_str!("../../docs/codes/MG126.md")),
    ("MG201", include_str!("../../docs/codes/MG201.md")),
    ("MG202", include_str!("../../docs/codes/MG202.md")),
    ("MG203", include_str!("../../docs/codes/MG203.md")),
    ("MG204", include_str!("../../docs/codes/MG204.md")),
    ("MG205", include_str!("../../docs/codes/MG205.md")),
    ("MG206", include_str!("../../docs/codes/MG206.md")),
    ("MG207", include_str!("../../docs/codes/MG207.md")),
    ("MG208", include_str!("../../docs/codes/MG208.md")),
    ("MG209", include_str!("../../docs/codes/MG209.md")),
    ("MG210", include_str!("../../docs/codes/MG210.md")),
    ("MG211", include_str!("../../docs/codes/MG211.md")),
    ("MG212", include_str!("../../docs/codes/MG212.md")),
];

/// The page of a code, whichever way it is written.
pub fn explain(code: &str) -> Option<&'static str> {
    PAGES.iter().find(|(known, _)| known.eq_ignore_ascii_case(code)).map(|(_, page)| *page)
}

/// All codes, in order.
pub fn codes() -> impl Iterator<Item = &'static str> {
    PAGES.iter().map(|(code, _)| *code)
}
