//! What a module may not say: rules on its tokens and its tree, each with its place and its remedy.

use super::program::ProgramSettings;
use super::syntax::Parsed;
use crate::policy::{Fault, Module};

/// Judges a text before it is parsed: sizes, and depths that would cost the parser too much.
pub(super) fn before_parsing(_module: &Module, _faults: &mut Vec<Fault>) {}

/// Judges all modules of a program together.
pub(super) fn judge(_modules: &[Parsed], _settings: &ProgramSettings, _faults: &mut Vec<Fault>) {}
