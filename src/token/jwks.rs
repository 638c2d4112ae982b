//! [`KeySet`]: the keys that verify service-account tokens, as sa.pub and as a JWKS.

use super::{TokenIssuer, jws};
use crate::document::{self, Value, record, to_json_line};
use crate::error::{Code, Error, Result};
use crate::key::{Numbers, PublicKey};
use crate::names::HttpsUrl;

/// The public keys that verify service-account tokens, by their IDs: what kube-apiserver reads as
/// `--service-account-key-file`, and serves to relying parties as a JSON Web Key Set (RFC 7517).
///
/// ```
/// use kubepki::token::{KeySet, TokenIssuer};
/// use kubepki::{Authorities, Cluster, KeyAlgorithm, Time};
///
/// # fn main() -> kubepki::Result<()> {
/// let cluster = Cluster::new("api.example.com:6443".parse()?).key_algorithm(KeyAlgorithm::EcdsaP256);
/// let authorities = Authorities::create(&cluster, Time::now())?;
/// let keys = KeySet::new(authorities.service_account_keys())?;
/// let issuer: TokenIssuer = "https://oidc.example.com".parse()?;
/// // To be served as /.well-known/openid-configuration and /openid/v1/jwks of the issuer:
/// let discovery = keys.discovery(&issuer, &"https://oidc.example.com/openid/v1/jwks".parse()?)?;
/// assert!(discovery.starts_with(r#"{"issuer":"https://oidc.example.com","jwks_uri":"#));
/// assert!(keys.to_jwks().starts_with(r#"{"keys":[{"use":"sig","kty":"EC","kid":"#));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySet(Vec<Key>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) id: String,
    pub(super) algorithm: &'static str,
    pub(super) public: PublicKey,
}

impl KeySet {
    /// A set of these keys, that which signs first. Each has the [ID](PublicKey::key_id) that kube-apiserver gives it.
    ///
    /// # Errors
    ///
    /// [`Code::Invalid`] without a key, and [`Code::Unsupported`] for another key than of RSA, P-256 or P-384.
    pub fn new(keys: &[PublicKey]) -> Result<Self> {
        let keys = keys.iter().map(|key| Key::new(key.key_id(), key.clone())).collect::<Result<Vec<_>>>()?;
        match keys.is_empty() {
            true => Err(Error::new(Code::Invalid, "at least one key that verifies tokens").found("none")),
            false => Ok(Self(keys)),
        }
    }

    /// Reads every block `PUBLIC KEY` of a file such as sa.pub.
    ///
    /// # Errors
    ///
    /// [`Code::Malformed`] when there is none or one cannot be read, and as [`new`](Self::new).
    pub fn from_pem(pem: &[u8]) -> Result<Self> {
        Self::new(&PublicKey::all_from_pem(pem)?)
    }

    /// Reads a JSON Web Key Set of at most 1 MiB, such as a cluster's `/openid/v1/jwks`. Keys for other purposes, of
    /// other kinds or for other algorithms than RS256, ES256 and ES384 are left out (RFC 7517, section 5).
    ///
    /// # Errors
    ///
    /// [`Code::Malformed`] when it is none, when numbers make no key, and when it holds a secret half;
    /// [`Code::Unsupported`] when no key is left.
    pub fn from_jwks(json: &[u8]) -> Result<Self> {
        const LONGEST: usize = 1 << 20;
        let document = document::read(json, LONGEST)?;
        let Some(Value::List(entries)) = document.get("keys") else {
            let found = document.get("keys").map_or("none", Value::kind);
            return Err(Error::new(Code::Malformed, "a list of keys").found(found).field("keys"));
        };
        let mut keys = Vec::new();
        for (position, entry) in entries.iter().enumerate() {
            keys.extend(Key::read(entry).map_err(|error| error.field(format!("keys[{position}]")))?);
        }
        match keys.is_empty() {
            true => Err(Error::new(Code::Unsupported, "a key for RS256, ES256 or ES384")
                .found(format!("{} others", entries.len()))
                .field("keys")),
            false => Ok(Self(keys)),
        }
    }

    /// The public keys, in their order.
    pub fn keys(&self) -> impl Iterator<Item = &PublicKey> {
        self.0.iter().map(|key| &key.public)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Key> {
        self.0.iter()
    }

    /// The JSON Web Key Set, byte for byte as kube-apiserver serves it below `/openid/v1/jwks`.
    ///
    /// (kubernetes/kubernetes, pkg/serviceaccount/openidmetadata.go, `openIDKeysetJSON`)
    #[must_use]
    pub fn to_jwks(&self) -> String {
        let keys = self.0.iter().filter_map(|key| key.write().ok()).collect();
        to_json_line(&Value::map([("keys", Value::List(keys))])).to_string()
    }

    /// The discovery document of OpenID Connect, byte for byte as kube-apiserver serves it below
    /// `/.well-known/openid-configuration`. `jwks_uri` is where relying parties find the [JWKS](Self::to_jwks);
    /// kube-apiserver's default is `https://ADDRESS:PORT/openid/v1/jwks` with its own address.
    ///
    /// (kubernetes/kubernetes, pkg/serviceaccount/openidmetadata.go, `NewOpenIDMetadataProvider`)
    ///
    /// # Errors
    ///
    /// [`Code::Invalid`] when the issuer is no [`HttpsUrl`].
    pub fn discovery(&self, issuer: &TokenIssuer, jwks_uri: &HttpsUrl) -> Result<String> {
        issuer.as_str().parse::<HttpsUrl>().map_err(|error| error.field("issuer"))?;
        let mut algorithms: Vec<_> = self.0.iter().map(|key| key.algorithm).collect();
        algorithms.sort_unstable();
        algorithms.dedup();
        let document = to_json_line(&Value::map([
            ("issuer", issuer.as_str().into()),
            ("jwks_uri", jwks_uri.as_str().into()),
            ("response_types_supported", ["id_token".into()].into()),
            ("subject_types_supported", ["public".into()].into()),
            (
                "id_token_signing_alg_values_supported",
                Value::List(algorithms.into_iter().map(Value::from).collect()),
            ),
        ]));
        // As Go escapes it, for readers that take JSON for HTML.
        Ok(document.replace('&', "\\u0026"))
    }
}

impl Key {
    fn new(id: String, public: PublicKey) -> Result<Self> {
        Ok(Self { id, algorithm: public.jose_algorithm()?, public })
    }

    /// `None` for a key that verifies no tokens here.
    fn read(entry: &Value) -> Result<Option<Self>> {
        let text = |name: &str| -> Result<Option<String>> {
            entry.get(name).map(|value| record::read(value.clone(), name)).transpose()
        };
        if entry.get("d").is_some() || entry.get("k").is_some() {
            return Err(Error::new(Code::Malformed, "public keys only").found("a private or symmetric key"));
        }
        let malformed = |what: &str| Error::new(Code::Malformed, what).found("something else");
        let number = |name: &'static str| {
            let bytes = text(name)?.as_deref().and_then(jws::decode);
            bytes.ok_or_else(|| malformed("a number in base64url without padding").field(name))
        };
        let numbers = match (text("kty")?.as_deref(), text("crv")?.as_deref()) {
            (Some("RSA"), _) => Some(Numbers::Rsa { n: number("n")?, e: number("e")? }),
            (Some("EC"), Some(curve)) => Numbers::ec(curve, || Ok((number("x")?, number("y")?)))?,
            _ => None,
        };
        let Some(numbers) = numbers else { return Ok(None) };
        let public =
            PublicKey::from_numbers(&numbers).ok_or_else(|| malformed("the numbers of a public key"))?;
        let id = text("kid")?.unwrap_or_else(|| public.key_id());
        let key = Self::new(id, public)?;
        let is_for_tokens = text("use")?.is_none_or(|usage| usage == "sig")
            && text("alg")?.is_none_or(|algorithm| algorithm == key.algorithm);
        Ok(is_for_tokens.then_some(key))
    }

    /// With the members in the order of go-jose (gopkg.in/go-jose/go-jose.v2, jwk.go, `rawJSONWebKey`).
    fn write(&self) -> Result<Value> {
        let text = |bytes: &[u8]| Value::from(jws::encode(bytes).as_str());
        let (kid, alg) = (("kid", self.id.as_str().into()), ("alg", self.algorithm.into()));
        let usage = ("use", "sig".into());
        Ok(match self.public.numbers()? {
            Numbers::Rsa { n, e } => {
                Value::map([usage, ("kty", "RSA".into()), kid, alg, ("n", text(&n)), ("e", text(&e))])
            }
            Numbers::Ec { curve, x, y } => Value::map([
                usage,
                ("kty", "EC".into()),
                kid,
                ("crv", curve.into()),
                alg,
                ("x", text(&x)),
                ("y", text(&y)),
            ]),
        })
    }
}
