//! Names of OpenID Connect: who issues tokens, for whom, and what they say.

use std::fmt;
use std::str::FromStr;

use super::{Endpoint, printable, text_type};
use crate::error::{Error, Result};

text_type! {
    /// A URL of `https`, without user, password, query and fragment, such as an issuer of OpenID Connect or a webhook.
    ///
    /// ```
    /// use kubepki::HttpsUrl;
    ///
    /// assert!("https://login.example.com/realms/prod".parse::<HttpsUrl>().is_ok());
    /// assert!("http://login.example.com".parse::<HttpsUrl>().is_err());
    /// ```
    HttpsUrl, "URL", https_url
}

text_type! {
    /// The identifier of a client at a provider of OpenID Connect, for which tokens are issued: 1 to 253 bytes of text,
    /// without control characters and without white space at either end.
    ClientId, "client ID", printable
}

text_type! {
    /// The name of a claim in a token (RFC 7519, section 4), such as `email`: 1 to 253 bytes of text without `=`, control
    /// characters and white space at either end.
    ClaimName, "claim", claim_name
}

text_type! {
    /// A claim and the value that it must have, as `CLAIM=VALUE`.
    RequiredClaim, "required claim", required_claim
}

text_type! {
    /// What stands before every name that comes from elsewhere, such as `oidc:`.
    ///
    /// It does not begin with `system:`, since such names are Kubernetes' own; and it is not `-`, by which the arguments
    /// of kube-apiserver mean none.
    NamePrefix, "prefix", name_prefix
}

text_type! {
    /// A signature algorithm of tokens (RFC 7518, section 3.1), one with public keys that kube-apiserver takes: `RS256`,
    /// `RS384`, `RS512`, `ES256`, `ES384`, `ES512`, `PS256`, `PS384` or `PS512`.
    TokenAlgorithm, "signing algorithm", token_algorithm
}

/// (kubernetes/kubernetes, staging/src/k8s.io/apiserver, plugin/pkg/authenticator/token/oidc/oidc.go,
/// `allowedSigningAlgs`)
const TOKEN_ALGORITHMS: [&str; 9] =
    ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512"];

text_type! {
    /// Who issues service-account tokens: kube-apiserver's `--service-account-issuer`. Relying parties that find the keys
    /// by OpenID Connect need a URL of https.
    TokenIssuer, "token issuer", token_issuer
}

/// A StringOrURI (RFC 7519, section 2): a text with a colon is a URI.
fn token_issuer(text: &str) -> Result<(), String> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("at least one character, and only those that a URI may have".to_owned());
    }
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    };
    match text.split_once(':') {
        Some((scheme, rest)) if !is_scheme(scheme) || rest.is_empty() => {
            Err("a URI, where there is a colon (RFC 7519, section 2)".to_owned())
        }
        _ => Ok(()),
    }
}

/// As the API server checks the URL of an issuer (kubernetes/kubernetes, staging/src/k8s.io/apiserver,
/// pkg/apis/apiserver/validation/validation.go, `validateURL`), and with a host that certificates can name.
fn https_url(text: &str) -> Result<(), String> {
    let rest = text.strip_prefix("https://").ok_or("a URL that begins with https://")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if authority.contains('@') || text.contains(['?', '#']) {
        return Err("a URL without user, password, query and fragment".to_owned());
    }
    let endpoint: Result<Endpoint> = authority.to_ascii_lowercase().parse();
    endpoint.map_err(|error| format!("a URL with HOST or HOST:PORT: {}", error.expected()))?;
    let is_of_path = |c: char| c.is_ascii_graphic() && !"\"<>\\^`{|}".contains(c);
    let is_escape = |rest: &str| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    match path.chars().all(is_of_path) && path.split('%').skip(1).all(is_escape) {
        true => Ok(()),
        false => Err("a URL whose path is ASCII, with all else as %XX (RFC 3986, section 3.3)".to_owned()),
    }
}

fn claim_name(text: &str) -> Result<(), String> {
    printable(text)?;
    if text.contains('=') { Err("a claim without '='".to_owned()) } else { Ok(()) }
}

/// As the flag is read (k8s.io/component-base, cli/flag/map_string_string.go), which trims both.
fn required_claim(text: &str) -> Result<(), String> {
    let (claim, value) = text.split_once('=').ok_or("CLAIM=VALUE")?;
    printable(claim).and_then(|()| printable(value)).map_err(|rule| format!("CLAIM=VALUE, each {rule}"))
}

fn name_prefix(text: &str) -> Result<(), String> {
    printable(text)?;
    match text == "-" || text.starts_with("system:") {
        true => Err("a prefix that is not '-' and does not begin with system:".to_owned()),
        false => Ok(()),
    }
}

fn token_algorithm(text: &str) -> Result<(), String> {
    match TOKEN_ALGORITHMS.contains(&text) {
        true => Ok(()),
        false => Err(format!("one of {}", TOKEN_ALGORITHMS.join(", "))),
    }
}

impl TokenIssuer {
    pub(crate) fn of_domain(domain: &str) -> Self {
        Self(format!("https://kubernetes.default.svc.{domain}"))
    }
}
