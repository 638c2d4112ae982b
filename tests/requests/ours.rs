//! The requests that this library makes, and what comes back for them.

use std::collections::BTreeSet;

use kubepki::{
    Certificate, CertificationRequest, Code, Convention, Expected, Issuer, KeyAlgorithm, Node, Profile, Time,
    role,
};
use serde_json::{Value, json};

use crate::judges::go;
use crate::support::{cluster, control_plane, der, fast_cluster, issuer, openssl, refused, utf8};

/// A profile of every role that has a key.
fn profiles(algorithm: KeyAlgorithm, convention: Convention) -> Vec<Profile> {
    let cluster = cluster(algorithm, convention);
    let node = control_plane("n1", "192.0.2.1").addresses(["2001:db8::1".parse().unwrap()]);
    let worker = Node::worker("n2".parse().unwrap()).addresses(["192.0.2.2".parse().unwrap()]);
    let mut profiles: Vec<Profile> = [&node, &worker]
        .iter()
        .flat_map(|node| Expected::new(&cluster, node).profiles().cloned().collect::<Vec<_>>())
        .collect();
    let name = || "a.b.svc".parse().unwrap();
    let user = role::User::new(&cluster, "j\u{fc}rg, O=a".parse().unwrap());
    profiles.extend([
        role::RootCa::new(&cluster, "Root".parse().unwrap()).profile(),
        role::Intermediate::new(&cluster, "Below".parse().unwrap()).profile(),
        role::KubernetesCa::new(&cluster).profile(),
        role::EtcdCa::new(&cluster).profile(),
        role::FrontProxyCa::new(&cluster).profile(),
        role::FrontProxyServer::new(&cluster, "a.b.svc".parse().unwrap()).profile(),
        role::SuperAdmin::new(&cluster).profile(),
        role::Service::new(&cluster, name()).san("192.0.2.24".parse().unwrap()).profile(),
        user.group("a+b".parse().unwrap()).group("c*d".parse().unwrap()).profile(),
    ]);
    profiles
}

/// openssl's names of usages.
const USAGES: [(&str, &str); 7] = [
    ("digital signature", "Digital Signature"),
    ("key encipherment", "Key Encipherment"),
    ("cert sign", "Certificate Sign"),
    ("crl sign", "CRL Sign"),
    ("server auth", "TLS Web Server Authentication"),
    ("client auth", "TLS Web Client Authentication"),
    ("content commitment", "Non Repudiation"),
];

#[test]
fn openssl_and_go_verify_the_request_of_every_role_and_show_what_it_asks_for() {
    for algorithm in [KeyAlgorithm::Rsa2048, KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP384] {
        for convention in [Convention::Documented, Convention::Kubeadm] {
            // RSA keys take their time.
            let profiles: Vec<_> = match algorithm {
                KeyAlgorithm::Rsa2048 => profiles(algorithm, convention).into_iter().step_by(4).collect(),
                _ => profiles(algorithm, convention),
            };
            let requests: Vec<_> = profiles.iter().map(|profile| profile.request().unwrap()).collect();
            let ders: Vec<_> = requests.iter().map(|request| request.csr().der().to_vec()).collect();
            for ((profile, request), go) in profiles.iter().zip(&requests).zip(go::requests(&ders)) {
                let role = profile.role();
                request.csr().check_signature().unwrap();
                let text = openssl(&["req", "-verify", "-text", "-noout"], request.csr_pem().as_bytes());
                let text = utf8(text.unwrap_or_else(|error| panic!("{role}: {error}")));
                for usage in request.usages() {
                    let (_, shown) = USAGES.iter().find(|(id, _)| *id == usage.id()).unwrap();
                    assert!(text.contains(shown), "{role} {usage}: {text}");
                }
                let go: Value =
                    serde_json::from_str(&go.unwrap_or_else(|error| panic!("{role}: {error}"))).unwrap();
                let names: Vec<_> = profile.sans().iter().map(ToString::to_string).collect();
                let found: BTreeSet<_> = [&go[1], &go[3]]
                    .iter()
                    .flat_map(|names| names.as_array().cloned().unwrap_or_default())
                    .map(|name| name.as_str().unwrap().to_owned())
                    .collect();
                assert_eq!(found, names.into_iter().collect(), "{role}");
                assert_eq!((&go[2], &go[4]), (&json!(null), &json!(null)));
                assert!(go[0].as_str().unwrap().contains("CN="), "{go}");
                // Read again it says what the profile says.
                let read = CertificationRequest::from_pem(request.csr_pem().as_bytes()).unwrap();
                assert_eq!(read, *request.csr());
                assert_eq!(read.subject().common_name(), Some(profile.common_name()));
                assert_eq!(read.usages(), request.usages());
                assert_eq!(read.usages(), &profile.usages());
                assert_eq!(read.public_key().algorithm(), Some(algorithm));
                assert_eq!(der(&read.to_pem()), read.der());
                assert_eq!(text.contains("CA:TRUE"), role.is_authority(), "{role}");
            }
        }
    }
}

/// What another signer makes of a request.
fn certified(request: &kubepki::Request, issuer: &Issuer, profile: &Profile) -> Vec<Certificate> {
    issuer.certify(profile, request.csr().public_key(), Time::now()).unwrap()
}

#[test]
fn only_a_certificate_for_the_key_with_its_usages_and_its_chain_is_accepted() {
    let cluster = fast_cluster();
    let service = || role::Service::new(&cluster, "a.b.svc".parse().unwrap()).profile();
    let request = service().request().unwrap();
    let accepted = request.accept(certified(&request, issuer(), &service())).unwrap();
    assert_eq!(accepted.certificate().public_key(), request.csr().public_key());
    assert_eq!(*accepted.key().to_pem(), *request.key().to_pem());

    let other = service().request().unwrap();
    let client = role::Scheduler::new(&cluster).profile();
    let stranger =
        Issuer::self_signed(&role::RootCa::new(&cluster, "Stranger".parse().unwrap()).profile(), Time::now());
    let stranger = stranger.unwrap().certificate().clone();
    // Of the same name, with another key.
    let twin = Issuer::self_signed(&role::KubernetesCa::new(&cluster).profile(), Time::now()).unwrap();
    let right = || certified(&request, issuer(), &service());
    let with = |above: &Certificate| [right(), vec![above.clone()]].concat();
    let mut damaged = right()[0].der().to_vec();
    *damaged.last_mut().unwrap() ^= 1;
    let damaged = vec![Certificate::from_der(&damaged).unwrap(), issuer().certificate().clone()];
    let rows: [(&str, Vec<Certificate>, Code, &[&str]); 7] = [
        ("none", vec![], Code::Malformed, &["at least one certificate"]),
        ("another key", certified(&other, issuer(), &service()), Code::KeyMismatch, &["key"]),
        ("a stranger above it", with(&stranger), Code::WrongIssuer, &["CN=Stranger"]),
        ("its authority's twin above it", with(twin.certificate()), Code::WrongIssuer, &["of the same name"]),
        ("a damaged signature", damaged, Code::BadSignature, &[]),
        (
            "without its name",
            certified(&request, issuer(), &client),
            Code::WrongCertificate,
            &["service", "DNS:a.b.svc"],
        ),
        (
            "the authority first",
            [vec![issuer().certificate().clone()], right()].concat(),
            Code::WrongIssuer,
            &[],
        ),
    ];
    for (name, chain, code, parts) in rows {
        let found = request.accept(chain);
        assert_eq!(found.as_ref().err().map(kubepki::Error::code), Some(code), "{name}: {found:?}");
        refused(found, code, parts);
    }
    let for_client = client.request().unwrap();
    let for_server = for_client.accept(certified(&for_client, issuer(), &service()));
    refused(for_server, Code::WrongCertificate, &["scheduler", "a certificate with client auth"]);
    // The request is still there.
    request.accept(right()).unwrap();
    request.accept(with(issuer().certificate())).unwrap();
}

#[test]
fn a_request_shows_no_key() {
    let request = role::Scheduler::new(&fast_cluster()).profile().request().unwrap();
    assert_eq!(format!("{request:?}"), "Request(scheduler, CN=system:kube-scheduler)");
    assert!(!request.csr_pem().contains("PRIVATE"));
}
