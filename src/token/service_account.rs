//! Service-account tokens: JSON Web Tokens (RFC 7519) as kube-apiserver makes and takes them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use zeroize::Zeroizing;

use super::jwks::Key;
use super::{KeySet, jws};
use crate::document::{self, Field, Value, record, to_json_line};
use crate::error::{Code, Error, Result};
use crate::key::{Signer, random, sign_jose};
use crate::names::{Namespace, ObjectName, TokenIssuer, printable, text_type};
use crate::time::Time;

/// The member of the payload that holds what Kubernetes adds to it.
const KUBERNETES: &str = "kubernetes.io";

text_type! {
    /// The UID that the API server has given an object: 1 to 253 bytes of text without control characters and without
    /// white space at either end. It is another one when an object of the same name is made again.
    ObjectUid, "UID", printable
}

/// An object of the API, as a token names it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObjectReference {
    /// Its name.
    pub name: ObjectName,
    /// Its UID.
    pub uid: ObjectUid,
}

impl ObjectReference {
    /// An object by its name and UID.
    #[must_use]
    pub fn new(name: ObjectName, uid: ObjectUid) -> Self {
        Self { name, uid }
    }
}

/// The object without which a token is no longer good: API servers refuse the token when it is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Binding {
    /// A node.
    Node(ObjectReference),
    /// A pod in the service account's namespace.
    Pod(ObjectReference),
    /// A pod, and the node that it runs on: the node is told, and does not bind.
    PodOnNode {
        /// The pod.
        pod: ObjectReference,
        /// The node.
        node: ObjectReference,
    },
    /// A Secret in the service account's namespace.
    Secret(ObjectReference),
}

/// A service-account token that is to be signed.
///
/// Whoever has sa.key can make tokens for every service account. Where there is an API server, `kubectl create token` and
/// the TokenRequest API make them without it.
///
/// ```
/// use kubepki::token::{KeySet, ObjectReference, ServiceAccountClaims, ServiceAccountToken, TokenIssuer};
/// use kubepki::{KeyAlgorithm, PrivateKey, Signer, Time};
///
/// # fn main() -> kubepki::Result<()> {
/// let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?; // sa.key
/// let issuer: TokenIssuer = "https://kubernetes.default.svc.cluster.local".parse()?;
/// let account = ObjectReference::new("builder".parse()?, "5f6b0a7e-3d1c-4b9a-8a57-0c1de6a4f3b2".parse()?);
/// let token = ServiceAccountToken::new(issuer.clone(), "ci".parse()?, account)
///     .audiences(["https://vault.example.com"])
///     .sign(&key, Time::now())?;
///
/// let keys = KeySet::new(&[key.public_key().clone()])?;
/// let claims =
///     ServiceAccountClaims::verify(&token, &keys, &issuer, "https://vault.example.com", Time::now())?;
/// assert_eq!(claims.user(), "system:serviceaccount:ci:builder");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ServiceAccountToken {
    issuer: TokenIssuer,
    namespace: Namespace,
    account: ObjectReference,
    audiences: Vec<String>,
    lifetime: Duration,
    binding: Option<Binding>,
}

impl ServiceAccountToken {
    /// A token for a service account, for an hour, and for the API server: its audience is the issuer.
    pub fn new(issuer: TokenIssuer, namespace: Namespace, account: ObjectReference) -> Self {
        const HOUR: Duration = Duration::from_hours(1);
        let audiences = vec![issuer.as_str().to_owned()];
        Self { issuer, namespace, account, audiences, lifetime: HOUR, binding: None }
    }

    /// Who is to accept it. kube-apiserver does if one of these is one of its `--api-audiences`, which are its issuer
    /// unless it was told others.
    pub fn audiences(mut self, audiences: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.audiences = audiences.into_iter().map(Into::into).collect();
        self
    }

    /// How long it is good, in whole seconds.
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Binds it to an object.
    pub fn bound_to(mut self, binding: Binding) -> Self {
        self.binding = Some(binding);
        self
    }

    /// Signs it, with a new ID, from `now` on: by RS256, ES256 or ES384, as the key has it.
    ///
    /// (kubernetes/kubernetes, pkg/serviceaccount/claims.go, `Claims`, and jwt.go, `GenerateToken`)
    ///
    /// # Errors
    ///
    /// [`Code::Invalid`] without an audience, for a lifetime under a second or past the year 9999,
    /// [`Code::Unsupported`] for another kind of key, [`Code::Signer`] and [`Code::SignerMismatch`] when the signer
    /// fails.
    pub fn sign(&self, signer: &dyn Signer, now: Time) -> Result<Zeroizing<String>> {
        if self.audiences.is_empty() {
            return Err(Error::new(Code::Invalid, "at least one audience").found("none").field("aud"));
        }
        let expires = now.checked_add(self.lifetime).filter(|expires| *expires > now).ok_or_else(|| {
            let found = format!("{} seconds", self.lifetime.as_secs());
            Error::new(Code::Invalid, "a lifetime of at least a second, before the year 10000")
                .found(found)
                .field("exp")
        })?;
        let number = |time: Time| Value::Integer(time.unix().into());
        let mut kubernetes = vec![("namespace".to_owned(), self.namespace.as_str().into())];
        kubernetes.extend(self.objects().map(|(kind, it)| (kind.to_owned(), reference(it))));
        let payload = Value::map([
            ("aud", Value::List(self.audiences.iter().map(|audience| audience.as_str().into()).collect())),
            ("exp", number(expires)),
            ("iat", number(now)),
            ("iss", self.issuer.as_str().into()),
            ("jti", uuid()?.as_str().into()),
            (KUBERNETES, record::sorted(kubernetes)),
            ("nbf", number(now)),
            ("sub", user(&self.namespace, &self.account.name).as_str().into()),
        ]);
        let key = signer.public_key();
        let header = jws::header(key.jose_algorithm()?, &key.key_id());
        let signed = Zeroizing::new(format!("{header}.{}", jws::encode(to_json_line(&payload).as_bytes())));
        let signature = Zeroizing::new(jws::encode(&sign_jose(signer, signed.as_bytes())?));
        Ok(Zeroizing::new([&signed, ".", &signature].concat()))
    }

    fn objects(&self) -> impl Iterator<Item = (&'static str, &ObjectReference)> {
        let binding = match &self.binding {
            None => [None, None],
            Some(Binding::Node(node)) => [Some(("node", node)), None],
            Some(Binding::Pod(pod)) => [Some(("pod", pod)), None],
            Some(Binding::PodOnNode { pod, node }) => [Some(("pod", pod)), Some(("node", node))],
            Some(Binding::Secret(secret)) => [Some(("secret", secret)), None],
        };
        [("serviceaccount", &self.account)].into_iter().chain(binding.into_iter().flatten())
    }
}

/// What a service-account token says that was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccountClaims {
    issuer: TokenIssuer,
    namespace: Namespace,
    account: ObjectReference,
    audiences: Vec<String>,
    id: Option<String>,
    issued: Time,
    not_before: Time,
    expires: Time,
    binding: Option<Binding>,
}

impl ServiceAccountClaims {
    /// Verifies a token as kube-apiserver does: by a key of its `--service-account-key-file`, for one issuer and one of
    /// the audiences, at a moment, which may be a minute off.
    ///
    /// The key decides the algorithm. Nothing in the token is read before its signature is verified, so `none`, HMAC and
    /// other algorithms have no way in. Whether service account, pod, node and Secret are still there, only the API
    /// server knows (TokenReview).
    ///
    /// Tokens of the Secrets that Kubernetes made for every service account until 1.24 name neither audience nor end:
    /// they are good as long as their Secret is there, which cannot be told here, and so they are refused.
    ///
    /// # Errors
    ///
    /// [`Code::Malformed`] when it is no such token, or of more than 64 KiB; [`Code::BadSignature`] when none of the keys
    /// has signed it; [`Code::WrongIssuer`] and [`Code::WrongAudience`] when it is another's or for others;
    /// [`Code::TokenNotYetValid`] and [`Code::TokenExpired`]; [`Code::Unsupported`] for one that never ends.
    pub fn verify(
        token: &str,
        keys: &KeySet,
        issuer: &TokenIssuer,
        audience: &str,
        now: Time,
    ) -> Result<Self> {
        let payload = verified(token, keys)?;
        let found: String = claim(&payload, &["iss"])?;
        if found != issuer.as_str() {
            return Err(match found.as_str() {
                LEGACY_ISSUER => Error::new(Code::Unsupported, "a token that ends")
                    .found("one of a Secret, which only the API server can judge (TokenReview)"),
                _ => Error::new(Code::WrongIssuer, format!("{:?}", issuer.as_str())).found_text(&found),
            }
            .field("iss"));
        }
        let claims = Self::read(&payload, issuer.clone())?;
        claims.check_time(now)?;
        match claims.audiences.iter().any(|known| known == audience) {
            true => Ok(claims),
            false => Err(Error::new(Code::WrongAudience, format!("{audience:?} among the audiences"))
                .found_text(&claims.audiences.join(", "))
                .field("aud")),
        }
    }

    /// All that kube-apiserver puts into a token must be there.
    fn read(payload: &Value, issuer: TokenIssuer) -> Result<Self> {
        let audiences = match payload.get("aud") {
            Some(Value::Text(audience)) => vec![audience.to_string()],
            _ => claim(payload, &["aud"])?,
        };
        let object = |kind: &str| -> Result<Option<ObjectReference>> {
            match payload.get(KUBERNETES).and_then(|kubernetes| kubernetes.get(kind)) {
                None | Some(Value::Null) => Ok(None),
                Some(_) => Ok(Some(ObjectReference {
                    name: parsed(payload, &[KUBERNETES, kind, "name"])?,
                    uid: parsed(payload, &[KUBERNETES, kind, "uid"])?,
                })),
            }
        };
        let binding = match (object("pod")?, object("node")?, object("secret")?) {
            (None, None, None) => None,
            (Some(pod), None, None) => Some(Binding::Pod(pod)),
            (Some(pod), Some(node), None) => Some(Binding::PodOnNode { pod, node }),
            (None, Some(node), None) => Some(Binding::Node(node)),
            (None, None, Some(secret)) => Some(Binding::Secret(secret)),
            _ => {
                let expected = "a token that is bound to one object";
                return Err(Error::new(Code::Malformed, expected).found("several").field(KUBERNETES));
            }
        };
        let account = object("serviceaccount")?.ok_or_else(|| missing(&[KUBERNETES, "serviceaccount"]))?;
        let namespace = parsed(payload, &[KUBERNETES, "namespace"])?;
        let (expected, found): (_, String) = (user(&namespace, &account.name), claim(payload, &["sub"])?);
        if expected != found {
            return Err(Error::new(Code::Malformed, format!("{expected:?}")).found_text(&found).field("sub"));
        }
        Ok(Self {
            issuer,
            namespace,
            account,
            audiences,
            id: payload.get("jti").map(|_| claim(payload, &["jti"])).transpose()?,
            issued: time(payload, "iat")?,
            not_before: time(payload, "nbf")?,
            expires: time(payload, "exp")?,
            binding,
        })
    }

    /// (gopkg.in/go-jose/go-jose.v2, jwt/validation.go, `ValidateWithLeeway`)
    fn check_time(&self, now: Time) -> Result<()> {
        const LEEWAY: i64 = 60;
        let is_future = |time: Time| now.unix() + LEEWAY < time.unix();
        let early =
            [("nbf", self.not_before), ("iat", self.issued)].into_iter().find(|(_, time)| is_future(*time));
        if let Some((field, begins)) = early {
            return Err(Error::new(Code::TokenNotYetValid, format!("a token that is good at {now}"))
                .found(format!("one from {begins} on"))
                .field(field));
        }
        match now.unix() - LEEWAY > self.expires.unix() {
            true => Err(Error::new(Code::TokenExpired, format!("a token that is good at {now}"))
                .found(format!("one until {}", self.expires))
                .field("exp")),
            false => Ok(()),
        }
    }

    /// Who issued it.
    #[must_use]
    pub fn issuer(&self) -> &TokenIssuer {
        &self.issuer
    }

    /// The user that Kubernetes sees: `system:serviceaccount:NAMESPACE:NAME`. Its groups are `system:serviceaccounts` and
    /// `system:serviceaccounts:NAMESPACE`.
    #[must_use]
    pub fn user(&self) -> String {
        user(&self.namespace, &self.account.name)
    }

    /// The namespace of the service account.
    #[must_use]
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// The service account.
    #[must_use]
    pub fn service_account(&self) -> &ObjectReference {
        &self.account
    }

    /// Who is to accept the token.
    #[must_use]
    pub fn audiences(&self) -> &[String] {
        &self.audiences
    }

    /// The token's own ID (`jti`), from Kubernetes 1.29 on.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// When it was issued.
    #[must_use]
    pub fn issued(&self) -> Time {
        self.issued
    }

    /// From when on it is good.
    #[must_use]
    pub fn not_before(&self) -> Time {
        self.not_before
    }

    /// When it ends.
    #[must_use]
    pub fn expires(&self) -> Time {
        self.expires
    }

    /// The object that it is bound to.
    #[must_use]
    pub fn binding(&self) -> Option<&Binding> {
        self.binding.as_ref()
    }
}

/// The issuer of tokens that never end (kubernetes/kubernetes, pkg/serviceaccount/legacy.go, `LegacyIssuer`).
const LEGACY_ISSUER: &str = "kubernetes/serviceaccount";

/// The payload of a token that one of the keys has signed. Header and payload are read behind that only.
fn verified(token: &str, keys: &KeySet) -> Result<Value> {
    const LONGEST: usize = 64 << 10;
    let malformed =
        || Error::new(Code::Malformed, "a JSON Web Token of at most 64 KiB: three parts in base64url");
    let shape = (token.len() <= LONGEST).then_some(token).and_then(|token| {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        let payload = Zeroizing::new(jws::decode(payload)?);
        Some((signed, jws::decode(header)?, payload, jws::decode(signature)?))
    });
    let (signed, header, payload, signature) = shape.ok_or_else(|| malformed().found("something else"))?;
    let mut fitting =
        keys.iter().filter(|key| key.public.verify_jose(signed.as_bytes(), &signature)).peekable();
    if fitting.peek().is_none() {
        let known: Vec<_> = keys.iter().map(|key| format!("{} {}", key.algorithm, key.id)).collect();
        let expected = format!("a token signed by the key {}", known.join(" or "));
        return Err(Error::new(Code::BadSignature, expected).found("another"));
    }
    let header = document::read(&header, LONGEST)?;
    // One key may stand there under several IDs.
    let checks: Vec<_> = fitting.map(|key| check_header(&header, key)).collect();
    if !checks.iter().any(Result::is_ok) {
        checks.into_iter().collect::<Result<()>>().map_err(|error| error.field("header"))?;
    }
    document::read(&payload, LONGEST)
}

/// The header of a token whose signature is this key's.
fn check_header(header: &Value, key: &Key) -> Result<()> {
    let algorithm: String = claim(header, &["alg"])?;
    if algorithm != key.algorithm {
        return Err(Error::new(Code::Malformed, key.algorithm).found_text(&algorithm).field("alg"));
    }
    if header.get("crit").is_some() {
        return Err(Error::new(Code::Unsupported, "no extension that must be understood")
            .found("one")
            .field("crit"));
    }
    // As for kube-apiserver: a key ID that is there must be the key's.
    match header.get("kid").map(|_| claim::<String>(header, &["kid"])).transpose()? {
        Some(id) if !id.is_empty() && id != key.id => {
            Err(Error::new(Code::BadSignature, key.id.clone()).found_text(&id).field("kid"))
        }
        _ => Ok(()),
    }
}

/// What stands at a path, and must.
fn claim<T: Field>(payload: &Value, path: &[&str]) -> Result<T> {
    match path.iter().try_fold(payload, |value, key| value.get(key)) {
        None | Some(Value::Null) => Err(missing(path)),
        Some(value) => T::read(value.clone(), &path.join(".")),
    }
}

/// The same for a text with a rule.
fn parsed<T: FromStr<Err = Error>>(payload: &Value, path: &[&str]) -> Result<T> {
    claim::<String>(payload, path)?.parse().map_err(|error: Error| error.field(path.join(".")))
}

fn time(payload: &Value, name: &str) -> Result<Time> {
    let field = name.to_owned();
    match payload.get(name) {
        Some(Value::Integer(seconds)) => {
            Time::from_unix(i64::try_from(*seconds).unwrap_or(i64::MAX)).map_err(|error| error.field(field))
        }
        Some(other) if *other != Value::Null => {
            Err(Error::new(Code::Malformed, "a whole number of seconds").found(other.kind()).field(field))
        }
        _ => Err(missing(&[name])),
    }
}

fn missing(path: &[&str]) -> Error {
    Error::new(Code::Malformed, "what every token of kube-apiserver has")
        .found("nothing")
        .field(path.join("."))
}

fn reference(object: &ObjectReference) -> Value {
    Value::map([("name", object.name.as_str().into()), ("uid", object.uid.as_str().into())])
}

/// (kubernetes/kubernetes, staging/src/k8s.io/apiserver/pkg/authentication/serviceaccount/util.go, `MakeUsername`)
fn user(namespace: &Namespace, name: &ObjectName) -> String {
    format!("system:serviceaccount:{namespace}:{name}")
}

/// A random UUID (RFC 9562, section 5.4).
fn uuid() -> Result<String> {
    let number = u128::from_be_bytes(random()?);
    const VERSION: u128 = 0xf << 76;
    const VARIANT: u128 = 0b11 << 62;
    let number = number & !VERSION & !VARIANT | 4 << 76 | 0b10 << 62;
    let digits = format!("{number:032x}");
    let groups = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| digits.get(range).unwrap_or_default());
    Ok(groups.join("-"))
}
