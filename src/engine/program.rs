//! The one door to the interpreter: whatever Rego is evaluated, for whatever reason, was loaded here.
//!
//! limits → parse → gate → normalise → builtins → prepared. A program that loads means what it means in OPA, or
//! it does not load.

use std::collections::{BTreeSet, HashSet};
use std::num::{NonZeroU32, NonZeroUsize};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use regorus::coverage::Report;
use regorus::utils::limits::ExecutionTimerConfig;
use regorus::{Engine, PolicyLengthConfig, Value as Rego};
use serde_json::Value;

use super::builtins::BuiltinErrors;
use super::builtins::doubles::{self, Doubles};
use super::builtins::spelling::{self, Spellings};
use super::document::Document;
use super::input::to_rego;
use super::interpreter_error::{fault, one_line};
use super::syntax::{self, Descend, Expr, Parsed, Ref, RegoVersion, Scopes, Visit, walk_module};
use super::{builtins, conflicts, evaluate::EvaluationError, gate, normalise, output_json, query};
use crate::admission::GroupVersionKind;
use crate::policy::{DeclaredFact, FactName, Fault, Faults, Module, Policy};

/// How long one evaluation may take that no request waits for: of a test, of `eval`, of an explanation. As long as
/// `opa test` gives a test (`--timeout`). Those of requests have their own (`allowance`).
const BUDGET: Duration = Duration::from_secs(5);
/// Work units between looks at the clock; costs nothing measurable and stops within 20 ms of the limit.
const CHECK_INTERVAL: NonZeroU32 = NonZeroU32::MIN.saturating_add(127);

/// Which rules of the gate hold beside those of the language.
#[derive(Clone, Debug)]
pub enum Contract {
    /// None: any Rego.
    None,
    /// That of our own policies: what they may read of `input`, and which rules they have. The modules that are not
    /// named here are libraries.
    Policies(Vec<Promise>),
}

/// What a policy's METADATA says of its module.
#[derive(Clone, Debug)]
pub struct Promise {
    /// The module's path.
    pub path: String,
    /// The facts that it declares.
    pub context: BTreeSet<DeclaredFact>,
    /// The schema of its parameters.
    pub parameters: Value,
}

impl Promise {
    /// That of a policy.
    pub fn of(policy: &Policy) -> Self {
        let Policy { metadata, module, .. } = policy;
        let parameters = metadata.parameters.schema().clone();
        Self { path: module.path.clone(), context: metadata.context.clone(), parameters }
    }

    /// The kinds of the inventory, where it is declared.
    pub(super) fn inventory(&self) -> Option<&BTreeSet<GroupVersionKind>> {
        self.context.iter().find(|fact| fact.name == FactName::Inventory).map(|fact| &fact.kinds)
    }

    /// Whether the fact is declared, whatever of it.
    pub(super) fn declares(&self, fact: FactName) -> bool {
        self.context.iter().any(|declared| declared.name == fact)
    }
}

/// How modules are loaded.
#[derive(Clone, Debug)]
pub struct ProgramSettings {
    /// The dialect of modules that don't say.
    pub version: RegoVersion,
    /// Whether an error of a builtin is an error of the evaluation (ours) or makes the expression undefined (OPA's
    /// default, and so that of imported policies).
    pub strict_builtin_errors: bool,
    /// Base documents.
    pub data: Value,
    /// The same with all digits of its numbers, as they are written, where it was read as a text.
    pub exact_data: Option<Document>,
    /// Which rules hold.
    pub contract: Contract,
}

impl Default for ProgramSettings {
    fn default() -> Self {
        let data = Value::Object(serde_json::Map::new());
        Self {
            version: RegoVersion::V1,
            strict_builtin_errors: false,
            data,
            exact_data: None,
            contract: Contract::None,
        }
    }
}

/// Modules ready to evaluate. Cloning is cheap: what was loaded is shared.
#[derive(Clone)]
pub struct Program {
    engine: Engine,
    /// Whether rules have names and no paths (`p.q := 1`). Only a query, which is read and compiled each time, makes the
    /// objects that paths lead through.
    is_plain: bool,
    /// Those of its literals and of its data.
    doubles: Arc<Doubles>,
    /// How these are written.
    spellings: Arc<Spellings>,
    /// Whether a body of a function can have a value where another one ends in a conflict, and the interpreter takes it.
    hides_conflicts: bool,
}

impl Program {
    /// Loads modules.
    ///
    /// # Errors
    /// Everything that is wrong with any of them.
    pub fn load(modules: &[Module], settings: &ProgramSettings) -> Result<Self, Faults> {
        let mut faults = Vec::new();
        let parsed = judged(modules, settings, &mut faults);
        Faults::or(faults, ())?;
        Self::of(&parsed, settings)
    }

    /// Makes modules that passed the gate ready.
    pub(super) fn of(parsed: &[Parsed], settings: &ProgramSettings) -> Result<Self, Faults> {
        let data = settings.exact_data.clone().unwrap_or_else(|| Document::from(&settings.data));
        let mut literals = Literals::default();
        parsed.iter().for_each(|module| walk_module(&module.tree, &mut literals));
        let Literals(mut doubles, mut spellings) = literals;
        doubles.add(&data.value);
        data.spellings.iter().for_each(|of_data| spellings.extend(of_data));
        let engine = prepare(parsed, settings, data.value, &mut spellings)
            .map_err(|faults| gate::unprepared(&faults))?;
        let mut rules = parsed.iter().flat_map(|module| &module.tree.policy);
        let is_plain = rules.all(|rule| matches!(syntax::head_reference(rule), Expr::Var { .. }));
        let hides_conflicts = !settings.strict_builtin_errors && conflicts::can_be_hidden(parsed);
        let (doubles, spellings) = (Arc::new(doubles), Arc::new(spellings));
        Ok(Self { engine, is_plain, doubles, spellings, hides_conflicts })
    }

    /// The value of a rule or a document, `data.…`; None if it is undefined.
    ///
    /// # Errors
    /// Why there is no value.
    pub fn evaluate(&self, query: &str, input: Option<&Value>) -> Result<Option<Value>, EvaluationError> {
        output_json::value(&self.ask(query, input)?)
    }

    /// The same as a JSON text, in which numbers have all their digits.
    ///
    /// # Errors
    /// Why there is no value.
    pub fn evaluate_text(
        &self,
        query: &str,
        input: Option<&Document>,
    ) -> Result<Option<String>, EvaluationError> {
        let spellings = input.and_then(|input| input.spellings.as_ref());
        let input = input.map_or(Rego::Undefined, |input| input.value.clone());
        let value = self.run(&mut self.engine.clone(), query::path(query)?, input, spellings)?;
        output_json::within_bounds(&value)?;
        output_json::exact(&value)
    }

    /// The same within a time of its own, as where a request waits.
    ///
    /// # Errors
    /// Why there is no value; also that it took too long.
    pub fn evaluate_in(
        &self,
        query: &str,
        input: &Value,
        budget: Duration,
    ) -> Result<Option<Value>, EvaluationError> {
        let mut engine = self.limited(budget);
        output_json::value(&self.run(&mut engine, query::path(query)?, to_rego(input), None)?)
    }

    /// The value of a rule for an input that is converted already, within a time of its own.
    pub(super) fn evaluate_within(
        &self,
        rule: &str,
        input: Rego,
        budget: Duration,
    ) -> Result<Option<Value>, EvaluationError> {
        let mut engine = self.limited(budget);
        if !self.is_plain {
            return output_json::value(&self.run(&mut engine, rule.to_owned(), input, None)?);
        }
        engine.set_input(input.clone());
        let evaluate = || {
            self.begin(input, None);
            engine.eval_rule(rule.to_owned())
        };
        output_json::value(&outcome(builtins::within(evaluate))?)
    }

    /// The same as the interpreter has it, sets as sets.
    pub(super) fn ask(&self, query: &str, input: Option<&Value>) -> Result<Rego, EvaluationError> {
        let input = input.map_or(Rego::Undefined, to_rego);
        self.run(&mut self.engine.clone(), query::path(query)?, input, None)
    }

    /// The same for an input that is converted already, and which lines were reached.
    pub(super) fn ask_covering(&self, query: &str, input: Rego) -> (Result<Rego, EvaluationError>, Report) {
        let mut engine = self.engine.clone();
        engine.set_enable_coverage(true);
        let answer = query::path(query).and_then(|path| self.run(&mut engine, path, input, None));
        (answer, engine.get_coverage_report().unwrap_or_default())
    }

    fn limited(&self, limit: Duration) -> Engine {
        let mut engine = self.engine.clone();
        engine.set_execution_timer_config(ExecutionTimerConfig { limit, check_interval: CHECK_INTERVAL });
        engine
    }

    fn run(
        &self,
        engine: &mut Engine,
        query: String,
        input: Rego,
        spellings: Option<&Arc<Spellings>>,
    ) -> Result<Rego, EvaluationError> {
        engine.set_input(input.clone());
        if self.hides_conflicts {
            conflicts::look(&mut engine.clone(), &query, || self.begin(input.clone(), spellings))?;
        }
        let evaluate = || {
            self.begin(input, spellings);
            engine.eval_query(query, false)
        };
        let results = outcome(builtins::within(evaluate))?;
        let value = results.result.first().and_then(|result| result.expressions.first());
        Ok(value.map_or(Rego::Undefined, |expression| expression.value.clone()))
    }
}

impl Program {
    /// What the builtins have to know of an evaluation.
    fn begin(&self, input: Rego, spellings: Option<&Arc<Spellings>>) {
        doubles::begin(&self.doubles, input);
        spelling::begin(&self.spellings, spellings);
    }
}

/// Finds the doubles among the literals, and how numbers with a fraction are written.
#[derive(Default)]
struct Literals(Doubles, Spellings);

impl Visit for Literals {
    fn expression(&mut self, expr: &Ref<Expr>, _scopes: &Scopes) -> Descend {
        if let Expr::Number { value, span, .. } = &**expr {
            self.0.add(value);
            // A minus may stand before it.
            let double = span.text().parse().ok().filter(|double: &f64| double.fract() != 0.0);
            if let Some(double) = double {
                self.1.add_fraction(double, span.text());
                self.1.add_fraction(-double, &format!("-{}", span.text()));
            }
        }
        Descend::Into
    }
}

/// What came of an evaluation, or what was too much.
fn outcome<T>(result: Result<anyhow::Result<T>, String>) -> Result<T, EvaluationError> {
    result.map_err(EvaluationError::Policy)?.map_err(|error| EvaluationError::Policy(one_line(&error)))
}

/// Parses modules and puts them through the gate.
pub(super) fn judged(modules: &[Module], settings: &ProgramSettings, faults: &mut Vec<Fault>) -> Vec<Parsed> {
    let parsed = parse(modules, settings, faults);
    gate::judge(&parsed, settings, faults);
    parsed
}

fn parse(modules: &[Module], settings: &ProgramSettings, faults: &mut Vec<Fault>) -> Vec<Parsed> {
    let mut parsed = Vec::new();
    for module in modules {
        let before = faults.len();
        let module = syntax::translated(module.clone());
        gate::before_parsing(&module, faults);
        if faults.len() > before {
            continue;
        }
        match Parsed::parse(module, settings.version) {
            Ok(module) => parsed.push(module),
            Err(fault) => faults.push(gate::unparsed(fault)),
        }
    }
    parsed
}

/// Makes the engine; adds to the spellings those that are lost.
fn prepare(
    parsed: &[Parsed],
    settings: &ProgramSettings,
    data: Rego,
    spellings: &mut Spellings,
) -> Result<Engine, Faults> {
    let mut engine = Engine::new();
    // The author's text was within the limits; what the normaliser adds to a line may be more.
    engine.set_policy_length_config(PolicyLengthConfig {
        max_col: NonZeroU32::MAX,
        max_file_bytes: NonZeroUsize::MAX,
        max_lines: NonZeroUsize::MAX,
    });
    engine.set_strict_builtin_errors(settings.strict_builtin_errors);
    let mut faults = Vec::new();
    let mut modules: Vec<Module> = Vec::new();
    let whole = Rc::new(normalise::Whole::of(parsed, &settings.data));
    for module in parsed {
        let mut normalised = normalise::normalise(module, parsed, &whole);
        modules.append(&mut normalised.modules);
        normalised.lost.iter().for_each(|number| spellings.lose(number));
    }
    for Module { path, text } in &modules {
        if let Err(error) = engine.add_policy(path.clone(), text.clone()) {
            faults.push(fault(path, &error));
        }
    }
    Faults::or(faults, ())?;
    let of_all = |error: anyhow::Error| Faults::from(fault("the modules", &error));
    engine.add_data(data).map_err(of_all)?;
    let errors =
        if settings.strict_builtin_errors { BuiltinErrors::Strict } else { BuiltinErrors::Undefined };
    // Not a BTreeSet: that collects all of them before it knows that most are the same.
    let words: HashSet<&str> = modules.iter().flat_map(|module| words(&module.text)).collect();
    builtins::register(&mut engine, errors, |name| words.contains(name)).map_err(of_all)?;
    if words.contains(whole.spelled.as_str()) {
        builtins::register_spelled(&mut engine, &whole.spelled).map_err(of_all)?;
    }
    warm(&mut engine).map_err(of_all)?;
    Ok(engine)
}

/// The words of a text, paths with dots in one: among them are the builtins that it calls, or names in a `with`.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_' && letter != '.')
}

/// Makes the engine ready, so that no request pays for it, and every clone of it is within the budget.
fn warm(engine: &mut Engine) -> Result<(), anyhow::Error> {
    engine.set_execution_timer_config(ExecutionTimerConfig { limit: BUDGET, check_interval: CHECK_INTERVAL });
    engine.eval_query("true".to_owned(), false).map(drop)
}
