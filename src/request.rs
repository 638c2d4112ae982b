//! [`Request`]: a key that waits for its certificate.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use crate::error::{Code, Error, Result};
use crate::key::{PrivateKey, Signer};
use crate::role::{Profile, Role};
use crate::x509::{
    AlternativeName, Certificate, CertificationRequest, Credential, DistinguishedName, RequestTemplate,
    Usage, check_chain,
};

/// A private key that waits for its certificate, with the request for it.
///
/// ```
/// use kubepki::{Cluster, KeyAlgorithm, role};
///
/// # fn main() -> kubepki::Result<()> {
/// let cluster = Cluster::new("kubernetes.default.svc:443".parse()?).key_algorithm(KeyAlgorithm::EcdsaP256);
/// let request = role::Service::new(&cluster, "my-svc.my-namespace.svc".parse()?)
///     .san("my-pod.my-namespace.pod.cluster.local".parse()?)
///     .san("192.0.2.24".parse()?)
///     .profile()
///     .request()?;
/// assert!(request.csr_pem().starts_with("-----BEGIN CERTIFICATE REQUEST-----"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Request {
    role: Role,
    usages: BTreeSet<Usage>,
    key: Arc<PrivateKey>,
    csr: CertificationRequest,
}

impl Profile {
    /// Makes a key of the profile's algorithm and a request for its certificate, with subject, names and usages.
    ///
    /// # Errors
    ///
    /// [`Code::Random`].
    pub fn request(&self) -> Result<Request> {
        self.request_with_key(PrivateKey::generate(self.key_algorithm())?)
    }

    /// Makes a request for the certificate of a key that is there already, such as one that a program has saved while it
    /// waited. The profile's key algorithm is passed over.
    ///
    /// # Errors
    ///
    /// [`Code::Random`], and [`Code::Unsupported`] for a key that no authority here certifies.
    pub fn request_with_key(&self, key: PrivateKey) -> Result<Request> {
        let usages = self.usages_with(key.public_key().is_rsa());
        let sans: Vec<_> = self.sans().iter().map(AlternativeName::from).collect();
        let wanted = RequestTemplate {
            subject: &DistinguishedName::new(self.common_name(), self.organizations())?,
            usages: &usages,
            authority: self.is_authority().then_some(self.path_length()),
            sans: &sans,
        };
        let csr = CertificationRequest::new(&wanted, &key).map_err(|error| error.role(self.role()))?;
        Ok(Request { role: self.role(), usages, key: Arc::new(key), csr })
    }
}

impl Request {
    /// The role of the certificate.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// The private key.
    #[must_use]
    pub fn key(&self) -> &PrivateKey {
        &self.key
    }

    /// The request.
    #[must_use]
    pub fn csr(&self) -> &CertificationRequest {
        &self.csr
    }

    /// The request as a PEM block `CERTIFICATE REQUEST`.
    #[must_use]
    pub fn csr_pem(&self) -> String {
        self.csr.to_pem()
    }

    /// The usages that the certificate is to have.
    #[must_use]
    pub fn usages(&self) -> &BTreeSet<Usage> {
        &self.usages
    }

    /// Puts the certificate that was issued, and those behind it, together with the key.
    ///
    /// # Errors
    ///
    /// [`Code::KeyMismatch`] when the certificate is for another key, [`Code::WrongIssuer`] and [`Code::BadSignature`] when
    /// the chain does not hold, [`Code::Malformed`] when it is empty, [`Code::WrongCertificate`] when it lacks a name or a
    /// usage that was asked for. The request stays: another answer may come.
    pub fn accept(&self, chain: Vec<Certificate>) -> Result<Credential> {
        check_chain(&chain)?;
        let credential = Credential::assemble(chain, Arc::clone(&self.key), None)?;
        let certificate = credential.certificate();
        let name =
            self.csr.sans().iter().find(|san| !certificate.sans().contains(san)).map(ToString::to_string);
        let usage = || {
            let missing = self.usages.iter().find(|usage| !certificate.usages().contains(usage));
            missing.map(ToString::to_string)
        };
        match name.or_else(usage) {
            None => Ok(credential),
            Some(missing) => Err(Error::new(Code::WrongCertificate, format!("a certificate with {missing}"))
                .found(format!("{}, which has it not", certificate.subject()))
                .role(self.role)),
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({}, {})", self.role, self.csr.subject())
    }
}
