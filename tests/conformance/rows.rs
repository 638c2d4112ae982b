//! The table of certificate requests, good and bad, with what the real servers make of each.

use kubepki::Code;
use serde_json::json;

use crate::kubelet_rows;
use crate::pkcs10::{RSA, dns_name, extension_requests, pem, subject};
use crate::row::{Row, Verdict, client, service};
use crate::support::der;

pub(crate) fn rows() -> Vec<Row> {
    [
        clients(),
        subjects(),
        names(),
        extensions(),
        lifetimes(),
        keys(),
        kubelet_rows::clients(),
        kubelet_rows::servers(),
        other_signers(),
        pkcs10_texts(),
        objects(),
    ]
    .concat()
}

/// Why this crate differs.
pub(crate) const TEXT_ONLY: &str = "what is no text is passed over by some readers";
const NOT_VERIFIED: &str = "it cannot be verified here";
const NAMES: &str = "names of objects are the API server's matter";

fn clients() -> Vec<Row> {
    let masters =
        "use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed";
    vec![
        client().signed("client"),
        client().usages(&["digital signature", "client auth"]).signed("client with a digital signature"),
        client()
            .usages(&["key encipherment", "client auth", "digital signature"])
            .signed("client with all usages, in another order"),
        client().usages(&["digital signature", "key encipherment"]).failed(
            "client without client auth",
            "missing required usage for client certificate: client auth",
        ),
        client()
            .usages(&["code signing", "server auth"])
            .failed("client for two other usages", "invalid usage for client certificate: code signing"),
        client()
            .usages(&["client auth", "server auth"])
            .failed("client that is a server", "invalid usage for client certificate: server auth"),
        client()
            .usages(&["client auth", "signing"])
            .failed("client with the old name signing", "invalid usage for client certificate: signing"),
        client()
            .usages(&["client auth", "any"])
            .failed("client for any usage", "invalid usage for client certificate: any"),
        client().subject("/O=system:masters/CN=zoe").refused("client in system:masters", masters),
        client()
            .subject("/O=team-a+O=system:masters/CN=zoe")
            .refused("client in system:masters within a set", masters),
        client()
            .subject("/O=team-a/CN=zoe/O=system:masters")
            .refused("client in system:masters behind its name", masters),
        client()
            .der(subject(&[(10, 0x1e, &utf16("system:masters")), (3, 0x0c, b"zoe")]), vec![0xa0, 0])
            .refused("client in system:masters as BMPString", masters),
        client()
            .der(subject(&[(10, 0x14, b"system:masters"), (3, 0x0c, b"zoe")]), vec![0xa0, 0])
            .refused("client in system:masters as TeletexString", masters),
        client()
            .der(subject(&[(10, 0x1c, &utf32("system:masters")), (3, 0x0c, b"zoe")]), vec![0xa0, 0])
            .signed("client in system:masters as UniversalString")
            .not_by_ours(Code::Malformed, TEXT_ONLY),
        client().subject("/O=System:Masters/CN=zoe").signed("client in System:Masters"),
        client().subject("/O=system:masters /CN=zoe").signed("client in system:masters with a space"),
        client().subject("/OU=system:masters/CN=zoe").signed("client with OU system:masters"),
        client().subject("/O=system:nodes/CN=system:node:cp-1").signed("client named like a node"),
    ]
}

fn subjects() -> Vec<Row> {
    vec![
        client().subject("/O=team-a").signed("subject without CN"),
        client().subject("/").signed("subject that is empty"),
        client()
            .subject("/")
            .extensions(&["subjectAltName=DNS:a.example.com"])
            .signed("subject that is empty, with a DNS name"),
        client()
            .subject("/serialNumber=1/CN=zoe/OU=u/O=o/postalCode=p/street=s/L=l/ST=st/C=CH")
            .signed("subject of all attributes that Go knows, backwards"),
        client()
            .subject("/O=o/CN=zoe/emailAddress=zoe@example.com/DC=example/title=Dr/UID=1/GN=Zoe/SN=Doe")
            .signed("subject with attributes that Go does not know"),
        client().subject("/O=b/CN=zoe/O=aa/O=a").signed("subject with three O"),
        client().subject("/O=b+O=aa+O=a/CN=zoe").signed("subject with three O in a set"),
        client().subject("/CN=zoe+O=b+OU=c").signed("subject in one set"),
        client().subject("/CN=first/CN=last").signed("subject with two CN"),
        client().subject("/CN=first+CN=last").signed("subject with two CN in a set"),
        client().subject("/O=Zürich/CN=zoé").signed("subject beyond ASCII"),
        client().subject("/O=a*b/OU=a&b/CN=zoe_1@example.com").signed("subject beyond PrintableString"),
        client().subject("/O=a\\/b\\+c,d;e=f/CN= zoe ").signed("subject with separators and spaces"),
        client()
            .der(subject(&[(10, 0x16, b"o"), (11, 0x12, b"1 2"), (3, 0x13, b"zoe")]), vec![0xa0, 0])
            .signed("subject as IA5String, NumericString and PrintableString"),
        client()
            .der(subject(&[(10, 0x14, b"Z\xfcrich"), (3, 0x1e, &utf16("zoé"))]), vec![0xa0, 0])
            .signed("subject as TeletexString and BMPString beyond ASCII"),
        client()
            .der(subject(&[(10, 0x13, b"a@b"), (3, 0x0c, b"zoe")]), vec![0xa0, 0])
            .refused("subject as PrintableString with @", "PrintableString contains invalid character"),
        client()
            .der(subject(&[(10, 0x0c, b"\xff"), (3, 0x0c, b"zoe")]), vec![0xa0, 0])
            .refused("subject that is not UTF-8", "invalid UTF-8 string"),
        client()
            .der(subject(&[(10, 0x0c, b""), (3, 0x0c, b"zoe")]), vec![0xa0, 0])
            .signed("subject with an empty O"),
        client()
            .der(subject(&[(10, 0x02, b"\x05"), (3, 0x0c, b"zoe")]), vec![0xa0, 0])
            .signed("subject with a number as O")
            .not_by_ours(Code::Malformed, TEXT_ONLY),
    ]
}

fn names() -> Vec<Row> {
    vec![
        client()
            .extensions(&["subjectAltName=URI:spiffe://example.com/zoe,IP:192.0.2.1,email:zoe@example.com,\
                           DNS:a.example.com,IP:2001:db8::1,DNS:a.example.com,DNS:*.example.com"])
            .signed("names of four kinds, mixed and repeated"),
        client().extensions(&["subjectAltName=critical,DNS:a.example.com"]).signed("names that are critical"),
        client()
            .extensions(&["subjectAltName=otherName:1.2.3.4;UTF8:zoe,RID:1.2.3.4,DNS:a.example.com"])
            .signed("names of kinds that Go does not know"),
        client()
            .extensions(&["subjectAltName=otherName:1.2.3.4;UTF8:zoe"])
            .signed("names of kinds that Go does not know, alone"),
        client().extensions(&["subjectAltName=DER:30:00"]).signed("names, but none"),
        client().extensions(&["subjectAltName=DER:30:02:82:00"]).signed("names with an empty one"),
        client()
            .extensions(&["subjectAltName=DNS:a b,DNS:UPPER.example.com.,email:zoe"])
            .signed("names that are none by anybody's rules"),
        client()
            .extensions(&["subjectAltName=IP:::ffff:192.0.2.1"])
            .signed("names with an IPv4 address as IPv6"),
        client()
            .extensions(&["subjectAltName=DER:30:07:87:05:c0:00:02:01:00"])
            .refused("names with an address of five bytes", "cannot parse IP address of length 5"),
        client()
            .extensions(&["subjectAltName=DER:30:03:82:01:e9"])
            .refused("names with a DNS name beyond ASCII", "SAN dNSName is malformed"),
        client()
            .extensions(&["subjectAltName=URI:SPIFFE://Example.com/a%7Eb/?#"])
            .signed("names with a URI that Go writes in another way")
            .not_by_ours(Code::Malformed, "it is not what would be signed"),
        client()
            .extensions(&["subjectAltName=URI:zoe"])
            .signed("names with a URI without a scheme")
            .not_by_ours(Code::Malformed, "it is no URI"),
        client()
            .extensions(&["subjectAltName=URI:http://[::1"])
            .refused("names with a URI that is none", "cannot parse URI"),
        client()
            .extensions(&["subjectAltName=URI:http://a..b/"])
            .refused("names with a URI of no host", "invalid domain"),
        client()
            .extensions(&["subjectAltName=DER:04:00"])
            .refused("names that are no sequence", "invalid subject alternative names"),
        client()
            .extensions(&["subjectAltName=DER:30:00:00"])
            .signed("names with a byte behind them")
            .not_by_ours(Code::Malformed, "it is no DER"),
    ]
}

fn extensions() -> Vec<Row> {
    let zoe = || subject(&[(10, 0x0c, b"team-a"), (3, 0x0c, b"zoe")]);
    vec![
        client()
            .extensions(&[
                "basicConstraints=critical,CA:TRUE,pathlen:3",
                "keyUsage=critical,keyCertSign,cRLSign",
                "extendedKeyUsage=anyExtendedKeyUsage,serverAuth",
                "subjectKeyIdentifier=hash",
                "certificatePolicies=1.2.3.4",
                "nsComment=zoe",
            ])
            .signed("extensions of an authority are asked for"),
        client()
            .extensions(&["1.2.3.4=critical,ASN1:UTF8String:zoe"])
            .signed("extensions that nobody knows are asked for"),
        client()
            .extensions(&["basicConstraints=DER:ff:ff", "extendedKeyUsage=DER:00"])
            .signed("extensions that mean nothing are asked for"),
        client()
            .der(zoe(), extension_requests(&[&dns_name("a.example.com"), b""]))
            .signed("extensions are asked for twice"),
        client()
            .der(zoe(), extension_requests(&[&[dns_name("a"), dns_name("b")].concat()]))
            .refused("extensions with names twice", "contains duplicate requested extensions"),
        client()
            .der(zoe(), extension_requests(&[&dns_name("a"), &dns_name("b")]))
            .refused("extensions with names, twice asked for", "contains duplicate requested extensions"),
        client().der(zoe(), Vec::new()).refused("extensions: no attributes at all", ""),
        client().der(zoe(), b"\xa0\x06\x30\x04\x06\x02\x2a\x03".to_vec()).signed("attribute without a value"),
        client()
            .der(zoe(), b"\xa0\x0a\x30\x08\x06\x02\x2a\x03\x31\x02\x05\x00".to_vec())
            .signed("attribute that nobody knows"),
    ]
}

fn lifetimes() -> Vec<Row> {
    let seconds = |change| client().change(change);
    let least = "may not specify a duration less than 600 seconds (10 minutes)";
    vec![
        seconds(|it| it["spec"]["expirationSeconds"] = json!(600)).signed("600 seconds"),
        seconds(|it| it["spec"]["expirationSeconds"] = json!(3600)).signed("an hour"),
        seconds(|it| it["spec"]["expirationSeconds"] = json!(8 * 3600 - 1)).signed("8 hours less a second"),
        seconds(|it| it["spec"]["expirationSeconds"] = json!(8 * 3600)).signed("8 hours"),
        seconds(|it| it["spec"]["expirationSeconds"] = json!(30 * 86400)).signed("30 days"),
        seconds(|it| it["spec"]["expirationSeconds"] = json!(2 * 365 * 86400)).signed("2 years"),
        seconds(|it| it["spec"]["expirationSeconds"] = json!(i32::MAX)).signed("the most seconds"),
        seconds(|it| it["spec"]["expirationSeconds"] = json!(null)).signed("null seconds"),
        seconds(|it| it["spec"]["expirationSeconds"] = json!(599)).refused("599 seconds", least),
        seconds(|it| it["spec"]["expirationSeconds"] = json!(0)).refused("no seconds", least),
        seconds(|it| it["spec"]["expirationSeconds"] = json!(-3600)).refused("less than no seconds", least),
        seconds(|it| it["spec"]["expirationSeconds"] = json!(i64::from(i32::MAX) + 1))
            .refused("too many seconds", "cannot unmarshal number"),
        seconds(|it| it["spec"]["expirationSeconds"] = json!("3600"))
            .refused("seconds as text", "cannot unmarshal string"),
        seconds(|it| it["spec"]["expirationSeconds"] = json!(3600.5))
            .refused("half a second", "cannot unmarshal number"),
    ]
}

/// Requests of lifetimes around those of a signer that gives out an hour, or whose authority ends in three days.
pub(crate) fn short_rows() -> Vec<Row> {
    let seconds = |change| client().change(change);
    vec![
        client().signed("no lifetime"),
        seconds(|it| it["spec"]["expirationSeconds"] = json!(600)).signed("600 seconds"),
        seconds(|it| it["spec"]["expirationSeconds"] = json!(3600)).signed("an hour"),
        seconds(|it| it["spec"]["expirationSeconds"] = json!(8 * 3600)).signed("8 hours"),
        seconds(|it| it["spec"]["expirationSeconds"] = json!(30 * 86400)).signed("30 days"),
    ]
}

fn keys() -> Vec<Row> {
    let pss = &["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"];
    vec![
        client().key(RSA).signed("key of RSA-2048"),
        client().key("RSA rsa_keygen_bits:3072").signed("key of RSA-3072"),
        client().key("EC ec_paramgen_curve:P-384").signed("key of P-384"),
        client()
            .key("EC ec_paramgen_curve:P-521")
            .signed("key of P-521")
            .not_by_ours(Code::Unsupported, NOT_VERIFIED),
        client()
            .key("EC ec_paramgen_curve:P-224")
            .signed("key of P-224")
            .not_by_ours(Code::Unsupported, NOT_VERIFIED),
        client().key("ED25519").signed("key of Ed25519").not_by_ours(Code::Unsupported, NOT_VERIFIED),
        client()
            .key("RSA rsa_keygen_bits:1024")
            .signed("key of RSA-1024")
            .not_by_ours(Code::Unsupported, "it is weak"),
        client()
            .key("RSA rsa_keygen_bits:2048 rsa_keygen_pubexp:3")
            .signed("key of RSA with exponent 3")
            .not_by_ours(Code::Unsupported, "it is weak"),
        client().key("RSA rsa_keygen_bits:512").refused("key of RSA-512", "keys are insecure"),
        client()
            .key("EC ec_paramgen_curve:secp256k1")
            .refused("key of secp256k1", "unsupported elliptic curve"),
        client()
            .key("EC ec_paramgen_curve:P-256 ec_param_enc:explicit")
            .refused("key of P-256 without its name", "invalid ECDSA parameters"),
        client().key("ED448").refused("key of Ed448", "algorithm unimplemented"),
        client()
            .key(RSA)
            .options(&["-sha1"])
            .signed("signature with SHA-1")
            .not_by_ours(Code::Unsupported, NOT_VERIFIED),
        client()
            .options(&["-sha1"])
            .signed("signature with ECDSA and SHA-1")
            .not_by_ours(Code::Unsupported, NOT_VERIFIED),
        client().key(RSA).options(&["-sha512"]).signed("signature with SHA-512"),
        client().options(&["-sha384"]).signed("signature of P-256 with SHA-384"),
        client()
            .key(RSA)
            .options(pss)
            .signed("signature with RSA-PSS")
            .not_by_ours(Code::Unsupported, NOT_VERIFIED),
        client().key(RSA).options(&["-md5"]).refused("signature with MD5", "insecure algorithm MD5-RSA"),
        client().options(&["-sha3-256"]).refused("signature with SHA-3", "algorithm unimplemented"),
    ]
}

fn other_signers() -> Vec<Row> {
    let signer = |change| client().change(change);
    vec![
        service().is("signer of one's own", Verdict::NotMine),
        service()
            .usages(&[
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
                "signing",
            ])
            .is("signer of one's own, with every usage", Verdict::NotMine),
        signer(|it| it["spec"]["signerName"] = json!("kubernetes.io/kube-apiserver-client-pod"))
            .is("signer of Kubernetes that signs nothing", Verdict::NotMine),
        signer(|it| it["spec"]["signerName"] = json!("kubernetes.io/unknown"))
            .is("signer of Kubernetes that is none", Verdict::NotMine),
        signer(|it| it["spec"]["signerName"] = json!("example.com/a.b/c"))
            .refused("signer with two slashes", "must be a fully qualified domain and path"),
        signer(|it| it["spec"]["signerName"] = json!("kubernetes.io/legacy-unknown"))
            .refused("signer of old", "the legacy signerName is not allowed via this API version"),
        signer(|it| it["spec"]["signerName"] = json!("serving"))
            .refused("signer without a domain", "must be a fully qualified domain and path"),
        signer(|it| it["spec"]["signerName"] = json!("example/serving"))
            .refused("signer of a domain of one label", "should be a domain with at least two segments"),
        signer(|it| it["spec"]["signerName"] = json!("Example.com/serving"))
            .refused("signer in capitals", "a lowercase RFC 1123 label must consist of"),
        signer(|it| it["spec"]["signerName"] = json!("example.com/"))
            .refused("signer without a path", "a lowercase RFC 1123 subdomain must consist of"),
        signer(|it| it["spec"]["signerName"] = json!("")).refused("signer without a name", "Required value"),
        signer(|it| it["spec"]["signerName"] = json!(null)).refused("signer null", "Required value"),
    ]
}

fn pkcs10_texts() -> Vec<Row> {
    let kind = "PEM block type must be CERTIFICATE REQUEST";
    vec![
        client()
            .text(|it| it.replace("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"))
            .refused("PEM of the old name", kind),
        client()
            .text(|it| it.replace("CERTIFICATE REQUEST", "CERTIFICATE"))
            .refused("PEM that says certificate", kind),
        client().text(|it| it.lines().filter(|it| !it.starts_with("---")).collect()).refused("no PEM", kind),
        client().text(|_| String::new()).refused("no request", kind),
        client().text(|it| it[..it.len() - 40].to_owned()).refused("PEM that is cut", kind),
        client().text(|it| it.replace('\n', "\r\n")).signed("PEM with CRLF"),
        client().text(|it| format!("a request\n{it}the end\n")).signed("PEM with text around it"),
        client()
            .text(|it| it.replacen("-----\n", "-----\nComment: a header\n\n", 1))
            .signed("PEM with a header"),
        client()
            .text(|it| {
                format!("{it}-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n")
            })
            .signed("PEM with a second block")
            .not_by_ours(Code::Malformed, "of two, one would be passed over"),
        client()
            .text(|it| format!("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n{it}"))
            .refused("PEM with another block before it", kind),
        client()
            .text(|it| change_der(&it, |der| der.push(0)))
            .refused("DER with a byte behind it", "trailing data"),
        client().text(|it| change_der(&it, |der| der.truncate(40))).refused("DER that is cut", "asn1: "),
        client()
            .text(|it| change_der(&it, |der| *der.last_mut().expect("a byte") ^= 1))
            .refused("signature that is broken", "verification failure"),
        client()
            .text(|it| {
                change_der(&it, |der| {
                    let at = der.windows(3).position(|it| it == b"zoe").expect("the name");
                    der[at] = b'j';
                })
            })
            .refused("signature of another name", "verification failure"),
    ]
}

fn objects() -> Vec<Row> {
    vec![
        client().change(|it| it["kind"] = json!("Secret")).refused("object of another kind", "Secret"),
        client()
            .change(|it| it["apiVersion"] = json!("certificates.k8s.io/v1beta1"))
            .refused("object of an old version", "does not match"),
        client()
            .change(|it| {
                it.as_object_mut().expect("an object").remove("kind");
            })
            .signed("object without a kind"),
        client()
            .change(|it| it["spec"]["request"] = json!("?"))
            .refused("base64 that is none", "illegal base64"),
        client()
            .change(|it| it["spec"]["request"] = json!(1))
            .refused("request that is a number", "cannot unmarshal"),
        client()
            .change(|it| {
                let text = it["spec"]["request"].as_str().expect("text").to_owned();
                it["spec"]["request"] = json!(format!("{}\n{}", &text[..60], &text[60..]));
            })
            .signed("base64 of two lines"),
        client()
            .change(|it| {
                let text = it["spec"]["request"].as_str().expect("text").trim_end_matches('=').to_owned();
                it["spec"]["request"] = json!(format!("{text}===="));
            })
            .refused("base64 with too much padding", "illegal base64"),
        client().usages(&[]).refused("no usages", "spec.usages: Required value"),
        client()
            .usages(&["client auth", "flying"])
            .refused("usage that is none", "Unsupported value: \"flying\""),
        client().usages(&["Client Auth"]).refused("usage in capitals", "Unsupported value"),
        client()
            .usages(&["client auth", "client auth"])
            .refused("usage twice", "Duplicate value: \"client auth\""),
        client()
            .change(|it| it["spec"]["usages"] = json!("client auth"))
            .refused("usages as text", "cannot unmarshal"),
        client()
            .change(|it| it["metadata"]["name"] = json!("node-csr-_Zoe.A"))
            .signed("object named as kubelets name theirs"),
        client().change(|it| it["metadata"]["name"] = json!("a b:c")).signed("object with a strange name"),
        client()
            .change(|it| it["metadata"]["name"] = json!("a/b"))
            .refused("object with a slash in its name", "may not contain '/'")
            .taken_by_ours(NAMES),
        client()
            .change(|it| it["metadata"]["name"] = json!(""))
            .refused("object without a name", "name or generateName is required")
            .taken_by_ours(NAMES),
        client()
            .change(|it| {
                it["spec"]["username"] = json!("kubernetes-admin");
                it["spec"]["groups"] = json!(["system:masters"]);
                it["spec"]["extra"] = json!({"a": ["b"]});
            })
            .signed("object that says itself who sent it"),
        client()
            .change(|it| it["spec"]["unknown"] = json!({"a": [1, "b", null]}))
            .signed("object with a field that nobody knows"),
        service()
            .change(|it| {
                it["status"] =
                    json!({"certificate": "AAAA", "conditions": [{"type": "Denied", "status": "True"}]});
            })
            .is("object that brings its own status", Verdict::NotMine),
    ]
}

/// Text in the bytes of a BMPString.
fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

/// Text in the bytes of a UniversalString.
pub(crate) fn utf32(text: &str) -> Vec<u8> {
    text.chars().flat_map(|it| u32::from(it).to_be_bytes()).collect()
}

fn change_der(text: &str, change: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut bytes = der(text);
    change(&mut bytes);
    pem(&bytes)
}
