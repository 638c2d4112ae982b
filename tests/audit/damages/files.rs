//! Damages of files: what is there, what is in them, and who may read them.

use std::fs;
use std::os::unix::fs::symlink;

use kubepki::FindingId as Id;
use kubepki::Severity::{Error, Note, Warning};
use kubepki::{Authorities, KeyAlgorithm, Time};

use super::{Damage, Mend, all, damage, on, renewed_by_the_kubelet};
use crate::audit::machine::{ED25519, Kind, Machine, P256, P521, named, new_key};
use crate::support::openssl;

pub(super) fn files() -> Vec<Damage> {
    vec![
        damage("a certificate is gone", &[(Id::MissingFile, Error, "pki/apiserver.crt")], |m| {
            m.remove("pki/apiserver.crt");
        }),
        damage("a key is gone", &[(Id::MissingFile, Error, "pki/etcd/peer.key")], |m| {
            m.remove("pki/etcd/peer.key")
        }),
        damage("a kubeconfig is gone", &[(Id::MissingFile, Error, "scheduler.conf")], |m| {
            m.remove("scheduler.conf")
        }),
        on(Kind::Kubeadm, "admin.conf is gone", &[(Id::MissingFile, Error, "admin.conf")], |m| {
            m.remove("admin.conf")
        }),
        damage(
            "the public keys of service accounts are gone",
            &[(Id::MissingFile, Error, "pki/sa.pub")],
            |m| {
                m.remove("pki/sa.pub");
            },
        ),
        damage("the key of service accounts is gone", &[(Id::MissingFile, Error, "pki/sa.key")], |m| {
            m.remove("pki/sa.key");
        })
        .by_hand(&["pki/sa.key"]),
        damage("an authority is gone", &[(Id::MissingFile, Error, "pki/etcd/ca.crt")], |m| {
            m.remove("pki/etcd/ca.crt");
        })
        .by_hand(&["pki/etcd/ca.crt"]),
        damage("the key of an authority is gone", &[(Id::MissingFile, Error, "pki/ca.key")], |m| {
            m.remove("pki/ca.key");
        })
        .inferred(&[])
        .by_hand(&["pki/ca.key"]),
        damage(
            "the key of etcd's authority is gone",
            &[(Id::MissingFile, Warning, "pki/etcd/ca.key")],
            |m| m.remove("pki/etcd/ca.key"),
        )
        .inferred(&[])
        .by_hand(&["pki/etcd/ca.key"]),
        on(Kind::Worker, "a worker's authority is gone", &[(Id::MissingFile, Error, "pki/ca.crt")], |m| {
            m.remove("pki/ca.crt");
        })
        .by_hand(&["pki/ca.crt"]),
        on(Kind::Worker, "a worker's kubeconfig is gone", &[(Id::MissingFile, Error, "kubelet.conf")], |m| {
            m.remove("kubelet.conf");
        })
        .by_hand(&["kubelet.conf"]),
        on(
            Kind::Member,
            "an etcd member's key is gone",
            &[(Id::MissingFile, Error, "pki/etcd/server.key")],
            |m| {
                m.remove("pki/etcd/server.key");
            },
        )
        .by_hand(&["pki/etcd/server.key"]),
        on(
            Kind::Worker,
            "the certificate that the kubelet renews itself is gone",
            &[(Id::MissingFile, Error, "/var/lib/kubelet/pki/kubelet-client-current.pem")],
            |m| {
                renewed_by_the_kubelet(m);
                m.clear("/var/lib/kubelet/pki/kubelet-client-current.pem");
            },
        )
        .by_hand(&["kubelet.conf"]),
        damage(
            "a directory stands for a certificate",
            &[(Id::UnreadableFile, Error, "pki/apiserver.crt")],
            |m| {
                m.clear("pki/apiserver.crt");
                fs::create_dir(m.path("pki/apiserver.crt")).unwrap();
            },
        )
        .by_hand(&["pki/apiserver.crt"]),
        damage("a link leads nowhere", &[(Id::UnreadableFile, Error, "admin.conf")], |m| {
            m.clear("admin.conf");
            symlink("/nowhere", m.path("admin.conf")).unwrap();
        })
        .by_hand(&["admin.conf"]),
    ]
}

pub(super) fn contents() -> Vec<Damage> {
    vec![
        damage("a certificate's file holds a sentence", &[(Id::NotPem, Error, "pki/apiserver.crt")], |m| {
            m.write("pki/apiserver.crt", "see the other directory\n");
        }),
        damage("a certificate's file is empty", &[(Id::NotPem, Error, "pki/front-proxy-client.crt")], |m| {
            m.write("pki/front-proxy-client.crt", "");
        }),
        damage("a certificate is in DER", &[(Id::NotPem, Error, "pki/etcd/server.crt")], |m| {
            m.write("pki/etcd/server.crt", m.certificate("pki/etcd/server.crt").der());
        }),
        damage(
            "the public keys of service accounts are a sentence",
            &[(Id::NotPem, Error, "pki/sa.pub")],
            |m| {
                m.write("pki/sa.pub", "nothing\n");
            },
        ),
        damage("an authority's file holds a sentence", &[(Id::NotPem, Error, "pki/ca.crt")], |m| {
            m.write("pki/ca.crt", "nothing\n");
        })
        .by_hand(&["pki/ca.crt"]),
        damage("an authority's key is a sentence", &[(Id::NotPem, Error, "pki/etcd/ca.key")], |m| {
            m.write("pki/etcd/ca.key", "nothing\n");
        })
        .by_hand(&["pki/etcd/ca.key"]),
        damage("a kubeconfig's certificate is a sentence", &[(Id::NotPem, Error, "scheduler.conf")], |m| {
            m.kubeconfig("scheduler.conf", |it| {
                it.users[0].user.client_certificate_data = Some(b"nothing".into())
            });
        }),
        damage(
            "a certificate's file holds its key",
            &[(Id::WrongPemType, Error, "pki/etcd/peer.crt")],
            |m| {
                m.copy("pki/etcd/peer.key", "pki/etcd/peer.crt");
                m.mode("pki/etcd/peer.crt", 0o600);
            },
        ),
        damage(
            "a key's file holds its certificate",
            &[(Id::WrongPemType, Error, "pki/etcd/peer.key")],
            |m| {
                m.copy("pki/etcd/peer.crt", "pki/etcd/peer.key");
            },
        ),
        damage("a key's file holds its public half", &[(Id::WrongPemType, Error, "pki/sa.key")], |m| {
            m.copy("pki/sa.pub", "pki/sa.key");
        })
        .by_hand(&["pki/sa.key"]),
        damage("a kubeconfig's key is a certificate", &[(Id::WrongPemType, Error, "scheduler.conf")], |m| {
            m.kubeconfig("scheduler.conf", |it| {
                let certificate = it.users[0].user.client_certificate_data.clone().unwrap();
                it.users[0].user.client_key_data = Some(certificate.into());
            });
        }),
        damage("a certificate is cut off", &[(Id::Malformed, Error, "pki/apiserver.crt")], |m| {
            let bytes = m.read("pki/apiserver.crt");
            m.write("pki/apiserver.crt", &bytes[..bytes.len() / 2]);
        }),
        damage("a key is cut off", &[(Id::Malformed, Error, "pki/apiserver.key")], |m| {
            let bytes = m.read("pki/apiserver.key");
            m.write("pki/apiserver.key", &bytes[..bytes.len() / 2]);
        }),
        damage("an authority is cut off", &[(Id::Malformed, Error, "pki/front-proxy-ca.crt")], |m| {
            let bytes = m.read("pki/front-proxy-ca.crt");
            m.write("pki/front-proxy-ca.crt", &bytes[..bytes.len() / 2]);
        })
        .by_hand(&["pki/front-proxy-ca.crt"]),
        damage(
            "a certificate's block holds another structure",
            &[(Id::Malformed, Error, "pki/apiserver.crt")],
            |m| {
                let key = m.text("pki/apiserver.key");
                m.write("pki/apiserver.crt", key.replace("EC PRIVATE KEY", "CERTIFICATE"));
            },
        ),
        damage("a kubeconfig is no YAML", &[(Id::Malformed, Error, "scheduler.conf")], |m| {
            m.write("scheduler.conf", "apiVersion: v1\n\tkind: [");
        }),
        damage("a kubeconfig is another document", &[(Id::Malformed, Error, "scheduler.conf")], |m| {
            m.write("scheduler.conf", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n");
        }),
        damage("a key is encrypted", &[(Id::Unsupported, Error, "pki/apiserver.key")], |m| {
            let key = m.read("pki/apiserver.key");
            let arguments = ["pkcs8", "-topk8", "-passout", "pass:secret"];
            m.write("pki/apiserver.key", openssl(&arguments, &key).unwrap());
        }),
        damage("an authority's key is encrypted", &[(Id::Unsupported, Error, "pki/ca.key")], |m| {
            let key = m.read("pki/ca.key");
            let arguments = ["ec", "-aes128", "-passout", "pass:secret"];
            m.write("pki/ca.key", openssl(&arguments, &key).unwrap());
        })
        .by_hand(&["pki/ca.key"]),
        damage(
            "the key of service accounts signs no tokens",
            &[(Id::Unsupported, Error, "pki/sa.key")],
            |m| {
                m.write("pki/sa.key", new_key(ED25519));
            },
        )
        .by_hand(&["pki/sa.key"]),
        damage(
            "a serving key is on P-521",
            &all(Id::Unsupported, Warning, &[&["pki/apiserver.crt", "pki/apiserver.key"]]),
            |m| {
                m.forge("pki/apiserver.crt", |it| it.key = Some(P521));
            },
        ),
        damage(
            "a certificate has a critical extension that nobody knows",
            &[(Id::Unsupported, Error, "pki/apiserver.crt")],
            |m| m.forge("pki/apiserver.crt", |it| it.more = "1.2.3.4=critical,ASN1:NULL\n"),
        ),
        damage(
            "a certificate is signed by RSA-PSS",
            &[(Id::Unsupported, Warning, "pki/apiserver.crt")],
            |m| {
                signed_by_rsa(m);
                m.forge("pki/apiserver.crt", |it| it.options = PSS);
            },
        )
        .mend(Mend::Plan),
        damage(
            "something stands behind a certificate",
            &[(Id::TrailingData, Warning, "pki/apiserver.crt")],
            |m| {
                m.append("pki/apiserver.crt", "the end\n");
            },
        ),
        damage("something stands behind a key", &[(Id::TrailingData, Warning, "pki/etcd/peer.key")], |m| {
            m.append("pki/etcd/peer.key", "the end\n");
        }),
        damage("something stands behind an authority", &[(Id::TrailingData, Warning, "pki/ca.crt")], |m| {
            m.append("pki/ca.crt", "the end\n");
        }),
    ]
}

pub(super) fn modes() -> Vec<Damage> {
    vec![
        damage("anybody reads a key", &[(Id::KeyReadableByOthers, Error, "pki/sa.key")], |m| {
            m.mode("pki/sa.key", 0o644)
        }),
        damage("anybody reads an authority's key", &[(Id::KeyReadableByOthers, Error, "pki/ca.key")], |m| {
            m.mode("pki/ca.key", 0o604);
        }),
        damage("a group reads a kubeconfig", &[(Id::KeyReadableByOthers, Warning, "admin.conf")], |m| {
            m.mode("admin.conf", 0o640);
        }),
        damage(
            "a key stands behind its certificate",
            &[(Id::KeyReadableByOthers, Error, "pki/etcd/peer.crt")],
            |m| {
                m.append("pki/etcd/peer.crt", m.read("pki/etcd/peer.key"));
            },
        ),
        damage("anybody writes an authority", &[(Id::WritableByOthers, Error, "pki/ca.crt")], |m| {
            m.mode("pki/ca.crt", 0o666);
        }),
        damage("a group writes the public keys", &[(Id::WritableByOthers, Warning, "pki/sa.pub")], |m| {
            m.mode("pki/sa.pub", 0o620);
        }),
        damage("anybody writes a key", &[(Id::WritableByOthers, Error, "pki/apiserver.key")], |m| {
            m.mode("pki/apiserver.key", 0o622);
        }),
        on(
            Kind::Worker,
            "a worker has an authority's key",
            &[(Id::OutOfPlace, Warning, "pki/front-proxy-ca.key")],
            |m| m.write("pki/front-proxy-ca.key", new_key(P256)),
        )
        .inferred(&[])
        .by_hand(&["pki/front-proxy-ca.key"]),
        damage("a certificate is a link", &[(Id::SymbolicLink, Note, "pki/apiserver.crt")], |m| {
            m.copy("pki/apiserver.crt", "/srv/apiserver.crt");
            m.mode("/srv/apiserver.crt", 0o644);
            m.clear("pki/apiserver.crt");
            symlink("../../../srv/apiserver.crt", m.path("pki/apiserver.crt")).unwrap();
        })
        .left_alone(),
        damage("a file is nobody's", &[(Id::UnknownFile, Note, "pki/old/apiserver.crt")], |m| {
            m.copy("pki/apiserver.crt", "pki/old/apiserver.crt");
        })
        .left_alone(),
        damage("a kubeconfig is nobody's", &[(Id::UnknownFile, Note, "jane.conf")], |m| {
            m.copy("admin.conf", "jane.conf")
        })
        .left_alone(),
        damage(
            "the API server is another client of kubelets",
            &[(Id::DiffersFromConvention, Note, "pki/apiserver-kubelet-client.crt")],
            |m| {
                let subject = named("kube-apiserver-kubelet-client", &["kubeadm:cluster-admins"]);
                m.forge("pki/apiserver-kubelet-client.crt", |it| it.subject = subject);
            },
        )
        .left_alone(),
        on(
            Kind::Kubeadm,
            "an etcd member has another name",
            &[(Id::DiffersFromConvention, Note, "pki/etcd/peer.crt")],
            |m| m.forge("pki/etcd/peer.crt", |it| it.named("kube-etcd-peer", &[])),
        )
        .inferred(&[])
        .left_alone(),
        damage(
            "a server lacks a name that is a convention",
            &[(Id::DiffersFromConvention, Note, "pki/apiserver.crt")],
            |m| m.forge("pki/apiserver.crt", |it| it.without_san("DNS:kubernetes.default.svc.cluster")),
        )
        .left_alone(),
    ]
}

/// Gives a machine an RSA authority, which signs everything anew.
fn signed_by_rsa(machine: &mut Machine) {
    let cluster = machine.cluster.clone().key_algorithm(KeyAlgorithm::Rsa2048);
    let authorities = Authorities::create(&cluster, Time::now()).unwrap();
    let pki = authorities.first(&machine.cluster, &machine.node, machine.now).unwrap();
    for file in pki.files() {
        machine.write(file.path().to_str().unwrap(), file.bytes());
    }
    for file in authorities.files() {
        machine.write(&format!("/owner/{}", file.path().display()), file.bytes());
    }
}

/// As Go verifies it: with a salt as long as the digest.
const PSS: &[&str] = &["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"];
