//! The table of damages: what each does to a good machine, and exactly what an audit then says.

mod authorities;
mod certificates;
mod files;
mod kubeconfigs;

use std::collections::BTreeSet;
use std::os::unix::fs::symlink;

use kubepki::{FindingId, Severity};

use super::machine::{Forged, KINDS, Kind, Knowledge, Machine, Said, said};

/// One way to damage a machine.
pub(crate) struct Damage {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) damage: fn(&mut Machine),
    /// What is said with a description; the first is what the damage is about.
    pub(crate) described: Vec<Said>,
    /// What is said from the files alone, where that differs.
    pub(crate) inferred: Option<Vec<Said>>,
    pub(crate) mend: Mend,
}

/// How a damage is mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mend {
    /// By the plan alone.
    Plan,
    /// By somebody who puts these files back, or takes them away; the plan says what blocks it.
    Files(&'static [&'static str]),
    /// By setting the clock.
    Clock,
    /// Not at all: there is nothing to do.
    Nothing,
}

impl Damage {
    fn inferred(self, said: &[Said]) -> Self {
        Self { inferred: Some(said.to_vec()), ..self }
    }

    fn mend(self, mend: Mend) -> Self {
        Self { mend, ..self }
    }

    /// By putting these files back.
    fn by_hand(self, files: &'static [&'static str]) -> Self {
        self.mend(Mend::Files(files))
    }

    fn left_alone(self) -> Self {
        self.mend(Mend::Nothing)
    }

    fn by_clock(self) -> Self {
        self.mend(Mend::Clock)
    }

    pub(crate) fn said(&self, knowledge: Knowledge) -> BTreeSet<(FindingId, Severity, String)> {
        let said = match (knowledge, &self.inferred) {
            (Knowledge::Inferred, Some(said)) => said,
            _ => &self.described,
        };
        said.iter().map(|(id, severity, file)| (*id, *severity, (*file).to_owned())).collect()
    }

    /// A good machine, and the same one damaged.
    pub(crate) fn machine(&self) -> Machine {
        let mut machine = Machine::new(self.kind);
        (self.damage)(&mut machine);
        machine
    }
}

/// A damage of a control-plane node that the plan mends, unless it is said otherwise.
fn damage(name: &'static str, said: &[Said], damage: fn(&mut Machine)) -> Damage {
    on(Kind::ControlPlane, name, said, damage)
}

fn on(kind: Kind, name: &'static str, said: &[Said], damage: fn(&mut Machine)) -> Damage {
    Damage { name, kind, damage, described: said.to_vec(), inferred: None, mend: Mend::Plan }
}

/// The same finding about several files.
fn all(id: FindingId, severity: Severity, files: &[&[&'static str]]) -> Vec<Said> {
    files.iter().copied().flatten().map(|file| (id, severity, *file)).collect()
}

const OF_KUBERNETES: &[&str] = &["pki/apiserver.crt", "pki/apiserver-kubelet-client.crt"];
const OF_ETCD: &[&str] = &[
    "pki/apiserver-etcd-client.crt",
    "pki/etcd/server.crt",
    "pki/etcd/peer.crt",
    "pki/etcd/healthcheck-client.crt",
];
const OF_FRONT_PROXY: &[&str] = &["pki/front-proxy-client.crt"];
const AUTHORITIES: &[&str] = &["pki/ca.crt", "pki/etcd/ca.crt", "pki/front-proxy-ca.crt"];

/// Every damage, in the order of [`FindingId`].
pub(crate) fn damages() -> Vec<Damage> {
    [
        files::files(),
        files::contents(),
        authorities::pairs(),
        certificates::validity(),
        authorities::authorities(),
        certificates::usages(),
        certificates::names(),
        certificates::strength(),
        authorities::trust(),
        kubeconfigs::kubeconfigs(),
        files::modes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn expired(forged: &mut Forged) {
    (forged.from, forged.until) = ("20200101000000Z".into(), "20210101000000Z".into());
}

/// Has kubelet.conf name a certificate that the kubelet renews itself.
pub(crate) fn renewed_by_the_kubelet(machine: &mut Machine) {
    let dated = "/var/lib/kubelet/pki/kubelet-client-2026-11-22-09-00-00.pem";
    let current = "/var/lib/kubelet/pki/kubelet-client-current.pem";
    machine.kubeconfig("kubelet.conf", |it| {
        let user = &mut it.users[0].user;
        let (certificate, key) =
            (user.client_certificate_data.take().unwrap(), user.client_key_data.take().unwrap());
        machine.write(dated, [certificate, key.to_vec()].concat());
        (user.client_certificate, user.client_key) = (Some(current.into()), Some(current.into()));
    });
    symlink(dated, machine.path(current)).unwrap();
}

#[test]
fn a_good_machine_of_each_kind_has_no_findings() {
    for kind in KINDS {
        for (knowledge, findings) in Machine::new(kind).audits() {
            assert!(findings.is_empty(), "{kind:?}, {knowledge:?}:\n{findings}");
        }
    }
}

#[test]
fn each_damage_gives_its_findings_and_those_that_must_follow() {
    let mut wrong = Vec::new();
    for damage in damages() {
        let machine = damage.machine();
        for (knowledge, findings) in machine.audits() {
            let (found, expected) = (said(&findings), damage.said(knowledge));
            if found != expected {
                let missed: Vec<_> = expected.difference(&found).collect();
                wrong.push(format!("{}, {knowledge:?}: without {missed:?}:\n{findings}", damage.name));
            }
            for finding in &findings {
                let texts = [finding.expected(), finding.found(), finding.mend()];
                if texts.iter().any(|text| text.is_empty()) {
                    wrong.push(format!("{}: a text is empty: {finding:?}", damage.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} are wrong:\n\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn a_machine_mended_by_hand_has_no_findings() {
    for damage in damages() {
        let Mend::Files(files) = damage.mend else { continue };
        let mut machine = Machine::new(damage.kind);
        let before: Vec<_> = files
            .iter()
            .map(|file| (*file, machine.path(file).exists().then(|| machine.read(file))))
            .collect();
        (damage.damage)(&mut machine);
        for (file, bytes) in before {
            machine.clear(file);
            let Some(bytes) = bytes else { continue };
            machine.write(file, bytes);
            machine.mode(file, if file.ends_with(".crt") { 0o644 } else { 0o600 });
        }
        for (knowledge, findings) in machine.audits() {
            assert!(findings.is_empty(), "{}, {knowledge:?}:\n{findings}", damage.name);
        }
    }
}

#[test]
fn the_table_has_every_finding_in_every_severity() {
    let damages = damages();
    let said: BTreeSet<_> = damages
        .iter()
        .flat_map(|it| it.described.iter().chain(it.inferred.iter().flatten()))
        .map(|(id, severity, _)| (*id, *severity))
        .collect();
    let known: BTreeSet<_> =
        FindingId::all().flat_map(|id| id.severities().iter().map(move |severity| (id, *severity))).collect();
    assert_eq!(said, known);
}

#[test]
fn what_must_follow_from_a_finding_is_what_the_table_of_findings_says() {
    for damage in damages() {
        let first = damage.described[0].0;
        for (id, ..) in &damage.described {
            assert!(
                *id == first || first.brings().contains(id),
                "{}: {first} does not bring {id}",
                damage.name
            );
        }
    }
    for id in FindingId::all() {
        for brought in id.brings() {
            let shown = damages()
                .iter()
                .any(|it| it.described[0].0 == id && it.described.iter().any(|(it, ..)| it == brought));
            assert!(shown, "no damage shows that {id} brings {brought}");
        }
    }
}
