//! Keys: those of openssl are read in every form, and openssl reads ours.

use kubepki::{
    Authorities, Code, Issuer, KeyAlgorithm, Pki, PrivateKey, PublicKey, Role, Signer, Time, role,
};

use crate::support::{authority, certify, control_plane, der, fast_cluster, openssl, utf8};

/// How openssl makes a key of each algorithm, in PKCS#8.
const MAKE: [(KeyAlgorithm, &[&str]); 5] = [
    (KeyAlgorithm::Rsa2048, &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]),
    (KeyAlgorithm::Rsa3072, &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"]),
    (KeyAlgorithm::Rsa4096, &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:4096"]),
    (KeyAlgorithm::EcdsaP256, &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]),
    (KeyAlgorithm::EcdsaP384, &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"]),
];

/// A key in PKCS#8.
fn genpkey(options: &[&str]) -> String {
    utf8(openssl(&[&["genpkey"], options].concat(), b"").unwrap())
}

/// A key in another form.
fn convert(arguments: &[&str], key: &str) -> String {
    utf8(openssl(arguments, key.as_bytes()).unwrap())
}

fn is_rsa(algorithm: KeyAlgorithm) -> bool {
    algorithm.id().starts_with("rsa")
}

#[track_caller]
fn refuses(key: &str, code: Code) {
    let error = PrivateKey::from_pem(key.as_bytes()).err().unwrap_or_else(|| panic!("read: {key}"));
    assert_eq!(error.code(), code, "{error}\n{key}");
}

#[test]
fn keys_of_openssl_are_read_in_every_form() {
    for (algorithm, options) in MAKE {
        let pkcs8 = genpkey(options);
        let public = openssl(&["pkey", "-pubout", "-outform", "der"], pkcs8.as_bytes()).unwrap();
        let mut forms = vec![("PKCS#8", pkcs8.clone())];
        let traditional = convert(&["pkey", "-traditional"], &pkcs8);
        if !is_rsa(algorithm) {
            let parameters = convert(&["ec", "-param_out"], &pkcs8);
            assert!(parameters.contains("EC PARAMETERS"), "{parameters}");
            forms.push(("SEC1 behind its parameters", parameters.clone() + &traditional));
            forms.push(("SEC1 before its parameters", traditional.clone() + &parameters));
            forms.push(("SEC1 without the public key", convert(&["ec", "-no_public"], &pkcs8)));
            forms
                .push(("SEC1 with a compressed point", convert(&["ec", "-conv_form", "compressed"], &pkcs8)));
        }
        forms.push(("CRLF", pkcs8.replace('\n', "\r\n")));
        forms.push((
            "one line",
            pkcs8.lines().fold(String::new(), |text, line| match line {
                line if line.starts_with("-----END") => format!("{text}\n{line}"),
                line if line.starts_with("-----") => format!("{text}{line}\n"),
                line => text + line,
            }),
        ));
        forms.push((
            "after text and a certificate",
            format!("Bag Attributes\n{}\n{traditional}junk", authority()),
        ));
        forms.push(("before another key", traditional.clone() + &genpkey(MAKE[3].1)));
        forms.push(("PKCS#1 or SEC1", traditional));
        for (form, pem) in forms {
            let key =
                PrivateKey::from_pem(pem.as_bytes()).unwrap_or_else(|error| panic!("{form}: {error}\n{pem}"));
            assert_eq!(key.public_key().spki_der(), public, "{algorithm}, {form}");
            assert_eq!(key.public_key().algorithm(), Some(algorithm), "{form}");
            // The public half is there for the asking.
            assert_eq!(PublicKey::from_pem(pem.as_bytes()).unwrap(), *key.public_key(), "{form}");
        }
    }
}

#[test]
fn the_curve_may_stand_in_the_parameters_alone() {
    let key = convert(&["pkey", "-traditional"], &genpkey(MAKE[3].1));
    // Of `SEQUENCE { 1, key, [0] { curve }, [1] { public key } }` only the first two remain.
    let mut short = der(&key)[..39].to_vec();
    short[1] = 37;
    let pem = |der: &[u8]| {
        let base64 = utf8(openssl(&["base64"], der).unwrap());
        format!("-----BEGIN EC PRIVATE KEY-----\n{base64}-----END EC PRIVATE KEY-----\n")
    };
    let parameters = convert(&["ec", "-param_out"], &key);
    let again = PrivateKey::from_pem((parameters + &pem(&short)).as_bytes()).unwrap();
    assert_eq!(again.to_pem().as_str(), key);
    refuses(&pem(&short), Code::Unsupported);
}

#[test]
fn encrypted_keys_are_refused_as_unsupported() {
    let (rsa, ec) = (genpkey(MAKE[0].1), genpkey(MAKE[3].1));
    for key in [
        convert(&["pkcs8", "-topk8", "-passout", "pass:hunter2"], &ec),
        convert(&["pkcs8", "-topk8", "-passout", "pass:hunter2"], &rsa),
        convert(&["rsa", "-traditional", "-aes128", "-passout", "pass:hunter2"], &rsa),
        convert(&["ec", "-aes128", "-passout", "pass:hunter2"], &ec),
    ] {
        assert!(key.contains("ENCRYPTED"), "{key}");
        refuses(&key, Code::Unsupported);
    }
}

#[test]
fn algorithms_that_kubernetes_does_not_know_are_refused_as_unsupported() {
    let dsa = utf8(openssl(&["dsaparam", "-genkey", "-noout", "1024"], b"").unwrap());
    let curve = |name: &str| genpkey(&["-algorithm", "EC", "-pkeyopt", &format!("ec_paramgen_curve:{name}")]);
    for key in [
        curve("P-521"),
        curve("secp256k1"),
        convert(&["pkey", "-traditional"], &curve("P-521")),
        convert(&["pkey", "-traditional"], &curve("secp256k1")),
        genpkey(&["-algorithm", "ED25519"]),
        genpkey(&["-algorithm", "X25519"]),
        genpkey(&["-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"]),
        convert(&["pkcs8", "-topk8", "-nocrypt"], &dsa),
        dsa,
        "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n".to_owned(),
    ] {
        refuses(&key, Code::Unsupported);
    }
    // A curve by its numbers, not its name: Go reads none either.
    let explicit = genpkey(&[
        "-algorithm",
        "EC",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-pkeyopt",
        "ec_param_enc:explicit",
    ]);
    let error = PrivateKey::from_pem(explicit.as_bytes()).unwrap_err();
    assert!(matches!(error.code(), Code::Unsupported | Code::Malformed), "{error}");
}

#[test]
fn truncated_and_garbled_keys_are_refused_as_malformed() {
    for (_, options) in [MAKE[0], MAKE[3], MAKE[4]] {
        let pkcs8 = genpkey(options);
        for key in [convert(&["pkey", "-traditional"], &pkcs8), pkcs8] {
            let lines: Vec<_> = key.lines().collect();
            let (first, last) = (lines[0], lines[lines.len() - 1]);
            for kept in 1..lines.len() - 1 {
                refuses(&lines[..=kept].join("\n"), Code::Malformed);
                let cut = format!("{}\n{last}", lines[..kept].join("\n"));
                refuses(&cut, Code::Malformed);
            }
            refuses(&format!("{first}\n???\n{last}"), Code::Malformed);
            refuses(&key.replacen("-----BEGIN", "----BEGIN", 1), Code::Malformed);
            refuses(&key.replace("-----END ", "-----END X"), Code::Malformed);
        }
    }
    for (pem, found) in [
        ("", "nothing"),
        ("hello", "no PEM block"),
        ("0\u{1}", "DER: not in PEM"),
        (&authority(), "CERTIFICATE"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "PUBLIC KEY"),
    ] {
        let error = PrivateKey::from_pem(pem.as_bytes()).unwrap_err();
        assert_eq!((error.code(), error.found_instead()), (Code::Malformed, Some(found)));
    }
}

#[test]
fn a_key_file_whose_public_half_belongs_to_another_key_is_refused() {
    let [one, two] = [(); 2].map(|()| der(&convert(&["pkey", "-traditional"], &genpkey(MAKE[3].1))));
    // The public half stands last.
    let mixed = [&one[..one.len() - 64], &two[two.len() - 64..]].concat();
    let base64 = utf8(openssl(&["base64"], &mixed).unwrap());
    refuses(
        &format!("-----BEGIN EC PRIVATE KEY-----\n{base64}-----END EC PRIVATE KEY-----\n"),
        Code::Malformed,
    );
}

#[test]
fn weak_keys_are_not_certified() {
    for (options, found) in [
        (&["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"][..], "RSA 1024 bits"),
        (
            &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-pkeyopt", "rsa_keygen_pubexp:3"],
            "RSA 2048 bits",
        ),
        (&["-algorithm", "ED25519"], "algorithm 1.3.101.112"),
        (&["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"], "ECDSA on the curve 1.3.132.0.35"),
    ] {
        let public = convert(&["pkey", "-pubout"], &genpkey(options));
        let public = PublicKey::from_pem(public.as_bytes()).unwrap();
        assert_eq!(public.to_string(), found);
        let error = certify(&public).unwrap_err();
        assert_eq!(error.code(), Code::Unsupported, "{error}");
        assert!(error.to_string().contains(found), "{error}");
    }
}

#[test]
fn openssl_reads_the_keys_that_are_written_in_the_form_of_kubernetes() {
    for algorithm in KeyAlgorithm::ALL {
        let key = PrivateKey::generate(algorithm).unwrap();
        let pem = key.to_pem();
        let label = if is_rsa(algorithm) { "RSA PRIVATE KEY" } else { "EC PRIVATE KEY" };
        assert!(pem.starts_with(&format!("-----BEGIN {label}-----\n")), "{algorithm}");
        assert!(pem.ends_with(&format!("\n-----END {label}-----\n")), "{algorithm}");
        assert_eq!(pem.matches("-----BEGIN ").count(), 1, "{algorithm}");
        let checked = utf8(openssl(&["pkey", "-check", "-pubout"], pem.as_bytes()).unwrap());
        assert!(checked.contains("Key is valid"), "{algorithm}: {checked}");
        assert!(checked.ends_with(&key.public_key().to_pem()), "{algorithm}: {checked}");
        // What openssl would write is what is written.
        assert_eq!(convert(&["pkey", "-traditional"], &pem), *pem, "{algorithm}");
        assert_eq!(PrivateKey::from_pem(pem.as_bytes()).unwrap().to_pem(), pem, "{algorithm}");
    }
}

#[test]
fn the_service_account_key_is_written_with_its_public_half_as_spki() {
    let authorities = Authorities::create(&fast_cluster(), Time::now()).unwrap();
    let files = authorities.files();
    let file = |name: &str| {
        let file = files.iter().find(|file| file.path().ends_with(name)).unwrap();
        utf8(file.bytes().to_vec())
    };
    assert!(file("sa.pub").starts_with("-----BEGIN PUBLIC KEY-----\n"));
    assert_eq!(convert(&["pkey", "-pubin", "-pubout"], &file("sa.pub")), file("sa.pub"));
    assert_eq!(convert(&["pkey", "-pubout"], &file("sa.key")), file("sa.pub"));
    assert_eq!(authorities.service_account_keys()[0].to_pem(), file("sa.pub"));
}

#[test]
fn the_pin_of_an_authority_is_what_kubeadm_documents() {
    for (algorithm, _) in [MAKE[0], MAKE[4]] {
        let cluster = fast_cluster().key_algorithm(algorithm);
        let issuer = Issuer::self_signed(&role::KubernetesCa::new(&cluster).profile(), Time::now()).unwrap();
        let key = openssl(&["x509", "-pubkey", "-noout"], issuer.certificate().to_pem().as_bytes()).unwrap();
        let spki = openssl(&["pkey", "-pubin", "-outform", "der"], &key).unwrap();
        let digest = utf8(openssl(&["dgst", "-sha256", "-hex"], &spki).unwrap());
        let digest = digest.trim().rsplit(' ').next().unwrap().to_owned();
        assert_eq!(issuer.certificate().public_key().pin(), format!("sha256:{digest}"));
    }
}

#[test]
fn debug_shows_no_secret() {
    let cluster = fast_cluster();
    let pki = Pki::create(&cluster, &control_plane("cp-1", "192.0.2.1"), Time::now()).unwrap();
    let credential = pki.credential(Role::Admin).unwrap();
    let issuer = pki.authorities().get(Role::KubernetesCa).unwrap().issuer().unwrap();
    let files: Vec<_> = pki.files().collect();
    let shown = format!("{pki:?} {pki:#?} {credential:?} {issuer:?} {files:?} {:?}", credential.key());
    assert!(shown.contains("PrivateKey(ECDSA P-256)"), "{shown}");
    assert!(!shown.contains("PRIVATE KEY"), "{shown}");
    for file in files {
        for line in utf8(file.bytes().to_vec()).lines().filter(|line| line.len() >= 48) {
            assert!(!shown.contains(line.trim()), "{line}");
        }
    }
}
