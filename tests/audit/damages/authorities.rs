//! Damages of what belongs together: keys, signatures, authorities and trust.

use kubepki::FindingId as Id;
use kubepki::Severity::{Error, Note, Warning};

use super::{Damage, OF_ETCD, OF_KUBERNETES, all, damage, on};
use crate::audit::machine::{KUBECONFIGS, Kind, Machine, P256, kubeconfig_of, new_key};
use crate::support::openssl;

pub(super) fn pairs() -> Vec<Damage> {
    vec![
        damage("a key is another's", &[(Id::KeyMismatch, Error, "pki/apiserver.key")], |m| {
            m.copy("pki/front-proxy-client.key", "pki/apiserver.key");
        }),
        on(Kind::Kubeadm, "a key is new", &[(Id::KeyMismatch, Error, "pki/etcd/server.key")], |m| {
            m.write("pki/etcd/server.key", new_key(P256));
        }),
        on(Kind::Worker, "a worker's key is new", &[(Id::KeyMismatch, Error, "pki/kubelet.key")], |m| {
            m.write("pki/kubelet.key", new_key(P256));
        })
        .by_hand(&["pki/kubelet.key"]),
        damage("an authority's key is another's", &[(Id::CaKeyMismatch, Error, "pki/ca.key")], |m| {
            m.copy("pki/etcd/ca.key", "pki/ca.key");
        })
        .by_hand(&["pki/ca.key"]),
        damage(
            "the front proxy's authority is the second of its file",
            &[(Id::CaKeyMismatch, Error, "pki/front-proxy-ca.key")],
            |m| {
                let other = Machine::stranger().text("pki/front-proxy-ca.crt");
                m.write("pki/front-proxy-ca.crt", other + &m.text("pki/front-proxy-ca.crt"));
            },
        )
        .by_hand(&["pki/front-proxy-ca.crt"]),
        damage(
            "the key of the etcd authority is new",
            &[(Id::CaKeyMismatch, Error, "pki/etcd/ca.key")],
            |m| {
                m.write("pki/etcd/ca.key", new_key(P256));
            },
        )
        .by_hand(&["pki/etcd/ca.key"]),
        damage(
            "the key of the front proxy's authority is new",
            &[(Id::CaKeyMismatch, Error, "pki/front-proxy-ca.key")],
            |m| m.write("pki/front-proxy-ca.key", new_key(P256)),
        )
        .by_hand(&["pki/front-proxy-ca.key"]),
        damage(
            "sa.pub holds other keys only",
            &[(Id::ServiceAccountKeyMismatch, Error, "pki/sa.pub")],
            |m| m.write("pki/sa.pub", openssl(&["pkey", "-pubout"], &new_key(P256)).unwrap()),
        ),
        damage("sa.key is new", &[(Id::ServiceAccountKeyMismatch, Error, "pki/sa.pub")], |m| {
            m.write("pki/sa.key", new_key(P256));
        }),
        damage(
            "a certificate is the etcd authority's",
            &[(Id::WrongIssuer, Error, "pki/apiserver.crt")],
            |m| {
                m.forge("pki/apiserver.crt", |it| it.issuer = Some("etcd/ca"));
            },
        ),
        damage("a client is another cluster's", &[(Id::WrongIssuer, Error, "scheduler.conf")], |m| {
            let other = Machine::stranger();
            let theirs = other.certificate("scheduler.conf").to_pem();
            let theirs_key = kubeconfig_of(&other.read("scheduler.conf")).unwrap();
            m.kubeconfig("scheduler.conf", |it| {
                it.users[0].user.client_certificate_data = Some(theirs.into());
                it.users[0].user.client_key_data.clone_from(&theirs_key.users[0].user.client_key_data);
            });
        }),
        damage(
            "the authority is named by another key identifier",
            &[(Id::WrongIssuer, Warning, "pki/apiserver.crt")],
            |m| {
                m.forge("pki/apiserver.crt", |it| {
                    it.authority_identifier = "";
                    it.more = "2.5.29.35=DER:30:08:80:06:01:02:03:04:05:06\n";
                });
            },
        ),
        damage(
            "a server has the name of its authority, and nothing tells them apart",
            &[
                (Id::NamedLikeAuthority, Warning, "pki/apiserver.crt"),
                (Id::DiffersFromConvention, Note, "pki/apiserver.crt"),
            ],
            |m| {
                m.forge("pki/apiserver.crt", |it| {
                    it.authority_identifier = "";
                    it.subject = "/CN=kubernetes-ca".into();
                });
            },
        ),
        damage("a certificate signed itself", &[(Id::WrongIssuer, Error, "pki/apiserver.crt")], |m| {
            m.forge("pki/apiserver.crt", |it| (it.issuer, it.authority_identifier) = (None, ""));
        }),
        damage(
            "the etcd authority is another one, with its key",
            &all(Id::WrongIssuer, Error, &[OF_ETCD]),
            |m| {
                let other = Machine::stranger();
                for file in ["pki/etcd/ca.crt", "pki/etcd/ca.key"] {
                    m.write(file, other.read(file));
                }
            },
        ),
        damage(
            "the Kubernetes authority is another one, with its key",
            &[
                all(Id::WrongIssuer, Error, &[OF_KUBERNETES, &KUBECONFIGS]),
                all(Id::KubeconfigAuthorityMismatch, Error, &[&KUBECONFIGS]),
            ]
            .concat(),
            |m| {
                let other = Machine::stranger();
                for file in ["pki/ca.crt", "pki/ca.key"] {
                    m.write(file, other.read(file));
                }
            },
        ),
        damage("a signature has a wrong bit", &[(Id::BadSignature, Error, "pki/apiserver.crt")], |m| {
            let mut der = m.certificate("pki/apiserver.crt").der().to_vec();
            *der.last_mut().unwrap() ^= 1;
            m.write("pki/apiserver.crt", openssl(&["x509", "-inform", "DER"], &der).unwrap());
        }),
    ]
}

pub(super) fn authorities() -> Vec<Damage> {
    vec![
        damage("an authority is none", &[(Id::NotAnAuthority, Error, "pki/etcd/ca.crt")], |m| {
            m.forge_authority("pki/etcd/ca.crt", |it| it.constraints = "critical,CA:FALSE");
        })
        .by_hand(&["pki/etcd/ca.crt"]),
        damage(
            "an authority does not say that it is one",
            &[(Id::NotAnAuthority, Error, "pki/ca.crt")],
            |m| {
                m.forge_authority("pki/ca.crt", |it| it.constraints = "");
            },
        ),
        damage("an authority may not sign", &[(Id::AuthorityUsageMissing, Error, "pki/ca.crt")], |m| {
            m.forge_authority("pki/ca.crt", |it| it.usages = "digitalSignature,cRLSign".into());
        }),
        damage(
            "the etcd authority is for servers only",
            &[(Id::AuthorityUsageMissing, Error, "pki/etcd/ca.crt")],
            |m| m.forge_authority("pki/etcd/ca.crt", |it| it.extended = "serverAuth".into()),
        ),
    ]
}

pub(super) fn trust() -> Vec<Damage> {
    vec![
        damage(
            "the Kubernetes authority is that of the front proxy too",
            &[
                (Id::SharedFrontProxyAuthority, Error, "pki/front-proxy-ca.crt"),
                (Id::DiffersFromConvention, Note, "pki/front-proxy-ca.crt"),
            ],
            |m| {
                m.copy("pki/ca.crt", "pki/front-proxy-ca.crt");
                m.copy("pki/ca.key", "pki/front-proxy-ca.key");
                m.forge("pki/front-proxy-client.crt", |it| it.issuer = Some("ca"));
            },
        )
        .inferred(&[(Id::SharedFrontProxyAuthority, Error, "pki/front-proxy-ca.crt")])
        .by_hand(&["pki/front-proxy-ca.crt", "pki/front-proxy-ca.key", "pki/front-proxy-client.crt"]),
        damage(
            "the authority of etcd is that of the front proxy too",
            &[
                (Id::SharedFrontProxyAuthority, Error, "pki/front-proxy-ca.crt"),
                (Id::DiffersFromConvention, Note, "pki/front-proxy-ca.crt"),
            ],
            |m| {
                m.copy("pki/etcd/ca.crt", "pki/front-proxy-ca.crt");
                m.copy("pki/etcd/ca.key", "pki/front-proxy-ca.key");
                m.forge("pki/front-proxy-client.crt", |it| it.issuer = Some("etcd/ca"));
            },
        )
        .inferred(&[(Id::SharedFrontProxyAuthority, Error, "pki/front-proxy-ca.crt")])
        .by_hand(&["pki/front-proxy-ca.crt", "pki/front-proxy-ca.key", "pki/front-proxy-client.crt"]),
        damage(
            "the Kubernetes authority is that of etcd too",
            &[
                (Id::SharedEtcdAuthority, Error, "pki/etcd/ca.crt"),
                (Id::DiffersFromConvention, Note, "pki/etcd/ca.crt"),
            ],
            |m| {
                m.copy("pki/ca.crt", "pki/etcd/ca.crt");
                m.copy("pki/ca.key", "pki/etcd/ca.key");
                for file in OF_ETCD {
                    m.forge(file, |it| it.issuer = Some("ca"));
                }
            },
        )
        .inferred(&[(Id::SharedEtcdAuthority, Error, "pki/etcd/ca.crt")])
        .by_hand(&[
            "pki/etcd/ca.crt",
            "pki/etcd/ca.key",
            "pki/apiserver-etcd-client.crt",
            "pki/etcd/server.crt",
            "pki/etcd/peer.crt",
            "pki/etcd/healthcheck-client.crt",
        ]),
        on(
            Kind::BelowRoot,
            "a trust file holds the root",
            &[(Id::SharedTrustAnchor, Error, "pki/etcd/ca.crt")],
            |m| m.append("pki/etcd/ca.crt", m.read("/owner/root.crt")),
        )
        .by_hand(&["pki/etcd/ca.crt"]),
    ]
}
