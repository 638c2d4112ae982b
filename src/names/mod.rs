//! Names and addresses, parsed once: a value that exists is valid, so what takes one cannot fail because of it.

mod address;
mod login;
mod version;

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::role::Role;

pub(crate) use address::is_one_machine;
pub use address::{Endpoint, San, SanName, Subnet};
pub use login::{ClaimName, ClientId, HttpsUrl, NamePrefix, RequiredClaim, TokenAlgorithm, TokenIssuer};
pub use version::KubernetesVersion;

/// Most bytes of a DNS name (RFC 1123), and so of a node name; taken as the bound of every other name as well.
const LONGEST_NAME: usize = 253;

/// A name that nobody has (RFC 6761, section 6.4), for what is not known.
const UNKNOWN: &str = "unknown.invalid";

macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $field:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The text, exactly as it was given.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self> {
                let check: fn(&str) -> Result<(), String> = $check;
                match check(text) {
                    Ok(()) => Ok(Self(text.to_owned())),
                    Err(rule) => Err(Error::invalid($field, rule, text)),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

pub(crate) use text_type;

text_type! {
    /// The name of a cluster, as it stands in kubeconfigs: 1 to 253 bytes of text, without control characters and
    /// without white space at either end.
    ClusterName, "cluster name", printable
}

text_type! {
    /// The common name of a root or an intermediate: 1 to 253 bytes of text, without control characters and without
    /// white space at either end.
    AuthorityName, "authority name", authority_name
}

text_type! {
    /// The name under which a kubelet registers its node: an RFC 1123 subdomain, as the API server demands of a Node
    /// object. Kubelet certificates carry it exactly so.
    NodeName, "node name", subdomain
}

text_type! {
    /// A DNS name: an RFC 1123 subdomain in lower case, without a wildcard and without a trailing dot.
    ///
    /// A name that ends in a number (`10.0.0.256`) is refused: it is a mistyped address, and no client would ever
    /// match it. Internationalised names are given as A-labels (`xn--...`, RFC 5890).
    DnsName, "DNS name", dns_name
}

text_type! {
    /// The name of a Kubernetes object, as most kinds have it: an RFC 1123 subdomain.
    ObjectName, "object name", subdomain
}

text_type! {
    /// The name of a namespace: an RFC 1123 label, so without a dot and of at most 63 characters.
    Namespace, "namespace", label
}

text_type! {
    /// The name of a signer in `certificates.k8s.io`: a domain of at least two labels, `/` and a path, such as
    /// `example.com/serving`. Those below `kubernetes.io` belong to Kubernetes itself.
    SignerName, "signer name", signer_name
}

text_type! {
    /// The name of a user, which becomes the common name of a client certificate.
    ///
    /// 1 to 253 bytes of text, without control characters and without white space at either end. The names
    /// of components, which have roles of their own in [`role`](crate::role), are refused: those that begin with
    /// `system:`, and those of the role table, such as `front-proxy-client`.
    UserName, "user name", user_name
}

text_type! {
    /// A group, which becomes an organization (O) of a client certificate.
    ///
    /// 1 to 253 bytes of text, without control characters and without white space at either end. Of the groups
    /// that begin with `system:` only those are taken that an installer may hand out, `system:monitoring` and
    /// `system:bootstrappers`. The others come with a role (`system:masters` with
    /// [`role::SuperAdmin`](crate::role::SuperAdmin), `system:nodes` with
    /// [`role::KubeletClient`](crate::role::KubeletClient)) or from the API server itself.
    Group, "group", group
}

/// Groups of Kubernetes itself that a certificate may get from an installer, also with `:` and more behind them.
/// (kubernetes/kubernetes, staging/src/k8s.io/apiserver/pkg/authentication/user/user.go)
const SYSTEM_GROUPS: [&str; 2] = ["system:monitoring", "system:bootstrappers"];

pub(crate) fn printable(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("at least one character".to_owned());
    }
    if text.len() > LONGEST_NAME {
        return Err(format!("at most {LONGEST_NAME} bytes"));
    }
    if text.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')) {
        return Err("no control characters and no line breaks".to_owned());
    }
    if text.trim() != text {
        return Err("no white space at either end".to_owned());
    }
    Ok(())
}

/// RFC 1123 subdomain, as Kubernetes checks it (apimachinery, util/validation, `IsDNS1123Subdomain`).
fn subdomain(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("at least one character (RFC 1123)".to_owned());
    }
    if !text.is_ascii() {
        return Err("ASCII only: give an internationalised name as A-label, xn--... (RFC 5890)".to_owned());
    }
    if text.ends_with('.') {
        return Err(
            "no trailing dot: certificates name hosts without it (RFC 5280, section 4.2.1.6)".to_owned()
        );
    }
    if text.len() > LONGEST_NAME {
        return Err(format!("at most {LONGEST_NAME} characters (RFC 1123)"));
    }
    if !text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.')) {
        return Err("lower-case letters, digits, '-' and '.' only (RFC 1123)".to_owned());
    }
    for label in text.split('.') {
        if label.is_empty() || label.len() > 63 {
            return Err("labels of 1 to 63 characters between the dots (RFC 1123)".to_owned());
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err("labels that neither begin nor end with '-' (RFC 1123)".to_owned());
        }
    }
    Ok(())
}

fn label(text: &str) -> Result<(), String> {
    subdomain(text)?;
    match text.contains('.') || text.len() > 63 {
        true => Err("one label of at most 63 characters (RFC 1123)".to_owned()),
        false => Ok(()),
    }
}

/// As the API server checks it (kubernetes/kubernetes, pkg/apis/core/validation/names.go, `ValidateSignerName`).
fn signer_name(text: &str) -> Result<(), String> {
    let shape = "a fully qualified domain and path of the form 'example.com/signer-name'";
    let (domain, path) = text.split_once('/').ok_or(shape)?;
    if path.contains('/') || !domain.contains('.') {
        return Err(shape.to_owned());
    }
    subdomain(domain).map_err(|rule| format!("{shape}, with {rule} in the domain"))?;
    let of_path = |part: &str| {
        let is_known = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-');
        let has_ends = !part.is_empty() && !part.starts_with('-') && !part.ends_with('-');
        has_ends && part.len() <= LONGEST_NAME && part.bytes().all(is_known)
    };
    // A label, a dot and an object's name fit.
    match path.split('.').all(of_path) && path.len() <= 63 + 1 + LONGEST_NAME {
        true => Ok(()),
        false => Err(format!("{shape}, with lower-case letters, digits, '-' and '.' in the path")),
    }
}

fn dns_name(text: &str) -> Result<(), String> {
    subdomain(text)?;
    let last = text.rsplit('.').next().unwrap_or(text);
    if last.bytes().all(|b| b.is_ascii_digit()) {
        return Err("a DNS name or an IP address: what ends in a number is no DNS name".to_owned());
    }
    Ok(())
}

fn user_name(text: &str) -> Result<(), String> {
    printable(text)?;
    if text.starts_with("system:") {
        return Err(
            "a user's name: those that begin with system: belong to components, which have roles".to_owned()
        );
    }
    match Role::all().find(|role| !role.is_authority() && role.has_common_name(text)) {
        Some(role) => Err(format!("a user's name: this one belongs to the role {role}")),
        None => Ok(()),
    }
}

fn authority_name(text: &str) -> Result<(), String> {
    printable(text)?;
    match text.starts_with("system:") {
        true => Err("an authority's name: those that begin with system: belong to components".to_owned()),
        false => Ok(()),
    }
}

fn group(text: &str) -> Result<(), String> {
    printable(text)?;
    let of_installers = SYSTEM_GROUPS
        .iter()
        .any(|group| text.strip_prefix(group).is_some_and(|rest| rest.is_empty() || rest.starts_with(':')));
    match text.starts_with("system:") && !of_installers {
        true => Err("another group: this one comes with a role or from the API server".to_owned()),
        false => Ok(()),
    }
}

impl SignerName {
    /// Whether it belongs to Kubernetes itself (pkg/apis/core/validation/names.go, `IsKubernetesSignerName`).
    pub(crate) fn is_of_kubernetes(&self) -> bool {
        let domain = self.0.split('/').next().unwrap_or_default();
        domain == "kubernetes.io" || domain.ends_with(".kubernetes.io")
    }
}

impl NodeName {
    /// Stands where none is known, and is never written: see [`UNKNOWN`].
    pub(crate) fn unknown() -> Self {
        Self(UNKNOWN.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule_of<T: FromStr<Err = Error> + fmt::Debug>(text: &str) -> String {
        text.parse::<T>().unwrap_err().to_string()
    }

    #[test]
    fn injected_text_is_carried_as_one_value_or_refused_with_field_rule_and_value() {
        for text in ["", "a\nb", "a\0b", "a\u{2028}b", " a", &"x".repeat(254)] {
            for error in [rule_of::<UserName>(text), rule_of::<Group>(text), rule_of::<ClusterName>(text)] {
                assert!(error.contains("expected") && error.contains("found \""), "{error}");
            }
        }
        for text in ["CN=a/O=system:masters", "a,O=b", "a+O=b", "a: {b: [c]}", "# a", "'\"", "ü"] {
            assert_eq!(text.parse::<UserName>().unwrap().as_str(), text);
            assert_eq!(text.parse::<Group>().unwrap().as_str(), text);
            assert_eq!(text.parse::<ClusterName>().unwrap().as_str(), text);
            assert!(text.parse::<NodeName>().is_err());
            assert!(text.parse::<San>().is_err());
        }
    }

    #[test]
    fn names_and_groups_of_components_are_left_to_their_roles() {
        for name in
            ["system:masters", "system:node:n1", "front-proxy-client", "kube-apiserver", "kubernetes-admin"]
        {
            let rule = rule_of::<UserName>(name);
            assert!(rule.contains("have roles") || rule.contains("the role"), "{rule}");
            assert!(!name.starts_with("system:") || name.parse::<AuthorityName>().is_err());
        }
        for name in ["system:masters", "system:nodes", "system:serviceaccounts:a", "system:monitoringx"] {
            assert!(rule_of::<Group>(name).contains("another group"));
        }
        for name in ["system:monitoring", "system:bootstrappers:a", "kubeadm:cluster-admins"] {
            assert!(name.parse::<Group>().is_ok());
        }
    }
}
