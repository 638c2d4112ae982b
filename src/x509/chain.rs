//! Certificates that belong together: chains, and the keys that go with them.

use super::Certificate;
use crate::error::{Code, Error, Result};
use crate::key::Signer;
use crate::time::Time;

/// Certificates one behind the other, as a file holds them.
pub(crate) fn to_pem(certificates: &[Certificate]) -> String {
    certificates.iter().map(Certificate::to_pem).collect()
}

/// Checks that each certificate was issued by the one behind it.
pub(crate) fn check_chain(chain: &[Certificate]) -> Result<()> {
    chain.windows(2).try_for_each(|pair| match pair {
        [certificate, authority] => certificate.check_issued_by(authority),
        _ => Ok(()),
    })
}

/// Checks that every certificate may sign others.
pub(crate) fn check_authorities(certificates: &[Certificate]) -> Result<()> {
    match certificates.iter().find(|certificate| !certificate.may_sign_certificates()) {
        None => Ok(()),
        Some(leaf) => Err(Error::new(Code::NotAnAuthority, "a certificate authority (CA:TRUE, cert sign)")
            .found(format!("the certificate {}", leaf.subject()))),
    }
}

/// Checks that a signer's key is the one that `certificate` certifies.
pub(crate) fn check_key(certificate: &Certificate, signer: &dyn Signer) -> Result<()> {
    match certificate.public_key() == signer.public_key() {
        true => Ok(()),
        false => Err(Error::new(Code::KeyMismatch, format!("the private key of {}", certificate.subject()))
            .found(format!("the key with the pin {}", signer.public_key().pin()))),
    }
}

pub(crate) fn leaf(chain: &[Certificate]) -> Result<&Certificate> {
    chain.first().ok_or_else(|| Error::new(Code::Malformed, "at least one certificate").found("none"))
}

/// The way from a leaf to a trusted certificate that has signed it, over those behind it in its file: the certificates
/// between, and the trusted one.
pub(crate) fn path_to<'a>(
    chain: &[Certificate],
    trusted: &'a [Certificate],
    now: Time,
) -> Option<(Vec<Certificate>, &'a Certificate)> {
    let (leaf, behind) = chain.split_first()?;
    let between = chain_above(leaf, behind);
    let mut path = std::iter::once(leaf).chain(&between).enumerate();
    let (length, anchor) = path.find_map(|(length, last)| {
        let mut signers = trusted.iter().filter(|authority| last.check_issued_by(authority).is_ok());
        // Of several for one key any will do that is valid.
        let first = signers.next()?;
        let valid = std::iter::once(first).chain(signers).find(|authority| authority.is_valid_at(now));
        Some((length, valid.unwrap_or(first)))
    })?;
    Some((between.into_iter().take(length).collect(), anchor))
}

/// Longer than any chain of a cluster: a hostile one is not followed to its end.
const LONGEST_CHAIN: usize = 8;

/// The certificates above `certificate`, nearest first, picked from `candidates`.
pub(crate) fn chain_above(certificate: &Certificate, candidates: &[Certificate]) -> Vec<Certificate> {
    let mut chain: Vec<Certificate> = Vec::new();
    let mut last = certificate;
    while let Some(parent) = candidates.iter().find(|it| *it != last && last.check_issued_by(it).is_ok())
        && !chain.contains(parent)
        && chain.len() < LONGEST_CHAIN
    {
        chain.push(parent.clone());
        last = parent;
    }
    chain
}
