//! [`Profile`]: what one certificate must be, as plain data.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use super::accept::looks_like_group;
use super::table::{CommonName, Kind, MASTERS, NODE_USER};
use crate::cluster::{Cluster, Convention, Node};
use crate::finding::Severity;
use crate::key::KeyAlgorithm;
use crate::names::San;
use crate::role::Role;
use crate::x509::{AlternativeName, Certificate, Usage};

/// What one certificate must be: role, subject, usages, subject alternative names, lifetime and key algorithm.
///
/// It holds no key, no moment and no file. The builders of [`role`](crate::role) make profiles, and an
/// [`Issuer`](crate::Issuer) makes certificates of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    role: Role,
    kind: Kind,
    convention: Convention,
    common_name: String,
    organizations: Vec<String>,
    /// Those that the role has, whatever a certificate in use has instead.
    rule_organizations: Vec<String>,
    path_length: Option<u8>,
    sans: Vec<San>,
    /// Those of the names that only the convention asks for.
    conventional_sans: Vec<San>,
    lifetime: Duration,
    key_algorithm: KeyAlgorithm,
}

impl Profile {
    /// The row of the role table for this cluster and node. `given` is the common name where the table has none.
    pub(crate) fn new(role: Role, cluster: &Cluster, node: Option<&Node>, given: &str) -> Self {
        let row = role.row();
        let subject = match cluster.convention {
            Convention::Documented => row.documented,
            Convention::Kubeadm => row.kubeadm,
        };
        let group = subject.organization.filter(|_| !subject.until.is_some_and(|it| cluster.is_since(it)));
        let rule_organizations: Vec<String> = group.into_iter().map(str::to_owned).collect();
        let organizations = match subject.masters_before.is_some_and(|minor| cluster.is_before(minor)) {
            true => vec![MASTERS.to_owned()],
            false => rule_organizations.clone(),
        };
        let node = node.map_or(given, |node| node.name().as_str());
        Self {
            role,
            kind: row.kind,
            convention: cluster.convention,
            common_name: match subject.common_name {
                CommonName::Given => given.to_owned(),
                CommonName::Fixed(name) => name.to_owned(),
                CommonName::Node => node.to_owned(),
                CommonName::SystemNode => format!("{NODE_USER}{node}"),
            },
            rule_organizations,
            organizations,
            path_length: None,
            sans: Vec::new(),
            conventional_sans: Vec::new(),
            lifetime: match row.kind {
                Kind::Authority => cluster.authority_lifetime,
                _ => cluster.leaf_lifetime,
            },
            key_algorithm: cluster.key_algorithm,
        }
        .with_common_name_as_san()
    }

    /// kubeadm's authorities carry their common name as a DNS name too (client-go, util/cert, `NewSelfSignedCACert`).
    fn with_common_name_as_san(mut self) -> Self {
        if (self.kind, self.convention) == (Kind::Authority, Convention::Kubeadm)
            && let Ok(san) = self.common_name.parse()
        {
            self.sans.push(san);
        }
        self
    }

    pub(crate) fn set_lifetime(&mut self, lifetime: Duration) {
        self.lifetime = lifetime;
    }

    pub(super) fn set_path_length(&mut self, path_length: u8) {
        self.path_length = Some(path_length);
    }

    /// Puts an authority directly below another: it may sign leaves only.
    pub(crate) fn below_parent(mut self) -> Self {
        self.set_path_length(0);
        self
    }

    pub(super) fn add_group(&mut self, group: String) {
        if !self.organizations.contains(&group) {
            self.rule_organizations.push(group.clone());
            self.organizations.push(group);
        }
    }

    pub(super) fn add_client_authentication(&mut self) {
        self.kind = Kind::ServerAndClient;
    }

    /// Adds names that Kubernetes can do without.
    pub(super) fn add_conventional_sans(&mut self, sans: impl IntoIterator<Item = San>) {
        for san in sans {
            if !self.sans.contains(&san) {
                self.add_sans([san.clone()]);
                self.conventional_sans.push(san);
            }
        }
    }

    /// Adds names and brings all into the convention's order: kubeadm sorts the DNS names by their bytes
    /// (pki_helpers.go, `RemoveDuplicateAltNames`); addresses keep their order. None stands there twice.
    pub(super) fn add_sans(&mut self, sans: impl IntoIterator<Item = San>) {
        for san in sans {
            self.conventional_sans.retain(|other| *other != san);
            self.sans.push(san);
        }
        let mut seen = HashSet::new();
        self.sans.retain(|san| seen.insert(san.clone()));
        self.sans.sort_by_key(|san| match (san, self.convention) {
            (San::Dns(name), Convention::Kubeadm) => (0, Some(name.clone())),
            (San::Dns(_), Convention::Documented) => (0, None),
            (San::Ip(_), _) => (1, None),
        });
    }

    /// The role.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// The common name of the subject.
    #[must_use]
    pub fn common_name(&self) -> &str {
        &self.common_name
    }

    /// The organizations of the subject. A certificate holds them in the order of their DER.
    #[must_use]
    pub fn organizations(&self) -> &[String] {
        &self.organizations
    }

    /// The subject alternative names: first the DNS names, then the addresses.
    #[must_use]
    pub fn sans(&self) -> &[San] {
        &self.sans
    }

    /// How long a certificate is valid from the moment of issuing.
    #[must_use]
    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// The algorithm of the key.
    #[must_use]
    pub fn key_algorithm(&self) -> KeyAlgorithm {
        self.key_algorithm
    }

    /// Whether the certificate signs others.
    #[must_use]
    pub fn is_authority(&self) -> bool {
        self.kind == Kind::Authority
    }

    /// How many authorities may stand between this authority and a leaf; `None` when that is not limited.
    #[must_use]
    pub fn path_length(&self) -> Option<u8> {
        self.path_length
    }

    /// The key usages and extended key usages.
    #[must_use]
    pub fn usages(&self) -> BTreeSet<Usage> {
        self.usages_with(self.key_algorithm.is_rsa())
    }

    /// The usages with a key that is one of RSA or not. An EC key cannot encipher (RFC 8813, section 3); kubeadm says
    /// so all the same.
    pub(crate) fn usages_with(&self, rsa: bool) -> BTreeSet<Usage> {
        let documented = self.convention == Convention::Documented;
        let mut usages = BTreeSet::from([Usage::DigitalSignature]);
        if rsa || !documented {
            usages.insert(Usage::KeyEncipherment);
        }
        match self.kind {
            Kind::Authority => {
                usages.insert(Usage::CertSign);
                if documented {
                    usages.insert(Usage::CrlSign);
                }
            }
            Kind::Server => _ = usages.insert(Usage::ServerAuth),
            Kind::Client => _ = usages.insert(Usage::ClientAuth),
            Kind::ServerAndClient => usages.extend([Usage::ServerAuth, Usage::ClientAuth]),
            Kind::KeyPair => {}
        }
        usages
    }

    /// The names by which somebody reaches the holder: those without which a client would refuse it.
    pub(crate) fn needed_sans(&self) -> impl Iterator<Item = &San> {
        self.sans.iter().filter(|san| !self.conventional_sans.contains(san))
    }

    /// The organizations by which an audit judges.
    pub(crate) fn rule_organizations(&self) -> &[String] {
        &self.rule_organizations
    }

    /// Whether the holder shows it to servers.
    pub(crate) fn is_client(&self) -> bool {
        matches!(self.kind, Kind::Client | Kind::ServerAndClient)
    }

    /// This profile without names that stand for unknown ones.
    pub(crate) fn without_unknown_sans(mut self) -> Self {
        self.sans.retain(|san| !san.is_unknown());
        self
    }

    /// This profile with what may stay of a certificate in use, where nothing is known but the files: names, key
    /// algorithm, and a subject that is accepted.
    pub(crate) fn adopting(mut self, certificate: &Certificate) -> Self {
        if let (Severity::Note | Severity::Warning, Some(name)) =
            (self.role.accepts().other_common_name, certificate.subject().common_name())
            && certificate.subject() != certificate.issuer()
        {
            name.clone_into(&mut self.common_name);
        }
        self.key_algorithm = certificate.public_key().algorithm().unwrap_or(self.key_algorithm);
        if self.is_serving() {
            // The names that are there stay in their order.
            let conventional = self.conventional_sans.clone();
            let own = std::mem::take(&mut self.sans);
            self.add_sans(certificate.sans().iter().filter_map(AlternativeName::to_san));
            self.add_sans(own);
            self.conventional_sans = conventional;
        }
        self.keeping_groups(certificate)
    }

    /// This profile with the groups of a certificate in use, if they are accepted: whether others are bound to anything
    /// is known in the cluster only.
    pub(crate) fn keeping_groups(mut self, certificate: &Certificate) -> Self {
        let accepts = self.role.accepts();
        let groups: Vec<_> = certificate.subject().organizations().map(str::to_owned).collect();
        let is_rule = |group: &String| self.organizations.contains(group);
        let is_bearable = |group: &String| is_rule(group) || accepts.group(group) < Severity::Error;
        let is_complete = self.organizations.is_empty()
            || accepts.no_group < Severity::Error
            || groups.iter().any(is_bearable);
        // A group that was put into OU was meant.
        let is_misplaced = certificate.subject().organizational_units().any(looks_like_group);
        if is_complete && !is_misplaced && groups.iter().all(is_bearable) {
            self.organizations = groups;
        }
        self
    }

    /// Whether the holder presents it to clients that may know only the root: it then comes with its intermediates.
    pub(crate) fn is_serving(&self) -> bool {
        matches!(self.kind, Kind::Server | Kind::ServerAndClient)
    }
}
