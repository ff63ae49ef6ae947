//! Finds the package's `# METADATA` block in Rego text (OPA's annotations: YAML in comments).

use crate::yaml;

/// The YAML of the block above `package`, and where its lines stand in the file.
pub(super) struct Block {
    pub(super) document: yaml::Document,
    /// The line of the file that holds the block's first line of YAML.
    first_line: usize,
}

impl Block {
    /// Line and column in the Rego file of a JSON pointer into the block.
    pub(super) fn position(&self, pointer: &str) -> (usize, usize) {
        let position = self.document.position(pointer);
        // The `#` was taken away from each line: one column.
        let line = self.first_line.saturating_add(position.line).saturating_sub(1);
        (line, position.column.saturating_add(1))
    }
}

/// The package's name, its line, and its annotations. Errors carry the line.
pub(super) struct Header {
    pub(super) package: String,
    pub(super) package_line: usize,
    pub(super) block: Option<Block>,
}

/// Reads what stands above and in the `package` statement.
pub(super) fn header(text: &str) -> Result<Header, (usize, String)> {
    let mut yaml_lines: Vec<&str> = Vec::new();
    let mut block_start = None;
    for (index, line) in text.lines().enumerate() {
        let number = index.saturating_add(1);
        let line = line.trim_start_matches('\u{feff}').trim_end();
        if let Some(comment) = line.strip_prefix('#') {
            if comment.trim() == "METADATA" {
                block_start = Some(number.saturating_add(1));
                yaml_lines.clear();
            } else if block_start.is_some() {
                yaml_lines.push(comment);
            }
        } else if let Some(name) = line.strip_prefix("package ") {
            let package = name.split('#').next().unwrap_or_default().trim().to_owned();
            let block = block_start.map(|start| read_block(&yaml_lines, start)).transpose()?;
            return Ok(Header { package, package_line: number, block });
        } else if !line.is_empty() {
            return Err((number, "expected `package …` as the first statement".to_owned()));
        }
    }
    Err((0, "no `package` statement; a Rego file begins with one".to_owned()))
}

fn read_block(lines: &[&str], first_line: usize) -> Result<Block, (usize, String)> {
    let mut documents = yaml::read(lines.join("\n").as_bytes()).into_iter();
    match (documents.next(), documents.next()) {
        (Some(Ok(document)), None) => Ok(Block { document, first_line }),
        (Some(Err(fault)), _) => {
            // What is not closed is noticed behind the last line.
            let line = fault.position.line.min(lines.len()).saturating_sub(1);
            Err((first_line.saturating_add(line), format!("METADATA: {fault}")))
        }
        _ => Err((
            first_line,
            "METADATA is not one YAML mapping; write `# title: …` and so on below it".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_block_above_the_package_and_its_lines() {
        let text = "# Copyright\n\n# METADATA\n# title: A\n# custom:\n#   severity: high\npackage policies.a.b # why\n";
        let header = header(text).unwrap_or_else(|(line, text)| panic!("{line}: {text}"));
        assert_eq!((header.package.as_str(), header.package_line), ("policies.a.b", 7));
        let block = header.block.unwrap();
        assert_eq!(block.document.value["title"], "A");
        assert_eq!(block.position("/custom/severity"), (6, 5));
    }

    #[test]
    fn faults_have_lines_of_the_file() {
        assert_eq!(header("\nallow := true\npackage a").err().unwrap().0, 2);
        assert_eq!(header("# METADATA\n# title: 'a\npackage a").err().unwrap().0, 2);
        assert!(header("# only a comment\n").is_err());
    }
}
