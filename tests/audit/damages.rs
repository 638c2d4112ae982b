//! The table of damages: what each does to a good machine, and exactly what an audit then says.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;

use kubepki::FindingId as Id;
use kubepki::Severity::{Error, Note, Warning};
use kubepki::kubeconfig::{NamedUser, User};
use kubepki::{FindingId, Severity};

use super::machine::{
    ED25519, Forged, KINDS, KUBECONFIGS, Kind, Knowledge, Machine, P256, P521, RSA_512, RSA_1024, RSA_E3,
    Said, days, named, new_key,
};
use crate::support::{authority, openssl};

/// One way to damage a machine.
pub(crate) struct Damage {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) damage: fn(&mut Machine),
    /// What is said with a description; the first is what the damage is about.
    pub(crate) described: Vec<Said>,
    /// What is said from the files alone, where that differs.
    pub(crate) inferred: Option<Vec<Said>>,
    pub(crate) mend: Mend,
}

/// How a damage is mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mend {
    /// By the plan alone.
    Plan,
    /// By somebody who puts these files back; the plan says what blocks it.
    Files(&'static [&'static str]),
    /// By setting the clock.
    Clock,
    /// Not at all: there is nothing to do.
    Nothing,
}

impl Damage {
    fn inferred(self, said: &[Said]) -> Self {
        Self { inferred: Some(said.to_vec()), ..self }
    }

    fn mend(self, mend: Mend) -> Self {
        Self { mend, ..self }
    }

    /// By putting these files back.
    fn by_hand(self, files: &'static [&'static str]) -> Self {
        self.mend(Mend::Files(files))
    }

    fn left_alone(self) -> Self {
        self.mend(Mend::Nothing)
    }

    fn by_clock(self) -> Self {
        self.mend(Mend::Clock)
    }

    pub(crate) fn said(&self, knowledge: Knowledge) -> BTreeSet<(FindingId, Severity, String)> {
        let said = match (knowledge, &self.inferred) {
            (Knowledge::Inferred, Some(said)) => said,
            _ => &self.described,
        };
        said.iter().map(|(id, severity, file)| (*id, *severity, (*file).to_owned())).collect()
    }

    /// A good machine, and the same one damaged.
    pub(crate) fn machine(&self) -> Machine {
        let mut machine = Machine::new(self.kind);
        (self.damage)(&mut machine);
        machine
    }
}

/// A damage of a control-plane node that the plan mends, unless it is said otherwise.
fn damage(name: &'static str, said: &[Said], damage: fn(&mut Machine)) -> Damage {
    on(Kind::ControlPlane, name, said, damage)
}

fn on(kind: Kind, name: &'static str, said: &[Said], damage: fn(&mut Machine)) -> Damage {
    Damage { name, kind, damage, described: said.to_vec(), inferred: None, mend: Mend::Plan }
}

/// The same finding about several files.
fn all(id: FindingId, severity: Severity, files: &[&[&'static str]]) -> Vec<Said> {
    files.iter().copied().flatten().map(|file| (id, severity, *file)).collect()
}

/// As Go verifies it: with a salt as long as the digest.
const PSS: &[&str] = &["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"];
const OF_KUBERNETES: &[&str] = &["pki/apiserver.crt", "pki/apiserver-kubelet-client.crt"];
const OF_ETCD: &[&str] = &[
    "pki/apiserver-etcd-client.crt",
    "pki/etcd/server.crt",
    "pki/etcd/peer.crt",
    "pki/etcd/healthcheck-client.crt",
];
const OF_FRONT_PROXY: &[&str] = &["pki/front-proxy-client.crt"];
const AUTHORITIES: &[&str] = &["pki/ca.crt", "pki/etcd/ca.crt", "pki/front-proxy-ca.crt"];

/// Every damage, in the order of [`FindingId`].
pub(crate) fn damages() -> Vec<Damage> {
    [
        files(),
        contents(),
        pairs(),
        validity(),
        authorities(),
        usages(),
        names(),
        strength(),
        trust(),
        kubeconfigs(),
        modes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn files() -> Vec<Damage> {
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

fn contents() -> Vec<Damage> {
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

fn pairs() -> Vec<Damage> {
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
            let theirs_key = super::machine::kubeconfig_of(&other.read("scheduler.conf")).unwrap();
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

fn validity() -> Vec<Damage> {
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

fn authorities() -> Vec<Damage> {
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

fn usages() -> Vec<Damage> {
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

fn names() -> Vec<Damage> {
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
        damage(
            "an administrator has a site's group",
            &[(Id::GroupMissing, Warning, "admin.conf"), (Id::GroupUnexpected, Warning, "admin.conf")],
            |m| {
                m.forge("admin.conf", |it| it.named("kubernetes-admin", &["site-admins"]));
            },
        ),
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
        ),
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

fn strength() -> Vec<Damage> {
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

fn trust() -> Vec<Damage> {
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

fn kubeconfigs() -> Vec<Damage> {
    vec![
        damage(
            "a kubeconfig has no current context",
            &[(Id::KubeconfigIncomplete, Error, "scheduler.conf")],
            |m| {
                m.kubeconfig("scheduler.conf", |it| it.current_context = String::new());
            },
        ),
        damage(
            "a kubeconfig's context is of nobody",
            &[(Id::KubeconfigIncomplete, Error, "scheduler.conf")],
            |m| {
                m.kubeconfig("scheduler.conf", |it| it.contexts[0].context.user = "nobody".into());
            },
        ),
        damage(
            "a kubeconfig's user has no credential",
            &[(Id::KubeconfigIncomplete, Error, "scheduler.conf")],
            |m| {
                m.kubeconfig("scheduler.conf", |it| it.users[0].user = User::default());
            },
        ),
        damage("a kubeconfig has no server", &[(Id::KubeconfigServerMismatch, Error, "admin.conf")], |m| {
            m.kubeconfig("admin.conf", |it| it.clusters[0].cluster.server = String::new());
        }),
        damage(
            "a kubeconfig has a certificate without its key",
            &[(Id::KubeconfigIncomplete, Error, "admin.conf")],
            |m| {
                m.kubeconfig("admin.conf", |it| it.users[0].user.client_key_data = None);
            },
        ),
        damage(
            "a kubeconfig trusts another authority",
            &[(Id::KubeconfigAuthorityMismatch, Error, "scheduler.conf")],
            |m| m.trust("scheduler.conf", &authority()),
        ),
        damage(
            "a kubeconfig trusts whom the machine trusts",
            &[(Id::KubeconfigAuthorityMismatch, Error, "scheduler.conf")],
            |m| m.kubeconfig("scheduler.conf", |it| it.clusters[0].cluster.certificate_authority_data = None),
        ),
        damage(
            "a kubeconfig trusts another authority too",
            &[(Id::KubeconfigAuthorityMismatch, Warning, "admin.conf")],
            |m| m.trust("admin.conf", &(m.text("pki/ca.crt") + &authority())),
        ),
        damage(
            "a kubeconfig points elsewhere",
            &[(Id::KubeconfigServerMismatch, Error, "kubelet.conf")],
            |m| {
                m.kubeconfig("kubelet.conf", |it| {
                    it.clusters[0].cluster.server = "https://192.0.2.99:6443".into()
                })
            },
        ),
        on(
            Kind::Worker,
            "a worker's kubeconfig points elsewhere",
            &[(Id::KubeconfigServerMismatch, Warning, "kubelet.conf")],
            |m| {
                m.kubeconfig("kubelet.conf", |it| {
                    it.clusters[0].cluster.server = "https://192.0.2.99:6443".into();
                });
            },
        )
        .inferred(&[]),
        damage(
            "the scheduler asks the endpoint",
            &[(Id::KubeconfigServerMismatch, Note, "scheduler.conf")],
            |m| {
                m.kubeconfig("scheduler.conf", |it| {
                    it.clusters[0].cluster.server = "https://api.example.com:6443".into()
                })
            },
        )
        .left_alone(),
        damage(
            "a kubeconfig's key is another's",
            &[(Id::KubeconfigKeyMismatch, Error, "scheduler.conf")],
            |m| {
                m.kubeconfig("scheduler.conf", |it| {
                    it.users[0].user.client_key_data = Some(new_key(P256).into())
                });
            },
        ),
        damage("a kubeconfig verifies no server", &[(Id::KubeconfigInsecure, Warning, "admin.conf")], |m| {
            m.kubeconfig("admin.conf", |it| {
                it.clusters[0].cluster.insecure_skip_tls_verify = true;
                it.clusters[0].cluster.certificate_authority_data = None;
            });
        }),
        damage(
            "a kubeconfig verifies no server and trusts",
            &[(Id::KubeconfigInsecure, Error, "admin.conf")],
            |m| {
                m.kubeconfig("admin.conf", |it| it.clusters[0].cluster.insecure_skip_tls_verify = true);
            },
        ),
        damage(
            "a kubeconfig's user has a token",
            &[(Id::KubeconfigOtherCredential, Note, "admin.conf")],
            |m| {
                m.kubeconfig("admin.conf", |it| {
                    it.users = vec![NamedUser::new(it.users[0].name.clone(), User::with_token("secret"))];
                });
            },
        )
        .left_alone(),
    ]
}

fn modes() -> Vec<Damage> {
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

fn expired(forged: &mut Forged) {
    (forged.from, forged.until) = ("20200101000000Z".into(), "20210101000000Z".into());
}

fn rsa(forged: &mut Forged, key: &'static [&'static str]) {
    forged.key = Some(key);
    forged.usages = "digitalSignature,keyEncipherment".into();
}

/// Gives a machine an RSA authority, which signs everything anew.
fn signed_by_rsa(machine: &mut Machine) {
    use kubepki::{Authorities, KeyAlgorithm, Time};
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

/// Has kubelet.conf name a certificate that the kubelet renews itself.
pub(crate) fn renewed_by_the_kubelet(machine: &mut Machine) {
    let dated = "/var/lib/kubelet/pki/kubelet-client-2026-11-22-09-00-00.pem";
    let current = "/var/lib/kubelet/pki/kubelet-client-current.pem";
    machine.kubeconfig("kubelet.conf", |it| {
        let user = &mut it.users[0].user;
        let (certificate, key) =
            (user.client_certificate_data.take().unwrap(), user.client_key_data.take().unwrap());
        machine.write(dated, [certificate, key.to_vec()].concat());
        (user.client_certificate, user.client_key) = (Some(current.into()), Some(current.into()));
    });
    symlink(dated, machine.path(current)).unwrap();
}

#[test]
fn a_good_machine_of_each_kind_has_no_findings() {
    for kind in KINDS {
        for (knowledge, findings) in Machine::new(kind).audits() {
            assert!(findings.is_empty(), "{kind:?}, {knowledge:?}:\n{findings}");
        }
    }
}

#[test]
fn each_damage_gives_its_findings_and_those_that_must_follow() {
    let mut wrong = Vec::new();
    for damage in damages() {
        let machine = damage.machine();
        for (knowledge, findings) in machine.audits() {
            let (found, expected) = (super::machine::said(&findings), damage.said(knowledge));
            if found != expected {
                let missed: Vec<_> = expected.difference(&found).collect();
                wrong.push(format!("{}, {knowledge:?}: without {missed:?}:\n{findings}", damage.name));
            }
            for finding in &findings {
                let texts = [finding.expected(), finding.found(), finding.mend()];
                if texts.iter().any(|text| text.is_empty()) {
                    wrong.push(format!("{}: a text is empty: {finding:?}", damage.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} are wrong:\n\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn a_machine_mended_by_hand_has_no_findings() {
    for damage in damages() {
        let Mend::Files(files) = damage.mend else { continue };
        let mut machine = Machine::new(damage.kind);
        let before: Vec<_> = files.iter().map(|file| (*file, machine.read(file))).collect();
        (damage.damage)(&mut machine);
        for (file, bytes) in before {
            machine.clear(file);
            machine.write(file, bytes);
            machine.mode(file, if file.ends_with(".crt") { 0o644 } else { 0o600 });
        }
        for (knowledge, findings) in machine.audits() {
            assert!(findings.is_empty(), "{}, {knowledge:?}:\n{findings}", damage.name);
        }
    }
}

#[test]
fn the_table_has_every_finding_in_every_severity() {
    let damages = damages();
    let said: BTreeSet<_> =
        damages.iter().flat_map(|it| &it.described).map(|(id, severity, _)| (*id, *severity)).collect();
    let known: BTreeSet<_> =
        FindingId::all().flat_map(|id| id.severities().iter().map(move |severity| (id, *severity))).collect();
    assert_eq!(said, known);
}

#[test]
fn what_must_follow_from_a_finding_is_what_the_table_of_findings_says() {
    for damage in damages() {
        let first = damage.described[0].0;
        for (id, ..) in &damage.described {
            assert!(
                *id == first || first.brings().contains(id),
                "{}: {first} does not bring {id}",
                damage.name
            );
        }
    }
    for id in FindingId::all() {
        for brought in id.brings() {
            let shown = damages()
                .iter()
                .any(|it| it.described[0].0 == id && it.described.iter().any(|(it, ..)| it == brought));
            assert!(shown, "no damage shows that {id} brings {brought}");
        }
    }
}
