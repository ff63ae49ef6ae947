//! The report as GitHub Flavored Markdown, for the comment of a pull request or the summary of a job.

use super::{Effect, Report, ReportedFinding};

/// Writes the report: a heading, what was found, what was not judged, what was assumed.
pub fn markdown(report: &Report) -> String {
    let lines = report.summary.lines();
    let mut lines = lines.iter();
    let mut text = "## meshgate\n\n".to_owned();
    if let Some(numbers) = lines.next() {
        text.push_str(&format!("{}\n", inline(numbers)));
    }
    for (title, wanted) in [
        ("Denied", &[Effect::Deny, Effect::Error][..]),
        ("Warnings", &[Effect::Warn]),
        ("Recorded", &[Effect::Audit, Effect::Excused, Effect::Skipped]),
    ] {
        let found = report.findings.iter().filter(|finding| wanted.contains(&finding.effect));
        let rows: String = found.map(row).collect();
        if !rows.is_empty() {
            text.push_str(&format!(
                "\n### {title}\n\n| Place | Object | Policy | Finding |\n|---|---|---|---|\n{rows}"
            ));
        }
    }
    let reasons = report.documents.iter().filter_map(|document| Some((document, document.reason.as_ref()?)));
    let rows: String = reasons
        .map(|(document, reason)| {
            let (place, status) = (place(&document.file, document.line), document.status.word());
            format!("| {place} | {status} | {} |\n", inline(reason))
        })
        .collect();
    if !rows.is_empty() {
        text.push_str(&format!("\n### Not judged\n\n| Place | | Reason |\n|---|---|---|\n{rows}"));
    }
    let assumed: String = lines.map(|line| format!("- {}\n", inline(line))).collect();
    if !assumed.is_empty() {
        text.push_str(&format!("\n{assumed}"));
    }
    text
}

fn row(finding: &ReportedFinding) -> String {
    let said = finding.compared().into_iter().chain(finding.remedy.clone());
    let said: String = said.map(|text| format!("<br>{}", inline(&text))).collect();
    let does = if finding.its_pods || finding.suspended || finding.effect != Effect::Deny {
        format!("{}: ", finding.does())
    } else {
        String::new()
    };
    format!(
        "| {} | {} | {} | {}{said} |\n",
        place(&finding.file, finding.line),
        inline(&finding.object.path()),
        inline(&finding.policy),
        inline(&format!("{does}{}{}", finding.message, finding.excuse()))
    )
}

fn place(file: &str, line: usize) -> String {
    inline(&format!("{file}:{line}"))
}

/// Text that stays the text it is within a cell or a line: no markup, no HTML, no new line. A pair of backticks around
/// words is left alone where nothing within could end the cell.
fn inline(text: &str) -> String {
    let text = text.replace(char::is_control, " ");
    let parts: Vec<&str> = text.split('`').collect();
    // Where they don't make pairs of one each, a backtick is a backtick.
    let paired = parts.len() % 2 == 1 && !text.contains("``");
    let mut written = String::with_capacity(text.len());
    for (index, part) in parts.iter().enumerate() {
        let is_code = paired && index % 2 == 1;
        if index > 0 {
            written.push_str(if paired { "`" } else { "\\`" });
        }
        written.push_str(&if is_code { part.replace('|', "\\|") } else { escaped(part) });
    }
    written
}

/// What GitHub makes of a text by itself, mentions and links, is prevented by a comment within.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '@' => escaped.push_str("@<!-- -->"),
            '\\' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '!' => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
    }
    escaped.replace("://", ":<!-- -->//").replace("www.", "www<!-- -->.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_no_markup() {
        for (text, expected) in [
            ("a|b\nc", "a\\|b c"),
            ("@all http://a.b www.c.d", "@<!-- -->all http:<!-- -->//a.b www<!-- -->.c.d"),
            ("<img src=x> & *b* _c_ [d](e)", "&lt;img src=x&gt; &amp; \\*b\\* \\_c\\_ \\[d\\](e)"),
            ("set `a.b[0] | c` to 1", "set `a.b[0] \\| c` to 1"),
            ("one ` alone <b>", "one \\` alone &lt;b&gt;"),
            ("`a` and `b` and `", "\\`a\\` and \\`b\\` and \\`"),
            ("``` a `` <b> `", "\\`\\`\\` a \\`\\` &lt;b&gt; \\`"),
        ] {
            assert_eq!(inline(text), expected);
        }
    }
}
