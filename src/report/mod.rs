//! Reports for people and for machines.

mod certificates;
mod machines;
mod people;
mod tree;

use crate::finding::Findings;
use crate::pki::Pki;
use crate::time::Time;
use certificates::{Entry, entries};
pub use tree::Tree;

/// What an audit found and what it looked at: for people by [`Display`](std::fmt::Display), for programs by
/// [`to_json`](Self::to_json) and [`to_prometheus`](Self::to_prometheus).
#[derive(Clone, Debug)]
#[must_use]
pub struct Report<'a> {
    pki: &'a Pki,
    findings: &'a Findings,
    now: Time,
    certificates: Vec<Entry>,
}

impl Pki {
    /// The report of an [audit](Self::audit) at the same moment: every certificate with its expiry, its
    /// signer and the worst finding about it, then each finding with what was expected, what was found and
    /// how to mend it, then a verdict in one line.
    ///
    /// ```
    /// use kubepki::{Cluster, KeyAlgorithm, Node, Pki, Time};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let cluster = Cluster::new("api.example.com:6443".parse()?).key_algorithm(KeyAlgorithm::EcdsaP256);
    /// let node = Node::control_plane("cp-1".parse()?, "192.0.2.10".parse()?);
    /// let now = Time::now();
    /// let pki = Pki::create(&cluster, &node, now)?;
    /// let findings = pki.audit(pki.expected(), now);
    /// let report = pki.report(&findings, now);
    /// assert!(report.to_string().contains("pki/ca.crt"));
    /// assert!(report.to_prometheus().contains("kubepki_findings{severity=\"error\"} 0"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn report<'a>(&'a self, findings: &'a Findings, now: Time) -> Report<'a> {
        Report { pki: self, findings, now, certificates: entries(self) }
    }
}
