//! Directories of kubeadm's that were damaged: check_pki refuses each, renew_pki mends it, and what runs on it runs.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use base64ct::{Base64, Encoding};
use kubepki::KeyAlgorithm;

use crate::audit::{findings, is_clean, renew};
use crate::existing::{accepted, description, runs};
use crate::forge::Forgery;
use crate::programs::output;
use crate::report::{Report, Result};
use crate::root::{Kubeadm, Root};

const ALGORITHM: KeyAlgorithm = KeyAlgorithm::EcdsaP256;

/// What is done to a directory, and the finding that names it.
struct Damage {
    id: &'static str,
    file: &'static str,
    what: &'static str,
    damage: fn(&Root) -> Result,
}

/// What renew_pki mends.
const MENDABLE: &[Damage] = &[
    Damage {
        id: "key-mismatch",
        file: "pki/apiserver-kubelet-client.key",
        what: "another certificate's key",
        damage: |root| copy(root, "pki/etcd/server.key", "pki/apiserver-kubelet-client.key"),
    },
    Damage {
        id: "san-missing",
        file: "pki/apiserver.crt",
        what: "another machine's names",
        damage: |root| {
            let extensions =
                ["extendedKeyUsage=serverAuth", "subjectAltName=DNS:elsewhere,DNS:kubernetes,IP:10.96.0.1"];
            forge(root, "pki/apiserver.crt", "pki/ca", "/CN=kube-apiserver", &extensions)
        },
    },
    Damage {
        id: "usage-missing",
        file: "pki/etcd/server.crt",
        what: "good for servers alone",
        damage: |root| {
            let names = "subjectAltName=DNS:cp-1,DNS:localhost,IP:192.0.2.10,IP:127.0.0.1,IP:::1";
            forge(
                root,
                "pki/etcd/server.crt",
                "pki/etcd/ca",
                "/CN=cp-1",
                &["extendedKeyUsage=serverAuth", names],
            )
        },
    },
    Damage {
        id: "wrong-issuer",
        file: "pki/front-proxy-client.crt",
        what: "issued by kubernetes-ca",
        damage: |root| client(root, "pki/front-proxy-client.crt", "/CN=front-proxy-client"),
    },
    Damage {
        id: "missing-file",
        file: "pki/apiserver-etcd-client.crt",
        what: "taken away, with its key",
        damage: |root| root.remove(&["pki/apiserver-etcd-client.crt", "pki/apiserver-etcd-client.key"]),
    },
    Damage {
        id: "malformed",
        file: "pki/etcd/peer.key",
        what: "cut in the middle of a line",
        damage: |root| {
            let file = root.kubernetes().join("pki/etcd/peer.key");
            let text = fs::read(&file)?;
            Ok(fs::write(file, &text[..text.len() / 2])?)
        },
    },
    Damage {
        id: "key-readable-by-others",
        file: "pki/etcd/healthcheck-client.key",
        what: "mode 0644",
        damage: |root| {
            let file = root.kubernetes().join("pki/etcd/healthcheck-client.key");
            Ok(fs::set_permissions(file, fs::Permissions::from_mode(0o644))?)
        },
    },
    Damage {
        id: "group-in-organizational-unit",
        file: "admin.conf",
        what: "OU for O",
        damage: |root| client(root, "admin.conf", "/OU=kubeadm:cluster-admins/CN=kubernetes-admin"),
    },
    Damage {
        id: "kubeconfig-authority-mismatch",
        file: "super-admin.conf",
        what: "trusts the front proxy's authority",
        damage: |root| {
            let other = fs::read(root.kubernetes().join("pki/front-proxy-ca.crt"))?;
            set(root, "super-admin.conf", "certificate-authority-data", &other)
        },
    },
    Damage {
        id: "group-unexpected",
        file: "controller-manager.conf",
        what: "in system:masters",
        damage: |root| {
            client(root, "controller-manager.conf", "/O=system:masters/CN=system:kube-controller-manager")
        },
    },
    Damage {
        id: "expired",
        file: "scheduler.conf",
        what: "from the year 2024",
        damage: |root| {
            let authority = root.kubernetes().join("pki/ca.crt");
            let forgery = Forgery {
                authority: &authority,
                subject: "/CN=system:kube-scheduler",
                extensions: &["extendedKeyUsage=clientAuth"],
                valid: Some(["20240101000000Z", "20250101000000Z"]),
            };
            let (certificate, key) = forgery.make()?;
            put(root, "scheduler.conf", &certificate, &key)
        },
    },
    Damage {
        id: "node-name-mismatch",
        file: "kubelet.conf",
        what: "another node's",
        damage: |root| client(root, "kubelet.conf", "/O=system:nodes/CN=system:node:other"),
    },
    Damage {
        id: "service-account-key-mismatch",
        file: "pki/sa.pub",
        what: "another key's half",
        damage: |root| {
            let key = root.kubernetes().join("pki/apiserver.key");
            let public = output(Command::new("openssl").args(["pkey", "-pubout", "-in"]).arg(key), "")?;
            Ok(fs::write(root.kubernetes().join("pki/sa.pub"), public)?)
        },
    },
];

/// What renew_pki must leave to people.
const BLOCKED: &[Damage] = &[
    Damage {
        id: "ca-key-mismatch",
        file: "pki/ca.key",
        what: "another authority's key",
        damage: |root| copy(root, "pki/front-proxy-ca.key", "pki/ca.key"),
    },
    Damage {
        id: "missing-file",
        file: "pki/front-proxy-ca.crt",
        what: "an authority taken away",
        damage: |root| root.remove(&["pki/front-proxy-ca.crt", "pki/front-proxy-ca.key"]),
    },
];

pub(crate) fn damages(report: &mut Report) -> Result {
    let whole = Root::new(ALGORITHM)?.fill(Kubeadm::Newest)?;
    for damage in MENDABLE {
        let root = whole.copy()?;
        (damage.damage)(&root)?;
        let what = damage.title();
        report.check(&format!("{what}: check_pki refuses it"), damage.is_found(&root));
        let mended = renew(&root, &[]).and_then(|(changed, said)| match changed.is_empty() {
            true => Err(format!("expected a change, found none: {said}").into()),
            false => is_clean(&root, &[], &[]).map(|_| format!("{changed:?}")),
        });
        report.check(&format!("{what}: renew_pki mends it"), mended);
    }
    for damage in BLOCKED {
        let root = whole.copy()?;
        (damage.damage)(&root)?;
        let what = damage.title();
        report.check(&format!("{what}: check_pki refuses it"), damage.is_found(&root));
        let before = root.everything()?;
        // Whether it then ends as a failure is its own affair.
        let said =
            renew(&root, &[]).map(|(_, said)| said).or_else(|error| Ok::<_, String>(error.to_string()))?;
        let verdict = match root.everything()? == before {
            true => Ok(said.lines().last().unwrap_or_default().to_owned()),
            false => Err(format!("expected that nothing is changed: {said}").into()),
        };
        report.check(&format!("{what}: renew_pki leaves it to people"), verdict);
    }

    let root = whole.copy()?;
    for damage in MENDABLE {
        (damage.damage)(&root)?;
    }
    // What the API server is called stands nowhere any more.
    let description = description(Kubeadm::Newest, ALGORITHM)?;
    let description: Vec<_> = description.iter().map(String::as_str).collect();
    let verdict = renew(&root, &description).and_then(|_| is_clean(&root, &description, &[]));
    report.check("all of them: renew_pki mends them", verdict);
    accepted(report, "all of them, mended", &root);
    runs(report, &root, Kubeadm::Newest, ALGORITHM)
}

impl Damage {
    fn title(&self) -> String {
        format!("{}, {}", self.file, self.what)
    }

    fn is_found(&self, root: &Root) -> Result<String> {
        let found = findings(root, &[])?;
        let ids: Vec<_> = found.iter().filter_map(|it| it["id"].as_str()).collect();
        match found
            .iter()
            .any(|it| it["id"] == self.id && it["file"] == self.file && it["severity"] == "error")
        {
            true => Ok(ids.join(", ")),
            false => Err(format!("expected {} in {}, found {found:?}", self.id, self.file).into()),
        }
    }
}

fn copy(root: &Root, from: &str, to: &str) -> Result {
    fs::copy(root.kubernetes().join(from), root.kubernetes().join(to))?;
    Ok(())
}

/// Puts another certificate for clients, issued by kubernetes-ca, in the place of one.
fn client(root: &Root, place: &str, subject: &str) -> Result {
    forge(root, place, "pki/ca", subject, &["extendedKeyUsage=clientAuth"])
}

fn forge(root: &Root, place: &str, authority: &str, subject: &str, extensions: &[&str]) -> Result {
    let authority = root.kubernetes().join(format!("{authority}.crt"));
    let (certificate, key) = Forgery { authority: &authority, subject, extensions, valid: None }.make()?;
    put(root, place, &certificate, &key)
}

/// Puts a certificate with its key where another was: a file with the key beside it, or a kubeconfig.
fn put(root: &Root, place: &str, certificate: &str, key: &str) -> Result {
    if place.ends_with(".conf") {
        set(root, place, "client-certificate-data", certificate.as_bytes())?;
        return set(root, place, "client-key-data", key.as_bytes());
    }
    let file = root.kubernetes().join(place);
    fs::write(&file, certificate)?;
    Ok(fs::write(file.with_extension("key"), key)?)
}

/// Gives a field of a kubeconfig other data.
fn set(root: &Root, place: &str, field: &str, data: &[u8]) -> Result {
    let file = root.kubernetes().join(place);
    let text: String = fs::read_to_string(&file)?
        .lines()
        .map(|line| match line.split_once(&format!("{field}: ")) {
            Some((indent, _)) => format!("{indent}{field}: {}\n", Base64::encode_string(data)),
            None => format!("{line}\n"),
        })
        .collect();
    Ok(fs::write(file, text)?)
}
