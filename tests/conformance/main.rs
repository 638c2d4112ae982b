//! Runs a real control plane, and kubeadm, on what this crate makes: see README.md and `run` beside this file.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail by panicking"
)]

mod api;
mod audit;
mod authentication;
mod bootstrap;
mod control_plane;
mod damages;
mod discovery;
mod existing;
mod facts;
mod forge;
mod http;
mod identity;
#[allow(dead_code, unused_imports, reason = "the integration tests use all of it")]
#[path = "../judges/mod.rs"]
mod judges;
mod kubeadm;
mod kubelet_rows;
mod mutations;
mod ours;
mod pkcs10;
mod programs;
mod report;
mod requests;
mod root;
mod row;
mod rows;
mod signer;
#[allow(dead_code, reason = "the integration tests use all of it")]
#[path = "../support.rs"]
mod support;
mod tokens;
mod trust;
mod variants;
mod workload;

use std::net::Ipv4Addr;
use std::process::{Command, ExitCode};

use kubepki::{Authorities, Component, Convention, Issuer, KeyAlgorithm, Part, Role, Time, manifest, role};

use crate::control_plane::{Machine, Members};
use crate::http::Request;
use crate::identity::Identity;
use crate::judges::Anchor;
use crate::programs::output;
use crate::report::{Report, Result};
use crate::root::Kubeadm;
use crate::support::{CONVENTIONS, cluster};
use crate::workload::Kubelet;

const ALGORITHMS: [KeyAlgorithm; 2] = [KeyAlgorithm::Rsa2048, KeyAlgorithm::EcdsaP256];

fn main() -> ExitCode {
    let mut report = Report::new(std::env::args().skip(1).filter(|it| !it.starts_with('-')).collect());
    print_versions();
    for convention in CONVENTIONS {
        for algorithm in ALGORITHMS {
            let title = title(convention, algorithm);
            report.section(&title, |report| control_plane(report, convention, algorithm, Above::Nothing));
        }
    }
    report.section("common root ecdsa-p256", |report| {
        control_plane(report, Convention::Documented, KeyAlgorithm::EcdsaP256, Above::Root)
    });
    report.section("shared kubelet client", variants::shared_kubelet_client);
    report.section("ipv6", variants::ipv6);
    report.section("authentication", authentication::authentication);
    report.section("certificate requests", requests::requests);
    report.section("kubelet bootstrap", bootstrap::bootstrap);
    report.section("tokens", tokens::tokens);
    for algorithm in ALGORITHMS {
        report.section(&format!("kubeadm itself {algorithm}"), |report| kubeadm::kubeadm(report, algorithm));
    }
    report.section("kubeadm's configuration", kubeadm::configurations);
    for kubeadm in Kubeadm::BOTH {
        for algorithm in ALGORITHMS {
            report.section(&format!("a directory of {kubeadm} {algorithm}"), |report| {
                existing::existing(report, kubeadm, algorithm)
            });
        }
    }
    report.section("damages", damages::damages);
    report.section("mutations", mutations::mutations);
    report.close()
}

fn title(convention: Convention, algorithm: KeyAlgorithm) -> String {
    let convention = match (convention, algorithm) {
        (Convention::Documented, _) => "documented",
        (_, KeyAlgorithm::EcdsaP256) => "newest kubeadm",
        _ => "kubeadm",
    };
    format!("{convention} convention {algorithm}")
}

fn print_versions() {
    for (program, arguments) in [
        ("kube-apiserver", &["--version"][..]),
        ("kube-controller-manager", &["--version"]),
        ("kube-scheduler", &["--version"]),
        ("kubeadm", &["version", "--output=short"]),
        ("kubeadm-1.20", &["version", "--output=short"]),
        ("kubectl", &["version", "--client"]),
        ("etcd", &["--version"]),
        ("openssl", &["version"]),
        ("curl", &["--version"]),
    ] {
        let said =
            output(Command::new(program).args(arguments), "").unwrap_or_else(|error| error.to_string());
        println!("     {program}: {}", said.lines().next().unwrap_or_default());
    }
}

/// What stands above the cluster's authorities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Above {
    Nothing,
    Root,
}

/// A whole control plane, and every question that it can answer.
fn control_plane(
    report: &mut Report,
    convention: Convention,
    algorithm: KeyAlgorithm,
    above: Above,
) -> Result {
    let scratch = tempfile::tempdir()?;
    let mut cluster = cluster(algorithm, convention);
    // The newest kubeadm gives the API server's client for kubelets no group.
    let bound = convention == Convention::Kubeadm && algorithm == KeyAlgorithm::EcdsaP256;
    if convention == Convention::Documented {
        cluster = cluster.verify_kubelets();
    }
    if bound {
        cluster = cluster.kubernetes_version(Kubeadm::Newest.version()?.parse()?);
    }
    let (authorities, anchor) = match above {
        Above::Nothing => (Authorities::create(&cluster, Time::now())?, Anchor::Root),
        Above::Root => {
            let root = role::RootCa::new(&cluster, "root".parse()?).profile();
            let root = Issuer::self_signed(&root, Time::now())?;
            (Authorities::create_under(&root, &cluster, Time::now())?, Anchor::Intermediate)
        }
    };
    let mut members = Members::start(&cluster, &authorities, scratch.path(), |_, _| Ok(()))?;
    let machine =
        Machine::new(&cluster, &authorities, Ipv4Addr::LOCALHOST.into(), scratch.path().join("cp-1"))?;
    report.check("etcd is healthy", members.healthy());
    let _api_server = machine.start_api_server(&members.etcd)?;
    report.check("kube-apiserver is ready for admin.conf", Ok(&machine.url));
    identity::admin_needs_its_binding(report, &machine)?;

    let kubelet = Kubelet::start(&machine)?;
    report.check("kubelet.conf registers its node", workload::kubelet_registers_its_node(&machine, &kubelet));
    let masters = machine.issue(Role::KubernetesCa, &role::SuperAdmin::new(&machine.cluster).profile())?;
    let mut controllers = Vec::new();
    for component in [Component::ControllerManager, Component::Scheduler] {
        let (process, url) = machine.start_controller(component)?;
        controllers.push(process);
        report.check(
            &format!("{component} is healthy and asks who calls it"),
            workload::delegates(&machine, &url, &masters),
        );
    }

    let (groups, subject): (&[&str], _) = match convention {
        Convention::Documented => (&["system:masters"], "O=system:masters, CN=kube-apiserver-kubelet-client"),
        _ if bound => (&[], "CN=kube-apiserver-kubelet-client"),
        _ => (&["kubeadm:cluster-admins"], "O=kubeadm:cluster-admins, CN=kube-apiserver-kubelet-client"),
    };
    workload::pod(report, &machine, subject)?;
    let kubelet_client = Identity::new("kube-apiserver-kubelet-client", groups);
    if bound {
        let (name, binding) =
            ("kube-apiserver-kubelet-client", manifest::apiserver_kubelet_client_binding().to_yaml());
        let verdict = identity::calls_kubelets_once_bound(&machine, name, &binding);
        report.check(&format!("{name} may call kubelets once it is bound"), verdict);
    }

    let jane = identity::user_with_two_groups(&machine)?;
    identity::whoami(report, &machine, &jane);
    identity::powers(report, &machine, &jane);
    identity::certificates(report, &machine, &kubelet_client);
    identity::serving_names(report, &machine, serving_names(convention));
    workload::service_accounts(report, &machine);
    workload::signing(report, &machine, algorithm, anchor);
    trust::doors(report, &machine, &members)?;
    if above == Above::Root {
        report.check(
            "a client that trusts the root alone reaches the API server",
            with_the_root_alone(&machine),
        );
    }
    report.check("etcd's logs", members.log_is_clean());
    Ok(())
}

/// What the API server of node cp-1 is called, less what kubeadm leaves out.
fn serving_names(convention: Convention) -> &'static [&'static str] {
    let names = &[
        "kubernetes.default.svc.cluster",
        "[fd00::1]",
        "cp-1",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
        "10.96.0.1",
        "127.0.0.1",
    ];
    match convention {
        Convention::Kubeadm => &names[2..],
        _ => names,
    }
}

fn with_the_root_alone(machine: &Machine) -> Result<String> {
    let root = machine.path(Role::RootCa, Part::Certificate);
    let url = format!("{}/readyz", machine.url);
    let answer = Request { url: &url, trusted: Some(&root), ..Request::default() }.send()?;
    Ok(answer.body)
}
