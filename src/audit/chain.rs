//! Who signed a leaf, and whether that holds until it ends.

use super::{Audit, Leaf, list};
use crate::error::Code;
use crate::finding::{Finding, FindingId, Severity};
use crate::x509::{Certificate, chain_above, path_to};

impl Audit<'_> {
    /// The way from a leaf over the certificates behind it to one that is trusted.
    pub(super) fn chain(&mut self, leaf: &Leaf<'_>, file: &[Certificate]) {
        self.validity(leaf.role, leaf.file, leaf.certificate, leaf.mend);
        let Some(trusted) = leaf.role.authority().and_then(|authority| self.trusted(authority)) else {
            return;
        };
        let Some((between, anchor)) = path_to(file, trusted, self.now) else {
            let between = chain_above(leaf.certificate, file.get(1..).unwrap_or_default());
            let finding = unsigned(leaf, trusted, &between);
            self.findings.push(finding);
            return;
        };
        self.name_of_authority(leaf);
        for intermediate in &between {
            self.validity(leaf.role, leaf.file, intermediate, leaf.mend);
            self.extensions(leaf.role, leaf.file, intermediate, leaf.mend);
            self.name_constraints(leaf.role, leaf.file, intermediate);
            // Usages must be allowed all the way up (Go, crypto/x509, `checkChainForKeyUsage`).
            let usages = leaf.profile.usages();
            let excluded: Vec<_> =
                usages.iter().filter(|usage| usage.is_extended() && !intermediate.allows(**usage)).collect();
            if !excluded.is_empty() {
                let found = format!(
                    "the intermediate {}, limited to {}",
                    intermediate.subject(),
                    list(intermediate.usages())
                );
                self.findings.push(leaf.finding(FindingId::UsageMissing, list(excluded), found));
            }
        }
        for (below, authority) in between.iter().chain([anchor]).enumerate() {
            let is_full = authority.path_length().is_some_and(|most| usize::from(most) < below);
            // What is wrong with the trusted certificate is said where it lies.
            if is_full || (below < between.len() && !authority.may_sign_certificates()) {
                let expected = "intermediates that may sign what stands below them";
                let found = format!("{}, which may not", authority.subject());
                self.findings.push(leaf.finding(FindingId::NotAnAuthority, expected, found));
            }
        }
        // That the first one has expired is said where it lies; those behind it may, as long as nothing needs them.
        if !anchor.is_valid_at(self.now) && trusted.first() != Some(anchor) {
            let expected = "an authority that is valid now";
            let found =
                format!("{}, valid from {} to {}", anchor.subject(), anchor.not_before(), anchor.not_after());
            let is_over = self.now > anchor.not_after();
            let id = if is_over { FindingId::Expired } else { FindingId::NotYetValid };
            self.findings.push(leaf.finding(id, expected, found));
        }
        let mut authorities = between.iter().chain([anchor]);
        let end = leaf.certificate.not_after();
        if let Some(first) = authorities.find(|authority| authority.not_after() < end) {
            let expected = format!("an end not after that of {}, {}", first.subject(), first.not_after());
            self.findings.push(leaf.finding(FindingId::OutlivesAuthority, expected, end.to_string()));
        }
    }

    /// That a leaf does not look like a root.
    fn name_of_authority(&mut self, leaf: &Leaf<'_>) {
        let (subject, issuer) = (leaf.certificate.subject(), leaf.certificate.issuer());
        if subject == issuer && leaf.certificate.authority_key_identifier().is_none() {
            let expected = format!("another name than its authority's (CN={})", leaf.profile.common_name());
            self.findings.push(leaf.finding(FindingId::NamedLikeAuthority, expected, subject.to_string()));
        }
    }

    /// Serial numbers, by which an authority tells its certificates apart.
    pub(super) fn serial_numbers(&mut self) {
        let mut seen: Vec<&Certificate> = Vec::new();
        for (role, held) in self.held {
            let (Some(at), Some(certificate)) = (&held.certificates, held.certificate()) else { continue };
            // Roots are told apart by their keys: many have the number 0, and some no name.
            if certificate.is_self_signed() {
                continue;
            }
            let is_twin = |other: &&&Certificate| {
                other.issuer() == certificate.issuer()
                    && other.authority_key_identifier() == certificate.authority_key_identifier()
                    && other.serial_number() == certificate.serial_number()
                    && **other != certificate
            };
            if let Some(twin) = seen.iter().find(is_twin) {
                let expected = "a serial number of its own";
                let found = format!("that of {}", twin.subject());
                let finding = Finding::new(FindingId::DuplicateSerial, &at.file, expected, found);
                self.findings.push(finding.role_is(*role).mend_by(self.mend(*role, held)));
            }
            seen.push(certificate);
        }
    }
}

/// Why no trusted certificate has signed a leaf.
fn unsigned(leaf: &Leaf<'_>, trusted: &[Certificate], between: &[Certificate]) -> Finding {
    let last = between.last().unwrap_or(leaf.certificate);
    let named = trusted.iter().find(|authority| last.names_as_issuer(authority));
    let Some(authority) = named.or(trusted.first()) else {
        return leaf.finding(
            FindingId::WrongIssuer,
            "a certificate of the authority",
            "none to compare with",
        );
    };
    let Err(error) = last.check_issued_by(authority) else {
        return leaf.finding(FindingId::WrongIssuer, "a certificate of the authority", "another");
    };
    let found = error.found_instead().unwrap_or_default();
    match error.code() {
        Code::BadSignature => leaf.finding(FindingId::BadSignature, error.expected(), found),
        Code::Unsupported => match last.weak_signature_algorithm() {
            Some(name) => {
                let expected = "a signature with SHA-256 or stronger";
                leaf.finding(
                    FindingId::WeakSignature,
                    expected,
                    format!("one with {name}, which components refuse"),
                )
            }
            None => {
                let found = format!("{found}, which cannot be verified here");
                leaf.finding(FindingId::Unsupported, error.expected(), found).severity_is(Severity::Warning)
            }
        },
        // Go looks at the signature in the end, OpenSSL at the identifier.
        _ if last.issuer() == authority.subject() && last.check_signed_by(authority).is_ok() => {
            let expected = "the authority's key identifier";
            let found = "another, though the authority has signed it: OpenSSL refuses it";
            leaf.finding(FindingId::WrongIssuer, expected, found).severity_is(Severity::Warning)
        }
        _ => leaf.finding(FindingId::WrongIssuer, error.expected(), found),
    }
}
