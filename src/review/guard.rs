//! Step 5: whether a mutation gave a Pod powers that it did not have (R15). Called by `mutate` with the object as it came,
//! as it is now, and the changes between; denies whatever failurePolicy and enforcement say.

mod fields;
mod pod;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::decision::Finding;
use super::fold::Step;
use super::mesh;
use crate::admission::Request;
use crate::kubernetes::containers::LISTS;
use crate::kubernetes::pod_template::PodTemplates;
use crate::mesh::RenderedContainer;
use crate::policy::GuardedField;
use fields::Powers;
use pod::Pod;

/// What of a Pod a power belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Pod,
    Container(String),
    Volume(String),
}

/// A guarded field as an object has it.
struct Guarded {
    /// As Kubernetes writes paths.
    path: String,
    /// What stands there.
    shown: String,
    powers: Powers,
}

type Table = BTreeMap<(GuardedField, Place), Guarded>;

/// A power that came.
struct Increase {
    field: GuardedField,
    place: Place,
    path: String,
    from: String,
    to: String,
    powers: BTreeSet<String>,
}

/// What no policy that did it is allowed to: one finding for each field, of the binding that raised it last.
/// What is `rendered` is the mesh's, with the volumes that nothing else mounts.
pub(super) fn findings(
    templates: &PodTemplates,
    request: &Request,
    after: &Value,
    steps: &[Step<'_>],
    rendered: &[RenderedContainer],
) -> Vec<Finding> {
    let Some(before) = request.object().filter(|before| *before != after) else { return Vec::new() };
    match increases(templates, request, before, after) {
        Ok(increases) => {
            let own = sidecar(before, after, rendered);
            let is_new = |one: &&Increase| one.field == GuardedField::Containers;
            let new: BTreeSet<&Place> = increases.iter().filter(is_new).map(|one| &one.place).collect();
            // Who may bring a container brings its image.
            let comes_along = |one: &Increase| one.field == GuardedField::Images && new.contains(&one.place);
            let others =
                increases.iter().filter(|one| !own.contains(&one.place)).filter(|one| !comes_along(one));
            others.flat_map(|one| of_increase(one, templates, request, steps)).collect()
        }
        Err(why) => {
            let text = format!("what its change adds to a Pod's privileges can't be told: {why}");
            steps.iter().map(|step| Finding::guarded(&step.by, text.clone(), None)).collect()
        }
    }
}

/// The places of a sidecar in a Pod: its containers, as far as they are still what was rendered, and the volumes that came
/// with them and that they alone mount.
fn sidecar(before: &Value, after: &Value, rendered: &[RenderedContainer]) -> BTreeSet<Place> {
    let names = mesh::recognise(rendered, after, |_| None).names;
    let name = |item: &Value| item.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let (mut own, mut others) = (BTreeSet::new(), BTreeSet::new());
    for container in LISTS.iter().flat_map(|list| pod::list(after, list)) {
        let mounts =
            ["volumeMounts", "volumeDevices"].into_iter().filter_map(|list| container.get(list)?.as_array());
        let volumes = mounts.flatten().map(name);
        if names.contains(&name(container)) { own.extend(volumes) } else { others.extend(volumes) }
    }
    others.extend(pod::list(before, "volumes").iter().map(name));
    let volumes = own.difference(&others).cloned().map(Place::Volume);
    names.into_iter().map(Place::Container).chain(volumes).collect()
}

fn of_increase(
    increase: &Increase,
    templates: &PodTemplates,
    request: &Request,
    steps: &[Step<'_>],
) -> Vec<Finding> {
    let mut culprits: BTreeMap<usize, &Step<'_>> = BTreeMap::new();
    for power in &increase.powers {
        // What a later step raised again is its own. A power that nobody brought alone is the last one's.
        let brought = steps.iter().rposition(|step| brings(step, templates, request, increase, power));
        let number = brought.unwrap_or(steps.len().saturating_sub(1));
        culprits.extend(steps.get(number).map(|step| (number, step)));
    }
    let may = |step: &&Step<'_>| step.by.bound.policy.metadata.may_change.contains(&increase.field);
    let finding = |step: &Step<'_>| {
        let Increase { field, place, path, from, to, .. } = increase;
        let whose = match place {
            Place::Pod => String::new(),
            Place::Container(name) => format!(" of the container \"{name}\""),
            Place::Volume(name) => format!(" of the volume \"{name}\""),
        };
        let word = field.as_str();
        let text = format!(
            "its change raises `{path}`{whose} from {from} to {to}, which only a policy may do whose METADATA names `{word}` in `mayChange`"
        );
        Finding::guarded(&step.by, text, Some(path.clone()))
    };
    culprits.into_values().filter(|step| !may(step)).map(finding).collect()
}

fn brings(
    step: &Step<'_>,
    templates: &PodTemplates,
    request: &Request,
    increase: &Increase,
    power: &str,
) -> bool {
    let is_it = |one: &Increase| {
        (one.field, &one.place) == (increase.field, &increase.place) && one.powers.contains(power)
    };
    // What can't be compared may have brought anything.
    increases(templates, request, &step.before, &step.after).map_or(true, |all| all.iter().any(is_it))
}

fn increases(
    templates: &PodTemplates,
    request: &Request,
    before: &Value,
    after: &Value,
) -> Result<Vec<Increase>, String> {
    let (before, after) = match (table(templates, request, before), table(templates, request, after)) {
        // No Pod where one must be, before and after: an API server refuses the object, and no change brought anything.
        (Err(then), Err(now)) if then == now => return Ok(Vec::new()),
        (before, after) => (before?, after?),
    };
    let raised = |((field, place), now): ((GuardedField, Place), Guarded)| {
        let then = before.get(&(field, place.clone()));
        let powers = fields::beyond(&now.powers, then.map(|then| &then.powers));
        let from = then.map_or_else(|| "nothing".to_owned(), |then| then.shown.clone());
        let increase = Increase { field, place, path: now.path, from, to: now.shown, powers };
        (!increase.powers.is_empty()).then_some(increase)
    };
    Ok(after.into_iter().filter_map(raised).collect())
}

/// All guarded fields of the Pod that an object is or makes; none where it is or makes none.
fn table(templates: &PodTemplates, request: &Request, object: &Value) -> Result<Table, String> {
    let kind = request.kind();
    let Some(pod) = Pod::find(templates, &kind.group, &kind.kind, object)? else { return Ok(Table::new()) };
    let mut table = Table::new();
    for (container, path) in &pod.containers {
        let name = container.get("name").and_then(Value::as_str).unwrap_or_default();
        for row in fields::OF_CONTAINERS {
            add(&mut table, row.field, Place::Container(name.to_owned()), row.of(pod.spec, container, path));
        }
        let mounts = pod.mounts(container, path);
        add(&mut table, GuardedField::Volumes, Place::Container(name.to_owned()), mounts);
    }
    for row in fields::OF_PODS {
        add(&mut table, row.field, Place::Pod, row.of(pod.spec, &Value::Null, &pod.path));
    }
    add(&mut table, GuardedField::AppArmorProfile, Place::Pod, pod.app_armor_annotations());
    for (volume, path) in &pod.volumes {
        let name = volume.get("name").and_then(Value::as_str).unwrap_or_default();
        for row in fields::OF_VOLUMES {
            add(&mut table, row.field, Place::Volume(name.to_owned()), row.of(&Value::Null, volume, path));
        }
    }
    Ok(table)
}

/// Adds a field. Nobody may have refused yet what has a name twice: it has the powers of both.
fn add(table: &mut Table, field: GuardedField, place: Place, guarded: Guarded) {
    match table.entry((field, place)) {
        Entry::Vacant(vacant) => drop(vacant.insert(guarded)),
        Entry::Occupied(mut there) => there.get_mut().powers.extend(guarded.powers),
    }
}

/// A value as a message shows it.
fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), Value::to_string)
}
