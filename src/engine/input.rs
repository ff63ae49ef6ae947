//! What a policy reads as `input`, converted once a request and shared by all policies.

use std::collections::{BTreeMap, BTreeSet};

use regorus::Value as Rego;
use serde_json::{Map, Value};

use super::bundle::Bound;
use super::evaluate::EvaluationError;
use super::inventory;
use super::packages;
use crate::context::Fact;
use crate::policy::{DeclaredFact, FactName};

/// The request and the facts, in the interpreter's form. Cheap to share: its values are reference-counted.
pub struct Input {
    request: Rego,
    facts: BTreeMap<DeclaredFact, Result<Rego, String>>,
    exempt: BTreeMap<usize, Rego>,
}

/// The containers that one binding does not see: control to names (`input.exempt`).
pub type Exempt = BTreeMap<String, BTreeSet<String>>;

/// Bindings that can be asked together.
pub(super) struct Alike<'a> {
    /// Their places.
    pub(super) numbers: BTreeSet<usize>,
    exempt: Option<&'a Rego>,
    /// How one of them declares each of [`PARTED`].
    parted: [Option<&'a DeclaredFact>; PARTED.len()],
}

impl Alike<'_> {
    fn fits(&self, other: &Self) -> bool {
        let mut both = self.parted.iter().zip(&other.parted);
        self.exempt == other.exempt
            && both.all(|(own, other)| own.is_none() || other.is_none() || own == other)
    }

    fn add(&mut self, other: Self) {
        self.numbers.extend(other.numbers);
        for (own, other) in self.parted.iter_mut().zip(other.parted) {
            *own = own.or(other);
        }
    }
}

impl Input {
    /// Takes the AdmissionRequest as policies read it, and the facts that are known.
    pub fn new(request: &Value, facts: BTreeMap<DeclaredFact, Fact>) -> Self {
        Self { request: to_rego(request), facts: convert(facts), exempt: BTreeMap::new() }
    }

    /// The same, with what each binding does not see, by its place in [`Bundle::bound`](super::Bundle::bound). Who is not
    /// named sees all.
    #[must_use]
    pub fn exempting(self, exempt: impl Iterator<Item = (usize, Exempt)>) -> Self {
        let exempt = exempt.filter(|(_, exempt)| !exempt.is_empty());
        Self { exempt: exempt.map(|(place, exempt)| (place, names(&exempt))).collect(), ..self }
    }

    /// The same request about another object; what it shares with this one is not converted again.
    #[must_use]
    pub fn with_object(&self, object: &Value, facts: BTreeMap<DeclaredFact, Fact>) -> Self {
        let mut members = self.request.as_object().cloned().unwrap_or_default();
        members.insert(Rego::from("object"), to_rego(object));
        Self { request: Rego::from(members), facts: convert(facts), exempt: BTreeMap::new() }
    }

    /// The first fact that a binding's policy declared and that is not known, but for those that it sees as errors.
    pub(super) fn lacks(&self, bound: &Bound) -> Option<EvaluationError> {
        let why = |declared: &DeclaredFact| {
            let name = declared.name.as_str();
            match self.facts.get(declared) {
                Some(Ok(_)) => None,
                Some(Err(why)) => Some(EvaluationError::Fact { name, why: why.clone() }),
                None => Some(EvaluationError::Fact { name, why: "not gathered".to_owned() }),
            }
        };
        let metadata = &bound.policy.metadata;
        metadata.context.iter().filter(|fact| !metadata.errors.contains(&fact.name)).find_map(why)
    }

    /// The bindings in as few groups as can be asked together. All of a group see the same containers: `input.exempt` is one
    /// for all that are asked together, and a library that reads it doesn't know for whom. And no two of a group declare
    /// the same parted fact in different ways; who declares none of it may be in any group, for it reads none (R25).
    pub(super) fn alike<'a>(&'a self, bindings: impl Iterator<Item = &'a Bound>) -> Vec<Alike<'a>> {
        let mut bindings: Vec<Alike<'a>> = bindings.map(|bound| self.only(bound)).collect();
        bindings.sort_by_key(|one| one.parted.iter().filter(|fact| fact.is_none()).count());
        let mut groups: Vec<Alike<'a>> = Vec::new();
        for one in bindings {
            match groups.iter_mut().find(|group| group.fits(&one)) {
                Some(group) => group.add(one),
                None => groups.push(one),
            }
        }
        groups
    }

    /// A group of one.
    pub(super) fn only<'a>(&'a self, bound: &'a Bound) -> Alike<'a> {
        Alike {
            numbers: BTreeSet::from([bound.number]),
            exempt: self.exempt.get(&bound.number),
            parted: PARTED.map(|name| bound.policy.metadata.context.iter().find(|fact| fact.name == name)),
        }
    }

    /// `input` for those bindings of `group` that are asked. All facts are there, but for those that others declared in
    /// another way, and those that are not known as `{"error": why}`: that a policy reads none but those that it
    /// declared is the gate's matter (R25).
    pub(super) fn of(&self, parameters: &Rego, asked: &[usize], group: &Alike<'_>) -> Rego {
        let is_seen =
            |fact: &DeclaredFact| !PARTED.contains(&fact.name) || group.parted.contains(&Some(fact));
        let seen = self.facts.iter().filter(|(fact, _)| is_seen(fact));
        let shown =
            seen.map(|(fact, value)| (fact.name.as_str(), value.clone().unwrap_or_else(|why| unknown(&why))));
        let mut context: BTreeMap<&str, Rego> = BTreeMap::new();
        for (name, value) in shown {
            match name.split_once('.') {
                None => drop(context.insert(name, value)),
                // `mesh.proposal` is a member of `mesh`.
                Some((group, member)) => {
                    let group = context.entry(group).or_insert_with(Rego::new_object);
                    if let Ok(members) = group.as_object_mut() {
                        members.insert(Rego::from(member), value);
                    }
                }
            }
        }
        let context = context.into_iter().map(|(name, value)| (Rego::from(name), value));
        let ask = asked.iter().map(|number| (Rego::from(packages::member(*number)), Rego::from(true)));
        Rego::from(BTreeMap::from([
            (Rego::from("request"), self.request.clone()),
            (Rego::from(packages::PARAMETERS), parameters.clone()),
            (Rego::from("context"), Rego::from(context.collect::<BTreeMap<_, _>>())),
            (Rego::from("exempt"), group.exempt.cloned().unwrap_or_else(Rego::new_object)),
            (Rego::from("ask"), Rego::from(ask.collect::<BTreeMap<_, _>>())),
        ]))
    }
}

/// What a policy sees of a fact that could not be learnt.
fn unknown(why: &str) -> Rego {
    Rego::from(BTreeMap::from([(Rego::from("error"), Rego::from(why))]))
}

fn names(exempt: &Exempt) -> Rego {
    let list =
        |names: &BTreeSet<String>| names.iter().map(|name| Rego::from(name.as_str())).collect::<Vec<_>>();
    let members =
        exempt.iter().map(|(control, names)| (Rego::from(control.as_str()), Rego::from(list(names))));
    Rego::from(members.collect::<BTreeMap<_, _>>())
}

/// The facts of which policies that declare them differently see different ones.
const PARTED: [FactName; 2] = [FactName::Inventory, FactName::Images];

fn convert(facts: BTreeMap<DeclaredFact, Fact>) -> BTreeMap<DeclaredFact, Result<Rego, String>> {
    let one = |(name, fact)| match fact {
        Fact::Known(value) => (name, Ok(to_rego(&value))),
        Fact::Inventory(objects) => (name, Ok(inventory::to_rego(&objects))),
        Fact::Unknown(why) => (name, Err(why)),
    };
    facts.into_iter().map(one).collect()
}

/// JSON as the interpreter holds it. Our own conversion, so that no feature of another crate in the build can
/// change what a policy sees (the interpreter's goes through serde, where `serde_json/arbitrary_precision` turns
/// objects with a certain key into numbers). Depth is bounded by whoever read the JSON.
pub(super) fn to_rego(value: &Value) -> Rego {
    match value {
        Value::Null => Rego::Null,
        Value::Bool(bool) => Rego::from(*bool),
        Value::String(text) => Rego::from(text.as_str()),
        Value::Array(items) => Rego::from(items.iter().map(to_rego).collect::<Vec<_>>()),
        Value::Object(members) => object(members),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(integer), ..) => Rego::from(integer),
            (_, Some(integer), _) => Rego::from(integer),
            // All digits that whoever wrote it as JSON gave, where a double is so large that it has others; and an integer
            // also where it was written as `1.0`: the API server writes 1.
            (.., Some(float)) if float.fract() == 0.0 => {
                Rego::from_numeric_string(&format!("{float}")).unwrap_or(Rego::Undefined)
            }
            (.., Some(float)) => Rego::from(float),
            // serde_json without arbitrary_precision holds one of the three.
            _ => Rego::Undefined,
        },
    }
}

fn object(members: &Map<String, Value>) -> Rego {
    Rego::from(
        members
            .iter()
            .map(|(key, value)| (Rego::from(key.as_str()), to_rego(value)))
            .collect::<BTreeMap<_, _>>(),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine::compile;
    use crate::policy::{Draft, Tree};

    #[test]
    fn json_keeps_its_meaning() {
        let value = json!({
            "null": null, "bool": true, "text": "ü", "integers": [0, -1, i64::MIN, i64::MAX, u64::MAX],
            "floats": [0.5, -1.25e300], "empty": [{}, [], ""]
        });
        assert_eq!(serde_json::to_value(to_rego(&value)).unwrap(), value);
    }

    /// A policy that says which images and how many objects of the inventory it sees.
    fn policy(name: &str, context: &str) -> (String, String) {
        let rules = "[{apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}]";
        let text = format!(
            "# METADATA\n# title: t\n# description: d\n# custom:\n#   context: {context}\n#   match: {{rules: {rules}}}\npackage policies.x.{name}\n\ndeny contains \"{name}\" if input.request.uid\n"
        );
        (format!("x/{name}/{name}.rego"), text)
    }

    #[test]
    fn whoever_can_be_asked_together_is_and_nobody_sees_what_another_declared() {
        let mut tree = Tree::default();
        let declared = [
            ("none", "{}"),
            ("all", "{images: {partial: true}}"),
            ("few", "{images: {partial: true, authorities: []}}"),
            ("pods", "{inventory: {kinds: [v1/Pod]}}"),
            ("both", "{images: {partial: true, authorities: []}, inventory: {kinds: [v1/Node]}}"),
        ];
        for (name, context) in declared {
            let (path, text) = policy(name, context);
            tree.insert(&path, text);
            let binding = format!(
                "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {{name: {name}}}\nspec: {{policy: x/{name}, enforcement: deny}}\n"
            );
            tree.insert(format!("{name}.yaml"), binding);
        }
        let draft = Draft::read(&tree, &Tree::default());
        let bundle = compile(draft).unwrap_or_else(|faults| panic!("{faults}"));
        let names = |exempted: &[&str]| -> Vec<BTreeSet<String>> {
            let name = |number: &usize| bundle.bound[*number].binding.name.clone();
            let exempt = Exempt::from([("x".to_owned(), BTreeSet::from(["app".to_owned()]))]);
            let is_exempted = |one: &&Bound| exempted.contains(&one.binding.name.as_str());
            let exempt = bundle.bound.iter().filter(is_exempted).map(|one| (one.number, exempt.clone()));
            let input = Input::new(&Value::Null, BTreeMap::new()).exempting(exempt);
            let groups = input.alike(bundle.bound.iter());
            groups.iter().map(|group| group.numbers.iter().map(name).collect()).collect()
        };
        let sets = |groups: &[&[&str]]| -> Vec<BTreeSet<String>> {
            groups.iter().map(|group| group.iter().map(|name| (*name).to_owned()).collect()).collect()
        };
        assert_eq!(names(&[]), sets(&[&["both", "few", "none"], &["all", "pods"]]));
        assert_eq!(names(&["none", "few"]), sets(&[&["both"], &["all", "pods"], &["few", "none"]]));
    }

    #[test]
    fn an_object_with_a_private_key_of_serde_json_stays_an_object() {
        // docs/adr/0001-engine.md: a crate of the build that turns on arbitrary_precision must not change this.
        let value = json!({ "$serde_json::private::Number": "7" });
        assert!(to_rego(&value).as_object().is_ok());
    }
}
