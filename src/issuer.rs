//! [`Issuer`]: a certificate chain with a signer. It can always sign.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::disk::read_to_end;
use crate::error::{Code, Error, Result};
use crate::key::{PrivateKey, PublicKey, Signer, sign};
use crate::role::Profile;
use crate::time::Time;
use crate::x509::{
    AlternativeName, Certificate, Credential, DistinguishedName, Template, Usage, assemble, chain_above,
    check_authorities, check_chain, check_key, leaf, serial_number,
};

/// How far certificates begin before the moment of issuing, for clocks that differ (cmd/kubeadm, constants.go,
/// `CertificateBackdate`).
pub(crate) const BACKDATE: Duration = Duration::from_secs(5 * 60);

/// A certificate authority that signs: its certificate, those above it, and a [`Signer`] with its key. Copies are cheap.
///
/// ```
/// use kubepki::{Cluster, Issuer, Time, role};
///
/// # fn main() -> kubepki::Result<()> {
/// # let cluster = Cluster::new("127.0.0.1".parse()?);
/// # let files = Issuer::self_signed(&role::KubernetesCa::new(&cluster).profile(), Time::now())?;
/// # let (ca_crt, ca_key) = (files.certificate().to_pem(), files.private_key().unwrap().to_pem());
/// let authority = Issuer::from_pem(ca_crt.as_bytes(), ca_key.as_bytes())?;
/// let credential = authority.issue(&role::Scheduler::new(&cluster).profile(), Time::now())?;
/// println!("{}", credential.chain_pem());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Issuer {
    chain: Vec<Certificate>,
    key: Key,
    shortened_from: Option<Time>,
}

#[derive(Clone)]
enum Key {
    Here(Arc<PrivateKey>),
    Elsewhere(Arc<dyn Signer>),
}

/// A validity that was computed, and the end that was asked for where that is later.
struct Validity {
    not_before: Time,
    not_after: Time,
    shortened_from: Option<Time>,
}

impl Issuer {
    /// Makes a key and a self-signed certificate for it: a root, or a cluster's own authority.
    ///
    /// # Errors
    ///
    /// [`Code::UsageConflict`] when the profile is no authority's, [`Code::Invalid`] for a lifetime under a second or
    /// beyond the year 9999, [`Code::Random`].
    pub fn self_signed(profile: &Profile, now: Time) -> Result<Self> {
        Self::self_signed_with_key(profile, PrivateKey::generate(profile.key_algorithm())?, now)
    }

    pub(crate) fn self_signed_with_key(profile: &Profile, key: PrivateKey, now: Time) -> Result<Self> {
        Self::self_signed_with(profile, Key::Here(Arc::new(key)), now)
    }

    /// Makes a self-signed certificate for a key that lives elsewhere. The profile's key algorithm is passed over: the
    /// signer has its own.
    ///
    /// # Errors
    ///
    /// As [`self_signed`](Self::self_signed), [`Code::Unsupported`] when the signer's key is weak or of another kind
    /// than RSA, P-256 and P-384, and [`Code::Signer`] and [`Code::SignerMismatch`] when the signer fails or answers
    /// with what its public key does not verify.
    pub fn self_signed_by(profile: &Profile, signer: Arc<dyn Signer>, now: Time) -> Result<Self> {
        Self::self_signed_with(profile, Key::Elsewhere(signer), now)
    }

    fn self_signed_with(profile: &Profile, key: Key, now: Time) -> Result<Self> {
        check_is_authority(profile)?;
        let public_key = key.signer().public_key().clone();
        let validity = Validity::new(profile, now, None)?;
        let certificate =
            sign_certificate(profile, &validity, &public_key, (key.signer(), &public_key), None)?;
        Ok(Self { chain: vec![certificate], key, shortened_from: None })
    }

    /// Takes a certificate authority's certificate, then those above it, nearest first, as far as they are known, and
    /// its private key.
    ///
    /// # Errors
    ///
    /// [`Code::Malformed`] when there is no certificate, [`Code::NotAnAuthority`] when the first may not sign others,
    /// [`Code::KeyMismatch`] when the key is not its, [`Code::WrongIssuer`] or [`Code::BadSignature`] when a certificate
    /// was not issued by the next.
    pub fn new(chain: Vec<Certificate>, key: PrivateKey) -> Result<Self> {
        Self::with_key(chain, Key::Here(Arc::new(key)))
    }

    /// Takes a certificate authority's certificate, then those above it, nearest first, as far as they are known, and a
    /// signer with its key.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_signer(chain: Vec<Certificate>, signer: Arc<dyn Signer>) -> Result<Self> {
        Self::with_key(chain, Key::Elsewhere(signer))
    }

    /// Reads a certificate authority from its files, such as `ca.crt` and `ca.key`. The first certificate is the one
    /// that signs; of the others those are taken that stand above it.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new), [`Certificate::from_pem`] and [`PrivateKey::from_pem`].
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self> {
        Self::new(chain_from_pem(certificates)?, PrivateKey::from_pem(key)?)
    }

    /// Reads a certificate authority from two files, as [`from_pem`](Self::from_pem) does.
    ///
    /// # Errors
    ///
    /// As [`from_pem`](Self::from_pem), and [`Code::Io`]; the file is the place.
    pub fn load(certificates: impl AsRef<Path>, key: impl AsRef<Path>) -> Result<Self> {
        let (certificates, key) = (certificates.as_ref(), key.as_ref());
        let chain = chain_from_pem(&read_to_end(certificates)?).map_err(|error| error.file(certificates))?;
        let own = PrivateKey::from_pem(&read_to_end(key)?).map_err(|error| error.file(key))?;
        Self::new(chain, own).map_err(|error| match error.code() {
            Code::KeyMismatch => error.file(key),
            _ => error.file(certificates),
        })
    }

    pub(crate) fn with_shared_key(chain: Vec<Certificate>, key: Arc<PrivateKey>) -> Result<Self> {
        Self::with_key(chain, Key::Here(key))
    }

    fn with_key(chain: Vec<Certificate>, key: Key) -> Result<Self> {
        let own = leaf(&chain)?;
        check_authorities(&chain)?;
        check_key(own, key.signer())?;
        check_chain(&chain)?;
        Ok(Self { chain, key, shortened_from: None })
    }

    /// The certificate of the authority itself.
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "every constructor has put one there")]
    pub fn certificate(&self) -> &Certificate {
        &self.chain[0]
    }

    /// The certificate of the authority, then those above it as far as they are known.
    #[must_use]
    pub fn chain(&self) -> &[Certificate] {
        &self.chain
    }

    /// The private key, where it is here and not with a signer.
    #[must_use]
    pub fn private_key(&self) -> Option<&PrivateKey> {
        match &self.key {
            Key::Here(key) => Some(key),
            Key::Elsewhere(_) => None,
        }
    }

    /// The end that the profile asked for, when this authority's certificate was just made below another and had to end
    /// earlier because that one does.
    #[must_use]
    pub fn shortened_from(&self) -> Option<Time> {
        self.shortened_from
    }

    /// Makes a key of the profile's algorithm and a certificate for it, valid from five minutes before `now`.
    ///
    /// Whether the profile's role is one that this authority should sign is not looked at: [`Role::authority`] says it.
    ///
    /// [`Role::authority`]: crate::Role::authority
    ///
    /// # Errors
    ///
    /// As [`certify`](Self::certify), and [`Code::Random`].
    pub fn issue(&self, profile: &Profile, now: Time) -> Result<Credential> {
        self.issue_with_key(profile, PrivateKey::generate(profile.key_algorithm())?, now)
    }

    pub(crate) fn issue_with_key(&self, profile: &Profile, key: PrivateKey, now: Time) -> Result<Credential> {
        let (chain, shortened_from) = self.sign_leaf(profile, key.public_key(), now)?;
        Credential::assemble(chain, Arc::new(key), shortened_from)
    }

    /// Makes a certificate for a public key, the leaf first. A serving certificate comes with the intermediates that
    /// lead towards the root, for clients that know only that; a client certificate comes alone.
    ///
    /// The certificate never outlives the authority: its [`not_after`](Certificate::not_after) may be earlier than the
    /// profile asks for.
    ///
    /// # Errors
    ///
    /// [`Code::UsageConflict`] for the profile of an authority, [`Code::AuthorityExpired`] and
    /// [`Code::AuthorityNotYetValid`] by this authority's validity, [`Code::Unsupported`] for a key of RSA under 2048
    /// bits or of another kind than RSA, P-256 and P-384, [`Code::Invalid`] for a lifetime under a second or beyond the
    /// year 9999, [`Code::Signer`] and [`Code::SignerMismatch`].
    pub fn certify(&self, profile: &Profile, key: &PublicKey, now: Time) -> Result<Vec<Certificate>> {
        self.sign_leaf(profile, key, now).map(|(chain, _)| chain)
    }

    fn sign_leaf(
        &self,
        profile: &Profile,
        key: &PublicKey,
        now: Time,
    ) -> Result<(Vec<Certificate>, Option<Time>)> {
        if profile.is_authority() {
            let expected = "the profile of a leaf (an authority is made by self_signed or intermediate)";
            return Err(conflict(profile, expected));
        }
        let (certificate, shortened_from) = self.sign(profile, key, now)?;
        let mut chain = vec![certificate];
        if profile.is_serving() {
            chain.extend(self.chain.iter().filter(|certificate| !certificate.is_self_signed()).cloned());
        }
        Ok((chain, shortened_from))
    }

    /// Makes a key and a certificate for an authority below this one. It never outlives this one.
    ///
    /// # Errors
    ///
    /// [`Code::UsageConflict`] for the profile of a leaf, [`Code::NotAnAuthority`] when this authority's path length
    /// allows none below it, and otherwise as [`issue`](Self::issue).
    pub fn intermediate(&self, profile: &Profile, now: Time) -> Result<Self> {
        self.intermediate_with_key(profile, PrivateKey::generate(profile.key_algorithm())?, now)
    }

    pub(crate) fn intermediate_with_key(
        &self,
        profile: &Profile,
        key: PrivateKey,
        now: Time,
    ) -> Result<Self> {
        self.intermediate_with(profile, Key::Here(Arc::new(key)), now)
    }

    /// Makes a certificate for an authority below this one, whose key lives elsewhere.
    ///
    /// # Errors
    ///
    /// As [`intermediate`](Self::intermediate).
    pub fn intermediate_by(&self, profile: &Profile, signer: Arc<dyn Signer>, now: Time) -> Result<Self> {
        self.intermediate_with(profile, Key::Elsewhere(signer), now)
    }

    fn intermediate_with(&self, profile: &Profile, key: Key, now: Time) -> Result<Self> {
        check_is_authority(profile)?;
        let full = |(below, above): (usize, &Certificate)| {
            above.path_length().is_some_and(|most| usize::from(most) <= below)
        };
        if self.chain.iter().enumerate().any(full) {
            let expected = format!("an authority that may sign {} (path length)", profile.role());
            return Err(Error::new(Code::NotAnAuthority, expected)
                .found(format!("{}, below which no authority may stand", self.certificate().subject())));
        }
        let (certificate, shortened_from) = self.sign(profile, key.signer().public_key(), now)?;
        let chain = std::iter::once(certificate).chain(self.chain.iter().cloned()).collect();
        Ok(Self { chain, key, shortened_from })
    }

    /// Makes this self-signed authority's certificate anew, with another serial number and a new validity.
    pub(crate) fn renewed(&self, profile: &Profile, now: Time) -> Result<Self> {
        Self::renew(self.certificate(), self.key.clone(), profile, now)
    }

    /// The same for a certificate that could not sign as it is.
    pub(crate) fn renewed_with_key(
        old: &Certificate,
        key: Arc<PrivateKey>,
        profile: &Profile,
        now: Time,
    ) -> Result<Self> {
        Self::renew(old, Key::Here(key), profile, now)
    }

    /// Subject, subject key identifier and all that is not of the profile's making are copied: so what the old certificate's
    /// key has signed is valid below the new one.
    fn renew(old: &Certificate, key: Key, profile: &Profile, now: Time) -> Result<Self> {
        check_is_authority(profile)?;
        check_key(old, key.signer())?;
        let public_key = old.public_key();
        let mut usages = profile.usages_with(public_key.is_rsa());
        // A limit to extended usages stays one, and lets pass what a cluster's leaves need.
        let limit: Vec<_> = old.usages().iter().copied().filter(|usage| usage.is_extended()).collect();
        if !limit.is_empty() {
            usages.extend(limit);
            usages.extend([Usage::ServerAuth, Usage::ClientAuth]);
        }
        let validity = Validity::new(profile, now, None)?;
        let template = Template {
            serial_number: &serial_number()?,
            issuer: old.subject(),
            subject: old.subject(),
            not_before: validity.not_before,
            not_after: validity.not_after,
            public_key,
            usages: &usages,
            authority: Some(old.path_length()),
            authority_key_identifier: None,
            sans: &[],
            renews: Some(old),
        };
        let certificate = sign_template(&template, (key.signer(), public_key))
            .map_err(|error| error.role(profile.role()))?;
        Ok(Self { chain: vec![certificate], key, shortened_from: None })
    }

    /// Checks that this authority can make a certificate of `profile` at the moment `now`.
    pub(crate) fn check_can_sign(&self, profile: &Profile, now: Time) -> Result<()> {
        check_validity(self.certificate(), now)?;
        check_usages(self.certificate(), profile).map_err(|error| error.role(profile.role()))
    }

    /// Makes whatever certificate `template` says, with this authority's signature.
    pub(crate) fn sign_template(&self, template: &Template<'_>) -> Result<Certificate> {
        sign_template(template, (self.key.signer(), self.certificate().public_key()))
    }

    /// What signs, where that is not a key in memory.
    pub(crate) fn signer(&self) -> Option<Arc<dyn Signer>> {
        match &self.key {
            Key::Here(_) => None,
            Key::Elsewhere(signer) => Some(Arc::clone(signer)),
        }
    }

    fn sign(&self, profile: &Profile, key: &PublicKey, now: Time) -> Result<(Certificate, Option<Time>)> {
        let authority = self.certificate();
        self.check_can_sign(profile, now)?;
        let validity = Validity::new(profile, now, Some(authority.not_after()))?;
        let certificate = sign_certificate(
            profile,
            &validity,
            key,
            (self.key.signer(), authority.public_key()),
            Some((authority.subject(), authority.subject_key_identifier())),
        )?;
        Ok((certificate, validity.shortened_from))
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").field("chain", &self.chain).finish_non_exhaustive()
    }
}

impl Key {
    fn signer(&self) -> &dyn Signer {
        match self {
            Self::Here(key) => key.as_ref(),
            Self::Elsewhere(signer) => signer.as_ref(),
        }
    }
}

impl Validity {
    fn new(profile: &Profile, now: Time, authority_ends: Option<Time>) -> Result<Self> {
        let lifetime = profile.lifetime();
        let wanted = now.checked_add(lifetime).filter(|end| *end > now).ok_or_else(|| {
            Error::invalid(
                "lifetime",
                "a lifetime of at least a second, with an end before the year 10000",
                &format!("{lifetime:?}"),
            )
            .role(profile.role())
        })?;
        let not_after = authority_ends.map_or(wanted, |end| end.min(wanted));
        let shortened_from = (not_after < wanted).then_some(wanted);
        Ok(Self { not_before: now.saturating_sub(BACKDATE), not_after, shortened_from })
    }
}

/// The signer comes with the public key that its answer must verify with: what it calls its own may change.
/// `issuer` is the name and key identifier of the authority, `None` for a self-signed certificate.
fn sign_certificate(
    profile: &Profile,
    validity: &Validity,
    public_key: &PublicKey,
    signer: (&dyn Signer, &PublicKey),
    issuer: Option<(&DistinguishedName, Option<&[u8]>)>,
) -> Result<Certificate> {
    let subject = DistinguishedName::new(profile.common_name(), profile.organizations())?;
    let (issuer, authority_key_identifier) = issuer.unwrap_or((&subject, None));
    let sans: Vec<_> = profile.sans().iter().map(AlternativeName::from).collect();
    let template = Template {
        serial_number: &serial_number()?,
        issuer,
        subject: &subject,
        not_before: validity.not_before,
        not_after: validity.not_after,
        public_key,
        usages: &profile.usages_with(public_key.is_rsa()),
        authority: profile.is_authority().then_some(profile.path_length()),
        authority_key_identifier,
        sans: &sans,
        renews: None,
    };
    sign_template(&template, signer).map_err(|error| error.role(profile.role()))
}

fn sign_template(
    template: &Template<'_>,
    (signer, signers_key): (&dyn Signer, &PublicKey),
) -> Result<Certificate> {
    if !template.public_key.is_strong() {
        return Err(Error::new(Code::Unsupported, "a key of RSA from 2048 bits, ECDSA P-256 or ECDSA P-384")
            .found(template.public_key.to_string()));
    }
    let algorithm = signers_key.signature_algorithm()?;
    let to_be_signed = template.to_be_signed(algorithm)?;
    assemble(&to_be_signed, algorithm, &sign(signer, signers_key, algorithm, &to_be_signed)?)
}

/// An authority that is limited to extended key usages passes the limit on (RFC 5280, section 4.2.1.12, as Go and OpenSSL
/// read it).
fn check_usages(authority: &Certificate, profile: &Profile) -> Result<()> {
    let allowed = |usage: &Usage| !usage.is_extended() || authority.allows(*usage);
    match profile.usages().iter().find(|usage| !allowed(usage)) {
        None => Ok(()),
        Some(usage) => {
            Err(Error::new(Code::NotAnAuthority, format!("an authority whose certificates may have {usage}"))
                .found(format!("{}, which is limited to others", authority.subject())))
        }
    }
}

fn check_is_authority(profile: &Profile) -> Result<()> {
    match profile.is_authority() {
        true => Ok(()),
        false => Err(conflict(profile, "the profile of an authority")),
    }
}

/// The first certificate, and those of the others that stand above it.
fn chain_from_pem(pem: &[u8]) -> Result<Vec<Certificate>> {
    let certificates = Certificate::from_pem(pem)?;
    let own = leaf(&certificates)?;
    Ok(std::iter::once(own.clone()).chain(chain_above(own, &certificates)).collect())
}

fn check_validity(authority: &Certificate, now: Time) -> Result<()> {
    let (code, expected, moment) = if now > authority.not_after() {
        (Code::AuthorityExpired, "an authority that has not expired", authority.not_after())
    } else if now < authority.not_before() {
        (Code::AuthorityNotYetValid, "an authority that is valid already", authority.not_before())
    } else {
        return Ok(());
    };
    let verb = if code == Code::AuthorityExpired { "ended" } else { "begins" };
    Err(Error::new(code, expected)
        .found(format!("{}, which {verb} at {moment}; now is {now}", authority.subject())))
}

fn conflict(profile: &Profile, expected: &str) -> Error {
    let found = if profile.is_authority() { "that of an authority" } else { "that of a leaf" };
    Error::new(Code::UsageConflict, expected).found(found).role(profile.role())
}
