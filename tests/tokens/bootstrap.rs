//! Bootstrap tokens and their Secrets.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

use kubepki::kubeconfig::Kubeconfig;
use kubepki::token::{BootstrapGroup, BootstrapSecret, BootstrapToken, BootstrapUsage};
use kubepki::{Code, Time, role};
use serde_json::json;

use crate::judges::go_tokens::ask;
use crate::support::{authority, example, fast_cluster, issuer, refused, utf8};

const NOW: i64 = 1_795_000_000;

fn token() -> BootstrapToken {
    "abcdef.0123456789abcdef".parse().unwrap()
}

#[test]
fn kubernetes_reads_a_token_that_is_made() {
    let token = BootstrapToken::generate().unwrap();
    let text = token.to_text();
    let (id, secret) = text.split_once('.').unwrap();
    assert_eq!(ask(&["token", &text]).unwrap(), json!([id, secret]));
    assert_eq!(token.id(), id);
    assert_ne!(BootstrapToken::generate().unwrap().to_text(), text);
}

#[test]
fn what_is_no_bootstrap_token_is_refused_without_being_quoted() {
    for text in [
        "",
        ".",
        "abcdef",
        "abcdef0123456789abcdef",
        "abcdef.0123456789abcde",
        "abcdef.0123456789abcdef0",
        "abcde.0123456789abcdef",
        "abcdefg.0123456789abcdef",
        "ABCDEF.0123456789abcdef",
        "abcdef.0123456789ABCDEF",
        "abcdef.0123456789abcde\n",
        "abcdef.0123456789abcdef\n",
        " abcdef.0123456789abcdef",
        "abcdef.0123456789.bcdef",
        "äbcde.0123456789abcdef",
    ] {
        refused(text.parse::<BootstrapToken>(), Code::Invalid, &["bootstrap token: expected 6 and 16"]);
        ask(&["token", text]).unwrap_err();
        let error = text.parse::<BootstrapToken>().unwrap_err();
        assert!(text.len() < 5 || !format!("{error:?}").contains(text), "{error}");
    }
}

#[test]
fn debug_shows_the_id_alone() {
    let secret = BootstrapSecret::new(&token());
    let shown = format!("{:?} {secret:?} {:?}", token(), secret.manifest());
    assert!(shown.contains("BootstrapToken(abcdef)"), "{shown}");
    assert!(shown.contains("Manifest(Secret bootstrap-token-abcdef)"), "{shown}");
    assert!(!shown.contains("0123456789"), "{shown}");
}

#[test]
fn groups_are_those_that_kubernetes_takes() {
    let longest = format!("system:bootstrappers:{}", "a".repeat(256));
    let too_long = format!("{longest}a");
    for (group, is_one) in [
        ("system:bootstrappers:kubeadm:default-node-token", true),
        ("system:bootstrappers:a", true),
        ("system:bootstrappers:-:a", true),
        (&longest, true),
        (&too_long, false),
        ("system:bootstrappers", false),
        ("system:bootstrappers:", false),
        ("system:bootstrappers:a-", false),
        ("system:bootstrappers:a:", false),
        ("system:bootstrappers:A", false),
        ("system:bootstrappers:a,system:masters", false),
        ("system:masters", false),
        ("", false),
    ] {
        let secret = json!({"data": {"auth-extra-groups": base64(group)}});
        let taken = ask(&["secret", &secret.to_string(), "0"]);
        // An empty text means no groups there.
        assert_eq!(taken.is_ok(), is_one || group.is_empty(), "{group}: {taken:?}");
        let parsed = group.parse::<BootstrapGroup>();
        assert_eq!(parsed.is_ok(), is_one, "{parsed:?}");
        parsed.map_or_else(
            |error| assert_eq!(error.code(), Code::Invalid),
            |parsed| assert_eq!(parsed.to_string(), group),
        );
    }
}

#[test]
fn a_secret_is_what_kubeadm_makes() {
    let now = Time::from_unix(NOW).unwrap();
    let secret = BootstrapSecret::new(&token())
        .expires(now.checked_add(Duration::from_hours(24)).unwrap())
        .groups(["system:bootstrappers:a".parse().unwrap(), "system:bootstrappers:b".parse().unwrap()])
        .description("for the rack at the window");
    let expected = "\
apiVersion: v1
data:
  auth-extra-groups: c3lzdGVtOmJvb3RzdHJhcHBlcnM6YSxzeXN0ZW06Ym9vdHN0cmFwcGVyczpi
  description: Zm9yIHRoZSByYWNrIGF0IHRoZSB3aW5kb3c=
  expiration: MjAyNi0xMS0xOVQxMTowNjo0MFo=
  token-id: YWJjZGVm
  token-secret: MDEyMzQ1Njc4OWFiY2RlZg==
  usage-bootstrap-authentication: dHJ1ZQ==
  usage-bootstrap-signing: dHJ1ZQ==
kind: Secret
metadata:
  name: bootstrap-token-abcdef
  namespace: kube-system
type: bootstrap.kubernetes.io/token
";
    assert_eq!(*secret.manifest().to_yaml(), expected);
}

#[test]
fn kubernetes_sees_in_a_secret_what_was_put_there() {
    let secret = |secret: BootstrapSecret, at: i64| {
        ask(&["secret", &secret.manifest().to_json(), &at.to_string()]).unwrap()
    };
    let plain = secret(BootstrapSecret::new(&token()), i64::from(i32::MAX));
    let expected = json!({
        "id": "abcdef",
        "named": true,
        "namespace": "kube-system",
        "type": "bootstrap.kubernetes.io/token",
        "groups": ["system:bootstrappers"],
        "expired": false,
        "data": {
            "token-id": "abcdef",
            "token-secret": "0123456789abcdef",
            "usage-bootstrap-authentication": "true",
            "usage-bootstrap-signing": "true",
        },
    });
    assert_eq!(plain, expected);

    let group = "system:bootstrappers:kubeadm:default-node-token";
    let signing = BootstrapSecret::new(&token())
        .expires(Time::from_unix(NOW).unwrap())
        .usages([BootstrapUsage::Signing])
        .groups([group.parse().unwrap()])
        .description("ü: \"'\n");
    let before = secret(signing.clone(), NOW - 1);
    assert_eq!(before["groups"], json!(["system:bootstrappers", group]));
    assert_eq!(before["data"]["description"], "ü: \"'\n");
    assert_eq!(before["data"]["usage-bootstrap-signing"], "true");
    assert_eq!(before["data"].get("usage-bootstrap-authentication"), None);
    assert_eq!(before["expired"], false);
    assert_eq!(secret(signing, NOW)["expired"], true);
}

#[test]
fn the_example_prints_a_secret_and_how_to_join() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).into_os_string().into_string().unwrap();
    let (ca, kubeconfig, leaf) = (path("ca.crt"), path("bootstrap.conf"), path("leaf.crt"));
    fs::write(&ca, authority()).unwrap();
    let user = role::User::new(&fast_cluster(), "jane".parse().unwrap()).profile();
    fs::write(&leaf, issuer().issue(&user, Time::now()).unwrap().chain_pem()).unwrap();
    let run = |arguments: &[&str]| Command::new(example("bootstrap_token")).args(arguments).output().unwrap();
    let joining = ["--endpoint", "api.example.com:6443", "--ca-cert", &ca, "--kubeconfig", &kubeconfig];

    let output = run(&joining);
    let said = utf8(output.stdout);
    assert!(output.status.success(), "{}", utf8(output.stderr));
    let line =
        said.lines().nth(1).unwrap().strip_prefix("# kubeadm join api.example.com:6443 --token ").unwrap();
    let (text, pin) = line.split_once(" --discovery-token-ca-cert-hash ").unwrap();
    assert_eq!(pin, issuer().certificate().public_key().pin());
    let id = text.parse::<BootstrapToken>().unwrap().id().to_owned();
    assert!(said.contains(&format!("  name: bootstrap-token-{id}\n")), "{said}");
    assert!(said.contains(&format!("  token-secret: {}\n", base64(&text[7..]))), "{said}");
    let written = Kubeconfig::from_yaml(&fs::read(&kubeconfig).unwrap()).unwrap();
    assert_eq!(**written.current_user().unwrap().token.as_ref().unwrap(), text);
    assert_eq!(fs::metadata(&kubeconfig).unwrap().permissions().mode() & 0o777, 0o600);

    let named = ["--group", "system:bootstrappers:a", "--description", "b", "--hours", "1"];
    let output = run(&named);
    assert!(output.status.success(), "{}", utf8(output.stderr));
    let said = utf8(output.stdout);
    for part in
        [base64("system:bootstrappers:a"), base64("b"), "HOST:PORT".to_owned(), "sha256:PIN".to_owned()]
    {
        assert!(said.contains(&part), "{said}");
    }
    for (arguments, complaint) in [
        (&joining[..], "bootstrap.conf: is there already, and nothing is ever replaced"),
        (
            &["--ca-cert", &leaf],
            &format!("error: {leaf}: expected a certificate authority (CA:TRUE, cert sign), found the"),
        ),
        (
            &["--ca-cert", &kubeconfig],
            &format!("error: {kubeconfig}: expected a PEM block CERTIFICATE, found"),
        ),
        (&["--kubeconfig", "x"], "--kubeconfig needs --endpoint and --ca-cert"),
        (&["--kubeconfig", "x", "--endpoint", "a"], "--kubeconfig needs --ca-cert"),
        (&["--hours", "0"], "--hours \"0\": expected a whole number of hours, at least 1\n"),
        (&["--hours", "-1"], "--hours \"-1\": expected a whole number of hours, at least 1\n"),
        (&["--hours", "1.5"], "--hours \"1.5\": expected a whole number"),
        (&["--hours", "4294967295"], "--hours: expected an end before the year 10000"),
        (&["--group", "system:masters"], "--group \"system:masters\": bootstrap group: expected"),
    ] {
        let output = run(arguments);
        assert!(!output.status.success() && output.stdout.is_empty());
        let said = utf8(output.stderr);
        assert!(said.contains(complaint), "{said}");
    }
}

fn base64(text: &str) -> String {
    use base64ct::Encoding;
    base64ct::Base64::encode_string(text.as_bytes())
}
