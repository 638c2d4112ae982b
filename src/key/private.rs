//! [`PrivateKey`]: made, read from PEM and written as Kubernetes writes it.

use std::collections::VecDeque;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Mutex;
use std::thread;

use const_oid::ObjectIdentifier;
use const_oid::db::rfc5912::{ID_EC_PUBLIC_KEY, RSA_ENCRYPTION, SECP_256_R_1, SECP_384_R_1};
use der::{Decode, Encode};
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::elliptic_curve::Generate;
use pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey};
use pkcs8::{DecodePrivateKey, EncodePublicKey, PrivateKeyInfoRef};
use rsa::{Pkcs1v15Sign, RsaPrivateKey};
use sec1::{EcParameters, EcPrivateKey};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::error::{Code, Error, Result};
use crate::key::{KeyAlgorithm, PublicKey, SignatureAlgorithm, Signer, ToSign};
use crate::pem::{self, Block};

/// A private key in memory. It is zeroized on drop, and shown nowhere.
pub struct PrivateKey {
    secret: Secret,
    pem: Zeroizing<String>,
    public: PublicKey,
}

enum Secret {
    Rsa(Box<RsaPrivateKey>),
    P256(p256::SecretKey),
    P384(p384::SecretKey),
}

impl PrivateKey {
    /// Makes a key from the operating system's randomness.
    ///
    /// An RSA key takes its time, up to a second for 4096 bits.
    ///
    /// # Errors
    ///
    /// [`Code::Random`] when the operating system gives no random bytes.
    pub fn generate(algorithm: KeyAlgorithm) -> Result<Self> {
        let mut rng = rng()?;
        let bits = match algorithm {
            KeyAlgorithm::EcdsaP256 => {
                return Self::new(Secret::P256(p256::SecretKey::generate_from_rng(&mut rng)));
            }
            KeyAlgorithm::EcdsaP384 => {
                return Self::new(Secret::P384(p384::SecretKey::generate_from_rng(&mut rng)));
            }
            KeyAlgorithm::Rsa2048 => 2048,
            KeyAlgorithm::Rsa3072 => 3072,
            KeyAlgorithm::Rsa4096 => 4096,
        };
        let key = RsaPrivateKey::new(&mut rng, bits)
            .map_err(|error| Error::new(Code::Random, "a new RSA key").found(error.to_string()))?;
        Self::new(Secret::Rsa(key.into()))
    }

    /// Reads the first private key in `pem`: `RSA PRIVATE KEY` (PKCS#1), `EC PRIVATE KEY` (SEC1, RFC 5915) or
    /// `PRIVATE KEY` (PKCS#8), as Kubernetes does. Other blocks, text around the blocks and CRLF are fine; a block
    /// `EC PARAMETERS` may name the curve.
    ///
    /// # Errors
    ///
    /// [`Code::Malformed`] when there is no private key or it cannot be read, [`Code::Unsupported`] for an encrypted
    /// key and for algorithms other than RSA and ECDSA on P-256 and P-384.
    pub fn from_pem(pem: &[u8]) -> Result<Self> {
        let blocks = pem::blocks(pem)?;
        let block = blocks.iter().find(|block| block.label.ends_with("PRIVATE KEY")).ok_or_else(|| {
            Error::new(Code::Malformed, "a PEM block RSA PRIVATE KEY, EC PRIVATE KEY or PRIVATE KEY")
                .found(pem::describe(&blocks, pem))
        })?;
        if block.has_headers || block.label == "ENCRYPTED PRIVATE KEY" {
            return Err(Error::new(Code::Unsupported, "a private key in the clear").found("an encrypted one"));
        }
        match block.label {
            "RSA PRIVATE KEY" => Self::new(Secret::Rsa(
                RsaPrivateKey::from_pkcs1_der(&block.der).map_err(|_| malformed("PKCS#1"))?.into(),
            )),
            "EC PRIVATE KEY" => Self::from_sec1(&block.der, named_curve(&blocks)),
            "PRIVATE KEY" => Self::from_pkcs8(&block.der),
            other => {
                Err(Error::new(Code::Unsupported, "a private key of RSA or ECDSA").found(pem::shown(other)))
            }
        }
    }

    fn from_sec1(der: &[u8], curve_before: Option<ObjectIdentifier>) -> Result<Self> {
        let key = EcPrivateKey::from_der(der).map_err(|_| malformed("SEC1"))?;
        let curve = key.parameters.and_then(EcParameters::named_curve).or(curve_before);
        let secret = match curve {
            Some(SECP_256_R_1) => p256::SecretKey::from_slice(key.private_key).map(Secret::P256),
            Some(SECP_384_R_1) => p384::SecretKey::from_slice(key.private_key).map(Secret::P384),
            other => {
                let found = other.map_or("no named curve".to_owned(), |curve| format!("the curve {curve}"));
                return Err(Error::new(Code::Unsupported, "a key on the curve P-256 or P-384").found(found));
            }
        };
        let this = Self::new(secret.map_err(|_| malformed("SEC1"))?)?;
        this.check_public(key.public_key)
    }

    fn from_pkcs8(der: &[u8]) -> Result<Self> {
        let info = PrivateKeyInfoRef::from_der(der).map_err(|_| malformed("PKCS#8"))?;
        match info.algorithm.oid {
            RSA_ENCRYPTION => {
                let key = RsaPrivateKey::from_pkcs8_der(der).map_err(|_| malformed("PKCS#8"))?;
                Self::new(Secret::Rsa(key.into()))
            }
            ID_EC_PUBLIC_KEY => {
                Self::from_sec1(info.private_key.as_bytes(), info.algorithm.parameters_oid().ok())
            }
            other => Err(Error::new(Code::Unsupported, "a private key of RSA or ECDSA")
                .found(format!("algorithm {other}"))),
        }
    }

    /// A key file may hold the public half as well: it must be the right one.
    fn check_public(self, stated: Option<&[u8]>) -> Result<Self> {
        let same = match (&self.secret, stated) {
            (_, None) => true,
            (Secret::P256(key), Some(bits)) => p256::PublicKey::from_sec1_bytes(bits) == Ok(key.public_key()),
            (Secret::P384(key), Some(bits)) => p384::PublicKey::from_sec1_bytes(bits) == Ok(key.public_key()),
            (Secret::Rsa(_), Some(_)) => false,
        };
        match same {
            true => Ok(self),
            false => Err(malformed("SEC1").found("a public key that belongs to another private key")),
        }
    }

    /// Fails for numbers that are read and make no key.
    fn new(secret: Secret) -> Result<Self> {
        let (spki, form) = match &secret {
            Secret::Rsa(key) => (key.to_public_key().to_public_key_der(), "PKCS#1"),
            Secret::P256(key) => (key.public_key().to_public_key_der(), "SEC1"),
            Secret::P384(key) => (key.public_key().to_public_key_der(), "SEC1"),
        };
        let public = PublicKey::from_spki_der(spki.map_err(|_| malformed(form))?.as_bytes())?;
        let pem = match &secret {
            Secret::Rsa(key) => {
                let der = key.to_pkcs1_der().map_err(|_| malformed(form))?;
                pem::encode("RSA PRIVATE KEY", der.as_bytes())
            }
            Secret::P256(key) => sec1_pem(&Zeroizing::new(key.to_bytes()), public.bits(), SECP_256_R_1)?,
            Secret::P384(key) => sec1_pem(&Zeroizing::new(key.to_bytes()), public.bits(), SECP_384_R_1)?,
        };
        Ok(Self { secret, pem, public })
    }

    /// The key as Kubernetes writes it: PKCS#1 `RSA PRIVATE KEY` or SEC1 `EC PRIVATE KEY`, never PKCS#8.
    ///
    /// (k8s.io/client-go, util/keyutil, `MarshalPrivateKeyToPEM`)
    #[must_use]
    pub fn to_pem(&self) -> Zeroizing<String> {
        self.pem.clone()
    }
}

impl Signer for PrivateKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, what: &ToSign<'_>) -> Result<Vec<u8>, Box<dyn StdError + Send + Sync>> {
        match (&self.secret, what.algorithm()) {
            (Secret::Rsa(key), SignatureAlgorithm::RsaSha256) => {
                // With a random number generator the operation is blinded.
                Ok(key.sign_with_rng(&mut rng()?, Pkcs1v15Sign::new::<Sha256>(), what.digest())?)
            }
            (Secret::P256(key), SignatureAlgorithm::EcdsaSha256) => {
                let signature: p256::ecdsa::DerSignature =
                    p256::ecdsa::SigningKey::from(key).sign_prehash(what.digest())?;
                Ok(signature.as_bytes().to_vec())
            }
            (Secret::P384(key), SignatureAlgorithm::EcdsaSha384) => {
                let signature: p384::ecdsa::DerSignature =
                    p384::ecdsa::SigningKey::from(key).sign_prehash(what.digest())?;
                Ok(signature.as_bytes().to_vec())
            }
            (_, algorithm) => Err(format!("{} does not sign with {algorithm}", self.public).into()),
        }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({})", self.public)
    }
}

/// Keys of the given algorithms, in their order, made on all cores. Those of ECDSA are made sooner than a thread.
pub(crate) fn generate_all(algorithms: &[KeyAlgorithm]) -> Result<Vec<PrivateKey>> {
    let slow = algorithms.iter().filter(|algorithm| algorithm.is_rsa()).count();
    let cores = thread::available_parallelism().map_or(1, usize::from).min(slow);
    if cores < 2 {
        return algorithms.iter().map(|algorithm| PrivateKey::generate(*algorithm)).collect();
    }
    let waiting: Mutex<VecDeque<_>> = Mutex::new(algorithms.iter().copied().enumerate().collect());
    let next = || waiting.lock().ok().and_then(|mut waiting| waiting.pop_front());
    let work = || {
        let mut made = Vec::new();
        while let Some((index, algorithm)) = next() {
            made.push((index, PrivateKey::generate(algorithm)?));
        }
        Ok(made)
    };
    let mut made = thread::scope(|scope| {
        // Where the operating system gives no more threads, there are fewer.
        let worker = |_| thread::Builder::new().spawn_scoped(scope, work).ok();
        let workers: Vec<_> = (1..cores).filter_map(worker).collect();
        let mut made = work()?;
        for worker in workers {
            let keys: Result<Vec<_>> =
                worker.join().unwrap_or_else(|_| Err(Error::new(Code::Random, "a thread that makes keys")));
            made.extend(keys?);
        }
        Ok::<_, Error>(made)
    })?;
    made.sort_by_key(|(index, _)| *index);
    Ok(made.into_iter().map(|(_, key)| key).collect())
}

/// `N` random bytes.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(no_random)?;
    Ok(bytes)
}

/// The operating system's randomness. It was just seen to work: after that it does not fail (getrandom(2)).
fn rng() -> Result<UnwrapErr<SysRng>> {
    random::<1>().map(|_| UnwrapErr(SysRng))
}

fn no_random(error: getrandom::Error) -> Error {
    Error::new(Code::Random, "random bytes from the operating system").found(error.to_string())
}

fn malformed(form: &str) -> Error {
    Error::new(Code::Malformed, format!("a private key in the form {form}"))
}

/// The curve that an `EC PARAMETERS` block names: `openssl ecparam -genkey` writes one before the key.
fn named_curve(blocks: &[Block<'_>]) -> Option<ObjectIdentifier> {
    let block = blocks.iter().find(|block| block.label == "EC PARAMETERS")?;
    ObjectIdentifier::from_der(&block.der).ok()
}

/// With the curve and the public key inside, as Go writes it: OpenSSL reads no key without the curve.
fn sec1_pem(private_key: &[u8], public_key: &[u8], curve: ObjectIdentifier) -> Result<Zeroizing<String>> {
    let parameters = Some(EcParameters::NamedCurve(curve));
    let key = EcPrivateKey { private_key, parameters, public_key: Some(public_key) };
    let der = Zeroizing::new(key.to_der().map_err(|_| malformed("SEC1"))?);
    Ok(pem::encode("EC PRIVATE KEY", &der))
}
