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
func kubepkiSign(user C.uintptr_t, what *C.kubepki_to_sign, answer *C.kubepki_answer) {
	signer := cgo.Handle(user).Value().(crypto.Signer)
	algorithm := str(what.algorithm)
	digest := octets(unsafe.Pointer(what.digest.data), what.digest.len)
	signature, failure := sign(signer, algorithm, digest)
	if failure != nil {
		failure.answer(answer)
		return
	}
	C.kubepki_answer_signature(answer, unsafe.Pointer(&*first(signature)), length(signature))
}

//export kubepkiRelease
func kubepkiRelease(user C.uintptr_t) { cgo.Handle(user).Delete() }

// sign has a goroutine of its own do it: neither a panic nor runtime.Goexit may unwind the frames of the
// library.
func sign(signer crypto.Signer, algorithm string, digest []byte) (signature []byte, why *failure) {
	hash, known := hashes[algorithm]
	if !known {
		return nil, failing(errors.New("no crypto.Signer is known to sign with " + algorithm))
	}
	why = failing(errors.New("the crypto.Signer ended its goroutine"))
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if cause := recover(); cause != nil {
				why = failing(fmt.Errorf("the crypto.Signer panicked: %v", cause))
			}
		}()
		made, err := signer.Sign(rand.Reader, digest, hash)
		if err != nil {
			why = failing(err)
			return
		}
		signature, why = made, nil
	}()
	<-done
	return signature, why
}
