package kubepki

// #include <kubepki.h>
import "C"

import (
	"fmt"
	"strings"
	"syscall"
)

// An Error is one failure: which, where, what was expected there and what was found. No error quotes a
// secret.
//
//	var failure *kubepki.Error
//	if errors.As(err, &failure) { ... failure.Places ... }
//	if errors.Is(err, kubepki.ErrLocked) { ... }
//	if errors.Is(err, fs.ErrNotExist) { ... }
type Error struct {
	// Code says which failure this is, for programs.
	Code Code
	// Message is everything for people: the places, what was expected and what was found.
	Message string
	// Places says where, the outermost first: a file or a role, then a field in it.
	Places []Place
	// Expected is what was expected; with ErrIO, what was to be done.
	Expected string
	// Found is what was found instead, empty where nothing can be said.
	Found string
	// Err is what is behind it: with ErrSigner the error that a [crypto.Signer] returned, with ErrIO the
	// [syscall.Errno]. Nil where there is nothing.
	Err error
	// Findings are, with ErrFindings, the findings of severity error.
	Findings []Finding
}

// Error gives the message.
func (e *Error) Error() string { return "kubepki: " + e.Message }

// Is reports whether target is the error's code.
func (e *Error) Is(target error) bool { return target == e.Code }

// Unwrap gives Err.
func (e *Error) Unwrap() error { return e.Err }

// A Place is where something went wrong.
type Place struct {
	Kind PlaceKind
	// Text is the path, the name or the role.
	Text string
}

// A PlaceKind says what kind of place a [Place] is.
type PlaceKind string

const (
	PlaceFile  PlaceKind = "file"  // a file, by its path
	PlaceField PlaceKind = "field" // a field of a description or a document, or a parameter, by its name
	PlaceRole  PlaceKind = "role"  // a certificate, by its role
	PlaceOther PlaceKind = "other" // none of these
)

// A Code is a kind of failure, and an error for errors.Is; string(code) is its name alone. More may be added.
type Code string

// Error gives the code.
func (c Code) Error() string { return "kubepki: " + string(c) }

// The codes. Their texts never change their meaning. They are those of the library, but for ErrClosed and
// ErrFindings.
const (
	// ErrAbsent: what was asked for is not there.
	ErrAbsent Code = "absent"
	// ErrAuthorityExpired: a certificate that signs has expired.
	ErrAuthorityExpired Code = "authority-expired"
	// ErrAuthorityNotYetValid: a certificate that signs is not yet valid: most often a clock is wrong.
	ErrAuthorityNotYetValid Code = "authority-not-yet-valid"
	// ErrBadSignature: a signature does not verify.
	ErrBadSignature Code = "bad-signature"
	// ErrChanged: files, or a PKI, are no longer what they were when they were looked at.
	ErrChanged Code = "changed"
	// ErrClosed: the value was closed, is nil, or was not made by this package.
	ErrClosed Code = "closed"
	// ErrExists: another file is already there: it is left as it is.
	ErrExists Code = "exists"
	// ErrFindings: an audit has found errors ([Report.Err]).
	ErrFindings Code = "findings"
	// ErrInternal: a fault of the library: close whatever the call was to change.
	ErrInternal Code = "internal"
	// ErrInvalid: a text or number that is no legal value of its field.
	ErrInvalid Code = "invalid"
	// ErrIO: the operating system refused: no such file, no space, no permission.
	ErrIO Code = "io"
	// ErrKeyMismatch: a private key does not belong to its certificate.
	ErrKeyMismatch Code = "key-mismatch"
	// ErrLocked: another process, or another Store, is changing the same directory.
	ErrLocked Code = "locked"
	// ErrMalformed: PEM, DER or YAML that cannot be read.
	ErrMalformed Code = "malformed"
	// ErrNoIssuer: nothing could sign: an authority, its key or the service-account key is missing.
	ErrNoIssuer Code = "no-issuer"
	// ErrNotAnAuthority: what should sign is no certificate authority, or may not sign this.
	ErrNotAnAuthority Code = "not-an-authority"
	// ErrNotPinned: an authority is not one of those that are pinned.
	ErrNotPinned Code = "not-pinned"
	// ErrNull: a description is missing, such as the Node of a [Profile].
	ErrNull Code = "null"
	// ErrOther: something for which this version of the library has no code.
	ErrOther Code = "other"
	// ErrRandom: the operating system gave no random bytes.
	ErrRandom Code = "random"
	// ErrSharedAuthority: one authority serves two purposes that must be kept apart.
	ErrSharedAuthority Code = "shared-authority"
	// ErrSigner: a crypto.Signer failed; the message has its reason, and errors.As and errors.Is its error.
	ErrSigner Code = "signer"
	// ErrSignerMismatch: a crypto.Signer answered with a signature that its public key does not verify.
	ErrSignerMismatch Code = "signer-mismatch"
	// ErrSubnetTooSmall: a service subnet has too few addresses.
	ErrSubnetTooSmall Code = "subnet-too-small"
	// ErrTokenExpired: a token has expired.
	ErrTokenExpired Code = "token-expired"
	// ErrTokenNotYetValid: a token is not yet valid: most often a clock is wrong.
	ErrTokenNotYetValid Code = "token-not-yet-valid"
	// ErrUnsupported: a key or signature algorithm that is not supported.
	ErrUnsupported Code = "unsupported"
	// ErrUsageConflict: an authority where a leaf is needed, or the other way around.
	ErrUsageConflict Code = "usage-conflict"
	// ErrWrongAudience: a token is for others.
	ErrWrongAudience Code = "wrong-audience"
	// ErrWrongCertificate: a certificate is not what was asked for.
	ErrWrongCertificate Code = "wrong-certificate"
	// ErrWrongIssuer: a certificate or token was not issued by the authority or issuer that it is used with.
	ErrWrongIssuer Code = "wrong-issuer"
)

var errClosed error = &Error{
	Code:    ErrClosed,
	Message: "this value was closed, is nil, or was not made by this package",
}

// null is a pointer that should not be nil.
func null(field string) error {
	return &Error{
		Code:     ErrNull,
		Message:  field + ": expected a pointer, found nil",
		Places:   []Place{{PlaceField, field}},
		Expected: "a pointer",
		Found:    "nil",
	}
}

// invalid is a refusal of this package's own.
func invalid(field, expected, found string) error {
	return &Error{
		Code:     ErrInvalid,
		Message:  fmt.Sprintf("%s: expected %s, found %q", field, expected, found),
		Places:   []Place{{PlaceField, field}},
		Expected: expected,
		Found:    fmt.Sprintf("%q", found),
	}
}

var placeKinds = map[C.kubepki_place_kind]PlaceKind{
	C.KUBEPKI_PLACE_FILE:  PlaceFile,
	C.KUBEPKI_PLACE_FIELD: PlaceField,
	C.KUBEPKI_PLACE_ROLE:  PlaceRole,
}

// failed turns C's error into one of Go, and frees it. No error is nil.
func failed(e *C.kubepki_error) error {
	if e == nil {
		return nil
	}
	defer C.kubepki_error_free(e)
	err := &Error{
		Code:     Code(str(C.kubepki_error_name(e))),
		Message:  strings.TrimSpace(str(C.kubepki_error_message(e))),
		Expected: str(C.kubepki_error_expected(e)),
		Found:    str(C.kubepki_error_found(e)),
	}
	switch cause, number := causeOf(e), C.kubepki_error_os_error(e); {
	case cause != nil:
		err.Err = cause
	case number != 0:
		err.Err = syscall.Errno(number)
	}
	for i := range C.kubepki_error_place_count(e) {
		place := C.kubepki_error_place_at(e, i)
		kind, known := placeKinds[place.kind]
		if !known {
			kind = PlaceOther
		}
		err.Places = append(err.Places, Place{kind, str(place.text)})
	}
	return err
}
