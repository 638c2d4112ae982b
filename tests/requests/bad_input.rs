//! What is no object, no request, or too much of it: refused with the field and the reason, soon.

use std::time::{Duration, Instant};

use base64ct::{Base64, Encoding};
use kubepki::certificates_api::{
    CertificateSigningRequest, Context, NodeAddresses, SIGNING_DURATION, SignerPolicy, State, review,
};
use kubepki::{CertificationRequest, Code, KeyAlgorithm, PrivateKey, Usage};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::forge::{
    self, Csr, EXTENSION_REQUEST, OCTET_STRING, SEQUENCE, SET, SUBJECT_ALT_NAME, UTF8, attribute, tlv,
};
use super::{
    API_CLIENT, CLIENT, KUBELET_CLIENT, KUBELET_SERVING, NODE, OWN, SIGNATURE, forged, now, object, sign,
    try_read,
};
use crate::judges::go;
use crate::support::{issuer, refused};

fn good() -> Value {
    forged(&Csr::new(NODE), KUBELET_CLIENT, &[SIGNATURE, CLIENT])
}

/// Asserts that the object is refused when the value at `place` is another.
#[track_caller]
fn refused_with(place: &str, value: Value, code: Code, parts: &[&str]) {
    let mut object = good();
    let (parent, name) = place.rsplit_once('/').unwrap();
    object.pointer_mut(parent).unwrap()[name] = value;
    refused(try_read(&object), code, parts);
}

/// Asserts that the object is refused with another `spec.request`.
#[track_caller]
fn refused_request(pem: &str, parts: &[&str]) {
    let all = [&["spec.request"], parts].concat();
    refused_with("/spec/request", json!(Base64::encode_string(pem.as_bytes())), Code::Malformed, &all);
    refused(CertificationRequest::from_pem(pem.as_bytes()), Code::Malformed, parts);
}

#[test]
fn another_kind_or_version_is_refused() {
    let kind = "CertificateSigningRequest";
    let version = "certificates.k8s.io/v1";
    for (place, value, found) in [
        ("/kind", json!("Secret"), "\"Secret\""),
        ("/kind", json!("CertificateSigningRequestList"), "\"CertificateSigningRequestList\""),
        ("/kind", json!("List"), "\"List\""),
        ("/kind", json!("certificatesigningrequest"), "\"certificatesigningrequest\""),
        ("/apiVersion", json!("certificates.k8s.io/v1beta1"), "\"certificates.k8s.io/v1beta1\""),
        ("/apiVersion", json!("v1"), "\"v1\""),
    ] {
        let expected = if place == "/kind" { kind } else { version };
        refused_with(place, value, Code::Unsupported, &[&place[1..], &format!("expected {expected}"), found]);
    }
    refused_with("/kind", json!(["a"]), Code::Malformed, &["kind", "text", "a list"]);
}

#[test]
fn the_items_of_a_list_have_no_type() {
    for name in ["kind", "apiVersion"] {
        let mut object = good();
        for value in [json!(""), json!(null)] {
            object[name] = value;
            try_read(&object).unwrap();
        }
        object.as_object_mut().unwrap().remove(name);
        try_read(&object).unwrap();
    }
}

#[test]
fn a_name_that_is_no_segment_of_a_path_is_refused() {
    for name in ["a/b", "a%2fb", ".", "..", "/"] {
        refused_with("/metadata/name", json!(name), Code::Invalid, &["metadata.name", "'/'", name]);
    }
}

#[test]
fn a_field_of_another_type_is_refused_with_its_place() {
    for (place, value, parts) in [
        ("/metadata", json!([]), ["metadata", "a mapping", "a list"]),
        ("/metadata/name", json!(1), ["metadata.name", "text", "a number"]),
        ("/spec", json!("a"), ["spec", "a mapping", "text"]),
        ("/spec/request", json!({}), ["spec.request", "text", "a mapping"]),
        ("/spec/signerName", json!(true), ["spec.signerName", "text", "true or false"]),
        ("/spec/usages", json!("client auth"), ["spec.usages", "a list", "text"]),
        ("/spec/usages", json!(["client auth", 1]), ["spec.usages[1]", "text", "a number"]),
        ("/spec/username", json!(1000), ["spec.username", "text", "a number"]),
        ("/spec/groups", json!("system:nodes"), ["spec.groups", "a list", "text"]),
        ("/status", json!([]), ["status", "a mapping", "a list"]),
        ("/status/conditions", json!({}), ["status.conditions", "a list", "a mapping"]),
        ("/status/conditions", json!(["Approved"]), ["status.conditions[0]", "a mapping", "text"]),
        ("/status/conditions", json!([{ "type": 1 }]), ["status.conditions[0].type", "text", "a number"]),
        (
            "/status/certificate",
            json!("-----BEGIN"),
            ["status.certificate", "standard base64", "something else"],
        ),
    ] {
        refused_with(place, value, Code::Malformed, &parts);
    }
}

#[test]
fn usages_are_known_and_stand_once() {
    let known = ["one of digital signature, content commitment", "netscape sgc"];
    for (usages, parts) in [
        (json!([]), vec!["spec.usages:", "at least one usage", "none"]),
        (json!(null), vec!["spec.usages:", "at least one usage", "none"]),
        (json!(["client auth", "server"]), vec!["spec.usages[1]", known[0], known[1], "\"server\""]),
        (json!(["Client Auth"]), vec!["spec.usages[0]", known[0], "\"Client Auth\""]),
        (json!(["client auth "]), vec!["spec.usages[0]", known[0]]),
        (json!([""]), vec!["spec.usages[0]", known[0], "\"\""]),
        (json!([null]), vec!["spec.usages[0]", known[0]]),
        (json!(["any", "client auth", "any"]), vec!["spec.usages[2]", "each usage once", "\"any\""]),
        (json!(["a\u{1b}[2J"]), vec!["spec.usages[0]", "\"a\\u{1b}[2J\""]),
    ] {
        refused_with("/spec/usages", usages, Code::Invalid, &parts);
    }
    // Two spellings of one usage are no doublet to the API server either.
    let object =
        forged(&Csr::new(NODE), OWN, &["signing", "digital signature", "s/mime", "email protection"]);
    let expected = [Usage::DigitalSignature, Usage::EmailProtection].map(|usage| [usage; 2]).concat();
    assert_eq!(try_read(&object).unwrap().usages(), expected);
}

#[test]
fn the_expiration_is_a_number_of_32_bits_from_600_on() {
    let field = "spec.expirationSeconds";
    for (value, code, parts) in [
        (json!(599), Code::Invalid, ["at least 600 seconds (10 minutes)", "599"]),
        (json!(0), Code::Invalid, ["at least 600 seconds", "0"]),
        (json!(-1), Code::Invalid, ["at least 600 seconds", "-1"]),
        (json!(-2147483648_i64), Code::Invalid, ["at least 600 seconds", "-2147483648"]),
        (json!("600"), Code::Malformed, ["a number", "text"]),
        (json!(600.5), Code::Malformed, ["a whole number", "600.5"]),
        (json!(true), Code::Malformed, ["a number", "true or false"]),
        (json!([600]), Code::Malformed, ["a number", "a list"]),
        (json!(2147483648_i64), Code::Invalid, ["a number of 32 bits", "2147483648"]),
        (json!(4294967896_i64), Code::Invalid, ["a number of 32 bits", "4294967896"]),
        (json!(u64::MAX), Code::Invalid, ["a number of 32 bits", "18446744073709551615"]),
    ] {
        refused_with("/spec/expirationSeconds", value, code, &[field, parts[0], parts[1]]);
    }
    let text = good().to_string().replace("\"usages\"", "\"expirationSeconds\":1e300,\"usages\"");
    let found = CertificateSigningRequest::from_yaml(text.as_bytes());
    refused(found, Code::Malformed, &["a number too large to be kept as it stands"]);
}

#[test]
fn a_signer_name_is_a_domain_and_a_path() {
    let rule = "a fully qualified domain and path of the form 'example.com/signer-name'";
    for name in [
        "",
        "kubelet-serving",
        "a/b",
        "example.com/",
        "/a",
        "example.com/a b",
        "Example.com/a",
        "example.com/a/b",
    ] {
        refused_with(
            "/spec/signerName",
            json!(name),
            Code::Invalid,
            &["spec.signerName", rule, &format!("{name:?}")],
        );
    }
    refused_with("/spec/signerName", json!(null), Code::Invalid, &["spec.signerName", rule, "\"\""]);
}

#[test]
fn base64_is_standard_and_padded() {
    let whole = good()["spec"]["request"].as_str().unwrap().to_owned();
    for text in
        ["?", "-----BEGIN CERTIFICATE REQUEST-----", "YQ", "YQ=", "Y Q==", "_-__", "YR==", &whole[1..]]
    {
        let parts = ["spec.request", "standard base64 with padding", "something else"];
        refused_with("/spec/request", json!(text), Code::Malformed, &parts);
    }
    // Lines are broken where people wrap them.
    let mut object = good();
    object["spec"]["request"] = json!(format!("{}\n{}\r\n", &whole[..64], &whole[64..]));
    assert_eq!(try_read(&object).unwrap().request().der(), Csr::new(NODE).der());
}

/// Go passes over what stands behind an attribute's values, and over an attribute of which one value is damaged: it
/// would sign other names than a reader sees who does not.
#[test]
fn names_that_go_would_see_alone_or_not_at_all_are_refused() {
    let names = forge::tlv(SEQUENCE, &forge::general_name("DNS:kubernetes.default.svc"));
    let names = forge::tlv(SEQUENCE, &forge::extension(SUBJECT_ALT_NAME, &names));
    let request = || forge::oid(EXTENSION_REQUEST);
    let null = vec![5, 0];
    let hidden = [request(), forge::tlv(SET, &names), null.clone()];
    let unseen = [request(), forge::tlv(SET, &[names.clone(), vec![0x30, 0x7f]].concat())];
    let several = [request(), forge::tlv(SET, &[names, null].concat())];
    let node = Csr::new(NODE).sans(&["DNS:n1"]);
    for (parts, seen_by_go) in [
        (&hidden[..], Some("kubernetes.default.svc")),
        (&unseen, None),
        (&several, Some("kubernetes.default.svc")),
    ] {
        let request = Csr::new(NODE).odd_attribute(parts);
        let go = go::requests(&[request.der()]).remove(0).unwrap();
        assert_eq!(go.contains("kubernetes.default.svc"), seen_by_go.is_some(), "{go}");
        refused_request(&request.pem(), &["PKCS#10 in DER"]);
        // Nor beside an attribute that everybody reads.
        refused_request(&node.clone().odd_attribute(parts).pem(), &["PKCS#10 in DER"]);
    }
}

#[test]
fn a_request_is_one_block_of_its_own_type() {
    let csr = Csr::new(NODE);
    let one = "one PEM block CERTIFICATE REQUEST";
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap().to_pem();
    let with = |label: &str| forge::pem(label, &csr.der());
    refused(CertificationRequest::from_pem(b""), Code::Malformed, &[one, "found nothing"]);
    refused_with("/spec/request", json!(""), Code::Malformed, &["spec.request", "PKCS#10 in PEM", "nothing"]);
    refused_request("hello", &[one, "no PEM block"]);
    refused_request(&with("NEW CERTIFICATE REQUEST"), &[one, "found NEW CERTIFICATE REQUEST"]);
    refused_request(&with("certificate request"), &[one, "(an unusual label)"]);
    refused_request(&issuer().certificate().to_pem(), &[one, "found CERTIFICATE"]);
    refused_request(&key, &[one, "found EC PRIVATE KEY"]);
    refused_request(&csr.pem().repeat(2), &[one, "2 blocks"]);
    refused_request(&(csr.pem() + &key), &[one, "2 blocks"]);
    refused_request(&(key.to_string() + &csr.pem()), &[one, "EC PRIVATE KEY, CERTIFICATE REQUEST"]);
    refused_request(&(csr.pem() + &issuer().certificate().to_pem()), &[one, "2 blocks"]);
    let pem = csr.pem();
    refused_request(&pem[..pem.len() / 2], &["an END for each BEGIN", "it is cut off"]);
    refused_request(&pem.replacen("\nM", "\n?", 1), &["base64 between BEGIN and END"]);
    let der = String::from_utf8_lossy(&csr.der()).into_owned();
    refused_request(&der, &[one]);
    for refusal in [&key[..], &format!("{}{}", csr.pem(), *key)] {
        let error = CertificationRequest::from_pem(refusal.as_bytes()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(&key[40..56]));
    }
    // Text around the block is nobody's harm, to Go either.
    let mut around = good();
    around["spec"]["request"] = json!(Base64::encode_string(format!("a\n{pem}b").as_bytes()));
    assert_eq!(try_read(&around).unwrap().request().der(), csr.der());
}

#[test]
fn a_request_is_whole_and_of_its_structure() {
    let expected = "a certification request (PKCS#10 in DER)";
    let whole = Csr::new(NODE).sans(&["DNS:a"]).der();
    for length in [0, 1, 2, 10, whole.len() / 2, whole.len() - 1] {
        refused_request(&forge::pem("CERTIFICATE REQUEST", &whole[..length]), &[expected]);
    }
    let name = |der: Vec<u8>| Csr::new("").extension(SUBJECT_ALT_NAME, &der).der();
    let twice = Csr::new(NODE).sans(&["DNS:a"]).sans(&["DNS:b"]).der();
    for der in [
        [&*whole, &[0]].concat(),
        [&*whole, &*whole].concat(),
        issuer().certificate().der().to_vec(),
        tlv(SEQUENCE, &[]),
        twice,
        name(vec![]),
        name(tlv(OCTET_STRING, b"a")),
        name([tlv(SEQUENCE, b""), vec![0]].concat()),
        name(tlv(SEQUENCE, &tlv(0x82, "\u{fc}".as_bytes()))),
        Csr::new("").subject(tlv(SET, b"")).der(),
        Csr::new("").subject(tlv(SEQUENCE, &tlv(SEQUENCE, &attribute("CN", UTF8, b"a")))).der(),
        Csr::new("").subject(tlv(SEQUENCE, &tlv(SET, &attribute("CN", UTF8, b"\xff")))).der(),
    ] {
        refused_request(&forge::pem("CERTIFICATE REQUEST", &der), &[expected]);
    }
    for (san, found) in
        [("IP:abc", "an IP address of 3 bytes"), ("URI:no uri", "URI:\"no uri\""), ("URI:", "URI:")]
    {
        let pem = Csr::new("").sans(&[san]).pem();
        refused_request(&pem, &["subject alternative names of their kinds", found]);
    }
}

#[test]
fn yaml_that_readers_understand_differently_is_refused() {
    let json = good().to_string();
    let spec = json.replace("\"spec\":{", "\"spec\":{\"usages\":[\"any\"],");
    let kind = json.replace("\"kind\"", "\"kind\":\"Secret\",\"kind\"");
    let second = format!("{json}\n---\n{json}\n");
    let anchor = json.replace("[\"system:authenticated\"]", "&a [b]");
    let alias = json.replace("[\"system:authenticated\"]", "*a");
    let tag = json.replace("\"jane\"", "!x jane");
    let merge = json.replace("\"username\"", "<<: {a: b}, \"username\"");
    let deep = json.replace("\"jane\"", &format!("{}{}", "[".repeat(100), "]".repeat(100)));
    let bomb = "a: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b]\n".to_owned();
    for (document, reason) in [
        (spec, "a key that stands twice"),
        (kind, "a key that stands twice"),
        (second, "a second document"),
        (anchor, "an anchor or alias, which is not supported"),
        (alias, "an alias without its anchor"),
        (tag, "a tag, which is not supported"),
        (merge, "a merge key (<<), which is not supported"),
        (deep, "too many levels"),
        (bomb, "an anchor or alias, which is not supported"),
        (json[..json.len() - 1].to_owned(), "found"),
        (format!("[{json}]"), "a mapping"),
        (String::new(), "a mapping"),
        ("null".to_owned(), "a mapping"),
        ("\u{feff}a".to_owned(), "a mapping"),
    ] {
        refused(CertificateSigningRequest::from_yaml(document.as_bytes()), Code::Malformed, &[reason]);
    }
    refused(
        CertificateSigningRequest::from_yaml(b"kind: \xff"),
        Code::Malformed,
        &["not UTF-8, from byte 6 on"],
    );
}

/// What is read, and how long it took to read, review, approve and sign it.
fn judged(document: &[u8]) -> (kubepki::Result<CertificateSigningRequest>, Duration) {
    let start = Instant::now();
    let found = CertificateSigningRequest::from_yaml(document);
    let handled = found.as_ref().ok().cloned().map(handled);
    let time = start.elapsed();
    if let Some(handled) = handled {
        let written = handled.to_yaml();
        assert_eq!(CertificateSigningRequest::from_yaml(written.as_bytes()).unwrap(), handled);
    }
    (found, time)
}

/// Reviewed, approved and signed, if that can be.
fn handled(mut object: CertificateSigningRequest) -> CertificateSigningRequest {
    let policy = |signer: &str| {
        SignerPolicy::new(signer.parse().unwrap())
            .unwrap()
            .requesters(["*".parse().unwrap()])
            .common_names(["*".parse().unwrap(), "system:*:*".parse().unwrap()])
            .sans(["DNS:*.a".parse().unwrap(), "IP:::/0".parse().unwrap(), "URI:*:*".parse().unwrap()])
            .usages([Usage::ClientAuth, Usage::DigitalSignature])
    };
    let node = NodeAddresses::new("n1".parse().unwrap(), ["n1".parse().unwrap()]);
    let context = Context::default().policy(policy(OWN)).policy(policy(API_CLIENT)).node(node);
    let found = review(&object, &context);
    let _ = (found.to_string(), format!("{object:?}"));
    let _ = found.apply(&mut object, now());
    let _ = object.approve("Test", "", now());
    let _ = sign(&mut object, issuer(), SIGNING_DURATION, kubepki::Time::now())
        .map_err(|error| error.to_string());
    object
}

#[test]
fn hostile_sizes_are_refused_or_handled_soon() {
    const SOON: Duration = Duration::from_secs(2);
    const MANY: usize = 100_000;
    let of = |csr: &Csr| forged(csr, OWN, &[CLIENT]).to_string();
    let set = |kind| tlv(SET, &attribute(kind, UTF8, b"a"));
    let subject = |der: Vec<u8>| of(&Csr::new("").subject(tlv(SEQUENCE, &der)));
    let extensions: Vec<_> = (0..MANY).map(|n| forge::extension(&format!("1.2.3.{n}"), b"")).collect();
    let nested = (0..100_000).fold(Vec::new(), |mut inner: Vec<u8>, _| {
        inner.push(SEQUENCE);
        inner
    });
    // An RSA key whose exponent is 65537, and whose modulus nobody can use.
    let modulus = |bytes: usize| {
        let numbers = [tlv(0x02, &[&[0x00], &*vec![0xff; bytes]].concat()), tlv(0x02, &[1, 0, 1])].concat();
        let algorithm = [forge::oid("1.2.840.113549.1.1.1"), vec![0x05, 0x00]].concat();
        let bits = [vec![0], tlv(SEQUENCE, &numbers)].concat();
        let spki = tlv(SEQUENCE, &[tlv(SEQUENCE, &algorithm), tlv(forge::BIT_STRING, &bits)].concat());
        let info = Csr::new("CN=a").key(spki).info();
        let algorithm = [forge::oid("1.2.840.113549.1.1.11"), vec![0x05, 0x00]].concat();
        object(
            &forge::pem("CERTIFICATE REQUEST", &forge::assembled(&info, &algorithm, &vec![1; bytes])),
            OWN,
            &[CLIENT],
        )
        .to_string()
    };
    let pem_of_10_mb = forge::pem("CERTIFICATE REQUEST", &vec![0x30; 10 << 20]);
    let with = |place: &str, value: Value| {
        let mut object = forged(&Csr::new("CN=a"), OWN, &[CLIENT]);
        let (parent, name) = place.rsplit_once('/').unwrap();
        object.pointer_mut(parent).unwrap()[name] = value;
        object.to_string()
    };
    let condition = json!({ "type": "Other", "status": "True" });
    // What must be said, or nothing where all is fine.
    let rows: [(&str, String, &str); 20] = [
        ("a request of 10 MB", object(&pem_of_10_mb, OWN, &[CLIENT]).to_string(), "at most 4194304 bytes"),
        ("4 MiB of blanks", " ".repeat(4 << 20), "a mapping"),
        (
            "100,000 names",
            of(&Csr::new("").sans(&vec!["DNS:a.b"; MANY])),
            "at most 1000 subject alternative names",
        ),
        (
            "1001 names",
            of(&Csr::new("").sans(&vec!["RID:1.2.3"; 1001])),
            "at most 1000 subject alternative names",
        ),
        ("1000 names", of(&Csr::new("").sans(&vec!["DNS:b.a"; 1000])), ""),
        ("a name of 1 MB", of(&Csr::new("").sans(&[&format!("DNS:{}.a", "b".repeat(1 << 20))])), ""),
        ("a name of many labels", of(&Csr::new("").sans(&[&format!("DNS:{}", "b.".repeat(1 << 19))])), ""),
        ("a URI of 1 MB", of(&Csr::new("").sans(&[&format!("URI:a:{}", "b:".repeat(1 << 19))])), ""),
        ("a common name of 1 MB", of(&Csr::new(&format!("CN={}", "\u{202e}".repeat(1 << 18)))), ""),
        ("100,000 organizations", subject(vec![set("O"); MANY].concat()), ""),
        ("100,000 common names", subject(vec![set("CN"); MANY].concat()), ""),
        (
            "100,000 attributes in one set",
            subject(tlv(SET, &vec![attribute("O", UTF8, b"a"); MANY].concat())),
            "",
        ),
        (
            "100,000 extensions",
            of(&Csr::new("").attribute(forge::EXTENSION_REQUEST, &tlv(SEQUENCE, &extensions.concat()))),
            "",
        ),
        ("100,000 lists within each other", of(&Csr::new("").extension("1.2.3.4", &nested)), ""),
        ("a key of 16,384 bits", modulus(2048), ""),
        ("a key of 1,000,000 bits", modulus(125_000), ""),
        ("100,000 usages", with("/spec/usages", json!(vec!["client auth"; MANY])), "spec.usages[1]"),
        ("100,000 groups", with("/spec/groups", json!(vec!["a"; MANY])), ""),
        ("20,000 conditions", with("/status/conditions", json!(vec![condition; 20_000])), ""),
        (
            "20,000 unknown fields",
            with("/metadata/labels", (0..20_000).map(|n| (n.to_string(), json!(1))).collect()),
            "",
        ),
    ];
    for (name, document, refusal) in rows {
        let (found, time) = judged(document.as_bytes());
        match refusal {
            "" => assert!(found.is_ok(), "{name}: {found:?}"),
            refusal => {
                let error = found.unwrap_err().to_string();
                assert!(error.contains(refusal) && error.len() < 1000, "{name}: {error}");
            }
        }
        // Once again where other programs have the processor.
        let is_soon = time < SOON || (0..3).any(|_| judged(document.as_bytes()).1 < SOON);
        assert!(is_soon, "{name}: {time:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_bytes_make_reading_panic(bytes in vec(any::<u8>(), 0..300)) {
        let _ = (CertificateSigningRequest::from_yaml(&bytes), NodeAddresses::from_yaml(&bytes));
        let _ = (CertificationRequest::from_pem(&bytes), CertificationRequest::from_der(&bytes));
    }

    #[test]
    fn no_damage_to_an_object_makes_anything_panic(damages in vec((any::<Index>(), any::<u8>()), 1..4)) {
        let mut bytes = good().to_string().into_bytes();
        for (place, byte) in damages {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        judged(&bytes).0.ok();
    }

    #[test]
    fn no_damage_to_a_request_makes_anything_panic(
        damages in vec((any::<Index>(), any::<u8>()), 1..4), signer in prop::sample::select(vec![KUBELET_CLIENT, KUBELET_SERVING, OWN]),
    ) {
        let mut der = Csr::new(NODE).sans(&["DNS:a", "IP:192.0.2.1", "URI:a:b", "email:a@b"]).der();
        for (place, byte) in damages {
            let place = place.index(der.len());
            der[place] = byte;
        }
        let object = object(&forge::pem("CERTIFICATE REQUEST", &der), signer, &[SIGNATURE, CLIENT]);
        if let Ok(found) = judged(object.to_string().as_bytes()).0 {
            assert_eq!(found.request().der(), der);
            assert_eq!(found.state(), State::Pending);
        }
    }
}
