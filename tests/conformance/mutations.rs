//! Rules that are broken on purpose: each must turn a check red that is green otherwise.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use kubepki::kubeconfig::Kubeconfig;
use kubepki::{
    Authorities, Certificate, Cluster, Code, Convention, Credential, Issuer, KeyAlgorithm,
    KubeletClientCertificate, Layout, Part, PrivateKey, Profile, Role, Signer as _, Time, role,
};

use crate::control_plane::{Machine, Members, NODE};
use crate::forge::Forgery;
use crate::identity;
use crate::report::{Report, Result};
use crate::support::{self, control_plane};
use crate::trust;

/// A healthy etcd has long said so.
const TOO_LONG: Duration = Duration::from_secs(12);

pub(crate) fn mutations(report: &mut Report) -> Result {
    let scratch = tempfile::tempdir()?;
    let cluster = support::cluster(KeyAlgorithm::EcdsaP256, Convention::Documented);
    let authorities = Authorities::create(&cluster, Time::now())?;
    let directory = |name: &str| scratch.path().join(name);

    server_without_client_authentication(report, &cluster, &authorities, &directory("server"))?;
    peer_without_its_address(report, &cluster, &authorities, &directory("peer"))?;
    let mut members = Members::start(&cluster, &authorities, &directory("etcd"), |_, _| Ok(()))?;
    members.healthy()?;
    let machine =
        |name: &str| Machine::new(&cluster, &authorities, Ipv4Addr::LOCALHOST.into(), directory(name));
    kubelet_in_another_group(report, &machine("kubelet")?, &members)?;
    one_authority_for_two(report, &machine("front-proxy")?, &members)?;
    other_service_account_key(report, &machine("service-account")?, &members)
}

fn server_without_client_authentication(
    report: &mut Report,
    cluster: &Cluster,
    authorities: &Authorities,
    directory: &Path,
) -> Result {
    let mut members = Members::start(cluster, authorities, directory, |own, node| {
        // A kubelet's serving certificate has the same names, for the server's part alone.
        let profile = role::KubeletServer::new(cluster, node).profile();
        replace(own, Role::EtcdServer, authorities, &profile)
    })?;
    members.healthy()?;
    report.mutation(
        "no client authentication in etcd/server.crt",
        "etcd's logs",
        "incompatible key usage",
        members.log_is_clean(),
    );
    Ok(())
}

fn peer_without_its_address(
    report: &mut Report,
    cluster: &Cluster,
    authorities: &Authorities,
    directory: &Path,
) -> Result {
    let shared = cluster.clone().kubelet_client_certificate(KubeletClientCertificate::Shared);
    let mut members = Members::start(cluster, authorities, directory, |own, _| {
        // Good for servers and clients as well, but on a machine with another address.
        let profile = role::ApiServer::new(&shared, &control_plane("elsewhere", "192.0.2.99")).profile();
        replace(own, Role::EtcdPeer, authorities, &profile)
    })?;
    report.mutation(
        "no address of the member in etcd/peer.crt",
        "etcd is healthy",
        "not 127.0.0.1",
        members.healthy_within(TOO_LONG),
    );
    Ok(())
}

fn kubelet_in_another_group(report: &mut Report, machine: &Machine, members: &Members) -> Result {
    let _api_server = machine.start_api_server(&members.etcd)?;
    let authority = machine.ca();
    let forgery = Forgery {
        authority: &authority,
        subject: &format!("/O=kubelets/CN=system:node:{NODE}"),
        extensions: &["extendedKeyUsage=clientAuth"],
        valid: None,
    };
    let (certificate, key) = forgery.make()?;
    let certificate = Certificate::from_pem(certificate.as_bytes())?;
    let credential = Credential::new(certificate, PrivateKey::from_pem(key.as_bytes())?)?;
    let kubeconfig = Kubeconfig::for_user(&machine.cluster, &machine.authorities, &credential)?;
    let path = machine.kubeconfig(Role::KubeletClient);
    fs::write(&path, kubeconfig.to_yaml().as_bytes())?;
    report.mutation(
        "another O in kubelet.conf",
        "whoami kubelet.conf",
        "found system:node:cp-1 in kubelets",
        identity::kubelet_is_its_node(&path).map(|it| it.to_string()),
    );
    report.mutation(
        "another O in kubelet.conf",
        "kubelet.conf may read its own node",
        "cannot get resource \"nodes\"",
        identity::kubelet_reads_its_node(&path),
    );
    Ok(())
}

/// Our own call refuses such authorities, so the files are made to be so.
fn one_authority_for_two(report: &mut Report, machine: &Machine, members: &Members) -> Result {
    let now = Time::now();
    let issuer = Issuer::self_signed(&role::KubernetesCa::new(&machine.cluster).profile(), now)?;
    let two = [Role::KubernetesCa, Role::FrontProxyCa].map(|role| (role, issuer.clone()));
    let refused = Authorities::from_issuers(two, PrivateKey::generate(KeyAlgorithm::EcdsaP256)?);
    report.check(
        "kubepki refuses one authority for clients and the front proxy",
        match refused {
            Err(error) if error.code() == Code::SharedAuthority => Ok(error.to_string()),
            other => Err(format!("expected shared-authority, found {other:?}").into()),
        },
    );

    fs::copy(machine.ca(), machine.path(Role::FrontProxyCa, Part::Certificate))?;
    let _api_server = machine.start_api_server(&members.etcd)?;
    let profile = role::FrontProxyClient::new(&machine.cluster).profile();
    let client = machine.issue(Role::KubernetesCa, &profile)?;
    report.mutation(
        "one authority for clients and the front proxy",
        "front-proxy headers, a client front-proxy-client of kubernetes-ca",
        "found eve in system:masters",
        trust::headers_are_believed_of_the_front_proxy_only(machine, Role::KubernetesCa, &client),
    );
    Ok(())
}

fn other_service_account_key(report: &mut Report, machine: &Machine, members: &Members) -> Result {
    let other = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    fs::write(machine.path(Role::ServiceAccount, Part::PublicKey), other.public_key().to_pem())?;
    let _api_server = machine.start_api_server(&members.etcd)?;
    report.mutation(
        "a sa.pub of another key",
        "a token signed with sa.key is accepted",
        "found 401",
        identity::token_is_accepted(machine).map(|it| it.to_string()),
    );
    Ok(())
}

/// Puts a certificate of etcd's authority in the place of another.
fn replace(directory: &Path, place: Role, authorities: &Authorities, profile: &Profile) -> Result {
    let issuer = authorities.get(Role::EtcdCa).and_then(|it| it.issuer()).expect("an authority with a key");
    let credential = issuer.issue(profile, Time::now())?;
    let path = |part| Layout::new(directory).path(place, part).expect("a pair");
    fs::write(path(Part::Certificate), credential.chain_pem())?;
    fs::write(path(Part::Key), credential.key().to_pem().as_bytes())?;
    Ok(())
}
