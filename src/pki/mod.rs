//! [`Pki`]: what one machine holds, in memory first.

mod held;
mod infer;
mod load;
mod save;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::authority::Authorities;
use crate::cluster::{Cluster, Node};
use crate::error::{Code, Error, Result};
use crate::expected::Expected;
use crate::file::File;
use crate::key::{PrivateKey, Signer, generate_all};
use crate::kubeconfig::Kubeconfig;
use crate::layout::{Layout, Part};
use crate::role::table::Files;
use crate::role::{Profile, Role};
use crate::time::Time;
use crate::x509::Credential;
pub(crate) use held::Held;
pub(crate) use load::{Contents, Reference, Seen};

/// What one machine holds: a credential for each of its roles, and all of its files. Made by [`create`](Self::create) and
/// [`Authorities::join`], or [loaded](Self::load).
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
    layout: Layout,
    seen: Seen,
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

    /// What this machine is to hold, as it was described, or where it was [loaded](Self::load), as its
    /// [files tell](Expected::inferred): it gives the [arguments](Expected::arguments) of its components, which name no
    /// key that is not among its files.
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

    /// Lets `signer` sign for an authority whose key is not here: [`Authorities::attach`].
    ///
    /// # Errors
    ///
    /// As [`Authorities::attach`].
    pub fn attach(&mut self, authority: Role, signer: Arc<dyn Signer>) -> Result<()> {
        self.authorities.attach(authority, signer)
    }

    /// A file by what it is.
    pub(crate) fn file(&self, role: Role, part: Part) -> Option<&File> {
        self.files.iter().find(|file| (file.role(), file.part()) == (role, part))
    }

    /// Puts a file in the place of the one that there was, or adds it. Call [`refresh`](Self::refresh) afterwards.
    pub(crate) fn put(&mut self, file: File) {
        match self.files.iter_mut().find(|old| old.path() == file.path()) {
            Some(old) => *old = file,
            None => {
                self.files.push(file);
                self.files.sort_by_key(|file| (file.role(), file.part()));
            }
        }
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(crate) fn seen(&self) -> &Seen {
        &self.seen
    }

    /// What a file was when it was loaded.
    pub(crate) fn loaded(&self, file: &File) -> Option<&File> {
        self.seen.files.iter().find(|old| old.path() == file.path())
    }

    /// Says that every file has been written.
    pub(crate) fn is_on_disk(&mut self) {
        self.seen.files.clone_from(&self.files);
    }

    /// A file's path as findings name it.
    pub(crate) fn shown(&self, file: &File) -> PathBuf {
        self.layout.shown(&self.layout.absolute(file.path()))
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
        let layout = expected.layout.clone();
        Ok(Pki { expected, authorities, credentials, files, layout, seen: Seen::default() })
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
