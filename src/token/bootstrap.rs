//! Bootstrap tokens, and the Secrets that make a cluster know them.

use std::fmt;
use std::str::FromStr;

use zeroize::Zeroizing;

use crate::document::Value;
use crate::error::{Code, Error, Result};
use crate::key::random;
use crate::manifest::{Manifest, base64, named_in};
use crate::names::text_type;
use crate::time::Time;

/// A bootstrap token, `[a-z0-9]{6}.[a-z0-9]{16}`: by it a new machine and its cluster know each other until the machine
/// has a certificate.
///
/// The first part is the token's ID, which is no secret; the second is one. It is zeroized on drop, and `Debug` shows
/// the ID alone. A client authenticates with the whole text as `system:bootstrap:ID`, in the group
/// `system:bootstrappers`.
///
/// ```
/// use kubepki::token::BootstrapToken;
///
/// let token = BootstrapToken::generate()?;
/// assert_eq!(token.to_text().parse::<BootstrapToken>()?.id(), token.id());
/// # Ok::<(), kubepki::Error>(())
/// ```
#[derive(Clone)]
pub struct BootstrapToken {
    id: String,
    secret: Zeroizing<String>,
}

impl BootstrapToken {
    const ID: usize = 6;
    const SECRET: usize = 16;

    /// Makes a token from the operating system's randomness: every one is equally likely.
    ///
    /// # Errors
    ///
    /// [`Code::Random`] when the operating system gives no random bytes.
    pub fn generate() -> Result<Self> {
        Ok(Self { id: random_text(Self::ID)?.to_string(), secret: random_text(Self::SECRET)? })
    }

    /// The first part, which names the token and is no secret.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The whole token, as a client sends it and `kubeadm join --token` takes it.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new([&self.id, ".", &self.secret].concat())
    }

    pub(super) fn secret(&self) -> &str {
        &self.secret
    }
}

impl FromStr for BootstrapToken {
    type Err = Error;

    /// (kubernetes/kubernetes, staging/src/k8s.io/cluster-bootstrap/token/api/types.go, `BootstrapTokenPattern`)
    fn from_str(text: &str) -> Result<Self> {
        let is_part =
            |part: &str, length| part.len() == length && part.bytes().all(|byte| ALPHABET.contains(&byte));
        match text.split_once('.') {
            Some((id, secret)) if is_part(id, Self::ID) && is_part(secret, Self::SECRET) => {
                Ok(Self { id: id.to_owned(), secret: Zeroizing::new(secret.to_owned()) })
            }
            // It may be a token with a mistake in it: it is not quoted.
            _ => Err(Error::new(
                Code::Invalid,
                "6 and 16 lower-case letters and digits with '.' between them ([a-z0-9]{6}.[a-z0-9]{16})",
            )
            .found("something else")
            .field("bootstrap token")),
        }
    }
}

impl fmt::Debug for BootstrapToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BootstrapToken({})", self.id)
    }
}

text_type! {
    /// A group that a bootstrap token may give besides `system:bootstrappers`:
    /// `system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]`.
    BootstrapGroup, "bootstrap group", bootstrap_group
}

/// (kubernetes/kubernetes, staging/src/k8s.io/cluster-bootstrap/token/api/types.go, `BootstrapGroupPattern`)
fn bootstrap_group(text: &str) -> Result<(), String> {
    const LONGEST: usize = 256;
    let rest = text.strip_prefix("system:bootstrappers:").unwrap_or_default();
    let is_known = |byte: u8| ALPHABET.contains(&byte) || matches!(byte, b':' | b'-');
    match (1..=LONGEST).contains(&rest.len()) && rest.bytes().all(is_known) && !rest.ends_with([':', '-']) {
        true => Ok(()),
        false => Err(
            "system:bootstrappers: and up to 256 lower-case letters, digits, ':' and '-', the last a letter \
                      or digit"
                .to_owned(),
        ),
    }
}

/// What a cluster lets a bootstrap token be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BootstrapUsage {
    /// As a bearer token at the API server, which kubelets use to ask for their first certificate.
    Authentication,
    /// To sign [`ClusterInfo`](super::ClusterInfo), which joining machines check.
    Signing,
}

/// The Secret that makes a cluster know a bootstrap token: `bootstrap-token-ID` in the namespace `kube-system`.
///
/// It works where kube-apiserver runs with `--enable-bootstrap-token-auth`; and where kube-controller-manager runs
/// `--controllers=*,bootstrapsigner,tokencleaner`, it signs and is deleted when it has expired.
///
/// ```
/// use std::time::Duration;
///
/// use kubepki::Time;
/// use kubepki::token::{BootstrapSecret, BootstrapToken};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let token = BootstrapToken::generate()?;
/// let tomorrow = Time::now().checked_add(Duration::from_hours(24)).ok_or("the end of time")?;
/// let secret = BootstrapSecret::new(&token)
///     .expires(tomorrow)
///     .groups(["system:bootstrappers:kubeadm:default-node-token".parse()?]);
/// let yaml = secret.manifest().to_yaml(); // for `kubectl apply -f -`
/// assert!(yaml.contains("type: bootstrap.kubernetes.io/token\n"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct BootstrapSecret {
    token: BootstrapToken,
    expires: Option<Time>,
    usages: Vec<BootstrapUsage>,
    groups: Vec<BootstrapGroup>,
    description: Option<String>,
}

impl BootstrapSecret {
    /// A token for both usages that never expires, in no group but `system:bootstrappers`.
    pub fn new(token: &BootstrapToken) -> Self {
        Self {
            token: token.clone(),
            expires: None,
            usages: vec![BootstrapUsage::Authentication, BootstrapUsage::Signing],
            groups: Vec::new(),
            description: None,
        }
    }

    /// When the token ends. `kubeadm token create` gives it a day; one that does not expire lets machines join for as
    /// long as the Secret is there.
    pub fn expires(mut self, at: Time) -> Self {
        self.expires = Some(at);
        self
    }

    /// What the token may be used for.
    pub fn usages(mut self, usages: impl IntoIterator<Item = BootstrapUsage>) -> Self {
        self.usages = usages.into_iter().collect();
        self
    }

    /// The groups that it gives besides `system:bootstrappers`, when it authenticates. kubeadm binds its ClusterRoles to
    /// `system:bootstrappers:kubeadm:default-node-token`.
    pub fn groups(mut self, groups: impl IntoIterator<Item = BootstrapGroup>) -> Self {
        self.groups = groups.into_iter().collect();
        self
    }

    /// What it is for, in words for people.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// The Secret.
    ///
    /// (kubernetes/kubernetes, cmd/kubeadm/app/apis/bootstraptoken/v1/utils.go, `BootstrapTokenToSecret`)
    pub fn manifest(&self) -> Manifest {
        let groups = self.groups.iter().map(BootstrapGroup::as_str).collect::<Vec<_>>().join(",");
        let is_for = |usage| self.usages.contains(&usage).then(|| "true".to_owned());
        let data = [
            ("auth-extra-groups", Some(groups).filter(|groups| !groups.is_empty())),
            ("description", self.description.clone().filter(|description| !description.is_empty())),
            ("expiration", self.expires.map(|expires| expires.to_string())),
            ("token-id", Some(self.token.id.clone())),
            ("token-secret", Some(self.token.secret.to_string())),
            ("usage-bootstrap-authentication", is_for(BootstrapUsage::Authentication)),
            ("usage-bootstrap-signing", is_for(BootstrapUsage::Signing)),
        ];
        let name = format!("bootstrap-token-{}", self.token.id);
        let data = data.into_iter().filter_map(|(key, value)| {
            let value = Zeroizing::new(value?);
            Some((key, base64(value.as_bytes())))
        });
        let fields = [("data", Value::map(data)), ("type", "bootstrap.kubernetes.io/token".into())];
        Manifest::object(["v1", "Secret"], named_in("kube-system", &name), fields)
    }
}

const ALPHABET: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// `length` characters of [`ALPHABET`], each equally likely: bytes that would favour some are thrown away.
fn random_text(length: usize) -> Result<Zeroizing<String>> {
    const FAIR: u8 = 252;
    let mut text = Zeroizing::new(String::with_capacity(length));
    while text.len() < length {
        let bytes = Zeroizing::new(random::<32>()?);
        let fair = bytes.iter().filter(|byte| **byte < FAIR);
        let characters = fair.filter_map(|byte| ALPHABET.get(usize::from(*byte) % ALPHABET.len()));
        let missing = length - text.len();
        text.extend(characters.take(missing).map(|byte| char::from(*byte)));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_uniform() {
        // Pearson's chi-squared with 35 degrees of freedom: above 90 once in a million runs.
        const ROUNDS: usize = 36_000;
        const BOUND: f64 = 90.0;
        let mut counts = [0_u32; 36];
        let text = random_text(ROUNDS).unwrap();
        assert_eq!(text.len(), ROUNDS);
        for byte in text.bytes() {
            counts[ALPHABET.iter().position(|known| *known == byte).unwrap()] += 1;
        }
        let expected = 1000.0;
        let squares: f64 = counts.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum();
        assert!(squares < BOUND, "{squares}: {counts:?}");
    }
}
