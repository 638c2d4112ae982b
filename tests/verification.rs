//! Every certificate, key and kubeconfig, in both conventions and with every algorithm, before verifiers that others
//! wrote: OpenSSL (strict), Go's crypto/x509, rustls-webpki and kubectl.

use std::fs;
use std::path::{Path, PathBuf};

use kubepki::kubeconfig::Kubeconfig;
use kubepki::{
    AlternativeName, Authorities, Convention, Credential, Issuer, KeyAlgorithm, Node, Part, Pki, Role, Time,
    Usage, role,
};

use crate::judges::{self, Anchor, Check, free_port, go, kubectl, openssl, webpki};
use crate::support::{CONVENTIONS, cluster, control_plane, issue};

#[test]
fn with_rsa_2048_every_verifier_accepts_what_is_right_and_refuses_what_is_wrong() {
    everything_with(KeyAlgorithm::Rsa2048);
}

#[test]
fn with_rsa_3072_every_verifier_accepts_what_is_right_and_refuses_what_is_wrong() {
    everything_with(KeyAlgorithm::Rsa3072);
}

#[test]
fn with_rsa_4096_every_verifier_accepts_what_is_right_and_refuses_what_is_wrong() {
    everything_with(KeyAlgorithm::Rsa4096);
}

#[test]
fn with_p256_every_verifier_accepts_what_is_right_and_refuses_what_is_wrong() {
    everything_with(KeyAlgorithm::EcdsaP256);
}

#[test]
fn with_p384_every_verifier_accepts_what_is_right_and_refuses_what_is_wrong() {
    everything_with(KeyAlgorithm::EcdsaP384);
}

#[test]
fn under_a_common_root_every_verifier_accepts_the_own_authority_and_refuses_a_sibling() {
    for convention in CONVENTIONS {
        let cluster = cluster(KeyAlgorithm::EcdsaP256, convention);
        let now = Time::now();
        let root = Issuer::self_signed(&role::RootCa::new(&cluster, "root".parse().unwrap()).profile(), now)
            .unwrap();
        let middle = role::Intermediate::new(&cluster, "middle".parse().unwrap()).path_length(1).profile();
        let middle = root.intermediate(&middle, now).unwrap();
        for parent in [root, middle] {
            let authorities = Authorities::create_under(&parent, &cluster, now).unwrap();
            judge(&authorities, &cluster, Anchor::Intermediate);
        }
    }
}

fn everything_with(algorithm: KeyAlgorithm) {
    for convention in CONVENTIONS {
        let cluster = cluster(algorithm, convention);
        judge(&Authorities::create(&cluster, Time::now()).unwrap(), &cluster, Anchor::Root);
    }
}

/// Issues for a node of each kind, and asks every judge about everything.
fn judge(authorities: &Authorities, cluster: &kubepki::Cluster, anchor: Anchor) {
    // Nobody listens there, and kubectl says so only after it has accepted certificates and keys.
    let port = free_port();
    let cluster = cluster.clone().endpoint(format!("127.0.0.1:{port}").parse().unwrap());
    let control_plane = control_plane("cp-1", "127.0.0.1")
        .san(Role::ApiServer, "api.example.com".parse().unwrap())
        .san(Role::ApiServer, "*.apps.example.com".parse().unwrap())
        .san(Role::ApiServer, "2001:db8::10".parse().unwrap())
        .kube_proxy()
        .front_proxy_server(["proxy.example.com".parse().unwrap()]);
    let worker = Node::worker("w-1".parse().unwrap())
        .addresses(["192.0.2.20".parse().unwrap(), "2001:db8::20".parse().unwrap()]);
    let member = Node::etcd_member("192.0.2.30".parse().unwrap(), "192.0.2.30".parse().unwrap());
    for node in [control_plane, worker, member] {
        let pki = issue(authorities, &cluster, &node);
        let directory = tempfile::tempdir().unwrap();
        pki.save(directory.path()).unwrap();
        verify_certificates(authorities, &pki, anchor);
        for file in pki.files() {
            let path = directory.path().join(file.path());
            match file.part() {
                Part::Key => openssl::check_key(&path).unwrap(),
                Part::Kubeconfig => verify_kubeconfig(&path),
                _ => {}
            }
        }
    }
}

fn verify_certificates(authorities: &Authorities, pki: &Pki, anchor: Anchor) {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: String, contents: &str| {
        let path = directory.path().join(name);
        fs::write(&path, contents).unwrap();
        path
    };
    let trust_files: Vec<(Role, PathBuf)> = authorities
        .iter()
        .map(|(role, authority)| {
            let pem: String = authority.trusted().iter().map(|certificate| certificate.to_pem()).collect();
            (role, write(format!("{role}.crt"), &pem))
        })
        .collect();
    let mut questions = Vec::new();
    for (role, credential) in pki.credentials() {
        let leaf = write(format!("{role}.leaf.crt"), &credential.chain_pem());
        let key = write(format!("{role}.leaf.key"), &credential.key().to_pem());
        for (authority, trusted) in &trust_files {
            let own = role.authority() == Some(*authority);
            for (usage, name, right) in questions_about(credential) {
                questions.push((role, leaf.clone(), key.clone(), trusted.clone(), usage, name, right && own));
            }
        }
    }
    let checks: Vec<_> = questions
        .iter()
        .map(|(_, chain, key, trusted, usage, name, _)| {
            let name = name.as_deref();
            (Check { chain, trusted, anchor, usage: *usage, name, at: None }, Some(key.as_path()))
        })
        .collect();
    for (((check, _), go), (role, .., right)) in checks.iter().zip(go::verify(&checks)).zip(&questions) {
        for (judge, verdict) in
            [("Go", go), ("OpenSSL", openssl::verify(check)), ("webpki", webpki::verify(check))]
        {
            assert_eq!(verdict.is_ok(), *right, "{judge} on {role}: {verdict:?} for {check:?}");
        }
    }
}

/// Usage, name and whether the answer must be yes: for every use and name the certificate is for, and for one of each
/// that it is not for.
fn questions_about(credential: &Credential) -> Vec<(judges::Usage, Option<String>, bool)> {
    let certificate = credential.certificate();
    let is_server = certificate.usages().contains(&Usage::ServerAuth);
    let is_client = certificate.usages().contains(&Usage::ClientAuth);
    let mut questions =
        vec![(judges::Usage::Client, None, is_client), (judges::Usage::Server, None, is_server)];
    let names = certificate.sans().iter().map(|san| match san {
        AlternativeName::Dns(name) => name.replace('*', "any"),
        AlternativeName::Ip(address) => address.to_string(),
        other => panic!("unexpected name {other}"),
    });
    if is_server {
        questions.extend(names.map(|name| (judges::Usage::Server, Some(name), true)));
        for wrong in ["elsewhere.example.com", "203.0.113.1"] {
            questions.push((judges::Usage::Server, Some(wrong.to_owned()), false));
        }
    }
    questions
}

fn verify_kubeconfig(path: &Path) {
    let ours = Kubeconfig::from_yaml(&fs::read(path).unwrap()).unwrap();
    ours.check().unwrap();
    let theirs = kubectl::view(path).unwrap();
    let theirs = Kubeconfig::from_yaml(theirs.as_bytes()).unwrap();
    assert_eq!(ours.clusters, theirs.clusters);
    assert_eq!(ours.users, theirs.users);
    assert_eq!(ours.contexts, theirs.contexts);
    assert_eq!(ours.current_context, theirs.current_context);
    kubectl::accepts(path).unwrap();
}

#[test]
fn a_kubeconfig_with_another_key_is_refused_by_kubectl_and_by_us() {
    let cluster = cluster(KeyAlgorithm::EcdsaP256, Convention::Kubeadm)
        .endpoint(format!("127.0.0.1:{}", free_port()).parse().unwrap());
    let pki = Pki::create(&cluster, &control_plane("cp-1", "127.0.0.1"), Time::now()).unwrap();
    let [admin, scheduler] = [Role::Admin, Role::Scheduler].map(|role| {
        Kubeconfig::from_yaml(pki.files().find(|file| file.role() == role).unwrap().bytes()).unwrap()
    });
    let mut mixed = admin;
    mixed.users[0].user.client_key_data = scheduler.users[0].user.client_key_data.clone();
    assert_eq!(mixed.check().unwrap_err().code(), kubepki::Code::KeyMismatch);

    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), &*mixed.to_yaml()).unwrap();
    assert!(kubectl::accepts(file.path()).unwrap_err().contains("private key does not match public key"));
}
