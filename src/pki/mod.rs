//! [`Pki`]: what one machine holds, in memory first.

mod file;
mod save;

use std::collections::BTreeMap;

pub use file::File;

use crate::authority::Authorities;
use crate::cluster::{Cluster, Node, NodeKind};
use crate::error::{Code, Error, Result};
use crate::expected::{Expected, Turn};
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

    /// The authorities that issued it: all of the cluster's, with every key that is here, also for a worker. What the
    /// machine itself is to hold of them is among the [`files`](Self::files).
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
        self.machine(cluster, node, Turn::Later, now)
    }

    /// Issues all that the first control-plane node of the cluster holds: with super-admin.conf, which no later one
    /// gets.
    ///
    /// # Errors
    ///
    /// As [`join`](Self::join).
    pub fn first(&self, cluster: &Cluster, node: &Node, now: Time) -> Result<Pki> {
        self.machine(cluster, node, Turn::First, now)
    }

    fn machine(&self, cluster: &Cluster, node: &Node, turn: Turn, now: Time) -> Result<Pki> {
        cluster.check()?;
        node.check()?;
        self.check()?;
        let expected = Expected::at_turn(cluster, node, turn);
        let credentials = self.issue_all(&expected, now)?;
        let mut files = self.files_for(&expected)?;
        for (role, credential) in &credentials {
            match role.row().files {
                Files::Kubeconfig { .. } => {
                    let kubeconfig = Kubeconfig::for_role(&expected, self, *role, credential)?;
                    files.extend(File::new(*role, Part::Kubeconfig, kubeconfig.to_yaml().as_bytes()));
                }
                _ => {
                    files.extend(File::new(*role, Part::Certificate, credential.chain_pem()));
                    files.extend(File::new(*role, Part::Key, credential.key().to_pem().as_bytes()));
                }
            }
        }
        Ok(Pki { authorities: self.clone(), credentials, files })
    }

    fn issue_all(&self, expected: &Expected, now: Time) -> Result<BTreeMap<Role, Credential>> {
        // Before any key is made: what cannot be signed needs none.
        for profile in expected.profiles() {
            profile.role().authority().map(|authority| self.issuer(authority)).transpose()?;
        }
        let algorithms: Vec<_> = expected.profiles().map(Profile::key_algorithm).collect();
        let issue = |(profile, key): (&Profile, PrivateKey)| {
            let role = profile.role();
            let issuer = self.issuer(role.authority().unwrap_or(role))?;
            let credential = issuer.issue_with_key(profile, key, now).map_err(|error| error.role(role))?;
            Ok((role, credential))
        };
        expected.profiles().zip(generate_all(&algorithms)?).map(issue).collect()
    }

    /// The authorities' own files that the node needs. Keys go to control-plane nodes only: who has one is the cluster.
    fn files_for(&self, expected: &Expected) -> Result<Vec<File>> {
        let mut files = self.files();
        if let NodeKind::ControlPlane { .. } = expected.node.kind {
            if self.service_account_key().is_none() {
                return Err(Error::new(Code::NoIssuer, "the service-account key, sa.key")
                    .found("none")
                    .role(Role::ServiceAccount));
            }
            let unneeded =
                |role: Role| role.authority_of_a_cluster() && !expected.authorities().any(|it| it == role);
            files.retain(|file| !unneeded(file.role()));
        } else {
            files.retain(|file| {
                file.part() == Part::Certificate && expected.authorities().any(|it| it == file.role())
            });
        }
        Ok(files)
    }
}
