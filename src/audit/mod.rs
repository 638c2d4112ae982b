//! The audit: every file against what it must be, and the files against each other.

mod directory;

use crate::expected::Expected;
use crate::finding::Findings;
use crate::pki::{Held, Pki};
use crate::time::Time;

impl Pki {
    /// Says what is wrong with the machine's files: each against its profile, and what an audit accepts beyond it, and
    /// all against each other.
    ///
    /// `expected` is a description, or what the files themselves tell: [`Expected::inferred`], which a loaded `Pki` has as
    /// its [`expected`](Self::expected). With a description more is known, such as names that are missing everywhere.
    ///
    /// ```
    /// use kubepki::{Cluster, Expected, FindingId, KeyAlgorithm, Node, Pki, Severity, Time};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let cluster = Cluster::new("api.example.com:6443".parse()?).key_algorithm(KeyAlgorithm::EcdsaP256);
    /// let node = Node::control_plane("cp-1".parse()?, "192.0.2.10".parse()?);
    /// let pki = Pki::create(&cluster, &node, Time::now())?;
    /// assert!(pki.audit(pki.expected(), Time::now()).is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn audit(&self, expected: &Expected, now: Time) -> Findings {
        let (held, mut findings) = Held::all(self);
        directory::check(self, &held, expected, &mut findings);
        _ = now;
        findings.sorted()
    }
}
