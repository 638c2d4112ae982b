//! The report of an audit for people and for programs, and the example `check_pki`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use kubepki::{Authorities, Cluster, Findings, Layout, Node, Pki, Role, Severity, Time};
use serde_json::Value;
use tempfile::TempDir;

use crate::golden::compare;
use crate::support::{control_plane, example, fast_cluster, openssl, utf8};

const MADE: &str = "2026-01-01T00:00:00Z";
/// When what lasts a year is due.
const NOW: &str = "2026-12-15T00:00:00Z";

fn time(text: &str) -> Time {
    text.parse().unwrap()
}

/// A machine's directory, and where it lies.
struct Machine {
    root: TempDir,
}

impl Machine {
    fn new() -> (Self, Authorities) {
        let machine = Self { root: tempfile::tempdir().unwrap() };
        let authorities = Authorities::create(&fast_cluster(), time(MADE)).unwrap();
        issue(&authorities).save(machine.root.path().join("etc/kubernetes")).unwrap();
        (machine, authorities)
    }

    /// With something of everything.
    fn broken() -> Self {
        let (machine, authorities) = Self::new();
        let other = Authorities::create(&fast_cluster(), time(MADE)).unwrap();
        fs::set_permissions(machine.path("pki/ca.key"), fs::Permissions::from_mode(0o644)).unwrap();
        fs::remove_file(machine.path("pki/etcd/ca.key")).unwrap();
        fs::remove_file(machine.path("pki/front-proxy-client.key")).unwrap();
        fs::copy(machine.path("pki/etcd/server.crt"), machine.path("pki/etcd/peer.crt")).unwrap();
        fs::copy(machine.path("pki/apiserver.crt"), machine.path("pki/apiserver.crt.bak")).unwrap();
        machine.write("controller-manager.conf", "users: [");
        machine.write("scheduler.conf", &file(&issue(&other), "scheduler.conf"));
        let bundle = [&authorities, &other].map(|it| file(&issue(it), "pki/front-proxy-ca.crt"));
        machine.write("pki/front-proxy-ca.crt", &bundle.concat());
        machine.let_the_kubelet_rotate();
        machine
    }

    fn let_the_kubelet_rotate(&self) {
        let current = "/var/lib/kubelet/pki/kubelet-client-current.pem";
        let pki = self.load();
        let credential = pki.credential(Role::KubeletClient).unwrap();
        let path = self.root.path().join(&current[1..]);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, credential.chain_pem() + &credential.key().to_pem()).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let kubeconfig = file(&pki, "kubelet.conf");
        let lines = kubeconfig.lines().map(|line| match line.split_once("-data: ") {
            Some((field, _)) if field.contains("client-") => format!("{field}: {current}\n"),
            _ => format!("{line}\n"),
        });
        self.write("kubelet.conf", &lines.collect::<String>());
    }

    fn path(&self, file: &str) -> std::path::PathBuf {
        self.root.path().join("etc/kubernetes").join(file)
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.path(file), text).unwrap();
    }

    fn load(&self) -> Pki {
        Pki::load(Layout::new("/etc/kubernetes").root(self.root.path())).unwrap()
    }

    fn audit(&self) -> (Pki, Findings) {
        let pki = self.load();
        let findings = pki.audit(pki.expected(), time(NOW));
        (pki, findings)
    }
}

fn issue(authorities: &Authorities) -> Pki {
    authorities.join(&fast_cluster(), &control_plane("cp-1", "192.0.2.10"), time(MADE)).unwrap()
}

fn file(pki: &Pki, path: &str) -> String {
    let file = pki.files().find(|file| file.path() == Path::new(path)).unwrap();
    String::from_utf8(file.bytes().to_vec()).unwrap()
}

#[test]
fn each_form_of_a_report_is_as_it_was_reviewed() {
    let (pki, findings) = Machine::broken().audit();
    let report = pki.report(&findings, time(NOW));
    compare("report.txt", &format!("{report}\n{}", pki.tree()));
    compare("report.json", &without_chance(&report.to_json()));
    compare("report.prom", &report.to_prometheus());
}

/// What no clock determines is left out.
fn without_chance(json: &str) -> String {
    let lines = json.lines().map(|line| match line.split_once("\": ") {
        Some((field, _)) if field.ends_with("serial_number") || field.ends_with("fingerprint") => {
            format!("{field}\": ...\n")
        }
        _ => format!("{line}\n"),
    });
    lines.collect()
}

#[test]
fn json_is_what_its_documentation_says() {
    let (pki, findings) = Machine::broken().audit();
    let json: Value = serde_json::from_str(&pki.report(&findings, time(NOW)).to_json()).unwrap();
    let documentation = include_str!("../docs/report.md");
    is_documented(documentation, "## JSON", &json);
    assert_eq!((&json["version"], &json["at"]), (&1.into(), &NOW.into()));
    let alone: Value = serde_json::from_str(&findings.to_json()).unwrap();
    assert_eq!(alone, json["findings"]);
    let listed = json["findings"].as_array().unwrap();
    assert_eq!(listed.len(), findings.len());
    for (listed, finding) in listed.iter().zip(&findings) {
        is_documented(documentation, "### Findings", listed);
        assert_eq!(listed["id"], finding.id().id());
        assert_eq!(listed["severity"], finding.severity().id());
        assert_eq!(listed["role"], finding.role().map_or(Value::Null, |role| role.id().into()));
        assert_eq!(listed["file"], finding.file().to_str().unwrap());
        assert_eq!(
            [&listed["expected"], &listed["found"], &listed["mend"]],
            [finding.expected(), finding.found(), finding.mend()]
        );
    }
    let listed = json["certificates"].as_array().unwrap();
    for certificate in listed {
        is_documented(documentation, "### Certificates", certificate);
        let left = time(certificate["not_after"].as_str().unwrap()).unix() - time(NOW).unix();
        assert_eq!(certificate["seconds_left"], left);
    }
    let server = listed.iter().find(|it| it["role"] == "kube-apiserver").unwrap();
    let certificate = pki.credential(Role::ApiServer).unwrap().certificate();
    let openssl =
        openssl(&["x509", "-noout", "-serial", "-fingerprint", "-sha256"], certificate.to_pem().as_bytes());
    let text = |field: &str| server[field].as_str().unwrap().to_uppercase();
    let digits: String = utf8(openssl.unwrap()).replace(':', "");
    assert!(digits.contains(&format!("serial={}\n", text("serial_number"))), "{digits} {server}");
    assert!(digits.contains(&text("fingerprint")), "{digits} {server}");
    let sans: Vec<_> = certificate.sans().iter().map(ToString::to_string).collect();
    assert_eq!(server["sans"], Value::from(sans));
}

/// An object has exactly the fields of the first table of a section, and they are of the kinds that stand
/// there.
#[track_caller]
pub(crate) fn is_documented(documentation: &str, section: &str, object: &Value) {
    let (_, section) = documentation.split_once(&format!("\n{section}\n")).unwrap();
    let rows = section.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
    let rows = rows.take_while(|line| line.starts_with('|'));
    let kinds: BTreeMap<_, _> = rows
        .map(|row| {
            let cells: Vec<_> = row.split('|').map(str::trim).collect();
            (cells[1].trim_matches('`'), cells[2])
        })
        .collect();
    let object = object.as_object().unwrap();
    assert_eq!(
        object.keys().map(String::as_str).collect::<BTreeSet<_>>(),
        kinds.keys().copied().collect::<BTreeSet<_>>()
    );
    for (field, kind) in kinds {
        let value = &object[field];
        let is_of_kind = match kind {
            "number" => value.is_i64(),
            "text" => value.is_string(),
            "text or null" => value.is_string() || value.is_null(),
            "time or null" if value.is_null() => true,
            "time" | "time or null" => value.as_str().is_some_and(|text| text.parse::<Time>().is_ok()),
            "list" => value.is_array(),
            "list of text" => value.as_array().unwrap().iter().all(Value::is_string),
            other => panic!("{field}: {other}"),
        };
        assert!(is_of_kind, "{field} is no {kind}: {value}");
    }
}

#[test]
fn prometheus_reads_every_certificate_once_and_every_severity() {
    let (pki, findings) = Machine::broken().audit();
    let metrics = metrics(&pki.report(&findings, time(NOW)).to_prometheus());
    let labels = |file: &str, role: &str, subject: &str| {
        let labels = [("file", file), ("role", role), ("subject", subject)];
        labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect()
    };
    let server: Labels = labels("pki/apiserver.crt", "kube-apiserver", "CN=kube-apiserver");
    let certificate = pki.credential(Role::ApiServer).unwrap().certificate();
    for (name, moment) in [
        ("kubepki_certificate_expiration_timestamp_seconds", certificate.not_after()),
        ("kubepki_certificate_not_before_timestamp_seconds", certificate.not_before()),
    ] {
        assert_eq!(metrics[&(name.to_owned(), server.clone())], moment.unix().to_string());
        // controller-manager.conf cannot be read, and the two in front-proxy-ca.crt are one.
        assert_eq!(metrics.keys().filter(|(other, _)| other == name).count(), 13);
    }
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        let labels = BTreeMap::from([("severity".to_owned(), severity.to_string())]);
        let count = findings.iter().filter(|finding| finding.severity() == severity).count();
        assert_eq!(metrics[&("kubepki_findings".to_owned(), labels)], count.to_string());
    }
}

type Labels = BTreeMap<String, String>;

/// Reads the text format as its specification has it, where a reader might be lenient.
fn metrics(text: &str) -> BTreeMap<(String, Labels), String> {
    let mut samples = BTreeMap::new();
    let mut announced: Vec<(&str, &str)> = Vec::new();
    assert!(text.ends_with('\n'));
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# ") {
            let (what, rest) = rest.split_once(' ').unwrap();
            let (name, rest) = rest.split_once(' ').unwrap();
            assert!(matches!(what, "HELP" | "TYPE") && (what != "TYPE" || rest == "gauge"), "{line}");
            assert!(!announced.contains(&(what, name)), "twice: {line}");
            assert!(!samples.keys().any(|(known, _): &(String, _)| known == name), "too late: {line}");
            announced.push((what, name));
            continue;
        }
        let (name, rest) = line.split_once('{').unwrap();
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{line}");
        // What belongs together stands together.
        assert_eq!(announced[announced.len() - 2..], [("HELP", name), ("TYPE", name)], "{line}");
        let (labels, value) = labels(rest);
        let value = value.strip_prefix(' ').unwrap();
        assert!(value.parse::<f64>().is_ok(), "{line}");
        assert!(samples.insert((name.to_owned(), labels), value.to_owned()).is_none(), "twice: {line}");
    }
    samples
}

/// Up to the closing brace, and what is behind it.
fn labels(text: &str) -> (Labels, &str) {
    let (mut labels, mut rest) = (Labels::new(), text);
    loop {
        let (name, behind) = rest.split_once("=\"").unwrap();
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{text}");
        let (mut value, mut chars) = (String::new(), behind.chars());
        loop {
            match chars.next().unwrap() {
                '"' => break,
                '\\' => value.push(match chars.next().unwrap() {
                    'n' => '\n',
                    c @ ('\\' | '"') => c,
                    c => panic!("\\{c}: {text}"),
                }),
                c => value.push(c),
            }
        }
        assert!(labels.insert(name.to_owned(), value).is_none(), "{text}");
        rest = chars.as_str();
        match rest.strip_prefix(',') {
            Some(next) => rest = next,
            None => return (labels, rest.strip_prefix('}').unwrap()),
        }
    }
}

#[test]
fn nothing_in_a_certificate_or_a_name_of_a_file_reaches_the_terminal_as_a_command() {
    let (machine, _) = Machine::new();
    let san = b"a\x1b[2J\n, DNS:b";
    let length = u8::try_from(san.len()).unwrap();
    let der = [&[0x30, length + 2, 0x82, length], &san[..]].concat();
    let hex: Vec<_> = der.iter().map(|byte| format!("{byte:02x}")).collect();
    let key = machine.path("pki/apiserver.key");
    let arguments = [
        "req",
        "-x509",
        "-key",
        key.to_str().unwrap(),
        "-utf8",
        "-subj",
        "/OU=system:masters\u{1b}[31m/CN=\u{1b}[2J\u{9b}2J\n\u{202e}\u{2028}\"\\\\,",
        "-addext",
        &format!("subjectAltName=DER:{}", hex.join(":")),
    ];
    let certificate = utf8(openssl(&arguments, b"").unwrap());
    machine.write("pki/apiserver.crt", &certificate);
    machine.write("pki/apiserver-kubelet-client.crt", &certificate);
    machine.write("pki/\u{1b}[2J\n.crt", "");
    let scheduler = file(&machine.load(), "scheduler.conf");
    let server = "    server: \"https://\\e[2J\\u202e:6443\"";
    let lines = scheduler.lines().map(|line| if line.contains(" server:") { server } else { line });
    machine.write("scheduler.conf", &lines.collect::<Vec<_>>().join("\n"));

    let (pki, findings) = machine.audit();
    let report = pki.report(&findings, time(NOW));
    for text in [report.to_string(), pki.tree().to_string(), findings.to_string(), report.to_prometheus()] {
        assert!(text.contains("\\u{1b}[2J"), "{text:?}");
        let is_shown = |c: char| c == '\n' || !c.is_control() && !matches!(c, '\u{202e}' | '\u{2028}');
        assert_eq!(text.chars().find(|c| !is_shown(*c)), None, "{text:?}");
    }
    assert!(report.to_json().chars().all(|c| c == '\n' || !c.is_control()));
    let json: Value = serde_json::from_str(&report.to_json()).unwrap();
    let entry = json["certificates"].as_array().unwrap().iter().find(|it| it["role"] == "kube-apiserver");
    let (entry, subject) = (entry.unwrap(), "CN=\"\\u{1b}[2J\\u{9b}2J\\n\\u{202e}\\u{2028}\\\"\\\\,\"");
    assert!(entry["subject"].as_str().unwrap().ends_with(subject), "{entry}");
    assert_eq!(entry["sans"], Value::from(["DNS:\"a\\u{1b}[2J\\n, DNS:b\""].as_slice()));
    let metrics = metrics(&report.to_prometheus());
    assert!(metrics.keys().any(|(_, labels)| labels.get("subject").is_some_and(|it| it.ends_with(subject))));
}

#[test]
fn the_tree_of_what_was_made_and_of_what_was_loaded_is_the_same() {
    let root = tempfile::tempdir().unwrap();
    let cluster = fast_cluster();
    let parent = Authorities::create(&cluster, time(MADE)).unwrap();
    let root_issuer = parent.get(Role::KubernetesCa).unwrap().issuer().unwrap();
    for authorities in [Authorities::create_under(root_issuer, &cluster, time(MADE)).unwrap(), parent] {
        let directory = root.path().join(authorities.files().len().to_string());
        let made = issue(&authorities);
        made.save(&directory).unwrap();
        let loaded = Pki::load(&directory).unwrap();
        assert_eq!(loaded.tree().to_string(), without_shortening(&made.tree().to_string()));
        assert_eq!(made.tree().to_string().matches("signed by none").count(), 0);
    }
}

/// No file tells what had been asked for.
fn without_shortening(tree: &str) -> String {
    tree.lines().map(|line| format!("{}\n", line.split(" (with its authority").next().unwrap())).collect()
}

/// Runs `check_pki` on a directory.
fn check(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(example("check_pki")).arg(directory).args(arguments).output().unwrap()
}

#[track_caller]
fn ends_with(output: &Output, code: i32, parts: &[&str]) {
    let text = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert_eq!(output.status.code(), Some(code), "{text:?}");
    assert_eq!(output.stderr.is_empty(), code < 2, "{text:?}");
    assert_eq!(output.stdout.is_empty(), code == 2, "{text:?}");
    for part in parts {
        assert!(text.iter().any(|text| text.contains(part)), "{text:?}\nis without: {part}");
    }
}

#[test]
fn check_pki_ends_with_what_it_found() {
    let (machine, _) = Machine::new();
    let directory = machine.path("");
    let at = ["--at", "2026-02-01T00:00:00Z"];
    let check_at = |arguments: &[&str]| check(&directory, &[&at, arguments].concat());
    ends_with(&check_at(&[]), 0, &["In order at 2026-02-01T00:00:00Z: 0 errors, 0 warnings, 0 notes"]);
    ends_with(&check(&directory, &["--at", NOW]), 0, &["In order, with warnings", "warning expires-soon"]);
    ends_with(&check(&directory, &["--at", "2027-02-01T00:00:00Z"]), 1, &["Not in order", "(31 d ago)"]);

    let described = ["--address", "192.0.2.10", "--endpoint", "api.example.com:6443"];
    let described =
        [&described[..], &["--algorithm", "ecdsa-p256", "--service-subnet", "10.96.0.0/12"]].concat();
    ends_with(&check_at(&described), 0, &["0 errors, 0 warnings"]);
    ends_with(
        &check_at(&[&described[..], &["--san", "api.example.org"]].concat()),
        1,
        &["DNS:api.example.org"],
    );
    ends_with(&check_at(&["--kind", "etcd-member", "--node", "cp-2"]), 1, &["san-missing"]);

    for (format, part) in [
        ("--json", "\"version\": 1"),
        ("--prometheus", "kubepki_findings{severity=\"error\"} 0\n"),
        ("--tree", "└─ scheduler\n"),
    ] {
        ends_with(&check_at(&[format]), 0, &[part]);
    }
    let root = machine.root.path().to_str().unwrap();
    let below = Path::new("/etc/kubernetes");
    ends_with(&check(below, &[&at[..], &["--root", root]].concat()), 0, &["pki/ca.crt"]);

    fs::remove_file(machine.path("pki/sa.key")).unwrap();
    ends_with(&check_at(&[]), 1, &["error missing-file: pki/sa.key (service-account)\n"]);
    ends_with(&check_at(&["--prometheus"]), 1, &["kubepki_findings{severity=\"error\"} 1\n"]);
    let empty = machine.root.path().join("empty");
    fs::create_dir(&empty).unwrap();
    ends_with(&check(&empty, &[]), 1, &["missing-file", "no certificate"]);
}

/// Without any defect a directory is clean by the options that it was made with, by each of them alone, and by an option
/// that says what is so.
#[test]
fn check_pki_takes_what_is_not_said_from_the_files() {
    let root = tempfile::tempdir().unwrap();
    let fast = ["--algorithm", "ecdsa-p256"];
    for (position, options) in [
        &["--endpoint", "api.example.com:6443", "--address", "192.0.2.10", "--convention", "kubeadm"][..],
        &["--convention", "kubeadm", "--kubernetes-version", "1.36", "--cluster-name", "prod"],
        &["--convention", "kubeadm", "--kubernetes-version", "1.34", "--address", "192.0.2.10"],
        &["--node", "first", "--san", "192.168.1.1", "--dns-domain", "k8s.example"],
        &["--service-subnet", "172.20.0.0/16", "--service-subnet", "fd00:1::/108"],
        &["--service-subnet", "fd00:1::/108", "--address", "2001:db8::1", "--endpoint", "[2001:db8::1]:6443"],
        &["--address", "192.0.2.1", "--endpoint", "198.51.100.1:6443", "--worker", "w-1=192.0.2.7"],
    ]
    .into_iter()
    .enumerate()
    {
        let directory = root.path().join(position.to_string());
        let mut create = Command::new(example("create_cluster"));
        let created = create.arg(&directory).args(options).args(fast).output().unwrap();
        assert!(created.status.success(), "{options:?}: {}", String::from_utf8_lossy(&created.stderr));
        let exact: Vec<_> = options.chunks(2).filter(|it| it[0] != "--worker").flatten().copied().collect();
        let each = exact.chunks(2).filter(|it| it[0] != "--service-subnet").map(<[&str]>::to_vec);
        for given in each.chain([fast.to_vec(), [&exact[..], &fast].concat()]) {
            let said = check(&directory, &given);
            println!("{options:?}, {given:?}");
            ends_with(&said, 0, &["0 errors, 0 warnings"]);
        }
        ends_with(&check(&directory, &["--node", "other"]), 1, &["san-missing", "node-name-mismatch"]);
        ends_with(&check(&directory, &["--san", "a.example.org"]), 1, &["DNS:a.example.org"]);
    }
    let worker = root.path().join("6/workers/w-1");
    ends_with(&check(&worker, &["--node", "w-1"]), 0, &["0 errors, 0 warnings, 0 notes"]);
    ends_with(&check(&worker, &["--address", "192.0.2.8"]), 1, &["IP:192.0.2.8"]);
}

#[test]
fn files_tell_cluster_and_node_or_neither() {
    let (machine, authorities) = Machine::new();
    let pki = machine.load();
    let node = pki.expected().node().unwrap();
    assert_eq!((node.name().as_str(), node.advertise_address()), ("cp-1", "192.0.2.10".parse().ok()));
    assert_eq!(pki.expected().cluster(), Some(&fast_cluster_as_told()));

    let worker = Node::worker("w-1".parse().unwrap());
    let worker = Pki::from_files(files_of(&authorities.join(&fast_cluster(), &worker, time(MADE)).unwrap()));
    let node = worker.expected().node().unwrap();
    assert_eq!((node.name().as_str(), node.advertise_address()), ("w-1", None));

    let nothing = Pki::from_files(Vec::<(PathBuf, Vec<u8>)>::new());
    assert!(nothing.expected().cluster().is_none() && nothing.expected().node().is_none());
}

/// No file tells the subnets of services, nor for certain an algorithm.
fn fast_cluster_as_told() -> Cluster {
    let told = Cluster::new("api.example.com:6443".parse().unwrap()).service_subnets([]);
    told.name("default-cluster".parse().unwrap()).dns_domain("cluster.local".parse().unwrap())
}

fn files_of(pki: &Pki) -> Vec<(PathBuf, Vec<u8>)> {
    pki.files().map(|file| (file.path().to_owned(), file.bytes().to_vec())).collect()
}

#[test]
fn check_pki_with_any_option_misses_the_address_of_the_service_kubernetes() {
    let root = tempfile::tempdir().unwrap();
    let cluster = fast_cluster().service_subnets(["10.0.0.16/28".parse().unwrap()]);
    let authorities = Authorities::create(&cluster, Time::now()).unwrap();
    let node = control_plane("cp-1", "192.0.2.10");
    authorities.join(&cluster, &node, Time::now()).unwrap().save(root.path().join("a")).unwrap();
    ends_with(&check(&root.path().join("a"), &[]), 0, &["0 errors"]);
    ends_with(&check(&root.path().join("a"), &["--node", "cp-1"]), 1, &["san-missing", "IP:10.96.0.1"]);
}

/// As `cargo run` takes it, and as the program itself gets it when it is run by hand.
#[test]
fn every_example_leaves_out_a_leading_separator() {
    let (machine, _) = Machine::new();
    let directory = machine.path("").display().to_string();
    let kubeconfig = machine.path("admin.conf").display().to_string();
    let out = machine.path("new").display().to_string();
    let (certificate, key) = (machine.path("pki/ca.crt"), machine.path("pki/ca.key"));
    let (certificate, key) = (certificate.display().to_string(), key.display().to_string());
    for (name, arguments) in [
        ("check_pki", &[&*directory, "--json", "--at", MADE][..]),
        ("renew_pki", &[&directory, "--dry-run", "--at", MADE]),
        ("whoami", &[&kubeconfig]),
        ("create_cluster", &[&out, "--algorithm", "ecdsa-p256"]),
        ("join_node", &["--help"]),
        ("create_authority", &["--help"]),
        ("request_service_certificate", &["--help"]),
        ("sign_csr", &["--help"]),
        ("one_certificate", &[&certificate, &key, "web.shop.svc"]),
        ("kubeconfig_for_user", &[&directory, "127.0.0.1", "jane", "developers"]),
    ] {
        let run = |separators: &[&str]| {
            Command::new(example(name)).args(separators).args(arguments).output().unwrap()
        };
        let said = run(&["--"]);
        assert_eq!(said.status.code(), Some(0), "{name}: {}", String::from_utf8_lossy(&said.stderr));
        assert_ne!(run(&["--", "--", "--no-such"]).status.code(), Some(0), "{name}");
    }
}

#[test]
fn check_pki_says_when_it_cannot_look() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    ends_with(&check(&directory.path().join("none"), &[]), 2, &["error: ", "none"]);
    ends_with(&check(&file, &[]), 2, &["error: ", "file"]);
    for (arguments, parts) in [
        (&["--at", "yesterday"][..], &["--at \"yesterday\"", "RFC 3339"][..]),
        (&["--endpoint", "a b"], &["--endpoint \"a b\""]),
        (&["--kind", "master"], &["expected control-plane, worker or etcd-member"]),
        (&["--jsn"], &["--jsn"]),
        (&["-x"], &["-x"]),
        (&["--root"], &["--root"]),
        (&["--json", "--prometheus"], &["one of them"]),
        (&["another"], &["another"]),
    ] {
        ends_with(&check(directory.path(), arguments), 2, parts);
    }
    let mut bare = Command::new(example("check_pki"));
    ends_with(&bare.output().unwrap(), 2, &["DIR is missing"]);
    ends_with(&bare.arg("--help").output().unwrap(), 0, &["usage: check_pki DIR", "--endpoint"]);
    for (name, codes) in [
        ("check_pki", "Ends with 0 without a finding of severity error, with 1 when there is one, with 2"),
        (
            "renew_pki",
            "Ends with 0, with 1 when something of severity error is left, or something that is due",
        ),
        ("whoami", "Ends with 0, or with 2 when"),
    ] {
        ends_with(&Command::new(example(name)).arg("--help").output().unwrap(), 0, &[codes]);
    }
}

#[test]
fn a_reader_that_has_seen_enough_changes_no_exit_code() {
    let (machine, _) = Machine::new();
    let mut command = Command::new(example("check_pki"));
    let mut child =
        command.arg(machine.path("")).args(["--at", MADE]).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// The commands of the README's sections, and what they print there, but for its dates.
#[test]
fn the_readme_shows_what_check_pki_and_renew_pki_say() {
    let directory = tempfile::tempdir().unwrap();
    for (heading, code) in [("Checking an existing directory", 1), ("Renewing and mending", 0)] {
        let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
        let (_, section) = readme.split_once(&format!("\n## {heading}\n")).unwrap();
        let block = |language: &str| {
            let (_, block) = section.split_once(&format!("\n```{language}\n")).unwrap();
            block.split_once("```\n").unwrap().0
        };
        let examples = example("check_pki").parent().unwrap().display().to_string();
        let script = block("sh").replace("cargo run --release --example ", &format!("{examples}/"));
        let script = script.replace(" -- ", " ").replace("/create_cluster ", "/create_cluster >&2 ");
        let output =
            Command::new("bash").args(["-c", &script]).current_dir(directory.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
        let (expected, found) = (block("text"), utf8(output.stdout));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
            fs::write(path, readme.replacen(expected, &found, 1)).unwrap();
            continue;
        }
        for (expected, found) in expected.lines().zip(found.lines()) {
            assert_eq!(without_time(expected), without_time(found), "UPDATE_GOLDEN=1 writes it anew");
        }
        assert_eq!(expected.lines().count(), found.lines().count(), "UPDATE_GOLDEN=1 writes it anew");
    }
}

/// A line without dates and days.
fn without_time(line: &str) -> String {
    let mut after_in = false;
    let words = line.split(' ').map(|word| {
        let is_date = word.split('-').count() == 3 && word.starts_with("20");
        let is_span = std::mem::replace(&mut after_in, word == "(in");
        if is_date || is_span { "..." } else { word }
    });
    words.collect::<Vec<_>>().join(" ")
}
