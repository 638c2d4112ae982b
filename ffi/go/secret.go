package kubepki

import (
	"crypto/subtle"
	"errors"
	"log/slog"
)

// A Secret is bytes that may be a private key, a token or a kubeconfig. Printing and logging show nothing of
// them, wherever the value stands. Its copies share the bytes. The zero value has none.
type Secret struct {
	// A function, because fmt follows pointers where it can call no methods, as in unexported fields.
	bytes func() []byte
}

// NewSecret takes bytes, which it does not copy, or a text, which it does.
func NewSecret[T string | []byte](value T) Secret {
	bytes := []byte(value)
	return Secret{func() []byte { return bytes }}
}

// Bytes gives the bytes themselves.
func (s Secret) Bytes() []byte {
	if s.bytes == nil {
		return nil
	}
	return s.bytes()
}

// Equal says whether both have the same bytes. How long it takes tells at most whether their lengths differ.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare(s.Bytes(), other.Bytes()) == 1
}

// Clear overwrites the bytes with zeros, in all copies. Go does not do so on its own.
func (s Secret) Clear() { clear(s.Bytes()) }

// String gives a fixed text, [secret].
func (Secret) String() string { return "[secret]" }

// LogValue gives the fixed text of String, for logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText fails, so that no document has a key in it by chance.
func (Secret) MarshalText() ([]byte, error) {
	return nil, errors.New("kubepki: a Secret is not marshalled, only its Bytes")
}
