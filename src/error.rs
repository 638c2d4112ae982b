//! [`Error`]: one failure. It says where (file, field or role), what was expected there and what was found.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::role::Role;

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One failure: a [`Code`] for programs, and for people the place, what was expected there and what was found.
///
/// No error holds a secret: a private key, a token or a password is never quoted, only named.
///
/// ```
/// use kubepki::{Code, NodeName};
///
/// let error = "CN=a/O=system:masters".parse::<NodeName>().unwrap_err();
/// assert_eq!(error.code(), Code::Invalid);
/// assert_eq!(
///     error.to_string(),
///     "node name: expected lower-case letters, digits, '-' and '.' only (RFC 1123), found \"CN=a/O=system:masters\""
/// );
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    code: Code,
    /// The outermost first: a role, then its field.
    places: Vec<Place>,
    expected: String,
    found: Option<String>,
    os_error: Option<i32>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What went wrong, for programs to decide on. Each has a stable text, [`Code::id`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// A certificate that signs has expired.
    AuthorityExpired,
    /// A certificate that signs is not yet valid: most often a clock is wrong.
    AuthorityNotYetValid,
    /// A signature does not verify.
    BadSignature,
    /// A file or a [`Pki`](crate::Pki) is no longer what it was when it was looked at.
    Changed,
    /// Another file is already there: it is left as it is.
    Exists,
    /// A text or number that is no legal value of its field.
    Invalid,
    /// The operating system refused: no such file, no space, no permission.
    Io,
    /// A private key does not belong to its certificate.
    KeyMismatch,
    /// Another process is changing the same directory.
    Locked,
    /// Bytes that are not what they should be: PEM, DER or YAML that cannot be read.
    Malformed,
    /// There is nothing that could sign: the authority is missing, its key is elsewhere, or the service-account key is
    /// missing.
    NoIssuer,
    /// A certificate that should sign others is no certificate authority, or may not sign this.
    NotAnAuthority,
    /// An authority is not one of those that are pinned.
    NotPinned,
    /// The operating system gave no random bytes.
    Random,
    /// One certificate authority serves two purposes that must be kept apart.
    SharedAuthority,
    /// A signer failed.
    Signer,
    /// A signer answered with a signature that its public key does not verify.
    SignerMismatch,
    /// A service subnet has too few addresses.
    SubnetTooSmall,
    /// A token has expired.
    TokenExpired,
    /// A token is not yet valid: most often a clock is wrong.
    TokenNotYetValid,
    /// A key or signature algorithm that is not supported.
    Unsupported,
    /// A profile of an authority where one of a leaf is needed, or the other way around.
    UsageConflict,
    /// A token is for others.
    WrongAudience,
    /// A certificate is not what was asked for.
    WrongCertificate,
    /// A certificate or token was not issued by the authority or issuer that it is used with.
    WrongIssuer,
}

impl Code {
    /// The stable text of this code, in kebab-case.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::AuthorityExpired => "authority-expired",
            Self::AuthorityNotYetValid => "authority-not-yet-valid",
            Self::BadSignature => "bad-signature",
            Self::Changed => "changed",
            Self::Exists => "exists",
            Self::Invalid => "invalid",
            Self::Io => "io",
            Self::KeyMismatch => "key-mismatch",
            Self::Locked => "locked",
            Self::Malformed => "malformed",
            Self::NoIssuer => "no-issuer",
            Self::NotAnAuthority => "not-an-authority",
            Self::NotPinned => "not-pinned",
            Self::Random => "random",
            Self::SharedAuthority => "shared-authority",
            Self::Signer => "signer",
            Self::SignerMismatch => "signer-mismatch",
            Self::SubnetTooSmall => "subnet-too-small",
            Self::TokenExpired => "token-expired",
            Self::TokenNotYetValid => "token-not-yet-valid",
            Self::Unsupported => "unsupported",
            Self::UsageConflict => "usage-conflict",
            Self::WrongAudience => "wrong-audience",
            Self::WrongCertificate => "wrong-certificate",
            Self::WrongIssuer => "wrong-issuer",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// Where it went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// A file.
    File(PathBuf),
    /// A field of a description or a document, by the name that its documentation uses:
    /// `users[0].user.token`.
    Field(Cow<'static, str>),
    /// A certificate, by its role.
    Role(Role),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Field(name) => f.write_str(name),
            Self::Role(role) => role.fmt(f),
        }
    }
}

impl Error {
    pub(crate) fn new(code: Code, expected: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            code,
            places: Vec::new(),
            expected: expected.into(),
            found: None,
            os_error: None,
            source: None,
        }))
    }

    /// A value that breaks a rule of its field. `value` must be no secret: it is quoted.
    pub(crate) fn invalid(field: &'static str, rule: impl Into<String>, value: &str) -> Self {
        Self::new(Code::Invalid, rule).found_text(value).field(field)
    }

    pub(crate) fn io(path: &Path, action: &str, source: &std::io::Error) -> Self {
        let mut this = Self::new(Code::Io, action).found(source.to_string()).file(path);
        this.0.os_error = source.raw_os_error();
        this
    }

    pub(crate) fn found(mut self, found: impl Into<String>) -> Self {
        self.0.found = Some(found.into());
        self
    }

    /// Quotes what was found, escaped and cut to a length that a person reads.
    pub(crate) fn found_text(self, found: &str) -> Self {
        self.found(quoted(found))
    }

    pub(crate) fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub(crate) fn field(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.at(Place::Field(name.into()))
    }

    pub(crate) fn file(self, path: impl Into<PathBuf>) -> Self {
        self.at(Place::File(path.into()))
    }

    pub(crate) fn role(self, role: Role) -> Self {
        self.at(Place::Role(role))
    }

    /// Says where, around what was said before; once.
    fn at(mut self, place: Place) -> Self {
        if !self.0.places.contains(&place) {
            self.0.places.insert(0, place);
        }
        self
    }

    /// Completes the file that it is about, if that was relative to `directory`.
    pub(crate) fn below(mut self, directory: &Path) -> Self {
        for place in &mut self.0.places {
            if let Place::File(path) = place {
                *path = directory.join(&path);
            }
        }
        self
    }

    /// What went wrong, for programs.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// Where it went wrong, the outermost first: a file or a role, then a field in it.
    #[must_use]
    pub fn places(&self) -> &[Place] {
        &self.0.places
    }

    /// What was expected there; for [`Code::Io`], what was to be done.
    #[must_use]
    pub fn expected(&self) -> &str {
        &self.0.expected
    }

    /// What was found instead. Values that came from outside are quoted, escaped and shortened.
    #[must_use]
    pub fn found_instead(&self) -> Option<&str> {
        self.0.found.as_deref()
    }

    /// The operating system's number of a [`Code::Io`], where it gave one: what [`std::io::Error::from_raw_os_error`]
    /// takes.
    #[must_use]
    pub fn raw_os_error(&self) -> Option<i32> {
        self.0.os_error
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { code, places, expected, found, .. } = &*self.0;
        for place in places {
            write!(f, "{place}: ")?;
        }
        let (verb, but) = if *code == Code::Io { ("cannot", ":") } else { ("expected", ", found") };
        write!(f, "{verb} {expected}")?;
        found.as_ref().map_or(Ok(()), |found| write!(f, "{but} {found}"))
    }
}

impl fmt::Debug for Error {
    /// The text and the code: what `main` and `unwrap` print is for people too.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} [{}]", self.0.code)
    }
}

impl StdError for Error {
    /// The signer's own error, where a [`Signer`](crate::Signer) failed.
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let source: &(dyn StdError + 'static) = self.0.source.as_deref()?;
        Some(source)
    }
}

/// `text` in double quotes, with control characters escaped, cut after 80 characters.
pub(crate) fn quoted(text: &str) -> String {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}... ({} bytes)", text.get(..end).unwrap_or_default(), text.len()),
    }
}
