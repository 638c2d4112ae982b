//! Users who are no client certificates of the cluster: arguments of API servers, kubeconfigs, impersonation.

use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use kubepki::kubeconfig::{self, Exec, InteractiveMode, Kubeconfig, NamedCluster, NamedUser, OidcUser, User};
use kubepki::{
    Authentication, Authorities, AuthorizationWebhook, ClaimName, ClientId, Cluster, Code, Component,
    Expected, HttpsUrl, Impersonation, NamePrefix, Oidc, Pki, RequiredClaim, Signer, Time, TokenAlgorithm,
    TokenWebhook, role,
};
use proptest::prelude::*;

use crate::judges::{free_port, kubectl};
use crate::support::{authority, certify, control_plane, fast_cluster, issuer, refused};

fn oidc() -> Oidc {
    Oidc::new("https://login.example.com/prod".parse().unwrap(), "kubernetes".parse().unwrap())
}

fn arguments(cluster: &Cluster) -> Vec<String> {
    Expected::new(cluster, &control_plane("cp-1", "192.0.2.10")).arguments(Component::ApiServer)
}

/// The arguments that are not there without `authentication`.
fn added(authentication: Authentication) -> Vec<String> {
    let usual = arguments(&fast_cluster());
    let all = arguments(&fast_cluster().authentication(authentication));
    assert!(all.len() >= usual.len());
    all.into_iter().filter(|argument| !usual.contains(argument)).collect()
}

#[test]
fn what_is_configured_becomes_the_arguments_of_every_api_server() {
    let second = Duration::from_secs(1);
    let webhook = TokenWebhook::new("/etc/w.conf");
    let authorization = AuthorizationWebhook::new("/etc/a.conf");
    let start = Authentication::default;
    let full = oidc()
        .username("email".parse().unwrap(), Some("oidc:".parse().unwrap()))
        .groups("groups".parse().unwrap(), Some("oidc:".parse().unwrap()))
        .ca_file("/etc/ssl/idp.pem")
        .required_claim("hd=example.com".parse().unwrap())
        .required_claim("tier=a=b,c".parse().unwrap())
        .signing_algorithms(["ES256", "RS256"].map(|it| it.parse().unwrap()));
    let bare = oidc().username("sub".parse().unwrap(), None).groups("groups".parse().unwrap(), None);
    let provider = ["--oidc-issuer-url=https://login.example.com/prod", "--oidc-client-id=kubernetes"];
    let with_provider = |more: &[&'static str]| [&provider[..], more].concat();
    let table: [(Authentication, Vec<&str>); 9] = [
        (start(), vec![]),
        (start().oidc(oidc()), with_provider(&[])),
        (
            start().oidc(full),
            with_provider(&[
                "--oidc-ca-file=/etc/ssl/idp.pem",
                "--oidc-username-claim=email",
                "--oidc-username-prefix=oidc:",
                "--oidc-groups-claim=groups",
                "--oidc-groups-prefix=oidc:",
                "--oidc-required-claim=hd=example.com",
                "--oidc-required-claim=tier=a=b,c",
                "--oidc-signing-algs=ES256,RS256",
            ]),
        ),
        (
            start().oidc(bare),
            with_provider(&[
                "--oidc-username-claim=sub",
                "--oidc-username-prefix=-",
                "--oidc-groups-claim=groups",
            ]),
        ),
        (start().token_file("/etc/tokens.csv"), vec!["--token-auth-file=/etc/tokens.csv"]),
        (
            start().token_webhook(webhook.clone()),
            vec![
                "--authentication-token-webhook-config-file=/etc/w.conf",
                "--authentication-token-webhook-version=v1",
            ],
        ),
        (
            start().token_webhook(webhook.cache(90 * second)),
            vec![
                "--authentication-token-webhook-config-file=/etc/w.conf",
                "--authentication-token-webhook-version=v1",
                "--authentication-token-webhook-cache-ttl=90000ms",
            ],
        ),
        (
            start().authorization_webhook(
                authorization.cache_allowed(second).cache_refused(Duration::from_millis(1500)),
            ),
            vec![
                "--authorization-mode=Node,RBAC,Webhook",
                "--authorization-webhook-config-file=/etc/a.conf",
                "--authorization-webhook-version=v1",
                "--authorization-webhook-cache-authorized-ttl=1000ms",
                "--authorization-webhook-cache-unauthorized-ttl=1500ms",
            ],
        ),
        (
            start().proxy("sso".parse().unwrap()).proxy("a, \"b\"".parse().unwrap()),
            vec![r#"--requestheader-allowed-names=front-proxy-client,sso,"a, ""b""""#],
        ),
    ];
    for (authentication, expected) in table {
        assert_eq!(added(authentication), expected);
    }
}

#[test]
fn no_argument_stands_twice_but_those_that_may() {
    let webhook = AuthorizationWebhook::new("/etc/a.conf");
    let cluster = fast_cluster().authentication(
        Authentication::default().authorization_webhook(webhook).proxy("sso".parse().unwrap()),
    );
    let arguments = arguments(&cluster);
    let mut names: Vec<_> = arguments.iter().map(|argument| argument.split('=').next().unwrap()).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
}

#[test]
fn contradictions_are_refused_before_a_key_is_made() {
    let own = Oidc::new(
        "https://kubernetes.default.svc.cluster.local".parse().unwrap(),
        "kubernetes".parse().unwrap(),
    );
    let claims = ["hd=a", "hd=b"].map(|claim| claim.parse().unwrap());
    let twice = claims.into_iter().fold(oidc(), Oidc::required_claim);
    let start = Authentication::default;
    for (authentication, field, rule) in [
        (start().oidc(own), "oidc-issuer-url", "another issuer than that of the cluster's service accounts"),
        (start().oidc(twice), "oidc-required-claim", "each claim once"),
        (start().oidc(oidc().ca_file("")), "oidc-ca-file", "the path of a file"),
        (start().token_file(""), "token-auth-file", "the path of a file"),
        (
            start().token_webhook(TokenWebhook::new("")),
            "authentication-token-webhook-config-file",
            "the path of a file",
        ),
        (
            start().authorization_webhook(AuthorizationWebhook::new("")),
            "authorization-webhook-config-file",
            "the path of a file",
        ),
    ] {
        let cluster = fast_cluster().authentication(authentication);
        let node = control_plane("cp-1", "192.0.2.10");
        refused(Pki::create(&cluster, &node, Time::now()), Code::Invalid, &[field, rule]);
    }
    let other_domain =
        fast_cluster().dns_domain("example.org".parse().unwrap()).authentication(start().oidc(Oidc::new(
            "https://kubernetes.default.svc.cluster.local".parse().unwrap(),
            "k".parse().unwrap(),
        )));
    Pki::create(&other_domain, &control_plane("cp-1", "192.0.2.10"), Time::now()).unwrap();
}

#[test]
fn texts_that_would_mean_something_else_are_refused() {
    fn rule<T: std::str::FromStr<Err = kubepki::Error>>(text: &str) -> Option<String> {
        text.parse::<T>().err().map(|error| error.expected().to_owned())
    }
    type Read = fn(&str) -> Option<String>;
    /// How a text is read, what is accepted, and what is refused by which rule.
    type Row<'a> = (Read, &'a [&'a str], &'a [(&'a str, &'a str)]);
    #[rustfmt::skip]
    let table: [Row<'_>; 6] = [
        (rule::<HttpsUrl>, &[
            "https://a.example.com", "https://a.example.com/", "https://A.example.com:8443/b/c%20d",
            "https://[2001:db8::1]/b", "https://192.0.2.1:443", "https://a/x@y;z=1:2",
        ], &[
            ("http://a.example.com", "https://"),
            ("HTTPS://a.example.com", "https://"),
            ("a.example.com", "https://"),
            ("https://", "HOST"),
            ("https:///path", "HOST"),
            ("https://u:p@a.example.com", "without user"),
            ("https://a.example.com?b", "without user, password, query"),
            ("https://a.example.com/b#", "without user, password, query and fragment"),
            ("https://a.example.com:0/", "a port from 1 to 65535"),
            ("https://2001:db8::1/", "brackets"),
            ("https://a b/", "lower-case letters"),
            ("https://a/b c", "RFC 3986"),
            ("https://a/b%2", "RFC 3986"),
            ("https://a/%zz", "RFC 3986"),
            ("https://a/ü", "RFC 3986"),
            ("https://a/\n", "RFC 3986"),
        ]),
        (rule::<ClientId>, &["kubernetes", "a b"], &[("", "at least one"), ("a\n", "control"), (" a", "white space")]),
        (rule::<ClaimName>, &["sub", "https://example.com/groups"], &[("", "at least one"), ("a=b", "'='")]),
        (rule::<RequiredClaim>, &["a=b", "a=b=c"], &[
            ("a", "CLAIM=VALUE"), ("=b", "at least one"), ("a=", "at least one"), ("a =b", "white space"),
            ("a= b", "white space"),
        ]),
        (rule::<NamePrefix>, &["oidc:", "https://a#", "--"], &[
            ("", "at least one"), ("-", "not '-'"), ("system:", "system:"), ("system:x:", "system:"),
        ]),
        (rule::<TokenAlgorithm>, &["RS256", "ES512", "PS384"], &[
            ("", "one of RS256"), ("none", "one of"), ("HS256", "one of"), ("rs256", "one of"), ("EdDSA", "one of"),
        ]),
    ];
    for (read, accepted, refused) in table {
        for text in accepted {
            assert_eq!(read(text), None, "{text}");
        }
        for (text, rule) in refused {
            let found = read(text).unwrap_or_else(|| panic!("{text:?} is accepted"));
            assert!(found.contains(rule), "{text:?}: {found}");
        }
    }
}

/// A token that nobody verifies on the client's side.
fn id_token() -> String {
    let parts = [r#"{"alg":"RS256"}"#, r#"{"exp":32503680000}"#, "signature"];
    parts.map(|part| Base64UrlUnpadded::encode_string(part.as_bytes())).join(".")
}

/// What kubectl sends for a user: the names of headers in lower case, and their values.
fn sent(user: User) -> Vec<(String, String)> {
    let directory = tempfile::tempdir().unwrap();
    let [certificate, key] = ["server.crt", "server.key"].map(|file| directory.path().join(file));
    let profile = role::Service::new(&fast_cluster(), "a.b.svc".parse().unwrap());
    let server = issuer().issue(&profile.san("127.0.0.1".parse().unwrap()).profile(), Time::now()).unwrap();
    std::fs::write(&certificate, server.chain_pem()).unwrap();
    std::fs::write(&key, server.key().to_pem()).unwrap();
    let sent = kubectl::sends(&certificate, &key, |server| {
        let cluster = NamedCluster::new("c", kubeconfig::Cluster::new(server, authority()));
        let kubeconfig = Kubeconfig::new("c", cluster, NamedUser::new("u", user));
        kubeconfig.check().unwrap();
        kubeconfig.to_yaml().to_string()
    });
    sent.unwrap()
}

#[test]
fn kubectl_shows_the_server_what_each_kind_of_user_has() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token").display().to_string();
    std::fs::write(&file, "from-file").unwrap();
    let answer = r#"{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
        "status": {"token": "'$TOKEN'"}}"#;
    let program = Exec::new("sh")
        .args(["-c", &format!("echo '{answer}'")])
        .env("TOKEN", "from-program")
        .install_hint("it is part of every system")
        .provide_cluster_info()
        .interactive_mode(InteractiveMode::Never);
    let oidc = OidcUser::new(&"https://login.example.com".parse().unwrap(), &"kubernetes".parse().unwrap())
        .id_token(id_token())
        .refresh_token("refresh")
        .client_secret("secret")
        .certificate_authority_data(&[issuer().certificate().clone()])
        .extra_scopes(["groups", "roles"]);
    for (user, token) in [
        (User::with_token("plain"), "plain"),
        (User::with_token_file(file), "from-file"),
        (User::with_exec(program), "from-program"),
        (User::with_oidc(oidc), &id_token()),
    ] {
        let headers = sent(user);
        let expected = ("authorization".to_owned(), format!("Bearer {token}"));
        assert!(headers.contains(&expected), "{headers:?}");
    }
}

#[test]
fn the_settings_of_the_plugin_oidc_are_those_of_the_documentation() {
    let user = OidcUser::new(&"https://login.example.com".parse().unwrap(), &"kubernetes".parse().unwrap())
        .client_secret("hunter2")
        .refresh_token("hunter2")
        .id_token("hunter2")
        .certificate_authority("/root/ca.pem")
        .extra_scopes(["groups"]);
    assert!(!format!("{user:?}").contains("hunter2"));
    let provider = User::with_oidc(user).auth_provider.unwrap();
    assert_eq!(provider.name, "oidc");
    let settings: Vec<_> =
        provider.config.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let expected = [
        ("client-id", "kubernetes"),
        ("client-secret", "hunter2"),
        ("extra-scopes", "groups"),
        ("id-token", "hunter2"),
        ("idp-certificate-authority", "/root/ca.pem"),
        ("idp-issuer-url", "https://login.example.com"),
        ("refresh-token", "hunter2"),
    ];
    assert_eq!(settings, expected);
}

#[test]
fn any_user_gets_a_kubeconfig_at_the_clusters_endpoint() {
    let cluster = fast_cluster();
    let authorities = Authorities::create(&cluster, Time::now()).unwrap();
    let make = |name: &str, user| Kubeconfig::with_user(&cluster, &authorities, name, user);
    let kubeconfig = make("jane", User::with_token("hunter2")).unwrap();
    assert_eq!(kubeconfig.current_context, "jane@default-cluster");
    let current = kubeconfig.current_cluster().unwrap();
    assert_eq!(current.server, "https://api.example.com:6443");
    assert_eq!(current.certificate_authority_data.as_deref(), authorities_pem(&authorities).as_deref());
    assert_eq!(**kubeconfig.current_user().unwrap().token.as_ref().unwrap(), "hunter2");

    let exec = |change: fn(&mut Exec)| {
        let mut exec = Exec::new("login");
        change(&mut exec);
        User::with_exec(exec)
    };
    let mut both = User::with_token("hunter2");
    both.username = Some("jane".to_owned());
    let mut two_plugins = exec(|_| {});
    two_plugins.auth_provider = Some(kubeconfig::AuthProvider::default());
    let mut no_key = User::default();
    no_key.client_certificate = Some("jane.crt".to_owned());
    let mut nobody = User::with_token("hunter2");
    nobody.impersonate_groups = vec!["developers".to_owned()];
    for (name, user, field) in [
        ("", User::with_token("hunter2"), "contexts[].context.user"),
        ("jane", both, "username"),
        ("jane", two_plugins, "auth-provider"),
        ("jane", no_key, "client-key-data"),
        ("jane", nobody, "as"),
        ("jane", exec(|exec| exec.command.clear()), "exec.command"),
        ("jane", exec(|exec| exec.api_version = None), "exec.apiVersion"),
        ("jane", exec(|exec| exec.interactive_mode = None), "exec.interactiveMode"),
        ("jane", exec(|exec| exec.interactive_mode = Some("never".to_owned())), "exec.interactiveMode"),
        ("jane", exec(|exec| *exec = exec.clone().env("", "hunter2")), "exec.env"),
    ] {
        let error = make(name, user).unwrap_err();
        assert_eq!(error.code(), Code::Invalid);
        assert!(error.to_string().starts_with(&format!("{field}: ")), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    let old = exec(|exec| {
        exec.api_version = Some("client.authentication.k8s.io/v1beta1".to_owned());
        exec.interactive_mode = None;
    });
    make("jane", old).unwrap();
}

fn authorities_pem(authorities: &Authorities) -> Option<Vec<u8>> {
    Some(authorities.get(kubepki::Role::KubernetesCa)?.certificate().to_pem().into_bytes())
}

#[test]
fn kubectl_refuses_the_users_that_are_refused_here() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("kubeconfig");
    let mut two_plugins = User::with_exec(Exec::new("login"));
    two_plugins.auth_provider = Some(kubeconfig::AuthProvider::default());
    let mut no_mode = User::with_exec(Exec::new("login"));
    no_mode.exec.as_mut().unwrap().interactive_mode = None;
    let mut both = User::with_token("token");
    both.username = Some("jane".to_owned());
    let mut nobody = User::with_token("token");
    nobody.impersonate_groups = vec!["developers".to_owned()];
    for (user, said) in [
        (two_plugins, "authProvider cannot be provided"),
        (no_mode, "interactiveMode must be specified"),
        (both, "more than one authentication method"),
        (nobody, "without impersonating a user"),
        (User::with_exec(Exec::new("")), "command must be specified"),
    ] {
        let server = format!("http://127.0.0.1:{}", free_port());
        let cluster = NamedCluster::new("c", kubeconfig::Cluster::new(server, "CA"));
        let kubeconfig = Kubeconfig::new("c", cluster, NamedUser::new("u", user));
        refused(kubeconfig.check(), Code::Invalid, &[]);
        std::fs::write(&path, kubeconfig.to_yaml()).unwrap();
        let refusal = kubectl::accepts(&path).unwrap_err();
        assert!(refusal.contains(said), "{refusal}");
    }
}

#[test]
fn a_webhook_is_called_by_a_kubeconfig_that_clients_accept() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("webhook.conf");
    let url: HttpsUrl = format!("https://127.0.0.1:{}/token", free_port()).parse().unwrap();
    let authority = [issuer().certificate().clone()];
    let key = kubepki::PrivateKey::generate(kubepki::KeyAlgorithm::EcdsaP256).unwrap();
    let stranger = kubepki::PrivateKey::generate(kubepki::KeyAlgorithm::EcdsaP256).unwrap();
    let certificate = certify(key.public_key()).unwrap().remove(0);
    let with_key = |key: &kubepki::PrivateKey| {
        User::with_certificate(certificate.to_pem(), key.to_pem().as_bytes().to_vec())
    };
    for user in [User::default(), User::with_token("token"), with_key(&key)] {
        let kubeconfig = Kubeconfig::webhook(&url, &authority, user.clone()).unwrap();
        assert_eq!(kubeconfig.current_cluster().unwrap().server, url.as_str());
        std::fs::write(&path, kubeconfig.to_yaml()).unwrap();
        assert!(kubectl::view(&path).unwrap().contains(url.as_str()));
        // Of a user who has nothing kubectl asks a name.
        if user != User::default() {
            kubectl::accepts(&path).unwrap();
        }
    }
    let webhook = |authorities: &[kubepki::Certificate], user| Kubeconfig::webhook(&url, authorities, user);
    refused(webhook(&authority, with_key(&stranger)), Code::KeyMismatch, &["client-key-data"]);
    refused(webhook(&[], User::default()), Code::Malformed, &["at least one certificate"]);
    refused(webhook(std::slice::from_ref(&certificate), User::default()), Code::NotAnAuthority, &[]);
}

fn jane() -> Impersonation {
    let jane = Impersonation::new("jane.doe@example.com").unwrap();
    let jane = jane.group("developers").unwrap().group("admins").unwrap();
    let jane = jane.extra("dn", "cn=jane,ou=engineers,dc=example,dc=com").unwrap();
    let jane = jane.extra("acme.com/project", "some-project").unwrap();
    let jane = jane.extra("scopes", "view").unwrap().extra("scopes", "development").unwrap();
    jane.uid("06f6ce97-e2c5-4ab8-7ba5-7654dd08d52b").unwrap()
}

#[test]
fn headers_of_an_impersonation_are_those_of_the_documentation() {
    let expected = [
        ("Impersonate-User", "jane.doe@example.com"),
        ("Impersonate-Group", "developers"),
        ("Impersonate-Group", "admins"),
        ("Impersonate-Extra-acme.com%2Fproject", "some-project"),
        ("Impersonate-Extra-dn", "cn=jane,ou=engineers,dc=example,dc=com"),
        ("Impersonate-Extra-scopes", "view"),
        ("Impersonate-Extra-scopes", "development"),
        ("Impersonate-Uid", "06f6ce97-e2c5-4ab8-7ba5-7654dd08d52b"),
    ];
    assert_eq!(jane().headers(), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[test]
fn kubectl_sends_the_same_headers_for_a_user_who_acts_as_another() {
    let odd = Impersonation::new("ü").unwrap().extra("100% a:b/ü~|", "x").unwrap();
    let alone = Impersonation::new("system:serviceaccount:ci:runner").unwrap();
    for impersonation in [jane(), odd, alone] {
        let mut sent = sent(User::with_token("token").acting_as(impersonation.clone()));
        sent.retain(|(name, _)| name.starts_with("impersonate"));
        let ours = impersonation.headers().into_iter();
        let mut ours: Vec<_> = ours.map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
        sent.sort();
        ours.sort();
        assert_eq!(ours, sent);
    }
}

/// An extra field's key as the API server reads it in the name of a header.
fn key_of(header: &str) -> Vec<u8> {
    let name = header.to_ascii_lowercase();
    let mut rest = name.strip_prefix("impersonate-extra-").unwrap().bytes();
    let mut key = Vec::new();
    while let Some(byte) = rest.next() {
        let digit = |digit: Option<u8>| char::from(digit.unwrap()).to_digit(16).unwrap();
        key.push(match byte {
            b'%' => u8::try_from(digit(rest.next()) * 16 + digit(rest.next())).unwrap(),
            other => other,
        });
    }
    key
}

proptest! {
    #[test]
    fn any_key_of_an_extra_field_survives_its_header(key in "[!-@\\[-~ü-ŧ😀]{1,40}") {
        let jane = Impersonation::new("jane").unwrap().extra(&key, "value").unwrap();
        let (header, value) = jane.headers().remove(1);
        // No name of a header has these (RFC 9110, section 5.6.2).
        let separators = "()<>@,;:\\\"/[]?={}";
        prop_assert!(header.chars().all(|c| c.is_ascii_graphic() && !separators.contains(c)));
        prop_assert_eq!((key_of(&header), value.as_str()), (key.into_bytes(), "value"));
    }

    #[test]
    fn any_url_that_is_accepted_is_of_https_and_one_line(text in "https://[ -~]{0,20}|.*") {
        if let Ok(url) = text.parse::<HttpsUrl>() {
            prop_assert_eq!(url.as_str(), text.as_str());
            prop_assert!(text.starts_with("https://") && text.bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert!(!text.contains(['?', '#', '"', '\\']));
        }
    }
}

#[test]
fn what_no_header_carries_unchanged_is_nobody_to_act_as() {
    for text in ["", " a", "a ", "a\r\nImpersonate-Group: system:masters", "a\0", &"a".repeat(254)] {
        let jane = || Impersonation::new("jane").unwrap();
        refused(Impersonation::new(text), Code::Invalid, &["user: "]);
        refused(jane().group(text), Code::Invalid, &["group: "]);
        refused(jane().uid(text), Code::Invalid, &["UID: "]);
        refused(jane().extra(text, "a"), Code::Invalid, &["extra field: "]);
        refused(jane().extra("a", text), Code::Invalid, &["extra field: "]);
        refused(jane().extra("Scopes", "a"), Code::Invalid, &["a key without capital letters"]);
    }
}
