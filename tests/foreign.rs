//! Authorities that others made: taken as they are.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use kubepki::{Authorities, Certificate, Code, Issuer, PrivateKey, Time, role};

use crate::judges::{Anchor, Check, Usage, go, openssl};
use crate::support::{control_plane, fast_cluster, issuer, refused};

#[test]
fn authorities_of_openssl_are_loaded_and_their_node_is_saved_beside_them() {
    let directory = tempfile::tempdir().unwrap();
    let pki = directory.path().join("pki");
    fs::create_dir_all(pki.join("etcd")).unwrap();
    for stem in ["ca", "etcd/ca", "front-proxy-ca"] {
        // OpenSSL 3 writes PKCS#8, and people write comments.
        let name = stem.replace('/', "-");
        authority(&pki.join(stem), &format!("/O=Example/CN={name}"), &[]);
        let certificate = pki.join(format!("{stem}.crt"));
        let text = fs::read_to_string(&certificate).unwrap().replace('\n', "\r\n");
        fs::write(certificate, format!("the authority {name}\r\n{text}")).unwrap();
    }
    let service_account = pki.join("sa.key");
    succeed(Command::new("openssl").args(["genrsa", "-out"]).arg(&service_account).arg("2048"));
    let before = fs::read(&service_account).unwrap();

    let authorities = Authorities::load(directory.path()).unwrap();
    let node = authorities.first(&fast_cluster(), &control_plane("cp-1", "192.0.2.1"), Time::now()).unwrap();
    node.save(directory.path()).unwrap();
    assert_eq!(fs::read(&service_account).unwrap(), before);
    let (chain, trusted) = (pki.join("apiserver.crt"), pki.join("ca.crt"));
    accepted(&chain, &trusted, Usage::Server, Some("kubernetes.default.svc"));
    node.save(directory.path()).unwrap();
}

#[test]
fn the_name_of_an_authority_is_copied_byte_for_byte() {
    let directory = tempfile::tempdir().unwrap();
    let stem = directory.path().join("ca");
    // A SET whose values are not in the order of DER: Go compares the bytes as they are.
    authority(&stem, "/O=bb+OU=a/CN=ca", &["-multivalue-rdn"]);
    let issuer = load(&stem);
    let chain = directory.path().join("leaf.crt");
    let credential = issuer.issue(&role::Scheduler::new(&fast_cluster()).profile(), Time::now()).unwrap();
    fs::write(&chain, credential.chain_pem()).unwrap();
    assert_eq!(credential.certificate().issuer().der(), issuer.certificate().subject().der());
    accepted(&chain, &stem.with_extension("crt"), Usage::Client, None);
}

#[test]
fn an_authority_for_servers_only_issues_for_no_client() {
    let directory = tempfile::tempdir().unwrap();
    let stem = directory.path().join("ca");
    authority(&stem, "/CN=ca", &["-addext", "extendedKeyUsage=serverAuth"]);
    let issuer = load(&stem);
    let profile = role::Scheduler::new(&fast_cluster()).profile();
    refused(issuer.issue(&profile, Time::now()), Code::NotAnAuthority, &["scheduler: ", "client auth"]);
    issuer
        .issue(&role::Service::new(&fast_cluster(), "a.example".parse().unwrap()).profile(), Time::now())
        .unwrap();
}

#[test]
fn the_first_of_several_generations_signs() {
    let profile = role::KubernetesCa::new(&fast_cluster()).profile();
    let older = Issuer::self_signed(&profile, Time::now()).unwrap();
    let bundle = issuer().certificate().to_pem() + &older.certificate().to_pem();
    let read =
        Issuer::from_pem(bundle.as_bytes(), issuer().private_key().unwrap().to_pem().as_bytes()).unwrap();
    assert_eq!(read.chain(), [issuer().certificate().clone()]);
}

#[test]
fn a_certificate_whose_two_signature_algorithms_differ_is_refused() {
    let der = issuer().certificate().der();
    let ecdsa_with_sha256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
    let at = der.windows(8).rposition(|window| window == ecdsa_with_sha256).unwrap();
    let mut other = der.to_vec();
    other[at + 7] = 3;
    refused(Certificate::from_der(&other), Code::Malformed, &["a certificate"]);
}

#[test]
fn hostile_sizes_are_refused_or_read_in_bounded_time() {
    let start = Instant::now();
    let empty = "-----BEGIN X-----\n-----END X-----\n".repeat(100_000);
    refused(Certificate::from_pem(empty.as_bytes()), Code::Malformed, &["CERTIFICATE"]);
    refused(Certificate::from_pem(&vec![b'a'; 5 << 20]), Code::Malformed, &["at most 4 MiB"]);
    let key = issuer().private_key().unwrap();
    let copies = issuer().certificate().to_pem().repeat(300);
    Issuer::from_pem(copies.as_bytes(), key.to_pem().as_bytes()).unwrap();
    let copies = Certificate::from_pem(copies.as_bytes()).unwrap();
    let key = PrivateKey::from_pem(key.to_pem().as_bytes()).unwrap();
    let profile = role::Intermediate::new(&fast_cluster(), "a".parse().unwrap()).profile();
    Issuer::new(copies, key).unwrap().intermediate(&profile, Time::now()).unwrap();
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

fn authority(stem: &Path, subject: &str, more: &[&str]) {
    let mut command = Command::new("openssl");
    command.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", subject]);
    command.args(["-addext", "keyUsage=critical,keyCertSign"]).args(more);
    succeed(
        command.arg("-keyout").arg(stem.with_extension("key")).arg("-out").arg(stem.with_extension("crt")),
    );
}

fn succeed(command: &mut Command) {
    let output = command.output().expect("openssl is installed: run tests/run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn load(stem: &Path) -> Issuer {
    let read = |extension| fs::read(stem.with_extension(extension)).unwrap();
    Issuer::from_pem(&read("crt"), &read("key")).unwrap()
}

fn accepted(chain: &Path, trusted: &Path, usage: Usage, name: Option<&str>) {
    let check = Check { chain, trusted, anchor: Anchor::Root, usage, name, at: None };
    openssl::verify(&check).unwrap();
    go::verify(&[(check, None)]).remove(0).unwrap();
}
