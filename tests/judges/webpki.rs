//! rustls-webpki, as rustls uses it. Its signatures are verified by the RustCrypto crates: that needs no C compiler.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rsa::pkcs1::DecodeRsaPublicKey;
use rustls_pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, ServerName, SignatureVerificationAlgorithm,
    UnixTime, alg_id,
};
use signature::Verifier;
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use super::{Check, Usage};

/// Whether webpki finds a path to a trusted certificate, and the name among the certificate's names.
pub(crate) fn verify(check: &Check<'_>) -> Result<(), String> {
    let chain = certificates(check.chain);
    let trusted = certificates(check.trusted);
    let anchors = trusted
        .iter()
        .map(anchor_from_trusted_cert)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| error.to_string())?;
    let leaf = EndEntityCert::try_from(&chain[0]).map_err(|error| error.to_string())?;
    let usage = match check.usage {
        Usage::Server => KeyUsage::server_auth(),
        Usage::Client => KeyUsage::client_auth(),
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock past 1970");
    let at = UnixTime::since_unix_epoch(check.at.map_or(now, Duration::from_secs));
    leaf.verify_for_usage(ALGORITHMS, &anchors, &chain[1..], at, usage, None, None)
        .map_err(|error| error.to_string())?;
    match check.name {
        None => Ok(()),
        Some(name) => {
            let name = ServerName::try_from(name).map_err(|error| error.to_string())?;
            leaf.verify_is_valid_for_subject_name(&name).map_err(|error| error.to_string())
        }
    }
}

fn certificates(file: &Path) -> Vec<CertificateDer<'static>> {
    let pem = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    pem.split_inclusive("-----END CERTIFICATE-----")
        .filter_map(|block| block.find("-----BEGIN").map(|begin| &block[begin..]))
        .map(|block| {
            let (label, der) = pem_rfc7468::decode_vec(block.as_bytes())
                .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            assert_eq!(label, "CERTIFICATE", "{}", file.display());
            der.into()
        })
        .collect()
}

static ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    &Algorithm {
        key: alg_id::RSA_ENCRYPTION,
        signature: alg_id::RSA_PKCS1_SHA256,
        verify: |key, message, signature| {
            let key = rsa::RsaPublicKey::from_pkcs1_der(key).ok()?;
            let signature = rsa::pkcs1v15::Signature::try_from(signature).ok()?;
            rsa::pkcs1v15::VerifyingKey::<sha2::Sha256>::new(key).verify(message, &signature).ok()
        },
    },
    &Algorithm {
        key: alg_id::ECDSA_P256,
        signature: alg_id::ECDSA_SHA256,
        verify: |key, message, signature| {
            let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(key).ok()?;
            let signature = p256::ecdsa::Signature::from_der(signature).ok()?;
            key.verify(message, &signature).ok()
        },
    },
    &Algorithm {
        key: alg_id::ECDSA_P384,
        signature: alg_id::ECDSA_SHA384,
        verify: |key, message, signature| {
            let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(key).ok()?;
            let signature = p384::ecdsa::Signature::from_der(signature).ok()?;
            key.verify(message, &signature).ok()
        },
    },
];

#[derive(Debug)]
struct Algorithm {
    key: AlgorithmIdentifier,
    signature: AlgorithmIdentifier,
    verify: Verify,
}

/// Public key, message, signature; `None` is no.
type Verify = fn(&[u8], &[u8], &[u8]) -> Option<()>;

impl SignatureVerificationAlgorithm for Algorithm {
    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        (self.verify)(key, message, signature).ok_or(InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.key
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.signature
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judges::sample::sample;

    #[test]
    fn webpki_accepts_a_chain_for_its_purpose_and_names_only() {
        let sample = sample();
        let check = sample.check();
        verify(&check).unwrap();
        verify(&Check { name: Some("127.0.0.1"), trusted: &sample.intermediate, ..check }).unwrap();
        // One that signed itself with P-384.
        let stranger = Check { trusted: &sample.stranger, ..check };
        for (wrong, complaint) in [
            (Check { name: Some("other.example.com"), ..check }, "CertNotValidForName"),
            (Check { usage: Usage::Client, ..check }, "RequiredEkuNotFound"),
            (Check { at: Some(946_684_800), ..check }, "CertNotValidYet"),
            (stranger, "UnknownIssuer"),
        ] {
            let said = verify(&wrong).unwrap_err();
            assert!(said.contains(complaint), "{wrong:?}: {said}");
        }
    }

    #[test]
    fn a_signature_over_other_bytes_is_refused_by_each_algorithm() {
        let sample = sample();
        for (certificate, authority) in [
            (&sample.member, &sample.root),
            (&sample.chain, &sample.intermediate),
            (&sample.of_stranger, &sample.stranger),
        ] {
            let check = Check { chain: certificate, trusted: authority, name: None, ..sample.check() };
            verify(&check).unwrap();
            let mut der = certificates(certificate)[0].to_vec();
            // The serial number begins behind two SEQUENCE headers and the version.
            der[15] ^= 1;
            let forged = sample.directory().join("forged.crt");
            let pem = pem_rfc7468::encode_string("CERTIFICATE", pem_rfc7468::LineEnding::LF, &der).unwrap();
            fs::write(&forged, pem).unwrap();
            let said = verify(&Check { chain: &forged, ..check }).unwrap_err();
            assert!(said.contains("InvalidSignature"), "{said}");
        }
    }
}
