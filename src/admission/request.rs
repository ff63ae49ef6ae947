//! An AdmissionRequest: the JSON that policies read, with typed views of what meshgate decides by.

use std::fmt;

use serde_json::{Map, Value, json};

/// What the API server is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// An object is made.
    Create,
    /// An object is changed.
    Update,
    /// An object is deleted.
    Delete,
    /// A connection is opened: exec, attach, port-forward, proxy.
    Connect,
}

impl Operation {
    /// As it is written in an AdmissionRequest.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
        }
    }

    pub(super) fn parse(word: &str) -> Option<Self> {
        [Self::Create, Self::Update, Self::Delete, Self::Connect].into_iter().find(|one| one.as_str() == word)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Group, version and kind (meta/v1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupVersionKind {
    /// Empty for the core group.
    pub group: String,
    /// As in `v1`.
    pub version: String,
    /// As in `Pod`.
    pub kind: String,
}

impl GroupVersionKind {
    /// Of its three parts.
    pub fn new(group: impl Into<String>, version: impl Into<String>, kind: impl Into<String>) -> Self {
        Self { group: group.into(), version: version.into(), kind: kind.into() }
    }

    /// The apiVersion: the version alone in the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }
}

/// Group, version and resource (meta/v1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupVersionResource {
    /// Empty for the core group.
    pub group: String,
    /// As in `v1`.
    pub version: String,
    /// As in `pods`.
    pub resource: String,
}

impl GroupVersionResource {
    /// Of its three parts.
    pub fn new(group: impl Into<String>, version: impl Into<String>, resource: impl Into<String>) -> Self {
        Self { group: group.into(), version: version.into(), resource: resource.into() }
    }
}

/// What a request is made of.
#[derive(Clone, Debug)]
pub struct RequestParts {
    /// Names the request; the answer repeats it.
    pub uid: String,
    /// The kind of the object.
    pub kind: GroupVersionKind,
    /// The resource that is asked for.
    pub resource: GroupVersionResource,
    /// As in `status`; None for the object itself.
    pub sub_resource: Option<String>,
    /// The object's name; empty where the API server is to make one.
    pub name: String,
    /// The object's namespace; a Namespace's own name; None for other objects of the cluster.
    pub namespace: Option<String>,
    /// What is asked for.
    pub operation: Operation,
    /// Who asks (authentication.k8s.io/v1 UserInfo).
    pub user_info: Value,
    /// The object; None on DELETE.
    pub object: Option<Value>,
    /// The object as it is stored; None on CREATE and CONNECT.
    pub old_object: Option<Value>,
    /// Whether nothing will be stored.
    pub dry_run: bool,
}

/// An AdmissionRequest.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    value: Value,
    kind: GroupVersionKind,
    resource: GroupVersionResource,
    operation: Operation,
}

impl Request {
    /// Makes a request as the API server would send it: what is empty is left out, but objects, which are then null
    /// (admission.k8s.io/v1 AdmissionRequest; k8s.io/apiserver, pkg/admission/plugin/webhook/request).
    pub fn new(parts: RequestParts) -> Self {
        let RequestParts { kind, resource, operation, .. } = parts;
        let kind_value = json!({ "group": kind.group, "version": kind.version, "kind": kind.kind });
        let resource_value =
            json!({ "group": resource.group, "version": resource.version, "resource": resource.resource });
        let mut members = Map::new();
        let mut set = |name: &str, value: Value| members.insert(name.to_owned(), value);
        set("uid", Value::from(parts.uid));
        set("kind", kind_value.clone());
        set("resource", resource_value.clone());
        set("requestKind", kind_value);
        set("requestResource", resource_value);
        if let Some(sub_resource) = parts.sub_resource.filter(|name| !name.is_empty()) {
            set("subResource", Value::from(sub_resource.as_str()));
            set("requestSubResource", Value::from(sub_resource));
        }
        if !parts.name.is_empty() {
            set("name", Value::from(parts.name));
        }
        if let Some(namespace) = parts.namespace.filter(|name| !name.is_empty()) {
            set("namespace", Value::from(namespace));
        }
        set("operation", Value::from(operation.as_str()));
        set("userInfo", parts.user_info);
        set("object", parts.object.unwrap_or_default());
        set("oldObject", parts.old_object.unwrap_or_default());
        set("dryRun", Value::from(parts.dry_run));
        set("options", options(operation, parts.dry_run));
        Self { value: Value::Object(members), kind, resource, operation }
    }

    /// A request that came from outside and was checked.
    pub(super) fn checked(
        value: Value,
        kind: GroupVersionKind,
        resource: GroupVersionResource,
        operation: Operation,
    ) -> Self {
        Self { value, kind, resource, operation }
    }

    /// The AdmissionRequest as policies read it.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The AdmissionReview that asks this.
    pub fn to_review(&self) -> Value {
        json!({ "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": self.value })
    }

    /// The same request about another object.
    pub fn with_object(&self, object: Value) -> Self {
        let mut request = self.clone();
        if let Some(members) = request.value.as_object_mut() {
            members.insert("object".to_owned(), object);
        }
        request
    }

    /// Names the request.
    pub fn uid(&self) -> &str {
        self.text("uid").unwrap_or_default()
    }

    /// The kind of the object.
    pub fn kind(&self) -> &GroupVersionKind {
        &self.kind
    }

    /// The resource that is asked for, in the version that the webhook is registered for.
    pub fn resource(&self) -> &GroupVersionResource {
        &self.resource
    }

    /// The subresource; None for the object itself.
    pub fn sub_resource(&self) -> Option<&str> {
        self.text("subResource")
    }

    /// The object's name; None where the API server is to make one.
    pub fn name(&self) -> Option<&str> {
        self.text("name")
    }

    /// The object's namespace; a Namespace's own name; None for other objects of the cluster.
    pub fn namespace(&self) -> Option<&str> {
        self.text("namespace")
    }

    /// What is asked for.
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// The object; None on DELETE.
    pub fn object(&self) -> Option<&Value> {
        self.value.get("object").filter(|object| !object.is_null())
    }

    /// The object as it is stored; None on CREATE and CONNECT.
    pub fn old_object(&self) -> Option<&Value> {
        self.value.get("oldObject").filter(|object| !object.is_null())
    }

    /// Whether it is about a Namespace, or a subresource of one.
    pub fn is_about_a_namespace(&self) -> bool {
        self.resource.group.is_empty() && self.resource.resource == "namespaces"
    }

    /// Who asks (authentication.k8s.io/v1 UserInfo); null where the request does not say.
    pub fn user_info(&self) -> &Value {
        self.value.get("userInfo").unwrap_or(&Value::Null)
    }

    /// Whether nothing will be stored.
    pub fn dry_run(&self) -> bool {
        self.value.get("dryRun").and_then(Value::as_bool).unwrap_or_default()
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }
}

/// The options that go with an operation (meta/v1; CONNECT has those of its subresource, which nothing here makes).
fn options(operation: Operation, dry_run: bool) -> Value {
    let kind = match operation {
        Operation::Create => "CreateOptions",
        Operation::Update => "UpdateOptions",
        Operation::Delete => "DeleteOptions",
        Operation::Connect => return Value::Null,
    };
    let mut options = json!({ "apiVersion": "meta.k8s.io/v1", "kind": kind });
    if let (Some(members), true) = (options.as_object_mut(), dry_run) {
        members.insert("dryRun".to_owned(), json!(["All"]));
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::decode;

    fn parts(operation: Operation) -> RequestParts {
        RequestParts {
            uid: "7".to_owned(),
            kind: GroupVersionKind::new("", "v1", "Pod"),
            resource: GroupVersionResource::new("", "v1", "pods"),
            sub_resource: None,
            name: String::new(),
            namespace: None,
            operation,
            user_info: json!({ "username": "alice" }),
            object: (operation != Operation::Delete).then(|| json!({ "kind": "Pod" })),
            old_object: matches!(operation, Operation::Update | Operation::Delete)
                .then(|| json!({ "old": true })),
            dry_run: false,
        }
    }

    #[test]
    fn a_request_has_the_members_that_the_api_server_sends() {
        let kind = json!({ "group": "", "version": "v1", "kind": "Pod" });
        let resource = json!({ "group": "", "version": "v1", "resource": "pods" });
        let bare = json!({
            "uid": "7", "kind": kind, "resource": resource, "requestKind": kind, "requestResource": resource,
            "operation": "CREATE", "userInfo": { "username": "alice" }, "object": { "kind": "Pod" },
            "oldObject": null, "dryRun": false,
            "options": { "apiVersion": "meta.k8s.io/v1", "kind": "CreateOptions" }
        });
        assert_eq!(Request::new(parts(Operation::Create)).value(), &bare);

        let full = Request::new(RequestParts {
            sub_resource: Some("status".to_owned()),
            name: "a".to_owned(),
            namespace: Some("shop".to_owned()),
            dry_run: true,
            ..parts(Operation::Update)
        });
        let members =
            ["subResource", "requestSubResource", "name", "namespace", "oldObject", "dryRun", "options"];
        let expected = json!([
            "status", "status", "a", "shop", { "old": true }, true,
            { "apiVersion": "meta.k8s.io/v1", "kind": "UpdateOptions", "dryRun": ["All"] }
        ]);
        assert_eq!(Value::from_iter(members.map(|name| full.value()[name].clone())), expected);
        assert_eq!(
            (full.sub_resource(), full.name(), full.namespace()),
            (Some("status"), Some("a"), Some("shop"))
        );
        assert!(full.dry_run());
    }

    #[test]
    fn what_is_made_is_understood() {
        for operation in [Operation::Create, Operation::Update, Operation::Delete, Operation::Connect] {
            let request = Request::new(parts(operation));
            assert_eq!(decode(request.to_review().to_string().as_bytes()).unwrap(), request);
            assert_eq!(request.operation(), operation);
        }
    }

    #[test]
    fn what_is_empty_or_null_is_none() {
        let empty = RequestParts {
            sub_resource: Some(String::new()),
            namespace: Some(String::new()),
            ..parts(Operation::Delete)
        };
        let request = Request::new(empty);
        assert_eq!((request.sub_resource(), request.name(), request.namespace()), (None, None, None));
        assert_eq!(request, Request::new(parts(Operation::Delete)));
        assert_eq!((request.object(), request.old_object()), (None, Some(&json!({ "old": true }))));
        assert_eq!(request.user_info(), &json!({ "username": "alice" }));
        assert!(!request.dry_run());
    }

    #[test]
    fn another_object_leaves_the_rest() {
        let request = Request::new(parts(Operation::Update));
        let changed = request.with_object(json!({ "new": 1 }));
        assert_eq!(changed.object(), Some(&json!({ "new": 1 })));
        assert_eq!(changed.with_object(json!({ "kind": "Pod" })), request);
    }
}
