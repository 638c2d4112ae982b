//! Kubeconfigs: whom they trust, where they point to, and who the user is.

use std::path::Path;

use super::certificate::covers;
use super::{Audit, list};
use crate::finding::{Finding, FindingId, Severity};
use crate::kubeconfig::{Cluster, Kubeconfig, User};
use crate::names::{Endpoint, San};
use crate::pki::Held;
use crate::role::Role;
use crate::x509::Certificate;

const REWRITE: &str = "let a plan write it anew";

impl Audit<'_> {
    pub(super) fn kubeconfig(&mut self, role: Role, held: &Held) {
        let Some(at) = &held.kubeconfig else { return };
        let incomplete = |what: &str, found: &str| {
            Finding::new(FindingId::KubeconfigIncomplete, &at.file, what, found)
                .role_is(role)
                .mend_by(REWRITE)
        };
        let Some((cluster, user)) = at.is.current_cluster().zip(at.is.current_user()) else {
            let found = missing(&at.is);
            self.findings.push(incomplete("a current context with its cluster and its user", &found));
            return;
        };
        self.trust(role, &at.file, cluster, held);
        self.server(role, held);
        if let Some(what) = lacks(user) {
            self.findings.push(incomplete("a client certificate with its key", what));
        } else if user.client_certificate_data.is_none() && user.client_certificate.is_none() {
            let expected = "a client certificate";
            let found = "a user with another credential (a token or a program)";
            let finding = Finding::new(FindingId::KubeconfigOtherCredential, &at.file, expected, found);
            self.findings.push(finding.role_is(role).mend_by("nothing, if that is meant"));
        }
    }

    fn trust(&mut self, role: Role, file: &Path, cluster: &Cluster, held: &Held) {
        let names_trust =
            cluster.certificate_authority_data.is_some() || cluster.certificate_authority.is_some();
        if cluster.insecure_skip_tls_verify {
            // Clients refuse both together (client-go, rest/config.go and transport, `TLSConfigFor`).
            let (severity, found) = match names_trust {
                true => (Severity::Error, "insecure-skip-tls-verify: true, and a trusted authority with it"),
                false => (Severity::Warning, "insecure-skip-tls-verify: true"),
            };
            let expected = "a server whose certificate is verified";
            let finding = Finding::new(FindingId::KubeconfigInsecure, file, expected, found);
            self.findings.push(finding.role_is(role).severity_is(severity).mend_by("let a plan take it out"));
            return;
        }
        let mismatch = |expected: String, found: String| {
            let finding = Finding::new(FindingId::KubeconfigAuthorityMismatch, file, expected, found);
            finding.role_is(role).mend_by("let a plan put the cluster's authority there")
        };
        let Some(own) = self.trusted(Role::KubernetesCa) else { return };
        let Some(signing) = own.first() else { return };
        let Some(trusted) = &held.trusted else {
            if !names_trust {
                self.findings.push(mismatch(signing.subject().to_string(), "none".to_owned()));
            }
            return;
        };
        let same =
            |a: &Certificate, b: &Certificate| a == b || (a.has_key_of(b) && a.subject() == b.subject());
        let subjects = |certificates: &[&Certificate]| list(certificates.iter().map(|it| it.subject()));
        let strangers: Vec<_> = trusted.is.iter().filter(|it| !own.iter().any(|own| same(own, it))).collect();
        let signers: Vec<_> = trusted.is.iter().filter(|it| same(it, signing)).collect();
        if let Some(old) = signers
            .first()
            .filter(|_| signing.is_valid_at(self.now) && !signers.iter().any(|it| it.is_valid_at(self.now)))
        {
            // Renewed for the same key, which a client that holds the old certificate does not know.
            let found = format!("one that is valid from {} to {}", old.not_before(), old.not_after());
            self.findings.push(mismatch(
                format!("the authority of pki/ca.crt, {}, as it is now", signing.subject()),
                found,
            ));
        } else if signers.is_empty() {
            let found = match strangers.iter().find(|it| it.subject() == signing.subject()) {
                Some(_) => format!("another authority of that name ({})", signing.subject()),
                None => subjects(&trusted.is.iter().collect::<Vec<_>>()),
            };
            self.findings
                .push(mismatch(format!("the authority of pki/ca.crt, {}", signing.subject()), found));
        } else if !strangers.is_empty() {
            let expected = "only the authorities of pki/ca.crt".to_owned();
            let found = format!("{} too", subjects(&strangers));
            self.findings.push(mismatch(expected, found).severity_is(Severity::Warning));
        }
    }

    /// Whether the server of the current context is the cluster's, and clients will believe its certificate.
    pub(super) fn server(&mut self, role: Role, held: &Held) {
        let Some(at) = held.kubeconfig.as_ref().filter(|_| self.expected.knows_server(role)) else { return };
        let Some(cluster) = at.is.current_cluster() else { return };
        let expected = self.expected.server(role);
        let found = Endpoint::from_url(&cluster.server);
        if found.as_ref() == Some(&expected) && cluster.tls_server_name.is_none() {
            return;
        }
        let names = self.server_names.as_ref();
        let is_named = |name: &San| names.is_some_and(|names| names.iter().any(|own| covers(own, name)));
        let is_this_cluster =
            |found: &Endpoint| self.expected.servers().any(|known| known == *found) || is_named(&found.san());
        // The name that clients look for instead of the host.
        let name = cluster.tls_server_name.as_deref().filter(|name| !name.is_empty());
        let named = name.map(|name| name.to_ascii_lowercase().parse::<San>());
        let severity = match (&found, &named) {
            (Some(_), Some(Ok(name))) if is_named(name) => Severity::Note,
            (_, Some(_)) if names.is_some() => Severity::Error,
            (Some(found), None) if is_this_cluster(found) => Severity::Note,
            // Only a description, or the API server's certificate, tells its names.
            (Some(_), _) if names.is_none() && !self.expected.is_described() => return,
            (Some(_), _) if names.is_none() => Severity::Warning,
            _ => Severity::Error,
        };
        let found = match name {
            Some(name) => format!("{:?} as {name:?}", without_password(&cluster.server)),
            None => format!("{:?}", without_password(&cluster.server)),
        };
        let finding = Finding::new(FindingId::KubeconfigServerMismatch, &at.file, expected.url(), found);
        let mend = match severity {
            Severity::Note => "nothing: it is the same cluster, while its server's certificate has that name",
            _ => "let a plan set it, if the cluster is described right",
        };
        self.findings.push(finding.role_is(role).severity_is(severity).mend_by(mend));
    }
}

/// A URL without the user and the password in it.
fn without_password(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://(a password)@{host}{path}"),
        None => url.to_owned(),
    }
}

/// What of a user's credential is missing.
fn lacks(user: &User) -> Option<&'static str> {
    let has_certificate = user.client_certificate_data.is_some() || user.client_certificate.is_some();
    let has_key = user.client_key_data.is_some() || user.client_key.is_some();
    let has_other = user.token.is_some()
        || user.token_file.is_some()
        || user.exec.is_some()
        || user.auth_provider.is_some()
        || user.password.is_some();
    match (has_certificate, has_key) {
        (true, true) => None,
        (true, false) => Some("no key"),
        (false, true) => Some("no certificate"),
        (false, false) if has_other => None,
        (false, false) => Some("none"),
    }
}

/// What the current context of a kubeconfig lacks.
fn missing(kubeconfig: &Kubeconfig) -> String {
    let name = &kubeconfig.current_context;
    let context = kubeconfig.contexts.iter().find(|context| context.name == *name);
    match context {
        None if name.is_empty() => "no current context".to_owned(),
        None => format!("no context {name:?}"),
        Some(context) if kubeconfig.current_cluster().is_none() => {
            format!("no cluster {:?}", context.context.cluster)
        }
        Some(context) => format!("no user {:?}", context.context.user),
    }
}
