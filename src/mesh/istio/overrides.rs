//! A user's own containers of the mesh's names, merged over the mesh's: steps 7 and 8 of an injection.

use serde_json::{Value, json};

use super::json;
use super::merge::merge;
use super::pod::{self, INIT, OVERRIDES, PROXY, STATUS, VALIDATION};

/// The annotation that keeps them; an empty object where there is none.
///
/// # Errors
/// That it is no JSON.
pub(super) fn read(original: &Value) -> Result<Value, String> {
    match pod::annotation(original, OVERRIDES) {
        None => Ok(json!({})),
        Some(text) => serde_json::from_str::<Value>(text)
            .ok()
            .filter(Value::is_object)
            .ok_or_else(|| format!("annotation {OVERRIDES} is no JSON object of containers")),
    }
}

/// Merges them over what the templates gave, and writes them down.
///
/// # Errors
/// As [`read`], or that the merge fails.
pub(super) fn apply(merged: &mut Value, template_pod: &Value, original: &Value) -> Result<(), String> {
    let kept = read(original)?;
    let status =
        pod::annotation(original, STATUS).map(|text| serde_json::from_str(text).unwrap_or(Value::Null));
    let mut remembered = json!({});
    for (list, sought) in
        [("containers", &["containers"][..]), ("initContainers", &["containers", "initContainers"])]
    {
        let mut own = Vec::new();
        for container in pod::containers(template_pod, list) {
            let name = container.get("name").cloned().unwrap_or_default();
            let named = status.as_ref().and_then(|status| status.get(list)?.as_array());
            if named.is_some_and(|named| named.contains(&name)) {
                continue;
            }
            let noted = kept.get(list).and_then(Value::as_array).into_iter().flatten();
            let noted = noted.clone().find(|one| one.get("name") == Some(&name));
            let name = pod::name(container);
            let user = noted.or_else(|| sought.iter().find_map(|list| pod::find(original, list, name)));
            let Some(mut user) = user.cloned() else { continue };
            if user.get("image") == Some(&json!("auto")) {
                user.as_object_mut().and_then(|members| members.remove("image"));
            }
            forget_zeros(&mut user);
            merge(merged, &json!({ "spec": { list: [user.clone()] } }))?;
            if let Some(members) = user.as_object_mut() {
                members.entry("resources").or_insert_with(|| json!({}));
            }
            own.push(user);
        }
        if let (false, Some(members)) = (own.is_empty(), remembered.as_object_mut()) {
            members.insert(list.to_owned(), Value::Array(own));
        }
    }
    if status.is_none() && remembered.as_object().is_some_and(|members| !members.is_empty()) {
        pod::annotate(merged, OVERRIDES, json::encode(&remembered));
    }
    Ok(())
}

/// Members that are left out where they are 0 or false when a container is written, so that those of the template stay.
const ZEROS: [&str; 9] = [
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
    "hostPort",
    "stdin",
    "stdinOnce",
    "tty",
];

fn forget_zeros(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, value| match value {
                Value::Number(number) => number.as_i64() != Some(0) || !ZEROS.contains(&name.as_str()),
                Value::Bool(false) => !ZEROS.contains(&name.as_str()),
                // The value of a variable.
                Value::String(text) => !(text.is_empty() && name == "value"),
                _ => true,
            });
            members.values_mut().for_each(forget_zeros);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_zeros),
        _ => {}
    }
}

/// A user's choice of the proxy's user, followed by the container that sets up the redirection for it.
pub(super) fn follow_user(merged: &mut Value, original: &Value, mode: Option<&str>) {
    let own =
        pod::find(original, "containers", PROXY).or_else(|| pod::find(original, "initContainers", PROXY));
    let chosen = |name: &str| {
        let chosen = own.and_then(|own| own.get("securityContext")?.get(name)).cloned();
        chosen.filter(|chosen| !chosen.is_null())
    };
    let (user, group) = (chosen("runAsUser"), chosen("runAsGroup"));
    let init =
        [INIT, VALIDATION].into_iter().find(|name| pod::find(merged, "initContainers", name).is_some());
    let Some(init) = init.filter(|_| user.is_some() || group.is_some()) else { return };
    let is_tproxy = mode == Some("TPROXY")
        || pod::annotation(merged, "sidecar.istio.io/interceptionMode") == Some("TPROXY");
    if let (true, Some(proxy)) = (is_tproxy && user.is_some(), pod::proxy_mut(merged)) {
        run_as(proxy, "runAsUser", json!(0));
    }
    let Some(init) = pod::find_mut(merged, "initContainers", init) else { return };
    if !is_tproxy && pod::name(init) == VALIDATION {
        for (name, id) in [("runAsUser", user.clone()), ("runAsGroup", group)] {
            if let Some(id) = id {
                run_as(init, name, id);
            }
        }
    }
    let Some(user) = user.and_then(|user| user.as_i64()).filter(|user| *user != 0) else { return };
    if let Some(Value::Array(args)) = init.get_mut("args") {
        let mut behind = args.iter_mut().skip_while(|arg| **arg != json!("-u")).skip(1);
        if let Some(arg) = behind.next() {
            *arg = json!(user.to_string());
        }
    }
}

fn run_as(container: &mut Value, name: &str, id: Value) {
    let Some(members) = container.as_object_mut() else { return };
    let context = members.entry("securityContext").or_insert_with(|| json!({}));
    if let Some(context) = context.as_object_mut() {
        context.insert(name.to_owned(), id);
    }
}
