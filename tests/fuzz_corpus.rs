//! The seeds of the fuzz targets: made here, kept in `fuzz/corpus/`, and replayed by every test run.
//!
//! `UPDATE_CORPUS=1 cargo test --test integration fuzz_corpus` writes them anew.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

#[expect(unreachable_pub, reason = "it is a library of its own in fuzz/")]
#[path = "../fuzz/src/lib.rs"]
mod targets;

/// A seed: its file name and its bytes.
type Seeds = BTreeMap<&'static str, Vec<u8>>;

fn directory(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}

/// The seeds of one target: each kind of text that it reads, in each of its forms.
fn seeds(target: &str) -> Seeds {
    match target {
        "names" => names(),
        _ => panic!("fuzz target {target} has no seeds"),
    }
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
    .map(|(name, text)| (name, text.as_bytes().to_vec()))
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
fn seeds_in_the_corpus_are_those_that_are_made_here() {
    for (target, _) in targets::TARGETS {
        for (name, seed) in seeds(target) {
            let file = directory(target).join(name);
            if env::var_os("UPDATE_CORPUS").is_some() {
                fs::create_dir_all(directory(target)).unwrap();
                fs::write(&file, &seed).unwrap();
            }
            let hint = format!("{}: set UPDATE_CORPUS=1 to write it", file.display());
            assert_eq!(fs::read(&file).ok(), Some(seed), "{hint}");
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
