//! Where the API server keeps the objects of a kind.

use kube::core::Request;
use kube::{Client, Error};
use serde_json::Value;

use crate::admission::GroupVersionKind;
use crate::kubernetes::kinds;

/// A kind as a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Resource {
    group: String,
    version: String,
    /// As in `limitranges`.
    pub(super) plural: String,
}

impl Resource {
    /// Where a kind is: one of Kubernetes' own by the table of them, others as the API server says. None: it serves no
    /// such kind.
    pub(super) async fn find(client: &Client, kind: &GroupVersionKind) -> Result<Option<Self>, Error> {
        let resource =
            |plural: String| Self { group: kind.group.clone(), version: kind.version.clone(), plural };
        let api_version = kind.api_version();
        if let Some(built_in) = kinds::built_in(&api_version, &kind.kind) {
            return Ok(Some(resource(built_in.plural)));
        }
        let path = format!("/apis/{api_version}");
        let request = Request::new(path).list(&Default::default()).map_err(Error::BuildRequest)?;
        match client.request::<Value>(request).await {
            Ok(list) => Ok(plural(&list, &kind.kind).map(resource)),
            Err(Error::Api(status)) if status.code == 404 => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The path of all objects.
    pub(super) fn path(&self) -> String {
        let Self { plural, .. } = self;
        format!("{}/{plural}", self.root())
    }

    /// The path of the objects in a namespace.
    pub(super) fn path_in(&self, namespace: &str) -> String {
        let Self { plural, .. } = self;
        format!("{}/namespaces/{namespace}/{plural}", self.root())
    }

    fn root(&self) -> String {
        let Self { group, version, .. } = self;
        if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") }
    }
}

/// The resource of a kind in an APIResourceList (meta/v1); subresources have a `/` in their names.
fn plural(list: &Value, kind: &str) -> Option<String> {
    let resources = list.get("resources")?.as_array()?.iter();
    let mut of_kind = resources.filter(|one| one.get("kind").and_then(Value::as_str) == Some(kind));
    of_kind.find_map(|one| {
        one.get("name").and_then(Value::as_str).filter(|name| !name.contains('/')).map(str::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_kind_is_found_beside_its_subresources() {
        let list = json!({ "resources": [
            { "name": "scaledobjects/status", "kind": "ScaledObject" },
            { "name": "scaledobjects", "kind": "ScaledObject" },
            { "name": "scaledjobs", "kind": "ScaledJob" },
        ] });
        assert_eq!(plural(&list, "ScaledObject").as_deref(), Some("scaledobjects"));
        assert_eq!(plural(&list, "Scaled"), None);
        assert_eq!(plural(&json!({}), "ScaledObject"), None);
    }

    #[test]
    fn paths_are_those_of_the_api() {
        let resource = |group: &str, plural: &str| Resource {
            group: group.to_owned(),
            version: "v1".to_owned(),
            plural: plural.to_owned(),
        };
        assert_eq!(resource("", "pods").path(), "/api/v1/pods");
        assert_eq!(resource("apps", "deployments").path(), "/apis/apps/v1/deployments");
        assert_eq!(
            resource("apps", "deployments").path_in("shop"),
            "/apis/apps/v1/namespaces/shop/deployments"
        );
    }
}
