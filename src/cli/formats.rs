//! The formats of a report.

use anyhow::bail;
use clap::ValueEnum;

use crate::report::{self, FailOn, Report};
use crate::yaml;

/// How what is no report is written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum TextOrJson {
    /// For people
    Text,
    /// For programs
    Json,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    Text,
    /// A row a document
    Table,
    /// For programs
    Json,
    /// The same as YAML
    Yaml,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// JUnit XML, for build servers
    Junit,
    /// Annotations of a GitHub Actions run
    Github,
    /// For the comment of a pull request
    Markdown,
    #[value(hide = true)]
    Gitlab,
    #[value(hide = true)]
    Tap,
}

impl Format {
    /// Whether this release has it.
    ///
    /// # Errors
    /// It has not.
    pub(super) fn built(self) -> anyhow::Result<()> {
        let name = match self {
            Self::Gitlab => "gitlab",
            Self::Tap => "tap",
            _ => return Ok(()),
        };
        bail!("--format {name}: not in this release; for a build server there are junit, sarif and json");
    }

    /// The report in this format; for people without excerpts and colours.
    pub(super) fn written(self, report: &Report, fail_on: FailOn) -> anyhow::Result<String> {
        Ok(match self {
            Self::Text => report::text(report),
            Self::Table => report::table(report),
            Self::Json => format!("{}\n", serde_json::to_string_pretty(report)?),
            Self::Yaml => yaml::write(&serde_json::to_value(report)?),
            Self::Sarif => format!("{}\n", serde_json::to_string_pretty(&report::sarif(report))?),
            Self::Junit => report::junit(report, fail_on),
            Self::Github => report::github(report),
            Self::Markdown => report::markdown(report),
            Self::Gitlab | Self::Tap => return self.built().map(|()| String::new()),
        })
    }
}
