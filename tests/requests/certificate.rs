//! The certificate: but for serial number and signature, byte for byte what Go makes of the same request.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use der::{AnyRef, Decode, Encode};
use kubepki::certificates_api::{Outcome, SIGNING_DURATION, State};
use kubepki::{
    AlternativeName, Certificate, Code, Convention, Issuer, KeyAlgorithm, PrivateKey, Signer, Time, Usage,
    role,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::json;

use super::forge::{
    self, BIT_STRING, Csr, EXTENSION_REQUEST, OCTET_STRING, PRINTABLE, SEQUENCE, SET, SUBJECT_ALT_NAME, UTF8,
    attribute, tlv,
};
use super::{CLIENT, LEGACY_UNKNOWN, OWN, SERVER, SIGNATURE, approved, forged, now, object, sign};
use crate::judges::go;
use crate::support::{cluster, openssl, refused, utf8};

/// An authority, and where Go finds it.
struct Authority {
    issuer: Issuer,
    certificate: PathBuf,
    key: PathBuf,
}

impl Authority {
    fn new(name: &str, issuer: Issuer) -> Self {
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("requests");
        fs::create_dir_all(&directory).unwrap();
        let path = |kind: &str| directory.join(format!("{name}.{kind}"));
        let (certificate, key) = (path("crt"), path("key"));
        fs::write(&certificate, issuer.certificate().to_pem()).unwrap();
        fs::write(&key, issuer.private_key().unwrap().to_pem().as_bytes()).unwrap();
        Self { issuer, certificate, key }
    }

    fn generate(name: &str, algorithm: KeyAlgorithm, lifetime: Duration) -> Self {
        let profile = role::KubernetesCa::new(&cluster(algorithm, Convention::Kubeadm)).lifetime(lifetime);
        Self::new(name, Issuer::self_signed(&profile.profile(), now()).unwrap())
    }

    /// One without a subject key identifier.
    fn without_identifier() -> Self {
        let key = openssl(&["ecparam", "-name", "prime256v1", "-genkey", "-noout"], &[]).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), &key).unwrap();
        let arguments = "req -x509 -new -days 3650 -subj /CN=bare -addext subjectKeyIdentifier=none \
            -addext authorityKeyIdentifier=none -addext keyUsage=critical,keyCertSign -key";
        let arguments: Vec<_> = arguments.split_whitespace().chain(file.path().to_str()).collect();
        let certificate = openssl(&arguments, &[]).unwrap();
        Self::new("bare", Issuer::from_pem(&certificate, &key).unwrap())
    }
}

static P256: LazyLock<Authority> =
    LazyLock::new(|| Authority::generate("p256", KeyAlgorithm::EcdsaP256, 10 * SIGNING_DURATION));

/// What is to be signed.
struct Wanted<'a> {
    request: Vec<u8>,
    usages: Vec<&'a str>,
    expiration: Option<u64>,
    duration: u64,
    now: Time,
}

impl<'a> Wanted<'a> {
    fn new(request: Vec<u8>, usages: &[&'a str]) -> Self {
        let duration = SIGNING_DURATION.as_secs();
        Self { request, usages: usages.to_vec(), expiration: None, duration, now: now() }
    }

    fn sign(&self, authority: &Authority) -> kubepki::Result<Certificate> {
        let pem = forge::pem("CERTIFICATE REQUEST", &self.request);
        let mut object = object(&pem, LEGACY_UNKNOWN, &self.usages);
        if let Some(seconds) = self.expiration {
            object["spec"]["expirationSeconds"] = json!(seconds);
        }
        let mut object = approved(&object);
        let outcome = sign(&mut object, &authority.issuer, Duration::from_secs(self.duration), self.now)?;
        assert_eq!((outcome, object.state()), (Outcome::Issued, State::Issued));
        let mut certificates = object.certificates().unwrap();
        assert_eq!(certificates.len(), 1);
        Ok(certificates.remove(0))
    }

    /// For Go, with the serial number of ours.
    fn for_go(&self, authority: &'a Authority, ours: &Certificate) -> go::ToSign<'a> {
        go::ToSign {
            request: self.request.clone(),
            usages: self.usages.clone(),
            expiration: self.expiration,
            duration: self.duration,
            certificate: &authority.certificate,
            key: &authority.key,
            now: self.now.unix(),
            serial_number: ours.serial_number().to_vec(),
        }
    }
}

/// Our certificates, after Go made the same.
#[track_caller]
fn same_as_go(authority: &Authority, wanted: &[(&str, Wanted<'_>)]) -> Vec<Certificate> {
    let ours: Vec<_> = wanted
        .iter()
        .map(|(name, it)| it.sign(authority).unwrap_or_else(|e| panic!("{name}: {e}")))
        .collect();
    let asked: Vec<_> = wanted.iter().zip(&ours).map(|((_, it), ours)| it.for_go(authority, ours)).collect();
    let mut differences = String::new();
    for (((name, _), ours), go) in wanted.iter().zip(&ours).zip(go::sign(&asked)) {
        match go {
            Ok(go) if to_be_signed(ours.der()) == to_be_signed(&go) => {}
            Ok(go) => differences += &format!("{name:?}: {}\nGo: {}", text(ours.der()), text(&go)),
            Err(error) => differences += &format!("{name:?}: Go makes none: {error}\n"),
        }
        ours.check_issued_by(authority.issuer.certificate()).unwrap();
    }
    assert!(differences.is_empty(), "{differences}");
    ours
}

/// The TBSCertificate.
fn to_be_signed(certificate: &[u8]) -> Vec<u8> {
    let parts = AnyRef::from_der(certificate).unwrap().value();
    AnyRef::from_der_partial(parts).unwrap().0.to_der().unwrap()
}

fn text(der: &[u8]) -> String {
    openssl(&["x509", "-inform", "der", "-noout", "-text"], der).map_or_else(|error| error, utf8)
}

#[test]
fn a_subject_is_written_as_go_writes_it() {
    let rows = [
        ("O=system:nodes/CN=system:node:n1", "O=system:nodes, CN=system:node:n1"),
        ("CN=a/O=b", "O=b, CN=a"),
        ("O=b/CN=c/O=a", "O=a, O=b, CN=c"),
        ("O=b+O=a+CN=c", "O=a, O=b, CN=c"),
        ("O=a/O=a", "O=a, O=a"),
        ("O=bb/O=c/O=", "O=, O=c, O=bb"),
        ("CN=a/CN=b", "CN=b"),
        ("CN=a/CN=", "(empty)"),
        ("CN=a/SERIALNUMBER=1/SERIALNUMBER=2", "CN=a, SERIALNUMBER=2"),
        (
            "SERIALNUMBER=1/POSTALCODE=2/STREET=3/OU=4/O=5/CN=6/ST=7/L=8/C=9",
            "C=9, ST=7, L=8, STREET=3, 2.5.4.17=2, O=5, OU=4, CN=6, SERIALNUMBER=1",
        ),
        ("emailAddress=a@example.com/DC=com/2.5.4.42=Jane/CN=jane", "CN=jane"),
        ("emailAddress=a@example.com", "(empty)"),
        ("CN=*.example.com/O=a&b", "O=a&b, CN=*.example.com"),
        ("CN=j\u{fc}rgen/O=\u{20ac}", "O=\u{20ac}, CN=j\u{fc}rgen"),
        // The authority's own name: there is no authority key identifier then.
        ("CN=kubernetes", "CN=kubernetes"),
        ("", "(empty)"),
    ];
    let long = format!("CN={}", "a".repeat(1000));
    let rows = rows.into_iter().chain([(&*long, &*long)]);
    let (subjects, expected): (Vec<_>, Vec<_>) = rows.unzip();
    let wanted = |subject| (subject, Wanted::new(Csr::new(subject).sans(&["DNS:a"]).der(), &[CLIENT]));
    let wanted: Vec<_> = subjects.into_iter().map(wanted).collect();
    for (certificate, expected) in same_as_go(&P256, &wanted).iter().zip(expected) {
        assert_eq!(certificate.subject().to_string(), expected);
    }
}

#[test]
fn every_string_type_of_a_subject_is_read_as_go_reads_it() {
    let rows: [(&str, u8, &[u8]); 9] = [
        ("Printable", PRINTABLE, b"a b"),
        ("UTF8, printable", UTF8, b"a b"),
        ("UTF8", UTF8, "j\u{fc}rg".as_bytes()),
        ("IA5", 0x16, b"a@b"),
        ("Numeric", 0x12, b"12 3"),
        ("T61", 0x14, b"abc"),
        ("BMP", 0x1e, b"\0j\0\xfc\x20\xac"),
        ("BMP, printable", 0x1e, b"\0a\0b"),
        ("BMP, with an end", 0x1e, b"\0a\0b\0\0"),
    ];
    let wanted = rows.map(|(name, tag, value)| {
        let attributes = [attribute("O", tag, value), attribute("CN", tag, value)].map(|it| tlv(SET, &it));
        let subject = tlv(SEQUENCE, &attributes.concat());
        (name, Wanted::new(Csr::new("").subject(subject).der(), &[CLIENT]))
    });
    same_as_go(&P256, &wanted);
}

#[test]
fn names_come_by_their_kind_and_are_critical_without_a_subject() {
    let mixed =
        ["URI:spiffe://a/b", "IP:192.0.2.1", "email:b@c", "DNS:b", "DNS:a", "IP:2001:db8::1", "email:a@b"];
    let by_kind =
        ["DNS:b", "DNS:a", "email:b@c", "email:a@b", "IP:192.0.2.1", "IP:2001:db8::1", "URI:spiffe://a/b"];
    let rows: &[(&str, &[&str], &[&str])] = &[
        ("CN=a", &[], &[]),
        ("CN=a", &mixed, &by_kind),
        ("CN=a", &["DNS:a", "DNS:a", "DNS:A"], &["DNS:a", "DNS:a", "DNS:A"]),
        ("CN=a", &["DNS:*.a", "DNS:a_b", "DNS:a.", "DNS:"], &["DNS:*.a", "DNS:a_b", "DNS:a.", "DNS:"]),
        ("CN=a", &["DNS:a b,DNS:c"], &["DNS:\"a b,DNS:c\""]),
        ("CN=a", &["IP:::ffff:192.0.2.1"], &["IP:192.0.2.1"]),
        ("CN=a", &["IP:0.0.0.0", "IP:::"], &["IP:0.0.0.0", "IP:::"]),
        ("CN=a", &["email:", "email:no address"], &["email:", "email:\"no address\""]),
        ("CN=a", &["DNS:a", "RID:1.2.3", "dirName:CN=b"], &["DNS:a"]),
        ("CN=a", &["RID:1.2.3", "dirName:CN=b"], &[]),
        ("", &["DNS:a"], &["DNS:a"]),
        ("emailAddress=a@b", &["DNS:a"], &["DNS:a"]),
        ("", &[], &[]),
    ];
    let wanted: Vec<_> = rows
        .iter()
        .map(|(subject, sans, _)| (*subject, Wanted::new(Csr::new(subject).sans(sans).der(), &[SERVER])))
        .collect();
    for (certificate, (subject, _, expected)) in same_as_go(&P256, &wanted).iter().zip(rows) {
        let found: Vec<_> = certificate.sans().iter().map(ToString::to_string).collect();
        assert_eq!(found, *expected);
        let mut extensions = certificate.extensions();
        let is_critical = extensions.find(|(id, _)| id == SUBJECT_ALT_NAME).map(|(_, critical)| critical);
        let is_empty = !subject.contains("CN");
        assert_eq!(is_critical, (!expected.is_empty()).then_some(is_empty), "{subject}");
    }
}

#[test]
fn a_uri_is_written_as_go_writes_it_or_refused() {
    const URIS: &str = "spiffe://cluster.local/ns/a/sa/b urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6 \
        https://example.com:8443/a?b=c#d https://user:word@example.com/ https://192.0.2.1/ \
        https://192.0.2.1:80/ mailto:a@b.c a:b a: a:?b a:/b a://b a:///b a:////b a://@b a://b? a://b# a://b/?c# \
        HTTPS://example.com/ https://EXAMPLE.com/ https://a/%7e https://a/%7E https://a/~ https://a/%2f \
        https://a/b%20c https://a/b+c https://a/b;c=d,e https://a/'b' https://a/!b*(c) https://a/b:c@d&e=$f \
        https://a/[b] https://a/?[b]'! https://a/#b'c[d] https://a/#b%20c https://a/#%7e https://a/?%7e \
        https://a/a//b/./c/../d https://a:/ https://:80/ https://a:b@c:d@e/ https://a!b@c/ https://%61@c/ \
        https://a..b/ https://a.b./ https://-a/ https://a_b/ https://[2001:db8::1]/ https://[2001:db8::1]:80/ \
        https://a%62/ //a/b /a a * a:% a:%zz a:b%20c a:b#c%20d a+b.c-d:e 1a:b a:\" a:<b> a://b/\\c \
        a://b/^`{|} a:[b] a:b?c?d#e#f a://b:99999/ a://b:0/ a://b:080/ a:b#c[d] a://b/(c)!*'?d=e a:%41 a://b/%41";
    let wanted = |uri| (uri, Csr::new("CN=a").sans(&[&format!("URI:{uri}")]).der());
    // Fewer than Go reads.
    let readable: Vec<_> = URIS
        .split(' ')
        .map(wanted)
        .filter(|(_, der)| kubepki::CertificationRequest::from_der(der).is_ok())
        .map(|(uri, der)| (uri, Wanted::new(der, &[CLIENT])))
        .collect();
    assert!(readable.len() > 30, "{}", readable.len());
    for (certificate, (uri, _)) in same_as_go(&P256, &readable).iter().zip(&readable) {
        assert_eq!(certificate.sans(), [AlternativeName::Uri((*uri).to_owned())]);
    }
}

#[test]
fn whatever_else_a_request_asks_for_is_dropped() {
    let oids = |ids: &[&str]| tlv(SEQUENCE, &ids.iter().flat_map(|id| forge::oid(id)).collect::<Vec<_>>());
    let csr = || Csr::new("CN=a").sans(&["DNS:a"]);
    let wanted = [
        ("nothing", csr()),
        ("CA:TRUE", csr().extension("2.5.29.19", &tlv(SEQUENCE, &[0x01, 0x01, 0xff]))),
        ("keyCertSign, cRLSign", csr().extension("2.5.29.15", &tlv(BIT_STRING, &[0x01, 0x06]))),
        ("serverAuth, any", csr().extension("2.5.29.37", &oids(&["1.3.6.1.5.5.7.3.1", "2.5.29.37.0"]))),
        ("subject key identifier", csr().extension("2.5.29.14", &tlv(OCTET_STRING, b"identifier"))),
        ("something of one's own", csr().extension("1.2.3.4", b"anything")),
        ("a challenge password", csr().attribute("1.2.840.113549.1.9.7", &tlv(UTF8, b"secret"))),
        ("an attribute without a value", csr().attribute("1.2.3.4", b"")),
        ("no extension", csr().attribute(EXTENSION_REQUEST, &tlv(SEQUENCE, b""))),
        (
            "extensions in a second attribute",
            csr().attribute(EXTENSION_REQUEST, &tlv(SEQUENCE, &forge::extension("1.2.3.4", b""))),
        ),
    ]
    .map(|(name, csr)| (name, Wanted::new(csr.der(), &[CLIENT, SIGNATURE])));
    let certificates = same_as_go(&P256, &wanted);
    for certificate in &certificates {
        let extensions: Vec<_> = certificate.extensions().collect();
        // Key usage, extended key usage, basic constraints, authority key identifier, names: no subject key identifier.
        let ids = ["2.5.29.15", "2.5.29.37", "2.5.29.19", "2.5.29.35", "2.5.29.17"];
        let critical = [true, false, true, false, false];
        let expected: Vec<_> = ids.map(str::to_owned).into_iter().zip(critical).collect();
        assert_eq!(extensions, expected);
        assert!(!certificate.is_authority());
        assert_eq!(certificate.usages().len(), 2);
    }
}

/// Every usage that Kubernetes knows, as it spells it.
const USAGES: [&str; 23] = [
    "signing",
    "digital signature",
    "content commitment",
    "key encipherment",
    "key agreement",
    "data encipherment",
    "cert sign",
    "crl sign",
    "encipher only",
    "decipher only",
    "any",
    "server auth",
    "client auth",
    "code signing",
    "email protection",
    "s/mime",
    "ipsec end system",
    "ipsec tunnel",
    "ipsec user",
    "timestamping",
    "ocsp signing",
    "microsoft sgc",
    "netscape sgc",
];

#[test]
fn usages_are_those_of_the_object_in_the_order_of_go() {
    let request = Csr::new("CN=a").der();
    let wanted = |usages: &[&'static str]| ("usages", Wanted::new(request.clone(), usages));
    let reversed: Vec<_> = USAGES.into_iter().rev().collect();
    let pairs = [["server auth", "any"], ["s/mime", "email protection"], ["digital signature", "signing"]];
    let mut all: Vec<_> = USAGES.iter().map(|usage| wanted(&[usage])).collect();
    all.extend(pairs.iter().map(|usages| wanted(usages)));
    all.extend([wanted(&USAGES), wanted(&reversed), wanted(&USAGES[..10]), wanted(&USAGES[10..])]);
    for (certificate, (_, wanted)) in same_as_go(&P256, &all).iter().zip(&all) {
        let expected = wanted.usages.iter().map(|usage| usage.parse::<Usage>().unwrap()).collect();
        assert_eq!(*certificate.usages(), expected);
    }
}

#[test]
fn every_kind_of_key_is_certified_by_every_kind_of_authority() {
    const KEYS: [&[&str]; 6] = [
        &["rsa:2048", "-sha256"],
        &["rsa:2048", "-sha512"],
        &["rsa:3072", "-sha384"],
        &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
        &["ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-sha512"],
        &["ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
    ];
    let lifetime = 10 * SIGNING_DURATION;
    let authorities = [
        Authority::generate("rsa", KeyAlgorithm::Rsa2048, lifetime),
        Authority::generate("p384", KeyAlgorithm::EcdsaP384, lifetime),
        Authority::without_identifier(),
    ];
    let requests = KEYS.map(by_openssl);
    for authority in authorities.iter().chain([&*P256]) {
        let wanted =
            requests.iter().zip(KEYS).map(|(request, key)| (key[0], Wanted::new(request.clone(), &[SERVER])));
        for certificate in same_as_go(authority, &wanted.collect::<Vec<_>>()) {
            let expected = authority.issuer.certificate().subject_key_identifier();
            assert_eq!(certificate.authority_key_identifier(), expected);
            assert_eq!(certificate.subject_key_identifier(), None);
        }
    }
}

/// A request that openssl makes with a new key, in DER.
fn by_openssl(key: &[&str]) -> Vec<u8> {
    let file = tempfile::NamedTempFile::new().unwrap();
    let arguments = "req -new -noenc -outform der -subj /O=b/CN=a -addext subjectAltName=DNS:a -keyout";
    let arguments: Vec<_> = arguments
        .split(' ')
        .chain(file.path().to_str())
        .chain(["-newkey"])
        .chain(key.iter().copied())
        .collect();
    openssl(&arguments, &[]).unwrap()
}

/// What kube-controller-manager signs and this library does not, on purpose.
#[test]
fn what_go_takes_and_this_library_does_not_is_known() {
    let ec = |curve: &str| by_openssl(&["ec", "-pkeyopt", &format!("ec_paramgen_curve:{curve}")]);
    let rows: [(&str, Vec<u8>, Code); 8] = [
        ("RSA under 2048 bits", by_openssl(&["rsa:1024"]), Code::Unsupported),
        (
            "RSA with an exponent under 65537",
            by_openssl(&["rsa:2048", "-pkeyopt", "rsa_keygen_pubexp:3"]),
            Code::Unsupported,
        ),
        ("Ed25519", by_openssl(&["ed25519"]), Code::Unsupported),
        ("P-521", ec("P-521"), Code::Unsupported),
        ("P-224", ec("P-224"), Code::Unsupported),
        ("a signature with SHA-1", by_openssl(&["rsa:2048", "-sha1"]), Code::Unsupported),
        (
            "a subject with something that is no text",
            Csr::new("").subject(tlv(SEQUENCE, &tlv(SET, &attribute("CN", 0x02, &[1])))).der(),
            Code::Malformed,
        ),
        ("a URI with a fragment", Csr::new("CN=a").sans(&["URI:https://a/b#c"]).der(), Code::Malformed),
    ];
    let ours = Wanted::new(Csr::new("CN=a").der(), &[CLIENT]).sign(&P256).unwrap();
    let wanted: Vec<_> = rows.iter().map(|(_, request, _)| Wanted::new(request.clone(), &[CLIENT])).collect();
    let asked: Vec<_> = wanted.iter().map(|wanted| wanted.for_go(&P256, &ours)).collect();
    for (((name, request, code), wanted), go) in rows.iter().zip(&wanted).zip(go::sign(&asked)) {
        assert!(go.is_ok(), "{name}: {go:?}");
        let found = kubepki::CertificationRequest::from_der(request).and_then(|_| wanted.sign(&P256));
        assert_eq!(found.unwrap_err().code(), *code, "{name}");
    }
}

/// The other way around there is nothing.
#[test]
fn what_go_does_not_sign_is_not_signed_here() {
    let mut broken = Csr::new("CN=a").der();
    *broken.last_mut().unwrap() ^= 1;
    let twice = Csr::new("CN=a").sans(&["DNS:a"]).sans(&["DNS:b"]).der();
    let padded = tlv(SEQUENCE, &[tlv(0x06, &[0x55, 0x04, 0x80, 0x03]), tlv(UTF8, b"a")].concat());
    let padded = tlv(SEQUENCE, &tlv(SET, &padded));
    let of_text = |tag, value: &[u8]| {
        Csr::new("").subject(tlv(SEQUENCE, &tlv(SET, &attribute("CN", tag, value)))).der()
    };
    let rows = [
        ("a compressed point", Csr::new("CN=a").key(forge::spki(true)).der()),
        ("RSA without the parameters NULL", rsa_without_parameters()),
        ("PSS", by_openssl(&["rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"])),
        ("another signature", broken),
        ("an extension that stands twice", twice),
        ("a version that is no number", forge::signed(&without_version())),
        ("an address of three bytes", Csr::new("CN=a").sans(&["IP:abc"]).der()),
        ("a name beyond ASCII", Csr::new("CN=a").sans(&["DNS:\u{fc}"]).der()),
        ("UTF-8 that is none", of_text(UTF8, b"\xff")),
        ("a number of 32 bits in an attribute's type", Csr::new("1.2.2147483648=a").der()),
        ("a zero in front of a number in an attribute's type", Csr::new("").subject(padded).der()),
        ("a number of 32 bits in an extension's", Csr::new("CN=a").extension("1.2.2147483648", b"").der()),
        ("a character that is not printable", of_text(PRINTABLE, b"a@b")),
        ("something behind it", [Csr::new("CN=a").der(), vec![0]].concat()),
    ];
    let ours = Wanted::new(Csr::new("CN=a").der(), &[CLIENT]).sign(&P256).unwrap();
    let wanted: Vec<_> = rows.iter().map(|(_, request)| Wanted::new(request.clone(), &[CLIENT])).collect();
    let asked: Vec<_> = wanted.iter().map(|wanted| wanted.for_go(&P256, &ours)).collect();
    for (((name, request), wanted), go) in rows.iter().zip(&wanted).zip(go::sign(&asked)) {
        assert!(go.is_err(), "{name}");
        let found = kubepki::CertificationRequest::from_der(request).and_then(|_| wanted.sign(&P256));
        assert!(found.is_err(), "{name}");
    }
}

fn without_version() -> Vec<u8> {
    let mut info = Csr::new("CN=a").info();
    let version = info.windows(3).position(|window| window == [0x02, 0x01, 0x00]).unwrap();
    info[version] = OCTET_STRING;
    info
}

fn rsa_without_parameters() -> Vec<u8> {
    let key = PrivateKey::generate(KeyAlgorithm::Rsa2048).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), key.to_pem().as_bytes()).unwrap();
    // Behind the headers of the whole and of the algorithm.
    let bits = &key.public_key().spki_der()[4 + 15..];
    let algorithm = tlv(SEQUENCE, &forge::oid("1.2.840.113549.1.1.1"));
    let info = Csr::new("CN=a").key(tlv(SEQUENCE, &[&*algorithm, bits].concat())).info();
    let signature = openssl(&["dgst", "-sha256", "-sign", file.path().to_str().unwrap()], &info).unwrap();
    let algorithm = [forge::oid("1.2.840.113549.1.1.11"), vec![0x05, 0x00]].concat();
    forge::assembled(&info, &algorithm, &signature)
}

#[test]
fn serial_numbers_have_128_bits() {
    let wanted = Wanted::new(Csr::new("CN=a").der(), &[CLIENT]);
    let serials: Vec<_> = (0..64).map(|_| wanted.sign(&P256).unwrap().serial_number().to_vec()).collect();
    assert!(serials.iter().all(|serial| serial.len() <= 17));
    // That all 64 begin with a bit of zero happens once in 2^64 times.
    assert!(serials.iter().any(|serial| serial.len() >= 16 && serial.iter().rev().nth(15) >= Some(&0x80)));
    let mut different = serials.clone();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), serials.len());
}

#[test]
fn begin_and_end_are_those_of_kube_controller_manager() {
    const MINUTES: i64 = 60;
    const HOURS: i64 = 60 * MINUTES;
    const YEAR: i64 = 365 * 24 * HOURS;
    // What is asked for; the cluster's duration; the authority's life; the end, from now on.
    #[rustfmt::skip]
    let rows: [(Option<i64>, i64, i64, i64); 19] = [
        (None,                YEAR,          10 * YEAR,    YEAR - 5 * MINUTES),
        (None,                8 * HOURS,     10 * YEAR,    8 * HOURS - 5 * MINUTES),
        (None,                8 * HOURS - 1, 10 * YEAR,    8 * HOURS - 1),
        (None,                1,             10 * YEAR,    1),
        (None,                60 * YEAR,     100 * YEAR,   60 * YEAR - 5 * MINUTES),
        (Some(600),           YEAR,          10 * YEAR,    600),
        (Some(8 * HOURS - 1), YEAR,          10 * YEAR,    8 * HOURS - 1),
        (Some(8 * HOURS),     YEAR,          10 * YEAR,    8 * HOURS - 5 * MINUTES),
        (Some(8 * HOURS + 1), YEAR,          10 * YEAR,    8 * HOURS + 1 - 5 * MINUTES),
        (Some(2 * YEAR),      YEAR,          10 * YEAR,    YEAR - 5 * MINUTES),
        (Some(i32::MAX.into()), YEAR,        10 * YEAR,    YEAR - 5 * MINUTES),
        (Some(YEAR),          600,           10 * YEAR,    600),
        (Some(600),           60,            10 * YEAR,    60),
        (None,                YEAR,          YEAR,         YEAR - 5 * MINUTES),
        (None,                YEAR,          YEAR - 300,   YEAR - 5 * MINUTES),
        (None,                YEAR,          YEAR - 301,   YEAR - 301),
        (None,                YEAR,          HOURS,        HOURS),
        (Some(600),           YEAR,          4 * MINUTES,  4 * MINUTES),
        (Some(600),           YEAR,          1,            1),
    ];
    for (expiration, duration, life, expected) in rows {
        let expected = Time::from_unix(now().unix() + expected).unwrap();
        let name = format!("{expiration:?}, {duration}, {life}");
        let unsigned = |number: i64| u64::try_from(number).unwrap();
        let authority =
            Authority::generate("validity", KeyAlgorithm::EcdsaP256, Duration::from_secs(unsigned(life)));
        let wanted = Wanted {
            expiration: expiration.map(unsigned),
            duration: unsigned(duration),
            ..Wanted::new(Csr::new("CN=a").der(), &[CLIENT])
        };
        let certificate = same_as_go(&authority, &[(&name, wanted)]).remove(0);
        assert_eq!(certificate.not_after(), expected, "{name}");
        assert_eq!(certificate.not_before().unix(), now().unix() - 300, "{name}");
    }
}

#[test]
fn an_authority_that_has_ended_signs_nothing_in_the_words_of_kube_controller_manager() {
    let authority = Authority::generate("ended", KeyAlgorithm::EcdsaP256, Duration::from_secs(3600));
    let end = authority.issuer.certificate().not_after();
    for (after, words) in [
        (0, "refusing to sign a certificate that expired in the past: NotAfter="),
        (299, "refusing to sign a certificate that expired in the past: NotAfter="),
        (300, "the signer has expired: NotAfter="),
        (1_000_000, "the signer has expired: NotAfter="),
    ] {
        let at = end.checked_add(Duration::from_secs(after)).unwrap();
        let wanted = Wanted { now: at, ..Wanted::new(Csr::new("CN=a").der(), &[CLIENT]) };
        refused(wanted.sign(&authority), Code::AuthorityExpired, &[words, &end.to_string()]);
    }
    let last = Time::from_unix(end.unix() - 1).unwrap();
    let wanted = Wanted { now: last, ..Wanted::new(Csr::new("CN=a").der(), &[CLIENT]) };
    assert_eq!(wanted.sign(&authority).unwrap().not_after(), end);
}

#[test]
fn a_duration_under_a_second_is_refused() {
    let wanted = Wanted { duration: 0, ..Wanted::new(Csr::new("CN=a").der(), &[CLIENT]) };
    refused(wanted.sign(&P256), Code::Invalid, &["duration", "at least a second"]);
}

#[test]
fn one_block_of_pem_comes_out() {
    let mut object = approved(&forged(&Csr::new("CN=a"), OWN, &[CLIENT]));
    assert_eq!(sign(&mut object, &P256.issuer, SIGNING_DURATION, now()).unwrap(), Outcome::Issued);
    let pem = std::str::from_utf8(object.certificate_pem().unwrap()).unwrap();
    assert_eq!(pem.matches("-----BEGIN ").count(), 1);
    assert!(
        pem.starts_with("-----BEGIN CERTIFICATE-----\n") && pem.ends_with("\n-----END CERTIFICATE-----\n")
    );
    assert!(pem.lines().all(|line| line.len() <= 64));
}

/// Subjects of several attributes, in one relative distinguished name or in many.
fn subject() -> impl Strategy<Value = Vec<u8>> {
    let kind = select(vec![
        "CN",
        "O",
        "OU",
        "C",
        "L",
        "ST",
        "STREET",
        "POSTALCODE",
        "SERIALNUMBER",
        "emailAddress",
        "DC",
        "1.2.3.4",
    ]);
    let text = (select(vec![UTF8, PRINTABLE, 0x16, 0x14, 0x1e]), "[a-z *&@.:]{0,6}|[\u{e4}\u{20ac}]{1,2}");
    let attribute = (kind, text).prop_map(|(kind, (tag, text))| match tag {
        0x1e => attribute(kind, tag, &text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>()),
        tag => attribute(kind, tag, text.as_bytes()),
    });
    let set = vec(attribute, 1..3).prop_map(|attributes| tlv(SET, &attributes.concat()));
    vec(set, 0..5).prop_map(|sets| tlv(SEQUENCE, &sets.concat()))
}

fn san() -> impl Strategy<Value = String> {
    prop_oneof![
        "DNS:[a-zA-Z0-9*._ -]{0,12}",
        "email:[a-z@. \"]{0,8}",
        any::<std::net::IpAddr>().prop_map(|address| format!("IP:{address}")),
        "URI:[a-zA-Z]{1,3}:[a-z0-9/?#@!$&'()*+,;=:%._~-]{0,12}",
        "URI:[a-z]{1,3}://[a-z0-9.:@-]{0,9}/[a-z%0-9?#]{0,6}",
        Just("RID:1.2.3".to_owned()),
    ]
}

/// Whatever ours signs Go signs, too, and both certificates are the same.
fn signed_alike(request: &[u8], usages: &[&str], expiration: Option<u64>) {
    if kubepki::CertificationRequest::from_der(request).is_ok() {
        let wanted = Wanted { expiration, ..Wanted::new(request.to_vec(), usages) };
        same_as_go(&P256, &[("any", wanted)]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_request_is_signed_as_go_signs_it(
        subject in subject(), sans in vec(san(), 0..4), usages in subsequence(&USAGES[..], 1..6),
        expiration in proptest::option::of(600..40_000_u64),
    ) {
        let sans: Vec<_> = sans.iter().map(String::as_str).collect();
        signed_alike(&Csr::new("").subject(subject).sans(&sans).der(), &usages, expiration);
    }

    #[test]
    fn a_request_with_damaged_bytes_is_refused_or_signed_as_go_signs_it(
        subject in subject(), sans in vec(san(), 0..3), damages in vec((any::<prop::sample::Index>(), any::<u8>()), 1..3),
    ) {
        let sans: Vec<_> = sans.iter().map(String::as_str).collect();
        let mut info = Csr::new("").subject(subject).sans(&sans).info();
        for (place, byte) in damages {
            let place = place.index(info.len());
            info[place] = byte;
        }
        // The key must stay what signed.
        let request = forge::signed(&info);
        let read = kubepki::CertificationRequest::from_der(&request);
        if read.is_ok_and(|read| read.check_signature().is_ok()) {
            signed_alike(&request, &[CLIENT], None);
        }
    }
}
