//! What the recipes make that people follow, to the letter, and what is wrong with it.
//!
//! Each script in this directory is one recipe, or one way to follow it; its first lines name the page. It
//! leaves its files where components look for them. No recipe is to blame for what it leaves out:
//! `missing-file` is no fault here. Beside the faults stands what Go and OpenSSL say: with `-x509_strict` it
//! also refuses what no component looks at.

mod by_rcgen;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use kubepki::Severity::{Error, Note, Warning};
use kubepki::{
    Certificate, Cluster, Expected, Finding, FindingId, Findings, Issuer, KeyAlgorithm, Node, Pki, Policy,
    Severity, Store, Time, role,
};
use tempfile::TempDir;

use crate::judges::{Anchor, Check, Usage, go, openssl};

/// The recipes' MASTER_IP, their MASTER_CLUSTER_IP, and the name of the machine.
const ADDRESS: &str = "192.0.2.10";
const SERVICE_ADDRESS: &str = "10.96.0.1";
const NODE: &str = "cp-1";

/// One fault: its severity, its id, the file, a part of what the finding says, and a part of how to mend it.
type Fault = (Severity, FindingId, &'static str, &'static str, &'static str);

/// A part of the mend of whatever can be issued again.
const ISSUE: &str = "issue";

/// What OpenSSL (strict) and Go say to apiserver.crt: a part of their refusal.
struct Verdicts {
    go: Option<&'static str>,
    openssl: Option<&'static str>,
}

const SERVER: &str = "pki/apiserver.crt";

#[test]
fn certificates_by_easyrsa_lack_the_nodes_name_and_outlive_their_authority() {
    let made = follow("certificates-easyrsa.sh", "");
    let faults = [
        // kubeadm looks for it.
        (Error, FindingId::SanMissing, SERVER, NODE, ISSUE),
        // 10000 days below an authority of 3650.
        (Warning, FindingId::OutlivesAuthority, SERVER, "an end not after", ISSUE),
    ];
    has(&made, &faults);
    // The authority's basic constraints are not critical (RFC 5280, section 4.2.1.9). Go and kubeadm do not
    // look.
    judged(&made, &Verdicts { go: None, openssl: Some("not marked critical") });
}

#[test]
fn certificates_by_openssl_make_the_server_a_client_that_cannot_sign() {
    let made = follow("certificates-openssl.sh", "");
    let faults = [
        (Error, FindingId::SanMissing, SERVER, NODE, ISSUE),
        // Whoever has its key is user 192.0.2.10 of group Example.
        (Error, FindingId::UsageUnexpected, SERVER, "client auth", ISSUE),
        // keyUsage=keyEncipherment,dataEncipherment: what TLS 1.3 needs is not there, and Go does not look.
        (Warning, FindingId::UsageMissing, SERVER, "digital signature", ISSUE),
        // Both for 10000 days, the authority first.
        (Warning, FindingId::OutlivesAuthority, SERVER, "an end not after", ISSUE),
    ];
    has(&made, &faults);
    // An authority without key usages (RFC 5280, section 4.2.1.3): to Go and kubeadm it may do anything.
    judged(&made, &Verdicts { go: None, openssl: Some("does not include key usage") });
}

#[test]
fn certificates_by_cfssl_make_the_server_a_client() {
    let made = follow("certificates-cfssl.sh", "");
    let faults = [
        (Error, FindingId::SanMissing, SERVER, NODE, ISSUE),
        (Error, FindingId::UsageUnexpected, SERVER, "client auth", ISSUE),
        // Server and authority have one name, and no authority key identifier tells them apart.
        (Warning, FindingId::NamedLikeAuthority, SERVER, "CN=kubernetes", ISSUE),
    ];
    has(&made, &faults);
    judged(&made, &Verdicts { go: None, openssl: Some("self-signed certificate") });
}

#[test]
fn old_certificates_by_easyrsa_name_only_the_address() {
    let made = follow("authenticating-easyrsa.sh", "");
    has(&made, &[(Error, FindingId::SanMissing, SERVER, "kubernetes.default.svc", ISSUE)]);
    judged(&made, &Verdicts { go: Some("not valid for any names"), openssl: Some("not marked critical") });
}

#[test]
fn old_certificates_by_openssl_name_nobody() {
    let made = follow("authenticating-openssl.sh", "");
    let faults = [
        (Error, FindingId::SanMissing, SERVER, "kubernetes.default.svc", ISSUE),
        // Without extensions it is good for everything: whoever has its key is user 192.0.2.10.
        (Error, FindingId::UsageUnexpected, SERVER, "client auth", ISSUE),
        (Warning, FindingId::UsageMissing, SERVER, "server auth", ISSUE),
        (Warning, FindingId::OutlivesAuthority, SERVER, "an end not after", ISSUE),
        (Warning, FindingId::NamedLikeAuthority, SERVER, "CN=192.0.2.10", ISSUE),
    ];
    has(&made, &faults);
    judged(
        &made,
        &Verdicts { go: Some("not valid for any names"), openssl: Some("self-signed certificate") },
    );
}

#[test]
fn the_course_makes_an_administrator_without_power_below_an_authority_that_is_none() {
    let made = follow("course-openssl.sh", "");
    let faults = [
        // Version 1, without a word of authority: kubeadm refuses it, Go does not.
        (Error, FindingId::NotAnAuthority, "pki/ca.crt", "CA:TRUE", "renew it with the same key"),
        (Error, FindingId::NotAnAuthority, "pki/etcd/ca.crt", "CA:TRUE", "authority"),
        // One authority for all: each client of the API server may read and write all of etcd.
        (Error, FindingId::SharedEtcdAuthority, "pki/etcd/ca.crt", "kubernetes-ca", "key of its own"),
        // OU=system:masters.
        (Error, FindingId::GroupInOrganizationalUnit, "admin.conf", "OU=system:masters", "O=system:masters"),
        (Error, FindingId::WrongCommonName, "admin.conf", "kubernetes-admin", ISSUE),
        // Go takes them; kubeadm renews none ("must specify at least one ExtKeyUsage").
        (Warning, FindingId::UsageMissing, "admin.conf", "client auth", ISSUE),
        (Warning, FindingId::UsageMissing, "scheduler.conf", "client auth", ISSUE),
        (Warning, FindingId::UsageMissing, "pki/apiserver-etcd-client.crt", "client auth", ISSUE),
        (Warning, FindingId::UsageMissing, SERVER, "server auth", ISSUE),
        // Without extended usages it is good for everything: whoever has its key is user kube-apiserver.
        (Error, FindingId::UsageUnexpected, SERVER, "client auth", ISSUE),
        (Error, FindingId::SanMissing, SERVER, NODE, ISSUE),
        // The server for 100 days; what is left to the default for 30, as the authority, which was first.
        (Warning, FindingId::OutlivesAuthority, SERVER, "CN=KUBERNETES-CA", ISSUE),
        (Warning, FindingId::OutlivesAuthority, "admin.conf", "CN=KUBERNETES-CA", ISSUE),
        (Warning, FindingId::OutlivesAuthority, "scheduler.conf", "CN=KUBERNETES-CA", ISSUE),
        (Warning, FindingId::OutlivesAuthority, "pki/apiserver-etcd-client.crt", "CN=KUBERNETES-CA", ISSUE),
    ];
    has(&made, &faults);
    judged(&made, &Verdicts { go: None, openssl: Some("invalid CA certificate") });

    let soon = Time::now().checked_add(Duration::from_secs(25 * 86_400)).unwrap();
    let findings = load(&made).audit(&Expected::new(&cluster(), &node()), soon);
    for file in ["pki/ca.crt", "admin.conf", "scheduler.conf", "pki/apiserver-etcd-client.crt"] {
        assert!(
            findings.iter().any(|finding| is(finding, Warning, FindingId::ExpiresSoon, file)),
            "{findings}"
        );
    }
}

#[test]
fn all_of_the_requirements_with_a_profile_for_each_kind_lack_one_name_of_etcd() {
    let made = follow("requirements-cfssl.sh", "kinds");
    let faults = [
        // The page names 127.0.0.1 only, kubeadm looks for both.
        (Error, FindingId::SanMissing, "pki/etcd/peer.crt", "::1", ISSUE),
        (Error, FindingId::SanMissing, "pki/etcd/server.crt", "::1", ISSUE),
    ];
    has(&made, &faults);
    judged(&made, &Verdicts { go: None, openssl: None });
    assert!(!audit(&made).iter().any(|finding| finding.id() == FindingId::MissingFile));
}

#[test]
fn all_of_the_requirements_with_one_profile_for_everything_make_every_server_a_client() {
    let made = follow("requirements-cfssl.sh", "one");
    let faults = [
        (Error, FindingId::SanMissing, "pki/etcd/peer.crt", "::1", ISSUE),
        (Error, FindingId::SanMissing, "pki/etcd/server.crt", "::1", ISSUE),
        (Error, FindingId::UsageUnexpected, SERVER, "client auth", ISSUE),
        // O=Example of the organization is a group to Kubernetes.
        (Error, FindingId::GroupUnexpected, "controller-manager.conf", "Example", ISSUE),
        (Error, FindingId::GroupUnexpected, "scheduler.conf", "Example", ISSUE),
        (Warning, FindingId::UsageUnexpected, "admin.conf", "server auth", ISSUE),
        (Warning, FindingId::UsageUnexpected, "controller-manager.conf", "server auth", ISSUE),
        (Warning, FindingId::UsageUnexpected, "kubelet.conf", "server auth", ISSUE),
        (Warning, FindingId::UsageUnexpected, "scheduler.conf", "server auth", ISSUE),
        (Warning, FindingId::UsageUnexpected, "super-admin.conf", "server auth", ISSUE),
        (Warning, FindingId::UsageUnexpected, "pki/apiserver-etcd-client.crt", "server auth", ISSUE),
        (Warning, FindingId::UsageUnexpected, "pki/apiserver-kubelet-client.crt", "server auth", ISSUE),
        (Warning, FindingId::UsageUnexpected, "pki/etcd/healthcheck-client.crt", "server auth", ISSUE),
        (Warning, FindingId::UsageUnexpected, "pki/front-proxy-client.crt", "server auth", ISSUE),
    ];
    has(&made, &faults);
    judged(&made, &Verdicts { go: None, openssl: None });
}

#[test]
fn a_services_files_are_left_alone_and_its_authority_issues() {
    let made = follow("service-cfssl.sh", "");
    has(&made, &[]);
    let strangers: Vec<_> = audit(&made)
        .iter()
        .filter(|finding| finding.id() == FindingId::UnknownFile)
        .map(|finding| finding.file().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        strangers,
        ["ca-key", "ca-signed-server", "ca", "server-key"].map(|stem| format!("pki/{stem}.pem"))
    );

    let [authority, key, server] = ["ca.pem", "ca-key.pem", "ca-signed-server.pem"]
        .map(|file| fs::read(made.path().join("kubernetes/pki").join(file)).unwrap());
    let issuer = Issuer::from_pem(&authority, &key).unwrap();
    Certificate::from_pem(&server).unwrap()[0].check_issued_by(issuer.certificate()).unwrap();
    let service = role::Service::new(&cluster(), "my-svc.my-namespace.svc.cluster.local".parse().unwrap());
    issuer.issue(&service.profile(), Time::now()).unwrap();
}

#[test]
fn a_user_of_two_groups_is_seen_as_one() {
    let made = follow("authenticating-openssl.sh", "");
    let pem = fs::read(made.path().join("kubernetes/pki/jbeda.crt")).unwrap();
    let identity = Certificate::from_pem(&pem).unwrap()[0].identity();
    assert_eq!(identity.user(), Some("jbeda"));
    assert!(identity.groups().eq(["app1", "app2"]));
}

/// Runs a recipe in a directory of its own; `kubernetes` below it is its /etc/kubernetes.
fn follow(recipe: &str, variant: &str) -> TempDir {
    let made = tempfile::tempdir().unwrap();
    let work = made.path().join("work");
    fs::create_dir(&work).unwrap();
    let output = Command::new("bash")
        .args(["-c", "source \"$1/prelude.sh\"; source \"$1/$2\"", "recipe"])
        .args([concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recipes"), recipe])
        .envs([("MASTER_IP", ADDRESS), ("MASTER_CLUSTER_IP", SERVICE_ADDRESS), ("NODE", NODE)])
        .env("VARIANT", variant)
        .env("KUBERNETES", made.path().join("kubernetes"))
        .env("HOME", &work)
        .current_dir(&work)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{recipe}: run tests/run?\n{}", String::from_utf8_lossy(&output.stderr));
    made
}

fn cluster() -> Cluster {
    Cluster::new(format!("{ADDRESS}:6443").parse().unwrap())
        .service_subnets(["10.96.0.0/12".parse().unwrap()])
        .key_algorithm(KeyAlgorithm::EcdsaP256)
}

fn node() -> Node {
    Node::control_plane(NODE.parse().unwrap(), ADDRESS.parse().unwrap())
}

/// Loads what a recipe made.
fn load(made: &TempDir) -> Pki {
    Pki::load(made.path().join("kubernetes")).unwrap()
}

fn described(_: &Pki) -> Expected {
    Expected::new(&cluster(), &node())
}

fn audit(made: &TempDir) -> Findings {
    let pki = load(made);
    pki.audit(&described(&pki), Time::now())
}

/// Asserts that an audit finds these faults and no other, without a description all but a node's name that no file
/// tells, and that a plan mends them.
#[track_caller]
fn has(made: &TempDir, faults: &[Fault]) {
    finds(&audit(made), faults);
    settles(made, described);
    let pki = load(made);
    // How to mend it may then be to describe the cluster.
    let told = faults.iter().filter(|fault| fault.3 != NODE);
    let told: Vec<_> = told.map(|(severity, id, file, part, _)| (*severity, *id, *file, *part, "")).collect();
    finds(&pki.audit(&Expected::inferred(&pki), Time::now()), &told);
    settles(made, Expected::inferred);
}

#[track_caller]
fn finds(findings: &Findings, faults: &[Fault]) {
    let missed: Vec<_> = faults
        .iter()
        .filter(|(severity, id, file, part, mend)| {
            !serious(findings).any(|finding| {
                is(finding, *severity, *id, file)
                    && [finding.expected(), finding.found()].iter().any(|text| text.contains(part))
                    && finding.mend().contains(mend)
            })
        })
        .collect();
    let beyond: Vec<_> = serious(findings)
        .filter(|finding| !faults.iter().any(|(severity, id, file, ..)| is(finding, *severity, *id, file)))
        .map(ToString::to_string)
        .collect();
    assert!(
        missed.is_empty() && beyond.is_empty(),
        "missed: {missed:#?}\nbeyond: {beyond:#?}\nin all:\n{findings}"
    );
}

fn is(finding: &Finding, severity: Severity, id: FindingId, file: &str) -> bool {
    (finding.severity(), finding.id(), finding.file()) == (severity, id, Path::new(file))
}

/// The findings that are no notes, without what a recipe does not make.
fn serious(findings: &Findings) -> impl Iterator<Item = &Finding> {
    findings.iter().filter(|finding| finding.severity() > Note && finding.id() != FindingId::MissingFile)
}

/// Asserts that a plan leaves only faults that it called blocked, and that a second one changes nothing.
#[track_caller]
fn settles(made: &TempDir, expected: fn(&Pki) -> Expected) {
    let copy = tempfile::tempdir().unwrap();
    let output =
        Command::new("cp").arg("-r").args([made.path().join("kubernetes").as_path(), copy.path()]).output();
    assert!(output.unwrap().status.success());
    let store = Store::open(copy.path().join("kubernetes")).unwrap();
    let mut pki = store.load().unwrap();
    let plan = pki.plan(&expected(&pki), &Policy::default(), Time::now());
    let said = plan.to_string();
    let blocked: Vec<_> = plan.blocked().map(|it| (it.finding(), it.file().to_owned())).collect();
    plan.apply(&mut pki).unwrap();
    store.commit(&mut pki).unwrap();

    let left = pki.audit(&expected(&pki), Time::now());
    let left: Vec<_> = serious(&left).map(|it| (Some(it.id()), it.file().to_owned())).collect();
    let is_missing = |id: &Option<FindingId>| *id == Some(FindingId::MissingFile);
    for fault in &left {
        assert!(blocked.contains(fault), "left without a word: {fault:?}\n{said}");
    }
    for fault in blocked.iter().filter(|(id, _)| id.is_some() && !is_missing(id)) {
        assert!(left.contains(fault), "called blocked, and mended: {fault:?}\n{said}");
    }
    let again = store.load().unwrap();
    let again = again.plan(&expected(&again), &Policy::default(), Time::now());
    assert!(again.steps().is_empty(), "a second plan:\n{again}\nthe first:\n{said}");
}

/// Asserts what others say to the certificate of the API server.
#[track_caller]
fn judged(made: &TempDir, verdicts: &Verdicts) {
    let [chain, trusted, key] = ["apiserver.crt", "ca.crt", "apiserver.key"]
        .map(|file| made.path().join("kubernetes/pki").join(file));
    let check = Check {
        chain: &chain,
        trusted: &trusted,
        anchor: Anchor::Root,
        usage: Usage::Server,
        name: Some("kubernetes.default.svc"),
        at: None,
    };
    says("Go", &go::verify(&[(check, Some(&key))]).remove(0), verdicts.go);
    says("OpenSSL", &openssl::verify(&check), verdicts.openssl);
}

/// Asserts that a judge accepts, or that its refusal has this part.
#[track_caller]
fn says(judge: &str, verdict: &Result<(), String>, refusal: Option<&str>) {
    match (verdict, refusal) {
        (Ok(()), None) => {}
        (Err(said), Some(part)) if said.contains(part) => {}
        _ => panic!("{judge} says {verdict:?}, expected {refusal:?}"),
    }
}
