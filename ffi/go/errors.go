package kubepki

// #include <kubepki.h>
import "C"

import (
	"fmt"
	"strings"
)

// An Error is one failure: which, where, what was expected there and what was found. No error quotes a secret.
//
//	var failure *kubepki.Error
//	if errors.As(err, &failure) { ... failure.Places ... }
//	if errors.Is(err, kubepki.ErrLocked) { ... }
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
}

// Error gives the message.
func (e *Error) Error() string { return "kubepki: " + e.Message }

// Is reports whether target is the error's code.
func (e *Error) Is(target error) bool { return target == e.Code }

// A Place is where something went wrong.
type Place struct {
	Kind PlaceKind
	// Text is the path, the name or the role.
	Text string
}

// A PlaceKind is what kind of place a [Place] is.
type PlaceKind string

const (
	PlaceFile  PlaceKind = "file"  // a file, by its path
	PlaceField PlaceKind = "field" // a field of a description or a document, or a parameter, by its name
	PlaceRole  PlaceKind = "role"  // a certificate, by its role
	PlaceOther PlaceKind = "other" // none of these
)

// A Code is a kind of failure, and an error for errors.Is. More may be added.
type Code string

// Error gives the code.
func (c Code) Error() string { return "kubepki: " + string(c) }

// The codes. Their texts are those of the library, and never change their meaning.
const (
	ErrAbsent               Code = "absent"                  // what was asked for is not there
	ErrAuthorityExpired     Code = "authority-expired"       // a certificate that signs has expired
	ErrAuthorityNotYetValid Code = "authority-not-yet-valid" // a certificate that signs is not yet valid: most often a clock is wrong
	ErrBadSignature         Code = "bad-signature"           // a signature does not verify
	ErrChanged              Code = "changed"                 // files, or a PKI, are no longer what they were when they were looked at
	ErrClosed               Code = "closed"                  // the value was closed, or not made by this package
	ErrExists               Code = "exists"                  // another file is already there: it is left as it is
	ErrInternal             Code = "internal"                // a fault of the library: close whatever the call was to change
	ErrInvalid              Code = "invalid"                 // a text or number that is no legal value of its field
	ErrIO                   Code = "io"                      // the operating system refused: no such file, no space, no permission
	ErrKeyMismatch          Code = "key-mismatch"            // a private key does not belong to its certificate
	ErrLocked               Code = "locked"                  // another process, or another Store, is changing the same directory
	ErrMalformed            Code = "malformed"               // PEM, DER or YAML that cannot be read
	ErrNoIssuer             Code = "no-issuer"               // nothing could sign: an authority, its key or the service-account key is missing
	ErrNotAnAuthority       Code = "not-an-authority"        // what should sign is no certificate authority, or may not sign this
	ErrNull                 Code = "null"                    // one of two descriptions is missing
	ErrOther                Code = "other"                   // something for which this version of the library has no code
	ErrRandom               Code = "random"                  // the operating system gave no random bytes
	ErrSharedAuthority      Code = "shared-authority"        // one authority serves two purposes that must be kept apart
	ErrSigner               Code = "signer"                  // a crypto.Signer failed; the message has its reason
	ErrSignerMismatch       Code = "signer-mismatch"         // a crypto.Signer answered with a signature that its public key does not verify
	ErrSubnetTooSmall       Code = "subnet-too-small"        // a service subnet has too few addresses
	ErrUnsupported          Code = "unsupported"             // a key or signature algorithm that is not supported
	ErrUsageConflict        Code = "usage-conflict"          // an authority where a leaf is needed, or the other way around
	ErrWrongIssuer          Code = "wrong-issuer"            // a certificate was not issued by the authority that it is used with
)

var errClosed error = &Error{Code: ErrClosed, Message: "this value was closed, or not made by this package"}

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
