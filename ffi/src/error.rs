//! [`kubepki_error`]: one failure, with its code, its message and where it was.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use ::pki::{Code, Error, Place, Role};

use crate::guard::{free, kubepki_text, look};
use crate::signer::Cause;

/// One failure. It never changes, so any thread may read it, whichever got it.
pub struct kubepki_error {
    pub(crate) code: kubepki_code,
    message: String,
    expected: String,
    found: Option<String>,
    places: Vec<(kubepki_place_kind, String)>,
    os_error: i32,
    cause: Option<Arc<Cause>>,
}

/// What the functions of this library fail with.
pub(crate) type Fail = Box<kubepki_error>;

/// What went wrong, for programs. No number ever changes its meaning; new ones are added.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum kubepki_code {
    /// Nothing: the code of NULL.
    #[default]
    KUBEPKI_OK = 0,
    /// A fault of this library. Whatever the call was to change may be half changed: free it and go on without.
    KUBEPKI_ERROR_INTERNAL = 1,
    /// A pointer that must not be NULL is.
    KUBEPKI_ERROR_NULL = 2,
    /// Something went wrong for which this version of the interface has no number.
    KUBEPKI_ERROR_OTHER = 3,
    /// What was asked for is not there.
    KUBEPKI_ERROR_ABSENT = 4,
    /// A certificate that signs has expired.
    KUBEPKI_ERROR_AUTHORITY_EXPIRED = 100,
    /// A certificate that signs is not yet valid: most often a clock is wrong.
    KUBEPKI_ERROR_AUTHORITY_NOT_YET_VALID = 101,
    /// A signature does not verify.
    KUBEPKI_ERROR_BAD_SIGNATURE = 102,
    /// What was looked at is no longer what it was: files, what a machine holds, or a request.
    KUBEPKI_ERROR_CHANGED = 103,
    /// Another file is already there: it is left as it is.
    KUBEPKI_ERROR_EXISTS = 104,
    /// A text or number that is no legal value of its field.
    KUBEPKI_ERROR_INVALID = 105,
    /// The operating system refused: no such file, no space, no permission.
    KUBEPKI_ERROR_IO = 106,
    /// A private key does not belong to its certificate.
    KUBEPKI_ERROR_KEY_MISMATCH = 107,
    /// Another process, or another store of this one, is changing the same directory.
    KUBEPKI_ERROR_LOCKED = 108,
    /// Bytes that are not what they should be: PEM, DER or YAML that cannot be read.
    KUBEPKI_ERROR_MALFORMED = 109,
    /// There is nothing that could sign: an authority or its key is missing, or the service-account key is.
    KUBEPKI_ERROR_NO_ISSUER = 110,
    /// A certificate that should sign others is no certificate authority, or may not sign this.
    KUBEPKI_ERROR_NOT_AN_AUTHORITY = 111,
    /// The operating system gave no random bytes.
    KUBEPKI_ERROR_RANDOM = 112,
    /// One certificate authority serves two purposes that must be kept apart.
    KUBEPKI_ERROR_SHARED_AUTHORITY = 113,
    /// A signer failed; the message has its reason.
    KUBEPKI_ERROR_SIGNER = 114,
    /// A signer answered with a signature that its public key does not verify.
    KUBEPKI_ERROR_SIGNER_MISMATCH = 115,
    /// A service subnet has too few addresses.
    KUBEPKI_ERROR_SUBNET_TOO_SMALL = 116,
    /// A key or signature algorithm that is not supported.
    KUBEPKI_ERROR_UNSUPPORTED = 117,
    /// An authority where a leaf is needed, or the other way around.
    KUBEPKI_ERROR_USAGE_CONFLICT = 118,
    /// A certificate or token was not issued by the authority or issuer that it is used with.
    KUBEPKI_ERROR_WRONG_ISSUER = 119,
    /// An authority is not one of those that are pinned.
    KUBEPKI_ERROR_NOT_PINNED = 120,
    /// A token has expired.
    KUBEPKI_ERROR_TOKEN_EXPIRED = 121,
    /// A token is not yet valid: most often a clock is wrong.
    KUBEPKI_ERROR_TOKEN_NOT_YET_VALID = 122,
    /// A token is for others.
    KUBEPKI_ERROR_WRONG_AUDIENCE = 123,
    /// A certificate is not what was asked for.
    KUBEPKI_ERROR_WRONG_CERTIFICATE = 124,
}

/// The codes of the crate, each with its number.
const CODES: &[(Code, kubepki_code)] = &[
    (Code::AuthorityExpired, kubepki_code::KUBEPKI_ERROR_AUTHORITY_EXPIRED),
    (Code::AuthorityNotYetValid, kubepki_code::KUBEPKI_ERROR_AUTHORITY_NOT_YET_VALID),
    (Code::BadSignature, kubepki_code::KUBEPKI_ERROR_BAD_SIGNATURE),
    (Code::Changed, kubepki_code::KUBEPKI_ERROR_CHANGED),
    (Code::Exists, kubepki_code::KUBEPKI_ERROR_EXISTS),
    (Code::Invalid, kubepki_code::KUBEPKI_ERROR_INVALID),
    (Code::Io, kubepki_code::KUBEPKI_ERROR_IO),
    (Code::KeyMismatch, kubepki_code::KUBEPKI_ERROR_KEY_MISMATCH),
    (Code::Locked, kubepki_code::KUBEPKI_ERROR_LOCKED),
    (Code::Malformed, kubepki_code::KUBEPKI_ERROR_MALFORMED),
    (Code::NoIssuer, kubepki_code::KUBEPKI_ERROR_NO_ISSUER),
    (Code::NotAnAuthority, kubepki_code::KUBEPKI_ERROR_NOT_AN_AUTHORITY),
    (Code::NotPinned, kubepki_code::KUBEPKI_ERROR_NOT_PINNED),
    (Code::Random, kubepki_code::KUBEPKI_ERROR_RANDOM),
    (Code::SharedAuthority, kubepki_code::KUBEPKI_ERROR_SHARED_AUTHORITY),
    (Code::Signer, kubepki_code::KUBEPKI_ERROR_SIGNER),
    (Code::SignerMismatch, kubepki_code::KUBEPKI_ERROR_SIGNER_MISMATCH),
    (Code::SubnetTooSmall, kubepki_code::KUBEPKI_ERROR_SUBNET_TOO_SMALL),
    (Code::TokenExpired, kubepki_code::KUBEPKI_ERROR_TOKEN_EXPIRED),
    (Code::TokenNotYetValid, kubepki_code::KUBEPKI_ERROR_TOKEN_NOT_YET_VALID),
    (Code::Unsupported, kubepki_code::KUBEPKI_ERROR_UNSUPPORTED),
    (Code::UsageConflict, kubepki_code::KUBEPKI_ERROR_USAGE_CONFLICT),
    (Code::WrongAudience, kubepki_code::KUBEPKI_ERROR_WRONG_AUDIENCE),
    (Code::WrongCertificate, kubepki_code::KUBEPKI_ERROR_WRONG_CERTIFICATE),
    (Code::WrongIssuer, kubepki_code::KUBEPKI_ERROR_WRONG_ISSUER),
];

impl kubepki_code {
    fn name(self) -> &'static str {
        match self {
            Self::KUBEPKI_OK => "ok",
            Self::KUBEPKI_ERROR_INTERNAL => "internal",
            Self::KUBEPKI_ERROR_NULL => "null",
            Self::KUBEPKI_ERROR_ABSENT => "absent",
            _ => CODES.iter().find(|(_, number)| *number == self).map_or("other", |(code, _)| code.id()),
        }
    }
}

/// What kind of place a `kubepki_place` is.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum kubepki_place_kind {
    /// None of the others.
    #[default]
    KUBEPKI_PLACE_OTHER = 0,
    /// A file, by its path.
    KUBEPKI_PLACE_FILE = 1,
    /// A field of a description or a document, or a parameter, by its name.
    KUBEPKI_PLACE_FIELD = 2,
    /// A certificate, by its role.
    KUBEPKI_PLACE_ROLE = 3,
}

/// Where something went wrong.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct kubepki_place {
    /// Which kind of place.
    pub kind: kubepki_place_kind,
    /// The path, the name or the role.
    pub text: kubepki_text,
}

/// Which error this is. `KUBEPKI_OK` for NULL.
///
/// Threads: any at once.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_error_code(error: Option<&kubepki_error>) -> kubepki_code {
    look(error, |error| error.code)
}

/// The stable name of the code, such as `no-issuer`; `ok` for NULL. It is always there.
///
/// Threads: any at once.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_error_name(error: Option<&kubepki_error>) -> kubepki_text {
    error.map_or(kubepki_code::KUBEPKI_OK, |error| error.code).name().into()
}

/// The whole message, for people: the places, what was expected and what was found. It quotes no secret.
///
/// Threads: any at once. The view lives as long as the error.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_error_message(error: Option<&kubepki_error>) -> kubepki_text {
    look(error, |error| error.message.as_str().into())
}

/// What was expected; with `KUBEPKI_ERROR_IO`, what was to be done.
///
/// Threads: any at once. The view lives as long as the error.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_error_expected(error: Option<&kubepki_error>) -> kubepki_text {
    look(error, |error| error.expected.as_str().into())
}

/// What was found instead; empty where nothing can be said.
///
/// Threads: any at once. The view lives as long as the error.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_error_found(error: Option<&kubepki_error>) -> kubepki_text {
    look(error, |error| error.found.as_deref().into())
}

/// How many places the error has.
///
/// Threads: any at once.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_error_place_count(error: Option<&kubepki_error>) -> usize {
    look(error, |error| error.places.len())
}

/// One of the places, the outermost first: a file or a role, then a field in it. Empty beyond the last.
///
/// Threads: any at once. The view lives as long as the error.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_error_place_at(error: Option<&kubepki_error>, index: usize) -> kubepki_place {
    look(error, |error| match error.places.get(index) {
        Some((kind, text)) => kubepki_place { kind: *kind, text: text.as_str().into() },
        None => kubepki_place::default(),
    })
}

/// The operating system's own number (`errno`) of a `KUBEPKI_ERROR_IO`; 0 where it gave none.
///
/// Threads: any at once.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_error_os_error(error: Option<&kubepki_error>) -> i32 {
    look(error, |error| error.os_error)
}

/// What a signer's callback gave by `kubepki_answer_failure_with_cause`; NULL where it gave nothing. It lives as long as
/// the error.
///
/// Threads: any at once.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_error_cause(error: Option<&kubepki_error>) -> *mut c_void {
    error.and_then(|error| error.cause.as_ref()).map_or(ptr::null_mut(), |cause| cause.pointer())
}

/// Frees an error. NULL is allowed.
///
/// Threads: any, the last to use it.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_error_free(error: Option<Box<kubepki_error>>) {
    free(error);
}

impl kubepki_error {
    fn own(code: kubepki_code, field: &str, expected: &str, found: &str) -> Fail {
        Self::at(kubepki_place_kind::KUBEPKI_PLACE_FIELD, code, field, expected, found)
    }

    fn at(kind: kubepki_place_kind, code: kubepki_code, field: &str, expected: &str, found: &str) -> Fail {
        Box::new(Self {
            code,
            message: format!("{field}: expected {expected}, found {found}"),
            expected: expected.to_owned(),
            found: Some(found.to_owned()),
            places: vec![(kind, field.to_owned())],
            os_error: 0,
            cause: None,
        })
    }

    /// A parameter's value that breaks a rule; it must be no secret.
    pub(crate) fn invalid(field: &str, expected: &str, found: &str) -> Fail {
        const LONGEST: usize = 80;
        let short: String = found.chars().take(LONGEST).collect();
        let end = if short.len() < found.len() { "..." } else { "" };
        Self::own(kubepki_code::KUBEPKI_ERROR_INVALID, field, expected, &format!("{short:?}{end}"))
    }

    pub(crate) fn not_utf8(field: &str) -> Fail {
        Self::own(kubepki_code::KUBEPKI_ERROR_INVALID, field, "text in UTF-8", "other bytes")
    }

    pub(crate) fn null(field: &str) -> Fail {
        Self::own(kubepki_code::KUBEPKI_ERROR_NULL, field, "a pointer", "NULL")
    }

    pub(crate) fn absent(field: &str, expected: &str) -> Fail {
        Self::own(kubepki_code::KUBEPKI_ERROR_ABSENT, field, expected, "none")
    }

    /// The same of a role.
    pub(crate) fn none_of(role: Role, expected: &str) -> Fail {
        Self::at(
            kubepki_place_kind::KUBEPKI_PLACE_ROLE,
            kubepki_code::KUBEPKI_ERROR_ABSENT,
            role.id(),
            expected,
            "none",
        )
    }

    pub(crate) fn internal() -> Fail {
        Self::own(kubepki_code::KUBEPKI_ERROR_INTERNAL, "kubepki", "no fault of its own", "a panic")
    }
}

impl From<Error> for Fail {
    fn from(error: Error) -> Self {
        let known = CODES.iter().find(|(code, _)| *code == error.code());
        let place = |place: &Place| {
            let kind = match place {
                Place::File(_) => kubepki_place_kind::KUBEPKI_PLACE_FILE,
                Place::Field(_) => kubepki_place_kind::KUBEPKI_PLACE_FIELD,
                Place::Role(_) => kubepki_place_kind::KUBEPKI_PLACE_ROLE,
                _ => kubepki_place_kind::KUBEPKI_PLACE_OTHER,
            };
            (kind, place.to_string())
        };
        Box::new(kubepki_error {
            code: known.map_or(kubepki_code::KUBEPKI_ERROR_OTHER, |(_, number)| *number),
            message: error.to_string(),
            expected: error.expected().to_owned(),
            found: error.found_instead().map(str::to_owned),
            places: error.places().iter().map(place).collect(),
            os_error: error.raw_os_error().unwrap_or_default(),
            cause: Cause::of(&error),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_crate_has_its_number() {
        let source = include_str!("../../src/error.rs");
        let (_, rest) = source.split_once("pub enum Code {").unwrap();
        let (variants, _) = rest.split_once("\n}").unwrap();
        let variants: Vec<_> = variants.lines().filter_map(|line| line.trim().strip_suffix(',')).collect();
        let known: Vec<_> = CODES.iter().map(|(code, _)| format!("{code:?}")).collect();
        assert_eq!(variants, known);
    }

    #[test]
    fn what_is_quoted_is_short_and_shows_no_control_characters() {
        let long = "\n".repeat(1000);
        let error = kubepki_error::invalid("text", "a short one", &long);
        assert!(error.message.len() < 250 && !error.message.contains('\n'), "{}", error.message);
    }
}
