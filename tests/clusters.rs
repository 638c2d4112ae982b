//! The programs that installers write, and an etcd cluster that runs on what they get.

use std::collections::BTreeSet;
use std::error::Error as StdError;
use std::sync::{Arc, Mutex};
use std::thread;

use kubepki::kubeconfig::Kubeconfig;
use kubepki::{
    Authorities, Certificate, Cluster, Code, Component, Convention, Error, Etcd, Expected, File, Issuer,
    KeyAlgorithm, Layout, Node, NodeName, Pki, PrivateKey, PublicKey, Role, Signer, Time, ToSign, role,
};

use crate::judges::etcd;
use crate::support::{CONVENTIONS, cluster, control_plane, fast_cluster};

type Done = Result<(), Box<dyn StdError>>;

#[test]
fn a_second_control_plane_is_made_from_the_first_ones_directory() -> Done {
    let (first, second) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let cluster = fast_cluster();
    Pki::create(&cluster, &control_plane("cp-1", "192.0.2.10"), Time::now())?.save(first.path())?;

    let shared = Authorities::load(first.path())?;
    shared.join(&cluster, &control_plane("cp-2", "192.0.2.11"), Time::now())?.save(second.path())?;

    let [one, two] = [&first, &second].map(|directory| files_below(directory.path()));
    assert_eq!(one.difference(&two).collect::<Vec<_>>(), ["super-admin.conf"]);
    assert!(two.is_subset(&one));
    for shared in
        ["pki/ca.crt", "pki/ca.key", "pki/sa.key", "pki/sa.pub", "pki/etcd/ca.key", "pki/front-proxy-ca.key"]
    {
        assert_eq!(
            std::fs::read(first.path().join(shared))?,
            std::fs::read(second.path().join(shared))?,
            "{shared}"
        );
    }
    Ok(())
}

#[test]
fn authorities_survive_being_carried_as_files() -> Done {
    let cluster = fast_cluster();
    let root = Issuer::self_signed(&role::RootCa::new(&cluster, "root".parse()?).profile(), Time::now())?;
    let middle = role::Intermediate::new(&cluster, "middle".parse()?).path_length(1).profile();
    let middle = root.intermediate(&middle, Time::now())?;
    for authorities in [
        Authorities::create(&cluster, Time::now())?,
        Authorities::create_under(&root, &cluster, Time::now())?,
        Authorities::create_under(&middle, &cluster, Time::now())?,
    ] {
        let files = authorities.files();
        let carried = Authorities::from_files(files.iter().map(|file| (file.path(), file.bytes())))?;
        assert_eq!(carried.files(), files);
        let node = control_plane("cp-2", "192.0.2.11");
        let [one, two] = [&authorities, &carried].map(|it| it.join(&cluster, &node, Time::now()).unwrap());
        let chain = |pki: &Pki| pki.credential(Role::ApiServer).unwrap().chain()[1..].to_vec();
        assert_eq!(chain(&one), chain(&two));
    }
    Ok(())
}

#[test]
fn every_service_account_key_that_verifies_is_carried_along() -> Done {
    let cluster = fast_cluster();
    let files = Authorities::create(&cluster, Time::now())?.files();
    let older = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?.public_key().to_pem();
    let bundle = |others: &str| {
        let with = |file: &File| match file.path().to_str() {
            Some("pki/sa.pub") => {
                (file.path().to_owned(), others.replace("OWN", std::str::from_utf8(file.bytes()).unwrap()))
            }
            _ => (file.path().to_owned(), String::from_utf8(file.bytes().to_vec()).unwrap()),
        };
        Authorities::from_files(files.iter().map(with))
    };
    let carried =
        bundle(&(older.clone() + "OWN"))?.join(&cluster, &control_plane("cp-2", "192.0.2.2"), Time::now())?;
    let [signing, other] = carried.authorities().service_account_keys() else { panic!("two keys") };
    assert_eq!(other.to_pem(), older);
    let file = carried.files().find(|file| file.path().to_str() == Some("pki/sa.pub")).unwrap();
    assert_eq!(file.bytes(), (signing.to_pem() + &older).as_bytes(), "the signing key first");

    assert_eq!(bundle(&older).unwrap_err().code(), Code::KeyMismatch);
    assert_eq!(bundle("nonsense").unwrap_err().code(), Code::Malformed);
    Ok(())
}

#[test]
fn a_fleet_of_workers_is_issued_for_by_many_threads_at_once() -> Done {
    let cluster = fast_cluster();
    let shared = Authorities::create(&cluster, Time::now())?;
    let seen = Mutex::new(BTreeSet::new());
    fleet(&shared, &cluster, 400, |name, file| {
        seen.lock().unwrap().insert((name.to_string(), file.path().display().to_string()));
    })?;
    assert_eq!(seen.lock().unwrap().len(), 4 * 400);
    Ok(())
}

/// As an installer would write it.
fn fleet(
    shared: &Authorities,
    cluster: &Cluster,
    size: usize,
    send: impl Fn(&NodeName, &File) + Sync,
) -> kubepki::Result<()> {
    let (now, send) = (Time::now(), &send);
    thread::scope(|scope| {
        let work = |first| {
            move || {
                for number in (first..size).step_by(4) {
                    let node =
                        Node::worker(format!("w-{number}").parse()?).addresses([[192, 0, 2, 99].into()]);
                    shared.join(cluster, &node, now)?.files().for_each(|file| send(node.name(), file));
                }
                Ok(())
            }
        };
        let threads: Vec<_> = (0..4).map(|first| scope.spawn(work(first))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap())
    })
}

/// A key that lives elsewhere, and counts how often it is asked.
struct Hsm {
    key: PrivateKey,
    asked: Mutex<usize>,
}

impl Hsm {
    fn new(algorithm: KeyAlgorithm) -> Arc<Self> {
        Arc::new(Self { key: PrivateKey::generate(algorithm).unwrap(), asked: Mutex::new(0) })
    }
}

impl Signer for Hsm {
    fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }

    fn sign(&self, what: &ToSign<'_>) -> Result<Vec<u8>, Box<dyn StdError + Send + Sync>> {
        *self.asked.lock().unwrap() += 1;
        self.key.sign(what)
    }
}

#[test]
fn intermediates_for_each_cluster_are_signed_by_a_root_in_an_hsm() -> Done {
    for algorithm in [KeyAlgorithm::Rsa2048, KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP384] {
        let (cluster, now, hsm) = (fast_cluster(), Time::now(), Hsm::new(algorithm));
        let name = role::RootCa::new(&cluster, "root".parse()?).profile();
        let root: Vec<Certificate> = Issuer::self_signed_by(&name, hsm.clone(), now)?.chain().to_vec();

        let root = Issuer::with_signer(root, hsm.clone())?;
        let profile = role::Intermediate::new(&cluster, "prod".parse()?).path_length(1).profile();
        let per_cluster = root.intermediate(&profile, now)?;
        let node = control_plane("cp-1", "192.0.2.10");
        let pki = Authorities::create_under(&per_cluster, &cluster, now)?.join(&cluster, &node, now)?;

        assert_eq!(*hsm.asked.lock().unwrap(), 2, "the root and one intermediate");
        let subjects =
            |role| pki.credential(role).unwrap().chain().iter().map(|it| it.subject().to_string()).collect();
        let (serving, client): (Vec<_>, Vec<_>) = (subjects(Role::ApiServer), subjects(Role::Admin));
        assert_eq!(serving, ["CN=kube-apiserver", "CN=kubernetes-ca", "CN=prod"]);
        assert_eq!(client.len(), 1);
        let ca = pki.authorities().get(Role::KubernetesCa).unwrap();
        assert_eq!(ca.trusted().len(), 1, "never a certificate from above");
    }
    Ok(())
}

#[test]
fn an_external_authority_signs_again_once_its_signer_is_attached() -> Done {
    let (cluster, now) = (fast_cluster(), Time::now());
    let node = control_plane("cp-1", "192.0.2.10");
    let hsm = Hsm::new(KeyAlgorithm::Rsa2048);
    let here = Authorities::create(&cluster, now)?;
    let ca = Issuer::self_signed_by(&role::KubernetesCa::new(&cluster).profile(), hsm.clone(), now)?;
    let files = here.files();
    let without_key = |file: &&File| file.path().to_str() != Some("pki/ca.key");
    let mut authorities = Authorities::from_files(files.iter().filter(without_key).map(|file| {
        let bytes = match file.role() {
            Role::KubernetesCa => ca.certificate().to_pem().into_bytes(),
            _ => file.bytes().to_vec(),
        };
        (file.path(), bytes)
    }))?;

    let error = authorities.join(&cluster, &node, now).unwrap_err();
    assert_eq!(
        (error.code(), error.to_string().starts_with("kubernetes-ca: ")),
        (Code::NoIssuer, true),
        "{error}"
    );
    let error = authorities.attach(Role::KubernetesCa, Hsm::new(KeyAlgorithm::Rsa2048)).unwrap_err();
    assert_eq!(error.code(), Code::KeyMismatch);
    authorities.attach(Role::KubernetesCa, hsm)?;
    let pki = authorities.join(&cluster, &node, now)?;
    assert!(!pki.files().any(|file| file.path().to_str() == Some("pki/ca.key")));
    pki.credential(Role::Admin).unwrap().certificate().check_issued_by(ca.certificate())?;

    let arguments = pki.expected().arguments(Component::ControllerManager);
    assert!(!arguments.iter().any(|argument| argument.contains("cluster-signing")), "{arguments:?}");
    Ok(())
}

#[test]
fn with_an_external_etcd_there_is_nothing_of_etcd_and_the_api_server_is_pointed_to_it() -> Done {
    let external = Etcd::External { ca: "/e/ca.crt".into(), cert: "/e/c.crt".into(), key: "/e/c.key".into() };
    let (cluster, node) = (fast_cluster().etcd(external), control_plane("cp-1", "192.0.2.10"));
    let pki = Pki::create(&cluster, &node, Time::now())?;
    assert!(!pki.files().any(|file| file.path().to_string_lossy().contains("etcd")));
    let arguments = Expected::new(&cluster, &node).arguments(Component::ApiServer);
    for expected in ["--etcd-cafile=/e/ca.crt", "--etcd-certfile=/e/c.crt", "--etcd-keyfile=/e/c.key"] {
        assert!(arguments.iter().any(|argument| argument == expected), "{expected} in {arguments:?}");
    }
    let member = Node::etcd_member("etcd-1".parse()?, "192.0.2.30".parse()?);
    let error: Error = pki.authorities().join(&cluster, &member, Time::now()).unwrap_err();
    assert_eq!(error.code(), Code::Invalid);
    let etcdctl = Expected::new(&cluster, &node).arguments(Component::Etcdctl);
    assert_eq!(etcdctl, ["--cacert=/e/ca.crt", "--cert=/e/c.crt", "--key=/e/c.key"]);
    assert!(Expected::new(&cluster, &node).arguments(Component::Etcd).is_empty());
    Ok(())
}

#[test]
fn kubeadms_convention_follows_the_version_of_kubernetes() -> Done {
    let latest = |version: Option<&str>| {
        let cluster = cluster(KeyAlgorithm::EcdsaP256, Convention::Kubeadm);
        let cluster = match version {
            Some(version) => cluster.kubernetes_version(version.parse().unwrap()),
            None => cluster,
        };
        let pki = Pki::create(&cluster, &control_plane("cp-1", "192.0.2.10"), Time::now()).unwrap();
        let client =
            pki.credential(Role::ApiServerKubeletClient).unwrap().certificate().subject().to_string();
        let kubelet = pki.files().find(|file| file.role() == Role::KubeletClient).unwrap();
        let kubelet = Kubeconfig::from_yaml(kubelet.bytes()).unwrap();
        let server = kubelet.clusters[0].cluster.server.clone();
        (
            client.starts_with("O=kubeadm:cluster-admins"),
            server.contains("api.example.com"),
            kubelet.preferences.is_some(),
        )
    };
    // Group of the kubelet client, kubelet.conf to the endpoint, preferences.
    assert_eq!(latest(None), (true, true, false));
    assert_eq!(latest(Some("1.32")), (true, true, true));
    assert_eq!(latest(Some("v1.33.1")), (true, false, true));
    assert_eq!(latest(Some("1.35")), (true, false, false));
    assert_eq!(latest(Some("1.36")), (false, false, false));
    Ok(())
}

#[test]
fn three_joined_nodes_form_a_healthy_etcd() -> Done {
    for convention in CONVENTIONS {
        for algorithm in [KeyAlgorithm::Rsa2048, KeyAlgorithm::EcdsaP256] {
            let cluster = cluster(algorithm, convention);
            three_members(&cluster, |name| control_plane(name, "127.0.0.1"))?;
        }
    }
    Ok(())
}

#[test]
fn three_dedicated_members_under_a_common_root_form_a_healthy_etcd() -> Done {
    let cluster = cluster(KeyAlgorithm::EcdsaP256, Convention::Documented).etcd(Etcd::Dedicated);
    let root = Issuer::self_signed(&role::RootCa::new(&cluster, "root".parse()?).profile(), Time::now())?;
    let authorities = Authorities::create_under(&root, &cluster, Time::now())?;
    members(&authorities, &cluster, |name| Node::etcd_member(name.parse().unwrap(), [127, 0, 0, 1].into()))
}

fn three_members(cluster: &Cluster, node: impl Fn(&str) -> Node) -> Done {
    members(&Authorities::create(cluster, Time::now())?, cluster, node)
}

fn members(authorities: &Authorities, cluster: &Cluster, node: impl Fn(&str) -> Node) -> Done {
    let directory = tempfile::tempdir()?;
    let mut members = Vec::new();
    let mut etcdctl = Vec::new();
    for name in ["m-1", "m-2", "m-3"] {
        let (node, own) = (node(name), directory.path().join(name));
        authorities.join(cluster, &node, Time::now())?.save(&own)?;
        let expected = Expected::new(cluster, &node).layout(Layout::new(&own));
        members.push(etcd::Member { arguments: expected.arguments(Component::Etcd), directory: own });
        etcdctl = expected.arguments(Component::Etcdctl);
    }
    let mut running = etcd::Etcd::start(&members);
    running.healthy(directory.path(), &etcdctl)?;
    assert!(!running.logs().contains("incompatible key usage"), "{}", running.logs());
    assert!(
        running.asked::<&str>(directory.path(), &[]).is_err(),
        "a caller without a certificate is let in"
    );

    // The API server's certificate for etcd opens it; one of the Kubernetes authority does not.
    let apiserver = authorities.first(cluster, &control_plane("cp-9", "127.0.0.1"), Time::now())?;
    let api = directory.path().join("api");
    apiserver.save(&api)?;
    let client = |stem: &str| {
        [
            "--cacert=pki/etcd/ca.crt".to_owned(),
            format!("--cert=pki/{stem}.crt"),
            format!("--key=pki/{stem}.key"),
        ]
    };
    running.asked(&api, &client("apiserver-etcd-client"))?;
    assert!(
        running.asked(&api, &client("apiserver-kubelet-client")).is_err(),
        "a sibling's client is let in"
    );
    Ok(())
}

fn files_below(directory: &std::path::Path) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    let mut waiting = vec![directory.to_owned()];
    while let Some(next) = waiting.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                files.insert(path.strip_prefix(directory).unwrap().display().to_string());
            }
        }
    }
    files
}
