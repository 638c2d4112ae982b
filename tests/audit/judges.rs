//! The audit against those who decide in the end: what it accepts no judge refuses, and what it calls an
//! error one refuses too, or a table says why none can see it.

use std::fs;
use std::path::{Path, PathBuf};

use kubepki::Severity::Error;
use kubepki::{FindingId as Id, Layout, Part, Role};

use super::bad_input::UNUSUAL;
use super::damages::damages;
use super::machine::{KINDS, Kind, Machine, kubeconfig_of};
use crate::judges::{Anchor, Check, Usage, free_port, go, kubectl, openssl};

/// What OpenSSL refuses though nothing in Kubernetes does: the machine, a part of the files' names, a part of
/// what is said, and why.
const STRICTER: &[(&str, &str, &str, &str)] = &[
    (
        "the authority is named by another key identifier",
        "",
        "unable to get",
        "Go takes the identifier for a hint",
    ),
    (
        "a server has the name of its authority, and nothing tells them apart",
        "",
        "self-signed",
        "Go looks at the signature alone",
    ),
    (
        "an authority has an empty subject",
        "etcd",
        "Issuer name empty",
        "Talos makes them; Go compares names as bytes",
    ),
    ("no key identifiers anywhere", "", "Missing", "RFC 5280 asks for them, Go does without"),
    ("constraints and usages are not critical", "etcd", "not marked critical", "Go reads them all the same"),
    (
        "an authority has no key usages",
        "etcd",
        "does not include key usage",
        "RFC 5280, section 4.2.1.3: then it may sign",
    ),
];

/// What no judge of certificates can see.
const UNSEEN: &[(Id, &str)] = &[
    (
        Id::WrongCommonName,
        "the API server decides by it what the holder may do, after the certificate was accepted",
    ),
    (Id::NodeNameMismatch, "the same, by the node authorizer"),
    (Id::GroupMissing, "the same"),
    (Id::GroupUnexpected, "the same"),
    (Id::GroupInOrganizationalUnit, "the same"),
    (Id::UsageUnexpected, "judges ask whether a certificate is good enough, not whether it is good for more"),
    (Id::SharedFrontProxyAuthority, "each chain is right by itself"),
    (Id::SharedEtcdAuthority, "the same"),
    (Id::SharedTrustAnchor, "the same"),
    (Id::KeyReadableByOthers, "modes are nothing of a certificate's"),
    (Id::WritableByOthers, "the same"),
    (
        Id::WeakKey,
        "Go signs nothing with it (crypto/rsa, `checkKeySize`), and is not asked to before a handshake",
    ),
    (Id::KubeconfigServerMismatch, "another cluster may be there"),
];

/// One certificate of a machine, as a party to a handshake.
struct Question {
    machine: usize,
    /// The file that it is about.
    file: String,
    chain: PathBuf,
    key: Option<PathBuf>,
    trusted: PathBuf,
    anchor: Anchor,
    usage: Usage,
    name: Option<String>,
    at: u64,
}

impl Question {
    fn check(&self) -> Check<'_> {
        Check {
            chain: &self.chain,
            trusted: &self.trusted,
            anchor: self.anchor,
            usage: self.usage,
            name: self.name.as_deref(),
            at: Some(self.at),
        }
    }
}

/// Conventions that no client needs.
const CONVENTIONAL: [&str; 2] = ["kubernetes.default.svc.cluster", "fd00::1"];

/// What clients and servers ask about a machine's certificates.
fn questions(index: usize, kind: Kind, machine: &Machine) -> Vec<Question> {
    let mut questions = Vec::new();
    let anchor = if kind == Kind::BelowRoot { Anchor::Intermediate } else { Anchor::Root };
    let at = u64::try_from(machine.now.unix()).unwrap();
    let layout = Layout::new("");
    let place = |role, part| layout.path(role, part).map(|path| path.display().to_string());
    for profile in machine.described().profiles() {
        let role = profile.role();
        let trusted = place(role.authority().unwrap(), Part::Certificate).unwrap();
        let mut ask = |file: &str, chain: &str, key: Option<&str>, trusted: &str, usage, name| {
            questions.push(Question {
                machine: index,
                file: file.to_owned(),
                chain: machine.path(chain),
                key: key.map(|key| machine.path(key)),
                trusted: machine.path(trusted),
                anchor,
                usage,
                name,
                at,
            });
        };
        if let Some(file) = place(role, Part::Certificate) {
            let key = file.replace(".crt", ".key");
            for usage in profile.usages() {
                match usage {
                    kubepki::Usage::ClientAuth => {
                        ask(&file, &file, Some(&key), &trusted, Usage::Client, None)
                    }
                    kubepki::Usage::ServerAuth => {
                        let names = profile.sans().iter().map(ToString::to_string);
                        for name in names.filter(|name| !CONVENTIONAL.contains(&name.as_str())) {
                            ask(&file, &file, Some(&key), &trusted, Usage::Server, Some(name));
                        }
                    }
                    _ => {}
                }
            }
        }
        let Some(file) = place(role, Part::Kubeconfig) else { continue };
        let Some((inside, server)) = taken_apart(machine, &file) else { continue };
        let [chain, key, authority] = ["crt", "key", "ca"].map(|end| format!("{inside}.{end}"));
        ask(&file, &chain, Some(&key), &trusted, Usage::Client, None);
        if kind != Kind::Worker {
            ask(&file, "pki/apiserver.crt", None, &authority, Usage::Server, Some(server));
        }
    }
    questions
}

/// The parts of a kubeconfig as files, and the name of its server.
fn taken_apart(machine: &Machine, file: &str) -> Option<(String, String)> {
    let kubeconfig = kubeconfig_of(&fs::read(machine.path(file)).ok()?)?;
    let user = kubeconfig.current_user()?;
    let cluster = kubeconfig.current_cluster()?;
    let inside = format!("/judged/{file}");
    machine.write(&format!("{inside}.crt"), user.client_certificate_data.as_ref()?);
    machine.write(&format!("{inside}.key"), &**user.client_key_data.as_ref()?);
    machine.write(&format!("{inside}.ca"), cluster.certificate_authority_data.as_ref()?);
    let server = cluster.server.strip_prefix("https://")?.rsplit_once(':')?.0;
    Some((inside, server.to_owned()))
}

/// What kubectl says about a kubeconfig, pointed to a closed port.
fn kubectl_says(machine: &Machine, file: &str) -> Result<(), String> {
    let mut text = String::from_utf8(fs::read(machine.path(file)).unwrap()).unwrap();
    let closed = format!("https://127.0.0.1:{}", free_port());
    for server in ["https://api.example.com:6443", "https://192.0.2.10:6443", "https://192.0.2.99:6443"] {
        text = text.replace(server, &closed);
    }
    let copy = machine.path(&format!("/judged/{file}"));
    fs::create_dir_all(copy.parent().unwrap()).unwrap();
    fs::write(&copy, text).unwrap();
    kubectl::accepts(&copy)
}

#[test]
fn what_the_audit_accepts_no_judge_refuses_and_what_it_refuses_one_does() {
    let good: Vec<_> = KINDS.into_iter().map(|kind| (kind, Machine::new(kind).files())).collect();
    let mut machines: Vec<(String, Kind, Machine)> =
        KINDS.into_iter().map(|kind| (format!("{kind:?}"), kind, Machine::new(kind))).collect();
    machines.extend(damages().iter().map(|it| (it.name.to_owned(), it.kind, it.machine())));
    for (name, kind, _, change) in UNUSUAL {
        let mut machine = Machine::new(*kind);
        change(&mut machine);
        machines.push(((*name).to_owned(), *kind, machine));
    }

    // Only what has changed is asked about again.
    let mut asked = Vec::new();
    for (index, (_, kind, machine)) in machines.iter().enumerate() {
        let before = &good.iter().find(|(other, _)| other == kind).unwrap().1;
        let is_same = |file: &str| {
            let bytes = before.iter().find(|(name, ..)| name == file).map(|(.., bytes)| bytes);
            bytes.is_some_and(|bytes| fs::read(machine.path(file)).is_ok_and(|now| now == *bytes))
        };
        let is_fresh = index < KINDS.len() || machine.now != Machine::new(*kind).now;
        let has_changed = |question: &Question| {
            let authority =
                question.trusted.strip_prefix(machine.path("")).map(|path| path.display().to_string());
            let key = question.file.replace(".crt", ".key");
            is_fresh || !is_same(&question.file) || !is_same(&key) || authority.is_ok_and(|it| !is_same(&it))
        };
        asked.extend(questions(index, *kind, machine).into_iter().filter(has_changed));
    }
    let checks: Vec<_> = asked.iter().map(|question| (question.check(), question.key.as_deref())).collect();
    let mut refusals: Vec<(usize, &str, String)> = Vec::new();
    for (question, (answer, check)) in asked.iter().zip(go::verify(&checks).into_iter().zip(&checks)) {
        let both = [("Go", answer), ("OpenSSL", openssl::verify(&check.0))];
        refusals.extend(both.into_iter().filter_map(|(judge, answer)| {
            Some((question.machine, question.file.as_str(), format!("{judge}: {}", answer.err()?)))
        }));
    }
    for (index, (name, kind, machine)) in machines.iter().enumerate() {
        let is_about_kubeconfigs = index < KINDS.len() || name.contains("kubeconfig") || name.contains("key");
        if *kind == Kind::Worker || !is_about_kubeconfigs {
            continue;
        }
        let changed: Vec<_> =
            asked.iter().filter(|it| it.machine == index && it.file.ends_with(".conf")).collect();
        let mut files: Vec<_> = changed.iter().map(|question| question.file.as_str()).collect();
        files.dedup();
        for file in files {
            refusals.extend(
                kubectl_says(machine, file).err().map(|said| (index, file, format!("kubectl: {said}"))),
            );
        }
    }

    let mut wrong = Vec::new();
    for (index, (name, _, machine)) in machines.iter().enumerate() {
        let [(_, findings), _] = machine.audits();
        let errors: Vec<_> = findings.iter().filter(|it| it.severity() == Error).collect();
        let mut files: Vec<_> =
            asked.iter().filter(|it| it.machine == index).map(|it| it.file.as_str()).collect();
        files.sort_unstable();
        files.dedup();
        for file in files {
            let said: Vec<_> =
                refusals.iter().filter(|it| (it.0, it.1) == (index, file)).map(|it| it.2.as_str()).collect();
            let role = Role::all().find(|role| {
                let place =
                    |part| Layout::new("").path(*role, part).is_some_and(|path| path == Path::new(file));
                place(Part::Certificate) || place(Part::Kubeconfig)
            });
            let authority =
                role.and_then(Role::authority).and_then(|it| Layout::new("").path(it, Part::Certificate));
            let concerns = |it: &&&kubepki::Finding| {
                let key = file.replace(".crt", ".key");
                // A kubeconfig is judged by what the API server shows as well.
                let server = file.ends_with(".conf") && it.file().starts_with("pki/apiserver.crt");
                it.file() == file
                    || it.file() == key.as_str()
                    || Some(it.file()) == authority.as_deref()
                    || server
            };
            let errors: Vec<_> = errors.iter().filter(concerns).collect();
            let is_excused = |said: &str| {
                let mut stricter = STRICTER.iter();
                stricter.any(|(row, of, part, _)| {
                    row == name && file.contains(of) && said.starts_with("OpenSSL") && said.contains(part)
                })
            };
            let unexcused: Vec<_> = said.iter().filter(|said| !is_excused(said)).collect();
            if errors.is_empty() && !unexcused.is_empty() {
                wrong.push(format!("{name}: {file} is accepted, and refused: {unexcused:#?}"));
            }
            let own: Vec<_> = errors
                .iter()
                .filter(|it| it.file() != "pki/apiserver.crt" || file.ends_with(".crt"))
                .collect();
            let unseen = |it: &&&&&kubepki::Finding| !UNSEEN.iter().any(|(id, _)| *id == it.id());
            if said.is_empty() && own.iter().any(|it| unseen(&it)) {
                wrong.push(format!(
                    "{name}: {file} is refused, and no judge refuses it: {:?}",
                    own.iter().map(|it| it.id()).collect::<Vec<_>>()
                ));
            }
        }
    }
    assert!(asked.len() > 400, "{}", asked.len());
    for (row, file, part, _) in STRICTER {
        let is_used =
            refusals.iter().any(|it| machines[it.0].0 == *row && it.1.contains(file) && it.2.contains(part));
        let of_row: Vec<_> = refusals.iter().filter(|it| machines[it.0].0 == *row).collect();
        assert!(is_used, "{row}, {file}: nobody says {part}, but: {of_row:#?}");
    }
    assert!(wrong.is_empty(), "{} are wrong:\n\n{}", wrong.len(), wrong.join("\n\n"));
}
