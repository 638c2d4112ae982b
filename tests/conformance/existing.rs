//! Directories that exist: kubeadm made them, and its Kubernetes runs on them.

use std::fs;
use std::path::{Path, PathBuf};

use kubepki::{Component, Convention, KeyAlgorithm, Role, role};

use crate::audit::{is_clean, renew};
use crate::control_plane::{Machine, NODE};
use crate::facts::{alike, essential_facts, facts};
use crate::http::Pair;
use crate::identity::{self, Identity, eve, front_proxy_headers, review, seen_as};
use crate::judges::{Anchor, Check, Usage, go};
use crate::report::{Report, Result};
use crate::root::{CERTS, KUBECONFIGS, Kubeadm, Root, embedded};
use crate::support::cluster;
use crate::workload;

/// What may have become of a directory since kubeadm made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// Nothing.
    Fresh,
    /// The kubelet renews its own certificate, outside the directory.
    KubeletRenews,
    /// Someone took ca.key away.
    ExternalAuthority,
}

impl Shape {
    const ALL: [Self; 3] = [Self::Fresh, Self::KubeletRenews, Self::ExternalAuthority];

    fn title(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::KubeletRenews => "the kubelet renews",
            Self::ExternalAuthority => "without ca.key",
        }
    }

    /// Whether a file can be renewed.
    fn renews(self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let authority = ["ca.", "front-proxy-ca.", "sa."].iter().any(|stem| name.starts_with(stem));
        let leaf = path.extension().is_some() && !authority;
        match self {
            Self::Fresh => leaf,
            Self::KubeletRenews => leaf && name != "kubelet.conf",
            // What kubernetes-ca issued.
            Self::ExternalAuthority => {
                leaf && (path.starts_with("pki/etcd")
                    || name.contains("etcd-client")
                    || name.contains("front-proxy"))
            }
        }
    }

    fn made(self, kubeadm: Kubeadm, algorithm: KeyAlgorithm) -> Result<Root> {
        let root = Root::new(algorithm)?.fill(kubeadm)?;
        match self {
            Self::Fresh => {}
            Self::KubeletRenews => root.let_the_kubelet_renew(kubeadm)?,
            Self::ExternalAuthority => root.remove(&["pki/ca.key"])?,
        }
        Ok(root)
    }
}

/// All that is asked of directories that one kubeadm made.
pub(crate) fn existing(report: &mut Report, kubeadm: Kubeadm, algorithm: KeyAlgorithm) -> Result {
    let description = description(kubeadm, algorithm)?;
    let description: Vec<_> = description.iter().map(String::as_str).collect();
    for shape in Shape::ALL {
        let (root, title) = (shape.made(kubeadm, algorithm)?, shape.title());
        accepted(report, title, &root);
        audited(report, title, &root, kubeadm, &description);
        // Described, what the old one makes would get other groups.
        renewed(report, shape, &root, (kubeadm == Kubeadm::Newest).then_some(&description))?;
        let title = &format!("{title}, renewed");
        accepted(report, title, &root);
        audited(report, title, &root, kubeadm, &description);
        if shape == Shape::KubeletRenews {
            runs(report, &root, kubeadm, algorithm)?;
        }
    }
    Ok(())
}

/// What check_pki says: with and without a description, of which kubeadm's configuration is one.
fn audited(report: &mut Report, title: &str, root: &Root, kubeadm: Kubeadm, description: &[&str]) {
    // Groups that the old one gives in vain, or that bypass authorization.
    let warnings: &[(&str, &str)] = match kubeadm {
        Kubeadm::Newest => &[],
        Kubeadm::Old => &[
            ("group-unexpected", "admin.conf"),
            ("group-unexpected", "pki/apiserver-etcd-client.crt"),
            ("group-unexpected", "pki/etcd/healthcheck-client.crt"),
        ],
    };
    report.check(&format!("{title}: check_pki"), is_clean(root, &[], warnings));
    let verdict = is_clean(root, description, warnings);
    report.check(&format!("{title}: check_pki with the cluster's description"), verdict);
    if kubeadm == Kubeadm::Newest {
        let configuration = format!("--config={}", root.configuration(kubeadm).display());
        let verdict = is_clean(root, &[&configuration], warnings);
        report.check(&format!("{title}: check_pki with kubeadm's configuration"), verdict);
    }
}

/// The options by which the examples are told what the configurations of [`Kubeadm`] say.
pub(crate) fn description(kubeadm: Kubeadm, algorithm: KeyAlgorithm) -> Result<Vec<String>> {
    let version = kubeadm.version()?;
    Ok([
        ("convention", "kubeadm"),
        ("kubernetes-version", &version),
        ("algorithm", &algorithm.to_string()),
        ("endpoint", "api.example.com:6443"),
        ("service-subnet", "10.96.0.0/12"),
        ("service-subnet", "fd00::/108"),
        ("node", NODE),
        ("address", "192.0.2.10"),
        ("san", "127.0.0.1"),
    ]
    .iter()
    .map(|(option, value)| format!("--{option}={value}"))
    .collect())
}

/// What renew_pki changes: all leaves that it can renew, but nothing of what they say; and then nothing more.
fn renewed(report: &mut Report, shape: Shape, root: &Root, description: Option<&[&str]>) -> Result {
    let old = root.copy()?;
    let leaves = |suffixes: &[&str]| -> Result<Vec<PathBuf>> {
        let mut files: Vec<_> = old.files()?.into_keys().filter(|path| shape.renews(path)).collect();
        files.retain(|path| path.extension().is_some_and(|it| suffixes.iter().any(|suffix| it == *suffix)));
        Ok(files)
    };
    let (all, certificates) = (leaves(&["crt", "conf", "key"])?, leaves(&["crt", "conf"])?);
    let title = shape.title();
    for (root, options, changed) in [
        (root, &["--all", "--dry-run"][..], &[][..]),
        (&root.copy()?, &["--all", "--keep-keys"], &certificates),
        (root, &["--all"], &all),
        (root, &[], &[]),
    ] {
        let verdict = changes(root, options, changed);
        let options = options.join(" ");
        report.check(&format!("{title}: renew_pki {options} changes {} files", changed.len()), verdict);
    }
    if let Some(description) = description {
        let verdict = changes(root, description, &[]);
        report.check(&format!("{title}: renew_pki with the cluster's description changes 0 files"), verdict);
    }
    for path in certificates {
        let [new, old] = [root, &old].map(|root| facts(root, &path, essential_facts));
        let verdict = new.and_then(|new| alike(&new, &old?));
        report.check(&format!("{title}: {} says what it said before", path.display()), verdict);
    }
    Ok(())
}

/// That renew_pki changes these files below /etc/kubernetes, and no mode.
fn changes(root: &Root, options: &[&str], expected: &[PathBuf]) -> Result<String> {
    let modes =
        |root: &Root| -> Result<Vec<u32>> { Ok(root.files()?.into_values().map(|it| it.0).collect()) };
    let before = modes(root)?;
    let (changed, said) = renew(root, options)?;
    let relative = changed.iter().map(|it| it.strip_prefix("etc/kubernetes").unwrap_or(it));
    match relative.eq(expected) && modes(root)? == before {
        true => Ok(said.lines().last().unwrap_or_default().to_owned()),
        false => {
            Err(format!("expected {expected:?} with modes {before:?}, found {changed:?}: {said}").into())
        }
    }
}

/// What both kubeadms and Go say of a directory.
pub(crate) fn accepted(report: &mut Report, title: &str, root: &Root) {
    for kubeadm in Kubeadm::BOTH {
        let check = |what: &str| format!("{title}: {kubeadm}, {what}");
        let exists = |file: &str| root.kubernetes().join(file).exists();
        // The old one makes no super-admin.conf, which the newest would add, or miss where it cannot.
        let complete = kubeadm == Kubeadm::Old || exists("super-admin.conf");
        if complete || exists("pki/ca.key") {
            report.check(&check("init phase certs all"), root.is_used_as_it_is(kubeadm, CERTS));
        }
        if complete {
            report.check(&check("init phase kubeconfig all"), root.is_used_as_it_is(kubeadm, KUBECONFIGS));
            report.check(&check("certs check-expiration"), root.lists_everything(kubeadm));
        }
    }
    report.check(&format!("{title}: Go"), go_verifies(root));
}

/// A leaf, and what it must be good for.
struct Leaf {
    pair: Pair,
    authority: PathBuf,
    usages: &'static [Usage],
    names: &'static [&'static str],
}

/// That Go verifies every leaf for what it is used for, with its key.
fn go_verifies(root: &Root) -> Result<String> {
    const BOTH: &[Usage] = &[Usage::Server, Usage::Client];
    const SERVER: &[Usage] = &[Usage::Server];
    const CLIENT: &[Usage] = &[Usage::Client];
    const API_SERVER: &[&str] =
        &["cp-1", "api.example.com", "kubernetes.default.svc", "10.96.0.1", "127.0.0.1"];
    const ETCD: &[&str] = &["cp-1", "localhost", "192.0.2.10", "127.0.0.1", "::1"];
    let file = |path: &str| root.kubernetes().join("pki").join(path);
    let mut leaves = Vec::new();
    for (stem, authority, usages, names) in [
        ("apiserver", "ca.crt", SERVER, API_SERVER),
        ("apiserver-kubelet-client", "ca.crt", CLIENT, &[]),
        ("apiserver-etcd-client", "etcd/ca.crt", CLIENT, &[]),
        ("front-proxy-client", "front-proxy-ca.crt", CLIENT, &[]),
        ("etcd/server", "etcd/ca.crt", BOTH, ETCD),
        ("etcd/peer", "etcd/ca.crt", BOTH, ETCD),
        ("etcd/healthcheck-client", "etcd/ca.crt", CLIENT, &[]),
    ] {
        let pair = Pair { certificate: file(&format!("{stem}.crt")), key: file(&format!("{stem}.key")) };
        leaves.push(Leaf { pair, authority: file(authority), usages, names });
    }
    for entry in fs::read_dir(root.kubernetes())? {
        let path = entry?.path();
        if path.extension().is_some_and(|it| it == "conf") {
            let (pair, authority) = (client_of(root, &path)?, file("ca.crt"));
            leaves.push(Leaf { pair, authority, usages: CLIENT, names: &[] });
        }
    }
    let mut checks = Vec::new();
    for Leaf { pair, authority, usages, names } in &leaves {
        for &usage in *usages {
            let check = Check {
                chain: &pair.certificate,
                trusted: authority,
                anchor: Anchor::Root,
                usage,
                name: None,
                at: None,
            };
            checks.push((check, Some(pair.key.as_path())));
            let named = names.iter().filter(|_| usage == Usage::Server);
            checks.extend(named.map(|&name| (Check { name: Some(name), ..check }, None)));
        }
    }
    for ((check, _), verdict) in checks.iter().zip(go::verify(&checks)) {
        verdict.map_err(|said| format!("{check:?}: {said}"))?;
    }
    Ok(format!("{} certificates, {} checks", leaves.len(), checks.len()))
}

/// The certificate and key of a kubeconfig, in files.
fn client_of(root: &Root, kubeconfig: &Path) -> Result<Pair> {
    let text = fs::read_to_string(kubeconfig)?;
    let name = kubeconfig.file_name().unwrap_or_default().to_string_lossy();
    let file = |field: &str| -> Result<PathBuf> {
        if let Some(path) = text.lines().find_map(|line| line.trim().strip_prefix(&format!("{field}: "))) {
            // The kubelet's file is a link, whose target is a path of the root.
            let link = root.path(path);
            return Ok(fs::read_link(&link).map_or(link, |target| root.path(&target.to_string_lossy())));
        }
        let path = root.path(&format!("{name}.{field}"));
        fs::write(&path, embedded(&text, &format!("{field}-data"))?)?;
        Ok(path)
    };
    Ok(Pair { certificate: file("client-certificate")?, key: file("client-key")? })
}

/// A whole control plane on a directory that kubeadm made.
pub(crate) fn runs(report: &mut Report, root: &Root, kubeadm: Kubeadm, algorithm: KeyAlgorithm) -> Result {
    let machine = Machine::existing(&cluster(algorithm, Convention::Kubeadm), root.kubernetes())?;
    let mut members = machine.start_etcd();
    report.check("etcd is healthy", members.healthy());
    let _api_server = machine.start_api_server(&members.etcd)?;
    report.check("kube-apiserver is ready for admin.conf", Ok(&machine.url));
    let masters = machine.issue(Role::KubernetesCa, &role::SuperAdmin::new(&machine.cluster).profile())?;
    let mut controllers = Vec::new();
    for component in [Component::ControllerManager, Component::Scheduler] {
        let (process, url) = machine.start_controller(component)?;
        controllers.push(process);
        let verdict = workload::delegates(&machine, &url, &masters);
        report.check(&format!("{component} is healthy and asks who calls it"), verdict);
    }
    who_is_who(report, root, &machine, kubeadm);
    workload::service_accounts(report, &machine);
    workload::signing(report, &machine, algorithm, Anchor::Root);
    report.check("etcd's logs", members.log_is_clean());
    Ok(())
}

/// Who each of kubeadm's certificates is to the API server.
fn who_is_who(report: &mut Report, root: &Root, machine: &Machine, kubeadm: Kubeadm) {
    let (administrators, kubelet_client): (&str, &[&str]) = match kubeadm {
        Kubeadm::Newest => ("kubeadm:cluster-admins", &[]),
        Kubeadm::Old => ("system:masters", &["system:masters"]),
    };
    let kubelet = format!("system:node:{NODE}");
    for (file, name, groups) in [
        ("admin.conf", "kubernetes-admin", &[administrators][..]),
        ("super-admin.conf", "kubernetes-super-admin", &["system:masters"]),
        ("controller-manager.conf", "system:kube-controller-manager", &[]),
        ("scheduler.conf", "system:kube-scheduler", &[]),
        ("kubelet.conf", &kubelet, &["system:nodes"]),
    ] {
        if kubeadm == Kubeadm::Old && file == "super-admin.conf" {
            continue;
        }
        let verdict = client_of(root, &machine.directory.join(file))
            .and_then(|client| seen_as(review(machine, Some(&client), &[]), &Identity::new(name, groups)));
        report.check(&format!("whoami {file}"), verdict);
    }
    let client = machine.pair(Role::ApiServerKubeletClient);
    let expected = Identity::new("kube-apiserver-kubelet-client", kubelet_client);
    report.check(
        "whoami apiserver-kubelet-client.crt",
        seen_as(review(machine, Some(&client), &[]), &expected),
    );
    let client = machine.pair(Role::FrontProxyClient);
    report.check(
        "front-proxy headers with front-proxy-client.crt are believed",
        seen_as(review(machine, Some(&client), &front_proxy_headers()), &eve()),
    );
    identity::serving_names(
        report,
        machine,
        &["cp-1", "kubernetes.default.svc", "api.example.com", "10.96.0.1"],
    );
}
