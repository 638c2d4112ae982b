//! [`Pki`]: what one machine holds, in memory first.

mod save;

use std::collections::BTreeMap;

use crate::authority::Authorities;
use crate::cluster::{Cluster, Node};
use crate::error::{Code, Error, Result};
use crate::expected::Expected;
use crate::file::File;
use crate::key::{PrivateKey, generate_all};
use crate::kubeconfig::Kubeconfig;
use crate::layout::Part;
use crate::role::table::Files;
use crate::role::{Profile, Role};
use crate::time::Time;
use crate::x509::Credential;

/// What was issued for one machine: a credential for each of its roles, and all that it is to hold as files.
///
/// ```no_run
/// use kubepki::{Cluster, Node, Pki, Time};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let cluster = Cluster::new("api.example.com:6443".parse()?);
/// let node = Node::control_plane("cp-1".parse()?, "192.0.2.10".parse()?);
/// Pki::create(&cluster, &node, Time::now())?.save("/etc/kubernetes")?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Pki {
    expected: Expected,
    authorities: Authorities,
    credentials: BTreeMap<Role, Credential>,
    files: Vec<File>,
}

impl Pki {
    /// Makes a new cluster's authorities, and all that its first node holds, super-admin.conf included.
    ///
    /// # Errors
    ///
    /// As [`Authorities::create`] and [`Authorities::join`].
    pub fn create(cluster: &Cluster, node: &Node, now: Time) -> Result<Self> {
        Authorities::create(cluster, now)?.first(cluster, node, now)
    }

    /// The machine's files, authorities first, then in the order of the role table.
    pub fn files(&self) -> impl Iterator<Item = &File> {
        self.files.iter()
    }

    /// What this machine was to hold: it gives the [arguments](Expected::arguments) of its components, which name no key
    /// that is not among its files.
    #[must_use]
    pub fn expected(&self) -> &Expected {
        &self.expected
    }

    /// The authorities as the machine holds them: on a control-plane node with their keys, elsewhere only the certificates
    /// that it needs.
    #[must_use]
    pub fn authorities(&self) -> &Authorities {
        &self.authorities
    }

    /// The credential of a role, also of those that lie in a kubeconfig.
    #[must_use]
    pub fn credential(&self, role: Role) -> Option<&Credential> {
        self.credentials.get(&role)
    }

    /// The credentials, in the order of the role table.
    pub fn credentials(&self) -> impl Iterator<Item = (Role, &Credential)> {
        self.credentials.iter().map(|(role, credential)| (*role, credential))
    }
}

impl Authorities {
    /// Issues all that another node of the cluster holds: a control-plane node, a worker or an etcd member.
    ///
    /// Keys of authorities and of service accounts go to control-plane nodes only. The keys of one machine are made on
    /// all cores. May be called from several threads at once, for a fleet.
    ///
    /// # Errors
    ///
    /// [`Code::NoIssuer`] when the key of an authority or the service-account key is missing that the node needs,
    /// [`Code::SharedAuthority`] when one authority serves as two, [`Code::Invalid`] for a description that contradicts
    /// itself, and the errors of [`Issuer::issue`](crate::Issuer::issue), with the role as their place.
    pub fn join(&self, cluster: &Cluster, node: &Node, now: Time) -> Result<Pki> {
        self.machine(&Expected::new(cluster, node), now)
    }

    /// Issues all that the first control-plane node of the cluster holds: with super-admin.conf, which no later one
    /// gets.
    ///
    /// # Errors
    ///
    /// As [`join`](Self::join), and [`Code::Invalid`] for a node that is no control-plane node: nobody would hold the
    /// cluster's keys.
    pub fn first(&self, cluster: &Cluster, node: &Node, now: Time) -> Result<Pki> {
        let expected = Expected::first(cluster, node);
        match expected.is_control_plane() {
            true => self.machine(&expected, now),
            false => {
                let rule = "a control-plane node to begin a cluster with";
                Err(Error::invalid("node", rule, node.name().as_str()))
            }
        }
    }

    fn machine(&self, expected: &Expected, now: Time) -> Result<Pki> {
        expected.check()?;
        self.check()?;
        let credentials = self.issue_all(expected, now)?;
        let authorities = self.for_node(expected);
        let mut files = authorities.files();
        for (role, credential) in &credentials {
            match role.row().files {
                Files::Kubeconfig { .. } => {
                    let kubeconfig = Kubeconfig::for_role(expected, &authorities, *role, credential)?;
                    files.extend(File::new(*role, Part::Kubeconfig, kubeconfig.to_yaml().as_bytes()));
                }
                _ => {
                    files.extend(File::new(*role, Part::Certificate, credential.chain_pem()));
                    files.extend(File::new(*role, Part::Key, credential.key().to_pem().as_bytes()));
                }
            }
        }
        let is_external = |role: &Role| authorities.get(*role).is_some_and(|it| !it.has_key());
        let expected = expected.authorities().filter(is_external).fold(expected.clone(), Expected::external);
        Ok(Pki { expected, authorities, credentials, files })
    }

    fn issue_all(&self, expected: &Expected, now: Time) -> Result<BTreeMap<Role, Credential>> {
        // Before any key is made: what cannot be signed needs none.
        expected.profiles().try_for_each(|profile| self.issuer_for(profile).map(drop))?;
        if expected.is_control_plane() && !self.has_service_account_key() {
            return Err(Error::new(Code::NoIssuer, "the service-account key, sa.key")
                .found("none")
                .role(Role::ServiceAccount));
        }
        let algorithms: Vec<_> = expected.profiles().map(Profile::key_algorithm).collect();
        let issue = |(profile, key): (&Profile, PrivateKey)| {
            let credential = self.issuer_for(profile)?.issue_with_key(profile, key, now);
            Ok((profile.role(), credential.map_err(|error| error.role(profile.role()))?))
        };
        expected.profiles().zip(generate_all(&algorithms)?).map(issue).collect()
    }
}
