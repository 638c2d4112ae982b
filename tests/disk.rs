//! What is on the disk after saving, and after saving failed; and the examples as they are run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use kubepki::kubeconfig::Kubeconfig;
use kubepki::{AlternativeName, Authorities, Certificate, Code, KeyAlgorithm, Node, Pki, Place, Time};
use tempfile::TempDir;

use crate::judges::{Anchor, Check, Usage, free_port, kubectl, openssl};
use crate::support::{CONVENTIONS, cluster, control_plane, example, fast_cluster, utf8};

/// What `create_cluster` writes for a control-plane node.
const CONTROL_PLANE: &[&str] = &[
    "admin.conf",
    "controller-manager.conf",
    "kubelet.conf",
    "pki/apiserver-etcd-client.crt",
    "pki/apiserver-etcd-client.key",
    "pki/apiserver-kubelet-client.crt",
    "pki/apiserver-kubelet-client.key",
    "pki/apiserver.crt",
    "pki/apiserver.key",
    "pki/ca.crt",
    "pki/ca.key",
    "pki/etcd/ca.crt",
    "pki/etcd/ca.key",
    "pki/etcd/healthcheck-client.crt",
    "pki/etcd/healthcheck-client.key",
    "pki/etcd/peer.crt",
    "pki/etcd/peer.key",
    "pki/etcd/server.crt",
    "pki/etcd/server.key",
    "pki/front-proxy-ca.crt",
    "pki/front-proxy-ca.key",
    "pki/front-proxy-client.crt",
    "pki/front-proxy-client.key",
    "pki/sa.key",
    "pki/sa.pub",
    "scheduler.conf",
    "super-admin.conf",
];

const WORKER: &[&str] = &["kubelet.conf", "pki/ca.crt", "pki/kubelet.crt", "pki/kubelet.key"];

const P256: [&str; 2] = ["--algorithm", "ecdsa-p256"];

/// A machine's files, in memory.
fn pki() -> Pki {
    Pki::create(&fast_cluster(), &control_plane("cp-1", "192.0.2.1"), Time::now()).unwrap()
}

/// What stands at a path: kind and mode, and inode and bytes, so that nothing changes unseen.
type Entry = (char, u32, u64, Vec<u8>);

/// Everything below a directory.
fn tree(directory: &Path) -> BTreeMap<PathBuf, Entry> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![directory.to_owned()];
    while let Some(next) = waiting.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let metadata = fs::symlink_metadata(&path).unwrap();
            let (kind, bytes) = match metadata.file_type() {
                kind if kind.is_dir() => ('d', Vec::new()),
                kind if kind.is_file() => ('f', fs::read(&path).unwrap()),
                _ => ('?', Vec::new()),
            };
            if kind == 'd' {
                waiting.push(path.clone());
            }
            let relative = path.strip_prefix(directory).unwrap().to_owned();
            found.insert(relative, (kind, metadata.permissions().mode() & 0o7777, metadata.ino(), bytes));
        }
    }
    found
}

fn files(directory: &Path) -> Vec<String> {
    let tree = tree(directory);
    let files = tree.iter().filter(|(_, (kind, ..))| *kind == 'f');
    files.map(|(path, _)| path.display().to_string()).collect()
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

#[track_caller]
fn succeed(command: &mut Command) -> String {
    let output = run(command);
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    utf8(output.stdout)
}

/// Says on the terminal, whatever the test harness hides, what could not be tested here.
fn not_tested(what: &str, why: &str) {
    _ = writeln!(std::io::stderr(), "NOT TESTED: {what}: {why}");
}

pub(crate) fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

#[test]
fn modes_do_not_depend_on_the_umask() {
    for umask in ["000", "022", "077", "777"] {
        let directory = tempfile::tempdir().unwrap();
        let out = directory.path().join("a/kubernetes");
        let mut command = Command::new("sh");
        command.args(["-c", "umask $0; exec \"$@\"", umask]).arg(example("create_cluster"));
        succeed(command.arg("--out").arg(&out).args(P256).args(["--worker", "w-1=192.0.2.2"]));
        for (path, (kind, mode, ..)) in tree(directory.path()) {
            let expected = match (kind, path.extension().and_then(|extension| extension.to_str())) {
                ('d', _) => 0o755,
                ('f', Some("crt")) => 0o644,
                ('f', Some("key" | "pub" | "conf")) => 0o600,
                other => panic!("{}: {other:?}", path.display()),
            };
            assert_eq!(mode, expected, "umask {umask}: {}", path.display());
        }
    }
}

#[test]
fn a_saved_directory_holds_the_files_of_memory_and_nothing_else_in_both_conventions() {
    for convention in CONVENTIONS {
        let directory = tempfile::tempdir().unwrap();
        let cluster = cluster(KeyAlgorithm::EcdsaP256, convention);
        let pki = Pki::create(&cluster, &control_plane("cp-1", "192.0.2.1"), Time::now()).unwrap();
        pki.save(directory.path()).unwrap();
        assert_eq!(files(directory.path()), CONTROL_PLANE);
        for file in pki.files() {
            assert_eq!(fs::read(directory.path().join(file.path())).unwrap(), file.bytes());
        }
        let again = Authorities::load(directory.path()).unwrap();
        assert_eq!(again.files(), pki.authorities().files());
    }
}

#[test]
fn saving_twice_changes_nothing_and_completes_what_is_missing() {
    let directory = tempfile::tempdir().unwrap();
    let pki = pki();
    pki.save(directory.path()).unwrap();
    let before = tree(directory.path());
    pki.save(directory.path()).unwrap();
    assert_eq!(tree(directory.path()), before);

    let path = Path::new("pki/etcd/peer.key");
    fs::remove_file(directory.path().join(path)).unwrap();
    pki.save(directory.path()).unwrap();
    let mut after = tree(directory.path());
    let (kind, mode, _, bytes) = after.remove(path).unwrap();
    assert_eq!((kind, mode, &bytes), ('f', 0o600, &before[path].3));
    assert!(after.iter().all(|(path, found)| before[path] == *found));
}

#[test]
fn a_directory_may_be_a_link_to_another_place() {
    let [directory, elsewhere] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    symlink(elsewhere.path(), directory.path().join("pki")).unwrap();
    pki().save(directory.path()).unwrap();
    assert!(elsewhere.path().join("etcd/peer.key").exists());
}

#[test]
fn what_is_there_is_never_replaced_and_nothing_else_is_written() {
    type Put = fn(&Path, &[u8]);
    let obstacles: [(&str, Put); 6] = [
        ("other bytes", |path, _| fs::write(path, "mine").unwrap()),
        ("an empty file", |path, _| fs::write(path, "").unwrap()),
        ("a link to the same bytes", |path, bytes| {
            let elsewhere = path.with_extension("elsewhere");
            fs::write(&elsewhere, bytes).unwrap();
            symlink(elsewhere, path).unwrap();
        }),
        ("a dangling link", |path, _| symlink("nowhere", path).unwrap()),
        ("a directory", |path, _| fs::create_dir(path).unwrap()),
        ("a pipe", |path, _| _ = succeed(Command::new("mkfifo").arg(path))),
    ];
    let pki = pki();
    for (what, put) in obstacles {
        for name in ["admin.conf", "pki/ca.crt", "pki/etcd/peer.key", "pki/sa.pub"] {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let file = pki.files().find(|file| file.path() == Path::new(name)).unwrap();
            put(&path, file.bytes());
            let before = tree(directory.path());
            let error = pki.save(directory.path()).unwrap_err();
            assert_eq!(error.code(), Code::Exists, "{what}: {error}");
            assert_eq!(error.places(), [Place::File(path.clone())], "{what}");
            assert!(error.to_string().starts_with(&format!("{}: ", path.display())), "{error}");
            assert_eq!(tree(directory.path()), before, "{what} at {name}");
        }
    }
}

#[test]
fn a_file_where_a_directory_should_be_stays_and_is_named() {
    for (name, named) in [("", "admin.conf"), ("pki", "pki/ca.crt"), ("pki/etcd", "pki/etcd/ca.crt")] {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("kubernetes");
        let path = if name.is_empty() { root.clone() } else { root.join(name) };
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "mine").unwrap();
        let before = tree(directory.path());
        let error = pki().save(&root).unwrap_err();
        assert_eq!(error.code(), Code::Io, "{error}");
        let kind = error.raw_os_error().map(|number| std::io::Error::from_raw_os_error(number).kind());
        assert_eq!(kind, Some(std::io::ErrorKind::NotADirectory), "{error}");
        assert!(error.to_string().contains(&*root.display().to_string()), "{error}");
        assert!(name.is_empty() || error.to_string().contains(named), "{error}");
        assert_eq!(tree(directory.path()), before, "{name}");
    }
}

/// A copy of `create_cluster` that another user can run, in a directory that is open to all.
fn for_another_user() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let program = directory.path().join("create_cluster");
    fs::copy(example("create_cluster"), &program).unwrap();
    (directory, program)
}

#[test]
fn a_directory_that_may_not_be_written_to_stays_as_it_is() {
    let (directory, program) = for_another_user();
    for read_only in ["", "pki", "pki/etcd"] {
        let out = directory.path().join(format!("out-{}", read_only.replace('/', "-")));
        let locked = out.join(read_only);
        fs::create_dir_all(&locked).unwrap();
        let mut open = out.clone();
        for part in Path::new(read_only) {
            fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
            open.push(part);
        }
        fs::set_permissions(&locked, fs::Permissions::from_mode(0o555)).unwrap();
        let before = tree(&out);
        let mut command = match is_root() {
            false => Command::new(&program),
            // Modes do not stop root.
            true => {
                let mut command = Command::new("setpriv");
                command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program);
                command
            }
        };
        let output = run(command.arg("--out").arg(&out).args(P256));
        let said = utf8(output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(&*locked.display().to_string()), "{said}");
        assert!(said.contains("Permission denied"), "{said}");
        assert_eq!(tree(&out), before, "{read_only}");
    }
}

#[test]
fn a_full_or_read_only_disk_is_left_as_it_was() {
    const NOT_MOUNTED: i32 = 99;
    // In a mount namespace of its own, so that nothing stays mounted.
    const SCRIPT: &str = "
        mount -t tmpfs -o \"$1\" tmpfs \"$2\" || exit 99
        find \"$2\" | sort >\"$2.before\"
        \"$3\" --out \"$2/kubernetes\" --algorithm ecdsa-p256
        status=$?
        find \"$2\" | sort | diff \"$2.before\" - || exit 98
        exit $status";
    for (options, complaint) in [
        ("size=64k", "No space left on device"),
        ("nr_inodes=4", "No space left on device"),
        ("nr_inodes=20", "No space left on device"),
        ("ro", "Read-only file system"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let mount = directory.path().join("disk");
        fs::create_dir(&mount).unwrap();
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", SCRIPT, "sh", options]).arg(&mount);
        let output = match command.arg(example("create_cluster")).output() {
            Ok(output) => output,
            Err(error) => return not_tested("a full disk", &format!("unshare: {error}")),
        };
        let said = utf8(output.stderr) + &utf8(output.stdout);
        if output.status.code() == Some(NOT_MOUNTED) || said.starts_with("unshare: ") {
            return not_tested("a full disk", said.trim());
        }
        assert_eq!(output.status.code(), Some(1), "{options}: {said}");
        assert!(said.contains(complaint), "{options}: {said}");
        assert!(said.contains(&format!("{}/kubernetes", mount.display())), "{options}: {said}");
    }
}

#[test]
fn create_cluster_needs_nothing_but_a_directory() {
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path();
    let said = succeed(Command::new(example("create_cluster")).arg("--out").arg(out));
    assert_eq!(files(out), CONTROL_PLANE);
    for part in ["CN=kubernetes-ca", "CN=kube-apiserver", "IP:10.96.0.1", "pki/apiserver.crt", " ms  "] {
        assert!(said.contains(part), "{part} is not in:\n{said}");
    }
    let certificate = first_certificate(&out.join("pki/apiserver.crt"));
    assert_eq!(certificate.public_key().algorithm(), Some(KeyAlgorithm::Rsa2048));
    let sans: Vec<_> = certificate.sans().iter().map(AlternativeName::to_string).collect();
    assert_eq!(
        sans,
        [
            "DNS:cp-1",
            "DNS:kubernetes",
            "DNS:kubernetes.default",
            "DNS:kubernetes.default.svc",
            "DNS:kubernetes.default.svc.cluster",
            "DNS:kubernetes.default.svc.cluster.local",
            "IP:10.96.0.1",
            "IP:127.0.0.1",
        ]
    );
}

fn first_certificate(path: &Path) -> Certificate {
    Certificate::from_pem(&fs::read(path).unwrap()).unwrap().remove(0)
}

#[test]
fn create_cluster_takes_every_option() {
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path();
    let mut command = Command::new(example("create_cluster"));
    command.arg("--out").arg(out).args(["--convention", "kubeadm", "--algorithm", "ecdsa-p384"]);
    command.args(["--cluster-name", "prod: {eu}", "--endpoint", "api.example.com:8443"]);
    command.args(["--node", "node-1", "--address", "2001:db8::1", "--dns-domain", "k8s.example"]);
    command.args(["--service-subnet", "fd00::/108", "--service-subnet", "10.0.0.0/16"]);
    command.args(["--san", "a.example.com", "--san", "192.0.2.9"]);
    succeed(command.args(["--worker", "w-1=192.0.2.2", "--worker", "w-2.example.com=2001:db8::2"]));

    let worker = |name: &'static str| WORKER.iter().map(move |file| format!("workers/{name}/{file}"));
    let control_plane = CONTROL_PLANE.iter().map(|file| (*file).to_owned());
    let expected: BTreeSet<_> = control_plane.chain(worker("w-1")).chain(worker("w-2.example.com")).collect();
    assert_eq!(files(out).into_iter().collect::<BTreeSet<_>>(), expected);

    let certificate = first_certificate(&out.join("pki/apiserver.crt"));
    assert_eq!(certificate.issuer().to_string(), "CN=kubernetes");
    assert_eq!(certificate.public_key().algorithm(), Some(KeyAlgorithm::EcdsaP384));
    let sans: Vec<_> = certificate.sans().iter().map(AlternativeName::to_string).collect();
    assert_eq!(
        sans,
        [
            "DNS:a.example.com",
            "DNS:api.example.com",
            "DNS:kubernetes",
            "DNS:kubernetes.default",
            "DNS:kubernetes.default.svc",
            "DNS:kubernetes.default.svc.k8s.example",
            "DNS:node-1",
            "IP:fd00::1",
            "IP:2001:db8::1",
            "IP:192.0.2.9",
        ]
    );
    let kubeconfig = fs::read(out.join("admin.conf")).unwrap();
    let kubeconfig = Kubeconfig::from_yaml(&kubeconfig).unwrap();
    assert_eq!(kubeconfig.current_context, "kubernetes-admin@prod: {eu}");
    assert_eq!(kubeconfig.current_cluster().unwrap().server, "https://api.example.com:8443");
    let kubelet = first_certificate(&out.join("workers/w-2.example.com/pki/kubelet.crt"));
    assert_eq!(kubelet.subject().common_name(), Some("system:node:w-2.example.com"));
}

#[test]
fn create_cluster_refuses_wrong_options_by_name_and_value() {
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("out");
    for (option, value) in [
        ("--convention", "Kubeadm"),
        ("--algorithm", "rsa-1024"),
        ("--cluster-name", ""),
        ("--endpoint", "https://a"),
        ("--node", "Node"),
        ("--address", "192.0.2.300"),
        ("--service-subnet", "10.96.0.1/12"),
        ("--service-subnet", "10.96.0.0/30"),
        ("--dns-domain", "cluster.local."),
        ("--san", "*.com"),
        ("--worker", "w-1"),
        ("--worker", "w-1=a"),
        ("--worker", "../w=192.0.2.1"),
    ] {
        let output =
            run(Command::new(example("create_cluster")).arg("--out").arg(&out).args([option, value]));
        let said = utf8(output.stderr);
        assert_eq!(output.status.code(), Some(1), "{option} {value}: {said}");
        assert!(said.contains(&format!("{option} {value:?}: ")), "{option} {value}: {said}");
    }
    for (arguments, part) in [
        (&["--out"][..], "--out"),
        (&[], "--out DIR is missing"),
        (&["--out", "a", "--nodes", "b"], "--nodes"),
        (&["--out", "a", "b"], "\"b\""),
        (
            &["--out", "a", "--service-subnet", "10.0.0.0/16", "--service-subnet", "10.1.0.0/16"],
            "10.1.0.0/16",
        ),
    ] {
        let output =
            run(Command::new(example("create_cluster")).args(arguments).current_dir(directory.path()));
        let said = utf8(output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains(part), "{arguments:?}: {said}");
    }
    assert!(tree(directory.path()).is_empty());
    assert!(succeed(Command::new(example("create_cluster")).arg("--help")).starts_with("usage: "));
}

#[test]
fn several_machines_are_saved_together_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let authorities = Authorities::create(&fast_cluster(), Time::now()).unwrap();
    let join = |name: &str| {
        authorities.join(&fast_cluster(), &Node::worker(name.parse().unwrap()), Time::now()).unwrap()
    };
    let (one, two) = (join("w-1"), join("w-2"));
    let at = |name: &str| directory.path().join(name);
    fs::create_dir(at("two")).unwrap();
    fs::write(at("two/kubelet.conf"), "mine").unwrap();
    let before = tree(directory.path());
    let error = Pki::save_all([(at("one"), &one), (at("two"), &two)]).unwrap_err();
    assert_eq!(error.code(), Code::Exists);
    assert_eq!(tree(directory.path()), before);
    // Two machines differ; the same one twice is one.
    let error = Pki::save_all([(at("four"), &one), (at("four"), &two)]).unwrap_err();
    assert!(error.code() == Code::Exists && error.to_string().contains("another one of these"), "{error}");
    assert_eq!(tree(directory.path()), before);
    Pki::save_all([(at("four"), &one), (at("four"), &one)]).unwrap();
    Pki::save_all([(at("one"), &one), (at("three"), &two)]).unwrap();
    assert_eq!(files(&at("one")), files(&at("three")));
    assert_eq!(one.save("").unwrap_err().code(), Code::Invalid);
}

#[test]
fn the_other_examples_go_on_from_what_create_cluster_made() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let first = at("first");
    succeed(Command::new(example("create_cluster")).arg("--out").arg(&first).args(P256));
    let ca = first.join("pki/ca.crt");
    let serves = |chain: &Path, name: &str| {
        let check = Check {
            chain,
            trusted: &ca,
            anchor: Anchor::Root,
            usage: Usage::Server,
            name: Some(name),
            at: None,
        };
        openssl::verify(&check).unwrap();
    };
    let endpoint = format!("127.0.0.1:{}", free_port());

    let join = |kind: &str, name: &str| {
        let mut command = Command::new(example("join_node"));
        command.arg("--from").arg(&first).arg("--out").arg(at(name)).args(P256);
        command.args(["--endpoint", &endpoint, "--kind", kind, "--node", name, "--address", "192.0.2.7"]);
        succeed(&mut command)
    };
    assert!(join("worker", "w-1").contains("CN=system:node:w-1"));
    assert_eq!(files(&at("w-1")), WORKER);
    serves(&at("w-1/pki/kubelet.crt"), "192.0.2.7");
    kubectl::accepts(&at("w-1/kubelet.conf")).unwrap();
    join("control-plane", "cp-2");
    let without_super_admin: Vec<_> =
        CONTROL_PLANE.iter().filter(|file| **file != "super-admin.conf").collect();
    assert_eq!(files(&at("cp-2")).iter().collect::<Vec<_>>(), without_super_admin);
    assert_eq!(fs::read(at("cp-2/pki/sa.key")).unwrap(), fs::read(first.join("pki/sa.key")).unwrap());
    serves(&at("cp-2/pki/apiserver.crt"), "cp-2");
    join("etcd-member", "etcd-1");
    assert!(files(&at("etcd-1")).iter().all(|file| file.starts_with("pki/etcd/")));

    let key = first.join("pki/ca.key");
    let mut command = Command::new(example("one_certificate"));
    let pem = succeed(command.arg(&ca).arg(key).args(["web.shop.svc", "192.0.2.8"]));
    fs::write(at("web.pem"), pem).unwrap();
    serves(&at("web.pem"), "web.shop.svc.cluster.local");
    serves(&at("web.pem"), "192.0.2.8");
    openssl::check_key(&at("web.pem")).unwrap();

    let mut command = Command::new(example("kubeconfig_for_user"));
    let yaml = succeed(command.arg(&first).args([&endpoint, "jane: {x}", "developers", "a,b"]));
    fs::write(at("jane.conf"), yaml).unwrap();
    kubectl::accepts(&at("jane.conf")).unwrap();
    assert!(kubectl::view(&at("jane.conf")).unwrap().contains("jane: {x}@default-cluster"));

    let node = ["--from", "a", "--out", "b", "--node", "c", "--address", "192.0.2.1", "--kind", "master"];
    for (arguments, said) in [(&node[..], "\"master\""), (&[], "--from"), (&["--frm", "a"], "--frm")] {
        let output = run(Command::new(example("join_node")).args(arguments));
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(utf8(output.stderr).contains(said), "{arguments:?}");
    }
    for (name, arguments) in [("one_certificate", &["a"]), ("kubeconfig_for_user", &["a"])] {
        let output = run(Command::new(example(name)).args(arguments));
        assert_eq!(output.status.code(), Some(1), "{name} {arguments:?}");
        assert!(utf8(output.stderr).starts_with("error: usage: "), "{name} {arguments:?}");
    }
}
