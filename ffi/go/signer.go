package kubepki

// #include <kubepki.h>
//
// // A handle of Go is a number, which Go must nowhere take for a pointer.
// void kubepkiSign(uintptr_t user, kubepki_to_sign *to_sign, kubepki_answer *answer);
// void kubepkiRelease(uintptr_t user);
//
// static void sign(void *user, const kubepki_to_sign *to_sign, kubepki_answer *answer) {
//     kubepkiSign((uintptr_t)user, (kubepki_to_sign *)to_sign, answer);
// }
//
// static void release(void *user) { kubepkiRelease((uintptr_t)user); }
//
// static kubepki_error *new_signer(const void *pem, size_t pem_len, uintptr_t user, kubepki_signer **out) {
//     return kubepki_signer_new(pem, pem_len, sign, (void *)user, release, out);
// }
//
// static void answer_failure(kubepki_answer *answer, const char *reason, size_t len, uintptr_t cause) {
//     kubepki_answer_failure_with_cause(answer, reason, len, (void *)cause, release);
// }
//
// static uintptr_t cause_of(const kubepki_error *error) { return (uintptr_t)kubepki_error_cause(error); }
import "C"

import (
	"crypto"
	"fmt"
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

// A failure is why a crypto.Signer has not signed.
type failure struct {
	reason string
	cause  error
}

// failing takes the text of an error as well, which may panic.
func failing(cause error) *failure { return &failure{fmt.Sprint(cause), cause} }

// answer hands it to the library, which calls kubepkiRelease when no error has it any more.
func (f *failure) answer(answer *C.kubepki_answer) {
	C.answer_failure(answer, chars(f.reason), size(f.reason), C.uintptr_t(cgo.NewHandle(f.cause)))
}

// causeOf gives what a crypto.Signer returned, if that is behind an error.
func causeOf(e *C.kubepki_error) error {
	handle := C.cause_of(e)
	if handle == 0 {
		return nil
	}
	return cgo.Handle(handle).Value().(error)
}
