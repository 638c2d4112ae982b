//! Users whom a real API server knows otherwise than by certificates of the cluster; who may act as whom; and objects
//! around certificates, as it takes them.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;

use kubepki::kubeconfig::{Kubeconfig, User};
use kubepki::manifest::{self, Manifest, Subject};
use kubepki::{
    Authentication, Authorities, AuthorizationWebhook, Convention, Impersonation, KeyAlgorithm, Oidc, Role,
    Time, TokenWebhook, role,
};

use crate::control_plane::{Machine, Members};
use crate::http::Pair;
use crate::identity::{self, Identity, eve, front_proxy_headers, review, seen_as, unknown};
use crate::judges::{free_port, go};
use crate::programs::{Process, eventually, kubectl};
use crate::report::{Report, Result};
use crate::support::cluster;

/// An API server with all that [`Authentication`] can say.
pub(crate) fn authentication(report: &mut Report) -> Result {
    let scratch = tempfile::tempdir()?;
    let path = |file: &str| scratch.path().join(file);
    let [tokens, token_conf, access_conf] = ["tokens.csv", "token.conf", "access.conf"].map(path);
    let issuer = format!("https://127.0.0.1:{}/idp", free_port());
    let provider = Oidc::new(issuer.parse()?, "kubernetes".parse()?)
        .username("email".parse()?, Some("oidc:".parse()?))
        .groups("groups".parse()?, Some("oidc:".parse()?))
        .ca_file(path("cp-1/pki/ca.crt"))
        .required_claim("hd=example.com".parse()?)
        .signing_algorithms(["ES256".parse()?, "RS256".parse()?]);
    let minute = std::time::Duration::from_secs(60);
    let authentication = Authentication::default()
        .oidc(provider)
        .token_file(&tokens)
        .token_webhook(TokenWebhook::new(&token_conf).cache(minute))
        .authorization_webhook(
            AuthorizationWebhook::new(&access_conf).cache_allowed(minute).cache_refused(minute),
        )
        .proxy("sso".parse()?)
        .proxy("Smith, \"Joe\"".parse()?);
    let cluster = cluster(KeyAlgorithm::EcdsaP256, Convention::Documented).authentication(authentication);
    let authorities = Authorities::create(&cluster, Time::now())?;
    let members = Members::start(&cluster, &authorities, scratch.path(), |_, _| Ok(()))?;
    let machine = Machine::new(&cluster, &authorities, Ipv4Addr::LOCALHOST.into(), path("cp-1"))?;

    fs::write(&tokens, "known-from-file,boss,1,\"bosses,others\"\n")?;
    let (_webhook, url) = webhook(&machine)?;
    for (kubeconfig, path) in [(&token_conf, "token"), (&access_conf, "access")] {
        write_webhook(&machine, kubeconfig, &format!("{url}/{path}"))?;
    }
    let _api_server = machine.start_api_server_with(
        &members.etcd,
        &[
            "--feature-gates=ClusterTrustBundle=true",
            "--runtime-config=certificates.k8s.io/v1beta1/clustertrustbundles=true",
        ],
    )?;
    report.check("kube-apiserver takes every argument", Ok(&machine.url));

    let boss = user(&machine, "boss", User::with_token("known-from-file"))?;
    let verdict = identity::is(&boss, &Identity::new("boss", &["bosses", "others"]));
    report.check("whoami with a token of the file", verdict);
    let hooked = user(&machine, "hooked", User::with_token("known"))?;
    let verdict = identity::is(&hooked, &Identity::new("hooked", &["hooks"]));
    report.check("whoami with a token that the webhook knows", verdict);
    let list = ["get", "secrets", "--all-namespaces"];
    report.check("the webhook allows its user everything", kubectl(&hooked, &list, "").map(|_| "allowed"));
    report.check(
        "the webhook allows nobody else anything",
        forbidden(kubectl(&boss, &list, ""), "cannot list"),
    );
    proxies(report, &machine)?;
    impersonation(report, &machine, &boss)?;
    objects(report, &machine)
}

/// A webhook, and its URL.
fn webhook(machine: &Machine) -> Result<(Process, String)> {
    let profile = role::Service::new(&machine.cluster, "auth.default.svc".parse()?);
    let Pair { certificate, key } =
        machine.issue(Role::KubernetesCa, &profile.san("127.0.0.1".parse()?).profile())?;
    let address = format!("127.0.0.1:{}", free_port());
    let mut command = Command::new(go::server());
    command.args([certificate, key]).arg(&address);
    Ok((Process::start(&command, machine.directory.join("webhook.log"))?, format!("https://{address}")))
}

/// How API servers call a webhook: as a user with a certificate.
fn write_webhook(machine: &Machine, kubeconfig: &Path, url: &str) -> Result {
    let profile = role::User::new(&machine.cluster, "webhook-caller".parse()?).profile();
    let credential = machine.authorities.issue(&profile, Time::now())?;
    let key = credential.key().to_pem().as_bytes().to_vec();
    let user = User::with_certificate(credential.chain_pem(), key);
    let trusted = machine.authorities.get(Role::KubernetesCa).ok_or("no authority")?.trusted();
    Ok(fs::write(kubeconfig, Kubeconfig::webhook(&url.parse()?, trusted, user)?.to_yaml())?)
}

fn user(machine: &Machine, name: &str, user: User) -> Result<PathBuf> {
    let path = machine.directory.join(format!("{name}.conf"));
    let kubeconfig = Kubeconfig::with_user(&machine.cluster, &machine.authorities, name, user)?;
    fs::write(&path, kubeconfig.to_yaml())?;
    Ok(path)
}

fn forbidden(answer: Result<String>, why: &str) -> Result<String> {
    match answer.map_err(|error| error.to_string()) {
        Err(said) if said.contains("(Forbidden)") && said.contains(why) => Ok(said.trim().to_owned()),
        other => Err(format!("expected to be forbidden, {why:?}, found {other:?}").into()),
    }
}

fn proxies(report: &mut Report, machine: &Machine) -> Result {
    for name in ["sso", "Smith, \"Joe\"", "Smith"] {
        let profile = role::User::new(&machine.cluster, name.parse()?).profile();
        let pair = machine.issue(Role::FrontProxyCa, &profile)?;
        let answer = review(machine, Some(&pair), &front_proxy_headers());
        match name {
            "Smith" => report.check("headers of another proxy are not believed", unknown(answer)),
            _ => report.check(&format!("headers of the proxy {name} are believed"), seen_as(answer, &eve())),
        }
    }
    Ok(())
}

fn impersonation(report: &mut Report, machine: &Machine, boss: &Path) -> Result {
    let admin = machine.almighty();
    eventually(|| kubectl(&admin, &["get", "namespace", "kube-public"], ""))?;
    let subject = Subject::User("boss".parse()?);
    let jane = Impersonation::new("jane")?.group("developers")?;
    let jane = jane.extra("example.org/scopes", "view")?.uid("42")?;
    let account = Impersonation::new("system:serviceaccount:default:runner")?;
    let name = "as-jane".parse()?;
    let of_account = "as-runner".parse()?;
    for object in [
        &jane.roles(&name)[..],
        &[manifest::cluster_role_binding(&name, &name, &subject)],
        &account.roles(&of_account),
        &[manifest::role_binding(&"default".parse()?, &of_account, &of_account, &subject)],
    ]
    .concat()
    {
        kubectl(&admin, &["apply", "--filename=-"], &object.to_yaml())?;
    }
    let acting = |file: &str, other: Impersonation| {
        user(machine, file, User::with_token("known-from-file").acting_as(other))
    };
    let as_jane = acting("as-jane", jane.clone())?;
    let seen = || identity::is(&as_jane, &Identity::new("jane", &["developers"]));
    report.check("a user acts as another by our roles", eventually(seen));
    let groups = ["system:serviceaccounts", "system:serviceaccounts:default"];
    let runner = Identity::new("system:serviceaccount:default:runner", &groups);
    let as_runner = acting("as-runner", account)?;
    report.check("a user acts as a service account", eventually(|| identity::is(&as_runner, &runner)));
    for (what, other) in [
        ("another user", Impersonation::new("joe")?),
        ("another group", jane.clone().group("system:masters")?),
        ("another value", jane.clone().extra("example.org/scopes", "edit")?),
        ("another UID", jane.uid("43")?),
        ("a namesake elsewhere", Impersonation::new("system:serviceaccount:kube-system:runner")?),
    ] {
        let kubeconfig = acting("beyond", other)?;
        let answer = kubectl(&kubeconfig, &["get", "--raw", "/api"], "");
        let verdict = forbidden(answer, "cannot impersonate resource");
        report.check(&format!("a user does not act as {what}"), verdict);
    }
    report.check(
        "who acts is still somebody",
        identity::is(boss, &Identity::new("boss", &["bosses", "others"])),
    );
    Ok(())
}

fn objects(report: &mut Report, machine: &Machine) -> Result {
    let authority = machine.authorities.get(Role::KubernetesCa).ok_or("no authority")?;
    let (trusted, issuer) = (authority.trusted(), authority.issuer().ok_or("no key")?);
    let service = role::Service::new(&machine.cluster, "shop.default.svc".parse()?).profile();
    let credential = issuer.issue(&service, Time::now())?;
    let (namespace, name, signer) = ("default".parse()?, "shop".parse()?, "example.com/serving".parse()?);
    let tokens = "system:bootstrappers:kubeadm:default-node-token".parse()?;
    let mut objects: Vec<Manifest> = vec![
        manifest::tls_secret(&namespace, &name, &credential),
        manifest::ca_config_map(&namespace, &name, trusted)?,
        manifest::cluster_trust_bundle(None, &name, trusted)?,
        manifest::cluster_trust_bundle(Some(&signer), &name, trusted)?,
        manifest::approver_role(&"approver".parse()?, &signer),
        manifest::signer_role(&"signer".parse()?, &signer),
        manifest::impersonator_role(&"impersonator".parse()?),
        manifest::node_bootstrapper_binding(&tokens),
        manifest::node_approval_binding(&tokens),
        manifest::node_renewal_binding(),
    ];
    objects.extend(manifest::node_reader(&tokens));
    objects.extend(manifest::cluster_info_reader());
    for object in objects {
        for document in [object.to_yaml(), object.to_json()] {
            let said = kubectl(&machine.almighty(), &["apply", "--filename=-"], &document);
            report
                .check(&format!("kube-apiserver takes {object:?}"), said.map(|said| said.trim().to_owned()));
        }
    }
    Ok(())
}
