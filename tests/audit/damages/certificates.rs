//! Damages of leaf certificates: how long they hold, what for, for whom, and how strong.

use kubepki::FindingId as Id;
use kubepki::Severity::{Error, Note, Warning};

use super::{AUTHORITIES, Damage, OF_ETCD, OF_FRONT_PROXY, OF_KUBERNETES, all, damage, expired, on};
use crate::audit::machine::{Forged, KUBECONFIGS, Kind, P256, RSA_512, RSA_1024, RSA_E3, days};

pub(super) fn validity() -> Vec<Damage> {
    let leaves: &[&[&str]] = &[OF_KUBERNETES, OF_ETCD, OF_FRONT_PROXY, &KUBECONFIGS];
    let everything: Vec<&[&str]> = [leaves, &[AUTHORITIES]].concat();
    vec![
        damage("a certificate has expired", &[(Id::Expired, Error, "pki/apiserver.crt")], |m| {
            m.forge("pki/apiserver.crt", expired);
        }),
        on(
            Kind::Kubeadm,
            "a kubeconfig's certificate has expired",
            &[(Id::Expired, Error, "admin.conf")],
            |m| {
                m.forge("admin.conf", expired);
            },
        ),
        on(
            Kind::Worker,
            "a worker's certificate has expired",
            &[(Id::Expired, Error, "pki/kubelet.crt")],
            |m| {
                m.forge("pki/kubelet.crt", expired);
            },
        )
        .by_hand(&["pki/kubelet.crt"]),
        damage("an old authority has expired", &[(Id::Expired, Warning, "pki/ca.crt")], |m| {
            let old = m.forged("pki/ca.crt", |it| {
                expired(it);
                (it.issuer, it.subject, it.key) = (None, "/CN=old".into(), Some(P256));
                it.identifier = "hash".into();
            });
            m.append("pki/ca.crt", old);
        })
        .by_hand(&["pki/ca.crt"]),
        damage("a year and a month have passed", &all(Id::Expired, Error, leaves), |m| {
            m.now = m.now.checked_add(days(395)).unwrap();
        }),
        damage(
            "an authority has expired",
            &[
                all(Id::Expired, Error, &[&["pki/etcd/ca.crt"]]),
                all(Id::OutlivesAuthority, Warning, &[OF_ETCD]),
            ]
            .concat(),
            |m| m.forge_authority("pki/etcd/ca.crt", expired),
        ),
        damage("eleven years have passed", &all(Id::Expired, Error, &everything), |m| {
            m.now = m.now.checked_add(days(11 * 365)).unwrap();
        }),
        damage(
            "a certificate expires in three days",
            &[(Id::ExpiresSoon, Warning, "pki/etcd/peer.crt")],
            |m| {
                let (from, until) = (m.now, m.now.checked_add(days(3)).unwrap());
                m.forge("pki/etcd/peer.crt", |it| it.valid(from.saturating_sub(days(362)), until));
            },
        ),
        damage("a year less three days has passed", &all(Id::ExpiresSoon, Warning, leaves), |m| {
            m.now = m.now.checked_add(days(362)).unwrap();
        }),
        damage("a certificate begins tomorrow", &[(Id::NotYetValid, Error, "pki/apiserver.crt")], |m| {
            let from = m.now.checked_add(days(1)).unwrap();
            m.forge("pki/apiserver.crt", |it| it.valid(from, from.checked_add(days(300)).unwrap()));
        }),
        damage("the clock is a day late", &all(Id::NotYetValid, Error, &everything), |m| {
            m.now = m.now.saturating_sub(days(1));
        })
        .by_clock(),
        damage(
            "a certificate ends after its authority",
            &[(Id::OutlivesAuthority, Warning, "pki/front-proxy-client.crt")],
            |m| {
                let until = m.now.checked_add(days(20 * 365)).unwrap();
                let from = m.now.saturating_sub(days(1));
                m.forge("pki/front-proxy-client.crt", |it| it.valid(from, until));
            },
        ),
    ]
}

pub(super) fn usages() -> Vec<Damage> {
    vec![
        damage("a server may not be one", &[(Id::UsageMissing, Error, "pki/etcd/server.crt")], |m| {
            m.forge("pki/etcd/server.crt", |it| it.extended = "clientAuth".into());
        }),
        damage(
            "a client may be a server only",
            &[(Id::UsageMissing, Error, "scheduler.conf"), (Id::UsageUnexpected, Warning, "scheduler.conf")],
            |m| m.forge("scheduler.conf", |it| it.extended = "serverAuth".into()),
        ),
        damage(
            "an etcd member may not call its peers",
            &[(Id::UsageMissing, Error, "pki/etcd/peer.crt")],
            |m| {
                m.forge("pki/etcd/peer.crt", |it| it.extended = "serverAuth".into());
            },
        ),
        damage(
            "an etcd server may not call itself",
            &[(Id::UsageMissing, Error, "pki/etcd/server.crt")],
            |m| {
                m.forge("pki/etcd/server.crt", |it| it.extended = "serverAuth".into());
            },
        ),
        on(Kind::Kubeadm, "a key may not sign", &[(Id::UsageMissing, Warning, "pki/apiserver.crt")], |m| {
            m.forge("pki/apiserver.crt", |it| it.usages = "keyEncipherment".into());
        }),
        on(
            Kind::Shared,
            "the one certificate of an API server is no client's",
            &[(Id::UsageMissing, Error, "pki/apiserver.crt")],
            |m| m.forge("pki/apiserver.crt", |it| it.extended = "serverAuth".into()),
        )
        .inferred(&[
            (Id::MissingFile, Error, "pki/apiserver-kubelet-client.crt"),
            (Id::MissingFile, Error, "pki/apiserver-kubelet-client.key"),
        ]),
        damage("the API server may be a client", &[(Id::UsageUnexpected, Error, "pki/apiserver.crt")], |m| {
            m.forge("pki/apiserver.crt", |it| it.extended = "serverAuth,clientAuth".into());
        }),
        damage("a server is good for anything", &[(Id::UsageUnexpected, Error, "pki/apiserver.crt")], |m| {
            m.forge("pki/apiserver.crt", |it| it.extended = "serverAuth,anyExtendedKeyUsage".into());
        }),
        damage(
            "a server is good for whatever",
            &[
                (Id::UsageUnexpected, Error, "pki/apiserver.crt"),
                (Id::UsageMissing, Warning, "pki/apiserver.crt"),
            ],
            |m| m.forge("pki/apiserver.crt", |it| it.extended = String::new()),
        ),
        on(
            Kind::Everything,
            "a kubelet's server is a client",
            &[(Id::UsageUnexpected, Error, "pki/kubelet.crt")],
            |m| m.forge("pki/kubelet.crt", |it| it.extended = "serverAuth,clientAuth".into()),
        ),
        on(
            Kind::Everything,
            "a front proxy's server is a client",
            &[(Id::UsageUnexpected, Warning, "pki/front-proxy-server.crt")],
            |m| m.forge("pki/front-proxy-server.crt", |it| it.extended = "serverAuth,clientAuth".into()),
        ),
        damage("a leaf is an authority", &[(Id::UsageUnexpected, Error, "pki/apiserver.crt")], |m| {
            m.forge("pki/apiserver.crt", |it| {
                (it.constraints, it.usages) = ("critical,CA:TRUE", "digitalSignature,keyCertSign".into());
            });
        }),
        damage("a client may be a server", &[(Id::UsageUnexpected, Warning, "scheduler.conf")], |m| {
            m.forge("scheduler.conf", |it| it.extended = "serverAuth,clientAuth".into());
        }),
        damage("a client may sign programs", &[(Id::UsageUnexpected, Warning, "admin.conf")], |m| {
            m.forge("admin.conf", |it| it.extended = "clientAuth,codeSigning".into());
        }),
    ]
}

pub(super) fn names() -> Vec<Damage> {
    vec![
        damage(
            "a server lacks the name of its service",
            &[(Id::SanMissing, Error, "pki/apiserver.crt")],
            |m| {
                m.forge("pki/apiserver.crt", |it| it.without_san("DNS:kubernetes.default.svc"));
            },
        ),
        damage(
            "a server lacks the address of its service",
            &[(Id::SanMissing, Error, "pki/apiserver.crt")],
            |m| {
                m.forge("pki/apiserver.crt", |it| it.without_san("IP:10.96.0.1"));
            },
        )
        .inferred(&[]),
        damage("a server lacks the endpoint", &[(Id::SanMissing, Error, "pki/apiserver.crt")], |m| {
            m.forge("pki/apiserver.crt", |it| it.without_san("DNS:api.example.com"));
        }),
        on(
            Kind::Kubeadm,
            "an etcd member lacks its address",
            &[(Id::SanMissing, Error, "pki/etcd/peer.crt")],
            |m| {
                m.forge("pki/etcd/peer.crt", |it| it.without_san("IP:192.0.2.10"));
            },
        ),
        damage("a server has no names at all", &[(Id::SanMissing, Error, "pki/etcd/server.crt")], |m| {
            m.forge("pki/etcd/server.crt", |it| it.sans = String::new());
        }),
        on(Kind::Worker, "a kubelet lacks its address", &[(Id::SanMissing, Error, "pki/kubelet.crt")], |m| {
            m.forge("pki/kubelet.crt", |it| it.without_san("IP:192.0.2.20"));
        })
        .inferred(&[])
        .by_hand(&["pki/kubelet.crt"]),
        damage("a server has one more name", &[(Id::SanUnexpected, Note, "pki/apiserver.crt")], |m| {
            m.forge("pki/apiserver.crt", |it| it.sans += ",DNS:other.example");
        })
        .inferred(&[])
        .left_alone(),
        damage(
            "a client has a name",
            &[(Id::ClientCertificateHasSan, Note, "pki/apiserver-etcd-client.crt")],
            |m| {
                m.forge("pki/apiserver-etcd-client.crt", |it| it.sans = "DNS:other.example".into());
            },
        )
        .left_alone(),
        damage("the scheduler is somebody else", &[(Id::WrongCommonName, Error, "scheduler.conf")], |m| {
            m.forge("scheduler.conf", |it| it.named("kube-scheduler", &[]));
        }),
        damage(
            "the front proxy is somebody else",
            &[(Id::WrongCommonName, Error, "pki/front-proxy-client.crt")],
            |m| {
                m.forge("pki/front-proxy-client.crt", |it| it.named("front-proxy", &[]));
            },
        ),
        damage("a kubelet is no node", &[(Id::WrongCommonName, Error, "kubelet.conf")], |m| {
            m.forge("kubelet.conf", |it| it.named("cp-1", &["system:nodes"]));
        }),
        damage("the scheduler has no name", &[(Id::WrongCommonName, Error, "scheduler.conf")], |m| {
            m.forge("scheduler.conf", |it| it.subject = "/".into());
        }),
        damage("an administrator has no group", &[(Id::GroupMissing, Error, "admin.conf")], |m| {
            m.forge("admin.conf", |it| it.named("kubernetes-admin", &[]));
        }),
        damage("a kubelet has no group", &[(Id::GroupMissing, Error, "kubelet.conf")], |m| {
            m.forge("kubelet.conf", |it| it.named("system:node:cp-1", &[]));
        }),
        on(
            Kind::Kubeadm,
            "the server lacks the address of the service",
            &[(Id::SanMissing, Error, "pki/apiserver.crt")],
            |m| {
                m.forge("pki/apiserver.crt", |it| {
                    let names = it.sans.split(',').filter(|name| !name.contains("10.96.0.1"));
                    it.sans = names.collect::<Vec<_>>().join(",");
                });
            },
        )
        .inferred(&[(Id::SanMissing, Warning, "pki/apiserver.crt")]),
        damage(
            "an administrator has a site's group",
            &[(Id::GroupMissing, Warning, "admin.conf"), (Id::GroupUnexpected, Warning, "admin.conf")],
            |m| {
                m.forge("admin.conf", |it| it.named("kubernetes-admin", &["site-admins"]));
            },
        )
        .by_hand(&["admin.conf"]),
        damage("the scheduler may do anything", &[(Id::GroupUnexpected, Error, "scheduler.conf")], |m| {
            m.forge("scheduler.conf", |it| it.named("system:kube-scheduler", &["system:masters"]));
        }),
        damage("a kubelet may do anything", &[(Id::GroupUnexpected, Error, "kubelet.conf")], |m| {
            m.forge("kubelet.conf", |it| it.named("system:node:cp-1", &["system:masters", "system:nodes"]));
        }),
        on(
            Kind::Kubeadm,
            "an administrator is one of before 1.29",
            &[(Id::GroupUnexpected, Warning, "admin.conf")],
            |m| {
                m.forge("admin.conf", |it| it.named("kubernetes-admin", &["system:masters"]));
            },
        )
        .by_hand(&["admin.conf"]),
        on(
            Kind::Kubeadm,
            "a client of etcd is an old kubeadm's",
            &[(Id::GroupUnexpected, Warning, "pki/apiserver-etcd-client.crt")],
            |m| {
                m.forge("pki/apiserver-etcd-client.crt", |it| {
                    it.named("kube-apiserver-etcd-client", &["system:masters"])
                })
            },
        ),
        damage(
            "a group stands in the organizational unit",
            &[(Id::GroupInOrganizationalUnit, Error, "super-admin.conf")],
            |m| {
                m.forge("super-admin.conf", |it| {
                    it.subject = "/OU=system:masters/CN=kubernetes-super-admin".into()
                })
            },
        ),
        damage("a kubelet is another node's", &[(Id::NodeNameMismatch, Error, "kubelet.conf")], |m| {
            m.forge("kubelet.conf", |it| it.named("system:node:cp-2", &["system:nodes"]));
        }),
        on(
            Kind::Worker,
            "a worker's kubelet is another node's",
            &[(Id::NodeNameMismatch, Error, "kubelet.conf")],
            |m| {
                m.forge("kubelet.conf", |it| it.named("system:node:w-2", &["system:nodes"]));
            },
        )
        .by_hand(&["kubelet.conf"]),
    ]
}

pub(super) fn strength() -> Vec<Damage> {
    vec![
        damage("a key has 1024 bits", &[(Id::WeakKey, Warning, "pki/apiserver.crt")], |m| {
            m.forge("pki/apiserver.crt", |it| rsa(it, RSA_1024));
        }),
        damage("a key has 512 bits", &[(Id::WeakKey, Error, "scheduler.conf")], |m| {
            m.forge("scheduler.conf", |it| rsa(it, RSA_512));
        }),
        damage("a key has the exponent 3", &[(Id::WeakKey, Warning, "admin.conf")], |m| {
            m.forge("admin.conf", |it| rsa(it, RSA_E3));
        }),
        damage("a signature is by SHA-1", &[(Id::WeakSignature, Error, "pki/apiserver.crt")], |m| {
            m.forge("pki/apiserver.crt", |it| it.digest = "sha1");
        }),
        on(
            Kind::Kubeadm,
            "a kubeconfig's certificate is signed by SHA-1",
            &[(Id::WeakSignature, Error, "admin.conf")],
            |m| {
                m.forge("admin.conf", |it| it.digest = "sha1");
            },
        ),
        damage(
            "two certificates have one serial number",
            &[(Id::DuplicateSerial, Warning, "pki/etcd/peer.crt")],
            |m| {
                m.forge("pki/etcd/server.crt", |it| it.serial = Some("0BAD".into()));
                m.forge("pki/etcd/peer.crt", |it| it.serial = Some("0BAD".into()));
            },
        ),
    ]
}

fn rsa(forged: &mut Forged, key: &'static [&'static str]) {
    forged.key = Some(key);
    forged.usages = "digitalSignature,keyEncipherment".into();
}
