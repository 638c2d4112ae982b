//! What a plan changes and why, what it leaves, and what is on the disk afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as StdError;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use kubepki::kubeconfig::{Kubeconfig, NamedCluster, NamedUser, User};
use kubepki::{
    Action, AlternativeName, Authorities, Certificate, Cluster, Code, Credential, Expected, FindingId,
    Issuer, KeyAlgorithm, Layout, Node, Pki, Plan, Policy, PrivateKey, PublicKey, Reason, Role, Severity,
    Signer, Store, Time, ToSign, role,
};
use tempfile::TempDir;

use crate::judges::{Anchor, Check, Usage, go, openssl};
use crate::report::is_documented;
use crate::support::{authority, cluster, control_plane, fast_cluster, refused};

const DAY: Duration = Duration::from_secs(24 * 3600);

const PAIRS: [&str; 7] = [
    "pki/apiserver",
    "pki/apiserver-kubelet-client",
    "pki/apiserver-etcd-client",
    "pki/front-proxy-client",
    "pki/etcd/server",
    "pki/etcd/peer",
    "pki/etcd/healthcheck-client",
];
const KUBECONFIGS: [&str; 5] =
    ["kubelet.conf", "admin.conf", "super-admin.conf", "controller-manager.conf", "scheduler.conf"];

/// A control-plane node's directory, made at `now`.
struct Machine {
    directory: TempDir,
    now: Time,
}

impl Machine {
    fn new() -> Self {
        Self::of(&Pki::create(&fast_cluster(), &node(), Time::now()).unwrap())
    }

    fn of(pki: &Pki) -> Self {
        let directory = tempfile::tempdir().unwrap();
        pki.save(directory.path()).unwrap();
        Self { directory, now: Time::now() }
    }

    fn at(&self, file: &str) -> PathBuf {
        self.directory.path().join(file)
    }

    fn read(&self, file: &str) -> Vec<u8> {
        fs::read(self.at(file)).unwrap()
    }

    fn write(&self, file: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.at(file), bytes).unwrap();
    }

    fn certificates(&self, file: &str) -> Vec<Certificate> {
        match file.ends_with(".conf") {
            true => {
                let kubeconfig = self.kubeconfig(file);
                let user = kubeconfig.current_user().unwrap();
                Certificate::from_pem(user.client_certificate_data.as_ref().unwrap()).unwrap()
            }
            false => Certificate::from_pem(&self.read(file)).unwrap(),
        }
    }

    fn kubeconfig(&self, file: &str) -> Kubeconfig {
        Kubeconfig::from_yaml(&self.read(file)).unwrap()
    }

    fn change(&self, file: &str, change: impl FnOnce(&mut Kubeconfig)) {
        let mut kubeconfig = self.kubeconfig(file);
        change(&mut kubeconfig);
        self.write(file, kubeconfig.to_yaml().as_bytes());
    }

    fn load(&self) -> Pki {
        Pki::load(self.directory.path()).unwrap()
    }

    /// What is planned from the files alone.
    fn plan(&self, policy: &Policy, now: Time) -> Plan {
        let pki = self.load();
        pki.plan(pki.expected(), policy, now)
    }

    /// Plans, applies and commits; what was planned.
    fn carry_out(&self, expected: Option<&Expected>, policy: &Policy, now: Time) -> Plan {
        let store = Store::open(self.directory.path()).unwrap();
        let mut pki = store.load().unwrap();
        let plan = pki.plan(expected.unwrap_or(pki.expected()), policy, now);
        plan.clone().apply(&mut pki).unwrap();
        store.commit(&mut pki).unwrap();
        let is_asked = plan.steps().iter().any(|step| step.reasons().contains(&Reason::Asked));
        let policy = if is_asked { Policy::default() } else { policy.clone() };
        let again = pki.plan(expected.unwrap_or(pki.expected()), &policy, now);
        assert!(again.is_empty(), "{again}\nafter:\n{plan}");
        plan
    }

    fn renew(&self, expected: Option<&Expected>, policy: &Policy, now: Time) {
        _ = self.carry_out(expected, policy, now);
    }

    fn tree(&self) -> BTreeMap<String, Entry> {
        let mut found = BTreeMap::new();
        let mut waiting = vec![self.directory.path().to_owned()];
        while let Some(path) = waiting.pop() {
            let metadata = fs::symlink_metadata(&path).unwrap();
            if metadata.is_dir() {
                waiting.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
                continue;
            }
            let bytes = if metadata.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
            let name = path.strip_prefix(self.directory.path()).unwrap().display().to_string();
            let entry = Entry {
                inode: metadata.ino(),
                modified: (metadata.mtime(), metadata.mtime_nsec()),
                mode: metadata.mode(),
                owner: (metadata.uid(), metadata.gid()),
                bytes,
            };
            found.insert(name, entry);
        }
        found
    }

    /// The files that are not the same as in `before`.
    fn changed(&self, before: &BTreeMap<String, Entry>) -> Vec<String> {
        let after = self.tree();
        assert!(before.keys().all(|name| after.contains_key(name)), "a file is gone");
        let is_changed = |(name, entry): &(&String, &Entry)| before.get(*name) != Some(*entry);
        after.iter().filter(is_changed).map(|(name, _)| name.clone()).collect()
    }
}

/// What stands at a path, so that nothing changes unseen.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    inode: u64,
    modified: (i64, i64),
    mode: u32,
    owner: (u32, u32),
    bytes: Vec<u8>,
}

fn node() -> Node {
    control_plane("cp-1", "192.0.2.10")
}

fn later(now: Time, days: u32) -> Time {
    now.checked_add(DAY * days).unwrap()
}

fn policy() -> Policy {
    Policy::default()
}

fn planned(plan: &Plan) -> Vec<String> {
    let mut files: Vec<_> = plan.steps().iter().flat_map(|step| step.files()).map(shown).collect();
    files.sort();
    files
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Both files of each pair, and kubeconfigs.
fn leaves() -> Vec<String> {
    let pairs = PAIRS.iter().flat_map(|stem| [format!("{stem}.crt"), format!("{stem}.key")]);
    let mut leaves: Vec<_> = pairs.chain(KUBECONFIGS.map(str::to_owned)).collect();
    leaves.sort();
    leaves
}

struct Case {
    what: &'static str,
    damage: fn(&Machine),
    expected: Option<Expected>,
    policy: Policy,
    days_later: u32,
    /// None where a certificate ends soon.
    reasons: Vec<Reason>,
    files: Vec<String>,
}

impl Case {
    fn new(what: &'static str, reason: Reason, files: &[&str]) -> Self {
        let files = files.iter().map(|file| (*file).to_owned()).collect();
        let (reasons, policy) = (vec![reason], policy());
        Self { what, damage: |_| {}, expected: None, policy, days_later: 0, reasons, files }
    }

    fn ending(what: &'static str, days_left: u32, window: Duration, files: Vec<String>) -> Self {
        let (reasons, policy) = (Vec::new(), policy().within(window));
        Self { what, damage: |_| {}, expected: None, policy, days_later: 365 - days_left, reasons, files }
    }

    fn damage(self, damage: fn(&Machine)) -> Self {
        Self { damage, ..self }
    }

    fn described(self, cluster: &Cluster, node: &Node) -> Self {
        Self { expected: Some(Expected::new(cluster, node)), ..self }
    }
}

#[test]
fn each_reason_stands_with_the_files_that_it_is_about() {
    let peer = ["pki/etcd/peer.crt", "pki/etcd/peer.key"];
    let more_sans = node().san(Role::EtcdPeer, "peer.example".parse().unwrap());
    let p384 = fast_cluster().key_algorithm(KeyAlgorithm::EcdsaP384);
    // super-admin.conf is not described: it stays as it is.
    let described = leaves().into_iter().filter(|file| file != "super-admin.conf").collect();
    let mismatch = Reason::Finding(FindingId::KeyMismatch);
    let ended = Reason::Finding(FindingId::Expired);
    for case in [
        Case::new("a pair is absent", Reason::Absent, &peer).damage(|m| remove(m, "pki/etcd/peer")),
        Case::new("a key is absent", Reason::Absent, &peer)
            .damage(|m| fs::remove_file(m.at("pki/etcd/peer.key")).unwrap()),
        Case::new("a kubeconfig is absent", Reason::Absent, &["scheduler.conf"])
            .damage(|m| fs::remove_file(m.at("scheduler.conf")).unwrap()),
        Case::new("sa.pub is absent", Reason::Absent, &["pki/sa.pub"])
            .damage(|m| fs::remove_file(m.at("pki/sa.pub")).unwrap()),
        Case::ending("everything ends", 29, DAY * 30, leaves()),
        Case::ending("nothing ends yet", 31, DAY * 30, Vec::new()),
        Case::ending("a longer window", 59, DAY * 60, leaves()),
        Case::ending("a shorter window", 2, DAY, Vec::new()),
        Case { days_later: 366, files: leaves(), ..Case::new("everything has ended", ended, &[]) },
        Case::new("a name is new", Reason::SansChanged, &peer).described(&fast_cluster(), &more_sans),
        Case { files: described, ..Case::new("another algorithm", Reason::AlgorithmChanged, &[]) }
            .described(&p384, &node()),
        Case::new("another key", mismatch, &peer).damage(|m| {
            m.write("pki/etcd/peer.key", PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap().to_pem());
        }),
        Case {
            files: leaves(),
            policy: policy().all(),
            ..Case::new("all are asked for", Reason::Asked, &[])
        },
    ] {
        let Case { what, damage, expected, policy, days_later, reasons, files } = case;
        let machine = Machine::new();
        let now = later(machine.now, days_later);
        damage(&machine);
        let before = machine.tree();
        let plan = machine.carry_out(expected.as_ref(), &policy, now);
        assert_eq!(planned(&plan), files, "{what}\n{plan}");
        assert_eq!(machine.changed(&before), files, "{what}\n{plan}");
        assert_eq!(plan.blocked().count(), 0, "{what}\n{plan}");
        for step in plan.steps() {
            match (reasons.as_slice(), step.reasons()) {
                ([], [Reason::Expiring { at }]) => assert!(*at > now, "{what}\n{plan}"),
                (reasons, found) => assert_eq!(found, reasons, "{what}\n{plan}"),
            }
        }
    }
}

fn remove(machine: &Machine, stem: &str) {
    for end in ["crt", "key"] {
        fs::remove_file(machine.at(&format!("{stem}.{end}"))).unwrap();
    }
}

#[test]
fn a_name_in_the_description_issues_the_api_servers_certificate_alone_and_says_what_is_different() {
    let machine = Machine::new();
    let old = machine.certificates("pki/apiserver.crt").remove(0);
    let moved = control_plane("cp-1", "192.0.2.11").san(Role::ApiServer, "api.internal".parse().unwrap());
    let expected = Expected::new(&fast_cluster(), &moved);
    let pki = machine.load();
    let plan = pki.plan(&expected, &policy(), machine.now);
    let step = plan.steps().iter().find(|step| step.role() == Role::ApiServer).unwrap();
    let names = |names: &[AlternativeName]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(step.difference().added_sans()), ["DNS:api.internal", "IP:192.0.2.11"]);
    assert_eq!(names(step.difference().removed_sans()), ["IP:192.0.2.10"]);
    assert_eq!(step.difference().subjects(), None);
    let text = plan.to_string();
    for line in ["    because names are missing\n", "    - IP:192.0.2.10\n", "    + DNS:api.internal\n"] {
        assert!(text.contains(line), "{text}");
    }

    let san = node().san(Role::ApiServer, "api.internal".parse().unwrap());
    let before = machine.tree();
    machine.renew(Some(&Expected::new(&fast_cluster(), &san)), &policy(), machine.now);
    assert_eq!(machine.changed(&before), ["pki/apiserver.crt", "pki/apiserver.key"]);
    let new = machine.certificates("pki/apiserver.crt").remove(0);
    assert!(new.sans().contains(&AlternativeName::Dns("api.internal".to_owned())));
    assert_ne!(new.public_key(), old.public_key());
}

#[test]
fn a_subject_is_shown_as_it_was_and_as_it_becomes() {
    let machine = Machine::new();
    let authorities = Authorities::load(machine.directory.path()).unwrap();
    // Somebody gave the scheduler the controller manager's certificate.
    let other =
        authorities.issue(&role::ControllerManager::new(&fast_cluster()).profile(), machine.now).unwrap();
    machine.change("scheduler.conf", |kubeconfig| {
        kubeconfig.users[0].user = with_credential(&other);
    });
    let plan = machine.carry_out(None, &policy(), machine.now);
    let [step] = plan.steps() else { panic!("{plan}") };
    let (old, new) = step.difference().subjects().unwrap();
    assert_eq!(step.reasons(), [Reason::SubjectChanged]);
    assert_eq!(old.common_name(), Some("system:kube-controller-manager"));
    assert_eq!(new.common_name(), Some("system:kube-scheduler"));
    assert!(plan.to_string().contains("    - subject CN=system:kube-controller-manager\n"), "{plan}");
    assert_eq!(machine.certificates("scheduler.conf")[0].subject(), new);
}

#[test]
fn a_plan_is_json_as_its_documentation_says() {
    let machine = Machine::new();
    remove(&machine, "pki/etcd/ca");
    machine.change("scheduler.conf", |kubeconfig| {
        kubeconfig.clusters[0].cluster.server = "https://\"elsewhere\":6443".to_owned();
    });
    let pki = machine.load();
    let san = node().san(Role::ApiServer, "api.internal".parse().unwrap());
    let plan = pki.plan(&Expected::new(&fast_cluster(), &san), &policy(), machine.now);
    let json: serde_json::Value = serde_json::from_str(&plan.to_json()).unwrap();
    let documentation = include_str!("../docs/report.md");
    is_documented(documentation, "## Plans", &json);
    for (list, section) in [("steps", "Steps"), ("blocked", "What is blocked"), ("restarts", "Components")] {
        let listed = json[list].as_array().unwrap();
        assert!(!listed.is_empty());
        listed.iter().for_each(|it| is_documented(documentation, &format!("### {section}"), it));
    }
    assert_eq!((&json["version"], &json["at"]), (&1.into(), &machine.now.to_string().into()));

    let steps = json["steps"].as_array().unwrap();
    assert_eq!(steps.len(), plan.steps().len());
    let of = |role: Role| steps.iter().find(|step| step["role"] == role.id()).unwrap();
    let step = of(Role::ApiServer);
    assert_eq!(step["action"], "issue");
    assert_eq!(step["files"], serde_json::json!(["pki/apiserver.crt", "pki/apiserver.key"]));
    assert_eq!(step["reasons"], serde_json::json!(["sans-changed"]));
    assert_eq!(step["because"], serde_json::json!(["names are missing"]));
    assert_eq!(step["added_sans"], serde_json::json!(["DNS:api.internal"]));
    assert_eq!(
        (&step["shortened_from"], &step["new_subject"]),
        (&serde_json::Value::Null, &serde_json::Value::Null)
    );
    let step = of(Role::Scheduler);
    assert_eq!((&step["action"], &step["ends"]), (&"point-to".into(), &serde_json::Value::Null));
    assert_eq!(step["what"], "point to https://192.0.2.10:6443");

    let blocked = json["blocked"].as_array().unwrap();
    assert_eq!(blocked.len(), plan.blocked().count());
    assert!(blocked.iter().any(|it| it["file"] == "pki/etcd/ca.crt" && it["finding"] == "missing-file"));
    let restarts: Vec<_> = plan.restarts().iter().map(|effect| effect.component().to_owned()).collect();
    let components = json["restarts"].as_array().unwrap().iter().map(|effect| effect["component"].clone());
    assert_eq!(components.collect::<Vec<_>>(), restarts);
}

fn with_credential(credential: &Credential) -> User {
    User::with_certificate(credential.chain_pem(), credential.key().to_pem().as_bytes().to_vec())
}

#[test]
fn a_second_run_changes_no_byte() {
    let machine = Machine::new();
    let soon = later(machine.now, 350);
    assert!(!machine.carry_out(None, &policy(), soon).is_empty());
    for policy in [policy(), policy().within(DAY * 500), policy().within(DAY * 5000), policy().keep_keys()] {
        for now in [soon, soon.checked_add(Duration::from_secs(60)).unwrap()] {
            let before = machine.tree();
            let plan = machine.carry_out(None, &policy, now);
            assert!(plan.is_empty(), "{plan}");
            assert_eq!(plan.to_string(), "nothing to do\n");
            assert_eq!(machine.tree(), before);
        }
    }
    let before = machine.tree();
    machine.renew(None, &policy().all(), soon);
    assert_eq!(machine.changed(&before), leaves(), "no authority, and not sa.key");
}

#[test]
fn owners_groups_and_modes_stay() {
    let machine = Machine::new();
    let files = ["pki/apiserver.crt", "pki/apiserver.key", "scheduler.conf", "pki/etcd/peer.crt"];
    for (file, mode) in files.into_iter().zip([0o444, 0o400, 0o600, 0o640]) {
        fs::set_permissions(machine.at(file), Permissions::from_mode(mode)).unwrap();
        if fs::metadata("/proc/self").unwrap().uid() == 0 {
            chown(machine.at(file), Some(65534), Some(65533)).unwrap();
        }
    }
    let before = machine.tree();
    machine.renew(None, &policy().all(), machine.now);
    let after = machine.tree();
    for (file, old) in before {
        let new = &after[&file];
        assert_eq!((new.mode, new.owner), (old.mode, old.owner), "{file}");
    }
}

#[test]
fn a_mode_is_narrowed_and_the_key_stays() {
    for (file, wide, narrow) in [
        ("pki/apiserver.key", 0o644, 0o600),
        ("pki/ca.key", 0o640, 0o600),
        ("pki/sa.key", 0o666, 0o600),
        ("admin.conf", 0o660, 0o600),
        ("pki/ca.crt", 0o664, 0o644),
        ("pki/ca.crt", 0o666, 0o644),
        ("admin.conf", 0o666, 0o600),
        ("admin.conf", 0o622, 0o600),
        ("pki/etcd/peer.key", 0o642, 0o600),
        ("pki/etcd/peer.key", 0o440, 0o400),
    ] {
        let machine = Machine::new();
        fs::set_permissions(machine.at(file), Permissions::from_mode(wide)).unwrap();
        let bytes = machine.read(file);
        let before = machine.tree();
        let pki = machine.load();
        let findings = pki.audit(pki.expected(), machine.now);
        let hint = format!("let a plan make it {narrow:04o} (chmod)");
        assert!(!findings.is_empty() && findings.iter().all(|it| it.mend() == hint), "{findings}");
        let plan = machine.carry_out(None, &policy(), machine.now);
        let [step] = plan.steps() else { panic!("{plan}") };
        assert_eq!(*step.action(), Action::SetMode(narrow), "{file}");
        assert_eq!(machine.changed(&before), [file]);
        assert_eq!(machine.tree()[file].mode & 0o7777, narrow, "{file}");
        assert_eq!(machine.read(file), bytes);
        assert!(plan.restarts().is_empty() && plan.reloads().is_empty(), "{plan}");
    }
}

#[test]
fn what_stands_behind_the_pem_goes_and_everything_else_stays() {
    for file in ["pki/ca.crt", "pki/ca.key", "pki/sa.pub", "pki/apiserver.crt"] {
        let machine = Machine::new();
        let good = [b"a comment\n", machine.read(file).as_slice()].concat();
        for junk in ["junk\n", "\njunk", "\né"] {
            machine.write(file, [good.as_slice(), junk.as_bytes()].concat());
            let plan = machine.carry_out(None, &policy(), machine.now);
            let [step] = plan.steps() else { panic!("{file}\n{plan}") };
            assert_eq!(*step.action(), Action::CutTrailingData);
            assert_eq!(machine.read(file), good, "{file}");
        }
    }
}

#[test]
fn the_chain_behind_a_leaf_stays_where_nobody_else_knows_it() {
    let now = Time::now();
    let cluster = fast_cluster();
    let root =
        Issuer::self_signed(&role::RootCa::new(&cluster, "root".parse().unwrap()).profile(), now).unwrap();
    let middle = role::Intermediate::new(&cluster, "middle".parse().unwrap()).profile();
    let middle = root.intermediate(&middle, now).unwrap();
    let authorities = Authorities::create_under(&middle, &cluster, now).unwrap();
    let machine = Machine::of(&authorities.first(&cluster, &node(), now).unwrap());
    fs::remove_file(machine.at("pki/intermediate.crt")).unwrap();
    fs::remove_file(machine.at("pki/root-ca.crt")).unwrap();
    let old = machine.certificates("pki/apiserver.crt");
    assert_eq!(old.len(), 3);
    machine.renew(None, &policy().all(), now);
    let new = machine.certificates("pki/apiserver.crt");
    assert_ne!(new[0], old[0]);
    assert_eq!(new[1..], old[1..]);
    let (chain, trusted) = (machine.at("pki/apiserver.crt"), machine.at("root.crt"));
    fs::write(&trusted, root.certificate().to_pem()).unwrap();
    accepted(&chain, &trusted, Usage::Server);

    // What leads nowhere is replaced by what the authority knows.
    let stranger = Certificate::from_pem(authority().as_bytes()).unwrap().remove(0);
    machine.write("pki/apiserver.crt", new[0].to_pem() + &stranger.to_pem());
    machine.renew(None, &policy().all(), now);
    let chain = machine.certificates("pki/apiserver.crt");
    assert_eq!(chain[1..], machine.certificates("pki/ca.crt"));
}

/// Whether OpenSSL and Go accept a chain.
#[track_caller]
fn accepted(chain: &Path, trusted: &Path, usage: Usage) {
    let check = Check { chain, trusted, anchor: Anchor::Root, usage, name: None, at: None };
    openssl::verify(&check).unwrap();
    go::verify(&[(check, None)]).into_iter().for_each(|answer| answer.unwrap());
}

#[test]
fn of_a_kubeconfig_only_the_credential_changes() {
    let machine = Machine::new();
    let text = String::from_utf8(machine.read("admin.conf")).unwrap();
    let text = text.replace("kind: Config\n", "kind: Config\nfuture:\n- 1.5\n");
    let text = text.replace("  user:\n    client", "  user:\n    novel: \"1\"\n    client");
    machine.write("admin.conf", text);
    machine.change("admin.conf", |kubeconfig| {
        kubeconfig.users.insert(0, NamedUser::new("robot", User::with_token("secret")));
        let mut cluster = kubeconfig.clusters[0].cluster.clone();
        cluster.certificate_authority_data = Some(authority().into_bytes());
        kubeconfig.clusters.insert(0, NamedCluster::new("elsewhere", cluster));
        kubeconfig.clusters[1].cluster.tls_server_name = Some("kubernetes".to_owned());
        kubeconfig.preferences = Some(kubepki::kubeconfig::Fields::default());
    });
    let old = machine.kubeconfig("admin.conf");
    machine.renew(None, &policy().all(), machine.now);
    let mut new = machine.kubeconfig("admin.conf");
    let (was, is) = (&old.users[1].user, &new.users[1].user);
    assert_ne!(was.client_certificate_data, is.client_certificate_data);
    assert_ne!(was.client_key_data, is.client_key_data);
    new.users[1].user.client_certificate_data.clone_from(&was.client_certificate_data);
    new.users[1].user.client_key_data.clone_from(&was.client_key_data);
    assert_eq!(new, old);
    assert_eq!(new.other.names().collect::<Vec<_>>(), ["future"]);

    let key = old.users[1].user.client_key_data.clone();
    machine.change("admin.conf", |kubeconfig| kubeconfig.users[1].user.client_key_data = key);
    machine.change("admin.conf", |it| {
        it.users[1].user.client_certificate_data = was.client_certificate_data.clone()
    });
    machine.renew(None, &policy().all().keep_keys(), machine.now);
    let kept = machine.kubeconfig("admin.conf");
    assert_eq!(kept.users[1].user.client_key_data, was.client_key_data);
    assert_ne!(kept.users[1].user.client_certificate_data, was.client_certificate_data);
}

#[test]
fn a_damaged_kubeconfig_is_mended_and_what_else_it_holds_stays() {
    let machine = Machine::new();
    let bundle = String::from_utf8(machine.read("pki/ca.crt")).unwrap();
    type Damage = fn(&mut Kubeconfig);
    let damages: [(&str, Action, Damage); 7] = [
        ("another authority", Action::Trust, |it| {
            it.clusters[0].cluster.certificate_authority_data = Some(authority().into());
        }),
        ("garbage for an authority", Action::Trust, |it| {
            it.clusters[0].cluster.certificate_authority_data = Some(b"garbage".into());
        }),
        ("another server", Action::PointTo("https://192.0.2.10:6443".into()), |it| {
            it.clusters[0].cluster.server = "https://192.0.2.99:6443".into();
        }),
        ("a name that its server has not", Action::PointTo("https://192.0.2.10:6443".into()), |it| {
            it.clusters[0].cluster.tls_server_name = Some("other.example.com".into());
        }),
        ("nothing is verified", Action::Verify, |it| {
            it.clusters[0].cluster.insecure_skip_tls_verify = true;
            it.clusters[0].cluster.certificate_authority_data = None;
        }),
        ("no current context", Action::Issue, |it| it.current_context = String::new()),
        ("no credential", Action::Issue, |it| it.users[0].user = User::default()),
    ];
    for (what, action, damage) in damages {
        let good = machine.kubeconfig("scheduler.conf");
        machine.change("scheduler.conf", |it| {
            it.users.push(NamedUser::new("robot", User::with_token("secret")));
            damage(it);
        });
        let expected = Expected::new(&fast_cluster(), &node());
        let plan = machine.carry_out(Some(&expected), &policy(), machine.now);
        let [step] = plan.steps() else { panic!("{what}\n{plan}") };
        assert_eq!(*step.action(), action, "{what}");
        let mended = machine.kubeconfig("scheduler.conf");
        mended.check().unwrap();
        let cluster = mended.current_cluster().unwrap();
        assert_eq!(cluster, good.current_cluster().unwrap(), "{what}");
        assert_eq!(cluster.certificate_authority_data.as_deref(), Some(bundle.as_bytes()), "{what}");
        assert_eq!(mended.current_user() == good.current_user(), action != Action::Issue, "{what}");
        assert!(mended.users.iter().any(|user| user.name == "robot"), "{what}");
        machine.write("scheduler.conf", good.to_yaml().as_bytes());
    }
}

#[test]
fn a_kubeconfig_follows_its_server_in_the_same_plan() {
    let (endpoint, local) = ("https://api.example.com:6443", "https://192.0.2.10:6443");
    let (new_endpoint, new_local) = ("https://new.example.com:6443", "https://192.0.2.11:6443");
    let moved = fast_cluster().endpoint("new.example.com:6443".parse().unwrap());
    let all = policy().all();
    for (cluster, address, policy, endpoint, local) in [
        (&fast_cluster(), "192.0.2.10", &policy(), endpoint, local),
        (&fast_cluster(), "192.0.2.10", &all, endpoint, local),
        (&moved, "192.0.2.10", &policy(), new_endpoint, local),
        (&moved, "192.0.2.10", &all, new_endpoint, local),
        (&fast_cluster(), "192.0.2.11", &policy(), endpoint, new_local),
        (&moved, "192.0.2.11", &policy().keep_keys(), new_endpoint, new_local),
    ] {
        let machine = Machine::new();
        let expected = Expected::new(cluster, &control_plane("cp-1", address));
        let plan = machine.carry_out(Some(&expected), policy, machine.now);
        let servers = KUBECONFIGS.map(|file| machine.kubeconfig(file).clusters[0].cluster.server.clone());
        assert_eq!(servers, [endpoint, endpoint, endpoint, local, local], "{plan}");
        let findings = machine.load().audit(&expected, machine.now);
        assert_eq!(findings.worst(), None, "{findings}\nafter:\n{plan}");
    }
}

#[test]
fn a_server_that_people_put_into_a_kubeconfig_stays_while_its_certificate_names_it() {
    let with_name = node().san(Role::ApiServer, "lb.example.com".parse().unwrap());
    let machine = Machine::of(&Pki::create(&fast_cluster(), &with_name, Time::now()).unwrap());
    let server = || machine.kubeconfig("admin.conf").clusters[0].cluster.server.clone();
    machine.change("admin.conf", |it| it.clusters[0].cluster.server = "https://lb.example.com:6443".into());
    let expected = |node: &Node| Expected::new(&fast_cluster(), node);
    let plan = machine.carry_out(Some(&expected(&node())), &policy(), machine.now);
    assert!(plan.is_empty(), "{plan}");
    machine.renew(Some(&expected(&with_name)), &policy().all(), machine.now);
    machine.renew(None, &policy().all(), machine.now);
    assert_eq!(server(), "https://lb.example.com:6443");
    // The new certificate is without that name.
    let plan = machine.carry_out(Some(&expected(&node())), &policy().all(), machine.now);
    assert_eq!(server(), "https://api.example.com:6443", "{plan}");
}

#[test]
fn a_key_is_kept_if_it_is_good() {
    let machine = Machine::new();
    let before = machine.tree();
    let plan = machine.carry_out(None, &policy().all().keep_keys(), machine.now);
    let mut changed: Vec<_> = PAIRS.iter().map(|stem| format!("{stem}.crt")).collect();
    changed.extend(KUBECONFIGS.map(str::to_owned));
    changed.sort();
    assert_eq!(machine.changed(&before), changed);
    assert!(plan.steps().iter().all(|step| *step.action() == Action::IssueForSameKey), "{plan}");
    for stem in PAIRS {
        let key = PrivateKey::from_pem(&machine.read(&format!("{stem}.key"))).unwrap();
        assert_eq!(machine.certificates(&format!("{stem}.crt"))[0].public_key(), key.public_key());
    }

    // Another algorithm is asked for, it is weak, or it cannot be read.
    let p384 = Expected::new(&fast_cluster().key_algorithm(KeyAlgorithm::EcdsaP384), &node());
    let plan = machine.load().plan(&p384, &policy().keep_keys(), machine.now);
    assert!(plan.steps().iter().all(|step| *step.action() == Action::Issue), "{plan}");
    let weak = crate::support::openssl(&["genrsa", "-traditional", "1024"], b"").unwrap();
    for key in [weak.as_slice(), b"no key\n"] {
        machine.write("pki/apiserver.key", key);
        let plan = machine.carry_out(None, &policy().keep_keys(), machine.now);
        let [step] = plan.steps() else { panic!("{plan}") };
        assert_eq!(*step.action(), Action::Issue);
        let key = PrivateKey::from_pem(&machine.read("pki/apiserver.key")).unwrap();
        assert_eq!(key.public_key().algorithm(), Some(KeyAlgorithm::EcdsaP256));
    }
    // The key of another certificate is as good as any.
    machine.write("pki/apiserver.key", machine.read("pki/etcd/peer.key"));
    let before = machine.tree();
    machine.renew(None, &policy().keep_keys(), machine.now);
    assert_eq!(machine.changed(&before), ["pki/apiserver.crt"]);
}

#[test]
fn sa_pub_begins_with_the_public_half_of_sa_key_and_keeps_the_others() {
    let machine = Machine::new();
    let own = String::from_utf8(machine.read("pki/sa.pub")).unwrap();
    let old = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap().public_key().to_pem();
    machine.write("pki/sa.pub", &old);
    let sa_key = machine.read("pki/sa.key");
    let plan = machine.carry_out(None, &policy(), machine.now);
    assert_eq!(*plan.steps()[0].action(), Action::ListPublicKey);
    assert_eq!(String::from_utf8(machine.read("pki/sa.pub")).unwrap(), own + &old);
    assert_eq!(machine.read("pki/sa.key"), sa_key);
    assert_eq!(plan.restarts()[0].to_string(), "kube-apiserver (pki/sa.pub)");
}

#[test]
fn an_authority_is_renewed_for_its_key_and_what_it_has_issued_stays_valid() {
    let directory = tempfile::tempdir().unwrap();
    let stem = directory.path().join("own");
    let (certificate, key) = (stem.with_extension("crt"), stem.with_extension("key"));
    // A name out of order, names, a path length, a comment and a key identifier by SHA-1.
    let script = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 100 -sha256 \
        -multivalue-rdn -subj /O=bb+OU=a/CN=own -addext basicConstraints=critical,CA:TRUE,pathlen:3 \
        -addext keyUsage=critical,keyCertSign,cRLSign -addext subjectAltName=DNS:own,email:a@example.com \
        -addext nsComment=hello -keyout \"$1\" -out \"$0\"";
    let output = run(Command::new("sh").args(["-c", script]).arg(&certificate).arg(&key));
    assert!(output.status.success(), "{}", text(&output.stderr));
    let own = Issuer::load(&certificate, &key).unwrap();
    let now = Time::now();
    let [etcd, proxy] =
        [role::EtcdCa::new(&fast_cluster()).profile(), role::FrontProxyCa::new(&fast_cluster()).profile()]
            .map(|profile| Issuer::self_signed(&profile, now).unwrap());
    let service_account = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let all = [(Role::KubernetesCa, own.clone()), (Role::EtcdCa, etcd), (Role::FrontProxyCa, proxy)];
    let authorities = Authorities::from_issuers(all, service_account).unwrap();
    let machine = Machine::of(&authorities.first(&fast_cluster(), &node(), now).unwrap());
    let other = Certificate::from_pem(authority().as_bytes()).unwrap().remove(0);
    machine.write("pki/ca.crt", own.certificate().to_pem() + &other.to_pem());
    for file in KUBECONFIGS {
        machine.change(file, |it| {
            let bundle = other.to_pem() + &own.certificate().to_pem();
            it.clusters[0].cluster.certificate_authority_data = Some(bundle.into());
        });
    }

    let soon = later(machine.now, 80);
    let before = machine.tree();
    let plan = machine.carry_out(None, &policy(), soon);
    assert_eq!(*plan.steps()[0].action(), Action::RenewAuthority, "{plan}");
    assert!(matches!(plan.steps()[0].reasons(), [Reason::Expiring { .. }]));
    let mut changed: Vec<_> = ["pki/ca.crt".to_owned()].into();
    // What ended with the authority is issued again.
    changed
        .extend(leaves().into_iter().filter(|file| !file.contains("etcd") && !file.contains("front-proxy")));
    changed.sort();
    assert_eq!(machine.changed(&before), changed, "{plan}");

    let new = machine.certificates("pki/ca.crt");
    let old = own.certificate();
    assert_eq!((new.len(), &new[1]), (2, &other));
    assert_eq!(new[0].subject().der(), old.subject().der());
    assert_eq!(new[0].issuer().der(), old.subject().der());
    assert_eq!(new[0].public_key(), old.public_key());
    assert_eq!(new[0].subject_key_identifier(), old.subject_key_identifier());
    assert_eq!(new[0].sans(), old.sans());
    assert_eq!(new[0].path_length(), Some(3));
    assert_ne!(new[0].serial_number(), old.serial_number());
    assert!(openssl::text(&machine.at("pki/ca.crt")).contains("hello"));
    assert!(new[0].not_after() > later(soon, 3640));
    for file in KUBECONFIGS {
        let data =
            machine.kubeconfig(file).current_cluster().unwrap().certificate_authority_data.clone().unwrap();
        assert_eq!(Certificate::from_pem(&data).unwrap(), [other.clone(), new[0].clone()], "{file}");
        machine.kubeconfig(file).check().unwrap();
    }
    // The old leaf, and the new one, below the new authority alone.
    machine.write("old.crt", &before["pki/apiserver.crt"].bytes);
    machine.write("new-ca.crt", new[0].to_pem());
    let name = Some("kubernetes.default.svc");
    for (chain, at) in
        [("old.crt", soon), ("pki/apiserver.crt", soon), ("pki/apiserver.crt", later(soon, 300))]
    {
        let at = u64::try_from(at.unix()).ok();
        let (chain, trusted) = (machine.at(chain), machine.at("new-ca.crt"));
        let check =
            Check { chain: &chain, trusted: &trusted, anchor: Anchor::Root, usage: Usage::Server, name, at };
        openssl::verify(&check).unwrap();
        go::verify(&[(check, None)]).into_iter().for_each(|answer| answer.unwrap());
    }
}

#[test]
fn an_authority_that_may_not_sign_or_has_ended_is_renewed_if_its_key_is_here() {
    let machine = Machine::new();
    let ended = later(machine.now, 3700);
    let plan = machine.plan(&policy(), ended);
    assert!(
        plan.steps().iter().filter(|step| *step.action() == Action::RenewAuthority).count() == 3,
        "{plan}"
    );
    let before = machine.tree();
    for stem in ["pki/ca", "pki/etcd/ca", "pki/front-proxy-ca"] {
        fs::rename(machine.at(&format!("{stem}.key")), machine.at(&format!("{stem}.elsewhere"))).unwrap();
    }
    let plan = machine.plan(&policy(), ended);
    assert!(plan.is_empty(), "{plan}");
    let authorities: Vec<_> = plan.blocked().filter(|it| it.role().is_some_and(Role::is_authority)).collect();
    assert_eq!(authorities.len(), 3);
    for blocked in authorities {
        assert_eq!((blocked.finding(), blocked.severity()), (Some(FindingId::Expired), Severity::Error));
        assert_eq!(blocked.why(), "its key is elsewhere: renew it there, and put it here");
    }
    for stem in ["pki/ca", "pki/etcd/ca", "pki/front-proxy-ca"] {
        fs::rename(machine.at(&format!("{stem}.elsewhere")), machine.at(&format!("{stem}.key"))).unwrap();
    }
    machine.renew(None, &policy(), ended);
    assert_eq!(machine.changed(&before).len(), leaves().len() + 3);
}

#[test]
fn what_ends_with_its_authority_is_not_issued_again_and_again() {
    let now = Time::now();
    let cluster = fast_cluster().authority_lifetime(DAY * 40).leaf_lifetime(DAY * 365);
    let parent =
        Issuer::self_signed(&role::RootCa::new(&cluster, "root".parse().unwrap()).profile(), now).unwrap();
    let authorities = Authorities::create_under(&parent, &cluster, now).unwrap();
    let machine = Machine::of(&authorities.first(&cluster, &node(), now).unwrap());
    let soon = later(now, 20);
    let plan = machine.plan(&policy(), soon);
    assert!(plan.is_empty(), "{plan}");
    for role in [Role::KubernetesCa, Role::ApiServer, Role::Admin] {
        let blocked = plan.blocked().find(|blocked| blocked.role() == Some(role)).unwrap();
        let why = if role.is_authority() { "has to issue it again" } else { "its authority ends then" };
        assert!(blocked.why().contains(why), "{plan}");
        assert_eq!(blocked.severity(), Severity::Warning);
    }

    // Shortened, and said so.
    let machine = Machine::of(
        &Pki::create(&fast_cluster().authority_lifetime(DAY * 500).leaf_lifetime(DAY * 365), &node(), now)
            .unwrap(),
    );
    let plan = machine.carry_out(None, &policy(), later(now, 340));
    let step = plan.steps().iter().find(|step| step.role() == Role::Admin).unwrap();
    assert_eq!(step.ends(), Some(later(now, 500)));
    assert_eq!(step.shortened_from(), Some(later(now, 340 + 365)));
    assert_eq!(machine.certificates("admin.conf")[0].not_after(), later(now, 500));
    assert!(plan.to_string().contains(", when its authority ends\n"), "{plan}");
}

#[test]
fn a_certificate_keeps_its_lifetime_where_nothing_is_described() {
    let now = Time::now();
    let ninety = fast_cluster().authority_lifetime(DAY * 3650).leaf_lifetime(DAY * 90);
    let authorities = Authorities::create(&ninety, now.saturating_sub(DAY)).unwrap();
    let machine = Machine::of(&authorities.first(&ninety, &node(), now).unwrap());
    machine.renew(None, &policy().all(), now);
    assert_eq!(machine.certificates("pki/apiserver.crt")[0].not_after(), later(now, 90));
    machine.renew(Some(&Expected::new(&fast_cluster(), &node())), &policy().all(), now);
    assert_eq!(machine.certificates("pki/apiserver.crt")[0].not_after(), later(now, 365));

    // Old kubeadm let leaves begin with their authority: they seem to last longer than they were made for.
    for (days, renewed) in [(90, 90), (1000, 365)] {
        let cluster = fast_cluster().authority_lifetime(DAY * 3650).leaf_lifetime(DAY * days);
        let machine = Machine::of(&Pki::create(&cluster, &node(), now).unwrap());
        machine.renew(None, &policy().all(), now);
        assert_eq!(machine.certificates("pki/apiserver.crt")[0].not_after(), later(now, renewed));
    }
}

/// A signer whose key is elsewhere, and which may be out of order.
struct Elsewhere {
    key: PrivateKey,
    works: bool,
}

impl Signer for Elsewhere {
    fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }

    fn sign(&self, what: &ToSign<'_>) -> Result<Vec<u8>, Box<dyn StdError + Send + Sync>> {
        if self.works { self.key.sign(what) } else { Err("out of order".into()) }
    }
}

#[test]
fn without_the_authoritys_key_a_step_is_blocked_until_a_signer_is_attached() {
    let machine = Machine::new();
    let key = machine.read("pki/ca.key");
    fs::remove_file(machine.at("pki/ca.key")).unwrap();
    remove(&machine, "pki/apiserver");
    let expected = Expected::new(&fast_cluster(), &node()).external(Role::KubernetesCa);
    let plan = machine.load().plan(&expected, &policy(), machine.now);
    assert!(plan.is_empty(), "{plan}");
    let blocked: Vec<_> = plan.blocked().collect();
    assert_eq!(blocked.len(), 2, "{plan}");
    for blocked in blocked {
        assert_eq!(
            (blocked.role(), blocked.finding()),
            (Some(Role::ApiServer), Some(FindingId::MissingFile))
        );
        assert!(blocked.why().contains("attach a signer"), "{plan}");
    }

    for works in [false, true] {
        let key = PrivateKey::from_pem(&key).unwrap();
        let store = Store::open(machine.directory.path()).unwrap();
        let mut pki = store.load().unwrap();
        pki.attach(Role::KubernetesCa, Arc::new(Elsewhere { key, works })).unwrap();
        let plan = pki.plan(&expected, &policy().all(), machine.now);
        assert_eq!(planned(&plan), leaves());
        let before: Vec<_> = pki.files().cloned().collect();
        let result = plan.apply(&mut pki);
        if works {
            result.unwrap();
            store.commit(&mut pki).unwrap();
            // The signer is still there.
            pki.plan(pki.expected(), &policy().all(), machine.now).apply(&mut pki).unwrap();
        } else {
            refused(result, Code::Signer, &["out of order"]);
            assert!(pki.files().eq(&before), "all steps or none");
        }
    }
    accepted(&machine.at("pki/apiserver.crt"), &machine.at("pki/ca.crt"), Usage::Server);
}

#[test]
fn an_empty_or_damaged_directory_grows_no_second_cluster() {
    let empty = tempfile::tempdir().unwrap();
    let pki = Pki::load(empty.path()).unwrap();
    let plan = pki.plan(&Expected::new(&fast_cluster(), &node()), &policy().all(), Time::now());
    assert!(plan.is_empty(), "{plan}");
    let (errors, others): (Vec<_>, Vec<_>) =
        plan.blocked().partition(|blocked| blocked.severity() == Severity::Error);
    let others: Vec<_> = others.iter().map(|blocked| shown(blocked.file())).collect();
    assert!(errors.len() > 20, "{plan}");
    assert_eq!(others, ["pki/etcd/ca.key", "pki/front-proxy-ca.key"]);

    for file in ["pki/ca.crt", "pki/etcd/ca.crt", "pki/front-proxy-ca.crt", "pki/sa.key"] {
        for damage in [None, Some("")] {
            let machine = Machine::new();
            match damage {
                None => fs::remove_file(machine.at(file)).unwrap(),
                Some(text) => machine.write(file, text),
            }
            let expected = Expected::new(&fast_cluster(), &node());
            let plan = machine.carry_out(Some(&expected), &policy(), machine.now);
            assert!(plan.is_empty(), "{plan}");
            assert!(plan.blocked().any(|it| it.file() == Path::new(file)), "{file}\n{plan}");
            assert_eq!(machine.at(file).exists(), damage.is_some());
        }
    }
}

#[test]
fn links_unreadable_files_and_what_is_the_kubelets_own_are_never_written() {
    let machine = Machine::new();
    let kubelet = machine.at("kubelet");
    fs::create_dir(&kubelet).unwrap();
    let (dated, current) = (kubelet.join("dated.pem"), kubelet.join("current.pem"));
    machine.change("kubelet.conf", |it| {
        let user = &mut it.users[0].user;
        let certificate = user.client_certificate_data.take().unwrap();
        fs::write(&dated, [certificate, user.client_key_data.take().unwrap().to_vec()].concat()).unwrap();
        user.client_certificate = Some(current.display().to_string());
        user.client_key = Some(current.display().to_string());
    });
    fs::set_permissions(&dated, Permissions::from_mode(0o600)).unwrap();
    symlink("dated.pem", &current).unwrap();
    fs::rename(machine.at("pki/apiserver.crt"), machine.at("apiserver.real")).unwrap();
    symlink("../apiserver.real", machine.at("pki/apiserver.crt")).unwrap();
    fs::remove_file(machine.at("pki/etcd/peer.key")).unwrap();
    fs::create_dir(machine.at("pki/etcd/peer.key")).unwrap();
    machine.write("pki/mine.crt", "mine");

    let before = machine.tree();
    let ended = later(machine.now, 366);
    let plan = machine.carry_out(None, &policy().all(), ended);
    let written = machine.changed(&before);
    let spared = ["kubelet.conf", "pki/apiserver", "pki/etcd/peer"];
    let is_spared = |file: &String| {
        spared.iter().any(|spared| file == spared || file.rsplit_once('.').unwrap().0 == *spared)
    };
    let expected: Vec<_> = leaves().into_iter().filter(|file| !is_spared(file)).collect();
    assert_eq!(written, expected, "{plan}");
    for (file, why) in [
        ("pki/apiserver.crt", "is a symbolic link to ../apiserver.real"),
        ("pki/etcd/peer.crt", "pki/etcd/peer.key cannot be read"),
        (
            current.strip_prefix(machine.directory.path()).unwrap().to_str().unwrap(),
            "whoever wrote it renews it",
        ),
    ] {
        let blocked = plan
            .blocked()
            .find(|it| it.file() == Path::new(file))
            .unwrap_or_else(|| panic!("{file}\n{plan}"));
        assert!(blocked.why().contains(why), "{plan}");
        assert_eq!(blocked.severity(), Severity::Error);
    }
}

#[test]
fn the_authority_in_a_kubelets_own_kubeconfig_is_renewed_and_its_certificate_left() {
    let machine = Machine::new();
    let pem = machine.at("current.pem");
    machine.change("kubelet.conf", |it| {
        let user = &mut it.users[0].user;
        let certificate = user.client_certificate_data.take().unwrap();
        fs::write(&pem, [certificate, user.client_key_data.take().unwrap().to_vec()].concat()).unwrap();
        user.client_certificate = Some(pem.display().to_string());
        user.client_key = Some(pem.display().to_string());
    });
    let before = machine.kubeconfig("kubelet.conf");
    machine.renew(None, &policy(), later(machine.now, 3700));
    let after = machine.kubeconfig("kubelet.conf");
    assert_eq!(after.users, before.users);
    let data = after.current_cluster().unwrap().certificate_authority_data.clone().unwrap();
    assert_eq!(data, machine.read("pki/ca.crt"));
}

#[test]
fn a_plan_applies_to_nothing_but_what_it_was_made_from() {
    let (machine, other) = (Machine::new(), Machine::new());
    let mut pki = machine.load();
    let plan = pki.plan(pki.expected(), &policy().all(), machine.now);
    refused(plan.clone().apply(&mut other.load()), Code::Changed, &["plan again"]);
    let copy = tempfile::tempdir().unwrap();
    pki.save(copy.path()).unwrap();
    refused(plan.clone().apply(&mut Pki::load(copy.path()).unwrap()), Code::Changed, &[]);
    plan.clone().apply(&mut pki).unwrap();
    let applied: Vec<_> = pki.files().cloned().collect();
    refused(plan.apply(&mut pki), Code::Changed, &[]);
    assert!(pki.files().eq(&applied));
}

#[test]
fn of_two_threads_that_commit_to_one_store_the_second_is_refused() {
    for _ in 0..8 {
        let machine = Machine::new();
        let store = Store::open(machine.directory.path()).unwrap();
        let planned = || {
            let mut pki = store.load().unwrap();
            pki.plan(pki.expected(), &policy().all(), machine.now).apply(&mut pki).unwrap();
            pki
        };
        let both = [planned(), planned()];
        let results = std::thread::scope(|scope| {
            let commit = |mut pki: Pki| {
                scope.spawn({
                    let store = &store;
                    move || store.commit(&mut pki)
                })
            };
            both.map(commit).map(|thread| thread.join().unwrap())
        });
        let refused: Vec<_> = results.into_iter().filter_map(Result::err).map(|error| error.code()).collect();
        assert_eq!(refused, [Code::Changed]);
        let pki = store.load().unwrap();
        assert!(pki.audit(pki.expected(), machine.now).worst() < Some(kubepki::Severity::Error));
    }
}

#[test]
fn nothing_is_written_where_somebody_else_has_changed_a_file() {
    let changes: [fn(&Machine); 4] = [
        |machine| machine.write("pki/etcd/peer.key", "mine"),
        |machine| fs::set_permissions(machine.at("scheduler.conf"), Permissions::from_mode(0o400)).unwrap(),
        |machine| fs::remove_file(machine.at("pki/apiserver.crt")).unwrap(),
        |machine| {
            fs::rename(machine.at("admin.conf"), machine.at("admin.real")).unwrap();
            symlink("admin.real", machine.at("admin.conf")).unwrap();
        },
    ];
    for change in changes {
        let machine = Machine::new();
        let store = Store::open(machine.directory.path()).unwrap();
        let mut pki = store.load().unwrap();
        pki.plan(pki.expected(), &policy().all(), machine.now).apply(&mut pki).unwrap();
        change(&machine);
        let before = machine.tree();
        refused(store.commit(&mut pki), Code::Changed, &[]);
        assert_eq!(machine.tree(), before);
    }
    let machine = Machine::new();
    fs::remove_file(machine.at("scheduler.conf")).unwrap();
    let store = Store::open(machine.directory.path()).unwrap();
    let mut pki = store.load().unwrap();
    pki.plan(pki.expected(), &policy().all(), machine.now).apply(&mut pki).unwrap();
    machine.write("scheduler.conf", "mine");
    let before = machine.tree();
    refused(store.commit(&mut pki), Code::Exists, &["scheduler.conf"]);
    assert_eq!(machine.tree(), before);
}

#[test]
fn only_a_directory_can_be_opened() {
    let machine = Machine::new();
    machine.write("file", "mine");
    refused(Store::open(machine.at("file")), Code::Io, &["file: cannot make this directory: "]);
    refused(Store::open(machine.at("file/kubernetes")), Code::Io, &["cannot make this directory: "]);
}

#[test]
fn one_at_a_time_changes_a_directory() {
    let machine = Machine::new();
    let store = Store::open(machine.directory.path()).unwrap();
    refused(Store::open(machine.directory.path()), Code::Locked, &["another process"]);
    let output = run(renew_pki(&machine).arg("--all"));
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("another process"), "{}", text(&output.stderr));
    drop(store);
    Store::open(machine.directory.path()).unwrap();
}

#[test]
fn components_restart_or_reload_by_what_they_read() {
    let machine = Machine::new();
    let said = |damage: &dyn Fn(&Machine)| {
        let machine = Machine::new();
        damage(&machine);
        let expected = Expected::new(&fast_cluster(), &node());
        let plan = machine.load().plan(&expected, &policy(), machine.now);
        assert_eq!(plan.steps().len(), 1, "{plan}");
        let names = |effects: &[kubepki::Effect]| {
            effects.iter().map(|effect| effect.component().to_owned()).collect::<Vec<_>>().join(" ")
        };
        (names(plan.reloads()), names(plan.restarts()))
    };
    for (stem, reloads, restarts) in [
        ("pki/apiserver", "kube-apiserver", ""),
        ("pki/apiserver-kubelet-client", "kube-apiserver", ""),
        ("pki/apiserver-etcd-client", "kube-apiserver", ""),
        ("pki/front-proxy-client", "kube-apiserver", ""),
        ("pki/etcd/server", "etcd", ""),
        ("pki/etcd/peer", "etcd", ""),
        ("pki/etcd/healthcheck-client", "", ""),
    ] {
        let found = said(&|machine| remove(machine, stem));
        assert_eq!(found, (reloads.to_owned(), restarts.to_owned()), "{stem}");
    }
    for (file, restarts) in [
        ("scheduler.conf", "kube-scheduler"),
        ("controller-manager.conf", "kube-controller-manager"),
        ("kubelet.conf", "kubelet"),
        ("admin.conf", ""),
        ("pki/sa.pub", "kube-apiserver"),
    ] {
        let found = said(&|machine| fs::remove_file(machine.at(file)).unwrap());
        assert_eq!(found, (String::new(), restarts.to_owned()), "{file}");
    }
    // root-ca-file, the kubeconfigs and etcd's authority are read once.
    let plan = machine.plan(&policy(), later(machine.now, 3700));
    let restarts: Vec<_> = plan.restarts().iter().map(kubepki::Effect::component).collect();
    assert_eq!(restarts, ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "etcd"]);
    assert!(plan.reloads().is_empty(), "{plan}");
    assert!(plan.to_string().contains("restart: kube-apiserver (pki/etcd/ca.crt)\n"), "{plan}");
}

fn renew_pki(machine: &Machine) -> Command {
    let mut command = Command::new(example());
    command.arg(machine.directory.path());
    command
}

/// The example, which `cargo test` has built beside the tests.
fn example() -> PathBuf {
    let target = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().to_owned();
    let program = target.join("examples/renew_pki");
    assert!(program.exists(), "{} is missing: cargo build --examples", program.display());
    program
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn renew_pki_says_what_it_does_and_how_it_went() {
    let machine = Machine::new();
    let soon = later(machine.now, 340).to_string();
    let before = machine.tree();
    for (arguments, code, said) in [
        (&[][..], 0, "nothing to do\n"),
        (&["--within", "20", "--at", &soon], 0, "nothing to do\n"),
        (&["--dry-run", "--at", &soon], 0, "because it ends at "),
        (&["--dry-run", "--all", "--keep-keys"], 0, "issue for the same key"),
        (&["--dry-run", "--algorithm", "ecdsa-p256", "--san", "a.example"], 0, "    + DNS:a.example\n"),
    ] {
        let output = run(renew_pki(&machine).args(arguments));
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", text(&output.stderr));
        assert!(text(&output.stdout).contains(said), "{arguments:?}: {}", text(&output.stdout));
        assert_eq!(machine.tree(), before, "{arguments:?}");
    }
    let output = run(renew_pki(&machine).args(["--at", &soon]));
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "nothing was changed, because of --at\n");
    assert!(text(&output.stdout).contains("because it ends at "), "{}", text(&output.stdout));
    assert_eq!(machine.tree(), before);
    let output = run(renew_pki(&machine).arg("--all"));
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(machine.changed(&before), leaves());

    fs::remove_file(machine.at("pki/ca.key")).unwrap();
    fs::remove_file(machine.at("pki/apiserver.key")).unwrap();
    let output = run(&mut renew_pki(&machine));
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stdout);
    assert!(
        said.starts_with("blocked:\n  pki/apiserver.key: missing-file: the key of kubernetes-ca"),
        "{said}"
    );
}

#[test]
fn renew_pki_fails_when_what_is_due_or_asked_for_is_blocked_and_not_for_what_is_neither() {
    let machine = Machine::new();
    fs::remove_file(machine.at("pki/ca.key")).unwrap();
    let soon = later(machine.now, 340).to_string();
    for (arguments, code) in
        [(&[][..], 0), (&["--all"], 1), (&["--at", &soon], 1), (&["--at", &soon, "--within", "20"], 0)]
    {
        let output = run(renew_pki(&machine).args(arguments).arg("--dry-run"));
        let said = text(&output.stdout);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert_eq!(said.contains("blocked:\n"), code == 1, "{arguments:?}: {said}");
    }
}

#[test]
fn renew_pki_says_why_it_leaves_what_ends_soon() {
    let machine = Machine::new();
    for (days, said) in [
        ("300", "nothing to do\n"),
        (
            "400",
            "nothing to do\n12 certificates end within 400 days, but new ones would hardly last longer\n",
        ),
    ] {
        let output = run(renew_pki(&machine).args(["--within", days]));
        assert_eq!((output.status.code(), &*text(&output.stdout)), (Some(0), said));
    }
}

#[test]
fn renew_pki_says_that_nothing_was_changed_when_a_file_cannot_be_written() {
    let machine = Machine::new();
    let before = machine.tree();
    // Room for the lock, none for a file.
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -f 0; trap '' XFSZ; exec \"$0\" \"$@\" 2>&1 | cat"]).arg(example());
    let output = run(command.arg(machine.directory.path()).arg("--all"));
    assert!(text(&output.stdout).contains("\nerror: nothing was changed: "), "{}", text(&output.stdout));
    assert_eq!(machine.tree(), before);
}

/// Options change what they say and nothing else: what they do not say, the files tell.
#[test]
fn renew_pki_with_an_option_changes_what_it_says_and_drops_no_name() {
    let machine = |cluster: Cluster, node: Node| {
        Machine::of(
            &Pki::create(&cluster.key_algorithm(KeyAlgorithm::EcdsaP256), &node, Time::now()).unwrap(),
        )
    };
    let kubeadm = || cluster(KeyAlgorithm::EcdsaP256, kubepki::Convention::Kubeadm);
    let named = || node().san(Role::ApiServer, "old.example.com".parse().unwrap());
    let local = || control_plane("first", "127.0.0.1");
    let at_home = || Cluster::new("127.0.0.1:6443".parse().unwrap());
    for (machine, node_name) in [
        (machine(kubeadm(), named().bind_port(7443)), "cp-1"),
        (machine(kubeadm().kubernetes_version("1.36".parse().unwrap()), named()), "cp-1"),
        (machine(fast_cluster().service_subnets(["172.20.0.0/16".parse().unwrap()]), named()), "cp-1"),
        (machine(fast_cluster().service_subnets(["fd00:1::/108".parse().unwrap()]), named()), "cp-1"),
        (machine(fast_cluster().dns_domain("k8s.example".parse().unwrap()), node()), "cp-1"),
        (
            machine(fast_cluster().name("prod".parse().unwrap()).etcd(kubepki::Etcd::Dedicated), node()),
            "cp-1",
        ),
        (machine(at_home(), local()), "first"),
        (machine(at_home().convention(kubepki::Convention::Kubeadm), local()), "first"),
    ] {
        let before = machine.tree();
        let old = machine.certificates("pki/apiserver.crt").remove(0);
        let output = run(renew_pki(&machine).args(["--san", "new.example.com"]));
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let said = text(&output.stdout);
        assert_eq!(machine.changed(&before), ["pki/apiserver.crt", "pki/apiserver.key"], "{said}");
        let new = machine.certificates("pki/apiserver.crt").remove(0);
        let added = AlternativeName::Dns("new.example.com".to_owned());
        let names: BTreeSet<_> = old.sans().iter().cloned().chain([added]).collect();
        assert_eq!(new.sans().iter().cloned().collect::<BTreeSet<_>>(), names, "{said}");
        assert!(new.sans().contains(&AlternativeName::Dns(node_name.to_owned())));
        let again = run(renew_pki(&machine).args(["--san", "new.example.com"]));
        assert_eq!(text(&again.stdout), "nothing to do\n");
    }
}

#[test]
fn what_the_clusters_authority_has_not_signed_gives_renew_pki_no_name() {
    let machine = Machine::new();
    let node = node().san(Role::ApiServer, "evil.example.com".parse().unwrap());
    let other = Machine::of(&Pki::create(&fast_cluster(), &node, Time::now()).unwrap());
    for file in ["pki/apiserver.crt", "pki/apiserver.key"] {
        machine.write(file, other.read(file));
    }
    let output = run(renew_pki(&machine).args(["--san", "new.example.com"]));
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let sans = machine.certificates("pki/apiserver.crt")[0].sans().to_vec();
    let has = |name: &str| sans.contains(&AlternativeName::Dns(name.to_owned()));
    assert!(has("new.example.com") && has("api.example.com") && !has("evil.example.com"), "{sans:?}");
}

#[test]
fn renew_pki_that_cannot_look_makes_nothing_and_says_so() {
    let parent = tempfile::tempdir().unwrap();
    let missing = parent.path().join("kubernetes");
    let missing = missing.to_str().unwrap();
    for (arguments, said) in [
        (&[missing][..], "No such file"),
        (&[missing, "--dry-run"], "No such file"),
        (&[], "DIR is missing"),
        (&["a", "b"], "\"b\""),
        (&["a", "--within", "soon"], "--within \"soon\": "),
        (&["a", "--at", "tomorrow"], "--at \"tomorrow\": "),
        (&["a", "--nodes", "b"], "--nodes"),
    ] {
        let output = run(Command::new(example()).args(arguments).current_dir(parent.path()));
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(said), "{arguments:?}: {}", text(&output.stderr));
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0, "{arguments:?}");
    }
}

#[test]
fn a_link_to_a_directory_leads_no_write_out_of_the_root() {
    let (root, host) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let pki = Pki::create(&fast_cluster(), &node(), Time::now()).unwrap();
    pki.save(host.path()).unwrap();
    // The same place as seen from within the root: a backup of the machine that has it.
    let inside = root.path().join(host.path().strip_prefix("/").unwrap());
    pki.save(&inside).unwrap();
    fs::create_dir_all(root.path().join("etc")).unwrap();
    symlink(host.path(), root.path().join("etc/kubernetes")).unwrap();
    let layout = Layout::new("/etc/kubernetes").root(root.path());
    let file = "pki/apiserver.crt";
    let old = fs::read(host.path().join(file)).unwrap();
    fs::remove_file(inside.join("scheduler.conf")).unwrap();
    fs::remove_file(host.path().join("scheduler.conf")).unwrap();
    fs::write(host.path().join("pki/of-the-host.txt"), "").unwrap();

    let store = Store::open(layout.clone()).unwrap();
    let mut pki = store.load().unwrap();
    assert!(!pki.audit(pki.expected(), Time::now()).iter().any(|it| it.id() == FindingId::UnknownFile));
    pki.plan(pki.expected(), &Policy::default().all(), Time::now()).apply(&mut pki).unwrap();
    store.commit(&mut pki).unwrap();
    assert_eq!(fs::read(host.path().join(file)).unwrap(), old);
    assert_ne!(fs::read(inside.join(file)).unwrap(), old);
    assert!(inside.join("scheduler.conf").is_file() && !host.path().join("scheduler.conf").exists());
}

#[test]
fn a_plan_shows_no_control_characters() {
    let machine = Machine::new();
    let target = machine.at("pki/\u{1b}[31m.crt");
    fs::rename(machine.at("pki/apiserver.crt"), &target).unwrap();
    symlink(&target, machine.at("pki/apiserver.crt")).unwrap();
    let mut kubeconfig = machine.kubeconfig("scheduler.conf");
    kubeconfig.users[0].user.client_certificate_data = None;
    kubeconfig.users[0].user.client_certificate = Some("/nowhere/\u{1b}[31m".to_owned());
    machine.write("scheduler.conf", kubeconfig.to_yaml().as_bytes());
    let pki = Pki::load(machine.directory.path()).unwrap();
    let shown = pki.plan(pki.expected(), &Policy::default().all(), machine.now).to_string();
    assert_eq!(shown.matches("\\u{1b}[31m").count(), 2, "{shown}");
    assert!(!shown.contains('\u{1b}'), "{shown}");
}

#[test]
fn a_kubeconfig_that_trusts_what_the_authority_was_is_told_when_that_has_expired() {
    let cluster = fast_cluster().authority_lifetime(DAY * 100).leaf_lifetime(DAY * 90);
    let machine = Machine::of(&Pki::create(&cluster, &node(), Time::now()).unwrap());
    let old = machine.read("pki/ca.crt");
    let at = |days| machine.now.checked_add(DAY * days).unwrap();
    let store = Store::open(machine.directory.path()).unwrap();
    let mut pki = store.load().unwrap();
    pki.plan(pki.expected(), &Policy::default(), at(80)).apply(&mut pki).unwrap();
    store.commit(&mut pki).unwrap();
    let mut kubeconfig = machine.kubeconfig("scheduler.conf");
    kubeconfig.clusters[0].cluster.certificate_authority_data = Some(old);
    machine.write("scheduler.conf", kubeconfig.to_yaml().as_bytes());

    let mut pki = store.load().unwrap();
    assert!(!pki.audit(pki.expected(), at(95)).iter().any(|it| it.severity() == Severity::Error));
    let errors = |pki: &Pki| -> Vec<_> {
        let findings = pki.audit(pki.expected(), at(105));
        let errors = findings.iter().filter(|it| it.severity() == Severity::Error);
        errors.map(|it| (it.id(), it.file().to_owned())).collect()
    };
    assert_eq!(errors(&pki), [(FindingId::KubeconfigAuthorityMismatch, PathBuf::from("scheduler.conf"))]);
    pki.plan(pki.expected(), &Policy::default(), at(105)).apply(&mut pki).unwrap();
    assert!(errors(&pki).is_empty());
}

/// Issues apiserver.crt again with OpenSSL, `ca.crt` and `ca.key` beside being the authority that `script` makes.
fn signed_elsewhere(machine: &Machine, script: &str) {
    const ISSUE: &str = "
        printf '%s\\n' keyUsage=critical,digitalSignature,keyEncipherment extendedKeyUsage=serverAuth \
            \"subjectAltName=$names\" >ext
        openssl req -new -key \"$pki/apiserver.key\" -subj /CN=kube-apiserver -out csr
        openssl x509 -req -in csr -CA other.crt -CAkey other.key -set_serial 77 -days 90 -extfile ext -out leaf.crt";
    let names: Vec<_> = machine.certificates("pki/apiserver.crt")[0]
        .sans()
        .iter()
        .map(|name| match name {
            AlternativeName::Ip(address) => format!("IP:{address}"),
            other => other.to_string(),
        })
        .collect();
    let place = tempfile::tempdir().unwrap();
    let mut command = Command::new("sh");
    command.current_dir(place.path()).env("pki", machine.at("pki")).env("names", names.join(","));
    let output = command.args(["-ec", &script.replace("ISSUE", ISSUE)]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
}

fn errors_at(pki: &Pki, now: Time) -> Vec<(FindingId, PathBuf)> {
    let findings = pki.audit(pki.expected(), now);
    let errors = findings.iter().filter(|it| it.severity() == Severity::Error);
    errors.map(|it| (it.id(), it.file().to_owned())).collect()
}

#[test]
fn a_leaf_below_an_intermediate_for_other_usages_is_refused_and_issued_again() {
    let machine = Machine::new();
    signed_elsewhere(
        &machine,
        "printf '%s\\n' basicConstraints=critical,CA:true keyUsage=critical,keyCertSign extendedKeyUsage=clientAuth >ca
        openssl ecparam -genkey -name prime256v1 -noout -out other.key
        openssl req -new -key other.key -subj /CN=other -out csr
        openssl x509 -req -in csr -CA \"$pki/ca.crt\" -CAkey \"$pki/ca.key\" -set_serial 78 -days 99 -extfile ca -out other.crt
        ISSUE
        cat leaf.crt other.crt >\"$pki/apiserver.crt\"",
    );
    let mut pki = Pki::load(machine.directory.path()).unwrap();
    assert_eq!(errors_at(&pki, Time::now()), [(FindingId::UsageMissing, PathBuf::from("pki/apiserver.crt"))]);
    pki.plan(pki.expected(), &Policy::default(), Time::now()).apply(&mut pki).unwrap();
    assert!(errors_at(&pki, Time::now()).is_empty());
}

#[test]
fn a_leaf_of_an_old_authority_ends_with_it() {
    let machine = Machine::new();
    signed_elsewhere(
        &machine,
        "openssl ecparam -genkey -name prime256v1 -noout -out other.key
        openssl req -x509 -new -key other.key -subj /CN=old -days 10 -addext keyUsage=critical,keyCertSign -out other.crt
        ISSUE
        cat leaf.crt >\"$pki/apiserver.crt\"
        cat other.crt >>\"$pki/ca.crt\"",
    );
    let mut pki = Pki::load(machine.directory.path()).unwrap();
    assert!(errors_at(&pki, Time::now()).is_empty());
    let later = machine.now.checked_add(DAY * 20).unwrap();
    assert_eq!(errors_at(&pki, later), [(FindingId::Expired, PathBuf::from("pki/apiserver.crt"))]);
    pki.plan(pki.expected(), &Policy::default(), later).apply(&mut pki).unwrap();
    assert!(errors_at(&pki, later).is_empty());
}

#[test]
fn renew_pki_works_below_a_root() {
    let root = tempfile::tempdir().unwrap();
    let pki = Pki::create(&fast_cluster(), &node(), Time::now()).unwrap();
    pki.save(root.path().join("etc/kubernetes")).unwrap();
    let old = fs::read(root.path().join("etc/kubernetes/pki/apiserver.crt")).unwrap();
    let mut command = Command::new(example());
    let output = run(command.args(["/etc/kubernetes", "--all", "--root"]).arg(root.path()));
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_ne!(fs::read(root.path().join("etc/kubernetes/pki/apiserver.crt")).unwrap(), old);
    let pki = Pki::load(Layout::new("/etc/kubernetes").root(root.path())).unwrap();
    assert!(pki.audit(pki.expected(), Time::now()).is_empty());
}

#[test]
fn a_full_disk_leaves_the_old_files() {
    const NOT_MOUNTED: i32 = 99;
    const SCRIPT: &str = "
        mount -t tmpfs -o size=200k tmpfs \"$1\" || exit 99
        cp -a \"$2/.\" \"$1\" || exit 98
        (cd \"$1\" && find . -type f | sort | xargs sha256sum) >\"$1.before\"
        head -c 1M /dev/zero >\"$1/filler\" 2>/dev/null
        rm \"$1/filler\" && head -c \"$4\" /dev/zero >\"$1/filler\"
        \"$3\" \"$1\" --all
        status=$?
        rm -f \"$1/filler\"
        (cd \"$1\" && find . -type f | sort | xargs sha256sum) | diff \"$1.before\" - || exit 97
        exit $status";
    let machine = Machine::new();
    let parent = tempfile::tempdir().unwrap();
    let mount = parent.path().join("disk");
    fs::create_dir(&mount).unwrap();
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", SCRIPT, "sh"]).arg(&mount).arg(machine.directory.path());
    command.arg(example()).arg("90000");
    let said = match command.output() {
        Ok(output) => (output.status.code(), text(&output.stderr) + &text(&output.stdout)),
        Err(error) => return eprintln!("NOT TESTED: a full disk: {error}"),
    };
    if said.0 == Some(NOT_MOUNTED) || said.1.starts_with("unshare: ") {
        return eprintln!("NOT TESTED: a full disk: {}", said.1);
    }
    assert_eq!(said.0, Some(2), "{}", said.1);
    assert!(said.1.contains("No space left on device"), "{}", said.1);
}

#[test]
fn a_cluster_of_kubeadms_names_is_renewed_under_them() {
    let cluster = cluster(KeyAlgorithm::EcdsaP256, kubepki::Convention::Kubeadm);
    let machine = Machine::of(&Pki::create(&cluster, &node(), Time::now()).unwrap());
    let before: Vec<_> = KUBECONFIGS.map(|file| machine.certificates(file).remove(0)).into();
    machine.renew(None, &policy().all(), machine.now);
    for (file, old) in KUBECONFIGS.iter().zip(before) {
        assert_eq!(machine.certificates(file)[0].subject(), old.subject(), "{file}");
    }
    let pki = machine.load();
    let findings = pki.audit(&Expected::new(&cluster, &node()), machine.now);
    assert!(findings.is_empty(), "{findings}");
}

/// Whatever the files hold, a plan can be applied, and then nothing is left to do.
#[test]
fn a_plan_of_any_files_can_be_applied_and_leaves_nothing_for_a_second() {
    let (good, other) = (Machine::new(), Machine::new());
    let files = |machine: &Machine| -> Vec<(PathBuf, Vec<u8>)> {
        machine.load().files().map(|file| (file.path().to_owned(), file.bytes().to_vec())).collect()
    };
    let (good_files, other_files) = (files(&good), files(&other));
    // xorshift64: the same each time.
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(below.max(1)).unwrap()).unwrap()
    };
    for round in 0..40 {
        let mut files = good_files.clone();
        for _ in 0..=random(4) {
            let at = random(files.len());
            let another = random(good_files.len());
            let bytes = &mut files[at].1;
            let place = random(bytes.len());
            match random(9) {
                0 => bytes.truncate(place),
                1 => bytes[place..].iter_mut().take(1).for_each(|byte| *byte ^= 1),
                2 => bytes.clear(),
                3 => bytes.clone_from(&other_files[at].1),
                4 => bytes.clone_from(&good_files[another].1),
                5 => bytes.extend_from_slice(&good_files[another].1),
                6 => bytes.extend_from_slice(b"junk"),
                7 => {
                    let _ = files.remove(at);
                }
                _ => {
                    let text = String::from_utf8_lossy(bytes).replacen("-data: ", "-data: !x ", random(3));
                    *bytes = text.replacen("server: ", "", random(2)).into_bytes();
                }
            }
        }
        for expected in [None, Some(Expected::new(&fast_cluster(), &node()))] {
            let mut pki = Pki::from_files(files.clone());
            let now = later(good.now, [0, 1, 340, 370, 3640, 3700][random(6)]);
            let policy = [policy(), policy().keep_keys(), policy().within(DAY * 10_000)][random(3)].clone();
            let before = pki.audit(expected.as_ref().unwrap_or(pki.expected()), now);
            let plan = pki.plan(expected.as_ref().unwrap_or(pki.expected()), &policy, now);
            plan.clone().apply(&mut pki).unwrap_or_else(|error| panic!("{round}: {error}\n{before}\n{plan}"));
            let again = pki.plan(expected.as_ref().unwrap_or(pki.expected()), &policy, now);
            assert!(again.is_empty(), "{round}: {again}\nafter:\n{plan}\nof:\n{before}");
        }
    }
}
