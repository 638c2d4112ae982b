//! The ConfigMap `cluster-info`, by which a machine that has a bootstrap token comes to trust its cluster.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use base64ct::{Base64, Encoding};
use hmac::Mac;

use super::{BootstrapToken, jws};
use crate::authority::Authorities;
use crate::cluster::{self, Cluster};
use crate::document::record::{self, record};
use crate::document::{self, Value};
use crate::error::{Code, Error, Result};
use crate::key::hmac_sha256;
use crate::kubeconfig::{self, Kubeconfig, NamedCluster, NamedUser, User};
use crate::manifest::{Manifest, named_in};
use crate::names::text_type;
use crate::x509::{Certificate, check_authorities, to_pem};

const API_VERSION: &str = "v1";
const KIND: &str = "ConfigMap";
/// Where the ConfigMap has its kubeconfig, and before which token's ID a signature of it.
const KUBECONFIG: &str = "kubeconfig";
const SIGNATURE: &str = "jws-kubeconfig-";

/// The user of bootstrap kubeconfigs (kubernetes/kubernetes, cmd/kubeadm/app/discovery/discovery.go, `TokenUser`).
const USER: &str = "tls-bootstrap-token-user";

/// Where a cluster is and whom to trust there, with signatures by bootstrap tokens: the ConfigMap `cluster-info` in the
/// namespace `kube-public`, which everybody may read.
///
/// On the cluster's side it is [made](Self::new), perhaps [signed](Self::sign), and [applied](Self::manifest):
/// kube-controller-manager's `bootstrapsigner` signs it for every token of the cluster. A joining machine
/// [reads](Self::from_yaml) what anybody may have sent it, and gets at the contents only by [verifying](Self::verify) it.
///
/// ```
/// use kubepki::token::{BootstrapToken, ClusterInfo};
/// use kubepki::{Authorities, Cluster, KeyAlgorithm, Role, Time};
///
/// # fn main() -> kubepki::Result<()> {
/// let cluster = Cluster::new("api.example.com:6443".parse()?).key_algorithm(KeyAlgorithm::EcdsaP256);
/// let authorities = Authorities::create(&cluster, Time::now())?;
/// let token = BootstrapToken::generate()?;
/// let published = ClusterInfo::new(&cluster, &authorities)?.sign(&token).manifest().to_yaml();
/// # let pin = authorities.get(Role::KubernetesCa).unwrap().certificate().public_key().pin();
///
/// // Elsewhere, with the token and the pin of the cluster's authority:
/// let received = ClusterInfo::from_yaml(published.as_bytes())?.verify(&token, &[pin.parse()?])?;
/// assert_eq!(received.server(), "https://api.example.com:6443");
/// let kubeconfig = received.bootstrap_kubeconfig(&token);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ClusterInfo {
    kubeconfig: String,
    /// By the ID of the token.
    signatures: BTreeMap<String, String>,
}

impl ClusterInfo {
    /// The endpoint of a cluster, and the certificates of its Kubernetes authority. Not signed yet.
    ///
    /// (kubernetes/kubernetes, cmd/kubeadm/app/phases/bootstraptoken/clusterinfo/clusterinfo.go)
    ///
    /// # Errors
    ///
    /// [`Code::NoIssuer`] when there is no Kubernetes authority.
    pub fn new(cluster: &Cluster, authorities: &Authorities) -> Result<Self> {
        let authority = authorities.kubernetes()?.trusted_pem();
        let entry = Value::map([
            ("certificate-authority-data", Base64::encode_string(authority.as_bytes()).as_str().into()),
            ("server", cluster.endpoint.url().as_str().into()),
        ]);
        let mut fields = vec![
            ("apiVersion", "v1".into()),
            ("clusters", [Value::map([("cluster", entry), ("name", "".into())])].into()),
            ("contexts", Value::Null),
            ("current-context", "".into()),
            ("kind", "Config".into()),
        ];
        fields.extend(cluster.has_preferences().then(|| ("preferences", Value::Map(Vec::new()))));
        fields.push(("users", Value::Null));
        let kubeconfig = document::write(&Value::map(fields)).to_string();
        Ok(Self { kubeconfig, signatures: BTreeMap::new() })
    }

    /// Adds the signature by a token, for machines that join before kube-controller-manager has signed.
    #[must_use]
    pub fn sign(mut self, token: &BootstrapToken) -> Self {
        let (header, mac) = detached(&self.kubeconfig, token);
        let signature = jws::encode(&mac.finalize().into_bytes());
        self.signatures.insert(token.id().to_owned(), format!("{header}..{signature}"));
        self
    }

    /// The ConfigMap.
    pub fn manifest(&self) -> Manifest {
        let signatures = self.signatures.iter().map(|(id, jws)| (format!("{SIGNATURE}{id}"), jws.as_str()));
        let mut data: Vec<(String, Value)> = signatures.map(|(key, jws)| (key, jws.into())).collect();
        data.push((KUBECONFIG.to_owned(), self.kubeconfig.as_str().into()));
        let fields = [("data", record::sorted(data))];
        Manifest::object([API_VERSION, KIND], named_in("kube-public", "cluster-info"), fields)
    }

    /// Reads the ConfigMap as YAML or JSON, of at most 1 MiB. Nothing in it is believed yet.
    ///
    /// # Errors
    ///
    /// [`Code::Malformed`] and [`Code::Unsupported`] when it is no ConfigMap, or has no kubeconfig.
    pub fn from_yaml(document: &[u8]) -> Result<Self> {
        const LONGEST: usize = 1 << 20;
        const TYPE: [(&str, &str); 2] = [("apiVersion", API_VERSION), ("kind", KIND)];
        let ConfigMap { mut data, .. } = record::from_document(document, LONGEST, "cluster-info", TYPE)?;
        let kubeconfig = data.remove(KUBECONFIG).filter(|text| !text.is_empty()).ok_or_else(|| {
            Error::new(Code::Malformed, "a kubeconfig, as a cluster set up for bootstrap tokens has it")
                .found("none")
                .field("data.kubeconfig")
        })?;
        let signatures =
            data.into_iter().filter_map(|(key, jws)| Some((key.strip_prefix(SIGNATURE)?.to_owned(), jws)));
        Ok(Self { kubeconfig, signatures: signatures.collect() })
    }

    /// Believes what the token has signed, if every authority in it is pinned.
    ///
    /// The signature alone says that it comes from somebody who knows the token, which every machine does that has used
    /// it; the pins say that it is this cluster. `kubeadm join` is content with one pinned authority of several; this is
    /// not, since all of them are trusted. `kubeadm token create --print-join-command` prints the pins of all.
    ///
    /// (kubernetes/kubernetes, cmd/kubeadm/app/discovery/token/token.go and app/util/pubkeypin/pubkeypin.go)
    ///
    /// # Errors
    ///
    /// As [`verify_unpinned`](Self::verify_unpinned), and [`Code::NotPinned`] when an authority is not pinned.
    pub fn verify(self, token: &BootstrapToken, pins: &[Pin]) -> Result<VerifiedClusterInfo> {
        let verified = self.verify_unpinned(token)?;
        for authority in &verified.trusted {
            let pin = authority.public_key().pin();
            if !pins.iter().any(|known| known.as_str() == pin) {
                return Err(Error::new(Code::NotPinned, "an authority that is pinned")
                    .found(format!("{} with the pin {pin}", authority.subject()))
                    .field("certificate-authority-data"));
            }
        }
        Ok(verified)
    }

    /// Believes what the token has signed, whoever knows the token:
    /// `kubeadm join --discovery-token-unsafe-skip-ca-verification`. Anybody who has used it can play the cluster.
    ///
    /// # Errors
    ///
    /// [`Code::BadSignature`] when there is no signature by this token or it does not verify. For what is signed,
    /// [`Code::Malformed`] and [`Code::Invalid`] when it does not name a server of https, and
    /// [`Code::NotAnAuthority`] when it trusts other certificates than authorities'.
    pub fn verify_unpinned(self, token: &BootstrapToken) -> Result<VerifiedClusterInfo> {
        let field = || format!("data.{SIGNATURE}{}", token.id());
        let signature = self.signatures.get(token.id()).filter(|jws| !jws.is_empty()).ok_or_else(|| {
            Error::new(Code::BadSignature, "a signature by this token")
                .found("none: the token has expired, is not for signing, or is another cluster's")
                .field(field())
        })?;
        // The token's own header is the only one that there can be: what stands in the signature decides nothing.
        let (header, mac) = detached(&self.kubeconfig, token);
        let tag = signature.strip_prefix(&header).and_then(|rest| rest.strip_prefix(".."));
        match tag.and_then(jws::decode).is_some_and(|tag| mac.verify_slice(&tag).is_ok()) {
            true => {
                VerifiedClusterInfo::read(&self.kubeconfig).map_err(|error| error.field("data.kubeconfig"))
            }
            false => Err(Error::new(Code::BadSignature, "a signature of this kubeconfig by this token")
                .found("one of something else, or by another token")
                .field(field())),
        }
    }
}

record! {
    /// The part of a ConfigMap that is needed here.
    ConfigMap {
        /// Texts by their keys.
        "data" data: BTreeMap<String, String>,
    }
}

/// Where a cluster is and whom to trust there, as somebody has said who knows a bootstrap token.
#[derive(Clone, Debug)]
pub struct VerifiedClusterInfo {
    server: String,
    trusted: Vec<Certificate>,
}

impl VerifiedClusterInfo {
    /// Only the server and the authorities are taken from it, as kubeadm does: it might as well say that nothing is to be
    /// verified.
    fn read(kubeconfig: &str) -> Result<Self> {
        let kubeconfig = Kubeconfig::from_yaml(kubeconfig.as_bytes())?;
        // (kubernetes/kubernetes, cmd/kubeadm/app/util/kubeconfig/kubeconfig.go, `GetClusterFromKubeConfig`)
        let unnamed =
            kubeconfig.clusters.iter().find(|cluster| cluster.name.is_empty()).map(|it| &it.cluster);
        let cluster = unnamed.or_else(|| kubeconfig.current_cluster()).ok_or_else(|| {
            Error::new(Code::Malformed, "a cluster without a name, or a current context")
                .found("neither")
                .field("clusters")
        })?;
        if !cluster.server.starts_with("https://") {
            return Err(Error::invalid("server", "a URL of https", &cluster.server));
        }
        let trusted =
            Certificate::from_pem(cluster.certificate_authority_data.as_deref().unwrap_or_default())
                .and_then(|trusted| check_authorities(&trusted).map(|()| trusted))
                .map_err(|error| error.field("certificate-authority-data"))?;
        Ok(Self { server: cluster.server.clone(), trusted })
    }

    /// The URL of the API server.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The certificates of the cluster's authority.
    #[must_use]
    pub fn trusted(&self) -> &[Certificate] {
        &self.trusted
    }

    /// The kubeconfig of any user at this cluster, such as the kubelet once it has its certificate: a context
    /// `USER@kubernetes`.
    ///
    /// # Errors
    ///
    /// As [`Kubeconfig::check`](crate::kubeconfig::Kubeconfig::check).
    pub fn kubeconfig(&self, name: &str, user: User) -> Result<Kubeconfig> {
        let kubeconfig = self.kubeconfig_of(name, user);
        kubeconfig.check().map(|()| kubeconfig)
    }

    /// The kubeconfig by which a kubelet asks for its first certificate (`--bootstrap-kubeconfig`), with the names that
    /// kubeadm uses. The token may be another one than that which verified this.
    #[must_use]
    pub fn bootstrap_kubeconfig(&self, token: &BootstrapToken) -> Kubeconfig {
        self.kubeconfig_of(USER, user(token))
    }

    fn kubeconfig_of(&self, name: &str, user: User) -> Kubeconfig {
        const CLUSTER: &str = "kubernetes";
        let cluster = kubeconfig::Cluster::new(&self.server, to_pem(&self.trusted));
        Kubeconfig::new(
            format!("{name}@{CLUSTER}"),
            NamedCluster::new(CLUSTER, cluster),
            NamedUser::new(name, user),
        )
    }
}

impl Kubeconfig {
    /// The kubeconfig by which a new machine's kubelet asks for its first certificate (`--bootstrap-kubeconfig`): the
    /// user `tls-bootstrap-token-user`, as kubeadm names it, with the bootstrap token.
    ///
    /// A machine that knows nothing but a token makes it of a
    /// [`VerifiedClusterInfo`].
    ///
    /// # Errors
    ///
    /// [`Code::NoIssuer`] when there is no Kubernetes authority.
    pub fn for_bootstrap(
        cluster: &cluster::Cluster,
        authorities: &Authorities,
        token: &BootstrapToken,
    ) -> Result<Self> {
        Self::with_user(cluster, authorities, USER, user(token))
    }
}

text_type! {
    /// The pin of an authority, as `kubeadm join --discovery-token-ca-cert-hash` takes it and
    /// [`PublicKey::pin`](crate::PublicKey::pin) makes it: `sha256:` and 64 lower-case hexadecimal digits.
    Pin, "pin", pin
}

fn pin(text: &str) -> Result<(), String> {
    let digits = text.strip_prefix("sha256:").unwrap_or_default();
    match digits.len() == 64 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        true => Ok(()),
        false => Err("sha256: and the 64 lower-case hexadecimal digits of a SHA-256".to_owned()),
    }
}

/// The header of the signature of `content` by a token, and its MAC: an HMAC by the secret half over header and content
/// (RFC 7515, appendix F).
///
/// (kubernetes/kubernetes, staging/src/k8s.io/cluster-bootstrap/token/jws/jws.go, `ComputeDetachedSignature`)
fn detached(content: &str, token: &BootstrapToken) -> (String, impl Mac) {
    let header = jws::header("HS256", token.id());
    let signed = format!("{header}.{}", jws::encode(content.as_bytes()));
    (header, hmac_sha256(token.secret().as_bytes(), signed.as_bytes()))
}

fn user(token: &BootstrapToken) -> User {
    User { token: Some(token.to_text()), ..User::default() }
}
