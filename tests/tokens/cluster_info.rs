//! The signed ConfigMap `cluster-info`, and the bootstrap kubeconfig.

use kubepki::kubeconfig::Kubeconfig;
use kubepki::token::{BootstrapToken, ClusterInfo, Pin, VerifiedClusterInfo};
use kubepki::{Authorities, Cluster, Code, Convention, KeyAlgorithm, Role, Time};
use serde_json::{Value, json};

use crate::judges::go_tokens::ask;
use crate::support::{authority, certify, cluster, fast_cluster, issuer, refused};

fn token() -> BootstrapToken {
    "abcdef.0123456789abcdef".parse().unwrap()
}

fn kubeadm_cluster() -> Cluster {
    cluster(KeyAlgorithm::EcdsaP256, Convention::Kubeadm)
}

fn pin(authorities: &Authorities) -> Pin {
    authorities.get(Role::KubernetesCa).unwrap().certificate().public_key().pin().parse().unwrap()
}

fn pin_of_issuer() -> Pin {
    issuer().certificate().public_key().pin().parse().unwrap()
}

fn data(info: &ClusterInfo) -> Value {
    serde_json::from_str::<Value>(&info.manifest().to_json()).unwrap()["data"].clone()
}

/// A ConfigMap with this kubeconfig, as the cluster that has the token would sign it.
fn signed(kubeconfig: &str) -> ClusterInfo {
    config_map(json!({"kubeconfig": kubeconfig})).sign(&token())
}

fn config_map(data: Value) -> ClusterInfo {
    let document = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": data});
    ClusterInfo::from_yaml(document.to_string().as_bytes()).unwrap()
}

/// A kubeconfig with one cluster, by the PEM of its authorities.
fn kubeconfig(trusted: &str) -> String {
    use base64ct::Encoding;
    let data = base64ct::Base64::encode_string(trusted.as_bytes());
    let cluster = json!({"server": "https://a:1", "certificate-authority-data": data});
    json!({"clusters": [{"name": "", "cluster": cluster}]}).to_string()
}

#[test]
fn the_kubeconfig_is_what_kubeadm_publishes() {
    let authorities = Authorities::create(&kubeadm_cluster(), Time::now()).unwrap();
    let text = |cluster: &Cluster| {
        let info = ClusterInfo::new(cluster, &authorities).unwrap();
        data(&info)["kubeconfig"].as_str().unwrap().to_owned()
    };
    let newest = text(&kubeadm_cluster());
    let (before, behind) = newest.split_once("certificate-authority-data: ").unwrap();
    assert_eq!(before, "apiVersion: v1\nclusters:\n- cluster:\n    ");
    let (_, behind) = behind.split_once('\n').unwrap();
    let expected = "    server: https://api.example.com:6443\n  name: \"\"\ncontexts: null\n\
                    current-context: \"\"\nkind: Config\nusers: null\n";
    assert_eq!(behind, expected);
    let older = text(&kubeadm_cluster().kubernetes_version("1.33".parse().unwrap()));
    assert_eq!(older, newest.replace("kind: Config\n", "kind: Config\npreferences: {}\n"));
}

#[test]
fn the_signature_is_that_of_kubernetes() {
    let authorities = Authorities::create(&fast_cluster(), Time::now()).unwrap();
    for token in [token(), BootstrapToken::generate().unwrap()] {
        let info = ClusterInfo::new(&fast_cluster(), &authorities).unwrap().sign(&token);
        let data = data(&info);
        let kubeconfig = data["kubeconfig"].as_str().unwrap();
        let text = token.to_text();
        let (id, secret) = text.split_once('.').unwrap();
        let theirs = ask(&["detached", kubeconfig, id, secret]).unwrap();
        assert_eq!(data[format!("jws-kubeconfig-{id}")], theirs);

        let theirs = config_map(json!({"kubeconfig": kubeconfig, format!("jws-kubeconfig-{id}"): theirs}));
        let verified = theirs.verify(&token, &[pin(&authorities)]).unwrap();
        assert_eq!(verified.server(), "https://api.example.com:6443");
        assert_eq!(verified.trusted(), authorities.get(Role::KubernetesCa).unwrap().trusted());
    }
}

#[test]
fn several_tokens_sign_the_same_and_each_is_verified() {
    let authorities = Authorities::create(&fast_cluster(), Time::now()).unwrap();
    let other = BootstrapToken::generate().unwrap();
    let info = ClusterInfo::new(&fast_cluster(), &authorities).unwrap().sign(&token()).sign(&other);
    let read = ClusterInfo::from_yaml(info.manifest().to_yaml().as_bytes()).unwrap();
    for token in [token(), other] {
        read.clone().verify(&token, &[pin(&authorities)]).unwrap();
    }
    refused(
        read.verify(&"ghijkl.0123456789abcdef".parse().unwrap(), &[pin(&authorities)]),
        Code::BadSignature,
        &["data.jws-kubeconfig-ghijkl", "found none: the token has expired"],
    );
}

#[test]
fn any_change_of_what_is_signed_or_of_the_signature_is_refused() {
    let data = data(&signed(&kubeconfig(&authority())));
    let (text, jws) = (data["kubeconfig"].as_str().unwrap(), data["jws-kubeconfig-abcdef"].as_str().unwrap());
    let refused = |text: &str, jws: &str| {
        let changed = config_map(json!({"kubeconfig": text, "jws-kubeconfig-abcdef": jws}));
        refused(changed.verify_unpinned(&token()), Code::BadSignature, &["data.jws-kubeconfig-abcdef"]);
    };
    let flipped = |text: &str, position: usize| {
        let mut bytes = text.as_bytes().to_vec();
        bytes[position] ^= 1;
        String::from_utf8(bytes).unwrap()
    };
    for position in 0..text.len() {
        refused(&flipped(text, position), jws);
    }
    for position in 0..jws.len() {
        refused(text, &flipped(jws, position));
    }
    let (header, tag) = jws.split_once("..").unwrap();
    let content = base64url(text);
    let none = base64url("{\"alg\":\"none\",\"kid\":\"abcdef\"}");
    for other in [
        "..".to_owned(),
        format!("{header}.."),
        format!("{header}.{content}.{tag}"),
        format!("{header}..{tag}="),
        format!("{header}..{tag}\n"),
        format!("{header}..{}", &tag[..tag.len() - 4]),
        format!("{none}.."),
        format!("{none}..{tag}"),
    ] {
        refused(text, &other);
    }
}

#[test]
fn the_secret_half_of_another_token_verifies_nothing() {
    let other = "abcdef.0123456789abcdeg".parse().unwrap();
    refused(
        signed(&kubeconfig(&authority())).verify_unpinned(&other),
        Code::BadSignature,
        &["by another token"],
    );
}

#[test]
fn what_is_signed_but_says_nothing_is_refused_with_its_reason() {
    let leaf = certify(issuer().certificate().public_key()).unwrap()[0].to_pem();
    let good = kubeconfig(&authority());
    let cases: [(String, Code, &str); 8] = [
        (
            "{}".to_owned(),
            Code::Malformed,
            "clusters: expected a cluster without a name, or a current context",
        ),
        ("kind: Pod".to_owned(), Code::Unsupported, "kind: expected Config"),
        ("a: [".to_owned(), Code::Malformed, "expected one document"),
        (good.replace("https:", "http:"), Code::Invalid, "server: expected a URL of https"),
        (good.replace("https://a:1", ""), Code::Invalid, "server: expected a URL of https"),
        (good.replace("-data", "-later"), Code::Malformed, "certificate-authority-data: expected"),
        (kubeconfig("no PEM"), Code::Malformed, "certificate-authority-data: expected"),
        (
            kubeconfig(&leaf),
            Code::NotAnAuthority,
            "certificate-authority-data: expected a certificate authority",
        ),
    ];
    for (kubeconfig, code, reason) in cases {
        refused(
            signed(&kubeconfig).verify(&token(), &[pin_of_issuer()]),
            code,
            &["data.kubeconfig: ", reason],
        );
    }
}

#[test]
fn the_cluster_of_the_current_context_is_taken_where_each_has_a_name() {
    let named = kubeconfig(&authority()).replacen("\"name\":\"\"", "\"name\":\"a\"", 1);
    let with_context = named.replacen(
        '{',
        r#"{"current-context":"c","contexts":[{"name":"c","context":{"cluster":"a","user":"u"}}],"#,
        1,
    );
    let verified = signed(&with_context).verify(&token(), &[pin_of_issuer()]).unwrap();
    assert_eq!(verified.server(), "https://a:1");
    refused(signed(&named).verify(&token(), &[pin_of_issuer()]), Code::Malformed, &["found neither"]);
}

#[test]
fn every_authority_must_be_pinned() {
    let other = Authorities::create(&fast_cluster(), Time::now()).unwrap();
    let both = kubeconfig(&(authority() + &other.get(Role::KubernetesCa).unwrap().certificate().to_pem()));
    let [own, others] = [pin_of_issuer(), pin(&other)];
    let one = signed(&kubeconfig(&authority()));
    one.clone().verify(&token(), &[others.clone(), own.clone()]).unwrap();
    signed(&both).verify(&token(), &[others.clone(), own.clone()]).unwrap();
    for (info, pins) in [
        (one.clone(), vec![]),
        (one.clone(), vec![others.clone()]),
        (signed(&both), vec![own]),
        (signed(&both), vec![others]),
    ] {
        refused(
            info.verify(&token(), &pins),
            Code::NotPinned,
            &["expected an authority that is pinned", "sha256:"],
        );
    }
    let unpinned: VerifiedClusterInfo = one.verify_unpinned(&token()).unwrap();
    assert_eq!(unpinned.trusted(), [issuer().certificate().clone()]);
}

#[test]
fn a_pin_is_read_as_it_is_written() {
    let pin = issuer().certificate().public_key().pin();
    assert_eq!(pin.parse::<Pin>().unwrap().as_str(), pin);
    for text in [
        "",
        "sha256:",
        "sha256:00",
        &pin[7..],
        &pin.to_uppercase(),
        &pin.replace("256", "512"),
        &(pin.clone() + "0"),
    ] {
        refused(text.parse::<Pin>(), Code::Invalid, &["pin: expected sha256:"]);
    }
}

#[test]
fn what_is_no_such_config_map_is_refused() {
    for (document, code, reason) in [
        ("", Code::Malformed, "cluster-info: expected a mapping"),
        ("kind: Secret\ndata: {kubeconfig: a}", Code::Unsupported, "kind: expected ConfigMap"),
        ("apiVersion: v2\ndata: {kubeconfig: a}", Code::Unsupported, "apiVersion: expected v1"),
        ("kind: ConfigMap", Code::Malformed, "data.kubeconfig: expected a kubeconfig"),
        ("data: {kubeconfig: ''}", Code::Malformed, "data.kubeconfig: expected a kubeconfig"),
        ("data: {kubeconfig: [a]}", Code::Malformed, "data: expected text"),
        ("data: {kubeconfig: a, kubeconfig: b}", Code::Malformed, "a key that stands twice"),
        ("data: &a {kubeconfig: a}", Code::Malformed, "an anchor"),
    ] {
        refused(ClusterInfo::from_yaml(document.as_bytes()), code, &[reason]);
    }
    refused(ClusterInfo::from_yaml(&vec![b' '; 2 << 20]), Code::Malformed, &["at most 1048576 bytes"]);
}

#[test]
fn both_sides_make_the_same_bootstrap_kubeconfig() {
    let cluster = kubeadm_cluster();
    let authorities = Authorities::create(&cluster, Time::now()).unwrap();
    let here = Kubeconfig::for_bootstrap(&cluster, &authorities, &token()).unwrap();
    let info = ClusterInfo::new(&cluster, &authorities).unwrap().sign(&token());
    let there = info.verify(&token(), &[pin(&authorities)]).unwrap().bootstrap_kubeconfig(&token());
    assert_eq!(here, there);
    here.check().unwrap();
    assert_eq!(here.current_context, "tls-bootstrap-token-user@kubernetes");
    assert_eq!(here.users[0].name, "tls-bootstrap-token-user");
    assert_eq!(here.current_cluster().unwrap().server, "https://api.example.com:6443");
    assert_eq!(**here.current_user().unwrap().token.as_ref().unwrap(), "abcdef.0123456789abcdef");
    assert!(!format!("{here:?}").contains("0123456789"), "{here:?}");
}

#[test]
fn without_a_kubernetes_authority_there_is_nothing_to_publish() {
    let none = Authorities::default();
    refused(ClusterInfo::new(&fast_cluster(), &none), Code::NoIssuer, &["kubernetes-ca"]);
    refused(Kubeconfig::for_bootstrap(&fast_cluster(), &none, &token()), Code::NoIssuer, &["kubernetes-ca"]);
}

fn base64url(text: &str) -> String {
    use base64ct::Encoding;
    base64ct::Base64UrlUnpadded::encode_string(text.as_bytes())
}
