//! Service-account tokens.

use std::error::Error as StdError;
use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use kubepki::token::{
    Binding, KeySet, ObjectReference, ServiceAccountClaims, ServiceAccountToken, TokenIssuer,
};
use kubepki::{Authorities, Cluster, Code, KeyAlgorithm, PrivateKey, PublicKey, Signer, Time, ToSign};
use p256::ecdsa::signature::Signer as _;
use p256::elliptic_curve::Generate;
use p256::pkcs8::EncodePublicKey;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::Sha256;

use super::KEYS;
use crate::judges::go_tokens::ask;
use crate::support::{fast_cluster, openssl, refused};

const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";
const AUDIENCE: &str = "https://vault.example.com";
const NOW: i64 = 1_795_000_000;
const UID: &str = "5f6b0a7e-3d1c-4b9a-8a57-0c1de6a4f3b2";

fn now() -> Time {
    at(0)
}

fn at(seconds: i64) -> Time {
    Time::from_unix(NOW + seconds).unwrap()
}

fn issuer() -> TokenIssuer {
    ISSUER.parse().unwrap()
}

fn object(name: &str, uid: &str) -> ObjectReference {
    ObjectReference::new(name.parse().unwrap(), uid.parse().unwrap())
}

fn token() -> ServiceAccountToken {
    ServiceAccountToken::new(issuer(), "ci".parse().unwrap(), object("builder", UID)).audiences([AUDIENCE])
}

fn keys(key: &PublicKey) -> KeySet {
    KeySet::new(std::slice::from_ref(key)).unwrap()
}

fn verify(token: &str, key: &PublicKey) -> kubepki::Result<ServiceAccountClaims> {
    ServiceAccountClaims::verify(token, &keys(key), &issuer(), AUDIENCE, now())
}

/// What [`token`] says.
fn claims() -> Value {
    json!({
        "aud": [AUDIENCE],
        "exp": NOW + 3600,
        "iat": NOW,
        "iss": ISSUER,
        "jti": "0b1a7b3c-3a86-4c7e-9ad5-8c4ab3cf6b4f",
        "kubernetes.io": {"namespace": "ci", "serviceaccount": {"name": "builder", "uid": UID}},
        "nbf": NOW,
        "sub": "system:serviceaccount:ci:builder",
    })
}

fn part(token: &str, position: usize) -> Value {
    let part = token.split('.').nth(position).unwrap();
    serde_json::from_slice(&Base64UrlUnpadded::decode_vec(part).unwrap()).unwrap()
}

/// A key whose owner signs whatever there is.
struct Forger {
    key: p256::ecdsa::SigningKey,
    public: PublicKey,
}

impl Forger {
    fn new() -> Self {
        let key = p256::ecdsa::SigningKey::from(p256::SecretKey::generate());
        let spki = key.verifying_key().to_public_key_der().unwrap();
        Self { key, public: PublicKey::from_spki_der(spki.as_bytes()).unwrap() }
    }

    fn header(&self) -> Value {
        json!({"alg": "ES256", "kid": self.public.key_id()})
    }

    /// A token of these texts.
    fn sign(&self, header: &str, payload: &str) -> String {
        let signed = signed_part(header, payload);
        let signature: p256::ecdsa::Signature = self.key.sign(signed.as_bytes());
        format!("{signed}.{}", base64url(&signature.to_bytes()))
    }

    fn claims(&self, claims: &Value) -> String {
        self.sign(&self.header().to_string(), &claims.to_string())
    }

    fn verify(&self, token: &str) -> kubepki::Result<ServiceAccountClaims> {
        verify(token, &self.public)
    }
}

fn signed_part(header: &str, payload: &str) -> String {
    format!("{}.{}", base64url(header.as_bytes()), base64url(payload.as_bytes()))
}

fn base64url(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

#[test]
fn kubernetes_verifies_what_is_signed_here() {
    for (key, algorithm) in KEYS.iter().zip(["RS256", "ES256", "ES384"]) {
        let token = token().sign(key, now()).unwrap();
        let verified = ask(&["verify", &token, &key.public_key().to_pem(), &NOW.to_string()]).unwrap();
        let mut expected = claims();
        expected["jti"] = verified["payload"]["jti"].clone();
        let id = key.public_key().key_id();
        assert_eq!(verified, json!({"alg": algorithm, "kid": id, "payload": expected}));
        verify(&token, key.public_key()).unwrap();
    }
}

#[test]
fn with_the_same_claims_the_token_is_that_of_kubernetes() {
    // Signatures of RSA are always the same.
    let key = &KEYS[0];
    for token in [
        token(),
        token().bound_to(Binding::PodOnNode { pod: object("p", "1"), node: object("n", "2") }),
        token().bound_to(Binding::Secret(object("s", "3"))).audiences(["b", "a"]),
    ] {
        let ours = token.sign(key, now()).unwrap();
        let theirs = ask(&["sign", &key.to_pem(), &part(&ours, 1).to_string()]).unwrap();
        assert_eq!(theirs, *ours);
    }
}

#[test]
fn what_kubernetes_signs_is_verified_here() {
    for key in &*KEYS {
        let token = ask(&["sign", &key.to_pem(), &claims().to_string()]).unwrap();
        let claims = verify(token.as_str().unwrap(), key.public_key()).unwrap();
        assert_eq!(claims.issuer(), &issuer());
        assert_eq!(claims.user(), "system:serviceaccount:ci:builder");
        assert_eq!(claims.namespace().as_str(), "ci");
        assert_eq!(claims.service_account(), &object("builder", UID));
        assert_eq!(claims.audiences(), [AUDIENCE]);
        assert_eq!(claims.id(), Some("0b1a7b3c-3a86-4c7e-9ad5-8c4ab3cf6b4f"));
        assert_eq!([claims.issued(), claims.not_before(), claims.expires()], [now(), now(), at(3600)]);
        assert_eq!(claims.binding(), None);
    }
}

#[test]
fn the_service_account_key_of_a_cluster_signs_and_its_public_half_verifies() {
    let authorities = Authorities::create(&fast_cluster(), Time::now()).unwrap();
    let issuer = fast_cluster().token_issuer();
    let token = ServiceAccountToken::new(issuer.clone(), "ci".parse().unwrap(), object("builder", UID))
        .sign(authorities.service_account_key().unwrap(), now())
        .unwrap();
    let keys = KeySet::new(authorities.service_account_keys()).unwrap();
    // The API server's own audience is its issuer, and who is given none asks for that.
    ServiceAccountClaims::verify(&token, &keys, &issuer, ISSUER, now()).unwrap();
    assert_eq!(issuer.as_str(), ISSUER);
    let elsewhere = Cluster::new("a".parse().unwrap()).dns_domain("k8s.example".parse().unwrap());
    assert_eq!(elsewhere.token_issuer().as_str(), "https://kubernetes.default.svc.k8s.example");
}

#[test]
fn every_token_has_an_id_of_its_own() {
    let ids = [(); 2]
        .map(|()| part(&token().sign(&KEYS[1], now()).unwrap(), 1)["jti"].as_str().unwrap().to_owned());
    assert_ne!(ids[0], ids[1]);
    for id in ids {
        let shape: String =
            id.chars().map(|c| if c.is_ascii_hexdigit() && !c.is_uppercase() { 'x' } else { c }).collect();
        assert_eq!(shape, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");
        assert!(id[14..].starts_with('4') && id[19..].starts_with(['8', '9', 'a', 'b']), "{id}");
    }
}

#[test]
fn a_moment_may_be_a_minute_off() {
    let forger = Forger::new();
    let token = forger.claims(&claims());
    let verify = |seconds| {
        ServiceAccountClaims::verify(&token, &keys(&forger.public), &issuer(), AUDIENCE, at(seconds))
    };
    let go = |seconds: i64| ask(&["verify", &token, &forger.public.to_pem(), &(NOW + seconds).to_string()]);
    for seconds in [-60, 0, 3600, 3660] {
        verify(seconds).unwrap();
        go(seconds).unwrap();
    }
    refused(verify(-61), Code::TokenNotYetValid, &["nbf: ", "found one from 2026-11-18T11:06:40Z on"]);
    refused(verify(3661), Code::TokenExpired, &["exp: ", "found one until 2026-11-18T12:06:40Z"]);
    assert!(go(-61).unwrap_err().contains("not valid yet"));
    assert!(go(3661).unwrap_err().contains("expired"));
    let mut later = claims();
    later["iat"] = json!(NOW + 61);
    refused(forger.verify(&forger.claims(&later)), Code::TokenNotYetValid, &["iat: "]);
    later["iat"] = json!(NOW + 60);
    forger.verify(&forger.claims(&later)).unwrap();
}

#[test]
fn the_key_decides_the_algorithm() {
    let forger = Forger::new();
    let payload = claims().to_string();
    let with = |header: Value| forger.sign(&header.to_string(), &payload);
    forger.verify(&with(json!({"alg": "ES256"}))).unwrap();
    forger.verify(&with(json!({"alg": "ES256", "typ": "JWT", "kid": ""}))).unwrap();

    for algorithm in ["none", "HS256", "RS256", "ES384", "ES512", "PS256", "es256", ""] {
        refused(
            forger.verify(&with(json!({"alg": algorithm}))),
            Code::Malformed,
            &["header: alg: expected ES256"],
        );
    }
    for (header, code, reason) in [
        (json!({}), Code::Malformed, "header: alg: expected what every token"),
        (json!({"alg": ["ES256"]}), Code::Malformed, "header: alg: expected text"),
        (json!({"alg": "ES256", "kid": "other"}), Code::BadSignature, "header: kid: expected"),
        (json!({"alg": "ES256", "kid": 1}), Code::Malformed, "header: kid: expected text"),
        (json!({"alg": "ES256", "crit": ["exp"]}), Code::Unsupported, "header: crit: expected no extension"),
        (json!({"alg": "ES256", "crit": []}), Code::Unsupported, "header: crit: expected no extension"),
    ] {
        refused(forger.verify(&with(header)), code, &[reason]);
    }

    // Without a signature, and with one that everybody can make who knows the public key.
    let unsigned = signed_part(&json!({"alg": "none"}).to_string(), &payload);
    refused(
        forger.verify(&format!("{unsigned}.")),
        Code::BadSignature,
        &["a token signed by the key ES256 "],
    );
    let signed = signed_part(&json!({"alg": "HS256", "kid": forger.public.key_id()}).to_string(), &payload);
    for secret in [forger.public.to_pem().into_bytes(), forger.public.spki_der().to_vec(), Vec::new()] {
        let tag =
            Hmac::<Sha256>::new_from_slice(&secret).unwrap().chain_update(&signed).finalize().into_bytes();
        refused(
            forger.verify(&format!("{signed}.{}", base64url(&tag))),
            Code::BadSignature,
            &["found another"],
        );
    }
}

#[test]
fn a_signature_has_one_form_only() {
    let forger = Forger::new();
    let token = forger.claims(&claims());
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = Base64UrlUnpadded::decode_vec(signature).unwrap();
    let der = p256::ecdsa::Signature::from_slice(&signature).unwrap().to_der();
    let zero_first = [&[0], &signature[..]].concat();
    for other in
        [&[][..], der.as_bytes(), &signature[1..], &signature[..63], &zero_first, &[0; 64], &[0xff; 64]]
    {
        refused(
            forger.verify(&format!("{signed}.{}", base64url(other))),
            Code::BadSignature,
            &["found another"],
        );
    }
    let rsa = token_by(&KEYS[0]);
    let (signed, signature) = rsa.rsplit_once('.').unwrap();
    let signature = Base64UrlUnpadded::decode_vec(signature).unwrap();
    for other in [[&[0], &signature[..]].concat(), signature[1..].to_vec(), [&signature[..], &[0]].concat()] {
        let token = format!("{signed}.{}", base64url(&other));
        refused(verify(&token, KEYS[0].public_key()), Code::BadSignature, &["found another"]);
    }
}

fn token_by(key: &PrivateKey) -> String {
    token().sign(key, now()).unwrap().to_string()
}

#[test]
fn any_flipped_bit_and_any_cut_is_refused() {
    for key in &*KEYS {
        let token = token_by(key);
        for position in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[position] ^= 1;
            let error = verify(std::str::from_utf8(&bytes).unwrap(), key.public_key()).unwrap_err();
            assert!(matches!(error.code(), Code::BadSignature | Code::Malformed), "{position}: {error}");
            assert!(verify(&token[..position], key.public_key()).is_err());
        }
    }
}

#[test]
fn what_is_no_token_is_refused_before_anything_in_it_is_read() {
    let forger = Forger::new();
    let token = forger.claims(&claims());
    let parts: Vec<_> = token.split('.').collect();
    let json = json!({"protected": parts[0], "payload": parts[1], "signature": parts[2]}).to_string();
    let stray = "+".repeat(86);
    for text in [
        "",
        ".",
        parts[0],
        &format!("{}.{}", parts[0], parts[1]),
        &format!("{token}."),
        &format!("{token}.{}", parts[2]),
        &format!(".{token}"),
        &format!("{token}="),
        &format!("{token}\n"),
        &format!(" {token}"),
        &format!("{}=.{}.{}", parts[0], parts[1], parts[2]),
        &format!("{}.{}\n.{}", parts[0], parts[1], parts[2]),
        &format!("{}.{}.{stray}", parts[0], parts[1]),
        &format!("{token}{}", "A".repeat(64 << 10)),
        &json,
        "ä.ö.ü",
    ] {
        refused(
            forger.verify(text),
            Code::Malformed,
            &["expected a JSON Web Token of at most 64 KiB", "found something else"],
        );
    }
    for text in [
        "..",
        &format!("..{}", parts[2]),
        &format!("{}..{}", parts[0], parts[2]),
        &format!("{}.{}.", parts[0], parts[1]),
    ] {
        refused(forger.verify(text), Code::BadSignature, &["found another"]);
    }
}

#[test]
fn another_key_has_not_signed_it() {
    let [forger, other] = [Forger::new(), Forger::new()];
    let token = forger.claims(&claims());
    refused(other.verify(&token), Code::BadSignature, &[&other.public.key_id()]);
    for key in &*KEYS {
        refused(verify(&token, key.public_key()), Code::BadSignature, &[&key.public_key().key_id()]);
    }
    // One of several keys is enough: while keys are changed, there are two.
    let all =
        KeySet::new(&[other.public.clone(), KEYS[0].public_key().clone(), forger.public.clone()]).unwrap();
    ServiceAccountClaims::verify(&token, &all, &issuer(), AUDIENCE, now()).unwrap();
}

#[test]
fn a_token_of_another_issuer_or_for_others_is_refused() {
    let forger = Forger::new();
    let verify = |claims: &Value, audience: &str| {
        ServiceAccountClaims::verify(
            &forger.claims(claims),
            &keys(&forger.public),
            &issuer(),
            audience,
            now(),
        )
    };
    let with = |name: &str, value: Value| {
        let mut claims = claims();
        claims[name] = value;
        claims
    };
    for audiences in [json!(AUDIENCE), json!(["a", AUDIENCE])] {
        verify(&with("aud", audiences), AUDIENCE).unwrap();
    }
    for audiences in [json!([]), json!(["a", "b"]), json!("https://vault.example.com/"), json!("")] {
        refused(
            verify(&with("aud", audiences), AUDIENCE),
            Code::WrongAudience,
            &["aud: expected \"https://vault"],
        );
    }
    for issuer in [json!("https://kubernetes.default.svc"), json!(""), json!(format!("{ISSUER}/"))] {
        refused(
            verify(&with("iss", issuer), AUDIENCE),
            Code::WrongIssuer,
            &["iss: expected \"https://kubernetes"],
        );
    }
    let of_secret = json!({
        "iss": "kubernetes/serviceaccount",
        "kubernetes.io/serviceaccount/namespace": "ci",
        "kubernetes.io/serviceaccount/secret.name": "builder-token-x7k2p",
        "kubernetes.io/serviceaccount/service-account.name": "builder",
        "kubernetes.io/serviceaccount/service-account.uid": UID,
        "sub": "system:serviceaccount:ci:builder",
    });
    refused(verify(&of_secret, AUDIENCE), Code::Unsupported, &["a token that ends", "TokenReview"]);
}

#[test]
fn a_claim_that_is_missing_or_something_else_is_refused_by_its_name() {
    let forger = Forger::new();
    let with = |path: &[&str], value: Option<Value>| {
        let mut claims = claims();
        let (last, above) = path.split_last().unwrap();
        let object = above.iter().fold(&mut claims, |value, key| &mut value[*key]).as_object_mut().unwrap();
        match value {
            Some(value) => _ = object.insert((*last).to_owned(), value),
            None => _ = object.remove(*last).unwrap(),
        }
        forger.claims(&claims)
    };
    let account = ["kubernetes.io", "serviceaccount"];
    let [name, uid] = ["name", "uid"].map(|key| [account[0], account[1], key]);
    let required: [&[&str]; 10] = [
        &["aud"],
        &["exp"],
        &["iat"],
        &["iss"],
        &["nbf"],
        &["sub"],
        &["kubernetes.io", "namespace"],
        &account,
        &name,
        &uid,
    ];
    for path in required {
        for value in [None, Some(Value::Null)] {
            let place = format!("{}: expected what every token of kube-apiserver has", path.join("."));
            refused(forger.verify(&with(path, value)), Code::Malformed, &[&place]);
        }
    }
    forger.verify(&with(&["jti"], None)).unwrap();
    forger.verify(&with(&["unknown"], Some(json!({"a": [1]})))).unwrap();
    forger.verify(&with(&["kubernetes.io", "warnafter"], Some(json!(NOW)))).unwrap();

    let pod = json!({"name": "p", "uid": "1"});
    let others: [(&[&str], Value, Code, &str); 12] = [
        (&["exp"], json!("1"), Code::Malformed, "exp: expected a whole number of seconds, found text"),
        (&["exp"], json!(1.5), Code::Malformed, "exp: expected a whole number"),
        (&["exp"], json!(-1), Code::Invalid, "exp: time: expected a moment in the years 1970 to 9999"),
        (&["exp"], json!(u64::MAX), Code::Invalid, "exp: time: expected a moment"),
        (&["aud"], json!({}), Code::Malformed, "aud: expected a list"),
        (&["aud"], json!([1]), Code::Malformed, "aud[0]: expected text"),
        (&["jti"], json!(1), Code::Malformed, "jti: expected text"),
        (
            &["sub"],
            json!("system:serviceaccount:ci:other"),
            Code::Malformed,
            "sub: expected \"system:serviceaccount:ci:builder\"",
        ),
        (
            &["kubernetes.io", "namespace"],
            json!("a.b"),
            Code::Invalid,
            "kubernetes.io.namespace: namespace: expected one label",
        ),
        (&name, json!("A"), Code::Invalid, "kubernetes.io.serviceaccount.name: object name"),
        (&uid, json!(""), Code::Invalid, "kubernetes.io.serviceaccount.uid: UID"),
        (
            &["kubernetes.io", "pod"],
            json!({"name": "p"}),
            Code::Malformed,
            "kubernetes.io.pod.uid: expected what every",
        ),
    ];
    for (path, value, code, reason) in others {
        refused(forger.verify(&with(path, Some(value))), code, &[reason]);
    }
    let mut several = claims();
    several["kubernetes.io"]["pod"] = pod.clone();
    several["kubernetes.io"]["secret"] = pod;
    refused(
        forger.verify(&forger.claims(&several)),
        Code::Malformed,
        &["kubernetes.io: expected a token that is bound to one"],
    );
}

#[test]
fn a_name_that_stands_twice_is_refused_in_header_and_payload() {
    let forger = Forger::new();
    let (header, payload) = (forger.header().to_string(), claims().to_string());
    let twice = |text: &str, more: &str| text.replacen('{', &format!("{{{more},"), 1);
    let in_header = forger.sign(&twice(&header, r#""alg":"none""#), &payload);
    let in_payload =
        forger.sign(&header, &twice(&payload, r#""sub":"system:serviceaccount:kube-system:admin""#));
    let no_object = forger.sign(&header, "[]");
    let no_json = forger.sign("\u{1}", &payload);
    for (token, reason) in [
        (in_header, "a key that stands twice"),
        (in_payload, "a key that stands twice"),
        (no_object, "iss: expected what every token"),
        (no_json, "found"),
    ] {
        refused(forger.verify(&token), Code::Malformed, &[reason]);
    }
}

#[test]
fn what_cannot_be_signed_is_refused() {
    let key = &KEYS[1];
    let no_audience = token().audiences([""; 0]);
    refused(no_audience.sign(key, now()), Code::Invalid, &["aud: expected at least one audience"]);
    for lifetime in [Duration::ZERO, Duration::from_millis(999), Duration::MAX] {
        refused(token().lifetime(lifetime).sign(key, now()), Code::Invalid, &["exp: expected a lifetime"]);
    }
    refused(
        token().sign(&Broken(KEYS[1].public_key().clone(), None), now()),
        Code::Signer,
        &["out of order"],
    );
    let lying = Broken(KEYS[1].public_key().clone(), Some(vec![0; 64]));
    refused(token().sign(&lying, now()), Code::SignerMismatch, &["64 bytes"]);
    for options in [
        ["-algorithm", "ED25519", "-outform", "pem"],
        ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
    ] {
        let private = openssl(&[&["genpkey"], &options[..]].concat(), b"").unwrap();
        let public = PublicKey::from_pem(&openssl(&["pkey", "-pubout"], &private).unwrap()).unwrap();
        refused(KeySet::new(std::slice::from_ref(&public)), Code::Unsupported, &["for tokens"]);
        refused(token().sign(&Broken(public, None), now()), Code::Unsupported, &["for tokens"]);
    }
}

/// A signer that fails, or always has the same answer.
struct Broken(PublicKey, Option<Vec<u8>>);

impl Signer for Broken {
    fn public_key(&self) -> &PublicKey {
        &self.0
    }

    fn sign(&self, _: &ToSign<'_>) -> Result<Vec<u8>, Box<dyn StdError + Send + Sync>> {
        self.1.clone().ok_or_else(|| "out of order".into())
    }
}

#[test]
fn an_issuer_is_a_name_or_a_uri() {
    for text in
        [ISSUER, "a", "kubernetes/serviceaccount", "urn:a:b", "spiffe://cluster.local", "https://a:1/b?c#d"]
    {
        assert_eq!(text.parse::<TokenIssuer>().unwrap().as_str(), text);
    }
    for text in ["", " a", "a b", "a\n", "ä", ":", ":a", "a:", "1a:b", "a_b:c"] {
        refused(text.parse::<TokenIssuer>(), Code::Invalid, &["token issuer: expected"]);
    }
}

/// Any text that a claim may hold.
fn audience() -> impl Strategy<Value = String> {
    any::<String>()
}

fn reference() -> impl Strategy<Value = ObjectReference> {
    ("[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\\.[a-z0-9]{1,20})?", "[!-~äß😀]{1,36}")
        .prop_map(|(name, uid)| object(&name, &uid))
}

fn binding() -> impl Strategy<Value = Option<Binding>> {
    prop_oneof![
        Just(None),
        reference().prop_map(|it| Some(Binding::Node(it))),
        reference().prop_map(|it| Some(Binding::Pod(it))),
        reference().prop_map(|it| Some(Binding::Secret(it))),
        (reference(), reference()).prop_map(|(pod, node)| Some(Binding::PodOnNode { pod, node })),
    ]
}

proptest! {
    #[test]
    fn any_claims_survive(
        account in reference(), namespace in "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", audiences in vec(audience(), 1..4),
        lifetime in 1..=u64::from(u32::MAX), binding in binding(), key in 1..3_usize,
        issuer in "https://[!-~]{1,40}",
    ) {
        let issuer: TokenIssuer = issuer.parse().unwrap();
        let (namespace, key): (kubepki::Namespace, _) = (namespace.parse().unwrap(), &KEYS[key]);
        let mut token = ServiceAccountToken::new(issuer.clone(), namespace.clone(), account.clone())
            .audiences(&audiences)
            .lifetime(Duration::from_secs(lifetime));
        if let Some(binding) = binding.clone() {
            token = token.bound_to(binding);
        }
        let text = token.sign(key, now()).unwrap();
        let claims =
            ServiceAccountClaims::verify(&text, &keys(key.public_key()), &issuer, &audiences[0], now()).unwrap();
        prop_assert_eq!(claims.issuer(), &issuer);
        prop_assert_eq!(claims.namespace(), &namespace);
        prop_assert_eq!(claims.service_account(), &account);
        prop_assert_eq!(claims.audiences(), &audiences[..]);
        prop_assert_eq!(claims.binding(), binding.as_ref());
        prop_assert_eq!(claims.expires().since(claims.issued()).as_secs(), lifetime);
        let payload = part(&text, 1);
        prop_assert_eq!(&payload["aud"], &json!(audiences));
    }

    #[test]
    fn any_text_is_refused(text in ".{0,200}") {
        prop_assert!(verify(&text, KEYS[1].public_key()).is_err());
    }
}

#[test]
fn keys_of_every_size_sign() {
    for algorithm in KeyAlgorithm::ALL {
        let key = PrivateKey::generate(algorithm).unwrap();
        verify(&token_by(&key), key.public_key()).unwrap();
    }
}
