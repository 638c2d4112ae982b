//! Whom Kubernetes sees in a certificate, beside what Go sees in it; and `whoami` as it is run.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use base64ct::{Base64, Encoding};
use kubepki::{Certificate, Issuer, Note, Profile, Time, role};
use tempfile::TempDir;

use crate::judges::{Anchor, Check, Usage, go};
use crate::support::{authority, control_plane, fast_cluster, issuer, openssl, utf8};

/// A certificate, and whom Kubernetes sees in it: user, groups, and the ids of the notes.
struct Case {
    name: String,
    certificate: Certificate,
    user: Option<&'static str>,
    groups: Vec<&'static str>,
    notes: Vec<&'static str>,
    /// What Go objects to when a client presents it, if it does.
    complaint: Option<&'static str>,
}

type Names = &'static [&'static str];
type Foreign = ((&'static str, Names), Option<&'static str>, Names, Names);
type Forged = (&'static str, [&'static [u8]; 2], Option<&'static str>, Names, Names, &'static str);

const CLIENT: Names = &["extendedKeyUsage=clientAuth"];

/// What the builders refuse to make: subject and extensions as the openssl command is asked for them; user,
/// groups and notes.
#[rustfmt::skip]
const FOREIGN: &[Foreign] = &[
    (("/CN=jane", CLIENT), Some("jane"), &[], &[]),
    (("/CN=jane", &[]), Some("jane"), &[], &[]),
    (("/CN=jane", &["extendedKeyUsage=anyExtendedKeyUsage"]), Some("jane"), &[], &[]),
    (("/CN=jane", &["extendedKeyUsage=serverAuth"]), Some("jane"), &[], &["no-client-auth"]),
    (("/CN=jane", &["extendedKeyUsage=1.2.3.4"]), Some("jane"), &[], &["no-client-auth"]),
    (("/CN=jane/O=dev/O=ops/O=dev", CLIENT), Some("jane"), &["dev", "ops", "dev"], &[]),
    (("/O=ops+O=dev/CN=jane", CLIENT), Some("jane"), &["dev", "ops"], &[]),
    (("/CN=jane/emailAddress=jane@example.com/UID=u", CLIENT), Some("jane"), &[], &[]),
    (("/CN=Jürg Ü", CLIENT), Some("Jürg Ü"), &[], &[]),
    (("/O=system:masters", CLIENT), None, &[], &["empty-common-name"]),
    (("/CN=admin/CN=jane", CLIENT), Some("jane"), &[], &["several-common-names"]),
    (("/CN=jane/userUID=7", CLIENT), Some("jane"), &[], &[]),
    (("/CN=jane/userUID=7/userUID=8", CLIENT), Some("jane"), &[], &["unusable-uid"]),
    (("/CN=admin/OU=system:masters", CLIENT), Some("admin"), &[], &["group-in-organizational-unit"]),
    (("/CN=admin/OU=kubeadm:cluster-admins/OU=IT", CLIENT), Some("admin"), &[],
        &["group-in-organizational-unit", "organizational-unit-ignored"]),
    (("/CN=jane/O=dev/OU=IT", CLIENT), Some("jane"), &["dev"], &["organizational-unit-ignored"]),
    (("/CN=system:masters", CLIENT), Some("system:masters"), &[], &["group-as-user"]),
    (("/CN=system:nodes/O=system:nodes", CLIENT), Some("system:nodes"), &["system:nodes"],
        &["group-as-user", "node-group-without-user"]),
    (("/CN=jane ", CLIENT), Some("jane "), &[], &["white-space"]),
    (("/CN=jane/O= dev", CLIENT), Some("jane"), &[" dev"], &["white-space"]),
    (("/CN=jane/O=system:masters ", CLIENT), Some("jane"), &["system:masters "],
        &["white-space", "reserved-group"]),
    (("/CN=jane/O=system:authenticated", CLIENT), Some("jane"), &["system:authenticated"], &["given-group"]),
    (("/CN=jane/O=system:unauthenticated", CLIENT), Some("jane"), &["system:unauthenticated"],
        &["given-group"]),
    (("/CN=jane/O=system:serviceaccounts:a", CLIENT), Some("jane"), &["system:serviceaccounts:a"],
        &["reserved-group"]),
    (("/CN=system:node:n1", CLIENT), Some("system:node:n1"), &[], &["node-without-group"]),
    (("/CN=n1/O=system:nodes", CLIENT), Some("n1"), &["system:nodes"], &["node-group-without-user"]),
    (("/CN=system:node:/O=system:nodes", CLIENT), Some("system:node:"), &["system:nodes"],
        &["node-group-without-user", "reserved-user"]),
    (("/CN=system:serviceaccount:a:b", CLIENT), Some("system:serviceaccount:a:b"), &[], &["service-account"]),
    (("/CN=system:anonymous", CLIENT), Some("system:anonymous"), &[], &["reserved-user"]),
];

/// What hardly any program makes: some bytes of a signed certificate are replaced.
#[rustfmt::skip]
const FORGED: &[Forged] = &[
    // A PrintableString that is none.
    ("/CN=ja-ne/O=dev", [b"\x0c\x05ja-ne", b"\x13\x05ja@ne"], None, &[], &["unreadable-subject"],
        "invalid PrintableString"),
    // SETs whose values are not in the order of DER: Go takes them as they come.
    ("/CN=aa+CN=bo", [b"aa", b"zz"], Some("bo"), &[], &["several-common-names"], "verification failure"),
    ("/CN=jane/O=aa+O=bb", [b"aa", b"zz"], Some("jane"), &["zz", "bb"], &[], "verification failure"),
    // TeletexString and BMPString.
    ("/CN=j?rg", [b"\x0c\x04j?rg", b"\x14\x04j\xfcrg"], Some("j\u{fc}rg"), &[], &[], "verification failure"),
    ("/CN=?j?o", [b"\x0c\x04?j?o", b"\x1e\x04\0j\0o"], Some("jo"), &[], &[], "verification failure"),
    // An empty text behind a name; a BMPString's NUL at its end does not count.
    ("/CN=jane/CN=bo/O=dev", [b"\x0c\x02bo", b"\x1e\x02\0\0"], None, &[],
        &["empty-common-name", "several-common-names"], "verification failure"),
];

/// What each role's certificate is, in the convention of the documentation.
#[rustfmt::skip]
fn roles() -> Vec<(Profile, &'static str, Names, Names)> {
    let (cluster, node) = (fast_cluster(), control_plane("cp-1", "192.0.2.1"));
    let jane = role::User::new(&cluster, "jane".parse().unwrap()).group("dev".parse().unwrap());
    vec![
        (role::ApiServer::new(&cluster, &node).profile(), "kube-apiserver", &[],
            &["no-client-auth", "kube-apiserver"]),
        (role::ApiServerKubeletClient::new(&cluster).profile(), "kube-apiserver-kubelet-client",
            &["system:masters"], &["authorization-bypassed", "kube-apiserver-kubelet-client"]),
        (role::ApiServerEtcdClient::new(&cluster).profile(), "kube-apiserver-etcd-client", &[],
            &["etcd-client"]),
        (role::FrontProxyClient::new(&cluster).profile(), "front-proxy-client", &[], &["front-proxy-client"]),
        (role::EtcdHealthcheckClient::new(&cluster).profile(), "kube-etcd-healthcheck-client", &[],
            &["etcd-client"]),
        (role::KubeletServer::new(&cluster, &node).profile(), "system:node:cp-1", &["system:nodes"],
            &["no-client-auth", "node"]),
        (role::KubeletClient::new(&cluster, &node).profile(), "system:node:cp-1", &["system:nodes"],
            &["node"]),
        (role::Admin::new(&cluster).profile(), "kubernetes-admin", &["kubeadm:cluster-admins"],
            &["cluster-admins"]),
        (role::SuperAdmin::new(&cluster).profile(), "kubernetes-super-admin", &["system:masters"],
            &["authorization-bypassed"]),
        (role::ControllerManager::new(&cluster).profile(), "system:kube-controller-manager", &[],
            &["kube-controller-manager"]),
        (role::Scheduler::new(&cluster).profile(), "system:kube-scheduler", &[], &["kube-scheduler"]),
        (role::KubeProxy::new(&cluster).profile(), "system:kube-proxy", &[], &["kube-proxy"]),
        (jane.profile(), "jane", &["dev"], &[]),
    ]
}

#[test]
fn user_groups_and_notes_are_those_of_the_table_and_every_note_is_in_it() {
    let mut seen = BTreeSet::new();
    for Case { name, certificate, user, groups, notes, .. } in cases() {
        let identity = certificate.identity();
        assert_eq!(identity.user(), user, "{name}");
        assert_eq!(identity.groups().collect::<Vec<_>>(), groups, "{name}");
        assert_eq!(identity.notes().map(Note::id).collect::<Vec<_>>(), notes, "{name}");
        let subject = certificate.subject();
        assert!(user.is_none() || subject.common_name() == user, "{name}: {subject}");
        assert!(user.is_none() || subject.organizations().eq(groups), "{name}: {subject}");
        seen.extend(notes);
    }
    assert_eq!(seen, Note::all().map(Note::id).collect());
}

#[test]
fn go_sees_the_same_user_and_groups_and_lets_in_whom_no_note_keeps_out() {
    let directory = tempfile::tempdir().unwrap();
    let trusted = directory.path().join("ca.crt");
    fs::write(&trusted, authority()).unwrap();
    let cases = cases();
    let files: Vec<_> = cases
        .iter()
        .enumerate()
        .map(|(number, case)| write(&directory, &format!("{number}.crt"), &case.certificate.to_pem()))
        .collect();
    let checks: Vec<_> = files
        .iter()
        .map(|chain| Check {
            chain,
            trusted: &trusted,
            anchor: Anchor::Root,
            usage: Usage::Client,
            name: None,
            at: None,
        })
        .map(|check| (check, None))
        .collect();
    for ((case, subject), verdict) in cases.iter().zip(go::subjects(&files)).zip(go::verify(&checks)) {
        let name = &case.name;
        match (verdict, case.complaint) {
            (verdict, None) => assert_eq!(verdict, Ok(()), "{name}"),
            (verdict, Some(complaint)) => assert!(verdict.unwrap_err().contains(complaint), "{name}"),
        }
        match subject {
            Ok((common_name, organizations)) => {
                assert_eq!(common_name, case.user.unwrap_or_default(), "{name}");
                assert!(case.user.is_none() || organizations == case.groups, "{name}: {organizations:?}");
            }
            Err(_) => assert_eq!(case.notes, ["unreadable-subject"], "{name}"),
        }
    }
}

#[test]
fn a_uid_is_read_when_there_is_exactly_one() {
    let directory = tempfile::tempdir().unwrap();
    for (subject, uid) in [
        ("/CN=jane/userUID=7", Some("7")),
        ("/CN=jane/userUID=7/userUID=8", None),
        ("/CN=jane/UID=7", None),
        ("/userUID=7", None),
    ] {
        assert_eq!(foreign(&directory, (subject, CLIENT)).identity().uid(), uid, "{subject}");
    }
}

#[test]
fn whoami_tells_user_groups_meaning_issuer_and_validity_of_a_certificate() {
    let directory = tempfile::tempdir().unwrap();
    let profile = role::SuperAdmin::new(&fast_cluster()).profile();
    let start = "2026-01-01T00:00:00Z".parse().unwrap();
    let credential = Issuer::self_signed(&role::KubernetesCa::new(&fast_cluster()).profile(), start)
        .and_then(|authority| authority.issue(&profile, start))
        .unwrap();
    let (certificate, key) = (credential.chain_pem(), credential.key().to_pem());
    let another = issuer().certificate().to_pem();
    for (name, text) in [
        ("one.crt", certificate.clone()),
        ("kubelet-client.pem", format!("{certificate}{}", *key)),
        ("bundle.crt", format!("a comment\r\n{}{certificate}{another}", *key)),
    ] {
        let file = write(&directory, name, &text);
        let (code, said, _) = whoami([&file, Path::new("--at=2026-12-31T00:00:00Z")]);
        let expected = "\
user     kubernetes-super-admin
groups   system:masters
issuer   CN=kubernetes-ca
valid    2025-12-31T23:55:00Z to 2027-01-01T00:00:00Z: 1 day left

authorization-bypassed: system:masters bypasses authorization: it may do everything, and no change of RBAC \
takes that away while the certificate is valid.
";
        assert_eq!((code, said.as_str()), (0, expected), "{name}");
    }
    let link = directory.path().join("current.pem");
    symlink("one.crt", &link).unwrap();
    for (at, validity) in [
        ("--at=2027-01-11T00:00:00Z", "expired 10 days ago"),
        ("--at=2025-12-24T00:00:00Z", "not yet, in 7 days"),
        ("--at=2027-01-01T00:00:00Z", "0 days left"),
    ] {
        let (code, said, _) = whoami([Path::new(at), &link]);
        assert!(code == 0 && said.contains(validity), "{at}: {said}");
    }
}

#[test]
fn whoami_follows_the_current_context_of_a_kubeconfig() {
    let directory = tempfile::tempdir().unwrap();
    let credential = issuer().issue(&role::Admin::new(&fast_cluster()).profile(), Time::now()).unwrap();
    let certificate = credential.chain_pem();
    write(&directory, "jane.crt", &certificate);
    let data = format!("client-certificate-data: {}", Base64::encode_string(certificate.as_bytes()));
    for (user, more) in [
        ("client-certificate: jane.crt".to_owned(), ""),
        (format!("{data}, client-certificate: absent.crt"), ""),
        (format!("{data}, token: secret"), ""),
        (format!("{data}, as: bo"), "acts as  bo\n"),
    ] {
        let file = write(&directory, "jane.conf", &kubeconfig(&user));
        let (code, said, _) = whoami([&file]);
        let expected = format!(
            "context  jane@prod\ncluster  prod\nserver   https://api.example.com:6443\n{more}\
             user     kubernetes-admin\ngroups   kubeadm:cluster-admins\nissuer   CN=kubernetes-ca\n"
        );
        assert!(code == 0 && said.starts_with(&expected), "{said}\nis not\n{expected}");
        assert!(said.contains("\ncluster-admins: "), "{said}");
    }
}

#[test]
fn whoami_says_why_it_cannot_look_and_quotes_no_secret() {
    let directory = tempfile::tempdir().unwrap();
    let whole = kubeconfig("");
    let key = issuer().private_key().unwrap().to_pem();
    for (text, complaint) in [
        (whole.clone(), "context jane@prod, user jane: expected a client certificate, found nothing"),
        (kubeconfig("token: secret"), "found token"),
        (kubeconfig("tokenFile: /var/run/token, token: secret"), "found tokenFile /var/run/token"),
        (kubeconfig("exec: {command: aws, args: [secret]}"), "found exec: the program aws"),
        (kubeconfig("auth-provider: {name: oidc, config: {token: secret}}"), "found auth-provider oidc"),
        (kubeconfig("username: jane, password: secret"), "found username and password"),
        (kubeconfig("client-certificate: absent.crt"), "absent.crt: No such file"),
        (kubeconfig("client-certificate-data: c2VjcmV0"), "no PEM block"),
        (kubeconfig("client-certificate-data: secret!"), "client-certificate-data: expected standard base64"),
        (whole.replace("current-context: jane@prod", ""), "current-context: expected the name of a context"),
        (whole.replace("user: jane", "user: bo"), "expected the name of a user, found bo"),
        (key.to_string(), "expected a PEM block CERTIFICATE, found EC PRIVATE KEY"),
        (String::new(), "expected a certificate in PEM or a kubeconfig"),
        ("kind: Pod\napiVersion: v1\n".to_owned(), "expected a certificate in PEM or a kubeconfig"),
        ("\0\u{1b}[2J".to_owned(), "expected a certificate in PEM or a kubeconfig"),
        (authority().replace("MII", "MIJ"), "expected a certificate (X.509 in DER)"),
        (" ".repeat((4 << 20) + 1), "at most 4 MiB"),
    ] {
        let file = write(&directory, "file", &text);
        let (code, said, complained) = whoami([&file]);
        assert_eq!((code, said.as_str()), (2, ""), "{complaint}: {complained}");
        assert!(complained.contains(complaint), "{complained}\nis without {complaint}");
        assert!(!complained.contains("secret") && !complained.contains('\u{1b}'), "{complained}");
    }
    let pipe = directory.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for (arguments, complaint) in [
        (vec![directory.path()], "expected a file"),
        (vec![&pipe], "expected a file"),
        (vec![Path::new("absent")], "absent: No such file"),
        (vec![], "usage: whoami FILE"),
        (vec![Path::new("a"), Path::new("b")], "unexpected argument"),
        (vec![Path::new("a"), Path::new("--at=soon")], "--at \"soon\""),
        (vec![Path::new("--json")], "--json"),
    ] {
        let (code, said, complained) = whoami(&arguments);
        assert_eq!((code, said.as_str()), (2, ""), "{arguments:?}");
        assert!(complained.contains(complaint), "{arguments:?}: {complained}");
    }
    let (code, said, _) = whoami(["--help"]);
    assert!(code == 0 && said.starts_with("usage: whoami FILE"), "{said}");
}

#[test]
fn whoami_shows_no_name_that_a_terminal_would_obey() {
    let directory = tempfile::tempdir().unwrap();
    let subject = "/CN=a\u{1b}[2J\nuser     root/O=dev /O=\u{202e}b";
    let file = write(&directory, "file", &foreign(&directory, (subject, CLIENT)).to_pem());
    let (code, said, _) = whoami([file]);
    assert_eq!(code, 0);
    let expected = "user     \"a\\u{1b}[2J\\nuser     root\"\ngroups   \"dev \"\n         \"\\u{202e}b\"\n";
    assert!(said.starts_with(expected), "{said:?}");
}

/// `whoami` as it is run: its exit code, and what it prints.
fn whoami(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> (i32, String, String) {
    let target = env::current_exe().unwrap().ancestors().nth(2).unwrap().to_owned();
    let program = target.join("examples/whoami");
    let output = Command::new(&program).args(arguments).output();
    let output =
        output.unwrap_or_else(|error| panic!("{}: cargo build --examples: {error}", program.display()));
    (output.status.code().unwrap(), utf8(output.stdout), utf8(output.stderr))
}

/// A kubeconfig for a user `jane` of the cluster `prod`, with these fields of the user.
fn kubeconfig(user: &str) -> String {
    format!(
        "current-context: jane@prod\n\
         contexts: [{{name: jane@prod, context: {{cluster: prod, user: jane}}}}]\n\
         clusters: [{{name: prod, cluster: {{server: 'https://api.example.com:6443'}}}}]\n\
         users: [{{name: jane, user: {{{user}}}}}]\n"
    )
}

/// Every certificate of the tables, an authority, and some that no program makes.
fn cases() -> Vec<Case> {
    let directory = tempfile::tempdir().unwrap();
    let case = |name: String, certificate, user, groups: &[&'static str], notes: &[&'static str]| Case {
        name,
        certificate,
        user,
        groups: groups.to_vec(),
        notes: notes.to_vec(),
        complaint: notes.contains(&"no-client-auth").then_some("incompatible key usage"),
    };
    let authority = issuer().certificate().clone();
    let mut cases =
        vec![case("authority".to_owned(), authority, Some("kubernetes-ca"), &[], &["authority-as-client"])];
    cases.extend(FOREIGN.iter().map(|(request, user, groups, notes)| {
        case(format!("{request:?}"), foreign(&directory, *request), *user, groups, notes)
    }));
    cases.extend(roles().into_iter().map(|(profile, user, groups, notes)| {
        let credential = issuer().issue(&profile, Time::now()).unwrap();
        case(profile.role().to_string(), credential.certificate().clone(), Some(user), groups, notes)
    }));
    cases.extend(FORGED.iter().map(|(subject, [from, to], user, groups, notes, complaint)| {
        let der = replaced(foreign(&directory, (subject, CLIENT)).der(), from, to);
        let certificate = Certificate::from_der(&der).unwrap();
        let case = case(format!("{subject} with {to:?}"), certificate, *user, groups, notes);
        Case { complaint: Some(complaint), ..case }
    }));
    cases
}

/// A certificate that the openssl command makes, signed by [`issuer`].
fn foreign(directory: &TempDir, (subject, extensions): (&str, &[&str])) -> Certificate {
    let configuration = "oid_section = oids\n[oids]\nuserUID = 1.3.6.1.4.1.57683.2\n\
        [req]\ndistinguished_name = subject\n[subject]\n";
    let configuration = write(directory, "openssl.cnf", configuration);
    let ca = write(directory, "ca.crt", &authority());
    // The authority's key serves for the client as well: nobody looks at it.
    let key = write(directory, "ca.key", &issuer().private_key().unwrap().to_pem());
    let [configuration, ca, key] = [&configuration, &ca, &key].map(|path| path.to_str().unwrap());
    let mut arguments =
        vec!["req", "-x509", "-new", "-utf8", "-multivalue-rdn", "-days", "2", "-subj", subject];
    arguments.extend(["-config", configuration, "-key", key, "-CA", ca, "-CAkey", key]);
    arguments.extend(extensions.iter().flat_map(|extension| ["-addext", extension]));
    let pem = openssl(&arguments, b"").unwrap_or_else(|error| panic!("{subject}: {error}"));
    Certificate::from_pem(&pem).unwrap().remove(0)
}

fn write(directory: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = directory.path().join(name);
    fs::write(&path, text).unwrap();
    path
}

/// `bytes` with others of the same length in the one place where `from` stands.
fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
    let mut bytes = bytes.to_vec();
    bytes[at..at + to.len()].copy_from_slice(to);
    bytes
}
