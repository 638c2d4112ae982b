//! Files that may be anything, and what real clusters hold that is unusual and right.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::{Duration, Instant};

use kubepki::Severity::{self, Error};
use kubepki::{FindingId as Id, Layout, Pki};

use super::damages::renewed_by_the_kubelet;
use super::machine::{
    ED25519, KINDS, KNOWLEDGE, KUBECONFIGS, Kind, Knowledge, Machine, P256, P521, RSA_1024, new_key, said,
};
use crate::support::openssl;

/// Longer than judging a machine takes anywhere, and shorter than reading what is endless.
const LONG: Duration = Duration::from_secs(20);

/// What may stand in a file's place; no part of the role table can use it.
const ANYTHING: &[(&str, fn(&Machine, &str))] = &[
    ("nothing", |m, file| m.write(file, "")),
    ("1 GiB of zeros", |m, file| File::create(m.path(file)).unwrap().set_len(1 << 30).unwrap()),
    ("100 MB of text", |m, file| m.write(file, "a: [b]\n".repeat(100_000_000 / 7))),
    ("4 MB of text", |m, file| m.write(file, "- a\n".repeat(1_000_000))),
    ("4 MB without a line break", |m, file| m.write(file, "[".repeat(4_000_000))),
    ("many blocks", |m, file| m.write(file, "-----BEGIN X-----\n-----END X-----\n".repeat(100_000))),
    ("a directory", |m, file| {
        m.clear(file);
        fs::create_dir(m.path(file)).unwrap();
    }),
    ("a pipe", |m, file| {
        m.clear(file);
        assert!(Command::new("mkfifo").arg(m.path(file)).status().unwrap().success());
    }),
    ("a link out of the directory", |m, file| {
        m.clear(file);
        symlink("../../../../../../../../../../../../etc/hostname", m.path(file)).unwrap();
    }),
    ("a link to nothing", |m, file| {
        m.clear(file);
        symlink("nothing", m.path(file)).unwrap();
    }),
    ("a link to itself", |m, file| {
        m.clear(file);
        symlink(m.path(file).file_name().unwrap(), m.path(file)).unwrap();
    }),
    ("a link to a device", |m, file| {
        m.clear(file);
        symlink("/dev/zero", m.path(file)).unwrap();
    }),
    ("bytes", |m, file| m.write(file, (0..=255_u8).cycle().skip(128).take(3000).collect::<Vec<_>>())),
    ("half of itself", |m, file| {
        let bytes = m.read(file);
        m.write(file, &bytes[..bytes.len() / 2 + 13]);
    }),
    ("a certificate request", |m, file| {
        let key = m.path("pki/sa.key").display().to_string();
        let request = openssl(&["req", "-new", "-subj", "/CN=a", "-key", &key], b"").unwrap();
        m.write(file, request);
    }),
    ("YAML with anchors", |m, file| m.write(file, "a: &a [x, x, x]\nb: &b [*a, *a, *a]\nc: [*b, *b, *b]\n")),
    ("a key that stands twice", |m, file| m.write(file, "apiVersion: v1\nkind: Config\nkind: Config\n")),
    ("deep YAML", |m, file| m.write(file, "{a: ".repeat(100_000))),
];

/// The files of a machine with everything.
fn files() -> Vec<String> {
    let files = Machine::new(Kind::Everything).files();
    files.into_iter().map(|(name, ..)| name).collect()
}

#[test]
fn whatever_stands_for_a_file_is_an_error_of_that_file_alone() {
    let machine = Machine::new(Kind::Everything);
    let mut wrong = Vec::new();
    for (name, _, bytes) in machine.files() {
        for (what, put) in ANYTHING {
            put(&machine, &name);
            for knowledge in KNOWLEDGE {
                let start = Instant::now();
                let findings = machine.audit(knowledge);
                assert!(start.elapsed() < LONG, "{name} is {what}: {:?}", start.elapsed());
                let is_error = findings.iter().any(|it| it.severity() == Error);
                if !is_error || findings.iter().any(|it| it.file() != name.as_str()) {
                    wrong.push(format!("{name} is {what}, {knowledge:?}:\n{findings}"));
                }
            }
            machine.clear(&name);
            let mode = if name.ends_with(".crt") { 0o644 } else { 0o600 };
            machine.write(&name, &bytes);
            machine.mode(&name, mode);
        }
    }
    assert!(wrong.is_empty(), "{} are wrong:\n\n{}", wrong.len(), wrong.join("\n"));
    for knowledge in KNOWLEDGE {
        let findings = machine.audit(knowledge);
        assert!(findings.is_empty(), "what was put back: {findings}");
    }
}
