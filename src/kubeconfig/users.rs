//! What a [`User`] shows an API server, besides what its fields say.

use std::collections::BTreeMap;

use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

use super::{AuthProvider, Exec, ExecEnvVar, User};
use crate::impersonation::Impersonation;
use crate::names::{ClientId, HttpsUrl};
use crate::x509::{Certificate, to_pem};

impl User {
    /// A user with a client certificate and its private key, both in PEM.
    #[must_use]
    pub fn with_certificate(certificate: impl Into<Vec<u8>>, key: impl Into<Zeroizing<Vec<u8>>>) -> Self {
        Self {
            client_certificate_data: Some(certificate.into()),
            client_key_data: Some(key.into()),
            ..Self::default()
        }
    }

    /// A user with a bearer token, such as a bootstrap token.
    #[must_use]
    pub fn with_token(token: impl Into<String>) -> Self {
        Self { token: Some(Zeroizing::new(token.into())), ..Self::default() }
    }

    /// A user with a bearer token in a file, which clients read again as it changes.
    #[must_use]
    pub fn with_token_file(path: impl Into<String>) -> Self {
        Self { token_file: Some(path.into()), ..Self::default() }
    }

    /// A user for whom a program gets a token or a client certificate.
    #[must_use]
    pub fn with_exec(exec: Exec) -> Self {
        Self { exec: Some(exec), ..Self::default() }
    }

    /// A user with tokens of a provider of OpenID Connect.
    #[must_use]
    pub fn with_oidc(user: OidcUser) -> Self {
        let provider =
            AuthProvider { name: "oidc".to_owned(), config: user.settings, ..AuthProvider::default() };
        Self { auth_provider: Some(provider), ..Self::default() }
    }

    /// The same user, who acts as another.
    #[must_use]
    pub fn acting_as(mut self, other: Impersonation) -> Self {
        self.impersonate = Some(other.user);
        self.impersonate_uid = other.uid;
        self.impersonate_groups = other.groups;
        self.impersonate_user_extra = other.extra;
        self
    }
}

/// Whether a program may ask the user something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InteractiveMode {
    /// It never reads the standard input.
    Never,
    /// It reads the standard input where that is a terminal.
    IfAvailable,
    /// It cannot do without.
    Always,
}

impl InteractiveMode {
    pub(super) const ALL: [Self; 3] = [Self::Never, Self::IfAvailable, Self::Always];

    /// The text of the field: `Never`, `IfAvailable`, `Always`.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Never => "Never",
            Self::IfAvailable => "IfAvailable",
            Self::Always => "Always",
        }
    }
}

impl Exec {
    /// A program by its path, or by its name in `PATH`. It speaks `client.authentication.k8s.io/v1`, and may ask the
    /// user where there is a terminal.
    #[must_use]
    pub fn new(command: impl Into<String>) -> Self {
        let api_version = Some("client.authentication.k8s.io/v1".to_owned());
        Self { command: command.into(), api_version, ..Self::default() }
            .interactive_mode(InteractiveMode::IfAvailable)
    }

    /// The program's arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.args = Zeroizing::new(args.into_iter().map(Into::into).collect());
        self
    }

    /// One more environment variable for the program.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let value = Zeroizing::new(value.into());
        self.env.push(ExecEnvVar { name: name.into(), value, ..ExecEnvVar::default() });
        self
    }

    /// What to tell a user who does not have the program.
    #[must_use]
    pub fn install_hint(mut self, hint: impl Into<String>) -> Self {
        self.install_hint = Some(hint.into());
        self
    }

    /// Tells the program which cluster it is for, by the variable `KUBERNETES_EXEC_INFO`.
    #[must_use]
    pub fn provide_cluster_info(mut self) -> Self {
        self.provide_cluster_info = true;
        self
    }

    /// Whether the program may ask the user something.
    #[must_use]
    pub fn interactive_mode(mut self, mode: InteractiveMode) -> Self {
        self.interactive_mode = Some(mode.id().to_owned());
        self
    }
}

/// The settings of `kubectl`'s plugin `oidc`, which shows an ID token, and gets a new one by the refresh token
/// (k8s.io/client-go, plugin/pkg/client/auth/oidc). It does not log in: the first tokens come from elsewhere.
///
/// ```
/// use kubepki::kubeconfig::{OidcUser, User};
///
/// # fn main() -> kubepki::Result<()> {
/// let login = OidcUser::new(&"https://login.example.com".parse()?, &"kubernetes".parse()?)
///     .refresh_token("q1bKLFOyUiosTfawzA93TzZIDzH2TNa2SMm0zEiPKTUwME6BkEo6Sql5yUWVBSWpKUGp");
/// assert_eq!(User::with_oidc(login).auth_provider.unwrap().name, "oidc");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct OidcUser {
    settings: BTreeMap<String, Zeroizing<String>>,
}

impl OidcUser {
    /// A user of the provider with this URL, whose tokens are made for this client.
    pub fn new(issuer_url: &HttpsUrl, client_id: &ClientId) -> Self {
        Self { settings: BTreeMap::new() }
            .set("idp-issuer-url", issuer_url.as_str())
            .set("client-id", client_id.as_str())
    }

    /// The secret of the client.
    pub fn client_secret(self, secret: impl Into<String>) -> Self {
        self.set("client-secret", secret)
    }

    /// The ID token.
    pub fn id_token(self, token: impl Into<String>) -> Self {
        self.set("id-token", token)
    }

    /// The refresh token, without which the ID token is not renewed.
    pub fn refresh_token(self, token: impl Into<String>) -> Self {
        self.set("refresh-token", token)
    }

    /// The path of the file with the certificates, in PEM, by which the provider is trusted, instead of those of the
    /// system.
    pub fn certificate_authority(self, path: impl Into<String>) -> Self {
        self.set("idp-certificate-authority", path)
    }

    /// The certificates by which the provider is trusted; they win over the file.
    pub fn certificate_authority_data(self, trusted: &[Certificate]) -> Self {
        self.set("idp-certificate-authority-data", Base64::encode_string(to_pem(trusted).as_bytes()))
    }

    /// Scopes beyond `openid`, `email` and `profile`. `kubectl` itself no longer sends them.
    pub fn extra_scopes<'a>(self, scopes: impl IntoIterator<Item = &'a str>) -> Self {
        self.set("extra-scopes", scopes.into_iter().collect::<Vec<_>>().join(","))
    }

    fn set(mut self, name: &str, value: impl Into<String>) -> Self {
        self.settings.insert(name.to_owned(), Zeroizing::new(value.into()));
        self
    }
}
