//! What the tests share: descriptions of a cluster and its machines.

use std::env;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use base64ct::{Base64, Encoding};
use kubepki::{
    Authorities, Certificate, Cluster, Code, Convention, Issuer, KeyAlgorithm, Node, Pki, PublicKey, Time,
    role,
};

pub(crate) const CONVENTIONS: [Convention; 2] = [Convention::Documented, Convention::Kubeadm];

/// A dual-stack cluster.
pub(crate) fn cluster(algorithm: KeyAlgorithm, convention: Convention) -> Cluster {
    Cluster::new("api.example.com:6443".parse().unwrap())
        .service_subnets(["10.96.0.0/12".parse().unwrap(), "fd00::/108".parse().unwrap()])
        .key_algorithm(algorithm)
        .convention(convention)
}

/// A cluster whose keys are made fast.
pub(crate) fn fast_cluster() -> Cluster {
    cluster(KeyAlgorithm::EcdsaP256, Convention::Documented)
}

pub(crate) fn control_plane(name: &str, address: &str) -> Node {
    Node::control_plane(name.parse().unwrap(), address.parse().unwrap())
}

/// An example, which `cargo test` has built beside the tests.
pub(crate) fn example(name: &str) -> PathBuf {
    let target = env::current_exe().unwrap().ancestors().nth(2).unwrap().to_owned();
    let program = target.join("examples").join(name);
    assert!(program.exists(), "{} is missing: cargo build --examples", program.display());
    program
}

/// All that a node holds: as the first of its cluster, if it can be that.
pub(crate) fn issue(authorities: &Authorities, cluster: &Cluster, node: &Node) -> Pki {
    authorities
        .first(cluster, node, Time::now())
        .or_else(|_| authorities.join(cluster, node, Time::now()))
        .unwrap()
}

/// What is in the first block of `pem`.
pub(crate) fn der(pem: &str) -> Vec<u8> {
    let lines = pem.lines().skip_while(|line| !line.starts_with("-----BEGIN ")).skip(1);
    let base64: String = lines.take_while(|line| !line.starts_with("-----END ")).collect();
    Base64::decode_vec(&base64).unwrap()
}

/// What the openssl command writes when it is given `input`; its complaint when it fails.
pub(crate) fn openssl(arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, String> {
    let mut command = Command::new("openssl");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("openssl is installed");
    // What it does not want to read it need not.
    _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

pub(crate) fn utf8(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// The authority of [`fast_cluster`], made once for the tests that only need one.
pub(crate) fn issuer() -> &'static Issuer {
    static ISSUER: OnceLock<Issuer> = OnceLock::new();
    ISSUER.get_or_init(|| {
        Issuer::self_signed(&role::KubernetesCa::new(&fast_cluster()).profile(), Time::now()).unwrap()
    })
}

/// The certificate of [`issuer`] in PEM.
pub(crate) fn authority() -> String {
    issuer().certificate().to_pem()
}

/// Has [`issuer`] certify a key for a client.
pub(crate) fn certify(key: &PublicKey) -> kubepki::Result<Vec<Certificate>> {
    issuer().certify(&role::Scheduler::new(&fast_cluster()).profile(), key, Time::now())
}

/// Asserts that something was refused with this code, and that the error's text has these parts.
#[track_caller]
pub(crate) fn refused<T>(result: kubepki::Result<T>, code: Code, parts: &[&str]) {
    let error = result.err().unwrap_or_else(|| panic!("accepted; expected {code}: {parts:?}"));
    assert_eq!(error.code(), code, "{error}");
    for part in parts {
        assert!(error.to_string().contains(part), "{error}\nis without: {part}");
    }
}
