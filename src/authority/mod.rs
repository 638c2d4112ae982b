//! [`Authority`] and [`Authorities`]: who is trusted, and who signs.

mod files;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::cluster::{Cluster, Etcd};
use crate::error::{Code, Error, Result};
use crate::expected::Expected;
use crate::issuer::Issuer;
use crate::key::{PrivateKey, PublicKey, Signer, generate_all};
use crate::layout::{Part, relative_path};
use crate::role::{self, Profile, Role};
use crate::time::Time;
use crate::x509::{Certificate, Credential, chain_above, check_authorities, leaf, to_pem};

/// The roles of a cluster's own authorities.
pub(crate) const AUTHORITIES: [Role; 3] = [Role::KubernetesCa, Role::EtcdCa, Role::FrontProxyCa];

/// One authority: the certificate that is trusted, and perhaps an [`Issuer`] that signs with its key.
///
/// What is trusted is the authority's own certificate, never one above it: with a common root in a trust file, every
/// component would accept the certificates of a sibling authority too.
#[derive(Clone, Debug)]
pub struct Authority {
    trusted: Vec<Certificate>,
    /// The certificates above, towards the root, as far as they are known.
    above: Vec<Certificate>,
    issuer: Option<Issuer>,
}

impl Authority {
    fn from_issuer(issuer: Issuer) -> Self {
        let (own, above) = issuer.chain().split_at(1);
        Self { trusted: own.to_vec(), above: above.to_vec(), issuer: Some(issuer) }
    }

    /// An external authority: certificates that are trusted, the signing one first, and candidates for what stands above.
    fn from_trusted(trusted: Vec<Certificate>, candidates: &[Certificate]) -> Result<Self> {
        check_authorities(&trusted)?;
        Ok(Self { above: chain_above(leaf(&trusted)?, candidates), trusted, issuer: None })
    }

    /// The certificate that signs, and what stands above it.
    fn chain(&self) -> Vec<Certificate> {
        std::iter::once(self.certificate()).chain(&self.above).cloned().collect()
    }

    /// The authority's certificates that are trusted, the signing one first: the contents of its `.crt` file.
    #[must_use]
    pub fn trusted(&self) -> &[Certificate] {
        &self.trusted
    }

    /// The certificate that signs.
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "every constructor has put one there")]
    pub fn certificate(&self) -> &Certificate {
        &self.trusted[0]
    }

    /// The certificates above this authority's own, towards the root, as far as they are known.
    #[must_use]
    pub fn above(&self) -> &[Certificate] {
        &self.above
    }

    /// What signs. Without one this is an external authority: its key is elsewhere.
    #[must_use]
    pub fn issuer(&self) -> Option<&Issuer> {
        self.issuer.as_ref()
    }

    /// A trusted certificate that stands above another one. An older certificate for the same key does not.
    fn parent_among_trusted(&self) -> Option<&Certificate> {
        self.trusted.iter().find(|parent| {
            self.trusted.iter().any(|other| !other.has_key_of(parent) && other.stands_below(parent))
                || self.above.iter().any(|above| above.has_key_of(parent))
        })
    }

    /// Whether the key is here, and not with a signer or elsewhere.
    pub(crate) fn has_key(&self) -> bool {
        self.issuer().is_some_and(|issuer| issuer.private_key().is_some())
    }

    pub(crate) fn trusted_pem(&self) -> String {
        to_pem(&self.trusted)
    }
}

/// The authorities of a cluster and its service-account key: all that its control-plane nodes share, and the only thing
/// that is ever carried between them. The default is empty.
///
/// ```
/// use kubepki::{Authorities, Cluster, KeyAlgorithm, Node, Time};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let cluster = Cluster::new("api.example.com:6443".parse()?).key_algorithm(KeyAlgorithm::EcdsaP256);
/// let authorities = Authorities::create(&cluster, Time::now())?;
/// let worker = Node::worker("w-1".parse()?).addresses(["192.0.2.20".parse()?]);
/// for file in authorities.join(&cluster, &worker, Time::now())?.files() {
///     println!("{} {:o}", file.path().display(), file.mode());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Authorities {
    authorities: BTreeMap<Role, Authority>,
    service_account: ServiceAccount,
}

/// The service-account keys: one that signs, and those that verify, the signing one's first.
#[derive(Clone, Debug, Default)]
struct ServiceAccount {
    signing: Option<Arc<PrivateKey>>,
    verifying: Vec<PublicKey>,
}

impl ServiceAccount {
    fn new(key: PrivateKey) -> Self {
        Self { verifying: vec![key.public_key().clone()], signing: Some(Arc::new(key)) }
    }
}

impl Authorities {
    /// Makes the authorities of a cluster, each its own root, and the service-account key.
    ///
    /// With [`Etcd::External`] there is no authority for etcd.
    ///
    /// # Errors
    ///
    /// As [`Issuer::self_signed`], and [`Code::Invalid`] for a description that contradicts itself.
    pub fn create(cluster: &Cluster, now: Time) -> Result<Self> {
        Self::make(cluster, |profile, key| Issuer::self_signed_with_key(&profile, key, now))
    }

    /// Makes the authorities of a cluster as intermediates below `parent`, which may sign leaves only, and the
    /// service-account key.
    ///
    /// Trust files hold the intermediates alone, never what stands above them. Where `parent` knows its root, a file
    /// `root-ca.crt` is made for people and for clients that want a root.
    ///
    /// # Errors
    ///
    /// As [`Issuer::intermediate`], and [`Code::Invalid`] for a description that contradicts itself.
    pub fn create_under(parent: &Issuer, cluster: &Cluster, now: Time) -> Result<Self> {
        Self::make(cluster, |profile, key| parent.intermediate_with_key(&profile.below_parent(), key, now))
    }

    fn make(cluster: &Cluster, issuer: impl Fn(Profile, PrivateKey) -> Result<Issuer>) -> Result<Self> {
        cluster.check()?;
        let mut profiles =
            vec![role::KubernetesCa::new(cluster).profile(), role::FrontProxyCa::new(cluster).profile()];
        if !matches!(cluster.etcd, Etcd::External { .. }) {
            profiles.push(role::EtcdCa::new(cluster).profile());
        }
        let mut keys = generate_all(&vec![cluster.key_algorithm; profiles.len() + 1])?;
        let service_account = keys.pop().map(ServiceAccount::new).unwrap_or_default();
        let authorities = profiles
            .into_iter()
            .zip(keys)
            .map(|(profile, key)| Ok((profile.role(), Authority::from_issuer(issuer(profile, key)?))));
        Ok(Self { authorities: authorities.collect::<Result<_>>()?, service_account })
    }

    /// Takes authorities that exist, and the service-account key. What a node does not need may be missing.
    ///
    /// # Errors
    ///
    /// [`Code::Invalid`] for another role than [`Role::KubernetesCa`], [`Role::EtcdCa`] and [`Role::FrontProxyCa`], and
    /// for one that is given twice, [`Code::SharedAuthority`] when one key serves as two or one stands below another.
    pub fn from_issuers(
        issuers: impl IntoIterator<Item = (Role, Issuer)>,
        service_account: PrivateKey,
    ) -> Result<Self> {
        let mut this = Self { service_account: ServiceAccount::new(service_account), ..Self::default() };
        for (role, issuer) in issuers {
            this.add(role, issuer)?;
        }
        Ok(this)
    }

    /// Adds an authority that exists.
    ///
    /// # Errors
    ///
    /// As [`from_issuers`](Self::from_issuers); nothing is then added.
    pub fn add(&mut self, authority: Role, issuer: Issuer) -> Result<()> {
        check_role(authority)?;
        if self.get(authority).is_some() {
            return Err(Error::invalid("authority", "each authority once", authority.id()));
        }
        self.authorities.insert(authority, Authority::from_issuer(issuer));
        self.check().inspect_err(|_| _ = self.authorities.remove(&authority))
    }

    /// Lets `signer` sign for an authority whose key is not here.
    ///
    /// # Errors
    ///
    /// [`Code::Invalid`] for the role of no authority, [`Code::NoIssuer`] when it is not here, [`Code::Exists`] when its
    /// key is here, [`Code::KeyMismatch`] when the signer has another key, and otherwise as [`Issuer::with_signer`].
    pub fn attach(&mut self, authority: Role, signer: Arc<dyn Signer>) -> Result<()> {
        check_role(authority)?;
        let expected = || Error::new(Code::NoIssuer, "the certificate of the authority").found("none");
        let known = self.authorities.get_mut(&authority).ok_or_else(|| expected().role(authority))?;
        if known.has_key() {
            let expected = "an authority whose key is elsewhere";
            return Err(Error::new(Code::Exists, expected).found("one whose key is here").role(authority));
        }
        known.issuer =
            Some(Issuer::with_signer(known.chain(), signer).map_err(|error| error.role(authority))?);
        Ok(())
    }

    /// Lets sign again what signed in `old`, where that is still the same key.
    pub(crate) fn attach_signers_of(&mut self, old: &Self) {
        for (role, authority) in &old.authorities {
            if let Some(signer) = authority.issuer().and_then(Issuer::signer) {
                _ = self.attach(*role, signer);
            }
        }
    }

    /// Makes a key and has the authority of the profile's role sign a certificate for it.
    ///
    /// For [`role::Service`], which belongs to no authority of its own, take the [`issuer`](Authority::issuer) of one.
    ///
    /// # Errors
    ///
    /// [`Code::NoIssuer`] when the role has no authority, or its authority or the key is missing, and as
    /// [`Issuer::issue`].
    pub fn issue(&self, profile: &Profile, now: Time) -> Result<Credential> {
        self.issuer_for(profile)?.issue(profile, now)
    }

    /// The authority of a role: [`Role::KubernetesCa`], [`Role::EtcdCa`] or [`Role::FrontProxyCa`].
    #[must_use]
    pub fn get(&self, authority: Role) -> Option<&Authority> {
        self.authorities.get(&authority)
    }

    /// The Kubernetes authority, which clients of the API server trust.
    pub(crate) fn kubernetes(&self) -> Result<&Authority> {
        let missing = || Error::new(Code::NoIssuer, "the Kubernetes authority's certificate").found("none");
        self.get(Role::KubernetesCa).ok_or_else(|| missing().role(Role::KubernetesCa))
    }

    /// The authorities that there are.
    pub fn iter(&self) -> impl Iterator<Item = (Role, &Authority)> {
        self.authorities.iter().map(|(role, authority)| (*role, authority))
    }

    /// The public keys that verify service-account tokens, that of the key that signs first: the contents of sa.pub.
    #[must_use]
    pub fn service_account_keys(&self) -> &[PublicKey] {
        &self.service_account.verifying
    }

    /// The key that signs service-account tokens, sa.key, where it is here.
    #[must_use]
    pub fn service_account_key(&self) -> Option<&PrivateKey> {
        self.service_account.signing.as_deref()
    }

    /// Whether the key that signs service-account tokens is here.
    pub(crate) fn has_service_account_key(&self) -> bool {
        self.service_account.signing.is_some()
    }

    /// The certificates, in PEM, that a client outside the cluster puts into its trust store to reach the API server:
    /// the cluster's authority, and what stands above it for clients that trust roots only (OpenSSL, Python). `None`
    /// without a Kubernetes authority.
    ///
    /// It is for verifying the API server, never for verifying clients.
    #[must_use]
    pub fn trust_store_pem(&self) -> Option<String> {
        let authority = self.get(Role::KubernetesCa)?;
        Some(authority.trusted_pem() + &to_pem(&authority.above))
    }

    /// The issuer of a profile's role.
    pub(crate) fn issuer_for(&self, profile: &Profile) -> Result<&Issuer> {
        let role = profile.role();
        let missing =
            || Error::new(Code::NoIssuer, ONES_OWN_ISSUER).found("a role that belongs to none").role(role);
        self.issuer(role.authority().ok_or_else(missing)?)
    }

    fn issuer(&self, authority: Role) -> Result<&Issuer> {
        let missing = |found| {
            let file = relative_path(authority, Part::Key).unwrap_or_default();
            let expected = format!("the key of this authority ({}) or a signer for it", file.display());
            Err(Error::new(Code::NoIssuer, expected).found(found).role(authority))
        };
        match self.get(authority) {
            None => missing("no such authority"),
            Some(known) => known.issuer().map_or_else(|| missing("its certificate alone"), Ok),
        }
    }

    /// What one node may hold: the authorities that it needs, and their keys and what stands above them on a
    /// control-plane node only. Who has a key is the cluster.
    pub(crate) fn for_node(&self, expected: &Expected) -> Self {
        let mut this = self.clone();
        this.authorities.retain(|role, _| expected.authorities().any(|needed| needed == *role));
        if !expected.is_control_plane() {
            this.service_account = ServiceAccount::default();
            for authority in this.authorities.values_mut() {
                authority.issuer = None;
                authority.above.clear();
            }
        }
        this
    }

    /// Checks that no authority's certificates are believed where another's are meant: none stands above another, and
    /// none is trusted together with what stands above it.
    pub(crate) fn check(&self) -> Result<()> {
        let shared = |role: Role, expected, found| {
            Err(Error::new(Code::SharedAuthority, expected).found(found).role(role))
        };
        for (role, authority) in &self.authorities {
            for (other, trusted) in self.authorities.iter().filter(|(other, _)| *other != role) {
                let mut own = authority.trusted.iter().chain(&authority.above);
                // A key that two have in common is the later one's mistake.
                let is_shared = |own: &Certificate, trusted: &Certificate| {
                    (other < role && own.has_key_of(trusted)) || own.stands_below(trusted)
                };
                if own.any(|own| trusted.trusted.iter().any(|trusted| is_shared(own, trusted))) {
                    let found = format!("that of {other} ({})", trusted.certificate().subject());
                    return shared(*role, "an authority of its own", found);
                }
            }
            if let Some(parent) = authority.parent_among_trusted() {
                let found = format!("{}, which stands above it", parent.subject());
                return shared(*role, "only the authority's own certificates to be trusted", found);
            }
        }
        Ok(())
    }
}

const ONES_OWN_ISSUER: &str =
    "a role that one of the cluster's authorities signs (for others take an Issuer)";

fn check_role(role: Role) -> Result<()> {
    match AUTHORITIES.contains(&role) {
        true => Ok(()),
        false => Err(Error::invalid("authority", AUTHORITIES.map(Role::id).join(", "), role.id())),
    }
}
