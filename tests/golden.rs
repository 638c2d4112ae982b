//! What each role's certificate and kubeconfig is in both conventions, held against tables that a person can review.
//! `UPDATE_GOLDEN=1 cargo test golden` writes them anew.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use kubepki::kubeconfig::Kubeconfig;
use kubepki::{
    Authorities, Certificate, Cluster, Component, Convention, Expected, FindingId, KeyAlgorithm, Node, Part,
    Pki, Role, Time, manifest,
};

use crate::support::{cluster, control_plane, issue};

#[test]
fn every_role_is_what_the_documentation_says() {
    compare("documented.md", &tables(Convention::Documented));
}

#[test]
fn every_role_is_what_kubeadm_makes() {
    compare("kubeadm.md", &tables(Convention::Kubeadm));
}

#[test]
fn every_finding_is_in_the_documentation() {
    let mut text = "# Findings\n\n\
        What an audit may say, from the table of `src/finding.rs`. Where a finding has several severities, the role and how far\n\
        it goes decide. What it brings along follows from the same mistake.\n\n\
        | id | severity | meaning | brings along |\n|---|---|---|---|\n"
        .to_owned();
    for id in FindingId::all() {
        let severities: Vec<_> = id.severities().iter().map(|severity| severity.id()).collect();
        let brings: Vec<_> = id.brings().iter().map(|id| format!("`{id}`")).collect();
        let (severities, brings) = (severities.join(", "), brings.join(", "));
        writeln!(text, "| `{id}` | {severities} | {} | {brings} |", id.description()).unwrap();
    }
    compare_file("docs/findings.md", &text);
}

/// Compares with a golden file, line by line.
pub(crate) fn compare(name: &str, found: &str) {
    compare_file(&format!("tests/golden/{name}"), found);
}

fn compare_file(name: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, found).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    let hint = format!("{}: UPDATE_GOLDEN=1 writes it anew", path.display());
    for (expected, found) in expected.lines().zip(found.lines()) {
        assert_eq!(expected, found, "{hint}");
    }
    assert_eq!(expected.lines().count(), found.lines().count(), "{hint}");
}

/// A dual-stack cluster with a node of each kind, so that every role and rule is seen.
fn tables(convention: Convention) -> String {
    let [rsa, ec] = [KeyAlgorithm::Rsa2048, KeyAlgorithm::EcdsaP256].map(|algorithm| {
        let cluster = cluster(algorithm, convention);
        let authorities = Authorities::create(&cluster, Time::now()).unwrap();
        nodes().map(|(_, node)| issue(&authorities, &cluster, &node))
    });
    let mut text = format!(
        "# Certificates and kubeconfigs, convention {convention:?}\n\n\
         Endpoint api.example.com:6443, services 10.96.0.0/12 and fd00::/108. `!` marks a critical extension.\n",
    );
    for ((title, _), (pki, pki_ec)) in nodes().iter().zip(rsa.iter().zip(&ec)) {
        write!(text, "\n## {title}\n\n").unwrap();
        certificate_table(&mut text, pki, pki_ec);
        kubeconfig_table(&mut text, pki);
    }
    arguments(&mut text, &cluster(KeyAlgorithm::Rsa2048, convention));
    text
}

fn nodes() -> [(&'static str, Node); 3] {
    let worker = Node::worker("w-1".parse().unwrap()).addresses(["192.0.2.20".parse().unwrap()]);
    let member = Node::etcd_member("etcd-1".parse().unwrap(), "2001:db8::30".parse().unwrap());
    let front_proxy = ["proxy.example.com".parse().unwrap()];
    [
        (
            "First control-plane node: cp-1, 192.0.2.10, with a kube-proxy and a front proxy",
            control_plane("cp-1", "192.0.2.10").kube_proxy().front_proxy_server(front_proxy),
        ),
        ("Worker: w-1, 192.0.2.20", worker),
        ("etcd member: etcd-1, 2001:db8::30", member),
    ]
}

fn certificate_table(text: &mut String, pki: &Pki, pki_ec: &Pki) {
    row(
        text,
        ["role", "files", "signed by", "subject", "usages", "usages with an EC key", "SANs", "extensions"],
    );
    row(text, ["---"; 8]);
    for ((role, certificate), (_, certificate_ec)) in certificates(pki).iter().zip(certificates(pki_ec)) {
        let extensions = certificate.extensions();
        row(
            text,
            [
                role.id(),
                &files(pki, *role),
                &certificate.issuer().to_string(),
                &certificate.subject().to_string(),
                &list(certificate.usages()),
                &list(certificate_ec.usages()),
                &list(certificate.sans()),
                &list(extensions.map(|(oid, critical)| {
                    format!("{}{}", extension(&oid), if critical { "!" } else { "" })
                })),
            ],
        );
    }
    let service_account = files(pki, Role::ServiceAccount);
    if !service_account.is_empty() {
        row(text, ["service-account", &service_account, "", "", "", "", "", ""]);
    }
}

/// The first certificate of each role.
fn certificates(pki: &Pki) -> Vec<(Role, Certificate)> {
    let authorities =
        pki.files().filter(|file| file.part() == Part::Certificate && file.role().is_authority());
    let authorities =
        authorities.map(|file| (file.role(), Certificate::from_pem(file.bytes()).unwrap().remove(0)));
    let leaves = pki.credentials().map(|(role, credential)| (role, credential.certificate().clone()));
    authorities.chain(leaves).collect()
}

fn kubeconfig_table(text: &mut String, pki: &Pki) {
    let mut files = pki.files().filter(|file| file.part() == Part::Kubeconfig).peekable();
    if files.peek().is_none() {
        return;
    }
    text.push('\n');
    row(text, ["kubeconfig", "cluster", "context", "user", "server"]);
    row(text, ["---"; 5]);
    for file in files {
        let kubeconfig = Kubeconfig::from_yaml(file.bytes()).unwrap();
        assert_eq!(kubeconfig.current_context, kubeconfig.contexts[0].name);
        row(
            text,
            [
                &file.path().display().to_string(),
                &kubeconfig.clusters[0].name,
                &kubeconfig.contexts[0].name,
                &kubeconfig.users[0].name,
                &kubeconfig.clusters[0].cluster.server,
            ],
        );
    }
}

fn arguments(text: &mut String, cluster: &Cluster) {
    for component in Component::ALL {
        let (_, node) = &nodes()[usize::from(component == Component::Kubelet)];
        let expected = Expected::new(cluster, node);
        write!(
            text,
            "\n## Arguments of {component}\n\n```\n{}\n```\n",
            expected.arguments(component).join("\n")
        )
        .unwrap();
        if component == Component::Kubelet {
            write!(text, "\n```yaml\n{}```\n", *manifest::kubelet_configuration(&expected).to_yaml())
                .unwrap();
        }
    }
}

fn row<const N: usize>(text: &mut String, cells: [&str; N]) {
    writeln!(text, "| {} |", cells.join(" | ")).unwrap();
}

fn files(pki: &Pki, role: Role) -> String {
    list(
        pki.files()
            .filter(|file| file.role() == role)
            .map(|file| format!("{} {:o}", file.path().display(), file.mode())),
    )
}

fn extension(oid: &str) -> &str {
    match oid {
        "2.5.29.14" => "subjectKeyIdentifier",
        "2.5.29.15" => "keyUsage",
        "2.5.29.17" => "subjectAltName",
        "2.5.29.19" => "basicConstraints",
        "2.5.29.35" => "authorityKeyIdentifier",
        "2.5.29.37" => "extKeyUsage",
        other => panic!("unexpected extension {other}"),
    }
}

fn list(items: impl IntoIterator<Item = impl ToString>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}
