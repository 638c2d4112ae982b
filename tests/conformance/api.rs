//! The API server as an administrator uses it, and `CertificateSigningRequest` objects there.

use std::path::PathBuf;

use kubepki::{Role, role};
use serde_json::{Value, json};

use crate::control_plane::Machine;
use crate::http::{Answer, Pair, Request};
use crate::identity::Identity;
use crate::programs::{eventually, kubectl};
use crate::report::Result;

pub(crate) const REQUESTS: &str = "/apis/certificates.k8s.io/v1/certificatesigningrequests";

/// An administrator's connection. Its user is in `system:masters`.
#[derive(Debug)]
pub(crate) struct Api {
    url: String,
    trusted: PathBuf,
    admin: Pair,
    kubeconfig: PathBuf,
}

impl Api {
    pub(crate) fn new(machine: &Machine) -> Result<Self> {
        let admin = machine.issue(Role::KubernetesCa, &role::SuperAdmin::new(&machine.cluster).profile())?;
        Ok(Self { url: machine.url.clone(), trusted: machine.ca(), admin, kubeconfig: machine.almighty() })
    }

    /// A request, as the administrator or, with the headers of impersonation, as somebody else.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        user: Option<&Identity>,
        body: Option<&str>,
    ) -> Result<Answer> {
        let url = format!("{}{path}", self.url);
        let headers = user.map(Identity::impersonated).unwrap_or_default();
        Request {
            method: Some(method),
            url: &url,
            trusted: Some(&self.trusted),
            client: Some(&self.admin),
            headers: &headers,
            body,
            at: None,
        }
        .send()
    }

    /// The same, where anything but success is an error.
    pub(crate) fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let body = body.map(Value::to_string);
        let answer = self.send(method, path, None, body.as_deref())?;
        match answer.status {
            200 | 201 => Ok(serde_json::from_str(&answer.body)?),
            status => Err(format!("{method} {path}: {status}: {}", answer.body).into()),
        }
    }

    pub(crate) fn apply(&self, objects: &str) -> Result<String> {
        kubectl(&self.kubeconfig, &["apply", "--filename=-"], objects)
    }

    /// Lets everybody who is known create certificate requests.
    pub(crate) fn everybody_may_request(&self) -> Result {
        let (version, name) = ("rbac.authorization.k8s.io/v1", "requesters");
        let role = json!({
            "apiVersion": version, "kind": "ClusterRole", "metadata": {"name": name},
            "rules": [{
                "apiGroups": ["certificates.k8s.io"], "resources": ["certificatesigningrequests"],
                "verbs": ["create", "get", "list", "watch"],
            }],
        });
        let group = "system:authenticated";
        let binding = json!({
            "apiVersion": version, "kind": "ClusterRoleBinding", "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group}],
        });
        self.apply(&json!({"apiVersion": "v1", "kind": "List", "items": [role, binding]}).to_string())?;
        Ok(())
    }

    /// A certificate request.
    pub(crate) fn request(&self, name: &str) -> Result<Value> {
        self.ask("GET", &format!("{REQUESTS}/{name}"), None)
    }

    /// Every certificate request.
    pub(crate) fn requests(&self) -> Result<Vec<Value>> {
        let list = self.ask("GET", REQUESTS, None)?;
        Ok(list["items"].as_array().cloned().unwrap_or_default())
    }

    /// Approves a certificate request, as any approver does.
    pub(crate) fn approve(&self, object: &Value) -> Result<Value> {
        let mut object = object.clone();
        object["status"]["conditions"] = json!([{
            "type": "Approved", "status": "True", "reason": "Conformance", "message": "approved by this test",
        }]);
        self.update(&object, "approval")
    }

    /// Sends an object to one of its subresources.
    pub(crate) fn update(&self, object: &Value, subresource: &str) -> Result<Value> {
        let name = object["metadata"]["name"].as_str().ok_or("an object without a name")?;
        let path = format!("{REQUESTS}/{}/{subresource}", name.replace(' ', "%20"));
        self.ask("PUT", &path, Some(object))
    }

    /// Waits for a certificate request that `wanted` takes.
    pub(crate) fn request_that(&self, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        eventually(|| {
            let found = self.requests()?.into_iter().find(|it| wanted(it)).ok_or("no such request")?;
            // Within a list, objects do not say what they are.
            self.request(found["metadata"]["name"].as_str().unwrap_or_default())
        })
    }
}

/// What has become of a certificate request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The certificate in PEM.
    Issued(String),
    /// Reason and message.
    Failed(String, String),
    /// Nothing yet.
    Open,
}

impl Outcome {
    pub(crate) fn of(object: &Value) -> Result<Self> {
        let condition = |kind: &str| {
            let conditions = object["status"]["conditions"].as_array();
            conditions.into_iter().flatten().find(|it| it["type"] == kind)
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        if let Some(certificate) = object["status"]["certificate"].as_str() {
            return Ok(Self::Issued(decoded(certificate)?));
        }
        Ok(match condition("Failed") {
            Some(failed) => Self::Failed(text(&failed["reason"]), text(&failed["message"])),
            None => Self::Open,
        })
    }
}

/// Text that stands in an object as base64.
pub(crate) fn decoded(base64: &str) -> Result<String> {
    use base64ct::{Base64, Encoding};
    let bytes = Base64::decode_vec(base64).map_err(|error| error.to_string())?;
    Ok(String::from_utf8(bytes)?)
}
