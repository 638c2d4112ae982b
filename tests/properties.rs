//! What holds for any name and any profile.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::LazyLock;
use std::time::Duration;

use kubepki::kubeconfig::Kubeconfig;
use kubepki::{
    AlternativeName, Authorities, Certificate, Cluster, ClusterName, Convention, DnsName, Group, Issuer,
    KeyAlgorithm, KubeletClientCertificate, Node, NodeName, PrivateKey, Profile, Role, San, Signer, Time,
    Usage, UserName, role,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::support::{CONVENTIONS, cluster, fast_cluster};

/// Made once: a key of each algorithm, and the authorities.
static KEYS: LazyLock<Vec<PrivateKey>> =
    LazyLock::new(|| KeyAlgorithm::ALL.into_iter().map(|it| PrivateKey::generate(it).unwrap()).collect());
static AUTHORITIES: LazyLock<Authorities> =
    LazyLock::new(|| Authorities::create(&fast_cluster(), Time::now()).unwrap());

proptest! {
    #[test]
    fn any_user_and_groups_survive_certificate_and_kubeconfig(
        name in text::<UserName>(), groups in vec(text::<Group>(), 0..4), cluster_name in text::<ClusterName>(),
    ) {
        let cluster = fast_cluster().name(cluster_name.clone());
        let user = groups.iter().cloned().fold(role::User::new(&cluster, name.clone()), role::User::group);
        let credential = AUTHORITIES.issue(&user.profile(), Time::now()).unwrap();
        let kubeconfig = Kubeconfig::for_user(&cluster, &AUTHORITIES, &credential).unwrap();

        let read = Kubeconfig::from_yaml(kubeconfig.to_yaml().as_bytes()).unwrap();
        prop_assert_eq!(&read, &kubeconfig);
        prop_assert_eq!(&read.clusters[0].name, cluster_name.as_str());
        prop_assert_eq!(&read.users[0].name, name.as_str());
        read.check().unwrap();

        let pem = read.current_user().unwrap().client_certificate_data.clone().unwrap();
        let certificate = Certificate::from_pem(&pem).unwrap().remove(0);
        let subject = certificate.subject();
        prop_assert_eq!(subject.common_name(), Some(name.as_str()));
        let wanted: BTreeSet<_> = groups.iter().map(Group::as_str).collect();
        prop_assert_eq!(subject.organizations().count(), wanted.len());
        prop_assert_eq!(subject.organizations().collect::<BTreeSet<_>>(), wanted);
        prop_assert_eq!(subject.organizational_units().count(), 0);
    }

    #[test]
    fn any_profile_issues_a_certificate_that_meets_it(
        profile in profile(), key in 0..5_usize, now in 400_000_000..8_000_000_000_i64,
    ) {
        let (now, key) = (Time::from_unix(now).unwrap(), KEYS[key].public_key());
        let issuer = issuer(now);
        let chain = issuer.certify(&profile, key, now).unwrap();
        let certificate = Certificate::from_der(chain[0].der()).unwrap();

        certificate.check_issued_by(issuer.certificate()).unwrap();
        prop_assert_eq!(certificate.public_key(), key);
        prop_assert_eq!(certificate.subject().common_name(), Some(profile.common_name()));
        let organizations: BTreeSet<_> = profile.organizations().iter().map(String::as_str).collect();
        prop_assert_eq!(certificate.subject().organizations().collect::<BTreeSet<_>>(), organizations);
        let sans: Vec<_> = profile.sans().iter().map(AlternativeName::from).collect();
        prop_assert_eq!(certificate.sans(), sans);
        let mut usages = profile.usages();
        usages.remove(&Usage::KeyEncipherment);
        let mut found = certificate.usages().clone();
        found.remove(&Usage::KeyEncipherment);
        prop_assert_eq!(found, usages);
        prop_assert!(!certificate.is_authority());
        prop_assert_eq!(certificate.not_before().unix(), now.unix() - 300);
        let end = now.checked_add(profile.lifetime()).unwrap().min(issuer.certificate().not_after());
        prop_assert_eq!(certificate.not_after(), end);
        prop_assert_eq!(certificate.authority_key_identifier(), issuer.certificate().subject_key_identifier());
        prop_assert_eq!(certificate.subject_key_identifier(), None);
        prop_assert!((1..=8).contains(&certificate.serial_number().len()));
    }

    #[test]
    fn any_san_survives_a_certificate(san in san()) {
        let profile = role::Service::new(&fast_cluster(), "a.b.svc".parse().unwrap()).san(san.clone()).profile();
        let issuer = AUTHORITIES.get(Role::KubernetesCa).unwrap().issuer().unwrap();
        let certificate = issuer.issue(&profile, Time::now()).unwrap();
        prop_assert!(certificate.certificate().sans().contains(&AlternativeName::from(&san)));
        prop_assert_eq!(san.to_string().parse::<San>().unwrap(), san);
    }

    #[test]
    fn no_text_makes_a_certificate_a_key_or_a_kubeconfig_panic(bytes in vec(any::<u8>(), 0..300)) {
        let _ = (Certificate::from_pem(&bytes), Certificate::from_der(&bytes));
        let _ = (PrivateKey::from_pem(&bytes).is_ok(), Kubeconfig::from_yaml(&bytes).is_ok());
    }
}

/// An authority that is valid at `now`: for half of the profiles not for long enough.
fn issuer(now: Time) -> Issuer {
    let profile =
        role::KubernetesCa::new(&fast_cluster()).lifetime(Duration::from_secs(180 * 86_400)).profile();
    Issuer::self_signed(&profile, now).unwrap()
}

/// Names as nasty as they are allowed to be.
fn text<T: std::str::FromStr + std::fmt::Debug>() -> impl Strategy<Value = T> {
    let pieces = select(vec![
        "CN=a/O=system:masters",
        ",O=b",
        "+O=b",
        ": ",
        "#",
        " #",
        "- ",
        "*a",
        "&a",
        "!b",
        "'",
        "\"",
        "\\",
        "{",
        "}",
        "[",
        "]",
        "yes",
        "null",
        "~",
        "0x1",
        "1e3",
        "2026-11-22",
        "ü",
        "漢字",
        "🦀",
        "a",
        "B",
        "9",
        "%",
        "@",
        "`",
        "|",
        ">",
        "\t",
        "\u{a0}",
        "\u{202e}",
    ]);
    vec(pieces, 1..6).prop_map(|pieces| pieces.concat()).prop_filter_map("refused", |text| text.parse().ok())
}

fn dns_name() -> impl Strategy<Value = DnsName> {
    "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\\.[a-z]([a-z0-9-]{0,20}[a-z0-9])?){0,4}"
        .prop_filter_map("refused", |name| name.parse().ok())
}

fn address() -> impl Strategy<Value = IpAddr> {
    let any = prop_oneof![any::<[u8; 4]>().prop_map(IpAddr::from), any::<[u8; 16]>().prop_map(IpAddr::from)];
    any.prop_filter("an address of one machine", |address| {
        !address.is_multicast() && !address.is_unspecified()
    })
}

fn san() -> impl Strategy<Value = San> {
    let wildcard = dns_name().prop_filter_map("refused", |name| format!("*.{name}").parse().ok());
    prop_oneof![dns_name().prop_map(San::from), wildcard, address().prop_map(San::from)]
}

prop_compose! {
    fn description()(
        algorithm in select(KeyAlgorithm::ALL.to_vec()),
        convention in select(CONVENTIONS.to_vec()),
        shared in select(vec![KubeletClientCertificate::Separate, KubeletClientCertificate::Shared]),
        lifetime in 1..400 * 86_400_u64,
        domain in dns_name(),
    ) -> Cluster {
        cluster(algorithm, convention)
            .kubelet_client_certificate(shared)
            .dns_domain(domain)
            .authority_lifetime(Duration::from_secs(400 * 86_400)).leaf_lifetime(Duration::from_secs(lifetime))
    }
}

prop_compose! {
    fn node()(
        name in "[a-z0-9]([a-z0-9-]{0,60}[a-z0-9])?(\\.[a-z0-9]{1,60}){0,3}",
        advertise in address(),
        addresses in vec(address(), 0..4),
        sans in vec(san(), 0..4),
    ) -> Node {
        let name: NodeName = name.parse().unwrap();
        let node = Node::control_plane(name, advertise).addresses(addresses);
        sans.into_iter().fold(node, |node, san| node.san(Role::ApiServer, san))
    }
}

/// A profile of every role.
fn profile() -> impl Strategy<Value = Profile> {
    (description(), node(), dns_name(), san(), text::<UserName>(), vec(text::<Group>(), 0..4), 0..16_usize)
        .prop_map(|(cluster, node, name, san, user, groups, which)| match which {
            0 => role::ApiServer::new(&cluster, &node).san(san).profile(),
            1 => role::ApiServerKubeletClient::new(&cluster).profile(),
            2 => role::ApiServerEtcdClient::new(&cluster).profile(),
            3 => role::FrontProxyClient::new(&cluster).profile(),
            4 => role::FrontProxyServer::new(&cluster, san).profile(),
            5 => role::EtcdServer::new(&cluster, &node).san(san).profile(),
            6 => role::EtcdPeer::new(&cluster, &node).profile(),
            7 => role::EtcdHealthcheckClient::new(&cluster).profile(),
            8 => role::KubeletServer::new(&cluster, &node).profile(),
            9 => role::KubeletClient::new(&cluster, &node).profile(),
            10 => role::Admin::new(&cluster).profile(),
            11 => role::SuperAdmin::new(&cluster).profile(),
            12 => role::ControllerManager::new(&cluster).profile(),
            13 => role::Scheduler::new(&cluster).profile(),
            14 => role::Service::new(&cluster, name).san(san).profile(),
            _ => groups.into_iter().fold(role::User::new(&cluster, user), role::User::group).profile(),
        })
}

#[test]
fn conventions_differ_in_key_encipherment_with_ec_keys_only() {
    for (algorithm, convention, expected) in [
        (KeyAlgorithm::Rsa2048, Convention::Documented, true),
        (KeyAlgorithm::EcdsaP256, Convention::Documented, false),
        (KeyAlgorithm::EcdsaP256, Convention::Kubeadm, true),
    ] {
        let usages = role::Scheduler::new(&cluster(algorithm, convention)).profile().usages();
        assert_eq!(usages.contains(&Usage::KeyEncipherment), expected);
    }
}
