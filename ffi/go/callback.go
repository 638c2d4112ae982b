package kubepki

// #include <kubepki.h>
import "C"

import (
	"crypto"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime/cgo"
	"unsafe"
)

// hashes by the algorithms that C asks for.
var hashes = map[string]crypto.Hash{
	"ecdsa-with-SHA256":       crypto.SHA256,
	"ecdsa-with-SHA384":       crypto.SHA384,
	"sha256WithRSAEncryption": crypto.SHA256,
}

//export kubepkiSign
func kubepkiSign(user unsafe.Pointer, what *C.kubepki_to_sign, answer *C.kubepki_answer) {
	signer := cgo.Handle(uintptr(user)).Value().(crypto.Signer)
	algorithm := str(what.algorithm)
	digest := octets(unsafe.Pointer(what.digest.data), what.digest.len)
	signature, err := sign(signer, algorithm, digest)
	if err != nil {
		reason := err.Error()
		C.kubepki_answer_failure(answer, chars(reason), size(reason))
		return
	}
	C.kubepki_answer_signature(answer, unsafe.Pointer(&*first(signature)), length(signature))
}

//export kubepkiRelease
func kubepkiRelease(user unsafe.Pointer) { cgo.Handle(uintptr(user)).Delete() }

// sign has a goroutine of its own do it: neither a panic nor runtime.Goexit may unwind the frames of the
// library.
func sign(signer crypto.Signer, algorithm string, digest []byte) (signature []byte, err error) {
	hash, known := hashes[algorithm]
	if !known {
		return nil, errors.New("no crypto.Signer is known to sign with " + algorithm)
	}
	err = errors.New("the crypto.Signer ended its goroutine")
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if cause := recover(); cause != nil {
				err = fmt.Errorf("the crypto.Signer panicked: %v", cause)
			}
		}()
		made, failure := signer.Sign(rand.Reader, digest, hash)
		if failure != nil {
			// Its text here, where it may panic too.
			err = errors.New(fmt.Sprint(failure))
			return
		}
		signature, err = made, nil
	}()
	<-done
	return signature, err
}
