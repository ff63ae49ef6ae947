//! What is wrong with a policies' tree: all of it at once, each with its place and its remedy.

use std::fmt;

/// One thing that keeps a tree from becoming a bundle.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The file, as named in the tree.
    pub file: String,
    /// 1-based line; 0 where the fault is the whole file's.
    pub line: usize,
    /// 1-based column; 0 where the fault is the whole line's.
    pub column: usize,
    /// What is wrong and, after a semicolon, what to do.
    pub message: String,
    /// The code under which `meshgate lint --explain` says more: `MG101`.
    pub code: Option<&'static str>,
    /// How many characters from the column on it is about; 0 where that is not known.
    pub length: usize,
}

impl Fault {
    /// A fault of a whole file.
    pub fn of_file(file: &str, message: impl Into<String>) -> Self {
        Self::new(file, (0, 0), message)
    }

    /// A fault at a line and a column, both counted from 1.
    pub fn new(file: &str, (line, column): (usize, usize), message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, column, message: message.into(), code: None, length: 0 }
    }

    /// What is wrong, and what to do if the message says it.
    pub fn parts(&self) -> (&str, Option<&str>) {
        match self.message.rsplit_once("; ") {
            Some((problem, remedy)) => (problem, Some(remedy)),
            None => (&self.message, None),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if self.column > 0 {
            write!(f, ":{}", self.column)?;
        }
        match self.code {
            Some(code) => write!(f, ": {code}: {}", self.message),
            None => write!(f, ": {}", self.message),
        }
    }
}

/// Every fault of a tree, in the order of files and lines. Never empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.0.iter().map(Fault::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// The value, or all faults, sorted and each once, where there are any.
    ///
    /// # Errors
    /// The faults, if there is at least one.
    pub fn or<T>(mut faults: Vec<Fault>, value: T) -> Result<T, Self> {
        if faults.is_empty() {
            return Ok(value);
        }
        faults.sort();
        faults.dedup();
        Err(Self(faults))
    }

    /// These and others, sorted and each once.
    #[must_use]
    pub fn and(self, others: Self) -> Self {
        let mut faults: Vec<Fault> = self.0.into_iter().chain(others.0).collect();
        faults.sort();
        faults.dedup();
        Self(faults)
    }

    /// The same faults in other words.
    #[must_use]
    pub fn map(&self, change: impl Fn(&Fault) -> Fault) -> Self {
        Self(self.0.iter().map(change).collect())
    }

    /// The faults.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}
