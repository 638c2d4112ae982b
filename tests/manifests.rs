//! Kubernetes objects, before the Go types of Kubernetes and before kubectl.

use kubepki::manifest::{self, Manifest, Subject};
use kubepki::token::{BootstrapSecret, BootstrapToken, ClusterInfo};
use kubepki::{
    Authorities, Certificate, Code, Credential, Impersonation, Issuer, Namespace, ObjectName, Role,
    SignerName, Time, role,
};
use serde_json::Value;

use crate::golden;
use crate::judges::{go_types, kubectl};
use crate::support::{fast_cluster, issuer, refused};

fn name(text: &str) -> ObjectName {
    text.parse().unwrap()
}

fn namespace() -> Namespace {
    "web".parse().unwrap()
}

fn signer() -> SignerName {
    "example.com/serving".parse().unwrap()
}

fn controller() -> Subject {
    Subject::ServiceAccount { namespace: "pki".parse().unwrap(), name: name("approver") }
}

fn credential() -> Credential {
    let profile = role::Service::new(&fast_cluster(), "shop.web.svc".parse().unwrap()).profile();
    issuer().issue(&profile, Time::now()).unwrap()
}

fn authority() -> Certificate {
    issuer().certificate().clone()
}

/// The objects that are the same each time.
fn constant() -> Vec<Manifest> {
    let tokens = "system:bootstrappers:kubeadm:default-node-token".parse().unwrap();
    let jane = Impersonation::new("jane@example.com").unwrap().group("developers").unwrap();
    let jane = jane.group("admins").unwrap().uid("06f6ce97").unwrap();
    let jane = jane.extra("scopes", "view").unwrap().extra("scopes", "development").unwrap();
    let jane = jane.extra("example.org/dn", "cn=jane,ou=engineers").unwrap();
    let account = Impersonation::new("system:serviceaccount:ci:runner").unwrap();
    let mut all = vec![
        manifest::cluster_admins_binding(),
        manifest::apiserver_kubelet_client_binding(),
        manifest::kubelet_api_admin_binding(),
        manifest::node_bootstrapper_binding(&tokens),
        manifest::node_approval_binding(&tokens),
        manifest::node_renewal_binding(),
    ];
    all.extend(manifest::node_reader(&tokens));
    all.extend(manifest::cluster_info_reader());
    all.extend([
        manifest::approver_role(&name("serving-approver"), &signer()),
        manifest::signer_role(&name("serving-signer"), &signer()),
        manifest::cluster_role_binding(&name("approve"), &name("serving-approver"), &controller()),
        manifest::role_binding(
            &namespace(),
            &name("read"),
            &name("reader"),
            &Subject::User("jane".parse().unwrap()),
        ),
        manifest::impersonator_role(&name("impersonator")),
    ]);
    all.extend(jane.roles(&name("as-jane")));
    all.extend(account.roles(&name("as-runner")));
    all.extend(account.group("auditors").unwrap().roles(&name("as-auditing-runner")));
    all
}

/// All kinds of objects.
fn all() -> Vec<Manifest> {
    let mut all = constant();
    all.extend([
        manifest::tls_secret(&namespace(), &name("shop"), &credential()),
        manifest::ca_config_map(&namespace(), &name("shop-ca"), &[authority()]).unwrap(),
        manifest::cluster_trust_bundle(None, &name("company"), &[authority()]).unwrap(),
        manifest::cluster_trust_bundle(Some(&signer()), &name("v1"), &[authority()]).unwrap(),
    ]);
    let token = BootstrapToken::generate().unwrap();
    let authorities = Authorities::create(&fast_cluster(), Time::now()).unwrap();
    all.extend([
        BootstrapSecret::new(&token).manifest(),
        BootstrapSecret::new(&token)
            .expires(Time::now())
            .groups(["system:bootstrappers:workers".parse().unwrap()])
            .description("for \"workers\"")
            .manifest(),
        ClusterInfo::new(&fast_cluster(), &authorities).unwrap().sign(&token).manifest(),
    ]);
    all
}

fn json(manifest: &Manifest) -> Value {
    serde_json::from_str(&manifest.to_json()).unwrap()
}

#[test]
fn kubernetes_reads_in_every_object_what_was_written() {
    let all = all();
    for write in [Manifest::to_yaml, Manifest::to_json] {
        let documents: Vec<_> = all.iter().map(|manifest| write(manifest).to_string()).collect();
        for (manifest, read) in all.iter().zip(go_types::reads(&documents)) {
            assert_eq!(read.as_ref(), Ok(&json(manifest)), "{manifest:?}");
        }
    }
}

#[test]
fn roles_and_bindings_are_those_that_a_person_has_reviewed() {
    let documents: Vec<_> = constant().iter().map(|manifest| manifest.to_yaml().to_string()).collect();
    golden::compare("rbac.yaml", &documents.join("---\n"));
}

#[test]
fn kubectl_makes_the_same_objects() {
    let directory = tempfile::tempdir().unwrap();
    let credential = credential();
    let path = |file: &str| directory.path().join(file).display().to_string();
    let [certificate, key, ca] = ["shop.crt", "shop.key", "ca.crt"].map(path);
    std::fs::write(&certificate, credential.chain_pem()).unwrap();
    std::fs::write(&key, credential.key().to_pem()).unwrap();
    std::fs::write(&ca, authority().to_pem()).unwrap();
    let secret = manifest::tls_secret(&namespace(), &name("shop"), &credential);
    let config_map = manifest::ca_config_map(&namespace(), &name("shop-ca"), &[authority()]).unwrap();
    let binding = manifest::cluster_role_binding(&name("approve"), &name("approver"), &controller());
    let jane = Subject::User("jane".parse().unwrap());
    let of_role = manifest::role_binding(&namespace(), &name("read"), &name("reader"), &jane);
    let admins = manifest::cluster_admins_binding();
    let group = "--group=kubeadm:cluster-admins";
    #[rustfmt::skip]
    let table: [(Manifest, &[&str]); 5] = [
        (secret, &["secret", "tls", "shop", "-n=web", "--cert", &certificate, "--key", &key]),
        (config_map, &["configmap", "shop-ca", "-n=web", "--from-file", &ca]),
        (binding, &["clusterrolebinding", "approve", "--clusterrole=approver", "--serviceaccount=pki:approver"]),
        (of_role, &["rolebinding", "read", "-n=web", "--role=reader", "--user=jane"]),
        (admins, &["clusterrolebinding", "kubeadm:cluster-admins", "--clusterrole=cluster-admin", group]),
    ];
    for (manifest, arguments) in table {
        let mut made: Value = serde_json::from_str(&kubectl::create(arguments).unwrap()).unwrap();
        made["metadata"].as_object_mut().unwrap().remove("creationTimestamp");
        assert_eq!(json(&manifest), made);
    }
}

#[test]
fn a_trust_bundle_is_named_after_its_signer() {
    let [company, of_signer] = [None, Some(&signer())]
        .map(|signer| json(&manifest::cluster_trust_bundle(signer, &name("v1"), &[authority()]).unwrap()));
    assert_eq!((&company["metadata"]["name"], &company["spec"]["signerName"]), (&"v1".into(), &Value::Null));
    assert_eq!(of_signer["metadata"]["name"], "example.com:serving:v1");
    assert_eq!(of_signer["spec"]["signerName"], "example.com/serving");
    assert_eq!(of_signer["spec"]["trustBundle"], authority().to_pem());
}

#[test]
fn what_clients_trust_are_different_authorities_of_a_bounded_size() {
    let leaf = credential().certificate().clone();
    let trust = |certificates: &[Certificate]| {
        let bundle = manifest::cluster_trust_bundle(Some(&signer()), &name("v1"), certificates);
        let config_map = manifest::ca_config_map(&namespace(), &name("ca"), certificates);
        [(bundle, "spec.trustBundle"), (config_map, "ca.crt")]
    };
    for (certificates, code, said) in [
        (vec![], Code::Malformed, "expected at least one certificate, found none"),
        (vec![authority(), leaf.clone()], Code::NotAnAuthority, "found the certificate"),
        (vec![authority(), authority()], Code::Invalid, "expected each certificate once"),
    ] {
        for (made, field) in trust(&certificates) {
            refused(made, code, &[field, said]);
        }
    }
    let authorities = Authorities::create(&fast_cluster(), Time::now()).unwrap();
    let two = [authority(), authorities.get(Role::KubernetesCa).unwrap().certificate().clone()];
    for (made, _) in trust(&two) {
        assert!(made.unwrap().to_yaml().contains("BEGIN CERTIFICATE"));
    }
}

#[test]
fn a_trust_bundle_holds_a_mebibyte_and_no_more() {
    let root = role::RootCa::new(&fast_cluster(), "r".repeat(253).parse().unwrap()).profile();
    let make = || Issuer::self_signed(&root, Time::now()).unwrap().certificate().clone();
    let first = make();
    let fitting = (1 << 20) / first.to_pem().len() - 5;
    let mut certificates: Vec<_> = std::iter::once(first).chain((1..fitting).map(|_| make())).collect();
    let bundle =
        |certificates: &[Certificate]| manifest::cluster_trust_bundle(None, &name("many"), certificates);
    assert!(bundle(&certificates).is_ok());
    certificates.extend((0..15).map(|_| make()));
    refused(bundle(&certificates), Code::Invalid, &["spec.trustBundle", "at most 1048576 bytes"]);
}

#[test]
fn debug_of_a_secret_shows_its_name_only() {
    let secret = manifest::tls_secret(&namespace(), &name("shop"), &credential());
    assert_eq!(format!("{secret:?}"), "Manifest(Secret shop)");
}
