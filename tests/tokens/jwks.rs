//! The JWKS and the discovery document.

use kubepki::token::{KeySet, ObjectReference, ServiceAccountClaims, ServiceAccountToken, TokenIssuer};
use kubepki::{Code, PublicKey, Signer, Time};
use serde_json::{Value, json};

use super::KEYS;
use crate::judges::go_tokens::ask;
use crate::support::{openssl, refused, utf8};

fn all() -> KeySet {
    KeySet::new(&KEYS.each_ref().map(|key| key.public_key().clone())).unwrap()
}

fn entries() -> Vec<Value> {
    let set: Value = serde_json::from_str(&all().to_jwks()).unwrap();
    set["keys"].as_array().unwrap().clone()
}

fn read(keys: Value) -> kubepki::Result<KeySet> {
    KeySet::from_jwks(json!({"keys": keys}).to_string().as_bytes())
}

#[test]
fn the_set_is_that_of_kubernetes_byte_for_byte() {
    let mut question = vec!["jwks".to_owned()];
    question.extend(all().keys().map(PublicKey::to_pem));
    let question: Vec<_> = question.iter().map(String::as_str).collect();
    assert_eq!(ask(&question).unwrap(), all().to_jwks());
}

#[test]
fn the_discovery_document_is_that_of_kubernetes() {
    let issuer: TokenIssuer = "https://oidc.example.com/a&b".parse().unwrap();
    let expected = concat!(
        r#"{"issuer":"https://oidc.example.com/a\u0026b","jwks_uri":"https://192.0.2.1:6443/openid/v1/jwks","#,
        r#""response_types_supported":["id_token"],"subject_types_supported":["public"],"#,
        r#""id_token_signing_alg_values_supported":["ES256","ES384","RS256"]}"#
    );
    assert_eq!(
        all().discovery(&issuer, &"https://192.0.2.1:6443/openid/v1/jwks".parse().unwrap()).unwrap(),
        expected
    );
    let rsa = KeySet::new(&[KEYS[0].public_key().clone(), KEYS[0].public_key().clone()]).unwrap();
    assert!(
        rsa.discovery(&issuer, &"https://a/b".parse().unwrap())
            .unwrap()
            .ends_with(r#"supported":["RS256"]}"#)
    );
}

#[test]
fn relying_parties_find_an_issuer_of_https_only() {
    for issuer in
        ["kubernetes/serviceaccount", "http://a", "https://", "https:///a", "https://a?b", "https://a#b"]
    {
        let issuer: TokenIssuer = issuer.parse().unwrap();
        let made = all().discovery(&issuer, &"https://a/b".parse().unwrap());
        refused(made, Code::Invalid, &["issuer: URL: expected a URL"]);
    }
}

#[test]
fn who_reads_the_set_verifies_tokens_with_it() {
    let issuer: TokenIssuer = "https://a".parse().unwrap();
    let set = KeySet::from_jwks(all().to_jwks().as_bytes()).unwrap();
    assert_eq!(set, all());
    for key in &*KEYS {
        let account = ObjectReference::new("b".parse().unwrap(), "1".parse().unwrap());
        let token = ServiceAccountToken::new(issuer.clone(), "a".parse().unwrap(), account)
            .sign(key, Time::now())
            .unwrap();
        ServiceAccountClaims::verify(&token, &set, &issuer, "https://a", Time::now()).unwrap();
        let payload = ask(&["verify by set", &all().to_jwks(), &token]).unwrap();
        assert_eq!(payload["sub"], "system:serviceaccount:a:b");
    }
}

#[test]
fn a_set_keeps_the_ids_that_another_has_given_its_keys() {
    let mut keys = entries();
    keys[1]["kid"] = json!("one");
    keys[2].as_object_mut().unwrap().remove("kid");
    let set = read(json!(keys)).unwrap();
    let written: Value = serde_json::from_str(&set.to_jwks()).unwrap();
    assert_eq!(written["keys"][1]["kid"], "one");
    assert_eq!(written["keys"][2]["kid"], json!(KEYS[2].public_key().key_id()));
}

#[test]
fn keys_that_verify_no_tokens_are_left_out() {
    let with = |name: &str, value: Value| {
        let mut key = entries()[1].clone();
        key[name] = value;
        key
    };
    for other in [
        with("use", json!("enc")),
        with("alg", json!("ES384")),
        with("crv", json!("P-521")),
        with("crv", json!("secp256k1")),
        with("kty", json!("OKP")),
        json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}),
        json!({}),
        json!("a"),
    ] {
        refused(read(json!([other])), Code::Unsupported, &["keys: expected a key for RS256", "1 others"]);
        let set = read(json!([other, entries()[0]])).unwrap();
        assert_eq!(set.keys().collect::<Vec<_>>(), [KEYS[0].public_key()]);
    }
}

#[test]
fn what_is_no_set_of_public_keys_is_refused() {
    let with = |position: usize, name: &str, value: &str| {
        let mut key = entries()[position].clone();
        key[name] = json!(value);
        json!([key])
    };
    let x = entries()[1]["x"].as_str().unwrap().to_owned();
    for (keys, reason) in [
        (with(1, "d", "AQ"), "keys[0]: expected public keys only, found a private"),
        (json!([{"kty": "oct", "k": "c2VjcmV0"}]), "keys[0]: expected public keys only"),
        (with(1, "x", ""), "keys[0]: expected the numbers of a public key"),
        (with(1, "x", &(x.clone() + "AA")), "keys[0]: x: expected a number in base64url"),
        (with(1, "x", &(x.clone() + "=")), "keys[0]: x: expected a number in base64url"),
        (with(1, "y", &x), "keys[0]: expected the numbers of a public key"),
        (with(0, "n", ""), "keys[0]: expected the numbers of a public key"),
        (with(0, "n", "AQAB"), "keys[0]: expected the numbers of a public key"),
        (with(0, "e", "AA"), "keys[0]: expected the numbers of a public key"),
        (with(0, "e", "AQAB+"), "keys[0]: e: expected a number in base64url"),
        (json!([{"kty": "EC", "crv": "P-256"}]), "keys[0]: x: expected a number"),
        (json!([{"kty": 1}]), "keys[0]: kty: expected text"),
    ] {
        refused(read(keys), Code::Malformed, &[reason]);
    }
    for (text, reason) in [
        ("", "keys: expected a list of keys, found none"),
        ("[]", "keys: expected a list of keys"),
        ("{\"keys\": {}}", "keys: expected a list of keys, found a mapping"),
        ("{\"keys\": [], \"keys\": []}", "a key that stands twice"),
    ] {
        refused(KeySet::from_jwks(text.as_bytes()), Code::Malformed, &[reason]);
    }
    refused(read(json!([])), Code::Unsupported, &["0 others"]);
    refused(KeySet::new(&[]), Code::Invalid, &["at least one key"]);
    refused(KeySet::from_jwks(&vec![b' '; 2 << 20]), Code::Malformed, &["at most 1048576 bytes"]);
}

#[test]
fn every_key_of_sa_pub_is_read() {
    let pem: String = KEYS.iter().map(|key| key.public_key().to_pem()).collect();
    assert_eq!(KeySet::from_pem(pem.as_bytes()).unwrap(), all());
    refused(KeySet::from_pem(KEYS[1].to_pem().as_bytes()), Code::Malformed, &["a PEM block PUBLIC KEY"]);
}

#[test]
fn a_key_that_kubernetes_does_not_read_is_refused() {
    let pem = KEYS[1].public_key().to_pem();
    let compressed = ["pkey", "-pubin", "-pubout", "-ec_conv_form", "compressed"];
    let compressed = utf8(openssl(&compressed, pem.as_bytes()).unwrap());
    assert_ne!(compressed, pem);
    refused(PublicKey::from_pem(compressed.as_bytes()), Code::Malformed, &["a public key"]);
}
