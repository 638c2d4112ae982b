//! What a plan leaves alone, although it could write it: what is another cluster's, what people put there, what has
//! power.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kubepki::{
    Authorities, Cluster, Convention, Etcd, Expected, FindingId, Node, Pki, Plan, Policy, PrivateKey, Role,
    Severity, Signer, Time,
};

use crate::support::{control_plane, fast_cluster};

type Files = BTreeMap<PathBuf, Vec<u8>>;

fn node() -> Node {
    control_plane("cp-1", "192.0.2.10")
}

fn files(pki: &Pki) -> Files {
    pki.files().map(|file| (file.path().to_owned(), file.bytes().to_vec())).collect()
}

fn machine() -> Files {
    let cluster = fast_cluster().convention(Convention::Kubeadm);
    files(&Pki::create(&cluster, &node(), Time::now()).unwrap())
}

/// Plans from the files alone, applies that, and says which files have changed.
fn carried_out(before: &Files) -> (Plan, Vec<String>) {
    let mut pki = Pki::from_files(before);
    let plan = pki.plan(pki.expected(), &Policy::default(), Time::now());
    plan.clone().apply(&mut pki).unwrap();
    let changed = files(&pki).into_iter().filter(|(path, bytes)| before.get(path) != Some(bytes));
    (plan, changed.map(|(path, _)| path.display().to_string()).collect())
}

fn is_blocked(plan: &Plan, file: &str) -> bool {
    plan.blocked().any(|blocked| blocked.file() == Path::new(file))
}

#[test]
fn of_two_swapped_certificates_nothing_is_taken_over() {
    let mut files = machine();
    let (server, client) = ("pki/apiserver.crt", "pki/apiserver-kubelet-client.crt");
    let bytes = [server, client].map(|file| files[&PathBuf::from(file)].clone());
    files.insert(client.into(), bytes[0].clone());
    files.insert(server.into(), bytes[1].clone());
    let (plan, changed) = carried_out(&files);
    // What the server is called, no other file tells.
    assert!(is_blocked(&plan, server), "{plan}");
    assert_eq!(changed, [client, "pki/apiserver-kubelet-client.key"], "{plan}");
    let step = plan.steps().iter().find(|step| step.role() == Role::ApiServerKubeletClient).unwrap();
    let (_, new) = step.difference().subjects().unwrap();
    assert_eq!(new.to_string(), "O=kubeadm:cluster-admins, CN=kube-apiserver-kubelet-client");
}

#[test]
fn another_clusters_authority_issues_nothing_and_no_kubeconfig_trusts_it() {
    let other = machine();
    for put in [&["pki/ca.crt"][..], &["pki/ca.crt", "pki/ca.key"]] {
        let mut files = machine();
        for file in put {
            files.insert(file.into(), other[&PathBuf::from(file)].clone());
        }
        let (plan, changed) = carried_out(&files);
        assert!(changed.is_empty(), "{put:?}\n{plan}");
        for file in ["pki/apiserver.crt", "admin.conf", "scheduler.conf"] {
            assert!(is_blocked(&plan, file), "{put:?}, {file}\n{plan}");
        }
    }
}

#[test]
fn names_of_a_certificate_that_the_authority_has_not_signed_are_not_issued() {
    let mut files = machine();
    let cluster = fast_cluster();
    let stranger = Authorities::create(&cluster, Time::now()).unwrap();
    let node = node().san(Role::ApiServer, "evil.example.com".parse().unwrap());
    let pki = stranger.join(&cluster, &node, Time::now()).unwrap();
    let forged = pki.credential(Role::ApiServer).unwrap();
    files.insert("pki/apiserver.crt".into(), forged.chain_pem().into_bytes());
    files.insert("pki/apiserver.key".into(), forged.key().to_pem().as_bytes().to_vec());
    let (plan, changed) = carried_out(&files);
    assert!(changed.is_empty() && is_blocked(&plan, "pki/apiserver.crt"), "{plan}");
}

#[test]
fn keys_that_verify_tokens_are_not_dropped() {
    let mut files = machine();
    let older = PrivateKey::generate(kubepki::KeyAlgorithm::EcdsaP256).unwrap().public_key().to_pem();
    let own = String::from_utf8(files[&PathBuf::from("pki/sa.pub")].clone()).unwrap();
    let damaged = format!("{own}{older}-----BEGIN PUBLIC KEY-----\nMFkw\n");
    files.insert("pki/sa.pub".into(), damaged.into_bytes());
    let (plan, changed) = carried_out(&files);
    assert!(changed.is_empty() && is_blocked(&plan, "pki/sa.pub"), "{plan}");
}

#[test]
fn a_kubeconfig_of_people_that_cannot_be_read_is_theirs_and_a_components_is_made_anew() {
    for (file, expected) in [("admin.conf", &[][..]), ("scheduler.conf", &["scheduler.conf"])] {
        let mut files = machine();
        let text = String::from_utf8(files[&PathBuf::from(file)].clone()).unwrap();
        files.insert(file.into(), format!("x: &a [1, 2]\ny: *a\n{text}").into_bytes());
        let (plan, changed) = carried_out(&files);
        assert_eq!(changed, expected, "{file}\n{plan}");
        assert_eq!(is_blocked(&plan, file), expected.is_empty(), "{file}\n{plan}");
    }
}

#[test]
fn an_administrator_of_an_old_cluster_keeps_its_power() {
    let old = fast_cluster().convention(Convention::Kubeadm).kubernetes_version("1.28".parse().unwrap());
    let mut pki = Pki::create(&old, &node(), Time::now()).unwrap();
    let group = |pki: &Pki, role| {
        let certificate = pki.credential(role).unwrap().certificate().clone();
        certificate.subject().organizations().map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(pki.credential(Role::SuperAdmin).is_none(), "1.28 makes no super-admin.conf");
    for role in [Role::Admin, Role::ApiServerKubeletClient] {
        assert_eq!(group(&pki, role), ["system:masters"]);
    }
    let expected = Expected::new(&fast_cluster().convention(Convention::Kubeadm), &node());
    let findings = pki.audit(&expected, Time::now());
    let warning = findings.iter().find(|finding| finding.role() == Some(Role::Admin)).unwrap();
    assert_eq!((warning.id(), warning.severity()), (FindingId::GroupUnexpected, Severity::Warning));
    assert!(warning.mend().contains("ClusterRoleBinding"), "{warning}");
    pki.plan(&expected, &Policy::default().all(), Time::now()).apply(&mut pki).unwrap();
    for role in [Role::Admin, Role::ApiServerKubeletClient] {
        assert_eq!(group(&pki, role), ["system:masters"]);
    }
}

#[test]
fn the_key_of_an_authority_is_missed_where_nothing_says_that_it_is_elsewhere() {
    let expected = Expected::new(&fast_cluster(), &node());
    let missing = |pki: &Pki, expected: &Expected| -> Vec<_> {
        let findings = pki.audit(expected, Time::now());
        findings.iter().map(|it| (it.severity(), it.file().display().to_string())).collect()
    };
    let all = [
        (Role::KubernetesCa, "pki/ca.key", Severity::Error),
        (Role::EtcdCa, "pki/etcd/ca.key", Severity::Warning),
        (Role::FrontProxyCa, "pki/front-proxy-ca.key", Severity::Warning),
    ];
    let machine = files(&Pki::create(&fast_cluster(), &node(), Time::now()).unwrap());
    for (role, file, severity) in all {
        let mut files = machine.clone();
        let key = files.remove(Path::new(file)).unwrap();
        let mut pki = Pki::from_files(&files);
        assert_eq!(missing(&pki, &expected), [(severity, file.to_owned())]);
        let plan = pki.plan(&expected, &Policy::default(), Time::now());
        assert!(plan.is_empty() && is_blocked(&plan, file), "{plan}");
        assert_eq!(missing(&pki, &expected.clone().external(role)), []);
        assert_eq!(missing(&pki, pki.expected()), []);
        pki.attach(role, Arc::new(PrivateKey::from_pem(&key).unwrap())).unwrap();
        assert_eq!(missing(&pki, &expected), []);
    }
}

#[test]
fn keys_of_the_cluster_are_reported_where_they_are_not_needed() {
    let cluster = fast_cluster();
    let authorities = Authorities::create(&cluster, Time::now()).unwrap();
    let first = files(&authorities.first(&cluster, &node(), Time::now()).unwrap());
    let (ca, etcd, front, sa) = ("pki/ca.key", "pki/etcd/ca.key", "pki/front-proxy-ca.key", "pki/sa.key");
    let all = [ca, etcd, front, sa, "super-admin.conf"];
    let worker = Node::worker("w-1".parse().unwrap());
    let member = Node::etcd_member("e-1".parse().unwrap(), "192.0.2.20".parse().unwrap());
    let external = Etcd::External { ca: "/e/ca.crt".into(), cert: "/e/c.crt".into(), key: "/e/c.key".into() };
    let described = |cluster: &Cluster, node: &Node| Expected::new(cluster, node);
    for (expected, reported) in [
        (described(&cluster, &worker), &all[..]),
        (described(&cluster, &member), &all),
        (described(&cluster, &node()), &[]),
        (described(&cluster.clone().etcd(external), &node()), &[etcd]),
        (described(&cluster, &node()).external(Role::KubernetesCa), &[ca]),
    ] {
        let machine = authorities.join(&cluster, expected.node().unwrap(), Time::now()).unwrap();
        let mut files = files(&machine);
        files.extend(
            first
                .iter()
                .filter(|(path, _)| all.contains(&path.to_str().unwrap()))
                .map(|(path, bytes)| (path.clone(), bytes.clone())),
        );
        let mut pki = Pki::from_files(&files);
        let findings = pki.audit(&expected, Time::now());
        let found = findings.iter().filter(|it| it.id() == FindingId::OutOfPlace);
        let found: Vec<_> = found.map(|it| it.file().to_str().unwrap()).collect();
        assert_eq!(found, reported, "{findings}");
        let plan = pki.plan(&expected, &Policy::default(), Time::now());
        assert!(reported.iter().all(|file| is_blocked(&plan, file)), "{plan}");
        plan.apply(&mut pki).unwrap();
        assert!(all.iter().all(|file| pki.files().any(|it| it.path() == Path::new(file))));
        let by_files = pki.audit(pki.expected(), Time::now());
        assert!(by_files.iter().all(|it| it.id() != FindingId::OutOfPlace), "{by_files}");
    }
}

#[test]
fn a_workers_kubeconfig_that_points_to_a_balancer_of_its_own_stays() {
    let cluster = fast_cluster();
    let worker = Node::worker("w-1".parse().unwrap()).kube_proxy();
    let authorities = Authorities::create(&cluster, Time::now()).unwrap();
    let mut files = files(&authorities.join(&cluster, &worker, Time::now()).unwrap());
    let text = String::from_utf8(files[&PathBuf::from("kube-proxy.conf")].clone()).unwrap();
    let text = text.replace("https://api.example.com:6443", "https://127.0.0.1:7443");
    files.insert("kube-proxy.conf".into(), text.into_bytes());
    let (plan, changed) = carried_out(&files);
    assert!(changed.is_empty() && plan.blocked().next().is_none(), "{plan}");
}

#[test]
fn a_password_in_a_servers_url_is_in_no_finding() {
    let mut files = machine();
    let text = String::from_utf8(files[&PathBuf::from("scheduler.conf")].clone()).unwrap();
    let text = text.replace("https://192.0.2.10", "https://admin:hunter2@192.0.2.99");
    files.insert("scheduler.conf".into(), text.into_bytes());
    let pki = Pki::from_files(&files);
    let findings = pki.audit(pki.expected(), Time::now());
    assert!(findings.to_string().contains("192.0.2.99"), "{findings}");
    assert!(!findings.to_string().contains("hunter2"), "{findings}");
}

#[test]
fn what_is_endless_is_refused_in_bounded_time() {
    let pki = Pki::from_files(machine());
    let authority = pki.authorities().get(Role::KubernetesCa).unwrap().certificate().to_pem();
    for (file, bytes) in [
        ("pki/ca.crt", authority.repeat(2000)),
        ("pki/sa.pub", pki.authorities().service_account_keys()[0].to_pem().repeat(5000)),
    ] {
        let mut files = machine();
        files.insert(file.into(), bytes.into_bytes());
        let pki = Pki::from_files(&files);
        let findings = pki.audit(pki.expected(), Time::now());
        let found = findings.iter().find(|finding| finding.id() == FindingId::Malformed).unwrap();
        assert!(found.file().ends_with(file) && found.expected().contains("at most 500"), "{found}");
    }
}
