//! Damages of kubeconfigs.

use kubepki::FindingId as Id;
use kubepki::Severity::{Error, Note, Warning};
use kubepki::kubeconfig::{NamedUser, User};

use super::{Damage, damage, on};
use crate::audit::machine::{Kind, P256, new_key};
use crate::support::authority;

pub(super) fn kubeconfigs() -> Vec<Damage> {
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
