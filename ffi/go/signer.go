package kubepki

// #include <kubepki.h>
//
// void kubepkiSign(void *user, kubepki_to_sign *to_sign, kubepki_answer *answer);
// void kubepkiRelease(void *user);
//
// // A handle of Go is a number, which Go must not take for a pointer.
// static kubepki_error *new_signer(const void *pem, size_t pem_len, uintptr_t user, kubepki_signer **out) {
//     return kubepki_signer_new(pem, pem_len, (kubepki_sign)kubepkiSign, (void *)user, kubepkiRelease, out);
// }
import "C"

import (
	"crypto"
	"runtime/cgo"
	"unsafe"
)

// useSigner calls with a signer as C has it. What the call makes of it keeps the signer; when that is gone,
// kubepkiRelease is called.
func useSigner(signer crypto.Signer, call func(*C.kubepki_signer) error) error {
	if signer == nil {
		return invalid("signer", "a crypto.Signer", "nil")
	}
	public, err := publicPEM(signer.Public())
	if err != nil {
		return err
	}
	handle := cgo.NewHandle(signer)
	var out *C.kubepki_signer
	err = failed(C.new_signer(unsafe.Pointer(&*first(public)), length(public), C.uintptr_t(handle), &out))
	if err != nil {
		handle.Delete()
		return err
	}
	defer C.kubepki_signer_free(out)
	return call(out)
}
