//! Usages and names of leaf certificates.

use std::collections::BTreeSet;

use super::{Audit, DESCRIBE, Leaf, list};
use crate::finding::{FindingId, Severity};
use crate::names::San;
use crate::role::Role;
use crate::x509::{AlternativeName, Certificate, Usage};

impl Audit<'_> {
    pub(super) fn usages(&mut self, leaf: &Leaf<'_>) {
        let certificate = leaf.certificate;
        let wanted = leaf.profile.usages_with(certificate.public_key().is_rsa());
        let has = |usage: &Usage| match usage.is_extended() {
            true => certificate.allows(*usage),
            false => !certificate.limits_key_usages() || certificate.usages().contains(usage),
        };
        // Whether an RSA key may encipher matters to nobody since TLS 1.3, and an EC key cannot.
        let missing: Vec<_> =
            wanted.iter().filter(|usage| **usage != Usage::KeyEncipherment && !has(usage)).collect();
        if !missing.is_empty() {
            let is_refused = missing.iter().any(|usage| usage.is_extended());
            let severity = if is_refused { Severity::Error } else { Severity::Warning };
            let (expected, found) = (list(missing), list(certificate.usages()));
            self.findings.push(leaf.judged(severity, FindingId::UsageMissing, expected, found));
        }
        if certificate.is_unlimited() {
            // Components take it for everything; kubeadm renews none that says nothing (pki_helpers.go, `NewSignedCert`).
            let extended = wanted.iter().filter(|usage| usage.is_extended());
            let finding =
                leaf.finding(FindingId::UsageMissing, list(extended), "no extended key usage at all");
            self.findings.push(finding.severity_is(Severity::Warning));
        }
        let unexpected = unexpected(leaf, &wanted);
        if let Some(worst) = unexpected.iter().map(|(severity, _)| *severity).max() {
            let found = list(unexpected.into_iter().map(|(_, what)| what));
            let finding = leaf.finding(FindingId::UsageUnexpected, format!("only {}", list(&wanted)), found);
            self.findings.push(finding.severity_is(worst));
        }
        let (wants, has) = (
            wanted.contains(&Usage::KeyEncipherment),
            certificate.usages().contains(&Usage::KeyEncipherment),
        );
        if wants != has && certificate.limits_key_usages() && self.expected.is_described() {
            let says = |it| if it { "key encipherment" } else { "no key encipherment" };
            self.findings.push(leaf.finding(FindingId::DiffersFromConvention, says(wants), says(has)));
        }
    }

    pub(super) fn names(&mut self, leaf: &Leaf<'_>) {
        let found = leaf.certificate.sans();
        if !leaf.profile.is_serving() {
            if !found.is_empty() {
                let (expected, found) = ("a client certificate without names", list(found));
                self.findings.push(leaf.finding(FindingId::ClientCertificateHasSan, expected, found));
            }
            return;
        }
        let is_missing = |san: &&San| !found.iter().any(|name| covers(name, san));
        let missing: Vec<_> =
            leaf.profile.needed_sans().filter(is_missing).map(AlternativeName::from).collect();
        if !missing.is_empty() {
            self.findings.push(leaf.finding(FindingId::SanMissing, list(&missing), list(found)));
        }
        if leaf.role == Role::ApiServer && !self.expected.is_described() && missing.is_empty() {
            self.service_address(leaf);
        }
        let conventional: Vec<_> =
            leaf.profile.sans().iter().filter(is_missing).map(AlternativeName::from).collect();
        let conventional: Vec<_> = conventional.iter().filter(|name| !missing.contains(name)).collect();
        if !conventional.is_empty() {
            let expected = format!("{} too", list(conventional));
            self.findings.push(leaf.finding(FindingId::DiffersFromConvention, expected, list(found)));
        }
        let is_known = |name: &AlternativeName| leaf.profile.sans().iter().any(|san| covers(name, san));
        let unexpected: Vec<_> = found.iter().filter(|name| !is_known(name)).collect();
        if !unexpected.is_empty() {
            let expected = "only the names that are known";
            self.findings.push(leaf.finding(FindingId::SanUnexpected, expected, list(unexpected)));
        }
    }

    /// No file tells which address the service `kubernetes` has, by which every pod calls; but that there is one.
    fn service_address(&mut self, leaf: &Leaf<'_>) {
        let is_other = |name: &AlternativeName| match name {
            AlternativeName::Ip(address) => self.expected.may_be_service(*address),
            _ => false,
        };
        if !leaf.certificate.sans().iter().any(is_other) {
            let expected = "the address of the service kubernetes, the first of the service subnet";
            let finding = leaf.finding(FindingId::SanMissing, expected, list(leaf.certificate.sans()));
            self.findings.push(finding.severity_is(Severity::Warning).mend_by(DESCRIBE));
        }
    }
}

/// What a certificate is good for beyond its role, and how bad that is.
fn unexpected(leaf: &Leaf<'_>, wanted: &BTreeSet<Usage>) -> Vec<(Severity, String)> {
    let certificate = leaf.certificate;
    let mut unexpected = Vec::new();
    if certificate.is_authority() {
        unexpected.push((Severity::Error, "CA:TRUE".to_owned()));
    }
    // To be a client is to be somebody.
    if !wanted.contains(&Usage::ClientAuth) && certificate.allows(Usage::ClientAuth) {
        let what = match certificate.usages().contains(&Usage::ClientAuth) {
            true => Usage::ClientAuth.to_string(),
            false => "no limit to extended usages, so also client auth".to_owned(),
        };
        unexpected.push((severity_as_client(leaf.role, certificate), what));
    }
    let known = [Usage::KeyEncipherment, Usage::ClientAuth, Usage::Any];
    let others =
        certificate.usages().iter().filter(|usage| !wanted.contains(usage) && !known.contains(usage));
    unexpected.extend(others.map(|usage| (Severity::Warning, usage.to_string())));
    unexpected
}

/// How bad it is that a server is let in as a client too.
fn severity_as_client(role: Role, certificate: &Certificate) -> Severity {
    let name = certificate.subject().common_name();
    match role.authority() {
        Some(Role::KubernetesCa) if name.is_some() => Severity::Error,
        Some(Role::FrontProxyCa) if name == Role::FrontProxyClient.common_name() => Severity::Error,
        _ => Severity::Warning,
    }
}

/// Whether a client that looks for `san` is content with `name` (Go, crypto/x509, `VerifyHostname`).
pub(super) fn covers(name: &AlternativeName, san: &San) -> bool {
    match (name, san) {
        (AlternativeName::Ip(address), San::Ip(wanted)) => address.to_canonical() == *wanted,
        // kubeadm writes a node's name that is an address as a DNS name; clients look among the addresses.
        (AlternativeName::Ip(address), San::Dns(wanted)) => {
            wanted.as_str().parse() == Ok(address.to_canonical())
        }
        (AlternativeName::Dns(name), San::Dns(wanted)) => {
            let (name, wanted) = (name.trim_end_matches('.'), wanted.as_str());
            let below = |name: &str| {
                let rest = name.strip_prefix('*')?;
                let label =
                    wanted.len().checked_sub(rest.len()).and_then(|end| wanted.split_at_checked(end))?;
                Some(label.1.eq_ignore_ascii_case(rest) && !label.0.is_empty() && !label.0.contains('.'))
            };
            name.eq_ignore_ascii_case(wanted) || below(name).unwrap_or(false)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cover_what_go_says_they_do() {
        for (name, wanted, expected) in [
            ("API.example.com", "api.example.com", true),
            ("api.example.com.", "api.example.com", true),
            ("*.example.com", "api.example.com", true),
            ("*.example.com", "a.b.example.com", false),
            ("*.example.com", "example.com", false),
            ("*.example.com", "*.example.com", true),
            ("*", "localhost", true),
            ("api.example.com", "api.example.org", false),
        ] {
            let wanted = wanted.parse::<San>().unwrap();
            assert_eq!(covers(&AlternativeName::Dns(name.to_owned()), &wanted), expected, "{name} {wanted}");
        }
    }
}
