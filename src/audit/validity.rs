//! Whether certificates are valid now, and for how long.

use std::path::Path;
use std::time::Duration;

use super::Audit;
use crate::finding::{Finding, FindingId, Severity};
use crate::role::Role;
use crate::x509::Certificate;

const DAY: Duration = Duration::from_secs(86_400);
/// When a leaf is due: kubeadm's users renew once a month.
const LEAF_IS_DUE: u32 = 30;
/// When an authority is: a new one takes every node and every user.
const AUTHORITY_IS_DUE: u32 = 180;

impl Audit<'_> {
    pub(super) fn validity(&mut self, role: Role, file: &Path, certificate: &Certificate, mend: &str) {
        let (now, begin, end) = (self.now, certificate.not_before(), certificate.not_after());
        let subject = certificate.subject();
        let (id, expected, found) = if now > end {
            (FindingId::Expired, "a certificate that has not expired", format!("{subject}, expired at {end}"))
        } else if now < begin {
            let found = format!("{subject}, valid from {begin} (is the clock right? it says {now})");
            (FindingId::NotYetValid, "a certificate that is valid already", found)
        } else {
            // Short-lived ones are due in the last third of their life.
            let days = if certificate.is_authority() { AUTHORITY_IS_DUE } else { LEAF_IS_DUE };
            let window = (DAY * days).min(end.since(begin) / 3);
            if end.since(now) >= window {
                return;
            }
            let days = end.since(now).as_secs() / DAY.as_secs();
            let found = format!("{subject}, which expires at {end}, in {days} days");
            (FindingId::ExpiresSoon, "a certificate that lasts", found)
        };
        self.findings.push(Finding::new(id, file, expected, found).role_is(role).mend_by(mend));
    }

    /// Of a trust file, those behind the first: nothing is signed by them any more.
    pub(super) fn validity_of_old(&mut self, role: Role, file: &Path, certificate: &Certificate) {
        if self.now > certificate.not_after() {
            let found = format!("{}, expired at {}", certificate.subject(), certificate.not_after());
            let finding = Finding::new(FindingId::Expired, file, "certificates that have not expired", found);
            let mend = "take this certificate out of the file: nothing is valid under it";
            self.findings.push(finding.role_is(role).severity_is(Severity::Warning).mend_by(mend));
        }
    }
}
