//! [`Impersonation`]: acting as another user.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::manifest::{self, Manifest};
use crate::names::{Namespace, ObjectName, printable};

/// The user that a client asks the API server to take it for, once it has said who it is itself: in the headers of a
/// request, in a kubeconfig, or by `kubectl --as`.
///
/// ```
/// use kubepki::Impersonation;
///
/// # fn main() -> kubepki::Result<()> {
/// let jane = Impersonation::new("jane")?.group("developers")?.extra("example.org/scopes", "view")?;
/// let headers = jane.headers();
/// assert_eq!(headers[0], ("Impersonate-User".to_owned(), "jane".to_owned()));
/// assert_eq!(headers[2].0, "Impersonate-Extra-example.org%2Fscopes");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Impersonation {
    pub(crate) user: String,
    pub(crate) uid: Option<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) extra: BTreeMap<String, Vec<String>>,
}

impl Impersonation {
    /// Acting as a user of this name, of whatever kind: `jane`, `system:node:cp-1`,
    /// `system:serviceaccount:NAMESPACE:NAME`.
    ///
    /// Without groups the API server adds those that follow from the name, no others that the user has.
    ///
    /// # Errors
    ///
    /// [`Code::Invalid`](crate::Code::Invalid) unless it is 1 to 253 bytes of text, without control characters and
    /// without white space at either end: what a header carries unchanged.
    pub fn new(user: &str) -> Result<Self> {
        let user = checked("user", user)?;
        Ok(Self { user, uid: None, groups: Vec::new(), extra: BTreeMap::new() })
    }

    /// In this group too.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn group(mut self, group: &str) -> Result<Self> {
        self.groups.push(checked("group", group)?);
        Ok(self)
    }

    /// With this UID.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn uid(mut self, uid: &str) -> Result<Self> {
        self.uid = Some(checked("UID", uid)?);
        Ok(self)
    }

    /// With one more value of an extra field, whose key is in lower case since the API server takes it so.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn extra(mut self, key: &str, value: &str) -> Result<Self> {
        if key.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(Error::invalid("extra field", "a key without capital letters", key));
        }
        let value = checked("extra field", value)?;
        self.extra.entry(checked("extra field", key)?).or_default().push(value);
        Ok(self)
    }

    /// The headers of an HTTP request, each with its value, as client-go sends them (k8s.io/client-go,
    /// transport/round_trippers.go).
    #[must_use]
    pub fn headers(&self) -> Vec<(String, String)> {
        let groups = self.groups.iter().map(|group| ("Impersonate-Group".to_owned(), group.clone()));
        let extra = self.extra.iter().flat_map(|(key, values)| {
            let name = format!("Impersonate-Extra-{}", escaped(key));
            values.iter().map(move |value| (name.clone(), value.clone()))
        });
        let uid = self.uid.iter().map(|uid| ("Impersonate-Uid".to_owned(), uid.clone()));
        let user = [("Impersonate-User".to_owned(), self.user.clone())];
        user.into_iter().chain(groups).chain(extra).chain(uid).collect()
    }

    /// The roles that allow this impersonation, and what can be combined of its user, groups and values: a ClusterRole,
    /// to be given by [`manifest::cluster_role_binding`], and where the user is a service account a Role in its
    /// namespace, to be given by [`manifest::role_binding`].
    ///
    /// Their verb is `impersonate`, which every version of Kubernetes knows, not one of the constrained impersonation of
    /// 1.35 (`impersonate:user-info`).
    ///
    /// What is asked for whom: kubernetes/kubernetes, staging/src/k8s.io/apiserver,
    /// pkg/endpoints/filters/impersonation/impersonation.go.
    #[must_use]
    pub fn roles(&self, name: &ObjectName) -> Vec<Manifest> {
        let allow = |group: &str, resource: &str, names: &[&str]| {
            (!names.is_empty()).then(|| manifest::rule(group, &[resource], names, &["impersonate"]))
        };
        let account = service_account(&self.user);
        let users = if account.is_none() { vec![&*self.user] } else { vec![] };
        let uids: Vec<_> = self.uid.iter().map(String::as_str).collect();
        let of_extra = self
            .extra
            .iter()
            .map(|(key, values)| allow(AUTHENTICATION, &format!("userextras/{key}"), &texts(values)));
        let rules = [
            allow("", "users", &users),
            allow("", "groups", &texts(&self.groups)),
            allow(AUTHENTICATION, "uids", &uids),
        ];
        let rules: Vec<_> = rules.into_iter().chain(of_extra).flatten().collect();
        let of_account = account.map(|(namespace, account)| {
            manifest::role(&namespace, name, allow("", "serviceaccounts", &[account.as_str()]))
        });
        let of_cluster = (!rules.is_empty()).then(|| manifest::cluster_role(name, rules));
        of_cluster.into_iter().chain(of_account).collect()
    }
}

const AUTHENTICATION: &str = "authentication.k8s.io";

fn checked(field: &'static str, text: &str) -> Result<String> {
    match printable(text) {
        Ok(()) => Ok(text.to_owned()),
        Err(rule) => Err(Error::invalid(field, rule, text)),
    }
}

fn texts(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

/// The namespace and name of a service account, where a user is one (k8s.io/apiserver,
/// pkg/authentication/serviceaccount/util.go, `SplitUsername`).
fn service_account(user: &str) -> Option<(Namespace, ObjectName)> {
    let (namespace, name) = user.strip_prefix("system:serviceaccount:")?.split_once(':')?;
    Some((namespace.parse().ok()?, name.parse().ok()?))
}

/// A key as the name of a header may hold it (RFC 9110, section 5.6.2): all else, and `%`, as `%XX`.
fn escaped(key: &str) -> String {
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&'*+-.^_`|~".contains(&byte);
    let escape = |byte: u8| match is_legal(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    key.bytes().map(escape).collect()
}
