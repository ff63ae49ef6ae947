//! Rego as written: a module's text, tokens and tree, with what the interpreter's parser leaves out or gets
//! wrong about places. Read by the gate and by the normaliser; nothing here judges or changes anything.

mod edits;
mod modern;
mod names;
mod places;
mod scopes;
mod tokens;
mod walk;

use std::num::NonZeroU32;
use std::ops::Range;

pub(in crate::engine) use edits::Edits;
pub(in crate::engine) use modern::{keyword, translated};
pub(in crate::engine) use names::{head_reference, path};
pub(in crate::engine) use places::place;
use regorus::PolicyLengthConfig;
pub(in crate::engine) use regorus::unstable::{
    ArithOp, AssignOp, BinOp, BoolOp, Expr, Literal, LiteralStmt, Module as Tree, Query, Ref, Rule,
    RuleAssign, RuleBody, RuleHead, Span, WithModifier,
};
use regorus::unstable::{Parser, Source};
pub(in crate::engine) use scopes::{Globals, Scopes};
pub(in crate::engine) use tokens::{Token, TokenKind, Tokens};
pub(in crate::engine) use walk::{Descend, Visit, children, walk_module};

use super::interpreter_error::fault;
use crate::policy::{Fault, Module};

/// The dialect that a module without `import rego.v1` is read in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegoVersion {
    /// Before OPA 1.0: no `if`, `contains`, `in`, `every` unless imported.
    V0,
    /// Since OPA 1.0.
    V1,
}

/// A module as parsed.
pub(in crate::engine) struct Parsed {
    /// Its path and text.
    pub(in crate::engine) module: Module,
    /// The interpreter's tree. Its spans are not all right: ask [`Parsed::range`].
    pub(in crate::engine) tree: Tree,
    /// Its tokens, without comments.
    pub(in crate::engine) tokens: Tokens,
}

impl Parsed {
    /// Parses a module.
    ///
    /// # Errors
    /// The first thing that the parser stumbles over.
    pub(in crate::engine) fn parse(module: Module, version: RegoVersion) -> Result<Self, Fault> {
        let limits = limits();
        let wrong = |error: anyhow::Error| fault(&module.path, &error);
        let (path, text) = (module.path.clone(), module.text.clone());
        let source = Source::from_contents_with_limits(path, text, limits.max_file_bytes, limits.max_lines)
            .map_err(wrong)?;
        let tokens = Tokens::read(&source, limits.max_col).map_err(wrong)?;
        let mut parser = Parser::new(&source).map_err(wrong)?;
        parser.set_max_col(limits.max_col);
        if version == RegoVersion::V1 {
            parser.enable_rego_v1().map_err(wrong)?;
        }
        let tree = parser.parse().map_err(wrong)?;
        Ok(Self { module, tree, tokens })
    }

    /// The text of a range; empty if there is no such range.
    pub(in crate::engine) fn text(&self, range: Range<usize>) -> &str {
        self.module.text.get(range).unwrap_or_default()
    }

    /// A fault at a place of the text.
    pub(in crate::engine) fn fault(&self, offset: usize, message: impl Into<String>) -> Fault {
        Fault::new(&self.module.path, place(&self.module.text, offset), message)
    }
}

/// The interpreter's defaults refuse files that people write (1,024 columns); these refuse only what nobody does.
pub(in crate::engine) fn limits() -> PolicyLengthConfig {
    let mut limits = PolicyLengthConfig::default();
    limits.max_col = NonZeroU32::new(8 * 1024).unwrap_or(limits.max_col);
    limits.max_file_bytes = std::num::NonZeroUsize::new(8 * 1024 * 1024).unwrap_or(limits.max_file_bytes);
    limits.max_lines = std::num::NonZeroUsize::new(200_000).unwrap_or(limits.max_lines);
    limits
}
