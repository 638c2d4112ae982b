//! rcgen as a second maker, which writes DER by itself: a whole PKI from the profiles, and faults that are
//! awkward to make with openssl.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use base64ct::{Base64, Encoding};
use kubepki::kubeconfig::{self, Kubeconfig, NamedCluster, NamedUser};
use kubepki::{
    Certificate, Expected, FindingId, KeyAlgorithm, Layout, Part, Pki, PrivateKey, Profile, Role, San,
    Severity, Signer as _, Time, Usage, role,
};
use p256::ecdsa::signature::Signer as _;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType, DnValue,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyIdMethod, KeyUsagePurpose, NameConstraints,
    PublicKeyData, SanType, SerialNumber, SignatureAlgorithm, SigningKey, date_time_ymd,
};

use super::{ADDRESS, cluster, node, says, serious};
use crate::judges::{self, Anchor, Check, go, openssl};
use crate::support::der;

/// All begin in 2030, leaves end in 2040 and authorities in 2050.
const NOW: &str = "2035-01-01T00:00:00Z";

#[test]
fn a_whole_pki_by_rcgen_audits_without_a_warning() {
    let directory = foreign().write(foreign().certificates());
    let now = NOW.parse().unwrap();
    let pki = Pki::load(directory.path()).unwrap();
    for expected in [Expected::first(&cluster(), &node()), Expected::inferred(&pki)] {
        let findings = pki.audit(&expected, now);
        assert!(findings.worst() < Some(Severity::Warning), "{findings}");
    }
    for role in foreign().leaves() {
        let pem = foreign().certificates()[&role].clone();
        let usage =
            match Certificate::from_pem(pem.as_bytes()).unwrap()[0].usages().contains(&Usage::ServerAuth) {
                true => judges::Usage::Server,
                false => judges::Usage::Client,
            };
        let (go, openssl) =
            verdicts(&pem, &foreign().certificates()[&role.authority().unwrap()], usage, None);
        go.unwrap();
        openssl.unwrap();
    }
}

/// A damage; the role whose certificate is judged; what the audit must find besides notes; a part of what Go
/// and OpenSSL say to it, where they refuse.
struct Row {
    damage: fn(&Foreign, &mut BTreeMap<Role, String>),
    judged: Role,
    findings: &'static [(Severity, FindingId, &'static str)],
    go: Option<&'static str>,
    openssl: Option<&'static str>,
}

const ROWS: &[(&str, Row)] = &[
    (
        "signed by a key that is not the authority's",
        Row {
            damage: |foreign, certificates| {
                let authority = &foreign.made[&Role::KubernetesCa].params;
                let stranger = &foreign.made[&Role::Scheduler].key;
                let Made { params, key } = &foreign.made[&Role::ApiServer];
                certificates.insert(Role::ApiServer, certify(params, key, authority, stranger));
            },
            judged: Role::ApiServer,
            findings: &[(Severity::Error, FindingId::BadSignature, "pki/apiserver.crt")],
            go: Some("ECDSA verification failure"),
            openssl: Some("signature failure"),
        },
    ),
    (
        "the issuer's name in another string type: Go compares bytes",
        Row {
            damage: |foreign, certificates| {
                let mut authority = foreign.made[&Role::KubernetesCa].params.clone();
                let printable = DnValue::PrintableString("kubernetes-ca".try_into().unwrap());
                authority.distinguished_name.push(DnType::CommonName, printable);
                let Made { params, key } = &foreign.made[&Role::ApiServer];
                let signer = &foreign.made[&Role::KubernetesCa].key;
                certificates.insert(Role::ApiServer, certify(params, key, &authority, signer));
            },
            judged: Role::ApiServer,
            findings: &[(Severity::Error, FindingId::WrongIssuer, "pki/apiserver.crt")],
            go: Some("unknown authority"),
            openssl: None,
        },
    ),
    (
        "not valid yet",
        Row {
            damage: |foreign, certificates| {
                foreign.again(certificates, Role::ApiServer, |params| {
                    params.not_before = date_time_ymd(2036, 1, 1)
                });
            },
            judged: Role::ApiServer,
            findings: &[(Severity::Error, FindingId::NotYetValid, "pki/apiserver.crt")],
            go: Some("not yet valid"),
            openssl: Some("not yet valid"),
        },
    ),
    (
        "ends before it begins",
        Row {
            damage: |foreign, certificates| {
                foreign.again(certificates, Role::ApiServer, |params| {
                    params.not_before = date_time_ymd(2034, 1, 1);
                    params.not_after = date_time_ymd(2033, 1, 1);
                });
            },
            judged: Role::ApiServer,
            findings: &[(Severity::Error, FindingId::Expired, "pki/apiserver.crt")],
            go: Some("expired"),
            openssl: Some("expired"),
        },
    ),
    (
        "outlives its authority",
        Row {
            damage: |foreign, certificates| {
                foreign.again(certificates, Role::ApiServer, |params| {
                    params.not_after = date_time_ymd(2060, 1, 1)
                });
            },
            judged: Role::ApiServer,
            findings: &[(Severity::Warning, FindingId::OutlivesAuthority, "pki/apiserver.crt")],
            go: None,
            openssl: None,
        },
    ),
    (
        "one serial number for two",
        Row {
            damage: |foreign, certificates| {
                foreign.again(certificates, Role::ApiServerKubeletClient, |params| {
                    params.serial_number = foreign.made[&Role::ApiServer].params.serial_number.clone();
                });
            },
            judged: Role::ApiServerKubeletClient,
            findings: &[(Severity::Warning, FindingId::DuplicateSerial, "pki/apiserver-kubelet-client.crt")],
            go: None,
            openssl: None,
        },
    ),
    (
        "a critical extension that nobody knows",
        Row {
            damage: |foreign, certificates| {
                foreign.again(certificates, Role::ApiServer, |params| {
                    params.custom_extensions.push(unknown_extension());
                });
            },
            judged: Role::ApiServer,
            findings: &[(Severity::Error, FindingId::Unsupported, "pki/apiserver.crt")],
            go: Some("unhandled critical extension"),
            openssl: Some("unhandled critical extension"),
        },
    ),
    (
        "an authority with a critical extension that nobody knows",
        Row {
            damage: |foreign, certificates| {
                foreign.again(certificates, Role::KubernetesCa, |params| {
                    params.custom_extensions.push(unknown_extension());
                });
            },
            judged: Role::ApiServer,
            findings: &[(Severity::Error, FindingId::Unsupported, "pki/ca.crt")],
            go: Some("unhandled critical extension"),
            openssl: Some("unhandled critical extension"),
        },
    ),
    (
        "an extension that stands there twice",
        Row {
            damage: |foreign, certificates| {
                foreign.again(certificates, Role::ApiServer, |params| {
                    // Basic constraints that say nothing.
                    for _ in 0..2 {
                        let extension = CustomExtension::from_oid_content(&[2, 5, 29, 19], vec![0x30, 0]);
                        params.custom_extensions.push(extension);
                    }
                });
            },
            judged: Role::ApiServer,
            findings: &[(Severity::Error, FindingId::Malformed, "pki/apiserver.crt")],
            go: Some("duplicate extension"),
            openssl: Some("invalid certificate"),
        },
    ),
    (
        "a server that is an authority: whoever has its key makes administrators",
        Row {
            damage: |foreign, certificates| {
                foreign.again(certificates, Role::ApiServer, |params| {
                    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
                    params.key_usages.push(KeyUsagePurpose::KeyCertSign);
                });
            },
            judged: Role::ApiServer,
            findings: &[(Severity::Error, FindingId::UsageUnexpected, "pki/apiserver.crt")],
            go: None,
            openssl: None,
        },
    ),
    (
        "a server for any purpose: it lets its holder in as a client",
        Row {
            damage: |foreign, certificates| {
                foreign.again(certificates, Role::ApiServer, |params| {
                    params.extended_key_usages.push(ExtendedKeyUsagePurpose::Any);
                });
            },
            judged: Role::ApiServer,
            findings: &[(Severity::Error, FindingId::UsageUnexpected, "pki/apiserver.crt")],
            go: None,
            openssl: None,
        },
    ),
    (
        "the key identifier of another authority: Go does not look",
        Row {
            damage: |foreign, certificates| {
                let mut authority = foreign.made[&Role::KubernetesCa].params.clone();
                authority.key_identifier_method = KeyIdMethod::PreSpecified(vec![7; 20]);
                let Made { params, key } = &foreign.made[&Role::ApiServer];
                let signer = &foreign.made[&Role::KubernetesCa].key;
                certificates.insert(Role::ApiServer, certify(params, key, &authority, signer));
            },
            judged: Role::ApiServer,
            findings: &[(Severity::Warning, FindingId::WrongIssuer, "pki/apiserver.crt")],
            go: None,
            openssl: Some("unable to get local issuer certificate"),
        },
    ),
    (
        "an authority for the names of another domain",
        Row {
            damage: |foreign, certificates| {
                foreign.again(certificates, Role::KubernetesCa, |params| {
                    params.name_constraints = Some(NameConstraints {
                        permitted_subtrees: vec![GeneralSubtree::DnsName("example.com".to_owned())],
                        excluded_subtrees: vec![],
                    });
                });
            },
            judged: Role::ApiServer,
            findings: &[(Severity::Warning, FindingId::Unsupported, "pki/ca.crt")],
            go: Some("not permitted by any constraint"),
            openssl: Some("permitted subtree violation"),
        },
    ),
    (
        "an authority for servers only",
        Row {
            damage: |foreign, certificates| {
                foreign.again(certificates, Role::KubernetesCa, |params| {
                    params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
                });
            },
            judged: Role::ApiServerKubeletClient,
            findings: &[(Severity::Error, FindingId::AuthorityUsageMissing, "pki/ca.crt")],
            go: Some("incompatible key usage"),
            openssl: Some("unsuitable certificate purpose"),
        },
    ),
    (
        "an authority that may not sign certificates",
        Row {
            damage: |foreign, certificates| {
                foreign.again(certificates, Role::KubernetesCa, |params| {
                    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
                });
            },
            judged: Role::ApiServer,
            findings: &[(Severity::Error, FindingId::AuthorityUsageMissing, "pki/ca.crt")],
            go: Some("unknown authority"),
            openssl: Some("invalid CA certificate"),
        },
    ),
    (
        "an authority that says it is none",
        Row {
            damage: |foreign, certificates| {
                foreign.again(certificates, Role::KubernetesCa, |params| {
                    params.is_ca = IsCa::ExplicitNoCa;
                    params.key_usages.retain(|usage| *usage != KeyUsagePurpose::KeyCertSign);
                });
            },
            judged: Role::ApiServer,
            findings: &[(Severity::Error, FindingId::NotAnAuthority, "pki/ca.crt")],
            go: Some("unknown authority"),
            openssl: Some("invalid CA certificate"),
        },
    ),
];

#[test]
fn what_rcgen_makes_wrong_is_found_and_nothing_else() {
    let mut wrong = String::new();
    for (name, row) in ROWS {
        let mut certificates = foreign().certificates();
        (row.damage)(foreign(), &mut certificates);
        let directory = foreign().write(certificates);
        let pki = Pki::load(directory.path()).unwrap();
        let findings = pki.audit(&Expected::first(&cluster(), &node()), NOW.parse().unwrap());
        let found = serious(&findings).map(|finding| (finding.severity(), finding.id(), finding.file()));
        if !found.eq(row.findings.iter().map(|(severity, id, file)| (*severity, *id, Path::new(*file)))) {
            wrong += &format!("{name}: expected {:?}, found\n{findings}\n", row.findings);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn go_and_openssl_refuse_what_the_table_says() {
    for (name, row) in ROWS {
        let mut certificates = foreign().certificates();
        (row.damage)(foreign(), &mut certificates);
        let usage = if row.judged == Role::ApiServer { judges::Usage::Server } else { judges::Usage::Client };
        let dns = (row.judged == Role::ApiServer).then_some("kubernetes.default.svc");
        let (go, openssl) =
            verdicts(&certificates[&row.judged], &certificates[&Role::KubernetesCa], usage, dns);
        says(&format!("{name}: Go"), &go, row.go);
        says(&format!("{name}: OpenSSL"), &openssl, row.openssl);
    }
}

fn verdicts(
    pem: &str,
    authority: &str,
    usage: judges::Usage,
    name: Option<&str>,
) -> (Result<(), String>, Result<(), String>) {
    let directory = tempfile::tempdir().unwrap();
    let [chain, trusted] = ["leaf.crt", "ca.crt"].map(|file| directory.path().join(file));
    fs::write(&chain, pem).unwrap();
    fs::write(&trusted, authority).unwrap();
    let at = u64::try_from(NOW.parse::<Time>().unwrap().unix()).ok();
    let check = Check { chain: &chain, trusted: &trusted, anchor: Anchor::Root, usage, name, at };
    (go::verify(&[(check, None)]).remove(0), openssl::verify(&check))
}

/// What rcgen made, once.
struct Foreign {
    made: BTreeMap<Role, Made>,
    service_account: PrivateKey,
}

struct Made {
    params: CertificateParams,
    key: Key,
}

fn foreign() -> &'static Foreign {
    static FOREIGN: OnceLock<Foreign> = OnceLock::new();
    FOREIGN.get_or_init(|| {
        let (cluster, node) = (cluster(), node());
        let authorities = [
            role::KubernetesCa::new(&cluster).profile(),
            role::EtcdCa::new(&cluster).profile(),
            role::FrontProxyCa::new(&cluster).profile(),
        ];
        let expected = Expected::first(&cluster, &node);
        let profiles = authorities.iter().chain(expected.profiles());
        let made = profiles.zip(1..).map(|(profile, serial)| {
            (profile.role(), Made { params: params(profile, serial), key: Key::generate() })
        });
        Foreign {
            made: made.collect(),
            service_account: PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap(),
        }
    })
}

impl Foreign {
    fn leaves(&self) -> impl Iterator<Item = Role> {
        self.made.keys().copied().filter(|role| !role.is_authority())
    }

    /// Every certificate, in PEM, without a fault.
    fn certificates(&self) -> BTreeMap<Role, String> {
        let mut certificates = BTreeMap::new();
        for role in self.made.keys() {
            self.again(&mut certificates, *role, |_| {});
        }
        certificates
    }

    /// Certifies the key of a role once more, after a change.
    fn again(
        &self,
        certificates: &mut BTreeMap<Role, String>,
        role: Role,
        change: impl FnOnce(&mut CertificateParams),
    ) {
        let Made { params, key } = &self.made[&role];
        let mut params = params.clone();
        change(&mut params);
        let authority = &self.made[&role.authority().unwrap_or(role)];
        certificates.insert(role, certify(&params, key, &authority.params, &authority.key));
    }

    /// A directory with these certificates, their keys, and kubeconfigs.
    fn write(&self, certificates: BTreeMap<Role, String>) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::new(directory.path());
        let write = |role, part, contents: &[u8]| {
            let path = layout.path(role, part).unwrap();
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, contents).unwrap();
            set_mode(&path, part.mode());
        };
        for (role, pem) in &certificates {
            let key = self.made[role].key.private.to_pem();
            if layout.path(*role, Part::Kubeconfig).is_some() {
                let kubeconfig = kubeconfig(pem, &certificates[&Role::KubernetesCa], &key);
                write(*role, Part::Kubeconfig, kubeconfig.to_yaml().as_bytes());
            } else {
                write(*role, Part::Certificate, pem.as_bytes());
                write(*role, Part::Key, key.as_bytes());
            }
        }
        write(Role::ServiceAccount, Part::Key, self.service_account.to_pem().as_bytes());
        write(Role::ServiceAccount, Part::PublicKey, self.service_account.public_key().to_pem().as_bytes());
        directory
    }
}

fn kubeconfig(certificate: &str, authority: &str, key: &str) -> Kubeconfig {
    let cluster = kubeconfig::Cluster::new(format!("https://{ADDRESS}:6443"), authority);
    let user = kubeconfig::User::with_certificate(certificate, key.as_bytes().to_vec());
    Kubeconfig::new(
        "default-system",
        NamedCluster::new("default-cluster", cluster),
        NamedUser::new("rcgen", user),
    )
}

fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// What a profile says, in rcgen's words.
fn params(profile: &Profile, serial: u8) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = date_time_ymd(2030, 1, 1);
    params.not_after = date_time_ymd(if profile.is_authority() { 2050 } else { 2040 }, 1, 1);
    params.serial_number = Some(SerialNumber::from_slice(&[serial]));
    params.distinguished_name = DistinguishedName::new();
    for group in profile.organizations() {
        params.distinguished_name.push(DnType::OrganizationName, group);
    }
    params.distinguished_name.push(DnType::CommonName, profile.common_name());
    for usage in profile.usages() {
        match usage {
            Usage::DigitalSignature => params.key_usages.push(KeyUsagePurpose::DigitalSignature),
            Usage::KeyEncipherment => params.key_usages.push(KeyUsagePurpose::KeyEncipherment),
            Usage::CertSign => params.key_usages.push(KeyUsagePurpose::KeyCertSign),
            Usage::CrlSign => params.key_usages.push(KeyUsagePurpose::CrlSign),
            Usage::ServerAuth => params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth),
            Usage::ClientAuth => params.extended_key_usages.push(ExtendedKeyUsagePurpose::ClientAuth),
            other => panic!("{other} in no profile"),
        }
    }
    params.subject_alt_names = profile
        .sans()
        .iter()
        .map(|san| match san {
            San::Dns(name) => SanType::DnsName(name.as_str().try_into().unwrap()),
            San::Ip(address) => SanType::IpAddress(*address),
            other => panic!("{other} is neither"),
        })
        .collect();
    if profile.is_authority() {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    // Without a hash of its own rcgen wants to be told the identifier.
    params.key_identifier_method = KeyIdMethod::PreSpecified(vec![serial; 20]);
    params.use_authority_key_identifier_extension = true;
    params
}

/// NULL, critical, below the arc for examples (RFC 5612).
fn unknown_extension() -> CustomExtension {
    let mut extension = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 32473, 1], vec![5, 0]);
    extension.set_criticality(true);
    extension
}

fn certify(params: &CertificateParams, key: &Key, authority: &CertificateParams, signer: &Key) -> String {
    let certificate = params.signed_by(key, &Issuer::from_params(authority, signer)).unwrap();
    let base64 = Base64::encode_string(certificate.der());
    let lines: String =
        base64.as_bytes().chunks(64).map(|line| format!("{}\n", str::from_utf8(line).unwrap())).collect();
    format!("-----BEGIN CERTIFICATE-----\n{lines}-----END CERTIFICATE-----\n")
}

/// A key of this crate, with which rcgen signs.
struct Key {
    private: PrivateKey,
    signing: p256::ecdsa::SigningKey,
    point: Vec<u8>,
}

impl Key {
    fn generate() -> Self {
        let private = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let signing: p256::ecdsa::SigningKey =
            p256::SecretKey::from_sec1_der(&der(&private.to_pem())).unwrap().into();
        let point = signing.verifying_key().to_sec1_point(false).as_bytes().to_vec();
        Self { private, signing, point }
    }
}

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        &self.point
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

impl SigningKey for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let signature: p256::ecdsa::DerSignature = self.signing.sign(message);
        Ok(signature.as_bytes().to_vec())
    }
}
