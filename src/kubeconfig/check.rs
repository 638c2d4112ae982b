//! Whether what a kubeconfig holds belongs together.

use super::{Cluster, Exec, InteractiveMode, Kubeconfig, User};
use crate::error::{Code, Error, Result};
use crate::key::PrivateKey;
use crate::x509::{Certificate, check_chain, check_key, leaf};

impl Kubeconfig {
    /// Checks what the current context refers to: that there is such a cluster and user, that `kubectl` takes what the
    /// user has, that the embedded private key belongs to the embedded client certificate, and that one of the embedded
    /// authorities issued it.
    ///
    /// Files that it names are not read, and validity in time is not looked at.
    ///
    /// # Errors
    ///
    /// [`Code::Invalid`] when the context, its cluster or its user is missing or has no name, and for a user whom
    /// `kubectl` refuses, [`Code::KeyMismatch`], [`Code::WrongIssuer`] and [`Code::BadSignature`] when the pieces do not
    /// belong together, and the errors of reading certificates and keys.
    pub fn check(&self) -> Result<()> {
        let missing = |field, expected: &str, name: &str| Error::invalid(field, expected.to_owned(), name);
        let context = self
            .current()
            .filter(|_| !self.current_context.is_empty())
            .ok_or_else(|| missing("current-context", "the name of a context", &self.current_context))?;
        let cluster = self.current_cluster().filter(|_| !context.cluster.is_empty()).ok_or_else(|| {
            missing("contexts[].context.cluster", "the name of a cluster", &context.cluster)
        })?;
        let user = self
            .current_user()
            .filter(|_| !context.user.is_empty())
            .ok_or_else(|| missing("contexts[].context.user", "the name of a user", &context.user))?;
        user.check()?;
        check_issuer(cluster, user)
    }
}

impl User {
    /// Checks what a user has, as far as it can be read in the kubeconfig.
    pub(super) fn check(&self) -> Result<()> {
        self.check_rules()?;
        let (chain, key) = (self.chain()?, &self.client_key_data);
        let Some((chain, pem)) = chain.zip(key.as_ref()) else { return Ok(()) };
        PrivateKey::from_pem(pem)
            .and_then(|key| check_key(leaf(&chain)?, &key))
            .map_err(|error| error.field("client-key-data"))
    }

    /// (k8s.io/client-go, tools/clientcmd/validation.go, `validateAuthInfo`)
    fn check_rules(&self) -> Result<()> {
        let has_certificate = self.client_certificate_data.is_some() || is_there(&self.client_certificate);
        let has_key = self.client_key_data.is_some() || is_there(&self.client_key);
        let has_token = self.token.as_ref().is_some_and(|token| !token.is_empty());
        let has_password = self.password.as_ref().is_some_and(|password| !password.is_empty());
        let has_both_plugins = self.exec.is_some() && self.auth_provider.is_some();
        let is_nobody = !is_there(&self.impersonate)
            && (is_there(&self.impersonate_uid)
                || !self.impersonate_groups.is_empty()
                || !self.impersonate_user_extra.is_empty());
        keep_rules([
            (has_certificate && !has_key, "client-key-data", "the key of the client certificate"),
            (has_token && (is_there(&self.username) || has_password), "username", "nothing beside a token"),
            (has_both_plugins, "auth-provider", "nothing beside exec"),
            (is_nobody, "as", "the user to whom the groups and all else belong"),
        ])?;
        self.exec.as_ref().map_or(Ok(()), Exec::check_rules)
    }

    fn chain(&self) -> Result<Option<Vec<Certificate>>> {
        let Some(pem) = &self.client_certificate_data else { return Ok(None) };
        Certificate::from_pem(pem)
            .and_then(|chain| check_chain(&chain).map(|()| Some(chain)))
            .map_err(|error| error.field("client-certificate-data"))
    }
}

impl Exec {
    fn check_rules(&self) -> Result<()> {
        let version = self.api_version.as_deref().unwrap_or_default();
        let knows_mode = match self.interactive_mode.as_deref() {
            None => OLD_EXEC.contains(&version),
            Some(mode) => InteractiveMode::ALL.iter().any(|known| known.id() == mode),
        };
        keep_rules([
            (self.command.is_empty(), "exec.command", "a program"),
            (version.is_empty(), "exec.apiVersion", "the version of the interface"),
            (self.env.iter().any(|variable| variable.name.is_empty()), "exec.env", "variables with names"),
            (!knows_mode, "exec.interactiveMode", "Never, IfAvailable or Always"),
        ])
    }
}

/// Rules by what breaks them: whether it is so, the field, and what is expected there.
fn keep_rules<const N: usize>(rules: [(bool, &'static str, &str); N]) -> Result<()> {
    match rules.into_iter().find(|(is_broken, ..)| *is_broken) {
        Some((_, field, rule)) => Err(Error::new(Code::Invalid, rule).field(field)),
        None => Ok(()),
    }
}

fn is_there(text: &Option<String>) -> bool {
    text.as_ref().is_some_and(|text| !text.is_empty())
}

/// The versions without a required `interactiveMode` (client-go, tools/clientcmd/api/v1/defaults.go).
const OLD_EXEC: [&str; 2] = ["client.authentication.k8s.io/v1beta1", "client.authentication.k8s.io/v1alpha1"];

fn check_issuer(cluster: &Cluster, user: &User) -> Result<()> {
    let Some((chain, pem)) = user.chain()?.zip(cluster.certificate_authority_data.as_ref()) else {
        return Ok(());
    };
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
