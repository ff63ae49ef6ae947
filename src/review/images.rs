//! The fact `images`: what is known of each image of the object as it stands at this step. What lies about an image is
//! gathered; which fields name it, whether it is pinned, and whether an update leaves it as it was, only the object says.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::knowledge::{Knowledge, object};
use crate::admission::{Operation, Request};
use crate::context::{Fact, FactKey, ImageKey, Puller};
use crate::kubernetes::containers::LISTS;
use crate::kubernetes::field_path::of_pointer;
use crate::kubernetes::image_reference::ImageReference;
use crate::kubernetes::label_selector::is_dns_subdomain;
use crate::kubernetes::pod_template::{PodTemplate, PodTemplates};
use crate::policy::DeclaredImages;
use crate::policy::image_trust::{Authority, Held, ImageGlob, ImageTrust, Static, TrustRule, Unchanged};

/// Distinct images of one request that are asked about.
const IMAGES: usize = 128;

/// Entries of `imagePullSecrets` that are looked at: one more than are read, so that it is seen that there are more.
const PULL_SECRETS: usize = 17;

/// An image's place in an object.
struct Place {
    list: &'static str,
    /// The container's name, or the volume's.
    name: String,
    /// The JSON pointer of the text.
    pointer: String,
}

/// The fact as a policy declared it. None: asked for.
pub(super) fn fact(
    knowledge: &mut Knowledge<'_>,
    declared: &DeclaredImages,
    request: &Request,
) -> Option<Fact> {
    let (templates, trust) =
        (&knowledge.bundle().settings.pod_templates, knowledge.bundle().image_trust.clone());
    let images = match object(request).map(|object| images(templates, request, object)) {
        None => return Some(Fact::Known(json!({}))),
        Some(Err(why)) => return Some(Fact::Unknown(why)),
        Some(Ok(images)) => images,
    };
    let skips = trust.as_ref().is_none_or(|trust| trust.unchanged == Unchanged::Skip);
    let is_met_anew = trust.as_ref().is_some_and(|trust| is_met_anew(&trust.rules, request));
    let before = if skips && !is_met_anew { before(templates, request) } else { BTreeSet::new() };
    let puller = puller(templates, request);
    let mut entries = BTreeMap::new();
    let mut asked = 0_usize;
    for (text, places) in &images {
        let is_unchanged =
            places.iter().all(|place| before.contains(&(place.list, place.name.clone(), text.clone())));
        let gathered = if is_unchanged {
            Some(blank(text, trust.as_deref(), "skipped", &[]))
        } else if asked >= IMAGES {
            let message = format!("`{text}` is not asked about: more than {IMAGES} images in one object");
            let error = json!({ "stage": "resolve", "code": "limit", "message": message });
            Some(blank(text, trust.as_deref(), "error", &[error]))
        } else {
            asked = asked.saturating_add(1);
            let key = ImageKey { text: text.clone(), puller: puller.clone() };
            match knowledge.gathered(FactKey::Signatures(key)).map(Fact::known) {
                None => None,
                Some(Ok(entry)) => Some(entry),
                Some(Err(why)) => return Some(Fact::Unknown(format!("`{text}`: {why}"))),
            }
        };
        entries.insert(text, gathered.map(|entry| (entry, is_unchanged, places)));
    }
    let entries: Option<Vec<_>> = entries
        .into_iter()
        .map(|(text, one)| one.map(|(entry, same, places)| (text, entry, same, places)))
        .collect();
    let labels = object(request).and_then(labels);
    let others: BTreeSet<&str> = trust
        .iter()
        .flat_map(|trust| &trust.rules)
        .filter_map(|rule| {
            let fits = rule.matches.is_empty() || fits(rule, request, labels);
            (!fits).then_some(rule.name.as_str())
        })
        .collect();
    let seen = entries?.into_iter().map(|(text, mut entry, is_unchanged, places)| {
        without(&mut entry, &others);
        (text.clone(), seen(entry, declared, text, is_unchanged, places))
    });
    Some(whole(seen.collect(), declared))
}

/// The fact, unless it is in error for who did not say that it asks itself what could be learnt.
fn whole(entries: Map<String, Value>, declared: &DeclaredImages) -> Fact {
    let is_whole = |entry: &Value| {
        let status = entry.get("status").and_then(Value::as_str);
        matches!(status, Some("ok" | "skipped")) && entry.get("complete") == Some(&Value::Bool(true))
    };
    let message = |entry: &Value| {
        let message = entry.pointer("/errors/0/message").and_then(Value::as_str);
        message.unwrap_or("an image is not known in full").to_owned()
    };
    match entries.values().find(|entry| !declared.partial && !is_whole(entry)) {
        Some(entry) => Fact::Unknown(message(entry)),
        None => Fact::Known(Value::Object(entries)),
    }
}

/// Leaves out rules that are for other objects.
fn without(entry: &mut Value, others: &BTreeSet<&str>) {
    let is_other =
        |rule: &Value| rule.get("name").and_then(Value::as_str).is_some_and(|name| others.contains(name));
    if let Some(rules) = entry.get_mut("rules").and_then(Value::as_array_mut) {
        rules.retain(|rule| !is_other(rule));
    }
}

/// An entry as one policy sees it (R25).
fn seen(
    mut entry: Value,
    declared: &DeclaredImages,
    text: &str,
    is_unchanged: bool,
    places: &[Place],
) -> Value {
    let Some(members) = entry.as_object_mut() else { return Value::Null };
    let demanded = demanded(members.get("rules"));
    let is_named = |name: Option<&str>| match &declared.authorities {
        None => true,
        Some(names) if names.is_empty() => name.is_some_and(|name| demanded.contains(name)),
        Some(names) => name.is_some_and(|name| names.contains(name)),
    };
    if let Some(authorities) = members.get_mut("authorities").and_then(Value::as_object_mut) {
        authorities.retain(|name, _| is_named(Some(name)));
    }
    for list in ["signatures", "attestations", "rejected"] {
        if let Some(items) = members.get_mut(list).and_then(Value::as_array_mut) {
            items.retain(|item| is_named(item.get("authority").and_then(Value::as_str)));
        }
    }
    for item in members.get_mut("attestations").and_then(Value::as_array_mut).into_iter().flatten() {
        let kind = item.get("predicateType").and_then(Value::as_str).unwrap_or_default();
        if !declared.predicates.contains(kind) {
            item.as_object_mut().and_then(|item| item.insert("predicate".to_owned(), Value::Null));
        }
    }
    // A file of facts may say nothing of it.
    let config = members.remove("config").filter(|_| declared.config).unwrap_or(Value::Null);
    members.insert("config".to_owned(), config);
    if !declared.rejected {
        members.insert("rejected".to_owned(), json!([]));
    }
    let fields: BTreeSet<String> = places.iter().map(|place| of_pointer(&place.pointer)).collect();
    let is_pinned = ImageReference::parse(text).is_ok_and(|image| image.digest().is_some());
    members.insert("fields".to_owned(), json!(fields));
    members.insert("pinned".to_owned(), json!(is_pinned));
    members.insert("unchanged".to_owned(), json!(is_unchanged));
    entry
}

/// Whom rules name.
fn demanded(rules: Option<&Value>) -> BTreeSet<String> {
    let rules = rules.and_then(Value::as_array).into_iter().flatten();
    let demands = rules.filter_map(|rule| rule.get("of")?.as_array()).flatten();
    demands.filter_map(|demand| demand.get("authority")?.as_str().map(str::to_owned)).collect()
}

/// An entry of an image that nobody was asked about.
fn blank(text: &str, trust: Option<&ImageTrust>, status: &str, errors: &[Value]) -> Value {
    let reference = ImageReference::parse(text).ok();
    let reference = reference.as_ref();
    let fixed = |authority: &Authority| match &authority.fixed {
        Some(Static::Pass) => json!("pass"),
        Some(Static::Fail(_)) => json!("fail"),
        None => Value::Null,
    };
    let authorities = trust.into_iter().flat_map(|trust| &trust.authorities);
    // What nobody was asked about is still what the rules mean.
    let means = |rule: &&TrustRule| {
        let mut globs = rule.images.iter().filter_map(|image| ImageGlob::parse(image).ok());
        globs.any(|glob| glob.matches(text, trust.is_some_and(|trust| trust.passes(rule))))
    };
    let rules = trust.filter(|_| !errors.is_empty()).into_iter().flat_map(|trust| &trust.rules).filter(means);
    let rules: Vec<Value> = rules.map(|rule| rule.fact(Held::default())).collect();
    let standing =
        |authority: &Authority| json!({ "signed": false, "attested": [], "static": fixed(authority) });
    json!({
        "reference": {
            "registry": reference.map(ImageReference::registry),
            "repository": reference.map(ImageReference::repository),
            "tag": reference.and_then(ImageReference::tag),
            "digest": reference.and_then(ImageReference::digest),
        },
        "digest": null,
        "mediaType": null,
        "config": null,
        "pinnedReference": null,
        "status": status,
        "complete": errors.is_empty(),
        "errors": errors,
        "rules": rules,
        "authorities": authorities.map(|(name, one)| (name.clone(), standing(one))).collect::<Map<_, _>>(),
        "signatures": [],
        "attestations": [],
        "rejected": [],
    })
}

/// The images of an object, by their texts. One that is left out is nobody's image yet: whoever makes the Pod fills it in.
fn images(
    templates: &PodTemplates,
    request: &Request,
    object: &Value,
) -> Result<BTreeMap<String, Vec<Place>>, String> {
    let kind = request.kind();
    let Some(pod) = templates.find(&kind.group, &kind.kind, object)? else { return Ok(BTreeMap::new()) };
    let mut images: BTreeMap<String, Vec<Place>> = BTreeMap::new();
    for (text, place) in places(&pod)? {
        images.entry(text).or_default().push(place);
    }
    Ok(images)
}

fn places(pod: &PodTemplate<'_, '_>) -> Result<Vec<(String, Place)>, String> {
    let spec = pod.spec()?;
    let mut found = Vec::new();
    let lists = LISTS.into_iter().map(|list| (list, "/image")).chain([("volumes", "/image/reference")]);
    for (list, field) in lists {
        let path = format!("{}.{list}", pod.spec_path());
        let items = match spec.get(list) {
            None | Some(Value::Null) => &[],
            Some(Value::Array(items)) => items.as_slice(),
            Some(_) => return Err(format!("{path} is not an array")),
        };
        for (index, item) in items.iter().enumerate() {
            let name = item.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
            let pointer = format!("{}/spec/{list}/{index}{field}", pod.pointer);
            match item.pointer(field) {
                None | Some(Value::Null) => {}
                Some(Value::String(text)) if text.is_empty() => {}
                Some(Value::String(text)) => found.push((text.clone(), Place { list, name, pointer })),
                Some(_) => return Err(format!("{} is not a string", of_pointer(&pointer))),
            }
        }
    }
    Ok(found)
}

fn labels(object: &Value) -> Option<&Map<String, Value>> {
    object.pointer("/metadata/labels").and_then(Value::as_object)
}

/// Whether a rule that selects objects selects one with these labels.
fn fits(rule: &TrustRule, request: &Request, labels: Option<&Map<String, Value>>) -> bool {
    rule.matches.iter().any(|one| one.fits(request.resource(), labels))
}

/// Whether an update makes a rule mean the object that did not mean it before. Then nobody has asked about its images yet,
/// though they stay the same.
fn is_met_anew(rules: &[TrustRule], request: &Request) -> bool {
    let of = |object: Option<&Value>, rule| fits(rule, request, object.and_then(labels));
    rules.iter().any(|rule| of(object(request), rule) && !of(request.old_object(), rule))
}

/// What an update finds there: list, name and text of each image.
fn before(templates: &PodTemplates, request: &Request) -> BTreeSet<(&'static str, String, String)> {
    let (Operation::Update, Some(old)) = (request.operation(), request.old_object()) else {
        return BTreeSet::new();
    };
    let images = images(templates, request, old).unwrap_or_default();
    let of = |(text, places): (String, Vec<Place>)| {
        places.into_iter().map(move |place| (place.list, place.name, text.clone()))
    };
    images.into_iter().flat_map(of).collect()
}

/// On whose behalf the images of an object are asked for.
pub(super) fn puller(templates: &PodTemplates, request: &Request) -> Puller {
    let kind = request.kind();
    let found =
        object(request).and_then(|object| templates.find(&kind.group, &kind.kind, object).ok().flatten());
    let spec = found.and_then(|pod| pod.pod.get("spec"));
    let entries = spec.and_then(|spec| spec.get("imagePullSecrets")).and_then(Value::as_array);
    let name = |secret: &Value| secret.get("name").and_then(Value::as_str).filter(is_name).map(str::to_owned);
    let read: Vec<Option<String>> = entries.into_iter().flatten().take(PULL_SECRETS).map(name).collect();
    let account = spec.and_then(|spec| spec.get("serviceAccountName")).and_then(Value::as_str);
    let account = account.filter(|account| !account.is_empty());
    let named = account.filter(is_name);
    // They are counted: a list of what are no names is still one, and the account's are not taken in its place.
    let nameless = read.iter().filter(|name| name.is_none()).count();
    Puller {
        namespace: request.namespace().unwrap_or_default().to_owned(),
        service_account: named.unwrap_or_default().to_owned(),
        secrets: read.into_iter().flatten().collect(),
        nameless: nameless.saturating_add(usize::from(account != named)),
    }
}

fn is_name(text: &&str) -> bool {
    is_dns_subdomain(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::{GroupVersionKind, GroupVersionResource, RequestParts};
    use crate::kubernetes::label_selector::LabelSelector;
    use crate::policy::image_trust::ResourceMatch;

    fn update(old: &str, new: &str) -> Request {
        let object = |label: &str| json!({ "metadata": { "labels": { "app": label } } });
        request(object(old), object(new))
    }

    fn request(old: Value, new: Value) -> Request {
        Request::new(RequestParts {
            uid: "1".to_owned(),
            kind: GroupVersionKind::new("", "v1", "Pod"),
            resource: GroupVersionResource::new("", "v1", "pods"),
            sub_resource: None,
            name: "a".to_owned(),
            namespace: Some("shop".to_owned()),
            operation: Operation::Update,
            user_info: json!({}),
            object: Some(new),
            old_object: Some(old),
            dry_run: false,
        })
    }

    fn pulling(secrets: &[&str], account: &str) -> Puller {
        let secrets: Vec<Value> = secrets.iter().map(|name| json!({ "name": name })).collect();
        let pod = json!({ "spec": { "imagePullSecrets": secrets, "serviceAccountName": account } });
        puller(&PodTemplates::default(), &request(json!({}), pod))
    }

    #[test]
    fn of_a_pods_pull_secrets_a_few_names_are_kept_and_nothing_else() {
        let found = pulling(&["a", "../b", "", &"c".repeat(254), "A", "d.e"], "../account");
        let (secrets, account) = (["a".to_owned(), "d.e".to_owned()].into(), String::new());
        let expected =
            Puller { namespace: "shop".to_owned(), service_account: account, secrets, nameless: 5 };
        assert_eq!(found, expected);
        let many: Vec<String> = (0..1000).map(|index| format!("s{index}")).collect();
        let found = pulling(&many.iter().map(String::as_str).collect::<Vec<_>>(), "puller");
        assert_eq!((&*found.secrets, found.nameless), (&many[..PULL_SECRETS], 0));
        assert_eq!(found.service_account, "puller");
        assert_eq!(pulling(&[], ""), Puller { namespace: "shop".to_owned(), ..Puller::default() });
    }

    #[test]
    fn who_is_relabelled_into_a_rule_is_met_anew() {
        let written =
            json!({ "name": "r", "images": ["**"], "require": { "of": ["a"] }, "enforcement": "deny" });
        let mut rule: TrustRule = serde_json::from_value(written).unwrap();
        assert!(!is_met_anew(&[rule.clone()], &update("free", "bound")));
        rule.matches.push(ResourceMatch {
            group: String::new(),
            version: "v1".to_owned(),
            resource: "pods".to_owned(),
            labels: LabelSelector::from_value(&json!({ "matchLabels": { "app": "bound" } })).unwrap(),
        });
        let rules = [rule];
        assert!(is_met_anew(&rules, &update("free", "bound")));
        for (old, new) in [("bound", "bound"), ("bound", "free"), ("free", "free")] {
            assert!(!is_met_anew(&rules, &update(old, new)), "{old} {new}");
        }
    }
}
