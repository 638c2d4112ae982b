//! Bad input: carried literally as one value, or refused with a code and a text that names field, rule and value.

use std::collections::HashSet;
use std::error::Error as StdError;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kubepki::kubeconfig::Kubeconfig;
use kubepki::{
    Authorities, AuthorityName, Certificate, Cluster, ClusterName, Code, Component, Convention, Credential,
    DnsName, Endpoint, Error, Etcd, Group, Issuer, KeyAlgorithm, Node, NodeName, Pki, PrivateKey, Profile,
    PublicKey, Role, San, Signer, Subnet, Time, ToSign, Usage, UserName, role,
};

use crate::support::{certify, control_plane, fast_cluster, issuer, openssl, refused, utf8};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// Reads a text as `T`; the error, if it is refused.
fn read<T: FromStr<Err = Error>>(text: &str) -> Result<(), Error> {
    text.parse::<T>().map(|_| ())
}

fn time(text: &str) -> Time {
    text.parse().unwrap()
}

fn authority_profile() -> Profile {
    role::KubernetesCa::new(&fast_cluster()).profile()
}

fn client_profile() -> Profile {
    role::Scheduler::new(&fast_cluster()).profile()
}

fn self_signed(now: Time, lifetime: Duration) -> Result<Issuer, Error> {
    Issuer::self_signed(&role::KubernetesCa::new(&fast_cluster()).lifetime(lifetime).profile(), now)
}

fn authorities() -> Authorities {
    Authorities::create(&fast_cluster(), Time::now()).unwrap()
}

fn worker() -> Node {
    Node::worker("w-1".parse().unwrap())
}

#[test]
fn texts_that_are_no_values_of_their_field_are_refused_with_field_rule_and_value() {
    type Read = fn(&str) -> Result<(), Error>;
    /// A field and how it is read, then texts, each with the rule that it breaks.
    type Row<'a> = (&'a str, Read, &'a [(&'a str, &'a str)]);
    let long = &*format!("{}aa", "a.".repeat(126));
    #[rustfmt::skip]
    let table: &[Row<'_>] = &[
        ("node name", read::<NodeName>, &[
            ("", "at least one character"),
            (long, "at most 253 characters"),
            ("jürgen", "xn--"),
            ("Node1", "lower-case letters"),
            ("a b", "lower-case letters"),
            ("a_b", "lower-case letters"),
            ("a\n", "lower-case letters"),
            ("a\0", "lower-case letters"),
            ("a,O=b", "lower-case letters"),
            ("a+O=b", "lower-case letters"),
            ("CN=a/O=system:masters", "lower-case letters"),
            ("../../etc/passwd", "lower-case letters"),
            ("{a: b}", "lower-case letters"),
            ("a.", "no trailing dot"),
            ("a..b", "1 to 63 characters"),
            ("-a", "neither begin nor end with '-'"),
        ]),
        ("DNS name", read::<DnsName>, &[
            ("", "at least one character"),
            ("bücher.example", "xn--"),
            ("a.example.", "no trailing dot"),
            ("*.example.com", "lower-case letters"),
            ("10.0.0.256", "ends in a number"),
        ]),
        ("user name", read::<UserName>, &[
            ("", "at least one character"),
            (long, "at most 253 bytes"),
            ("a\n", "no control characters"),
            ("a\0b", "no control characters"),
            ("a\u{2028}b", "no line breaks"),
            (" a", "no white space at either end"),
            ("system:node:n1", "those that begin with system: belong to components"),
            ("system:kube-scheduler", "those that begin with system: belong to components"),
        ]),
        ("group", read::<Group>, &[
            ("", "at least one character"),
            (long, "at most 253 bytes"),
            ("a\r\nb", "no control characters"),
            ("system:masters", "another group: this one comes with a role"),
            ("system:nodes", "another group: this one comes with a role"),
            ("system:authenticated", "another group: this one comes with a role"),
            ("system:unauthenticated", "another group: this one comes with a role"),
            ("system:serviceaccounts", "another group: this one comes with a role"),
            ("system:serviceaccounts:kube-system", "another group: this one comes with a role"),
        ]),
        ("cluster name", read::<ClusterName>, &[("", "at least one character"), ("a\nusers: []", "no control characters")]),
        ("authority name", read::<AuthorityName>, &[("", "at least one character"), ("a\0", "no control characters")]),
        ("subject alternative name", read::<San>, &[
            ("", "at least one character"),
            ("*", "'*' as the whole first label"),
            ("a.*.b", "'*' as the whole first label"),
            ("a*.b.c", "'*' as the whole first label"),
            ("*.com", "at least two labels"),
            ("fe80::1%eth0", "without a zone"),
            ("[::1]", "without scheme, port and brackets"),
            ("https://a", "without scheme, port and brackets"),
            ("a:443", "without scheme, port and brackets"),
            ("192.0.2.300", "ends in a number"),
            ("a.example.", "no trailing dot"),
            ("bücher.example", "xn--"),
            ("a,IP:192.0.2.1", "without scheme, port and brackets"),
            ("a\nb", "lower-case letters"),
        ]),
        ("endpoint", read::<Endpoint>, &[
            ("", "at least one character"),
            ("https://a:6443", "without a scheme"),
            ("a:0", "a port from 1 to 65535"),
            ("a:65536", "a port from 1 to 65535"),
            ("a:", "a port from 1 to 65535"),
            ("[::1", "in brackets"),
            ("[a]:1", "an IPv6 address between the brackets"),
            ("a b:1", "lower-case letters"),
            ("u@a:1", "lower-case letters"),
            ("192.0.2.300:1", "ends in a number"),
        ]),
        ("service subnet", read::<Subnet>, &[
            ("", "such as 10.96.0.0/12"),
            ("10.96.0.0", "such as 10.96.0.0/12"),
            ("a/8", "such as 10.96.0.0/12"),
            ("10.96.0.0/12,fd00::/108", "such as 10.96.0.0/12"),
            ("10.96.0.0/33", "a prefix length from 0 to 32"),
            ("fd00::/129", "a prefix length from 0 to 128"),
            ("10.96.0.1/12", "the network's own address, 10.96.0.0/12"),
            ("fd00::1/108", "the network's own address, fd00::/108"),
        ]),
        ("key algorithm", read::<KeyAlgorithm>, &[("", "rsa-2048"), ("rsa-1024", "rsa-2048"), ("ed25519", "ecdsa-p384")]),
        ("convention", read::<Convention>, &[("Kubeadm", "documented or kubeadm")]),
        ("component", read::<Component>, &[("apiserver", "kube-apiserver")]),
        ("role", read::<Role>, &[("apiserver", "kube-apiserver")]),
        ("usage", read::<Usage>, &[("serverAuth", "server auth")]),
        ("time", read::<Time>, &[("tomorrow", "RFC 3339"), ("2026-02-30T00:00:00Z", "RFC 3339")]),
    ];
    for (field, read, texts) in table {
        for (text, rule) in *texts {
            let begin: String = text.chars().take(80).collect();
            let value =
                if begin == *text { format!("{text:?}") } else { format!("{begin:?}... (254 bytes)") };
            refused(
                read(text),
                Code::Invalid,
                &[&format!("{field}: expected "), rule, &format!(", found {value}")],
            );
        }
    }
    for text in ["10.0.0.0/29", "10.0.0.0/32", "fd00::/125"] {
        refused(
            read::<Subnet>(text),
            Code::SubnetTooSmall,
            &["service subnet: expected at least 10 addresses", text],
        );
    }
}

#[test]
fn texts_that_look_like_something_else_are_carried_as_one_value() {
    for text in [
        "CN=a/O=system:masters",
        "a,O=system:masters",
        "a+O=system:masters",
        "a\\,b",
        "#0403020100",
        "- a",
        "a: {b: c}",
        "a #b",
        "'\"",
        "&a *a !a",
        "%s${HOME}",
        "../../etc/passwd",
        "jürgen@example.com",
        "😀",
        "a\u{202e}b",
        "true",
        "1",
    ] {
        let cluster = fast_cluster().name(text.parse().unwrap());
        let authorities = authorities();
        let user = role::User::new(&cluster, text.parse().unwrap()).group(text.parse().unwrap()).profile();
        let credential = authorities.issue(&user, Time::now()).unwrap();
        let subject = credential.certificate().subject();
        assert_eq!(subject.common_name(), Some(text));
        assert_eq!(subject.organizations().collect::<Vec<_>>(), [text]);
        let kubeconfig = Kubeconfig::for_user(&cluster, &authorities, &credential).unwrap();
        let again = Kubeconfig::from_yaml(kubeconfig.to_yaml().as_bytes()).unwrap();
        assert_eq!(again, kubeconfig);
        assert_eq!((&*again.users[0].name, &*again.clusters[0].name), (text, text));
        assert_eq!(again.current_context, format!("{text}@{text}"));
        let root = role::RootCa::new(&cluster, text.parse().unwrap()).profile();
        let root = Issuer::self_signed(&root, Time::now()).unwrap();
        assert_eq!(root.certificate().subject().common_name(), Some(text));
    }
}

#[test]
fn descriptions_that_contradict_themselves_are_refused() {
    let subnets = |subnets: &[&str]| {
        let subnets = subnets.iter().map(|subnet| subnet.parse().unwrap());
        Cluster::new("127.0.0.1".parse().unwrap())
            .key_algorithm(KeyAlgorithm::EcdsaP256)
            .service_subnets(subnets)
    };
    let rule = "service subnets: expected one subnet, or one of IPv4 and one of IPv6, found ";
    for list in [
        &[][..],
        &["10.0.0.0/16", "10.1.0.0/16"],
        &["fd00::/108", "fd01::/108"],
        &["10.0.0.0/16", "fd00::/108", "10.1.0.0/16"],
    ] {
        let found = format!("{:?}", list.join(","));
        refused(Authorities::create(&subnets(list), Time::now()), Code::Invalid, &[rule, &found]);
        let joined = authorities().join(&subnets(list), &worker(), Time::now());
        refused(joined, Code::Invalid, &[rule, &found]);
    }

    let san = || "a.example.com".parse::<San>().unwrap();
    for (node, role) in [
        (control_plane("cp-1", "192.0.2.1"), Role::Admin),
        (control_plane("cp-1", "192.0.2.1"), Role::ApiServerKubeletClient),
        (control_plane("cp-1", "192.0.2.1"), Role::KubernetesCa),
        (worker(), Role::ApiServer),
        (worker(), Role::KubeletClient),
        (Node::etcd_member("e-1".parse().unwrap(), [192, 0, 2, 1].into()), Role::KubeletServer),
    ] {
        let joined = authorities().join(&fast_cluster(), &node.san(role, san()), Time::now());
        let value = format!("found \"a.example.com for {role}\"");
        refused(joined, Code::Invalid, &["subject alternative name: expected a name for a serving ", &value]);
    }
    let member = || Node::etcd_member("e-1".parse().unwrap(), [192, 0, 2, 1].into());
    let external = Etcd::External { ca: "a".into(), cert: "b".into(), key: "c".into() };
    for (cluster, node, field) in [
        (
            fast_cluster(),
            Node::worker("w-1".parse().unwrap()).san(Role::KubeletServer, san()),
            "alternative name",
        ),
        (fast_cluster(), worker().front_proxy_server([san()]), "front-proxy server"),
        (fast_cluster(), member().kube_proxy(), "kube-proxy"),
        (fast_cluster(), member().addresses([[192, 0, 2, 1].into()]), "addresses"),
        (fast_cluster().etcd(external), member(), "etcd"),
        (fast_cluster().dns_domain(["a"; 120].join(".").parse().unwrap()), worker(), "DNS domain"),
    ] {
        refused(authorities().join(&cluster, &node, Time::now()), Code::Invalid, &[field]);
    }
    let verifying = fast_cluster().verify_kubelets();
    let nameless = Node::worker("w-1".parse().unwrap());
    refused(authorities().join(&verifying, &nameless, Time::now()), Code::Invalid, &["addresses: "]);
    let kubeadm = verifying.convention(Convention::Kubeadm);
    refused(authorities().join(&kubeadm, &worker(), Time::now()), Code::Invalid, &["convention: "]);
    refused(Pki::create(&fast_cluster(), &worker(), Time::now()), Code::Invalid, &["node: ", "\"w-1\""]);

    for (node, value) in [
        (control_plane("cp-1", "0.0.0.0"), "\"0.0.0.0\""),
        (control_plane("cp-1", "::"), "\"::\""),
        (Node::etcd_member("e-1".parse().unwrap(), "224.0.0.1".parse().unwrap()), "\"224.0.0.1\""),
        (worker().addresses(["::".parse().unwrap()]), "\"::\""),
    ] {
        let joined = authorities().join(&fast_cluster(), &node, Time::now());
        refused(joined, Code::Invalid, &["address: expected an address of one machine, found ", value]);
    }
    let node = control_plane("cp-1", "192.0.2.1").bind_port(0);
    let joined = authorities().join(&fast_cluster(), &node, Time::now());
    refused(joined, Code::Invalid, &["bind port: expected a port from 1 to 65535, found \"0\""]);
}

#[test]
fn lifetimes_that_no_certificate_can_hold_are_refused() {
    let now = Time::now();
    let to_the_end = time("9999-12-31T23:59:59Z").since(now);
    for lifetime in [
        Duration::ZERO,
        Duration::from_millis(999),
        to_the_end + Duration::from_secs(1),
        Duration::from_secs(u64::MAX),
        Duration::MAX,
    ] {
        let parts = |role| {
            [role, "a lifetime of at least a second", "year 10000", &*format!("{lifetime:?}")]
                .map(str::to_owned)
        };
        let check = |result: Result<(), Error>, role: Role| {
            refused(result, Code::Invalid, &parts(role.id()).each_ref().map(String::as_str));
        };
        check(self_signed(now, lifetime).map(|_| ()), Role::KubernetesCa);
        let profile = role::Scheduler::new(&fast_cluster()).lifetime(lifetime).profile();
        check(issuer().issue(&profile, now).map(|_| ()), Role::Scheduler);
        let cluster = fast_cluster().authority_lifetime(lifetime).leaf_lifetime(HOUR);
        check(Authorities::create(&cluster, now).map(|_| ()), Role::KubernetesCa);
        let cluster = fast_cluster().authority_lifetime(HOUR).leaf_lifetime(lifetime);
        check(authorities().join(&cluster, &worker(), now).map(|_| ()), Role::KubeletClient);
    }
    assert_eq!(self_signed(now, to_the_end).unwrap().certificate().not_after(), time("9999-12-31T23:59:59Z"));
}

#[test]
fn profiles_of_leaves_and_of_authorities_are_not_confused() {
    let now = Time::now();
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let leaf = ["scheduler: expected the profile of an authority, found that of a leaf"];
    let authority = ["kubernetes-ca: expected the profile of a leaf", "found that of an authority"];
    refused(Issuer::self_signed(&client_profile(), now), Code::UsageConflict, &leaf);
    refused(issuer().intermediate(&client_profile(), now), Code::UsageConflict, &leaf);
    let signer = Arc::new(PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap());
    refused(Issuer::self_signed_by(&client_profile(), signer, now), Code::UsageConflict, &leaf);
    refused(issuer().issue(&authority_profile(), now), Code::UsageConflict, &authority);
    refused(issuer().certify(&authority_profile(), key.public_key(), now), Code::UsageConflict, &authority);
}

#[test]
fn certificates_and_keys_that_do_not_belong_together_are_refused() {
    let now = Time::now();
    let key = || PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let authority = issuer().certificate().clone();
    let of_authority = || PrivateKey::from_pem(issuer().private_key().unwrap().to_pem().as_bytes()).unwrap();
    let leaf = issuer().issue(&client_profile(), now).unwrap();
    let of_leaf = || PrivateKey::from_pem(leaf.key().to_pem().as_bytes()).unwrap();
    let mismatch = "expected the private key of CN=kubernetes-ca, found the key with the pin sha256:";

    refused(Issuer::new(vec![authority.clone()], of_leaf()), Code::KeyMismatch, &[mismatch]);
    refused(Issuer::with_signer(vec![authority.clone()], Arc::new(key())), Code::KeyMismatch, &[mismatch]);
    refused(
        Issuer::new(vec![leaf.certificate().clone()], of_leaf()),
        Code::NotAnAuthority,
        &["CA:TRUE, cert sign", "CN=system:kube-scheduler"],
    );
    refused(
        Issuer::new(Vec::new(), key()),
        Code::Malformed,
        &["expected at least one certificate, found none"],
    );
    refused(Credential::new(leaf.chain().to_vec(), key()), Code::KeyMismatch, &["CN=system:kube-scheduler"]);
    refused(Credential::new(Vec::new(), key()), Code::Malformed, &["at least one certificate"]);

    // Another authority; another of the same name; another of the same name without key identifiers.
    let etcd = Issuer::self_signed(&role::EtcdCa::new(&fast_cluster()).profile(), now).unwrap();
    let namesake = Issuer::self_signed(&authority_profile(), now).unwrap();
    let chain = |above: &Issuer| vec![leaf.certificate().clone(), above.certificate().clone()];
    refused(Credential::new(chain(&etcd), of_leaf()), Code::WrongIssuer, &["CN=etcd-ca", "CN=kubernetes-ca"]);
    refused(
        Credential::new(chain(&namesake), of_leaf()),
        Code::WrongIssuer,
        &["another authority of the same name"],
    );
    let mut der = leaf.certificate().der().to_vec();
    // One bit of the signed part: of the serial number.
    der[16] ^= 1;
    let forged = Certificate::from_der(&der).unwrap();
    refused(
        Credential::new(vec![forged, authority.clone()], of_leaf()),
        Code::BadSignature,
        &["CN=kubernetes-ca"],
    );
    refused(
        Issuer::new(vec![authority, etcd.certificate().clone()], of_authority()),
        Code::WrongIssuer,
        &["CN=etcd-ca"],
    );

    let stranger = namesake.issue(&client_profile(), now).unwrap();
    let kubeconfig = Kubeconfig::for_user(&fast_cluster(), &authorities(), &stranger);
    refused(kubeconfig, Code::WrongIssuer, &["client-certificate-data"]);
}

#[test]
fn an_authority_whose_key_usages_do_not_allow_signing_is_none() {
    let key = openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], b"").unwrap();
    let request = ["req", "-x509", "-key", "/dev/stdin", "-subj", "/CN=a", "-days", "2", "-addext"];
    let make = |extension: &str| openssl(&[&request[..], &[extension]].concat(), &key).unwrap();
    refused(
        Issuer::from_pem(&make("keyUsage=critical,digitalSignature"), &key),
        Code::NotAnAuthority,
        &["CN=a"],
    );
    Issuer::from_pem(&make("keyUsage=critical,keyCertSign"), &key).unwrap();
    // Without that extension nothing is limited.
    Issuer::from_pem(&make("nsComment=a"), &key).unwrap();
}

#[test]
fn authorities_sign_only_while_they_are_valid() {
    let now = time("2026-11-22T09:00:00Z");
    let authority = self_signed(now, HOUR).unwrap();
    let issue = |moment: &str| authority.issue(&client_profile(), time(moment));
    refused(
        issue("2026-11-22T10:00:01Z"),
        Code::AuthorityExpired,
        &["ended at 2026-11-22T10:00:00Z; now is 2026-11-22T10:00:01Z"],
    );
    refused(
        issue("2026-11-22T08:54:59Z"),
        Code::AuthorityNotYetValid,
        &["begins at 2026-11-22T08:55:00Z; now is 2026-11-22T08:54:59Z"],
    );
    issue("2026-11-22T10:00:00Z").unwrap();
    issue("2026-11-22T08:55:00Z").unwrap();
    let below = role::EtcdCa::new(&fast_cluster()).profile();
    let late = authority.intermediate(&below, time("2026-11-22T11:00:00Z"));
    refused(late, Code::AuthorityExpired, &["CN=kubernetes-ca"]);
}

#[test]
fn path_lengths_are_kept() {
    let now = Time::now();
    let name: AuthorityName = "a".parse().unwrap();
    let intermediate =
        |length| role::Intermediate::new(&fast_cluster(), name.clone()).path_length(length).profile();
    let root = Issuer::self_signed(&role::RootCa::new(&fast_cluster(), name.clone()).profile(), now).unwrap();
    let one = root.intermediate(&intermediate(1), now).unwrap();
    let zero = one.intermediate(&intermediate(0), now).unwrap();
    // The length of the one above counts as well.
    let generous = one.intermediate(&intermediate(7), now).unwrap();
    for parent in [&zero, &generous] {
        let expected = &["expected an authority that may sign intermediate (path length)"];
        refused(parent.intermediate(&intermediate(0), now), Code::NotAnAuthority, expected);
        let below = Authorities::create_under(parent, &fast_cluster(), now);
        refused(below, Code::NotAnAuthority, &["kubernetes-ca"]);
        parent.issue(&client_profile(), now).unwrap();
    }
    let below = Authorities::create_under(&one, &fast_cluster(), now).unwrap();
    let authority = below.get(Role::KubernetesCa).unwrap().issuer().unwrap();
    refused(authority.intermediate(&intermediate(0), now), Code::NotAnAuthority, &["CN=kubernetes-ca"]);
}

/// A signer that shows a public key and answers whatever it likes.
struct Liar<F> {
    shows: PublicKey,
    answer: F,
}

type Answer = Result<Vec<u8>, Box<dyn StdError + Send + Sync>>;

impl<F: Fn(&ToSign<'_>) -> Answer + Send + Sync> Signer for Liar<F> {
    fn public_key(&self) -> &PublicKey {
        &self.shows
    }

    fn sign(&self, what: &ToSign<'_>) -> Answer {
        (self.answer)(what)
    }
}

/// Signs the authority's own certificate and a leaf with a liar.
fn with_liar(answer: impl Fn(&ToSign<'_>) -> Answer + Send + Sync + 'static, check: impl Fn(Error)) {
    let liar = Arc::new(Liar { shows: issuer().certificate().public_key().clone(), answer });
    let now = Time::now();
    check(Issuer::self_signed_by(&authority_profile(), liar.clone(), now).unwrap_err());
    let authority = Issuer::with_signer(issuer().chain().to_vec(), liar).unwrap();
    check(authority.issue(&client_profile(), now).unwrap_err());
    check(authority.intermediate(&role::EtcdCa::new(&fast_cluster()).profile(), now).unwrap_err());
}

#[test]
fn a_signer_that_answers_for_another_key_or_with_something_else_is_found_out() {
    let mismatch = |error: Error| {
        refused(
            Err::<(), _>(error),
            Code::SignerMismatch,
            &["signature by the signer's own key", "does not verify"],
        );
    };
    let other = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    with_liar(move |what| other.sign(what), mismatch);
    with_liar(|_| Ok(Vec::new()), mismatch);
    with_liar(|_| Ok(vec![0x30; 70]), mismatch);
    with_liar(|_| Ok(vec![0; 64]), mismatch);
    // A signature by the right key, but of something else; and one with a byte behind it.
    let right = || PrivateKey::from_pem(issuer().private_key().unwrap().to_pem().as_bytes()).unwrap();
    let (key, recorded) = (right(), Arc::new(Mutex::new(Vec::new())));
    let recorder = recorded.clone();
    let answer = move |what: &ToSign<'_>| {
        let signature = key.sign(what)?;
        recorder.lock().unwrap().clone_from(&signature);
        Ok(signature)
    };
    let honest = Liar { shows: issuer().certificate().public_key().clone(), answer };
    Issuer::self_signed_by(&authority_profile(), Arc::new(honest), Time::now()).unwrap();
    with_liar(move |_| Ok(recorded.lock().unwrap().clone()), mismatch);
    let key = right();
    with_liar(
        move |what| {
            let mut signature = key.sign(what)?;
            signature.push(0);
            Ok(signature)
        },
        mismatch,
    );
}

#[test]
fn a_signer_that_fails_is_named_as_the_source() {
    with_liar(
        |_| Err("the token is locked".into()),
        |error| {
            assert_eq!(error.source().unwrap().to_string(), "the token is locked");
            refused(
                Err::<(), _>(error),
                Code::Signer,
                &["a signature from the signer", "the token is locked"],
            );
        },
    );
}

#[test]
fn a_signer_with_another_key_is_not_attached() {
    let key = || Arc::new(PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap());
    let mut authorities = authorities();
    let here = authorities.attach(Role::EtcdCa, key());
    refused(here, Code::Exists, &["etcd-ca: expected an authority whose key is elsewhere"]);
    authorities = with_file(&authorities, "pki/etcd/ca.key", None);
    refused(
        authorities.attach(Role::EtcdCa, key()),
        Code::KeyMismatch,
        &["etcd-ca: expected the private key of CN=etcd-ca"],
    );
    refused(authorities.attach(Role::Admin, key()), Code::Invalid, &["authority: ", "\"admin\""]);
    let ed25519 = openssl(&["genpkey", "-algorithm", "ED25519"], b"").unwrap();
    let shows = PublicKey::from_pem(&openssl(&["pkey", "-pubout"], &ed25519).unwrap()).unwrap();
    let signer = Arc::new(Liar { shows, answer: |_: &ToSign<'_>| Ok(vec![0; 64]) });
    let made = Issuer::self_signed_by(&authority_profile(), signer, Time::now());
    refused(made, Code::Unsupported, &["1.3.101.112"]);
}

/// A signer whose key is replaced by another while it is in use, as in a key service that rotates.
struct Rotating {
    keys: [PrivateKey; 2],
    rotated: AtomicBool,
}

impl Rotating {
    fn key(&self) -> &PrivateKey {
        &self.keys[usize::from(self.rotated.load(Ordering::SeqCst))]
    }
}

impl Signer for Rotating {
    fn public_key(&self) -> &PublicKey {
        self.key().public_key()
    }

    fn sign(&self, what: &ToSign<'_>) -> Answer {
        self.key().sign(what)
    }
}

#[test]
fn a_signer_whose_key_was_replaced_no_longer_signs_for_the_authority() {
    let now = Time::now();
    let keys = [KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP256].map(|it| PrivateKey::generate(it).unwrap());
    let signer = Arc::new(Rotating { keys, rotated: AtomicBool::new(false) });
    let authority = Issuer::self_signed_by(&authority_profile(), signer.clone(), now).unwrap();
    authority.issue(&client_profile(), now).unwrap();
    signer.rotated.store(true, Ordering::SeqCst);
    refused(authority.issue(&client_profile(), now), Code::SignerMismatch, &["does not verify"]);
}

#[test]
fn one_authority_never_serves_as_two() {
    let now = Time::now();
    let key = || PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let same = [(Role::KubernetesCa, issuer().clone()), (Role::FrontProxyCa, issuer().clone())];
    refused(
        Authorities::from_issuers(same, key()),
        Code::SharedAuthority,
        &["front-proxy-ca: expected an authority of its own, found that of kubernetes-ca (CN=kubernetes-ca)"],
    );
    // Another certificate for the same key is no other authority.
    let of_issuer = PrivateKey::from_pem(issuer().private_key().unwrap().to_pem().as_bytes()).unwrap();
    let profile = role::FrontProxyCa::new(&fast_cluster()).profile();
    let renamed = Issuer::self_signed_by(&profile, Arc::new(of_issuer), now).unwrap();
    let same = [(Role::KubernetesCa, issuer().clone()), (Role::FrontProxyCa, renamed)];
    refused(Authorities::from_issuers(same, key()), Code::SharedAuthority, &["front-proxy-ca"]);
    // Nor is one that stands below another, as every component that trusts the other would believe it.
    let profile = role::FrontProxyCa::new(&fast_cluster()).profile();
    let below = issuer().intermediate(&profile, now).unwrap();
    let pair = [(Role::KubernetesCa, issuer().clone()), (Role::FrontProxyCa, below)];
    refused(Authorities::from_issuers(pair, key()), Code::SharedAuthority, &["front-proxy-ca"]);
    let twice = [(Role::KubernetesCa, issuer().clone()), (Role::KubernetesCa, issuer().clone())];
    refused(Authorities::from_issuers(twice, key()), Code::Invalid, &["authority: ", "\"kubernetes-ca\""]);
    let other = Authorities::from_issuers([(Role::Admin, issuer().clone())], key());
    refused(other, Code::Invalid, &["authority: ", "\"admin\""]);
}

#[test]
fn an_authority_that_is_refused_is_not_added() {
    let key = || PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let mut authorities = Authorities::from_issuers([(Role::KubernetesCa, issuer().clone())], key()).unwrap();
    let before = authorities.files().len();
    let own = |role: Profile| Issuer::self_signed(&role, Time::now()).unwrap();
    let twice = own(role::KubernetesCa::new(&fast_cluster()).profile());
    refused(authorities.add(Role::KubernetesCa, twice), Code::Invalid, &["each authority once"]);
    refused(
        authorities.add(Role::EtcdCa, issuer().clone()),
        Code::SharedAuthority,
        &["etcd-ca: expected an authority of its own, found that of kubernetes-ca"],
    );
    refused(authorities.add(Role::Scheduler, issuer().clone()), Code::Invalid, &["\"scheduler\""]);
    assert!(authorities.get(Role::EtcdCa).is_none());
    assert_eq!(authorities.files().len(), before);
    let etcd = own(role::EtcdCa::new(&fast_cluster()).profile());
    authorities.add(Role::EtcdCa, etcd).unwrap();
    assert_eq!(authorities.files().len(), before + 2);
}

/// The files of authorities, as text, with one replaced; `None` takes it away.
fn with_file(authorities: &Authorities, name: &str, text: Option<String>) -> Authorities {
    let mut files: Vec<_> = authorities
        .files()
        .iter()
        .map(|file| (file.path().to_owned(), utf8(file.bytes().to_vec())))
        .collect();
    files.retain(|(path, _)| path.as_os_str() != name);
    files.extend(text.map(|text| (name.into(), text)));
    Authorities::from_files(files).unwrap()
}

#[test]
fn a_root_is_never_trusted_beside_its_intermediate() {
    let now = Time::now();
    let root = role::RootCa::new(&fast_cluster(), "root".parse().unwrap()).profile();
    let root = Issuer::self_signed(&root, now).unwrap();
    let authorities = Authorities::create_under(&root, &fast_cluster(), now).unwrap();
    let own = authorities.get(Role::KubernetesCa).unwrap().certificate().to_pem();
    let root = root.certificate().to_pem();
    let expected =
        "kubernetes-ca: expected only the authority's own certificates to be trusted, found CN=root";
    let bundled = with_file(&authorities, "pki/ca.crt", Some(own.clone() + &root));
    refused(bundled.join(&fast_cluster(), &worker(), now), Code::SharedAuthority, &[expected]);

    // In the other order, without the key.
    let bundled = with_file(&authorities, "pki/ca.key", None);
    let bundled = with_file(&bundled, "pki/ca.crt", Some(root + &own));
    refused(bundled.join(&fast_cluster(), &worker(), now), Code::SharedAuthority, &[expected]);
}

#[test]
fn an_authority_is_trusted_beside_its_older_certificate() {
    let now = Time::now();
    let authorities = authorities();
    let authority = authorities.get(Role::KubernetesCa).unwrap();
    let key =
        PrivateKey::from_pem(authority.issuer().unwrap().private_key().unwrap().to_pem().as_bytes()).unwrap();
    let renewed = Issuer::self_signed_by(&authority_profile(), Arc::new(key), now).unwrap();
    for other in [&renewed, issuer()] {
        let bundle = authority.certificate().to_pem() + &other.certificate().to_pem();
        let bundled = with_file(&authorities, "pki/ca.crt", Some(bundle.clone()));
        let pki = bundled.join(&fast_cluster(), &worker(), now).unwrap();
        assert!(pki.files().any(|file| file.bytes() == bundle.as_bytes()));
    }
}

#[test]
fn what_cannot_sign_is_named_before_any_key_is_made() {
    let now = Time::now();
    let authorities = authorities();
    let node = control_plane("cp-1", "192.0.2.1");
    let alone = "or a signer for it, found its certificate alone";
    for (file, expected) in [
        ("pki/ca.key", format!("kubernetes-ca: expected the key of this authority (pki/ca.key) {alone}")),
        ("pki/etcd/ca.key", format!("etcd-ca: expected the key of this authority (pki/etcd/ca.key) {alone}")),
        (
            "pki/front-proxy-ca.key",
            format!("front-proxy-ca: expected the key of this authority (pki/front-proxy-ca.key) {alone}"),
        ),
        (
            "pki/etcd/ca.crt",
            "etcd-ca: expected the key of this authority (pki/etcd/ca.key) or a signer for it, found no such"
                .to_owned(),
        ),
        ("pki/sa.key", "service-account: expected the service-account key, sa.key, found none".to_owned()),
    ] {
        let mut without = with_file(&authorities, &file.replace(".crt", ".key"), None);
        without = with_file(&without, file, None);
        // RSA-4096: it would take its time.
        let cluster = fast_cluster().key_algorithm(KeyAlgorithm::Rsa4096);
        refused(without.join(&cluster, &node, now), Code::NoIssuer, &[&expected]);
    }
    // A worker needs the Kubernetes authority only.
    let mut lean = authorities;
    for file in [
        "pki/etcd/ca.key",
        "pki/etcd/ca.crt",
        "pki/front-proxy-ca.key",
        "pki/front-proxy-ca.crt",
        "pki/sa.key",
    ] {
        lean = with_file(&lean, file, None);
    }
    lean.join(&fast_cluster(), &worker(), now).unwrap();
}

#[test]
fn files_that_do_not_belong_together_are_refused_with_the_file() {
    let files = authorities().files();
    let text = |name: &str| {
        utf8(files.iter().find(|file| file.path().as_os_str() == name).unwrap().bytes().to_vec())
    };
    for (path, text, code) in [
        ("pki/ca.key", text("pki/etcd/ca.key"), Code::KeyMismatch),
        ("pki/ca.key", text("pki/ca.crt"), Code::Malformed),
        ("pki/ca.key", String::new(), Code::Malformed),
        ("pki/ca.crt", text("pki/sa.pub"), Code::Malformed),
        ("pki/sa.key", text("pki/sa.pub"), Code::Malformed),
        ("pki/sa.key", text("pki/sa.key").replace("EC ", "ENCRYPTED "), Code::Unsupported),
    ] {
        let files: Vec<_> = files
            .iter()
            .map(|file| (file.path(), file.bytes()))
            .map(|(known, bytes)| (known, if known.as_os_str() == path { text.as_bytes() } else { bytes }))
            .collect();
        refused(Authorities::from_files(files), code, &[&format!("{path}: expected ")]);
    }
}

#[test]
fn moments_before_2050_are_utc_time_and_later_ones_generalized_time() {
    const UTC: u8 = 0x17;
    const GENERALIZED: u8 = 0x18;
    for (moment, tag, text) in [
        ("2049-12-31T23:59:59Z", UTC, "491231235959Z"),
        ("2050-01-01T00:00:00Z", GENERALIZED, "20500101000000Z"),
        ("9999-12-31T23:59:59Z", GENERALIZED, "99991231235959Z"),
    ] {
        let encoded = [&[tag, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
        let holds =
            |issuer: &Issuer| issuer.certificate().der().windows(encoded.len()).any(|it| it == encoded);
        let now = time("2040-01-01T00:00:00Z");
        let ending = self_signed(now, time(moment).since(now)).unwrap();
        assert!(holds(&ending), "{moment}");
        assert_eq!(ending.certificate().not_after(), time(moment));
        if let Some(now) = time(moment).checked_add(5 * MINUTE) {
            let beginning = self_signed(now, HOUR).unwrap();
            assert!(holds(&beginning), "{moment}");
            assert_eq!(beginning.certificate().not_before(), time(moment));
        }
    }
    let first = self_signed(Time::from_unix(0).unwrap(), HOUR).unwrap();
    assert_eq!(first.certificate().not_before(), Time::from_unix(0).unwrap());
}

#[test]
fn certificates_begin_five_minutes_ago_and_do_not_outlive_their_authority() {
    let now = time("2026-11-22T09:00:00Z");
    let authority = self_signed(now, 2 * HOUR).unwrap();
    for (lifetime, not_after, shortened_from) in [
        (HOUR, "2026-11-22T10:00:00Z", None),
        (2 * HOUR, "2026-11-22T11:00:00Z", None),
        (3 * HOUR, "2026-11-22T11:00:00Z", Some("2026-11-22T12:00:00Z")),
    ] {
        let profile = role::Scheduler::new(&fast_cluster()).lifetime(lifetime).profile();
        let credential = authority.issue(&profile, now).unwrap();
        let certificate = credential.certificate();
        assert_eq!(certificate.not_before(), time("2026-11-22T08:55:00Z"));
        assert_eq!(certificate.not_after(), time(not_after));
        assert_eq!(credential.shortened_from(), shortened_from.map(time));
    }
    let profile = role::EtcdCa::new(&fast_cluster()).profile();
    let below = authority.intermediate(&profile, now).unwrap();
    assert_eq!(below.certificate().not_after(), authority.certificate().not_after());
}

#[test]
fn serial_numbers_are_positive_have_63_bits_and_differ() {
    let mut seen = HashSet::new();
    let mut bits = 0;
    for _ in 0..200 {
        let chain = certify(issuer().certificate().public_key()).unwrap();
        let serial = chain[0].serial_number().to_vec();
        let number = serial
            .iter()
            .try_fold(0_u64, |number, byte| number.checked_mul(256).map(|number| number + u64::from(*byte)));
        let number = number.unwrap_or_else(|| panic!("{serial:?}"));
        assert!(number > 0 && number <= u64::MAX >> 1, "{serial:?}");
        assert!(seen.insert(serial));
        bits |= number;
    }
    assert_eq!(bits, u64::MAX >> 1, "every bit is used");
}
