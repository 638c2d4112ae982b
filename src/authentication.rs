//! [`Authentication`]: how API servers learn who somebody is, besides the certificates and tokens of the cluster itself.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::names::{ClaimName, ClientId, HttpsUrl, NamePrefix, RequiredClaim, TokenAlgorithm, UserName};

/// What API servers are told by their arguments about authentication, given by
/// [`Cluster::authentication`](crate::Cluster::authentication) and printed by
/// [`Expected::arguments`](crate::Expected::arguments) on every control-plane node alike.
///
/// Client certificates, bootstrap tokens, service accounts and the front proxy are always there. A provider of OpenID
/// Connect may also be described in a file of kind `AuthenticationConfiguration` (`--authentication-config`, in every
/// Kubernetes from 1.34 on), which allows several providers, and excludes the arguments of [`Oidc`]. Nothing here makes
/// that file.
///
/// ```
/// use kubepki::{Authentication, Cluster, Component, Expected, Node, Oidc};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let provider = Oidc::new("https://login.example.com".parse()?, "kubernetes".parse()?)
///     .username("email".parse()?, Some("oidc:".parse()?))
///     .groups("groups".parse()?, Some("oidc:".parse()?));
/// let cluster = Cluster::new("api.example.com:6443".parse()?)
///     .authentication(Authentication::default().oidc(provider));
/// let node = Node::control_plane("cp-1".parse()?, "192.0.2.10".parse()?);
/// let arguments = Expected::new(&cluster, &node).arguments(Component::ApiServer);
/// assert!(arguments.contains(&"--oidc-issuer-url=https://login.example.com".to_owned()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Authentication {
    oidc: Option<Oidc>,
    token_file: Option<PathBuf>,
    token_webhook: Option<TokenWebhook>,
    authorization_webhook: Option<AuthorizationWebhook>,
    proxies: Vec<UserName>,
}

impl Authentication {
    /// Takes ID tokens of a provider of OpenID Connect.
    pub fn oidc(mut self, provider: Oidc) -> Self {
        self.oidc = Some(provider);
        self
    }

    /// The provider of OpenID Connect, if there is one.
    #[must_use]
    pub fn provider(&self) -> Option<&Oidc> {
        self.oidc.as_ref()
    }

    /// Takes the tokens of a file, by its path on control-plane nodes (`--token-auth-file`). The API server reads it at
    /// its start only.
    pub fn token_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.token_file = Some(path.into());
        self
    }

    /// Asks a server whose a token is.
    pub fn token_webhook(mut self, webhook: TokenWebhook) -> Self {
        self.token_webhook = Some(webhook);
        self
    }

    /// Asks a server, besides, what a user may do.
    pub fn authorization_webhook(mut self, webhook: AuthorizationWebhook) -> Self {
        self.authorization_webhook = Some(webhook);
        self
    }

    /// Believes one more authenticating proxy: who has a client certificate of the front proxy's authority with this
    /// common name says by headers (`X-Remote-User`, `X-Remote-Group`, `X-Remote-Extra-`) who a request comes from, and
    /// so may be anybody. `front-proxy-client` is always believed, and no name beyond those that are given.
    pub fn proxy(mut self, common_name: UserName) -> Self {
        self.proxies.push(common_name);
        self
    }

    /// The value of `--requestheader-allowed-names`. Empty, it would let any client of that authority be anybody.
    pub(crate) fn allowed_names(&self, front_proxy_client: &str) -> String {
        // pflag reads the list as a line of CSV (`StringSlice`).
        let quoted = |name: &str| match name.contains([',', '"']) {
            true => format!("\"{}\"", name.replace('"', "\"\"")),
            false => name.to_owned(),
        };
        let names = [front_proxy_client].into_iter().chain(self.proxies.iter().map(UserName::as_str));
        names.map(quoted).collect::<Vec<_>>().join(",")
    }

    /// The value of `--authorization-mode`: who is asked in turn until one decides.
    pub(crate) fn authorization_modes(&self) -> &'static str {
        if self.authorization_webhook.is_some() { "Node,RBAC,Webhook" } else { "Node,RBAC" }
    }

    /// The arguments that are there for this alone, each name with its value.
    pub(crate) fn arguments(&self) -> Vec<(&'static str, String)> {
        let mut arguments = self.oidc.as_ref().map(Oidc::arguments).unwrap_or_default();
        arguments.extend(self.token_file.as_deref().map(|file| (TOKEN_FILE, shown(file))));
        if let Some(TokenWebhook { config_file, cache }) = &self.token_webhook {
            arguments.extend([
                (TOKEN_WEBHOOK, shown(config_file)),
                ("authentication-token-webhook-version", "v1".to_owned()),
            ]);
            arguments.extend(cache.map(|cache| ("authentication-token-webhook-cache-ttl", in_go(cache))));
        }
        if let Some(AuthorizationWebhook { config_file, allowed, refused }) = &self.authorization_webhook {
            arguments.extend([
                (AUTHORIZATION_WEBHOOK, shown(config_file)),
                ("authorization-webhook-version", "v1".to_owned()),
            ]);
            let ttl = |name, cache: Option<Duration>| cache.map(|cache| (name, in_go(cache)));
            arguments.extend(ttl("authorization-webhook-cache-authorized-ttl", *allowed));
            arguments.extend(ttl("authorization-webhook-cache-unauthorized-ttl", *refused));
        }
        arguments
    }

    /// Checks what no single value can; `service_accounts` is the issuer of the cluster's own tokens.
    pub(crate) fn check(&self, service_accounts: &str) -> Result<()> {
        let paths = [
            (TOKEN_FILE, self.token_file.as_deref()),
            (OIDC_CA, self.oidc.as_ref().and_then(|oidc| oidc.ca_file.as_deref())),
            (TOKEN_WEBHOOK, self.token_webhook.as_ref().map(|webhook| &*webhook.config_file)),
            (AUTHORIZATION_WEBHOOK, self.authorization_webhook.as_ref().map(|webhook| &*webhook.config_file)),
        ];
        let is_empty = |path: Option<&Path>| path.is_some_and(|path| path.as_os_str().is_empty());
        if let Some((flag, _)) = paths.into_iter().find(|(_, path)| is_empty(*path)) {
            return Err(Error::invalid(flag, "the path of a file", ""));
        }
        self.oidc.as_ref().map_or(Ok(()), |oidc| oidc.check(service_accounts))
    }
}

/// A provider of OpenID Connect whose ID tokens API servers take (`--oidc-*`).
///
/// The rules: kubernetes/kubernetes, pkg/kubeapiserver/options/authentication.go.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Oidc {
    issuer_url: HttpsUrl,
    client_id: ClientId,
    ca_file: Option<PathBuf>,
    username: Option<(ClaimName, Option<NamePrefix>)>,
    groups: Option<(ClaimName, Option<NamePrefix>)>,
    required_claims: Vec<RequiredClaim>,
    signing_algorithms: Vec<TokenAlgorithm>,
}

impl Oidc {
    /// The provider whose tokens name `issuer_url`, to the letter, as their issuer, and are made for `client_id`. Users
    /// are called by the claim `sub` behind the issuer's URL and `#`, and have no groups.
    ///
    /// It is another one than the issuer of the cluster's service accounts, which is refused where certificates are made.
    pub fn new(issuer_url: HttpsUrl, client_id: ClientId) -> Self {
        Self {
            issuer_url,
            client_id,
            ca_file: None,
            username: None,
            groups: None,
            required_claims: Vec::new(),
            signing_algorithms: Vec::new(),
        }
    }

    /// Names users by this claim, with a prefix. Without one the provider, and whoever chooses the claim's value there,
    /// can be any user of the cluster, also `system:kube-controller-manager`.
    pub fn username(mut self, claim: ClaimName, prefix: Option<NamePrefix>) -> Self {
        self.username = Some((claim, prefix));
        self
    }

    /// Puts users into the groups of this claim, with a prefix. Without one the provider can put them into any group of
    /// the cluster, also `system:masters`.
    pub fn groups(mut self, claim: ClaimName, prefix: Option<NamePrefix>) -> Self {
        self.groups = Some((claim, prefix));
        self
    }

    /// The file, by its path on control-plane nodes, with the certificates in PEM by which the provider is trusted,
    /// instead of those of the system.
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(path.into());
        self
    }

    /// Takes only tokens with this claim of this value; once for each claim.
    pub fn required_claim(mut self, claim: RequiredClaim) -> Self {
        self.required_claims.push(claim);
        self
    }

    /// Takes signatures of these algorithms instead of `RS256` only.
    pub fn signing_algorithms(mut self, algorithms: impl IntoIterator<Item = TokenAlgorithm>) -> Self {
        self.signing_algorithms = algorithms.into_iter().collect();
        self
    }

    fn arguments(&self) -> Vec<(&'static str, String)> {
        let mut arguments = vec![
            ("oidc-issuer-url", self.issuer_url.to_string()),
            ("oidc-client-id", self.client_id.to_string()),
        ];
        arguments.extend(self.ca_file.as_deref().map(|file| (OIDC_CA, shown(file))));
        if let Some((claim, prefix)) = &self.username {
            let prefix = prefix.as_ref().map_or("-", NamePrefix::as_str).to_owned();
            arguments.extend([("oidc-username-claim", claim.to_string()), ("oidc-username-prefix", prefix)]);
        }
        if let Some((claim, prefix)) = &self.groups {
            arguments.push(("oidc-groups-claim", claim.to_string()));
            arguments.extend(prefix.as_ref().map(|prefix| ("oidc-groups-prefix", prefix.to_string())));
        }
        let claims = self.required_claims.iter();
        arguments.extend(claims.map(|claim| ("oidc-required-claim", claim.to_string())));
        if !self.signing_algorithms.is_empty() {
            let algorithms: Vec<_> = self.signing_algorithms.iter().map(TokenAlgorithm::as_str).collect();
            arguments.push(("oidc-signing-algs", algorithms.join(",")));
        }
        arguments
    }

    fn check(&self, service_accounts: &str) -> Result<()> {
        let issuer = self.issuer_url.as_str();
        if issuer == service_accounts {
            let rule = "another issuer than that of the cluster's service accounts";
            return Err(Error::invalid("oidc-issuer-url", rule, issuer));
        }
        let claim = |claim: &RequiredClaim| claim.as_str().split('=').next().unwrap_or_default().to_owned();
        let mut seen = HashSet::new();
        match self.required_claims.iter().map(claim).find(|claim| !seen.insert(claim.clone())) {
            Some(twice) => Err(Error::invalid("oidc-required-claim", "each claim once", &twice)),
            None => Ok(()),
        }
    }
}

/// A server that tells whose a bearer token is (`--authentication-token-webhook-*`). It is sent `TokenReview` objects of
/// `authentication.k8s.io/v1`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct TokenWebhook {
    config_file: PathBuf,
    cache: Option<Duration>,
}

impl TokenWebhook {
    /// A server that is described by a kubeconfig, such as
    /// [`Kubeconfig::webhook`](crate::kubeconfig::Kubeconfig::webhook) makes, at a path on control-plane nodes.
    pub fn new(config_file: impl Into<PathBuf>) -> Self {
        Self { config_file: config_file.into(), cache: None }
    }

    /// How long an answer is good for, in whole milliseconds; otherwise it is two minutes.
    pub fn cache(mut self, lifetime: Duration) -> Self {
        self.cache = Some(lifetime);
        self
    }
}

/// A server that tells what a user may do (`--authorization-webhook-*`). It is sent `SubjectAccessReview` objects of
/// `authorization.k8s.io/v1`, where neither the node authorizer nor RBAC allow a request: it can allow more, not less.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct AuthorizationWebhook {
    config_file: PathBuf,
    allowed: Option<Duration>,
    refused: Option<Duration>,
}

impl AuthorizationWebhook {
    /// A server that is described by a kubeconfig, such as
    /// [`Kubeconfig::webhook`](crate::kubeconfig::Kubeconfig::webhook) makes, at a path on control-plane nodes.
    pub fn new(config_file: impl Into<PathBuf>) -> Self {
        Self { config_file: config_file.into(), allowed: None, refused: None }
    }

    /// How long a yes is good for, in whole milliseconds; otherwise it is five minutes.
    pub fn cache_allowed(mut self, lifetime: Duration) -> Self {
        self.allowed = Some(lifetime);
        self
    }

    /// How long anything but a yes is good for, in whole milliseconds; otherwise it is 30 seconds.
    pub fn cache_refused(mut self, lifetime: Duration) -> Self {
        self.refused = Some(lifetime);
        self
    }
}

const OIDC_CA: &str = "oidc-ca-file";
const TOKEN_FILE: &str = "token-auth-file";
const TOKEN_WEBHOOK: &str = "authentication-token-webhook-config-file";
const AUTHORIZATION_WEBHOOK: &str = "authorization-webhook-config-file";

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// As Go reads it (`time.ParseDuration`), in milliseconds: `120000ms`.
fn in_go(duration: Duration) -> String {
    format!("{}ms", duration.as_millis())
}
