//! Keys: whether they are strong, and whether they belong to what stands beside them.

use std::path::Path;

use super::{Audit, Leaf};
use crate::finding::{Finding, FindingId, Severity};
use crate::key::{PublicKey, Signer};
use crate::pki::Held;
use crate::role::Role;
use crate::x509::Certificate;

impl Audit<'_> {
    /// The private key and the certificate of a leaf.
    pub(super) fn pair(&mut self, role: Role, held: &Held) {
        let (Some(key), Some(certificate)) = (&held.key, held.certificate()) else { return };
        if key.is.public_key() == certificate.public_key() {
            return;
        }
        let is_inside = held.kubeconfig.as_ref().is_some_and(|kubeconfig| kubeconfig.file == key.file);
        let id = if is_inside { FindingId::KubeconfigKeyMismatch } else { FindingId::KeyMismatch };
        let expected = format!("the private key of {}", certificate.subject());
        let found = format!("another key ({})", key.is.public_key());
        let finding = Finding::new(id, &key.file, expected, found).role_is(role);
        self.findings.push(finding.mend_by(self.mend(role, held)));
    }

    pub(super) fn strength(&mut self, leaf: &Leaf<'_>) {
        self.key(leaf.role, leaf.file, leaf.certificate.public_key(), leaf.mend);
        self.extensions(leaf.role, leaf.file, leaf.certificate, leaf.mend);
    }

    pub(super) fn key(&mut self, role: Role, file: &Path, key: &PublicKey, mend: &str) {
        if key.is_strong() {
            return;
        }
        let expected = "a key of RSA from 2048 bits, ECDSA P-256 or ECDSA P-384";
        let (id, severity) = match key.rsa_bits() {
            // Go refuses them (crypto/rsa, `checkKeySize`).
            Some(bits) if bits < 1024 => (FindingId::WeakKey, Severity::Error),
            Some(bits) if bits <= 4096 => (FindingId::WeakKey, Severity::Warning),
            _ => (FindingId::Unsupported, Severity::Warning),
        };
        let finding = Finding::new(id, file, expected, key.description()).role_is(role);
        self.findings.push(finding.severity_is(severity).mend_by(mend));
    }

    /// Extensions that a reader must understand and components do not.
    pub(super) fn extensions(&mut self, role: Role, file: &Path, certificate: &Certificate, mend: &str) {
        let unknown = certificate.unknown_critical_extensions();
        if !unknown.is_empty() {
            let found = format!("the critical extension {}", unknown.join(", "));
            let expected = "no critical extension that components do not know";
            let finding = Finding::new(FindingId::Unsupported, file, expected, found);
            self.findings.push(finding.role_is(role).mend_by(mend));
        }
    }

    /// Limits that components obey and that are not judged here.
    pub(super) fn name_constraints(&mut self, role: Role, file: &Path, certificate: &Certificate) {
        if certificate.has_name_constraints() {
            let expected = "an authority for names of every kind";
            let found = format!(
                "{}, with name constraints: what is signed below may be refused",
                certificate.subject()
            );
            let finding = Finding::new(FindingId::Unsupported, file, expected, found).role_is(role);
            let mend = "check with `openssl verify` that the names of what it signed are permitted";
            self.findings.push(finding.severity_is(Severity::Warning).mend_by(mend));
        }
    }

    /// sa.key and sa.pub.
    pub(super) fn service_account(&mut self) {
        let Some(held) = self.held.get(&Role::ServiceAccount) else { return };
        let mend = "make a new pair: every token that is out becomes invalid";
        if let Some(key) = &held.key {
            self.key(Role::ServiceAccount, &key.file, key.is.public_key(), mend);
        }
        let (Some(key), Some(public)) = (&held.key, &held.public_keys) else { return };
        if !public.is.contains(key.is.public_key()) {
            let expected =
                format!("the public half of sa.key ({}) among its keys", key.is.public_key().pin());
            let pins: Vec<_> = public.is.iter().map(PublicKey::pin).collect();
            let finding =
                Finding::new(FindingId::ServiceAccountKeyMismatch, &public.file, expected, super::list(pins));
            let mend = "let a plan add it, if sa.key is the cluster's: compare it with other control-plane nodes first";
            self.findings.push(finding.role_is(Role::ServiceAccount).mend_by(mend));
        }
    }
}
