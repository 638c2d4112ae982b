//! Whether what a kubeconfig holds belongs together.

use super::{Cluster, Kubeconfig, User};
use crate::error::{Error, Result};
use crate::key::PrivateKey;
use crate::x509::{Certificate, check_chain, check_key, leaf};

impl Kubeconfig {
    /// Checks what the current context refers to: that there is such a cluster and user, that the embedded private key
    /// belongs to the embedded client certificate, and that one of the embedded authorities issued it.
    ///
    /// Files that it names are not read, and validity in time is not looked at.
    ///
    /// # Errors
    ///
    /// [`Code::Invalid`] when the context, its cluster or its user is missing, [`Code::KeyMismatch`],
    /// [`Code::WrongIssuer`] and [`Code::BadSignature`] when the pieces do not belong together, and the errors of reading
    /// certificates and keys.
    ///
    /// [`Code::Invalid`]: crate::Code::Invalid
    /// [`Code::KeyMismatch`]: crate::Code::KeyMismatch
    /// [`Code::WrongIssuer`]: crate::Code::WrongIssuer
    /// [`Code::BadSignature`]: crate::Code::BadSignature
    pub fn check(&self) -> Result<()> {
        let missing = |field, expected: &str, name: &str| Error::invalid(field, expected.to_owned(), name);
        let context = self
            .current()
            .ok_or_else(|| missing("current-context", "the name of a context", &self.current_context))?;
        let cluster = self.current_cluster().ok_or_else(|| {
            missing("contexts[].context.cluster", "the name of a cluster", &context.cluster)
        })?;
        let user = self
            .current_user()
            .ok_or_else(|| missing("contexts[].context.user", "the name of a user", &context.user))?;
        check_certificate(cluster, user)
    }
}

fn check_certificate(cluster: &Cluster, user: &User) -> Result<()> {
    let Some(pem) = &user.client_certificate_data else { return Ok(()) };
    let chain = Certificate::from_pem(pem).map_err(|error| error.field("client-certificate-data"))?;
    check_chain(&chain).map_err(|error| error.field("client-certificate-data"))?;
    if let Some(pem) = &user.client_key_data {
        PrivateKey::from_pem(pem)
            .and_then(|key| check_key(leaf(&chain)?, &key))
            .map_err(|error| error.field("client-key-data"))?;
    }
    let Some(pem) = &cluster.certificate_authority_data else { return Ok(()) };
    let trusted = Certificate::from_pem(pem).map_err(|error| error.field("certificate-authority-data"))?;
    let issued = |certificate: &Certificate| trusted.iter().any(|it| certificate.check_issued_by(it).is_ok());
    match (chain.iter().any(issued), leaf(&chain)?, leaf(&trusted)?) {
        (true, ..) => Ok(()),
        // The refusal by the first, which signs, says most.
        (false, own, first) => {
            own.check_issued_by(first).map_err(|error| error.field("client-certificate-data"))
        }
    }
}
