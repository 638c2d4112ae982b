//! The authorities: their trust files, their keys, and that none is another's.

use std::path::Path;

use super::{Audit, NOTHING, list};
use crate::authority::AUTHORITIES;
use crate::finding::{Finding, FindingId};
use crate::key::Signer;
use crate::pki::Held;
use crate::role::Role;
use crate::x509::{Certificate, Usage};

const RENEW: &str = "let a plan renew it with the same key: what it signed stays valid";
const RENEW_ABOVE: &str = "have it renewed with the same key by the authority above it";
const REPLACE: &str = "replace the authority: that is a rotation, which no plan does by itself";
const TAKE_OUT: &str =
    "take that certificate out of the file, once everything was issued by the authority's own";
const SEPARATE: &str = "make this authority anew with a key of its own, and issue again what it signed";

impl Audit<'_> {
    pub(super) fn authorities(&mut self) {
        for role in AUTHORITIES {
            if let Some(held) = self.held.get(&role) {
                self.authority(role, held);
            }
        }
        self.shared();
    }

    fn authority(&mut self, role: Role, held: &Held) {
        let Some(at) = &held.certificates else { return };
        for (index, certificate) in at.is.iter().enumerate() {
            let mend = self.mend_authority(role, certificate);
            self.may_sign(role, &at.file, certificate, mend);
            match index {
                0 => self.validity(role, &at.file, certificate, mend),
                _ => self.validity_of_old(role, &at.file, certificate),
            }
            self.key(role, &at.file, certificate.public_key(), REPLACE);
            self.extensions(role, &at.file, certificate, REPLACE);
            self.name_constraints(role, &at.file, certificate);
        }
        let Some(certificate) = at.is.first() else { return };
        let name = self.expected.authority_name(role);
        if self.expected.is_described() && certificate.subject().common_name() != Some(&name) {
            let (expected, found) = (format!("CN={name}"), certificate.subject().to_string());
            let finding = Finding::new(FindingId::DiffersFromConvention, &at.file, expected, found);
            self.findings.push(finding.role_is(role).mend_by(NOTHING));
        }
        if let Some(key) = held.key.as_ref().filter(|key| key.is.public_key() != certificate.public_key()) {
            let expected = format!("the private key of {}", certificate.subject());
            let found = format!("another key ({})", key.is.public_key());
            let is_known = |held: &Held| {
                let mut trusted = held.trusted.iter().flat_map(|trusted| &trusted.is);
                trusted.any(|trusted| trusted.public_key() == key.is.public_key())
            };
            let mend = match self.held.values().any(is_known) {
                true => "put the certificate of this key back: kubeconfigs still hold it",
                false => {
                    "put the key beside that belongs to the certificate, or none (the authority is then external)"
                }
            };
            let finding = Finding::new(FindingId::CaKeyMismatch, &key.file, expected, found);
            self.findings.push(finding.role_is(role).mend_by(mend));
        }
    }

    /// Whether components believe what it signs.
    fn may_sign(&mut self, role: Role, file: &Path, certificate: &Certificate, mend: &str) {
        let subject = certificate.subject();
        let needed: &[Usage] = match role {
            Role::FrontProxyCa => &[Usage::ClientAuth],
            _ => &[Usage::ServerAuth, Usage::ClientAuth],
        };
        let excluded: Vec<_> = needed.iter().filter(|usage| !certificate.allows(**usage)).collect();
        let finding = if !certificate.is_authority() {
            let mend = match mend == RENEW && Held::acts_as_authority(self.held, role, certificate) {
                true => mend,
                false => "put the authority's own certificate here",
            };
            Finding::new(
                FindingId::NotAnAuthority,
                file,
                "a certificate authority (CA:TRUE)",
                format!("the certificate {subject}"),
            )
            .mend_by(mend)
        } else if !certificate.may_sign_certificates() {
            let found = format!("{subject}, with {}", list(certificate.usages()));
            Finding::new(FindingId::AuthorityUsageMissing, file, Usage::CertSign.id(), found).mend_by(mend)
        } else if !excluded.is_empty() {
            let found = format!("{subject}, limited to {}", list(certificate.usages()));
            Finding::new(FindingId::AuthorityUsageMissing, file, list(excluded), found).mend_by(mend)
        } else {
            return;
        };
        self.findings.push(finding.role_is(role));
    }

    fn mend_authority(&self, role: Role, certificate: &Certificate) -> &'static str {
        let key = self.held.get(&role).and_then(|held| held.key.as_ref());
        let has_key = key.is_some_and(|key| key.is.public_key() == certificate.public_key());
        match (certificate.is_self_signed(), has_key) {
            (true, true) => RENEW,
            (true, false) => "have it renewed with the same key where that is",
            (false, _) => RENEW_ABOVE,
        }
    }

    /// That nobody is believed who was meant for something else.
    fn shared(&mut self) {
        let all = AUTHORITIES.into_iter().filter_map(|role| self.trusted(role)).flatten();
        let below: Vec<_> = all.filter(|certificate| !certificate.is_self_signed()).collect();
        for role in AUTHORITIES {
            let Some(at) = self.held.get(&role).and_then(|held| held.certificates.as_ref()) else { continue };
            let earlier = AUTHORITIES.into_iter().take_while(|other| *other != role);
            let twin = earlier.into_iter().find(|other| {
                let mut own = at.is.iter();
                let other = self.trusted(*other).unwrap_or_default();
                own.any(|own| other.iter().any(|other| own.has_key_of(other)))
            });
            if let Some(twin) = twin {
                let id = match role {
                    Role::FrontProxyCa => FindingId::SharedFrontProxyAuthority,
                    _ => FindingId::SharedEtcdAuthority,
                };
                let found = format!("the key of {twin}");
                let finding = Finding::new(id, &at.file, "an authority of its own", found).role_is(role);
                self.findings.push(finding.mend_by(SEPARATE));
            }
            let is_above = |anchor: &&Certificate| {
                below.iter().any(|below| !below.has_key_of(anchor) && below.names_as_issuer(anchor))
            };
            if let Some(anchor) = at.is.iter().find(is_above) {
                let expected = "only the authority's own certificates";
                let found = format!(
                    "{} too, which stands above an authority: whatever it signed is believed",
                    anchor.subject()
                );
                let finding = Finding::new(FindingId::SharedTrustAnchor, &at.file, expected, found);
                self.findings.push(finding.role_is(role).mend_by(TAKE_OUT));
            }
        }
    }
}
