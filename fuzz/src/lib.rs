//! What holds for any input: one function for each fuzz target. The tests run the same functions over the corpus.

use std::fmt::{Debug, Display};
use std::str::FromStr;
use std::sync::OnceLock;

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use kubepki::certificates_api::{
    CertificateSigningRequest, Context, NodeAddresses, Outcome, SIGNING_DURATION, SignerPolicy, Verdict,
    review, sign,
};
use kubepki::import::KubeadmConfiguration;
use kubepki::kubeconfig::Kubeconfig;
use kubepki::token::{
    BootstrapGroup, BootstrapToken, ClusterInfo, KeySet, ObjectUid, Pin, ServiceAccountClaims, StaticToken,
    StaticTokens, TokenIssuer,
};
use kubepki::{
    AlternativeName, AuthorityName, Certificate, ClaimName, ClientId, Cluster, ClusterName, Component,
    Convention, Credential, DnsName, Endpoint, Error, Expected, Group, HttpsUrl, Issuer, KeyAlgorithm,
    KubernetesVersion, NamePrefix, NodeName, Pki, Policy, PrivateKey, Profile, PublicKey, RequiredClaim,
    Role, San, Signer, Subnet, Time, TokenAlgorithm, Usage, UserName, role,
};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::EncodePublicKey;

/// A fuzz target: its name, which is also the name of its directory in `corpus/`, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// Every fuzz target.
pub const TARGETS: &[Target] = &[
    ("certificate", certificate),
    ("certificate_signing_request", certificate_signing_request),
    ("cluster_info", cluster_info),
    ("kubeadm_config", kubeadm_config),
    ("kubeconfig", kubeconfig),
    ("machine", machine),
    ("names", names),
    ("pem", pem),
    ("private_key", private_key),
    ("service_account_token", service_account_token),
    ("static_tokens", static_tokens),
];

/// A certificate in DER, or several in PEM: what can be read keeps its bytes, and everything in it can be shown.
pub fn certificate(data: &[u8]) {
    match read(data) {
        Input::Pem => _ = certificates(data),
        Input::Der => {
            if let Some(certificate) = shown(Certificate::from_der(data)) {
                assert_eq!(certificate.der(), data);
                same_certificate(&certificate);
            }
        }
    }
}

/// An object of `certificates.k8s.io`, or the PKCS#10 request in one in DER: what can be read is written as an object
/// that is read as the same, and what is approved is issued.
pub fn certificate_signing_request(data: &[u8]) {
    /// The tag of a SEQUENCE.
    const DER: u8 = 0x30;
    let object = if data.first() == Some(&DER) { around(data) } else { data.to_vec() };
    let Some(mut object) = shown(CertificateSigningRequest::from_yaml(&object)) else { return };
    same_object(&object);
    _ = (shown(object.request().check_signature()), shown(object.certificates()));
    let now = Time::now();
    let review = review(&object, context());
    _ = (review.to_string(), format!("{object:?}"));
    shown(review.apply(&mut object, now));
    let signer_name = object.signer_name().clone();
    let outcome = shown(sign(&mut object, &signer_name, issuer(), SIGNING_DURATION, now));
    if review.verdict() == Verdict::Approve {
        assert_eq!(outcome, Some(Outcome::Issued), "{object:?}");
        object.certificates().expect("what was issued").iter().for_each(same_certificate);
    }
    same_object(&object);
}

fn same_object(object: &CertificateSigningRequest) {
    for written in [object.to_yaml(), object.to_json()] {
        let again = CertificateSigningRequest::from_yaml(written.as_bytes());
        assert_eq!(again.as_ref().ok(), Some(object), "{written}");
    }
}

/// An object with `der` in it, whose requester and usages are those of a kubelet.
fn around(der: &[u8]) -> Vec<u8> {
    let pem = format!(
        "-----BEGIN CERTIFICATE REQUEST-----\n{}\n-----END CERTIFICATE REQUEST-----\n",
        Base64::encode_string(der)
    );
    format!(
        "{{apiVersion: certificates.k8s.io/v1, kind: CertificateSigningRequest, spec: {{request: {}, \
         signerName: kubernetes.io/kube-apiserver-client-kubelet, usages: [digital signature, client auth], \
         username: 'system:node:n1', groups: ['system:nodes', 'system:bootstrappers']}}}}",
        Base64::encode_string(pem.as_bytes())
    )
    .into_bytes()
}

fn context() -> &'static Context {
    static CONTEXT: OnceLock<Context> = OnceLock::new();
    CONTEXT.get_or_init(|| {
        let any = || ["*".parse().expect("a pattern"), "*:*:*".parse().expect("a pattern")];
        let policy = SignerPolicy::new("example.com/serving".parse().expect("a signer"))
            .expect("a signer of one's own")
            .requesters(any())
            .common_names(any())
            .sans(["DNS:*", "IP:::/0", "IP:0.0.0.0/0", "URI:*:*"].map(|san| san.parse().expect("a pattern")))
            .usages([Usage::DigitalSignature, Usage::ServerAuth, Usage::ClientAuth]);
        let node = NodeAddresses::new("n1".parse().expect("a name"), ["n1".parse().expect("a name")]);
        let bootstrap = ["system:bootstrappers".parse().expect("a group")];
        Context::default().policy(policy).node(node).bootstrap_groups(bootstrap)
    })
}

/// The ConfigMap `cluster-info`: what can be read can be signed and written again, and nobody's signature but the token's
/// is believed.
pub fn cluster_info(data: &[u8]) {
    let token: BootstrapToken = "abcdef.0123456789abcdef".parse().expect("a token");
    let stranger: BootstrapToken = "abcdef.0123456789abcdeg".parse().expect("a token");
    let Some(info) = shown(ClusterInfo::from_yaml(data)) else { return };
    let manifest = info.sign(&token).manifest();
    let again = ClusterInfo::from_yaml(manifest.to_yaml().as_bytes()).expect("what was written is read");
    assert_eq!(again.manifest(), manifest);
    assert!(again.clone().verify_unpinned(&stranger).is_err());
    if let Some(verified) = shown(again.verify_unpinned(&token)) {
        let kubeconfig = verified.bootstrap_kubeconfig(&token);
        shown(kubeconfig.check());
        assert_eq!(Kubeconfig::from_yaml(kubeconfig.to_yaml().as_bytes()).ok(), Some(kubeconfig));
    }
}

/// kubeadm's configuration: what can be read can be shown, and what describes a cluster and a machine is enough for a
/// certificate of each of its roles.
pub fn kubeadm_config(data: &[u8]) {
    let Some(configuration) = shown(KubeadmConfiguration::from_yaml(data)) else { return };
    for remark in configuration.remarks() {
        assert!(remark.to_string().starts_with(remark.field()), "{remark}");
    }
    let Some(cluster) = shown(configuration.cluster()) else { return };
    for node in [configuration.node(), configuration.first_node()] {
        let Some(node) = shown(node) else { continue };
        for profile in Expected::new(&cluster, &node).layout(configuration.layout()).profiles() {
            issue(profile);
        }
    }
}

/// A kubeconfig: what can be read is written as a document that is read as the same, and can be checked.
pub fn kubeconfig(data: &[u8]) {
    let Some(kubeconfig) = shown(Kubeconfig::from_yaml(data)) else { return };
    let yaml = kubeconfig.to_yaml();
    assert_eq!(Kubeconfig::from_yaml(yaml.as_bytes()).as_ref().ok(), Some(&kubeconfig), "{}", *yaml);
    shown(kubeconfig.check());
    _ = format!("{kubeconfig:?}");
}

/// The files of a machine, each behind a line `@@ PATH`: whatever they are, they are judged, and the judgement can be
/// shown in every form.
pub fn machine(data: &[u8]) {
    let pki = Pki::from_files(files(data));
    let now = Time::from_unix(1_795_000_000).expect("a moment");
    let findings = pki.audit(pki.expected(), now);
    let report = pki.report(&findings, now);
    _ = (report.to_string(), report.to_json(), report.to_prometheus(), pki.tree().to_string());
    _ = pki.plan(pki.expected(), &Policy::default().all(), now).to_string();
    for component in Component::ALL {
        _ = pki.expected().arguments(component);
    }
    for (_, credential) in pki.credentials() {
        _ = credential.certificate().identity();
    }
}

fn files(data: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for line in data.split_inclusive(|byte| *byte == b'\n') {
        match (line.strip_prefix(b"@@ "), files.last_mut()) {
            (Some(path), _) => files.push((String::from_utf8_lossy(path).trim().to_owned(), Vec::new())),
            (None, Some((_, bytes))) => bytes.extend_from_slice(line),
            (None, None) => {}
        }
    }
    files
}

/// Names, addresses, moments, roles and usages: what can be read is written as a text that is read as the same, and
/// what belongs into a certificate stands there as one value, unchanged.
pub fn names(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    survives::<AuthorityName>(text);
    survives::<ClaimName>(text);
    survives::<ClientId>(text);
    survives::<BootstrapGroup>(text);
    survives::<ClusterName>(text);
    survives::<Component>(text);
    survives::<Convention>(text);
    survives::<DnsName>(text);
    survives::<Endpoint>(text);
    survives::<Group>(text);
    survives::<HttpsUrl>(text);
    survives::<KeyAlgorithm>(text);
    survives::<KubernetesVersion>(text);
    survives::<NamePrefix>(text);
    survives::<NodeName>(text);
    survives::<RequiredClaim>(text);
    survives::<ObjectUid>(text);
    survives::<Pin>(text);
    survives::<Role>(text);
    survives::<San>(text);
    survives::<Subnet>(text);
    survives::<Time>(text);
    survives::<TokenAlgorithm>(text);
    survives::<TokenIssuer>(text);
    survives::<Usage>(text);
    survives::<UserName>(text);
    if let Ok(name) = text.parse::<NodeName>() {
        // A node's name always has its place in a certificate.
        survives::<San>(&San::from(&name).to_string());
    }
    subject(text);
    if let Ok(san) = text.parse::<San>() {
        let certificate = issue(&role::FrontProxyServer::new(cluster(), san.clone()).profile());
        assert_eq!(certificate.sans(), [AlternativeName::from(&san)]);
    }
}

/// PEM with anything in it, read as each of what it may hold.
pub fn pem(data: &[u8]) {
    let certificates = certificates(data);
    if let Some(key) = shown_without_secrets(data, PublicKey::from_pem(data)) {
        let again = PublicKey::from_pem(key.to_pem().as_bytes()).expect("what was written is read");
        assert_eq!(again.spki_der(), key.spki_der());
        assert_eq!((again.to_string(), again.pin()), (key.to_string(), key.pin()));
    }
    private_key_in_pem(data);
    shown_without_secrets(data, Issuer::from_pem(data, data));
    if let (Some(chain), Ok(key)) = (certificates, PrivateKey::from_pem(data)) {
        shown_without_secrets(data, Credential::new(chain, key));
    }
}

/// A private key in PEM, or DER that is put into PEM: what can be read is written as PEM that is read as the same key,
/// and no refusal quotes the input.
pub fn private_key(data: &[u8]) {
    match read(data) {
        Input::Pem => private_key_in_pem(data),
        Input::Der => {
            let base64 = Base64::encode_string(data);
            for label in ["RSA PRIVATE KEY", "EC PRIVATE KEY", "PRIVATE KEY"] {
                private_key_in_pem(
                    format!("-----BEGIN {label}-----\n{base64}\n-----END {label}-----\n").as_bytes(),
                );
            }
        }
    }
}

/// A service-account token, a JWKS, or a header and behind its line a payload that the right key has signed: whatever
/// they are, they are read or refused.
pub fn service_account_token(data: &[u8]) {
    let key = SigningKey::from_slice(&[1; 32]).expect("a number of the curve");
    let public = key.verifying_key().to_public_key_der().expect("a public key");
    let public = PublicKey::from_spki_der(public.as_bytes()).expect("a public key");
    let keys = KeySet::new(&[public]).expect("a key that signs tokens");
    let issuer: TokenIssuer = "https://a".parse().expect("an issuer");
    let now = Time::from_unix(1_795_000_000).expect("a moment");
    let verify = |token: &str| shown(ServiceAccountClaims::verify(token, &keys, &issuer, "https://a", now));

    if let Ok(text) = std::str::from_utf8(data) {
        // Who does not have the key finds no signature.
        assert!(verify(text).is_none(), "{text}");
    }
    if let Some(set) = shown(KeySet::from_jwks(data)) {
        let again = KeySet::from_jwks(set.to_jwks().as_bytes()).expect("what was written is read");
        assert_eq!(again, set);
    }
    let mut parts = data.splitn(2, |byte| *byte == b'\n').map(Base64UrlUnpadded::encode_string);
    if let (Some(header), Some(payload)) = (parts.next(), parts.next()) {
        let signed = format!("{header}.{payload}");
        let signature: Signature = key.sign(signed.as_bytes());
        let signature = Base64UrlUnpadded::encode_string(&signature.to_bytes());
        if let Some(claims) = verify(&format!("{signed}.{signature}")) {
            assert!(claims.user().starts_with("system:serviceaccount:"), "{claims:?}");
            assert!(claims.audiences().iter().any(|audience| audience == "https://a"), "{claims:?}");
        }
    }
}

/// A static token file: what can be read is written as a file that is read as the same, and `Debug` shows no token.
pub fn static_tokens(data: &[u8]) {
    let Some(tokens) = shown(StaticTokens::from_csv(data)) else { return };
    for remark in tokens.remarks() {
        assert!(remark.to_string().starts_with("record "), "{remark}");
    }
    let csv = tokens.to_csv();
    let again = StaticTokens::from_csv(csv.as_bytes()).expect("what was written is read");
    assert_eq!(again.to_csv(), csv);
    for (one, two) in tokens.tokens().iter().zip(again.tokens()) {
        let all = |it: &StaticToken| {
            let groups: Vec<_> = it.group_names().map(str::to_owned).collect();
            (it.token().to_owned(), it.user().to_owned(), it.uid().to_owned(), groups)
        };
        assert_eq!(all(one), all(two));
    }
}

enum Input {
    Der,
    Pem,
}

/// Fuzzers do not get through base64, so DER is taken as well.
fn read(data: &[u8]) -> Input {
    if data.windows(11).any(|window| window == b"-----BEGIN ") { Input::Pem } else { Input::Der }
}

fn certificates(pem: &[u8]) -> Option<Vec<Certificate>> {
    let certificates = shown(Certificate::from_pem(pem))?;
    assert!(!certificates.is_empty());
    certificates.iter().for_each(same_certificate);
    Some(certificates)
}

/// It comes back from its DER and from its PEM, and everything in it can be shown.
fn same_certificate(certificate: &Certificate) {
    assert_eq!(Certificate::from_der(certificate.der()).as_ref().ok(), Some(certificate));
    let again = Certificate::from_pem(certificate.to_pem().as_bytes());
    assert_eq!(again.ok().as_deref(), Some(std::slice::from_ref(certificate)));
    for name in [certificate.subject(), certificate.issuer()] {
        _ = (name.to_string(), name.common_name(), name.organizations().count());
    }
    for san in certificate.sans() {
        _ = san.to_string();
    }
    _ = certificate.not_after().since(certificate.not_before());
    _ = format!("{certificate:?} {:?}", certificate.public_key());
    shown(certificate.check_issued_by(certificate));
}

fn private_key_in_pem(pem: &[u8]) {
    let Some(key) = shown_without_secrets(pem, PrivateKey::from_pem(pem)) else { return };
    let written = key.to_pem();
    let again = PrivateKey::from_pem(written.as_bytes()).expect("what was written is read");
    assert_eq!(again.public_key(), key.public_key());
    assert_eq!(again.to_pem(), written);
    assert!(!quotes(format!("{key:?}"), pem), "{key:?}");
}

/// Users and groups that can be read: each stands in a certificate as one value, whatever its text looks like.
fn subject(text: &str) {
    let (user, group) = (text.parse::<UserName>(), text.parse::<Group>());
    let Ok(name) = user.or_else(|_| "jane".parse()) else { return };
    let mut builder = role::User::new(cluster(), name.clone());
    if let Ok(group) = &group {
        builder = builder.group(group.clone());
    }
    let profile = builder.profile();
    assert_eq!(profile.common_name(), name.as_str());
    let certificate = issue(&profile);
    assert_eq!(certificate.subject().common_name(), Some(name.as_str()));
    let groups: Vec<_> = certificate.subject().organizations().collect();
    assert_eq!(groups, group.iter().map(Group::as_str).collect::<Vec<_>>());
}

fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let endpoint = "127.0.0.1".parse().expect("an address is an endpoint");
        Cluster::new(endpoint).key_algorithm(KeyAlgorithm::EcdsaP256)
    })
}

fn issuer() -> &'static Issuer {
    static ISSUER: OnceLock<Issuer> = OnceLock::new();
    ISSUER.get_or_init(|| {
        let profile = role::KubernetesCa::new(cluster()).profile();
        Issuer::self_signed(&profile, Time::now()).expect("an authority")
    })
}

fn issue(profile: &Profile) -> Certificate {
    let key = issuer().certificate().public_key();
    issuer().certify(profile, key, Time::now()).expect("a certificate for what was parsed").remove(0)
}

/// Reads a value of type `T`; if that succeeds, the value must come back from its own text.
fn survives<T>(text: &str)
where
    T: FromStr<Err = Error> + Display + PartialEq + Debug,
{
    if let Some(value) = shown(text.parse::<T>()) {
        assert_eq!(value.to_string().parse::<T>().as_ref().ok(), Some(&value), "{text:?}");
    }
}

/// An error is for people: writing it must succeed as well.
fn shown<T>(result: kubepki::Result<T>) -> Option<T> {
    result.map_err(|error| assert!(error.to_string().contains("expected"), "{error}")).ok()
}

/// Besides, an error about an input that may be a private key quotes nothing of it that could be a piece of one.
fn shown_without_secrets<T>(input: &[u8], result: kubepki::Result<T>) -> Option<T> {
    if let Err(error) = &result {
        assert!(!quotes(format!("{error:?}"), input), "{error}");
    }
    shown(result)
}

/// Whether 16 characters of base64 stand both in a text of ours and in the input.
fn quotes(text: String, input: &[u8]) -> bool {
    const PIECE: usize = 16;
    // A word of ours that is as long.
    let text = text.replace("SubjectPublicKeyInfo", "");
    let base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
    text.as_bytes()
        .windows(PIECE)
        .filter(|piece| piece.iter().all(base64))
        .any(|piece| input.windows(PIECE).any(|window| window == piece))
}
