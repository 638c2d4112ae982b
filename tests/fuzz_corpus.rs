//! The seeds of the fuzz targets: made here, kept in `fuzz/corpus/`, and replayed by every test run.
//!
//! `UPDATE_CORPUS=1 cargo test --test integration fuzz_corpus::seeds` writes them anew.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use kubepki::{Authorities, Cluster, Convention, KeyAlgorithm, Node, PrivateKey, Time};

#[expect(unreachable_pub, reason = "it is a library of its own in fuzz/")]
#[path = "../fuzz/src/lib.rs"]
mod targets;

fn directory(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}

/// Seeds by their file names.
type Seeds = BTreeMap<String, Vec<u8>>;

/// What a control-plane node and a worker hold, in both conventions with a kind of key for each, sorted by the target
/// that reads it. The keys protect nothing: they exist for these seeds only.
fn made() -> BTreeMap<&'static str, Seeds> {
    let mut made: BTreeMap<_, Seeds> = BTreeMap::new();
    let now = Time::now();
    for (convention, algorithm) in
        [(Convention::Documented, KeyAlgorithm::EcdsaP256), (Convention::Kubeadm, KeyAlgorithm::Rsa2048)]
    {
        let cluster = Cluster::new("api.example.com:6443".parse().unwrap())
            .convention(convention)
            .key_algorithm(algorithm)
            .service_subnets(["10.96.0.0/12", "fd00:10:96::/108"].map(|subnet| subnet.parse().unwrap()));
        let control_plane = Node::control_plane("cp-1".parse().unwrap(), [192, 0, 2, 1].into());
        let worker = Node::worker("w-1".parse().unwrap()).addresses([[192, 0, 2, 2].into()]);
        let authorities = Authorities::create(&cluster, now).unwrap();
        let first = authorities.first(&cluster, &control_plane, now).unwrap();
        let joined = authorities.join(&cluster, &worker, now).unwrap();
        for file in first.files().chain(joined.files()) {
            let path = file.path().to_string_lossy();
            let target = match path.rsplit_once('.').map(|(_, extension)| extension) {
                Some("conf") => "kubeconfig",
                Some("key") => "private_key",
                _ => "pem",
            };
            let name = format!("{}-{}", algorithm.id(), path.replace('/', "-"));
            made.entry(target).or_default().insert(name, file.bytes().to_vec());
        }
        for (role, credential) in first.credentials().chain(joined.credentials()) {
            let der = credential.certificate().der().to_vec();
            made.entry("certificate").or_default().insert(format!("{}-{role}", algorithm.id()), der);
        }
    }
    let p384 = PrivateKey::generate(KeyAlgorithm::EcdsaP384).unwrap().to_pem();
    made.entry("private_key").or_default().insert("ecdsa-p384".to_owned(), p384.as_bytes().to_vec());
    made.insert("names", names());
    made
}

fn names() -> Seeds {
    [
        ("cluster-name", "prod: {eu}"),
        ("dns-name", "api.example.com"),
        ("dns-a-label", "xn--bcher-kva.example"),
        ("endpoint-dns", "api.example.com:6443"),
        ("endpoint-ipv4", "192.0.2.1:8443"),
        ("endpoint-ipv6", "[2001:db8::1]:6443"),
        ("group", "kubeadm:cluster-admins"),
        ("group-reserved", "system:masters"),
        ("ipv4", "10.96.0.1"),
        ("ipv4-mapped", "::ffff:192.0.2.1"),
        ("ipv6-zone", "fe80::1%eth0"),
        ("node-name", "cp-1.example.com"),
        ("role", "kube-apiserver-kubelet-client"),
        ("san-wildcard", "*.apps.example.com"),
        ("subnet-ipv4", "10.96.0.0/12"),
        ("subnet-ipv6", "fd00:10:96::/108"),
        ("time-fraction", "2026-11-22T09:00:00.25Z"),
        ("time-offset", "2026-11-22T10:30:00+01:30"),
        ("user-injected", "CN=a/O=system:masters,OU=b+C=c"),
        ("user-umlaut", "jürgen@example.com"),
    ]
    .map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()))
    .into()
}

#[test]
fn what_the_fuzzer_starts_from_holds_in_every_test_run() {
    for (target, run) in targets::TARGETS {
        let mut count = 0;
        for entry in fs::read_dir(directory(target)).unwrap_or_else(|error| panic!("{target}: {error}")) {
            let file = entry.unwrap().path();
            println!("{}", file.display());
            run(&fs::read(file).unwrap());
            count += 1;
        }
        assert!(count > 0, "{target}: no seeds");
    }
}

#[test]
fn seeds_are_written_anew_on_request() {
    if env::var_os("UPDATE_CORPUS").is_none() {
        return;
    }
    for (target, seeds) in made() {
        fs::create_dir_all(directory(target)).unwrap();
        for (name, seed) in seeds {
            fs::write(directory(target).join(name), seed).unwrap();
        }
    }
}

#[test]
fn every_target_has_a_program_that_the_fuzzer_runs() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let mut programs: Vec<_> = fs::read_dir(fuzz.join("fuzz_targets"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    programs.sort();
    let mut named: Vec<_> = targets::TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    named.sort();
    assert_eq!(programs, named);
}
