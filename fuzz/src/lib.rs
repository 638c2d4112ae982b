//! What holds for any input: one function for each fuzz target. The tests run the same functions over the corpus.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use kubepki::kubeconfig::Kubeconfig;
use kubepki::{
    AuthorityName, Certificate, ClusterName, DnsName, Endpoint, Group, NodeName, PrivateKey, PublicKey, Role,
    San, Subnet, Time, UserName,
};

/// A fuzz target: its name, which is also the name of its directory in `corpus/`, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// Every fuzz target.
pub const TARGETS: &[Target] = &[
    ("certificate", certificate),
    ("kubeconfig", kubeconfig),
    ("names", names),
    ("pem", pem),
    ("private_key", private_key),
];

/// A certificate in DER: the bytes received are the bytes kept, and every accessor answers.
pub fn certificate(data: &[u8]) {
    let Ok(certificate) = Certificate::from_der(data) else { return };
    assert_eq!(certificate.der(), data);
    let again = Certificate::from_pem(certificate.to_pem().as_bytes());
    assert_eq!(again.ok(), Some(vec![certificate.clone()]));
    let _ = (certificate.is_authority(), certificate.path_length(), certificate.is_self_issued());
    let _ = (certificate.public_key().pin(), certificate.fingerprint(), certificate.extensions().count());
    let _ = certificate.check_issued_by(&certificate);
    let _ = format!("{certificate:?}");
}

/// A kubeconfig: what was read comes back from its own text.
pub fn kubeconfig(data: &[u8]) {
    let Ok(kubeconfig) = Kubeconfig::from_yaml(data) else { return };
    let yaml = kubeconfig.to_yaml();
    let again = Kubeconfig::from_yaml(yaml.as_bytes());
    assert!(again.as_ref().is_ok_and(|again| *again == kubeconfig), "{:?}", again.err());
    let _ = kubeconfig.check();
}

/// PEM with any labels: what is read as certificates or as a public key is written, and read back as equal.
pub fn pem(data: &[u8]) {
    if let Ok(certificates) = Certificate::from_pem(data) {
        let written: String = certificates.iter().map(Certificate::to_pem).collect();
        assert_eq!(Certificate::from_pem(written.as_bytes()).ok(), Some(certificates));
    }
    if let Ok(key) = PublicKey::from_pem(data) {
        let again = PublicKey::from_pem(key.to_pem().as_bytes());
        assert_eq!(again.ok().as_ref().map(PublicKey::spki_der), Some(key.spki_der()));
    }
    private_key(data);
}

/// A private key in PEM: what is read is written, and read back as the same key. `Debug` holds nothing of it.
pub fn private_key(data: &[u8]) {
    let Ok(key) = PrivateKey::from_pem(data) else { return };
    let written = key.to_pem();
    let again = PrivateKey::from_pem(written.as_bytes()).map(|key| key.to_pem());
    assert!(again.is_ok_and(|again| again == written), "the key does not survive its own PEM");
    let shown = format!("{key:?}");
    assert!(!written.lines().any(|line| line.len() > 8 && !line.starts_with('-') && shown.contains(line)));
}

/// Names, addresses, moments and roles: what can be read is written as a text that is read as the same.
pub fn names(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    survives::<AuthorityName>(text);
    survives::<ClusterName>(text);
    survives::<DnsName>(text);
    survives::<Endpoint>(text);
    survives::<Group>(text);
    survives::<NodeName>(text);
    survives::<Role>(text);
    survives::<San>(text);
    survives::<Subnet>(text);
    survives::<Time>(text);
    survives::<UserName>(text);
    if let Ok(name) = text.parse::<NodeName>() {
        // A node's name always has its place in a certificate.
        survives::<San>(&San::from(&name).to_string());
    }
}

/// Reads a value of type `T`; if that succeeds, the value must come back from its own text.
fn survives<T>(text: &str)
where
    T: FromStr<Err = kubepki::Error> + Display + PartialEq + Debug,
{
    match text.parse::<T>() {
        Ok(value) => assert_eq!(value.to_string().parse::<T>().as_ref().ok(), Some(&value), "{text:?}"),
        // An error is for people: writing it must succeed as well.
        Err(error) => assert!(error.to_string().contains("expected"), "{text:?}"),
    }
}
