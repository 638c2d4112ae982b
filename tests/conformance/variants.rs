//! Clusters that differ in one point: one API server of each.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener};

use kubepki::{Authorities, Convention, KeyAlgorithm, KubeletClientCertificate, Role, Time};

use crate::control_plane::{Machine, Members};
use crate::identity::{self, Identity, review, seen_as};
use crate::report::{Report, Result};
use crate::support::cluster;
use crate::workload::{self, Kubelet};

/// The API server calls kubelets with its serving certificate, which then is a client's as well.
pub(crate) fn shared_kubelet_client(report: &mut Report) -> Result {
    let scratch = tempfile::tempdir()?;
    let cluster = cluster(KeyAlgorithm::EcdsaP256, Convention::Documented)
        .kubelet_client_certificate(KubeletClientCertificate::Shared)
        .verify_kubelets();
    let authorities = Authorities::create(&cluster, Time::now())?;
    let members = Members::start(&cluster, &authorities, scratch.path(), |_, _| Ok(()))?;
    let machine =
        Machine::new(&cluster, &authorities, Ipv4Addr::LOCALHOST.into(), scratch.path().join("cp-1"))?;
    let _api_server = machine.start_api_server(&members.etcd)?;
    let kubelet = Kubelet::start(&machine)?;
    report.check("kubelet.conf registers its node", workload::kubelet_registers_its_node(&machine, &kubelet));
    workload::bound_pod(&machine)?;
    report.check(
        "the API server calls the kubelet with its serving certificate",
        workload::logs_come_from(&machine, "CN=kube-apiserver"),
    );
    let api_server = machine.pair(Role::ApiServer);
    report.check(
        "apiserver.crt as a client is a user without a group",
        seen_as(review(&machine, Some(&api_server), &[]), &Identity::new("kube-apiserver", &[])),
    );
    let binding = kubepki::manifest::kubelet_api_admin_binding().to_yaml();
    let verdict = identity::calls_kubelets_once_bound(&machine, "kube-apiserver", &binding);
    report.check("kube-apiserver may call kubelets once it is bound", verdict);
    Ok(())
}

/// A node and an endpoint with an IPv6 address.
pub(crate) fn ipv6(report: &mut Report) -> Result {
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        report.skip("an API server on [::1]", "this machine's loopback interface has no IPv6");
        return Ok(());
    }
    let scratch = tempfile::tempdir()?;
    let cluster = cluster(KeyAlgorithm::EcdsaP256, Convention::Documented);
    let authorities = Authorities::create(&cluster, Time::now())?;
    let members = Members::start(&cluster, &authorities, scratch.path(), |_, _| Ok(()))?;
    let address = IpAddr::from(Ipv6Addr::LOCALHOST);
    let machine = Machine::new(&cluster, &authorities, address, scratch.path().join("cp-1"))?;
    let _api_server = machine.start_api_server(&members.etcd)?;
    report.check("kube-apiserver is ready for admin.conf", Ok(&machine.url));
    let manager = Identity::new("system:kube-controller-manager", &[]);
    let verdict = identity::is(&machine.kubeconfig(Role::ControllerManager), &manager);
    report.check("whoami controller-manager.conf", verdict);
    identity::serving_names(report, &machine, &["[::1]", "[fd00::1]", "10.96.0.1", "cp-1"]);
    Ok(())
}
