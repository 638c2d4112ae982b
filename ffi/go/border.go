package kubepki

// #include <kubepki.h>
import "C"

import (
	"cmp"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// A handle owns what the C library made. Any number of goroutines look at it at once; one that changes or
// closes it waits until it is alone. P is a pointer to a C type.
type handle[P comparable] struct {
	number  uint64
	alone   sync.RWMutex
	pointer P
	free    func(P)
	forgot  runtime.Cleanup
}

// made counts handles.
var made atomic.Uint64

// own takes what a call made, if it succeeded.
func own[P comparable](pointer P, err error, free func(P)) (*handle[P], error) {
	if err != nil {
		return nil, err
	}
	h := &handle[P]{number: made.Add(1), pointer: pointer, free: free}
	h.forgot = runtime.AddCleanup(h, free, pointer)
	return h, nil
}

// look calls with the pointer, for what C takes as const.
func (h *handle[P]) look(call func(P) error) error {
	if h == nil {
		return errClosed
	}
	h.alone.RLock()
	defer h.alone.RUnlock()
	return h.with(call)
}

// lookAll calls with the pointers of several. Each is locked once, in the order in which they were made, so
// that nobody waits in a circle. Two of different types are always locked in the same order: first the plan,
// the store or the issuer, then what it changes.
func lookAll[P comparable](handles []*handle[P], call func([]P) error) error {
	if slices.Contains(handles, nil) {
		return errClosed
	}
	inOrder := slices.Clone(handles)
	slices.SortFunc(inOrder, func(a, b *handle[P]) int { return cmp.Compare(a.number, b.number) })
	for _, h := range slices.Compact(inOrder) {
		h.alone.RLock()
		defer h.alone.RUnlock()
	}
	defer runtime.KeepAlive(handles)
	var none P
	pointers := make([]P, len(handles))
	for i, h := range handles {
		pointers[i] = h.pointer
	}
	if slices.Contains(pointers, none) {
		return errClosed
	}
	return call(pointers)
}

// change calls with the pointer, for everything else.
func (h *handle[P]) change(call func(P) error) error {
	if h == nil {
		return errClosed
	}
	h.alone.Lock()
	defer h.alone.Unlock()
	return h.with(call)
}

func (h *handle[P]) with(call func(P) error) error {
	var none P
	if h.pointer == none {
		return errClosed
	}
	defer runtime.KeepAlive(h)
	return call(h.pointer)
}

func (h *handle[P]) close() error {
	if h == nil {
		return nil
	}
	h.alone.Lock()
	defer h.alone.Unlock()
	var none P
	if h.pointer != none {
		h.forgot.Stop()
		h.free(h.pointer)
		h.pointer = none
	}
	return nil
}

// An attempt is a row of calls, of which the first failure counts.
type attempt struct{ err error }

func (a *attempt) do(e *C.kubepki_error) { a.fail(failed(e)) }

func (a *attempt) fail(err error) {
	if a.err == nil {
		a.err = err
	}
}

// seconds gives a whole number of them, as C wants it.
func (a *attempt) seconds(field string, d time.Duration) C.uint64_t {
	if d < 0 || d%time.Second != 0 {
		a.refuse(field, "a whole number of seconds", d.String())
		return 0
	}
	return C.uint64_t(d / time.Second)
}

// span sets a span of time, if there is one.
func (a *attempt) span(field string, d time.Duration, set func(seconds C.uint64_t) *C.kubepki_error) {
	if d == 0 {
		return
	}
	if seconds := a.seconds(field, d); a.err == nil {
		a.do(set(seconds))
	}
}

func (a *attempt) refuse(field, expected, found string) { a.fail(invalid(field, expected, found)) }

// chars and size are a text as C takes it. C reads it during the call only.
func chars(text string) *C.char {
	return (*C.char)(unsafe.Pointer(unsafe.StringData(text)))
}

func size(text string) C.size_t { return C.size_t(len(text)) }

// first and length are bytes, likewise. Call with unsafe.Pointer(&*first(b)): in this form cgo knows that
// bytes hold no pointers, whatever they are a part of.
func first(b []byte) *byte {
	if len(b) == 0 {
		return new(byte)
	}
	return unsafe.SliceData(b)
}

func length(b []byte) C.size_t { return C.size_t(len(b)) }

// byteChars and secretSize are bytes and a secret as C takes text.
func byteChars(b []byte) *C.char { return (*C.char)(unsafe.Pointer(first(b))) }

func secretChars(s Secret) *C.char { return byteChars(s.Bytes()) }

func secretSize(s Secret) C.size_t { return length(s.Bytes()) }

// address is an IP address as text, empty when it is none.
func address(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

// moment is seconds since 1970. C refuses what is not in the years 1970 to 9999, so also the zero Time.
func moment(t time.Time) C.int64_t {
	return C.int64_t(t.Unix())
}

// instant gives the moment that C means.
func instant(seconds C.int64_t) time.Time { return time.Unix(int64(seconds), 0).UTC() }

// str and octets copy what belongs to a handle.
func str(t C.kubepki_text) string {
	return strings.Clone(unsafe.String((*byte)(unsafe.Pointer(t.data)), int(t.len)))
}

func octets(data unsafe.Pointer, size C.size_t) []byte {
	return append([]byte{}, unsafe.Slice((*byte)(data), int(size))...)
}

func textBytes(t C.kubepki_text) []byte { return octets(unsafe.Pointer(t.data), t.len) }

func textSecret(t C.kubepki_text) Secret { return NewSecret(textBytes(t)) }

// buffer copies and frees. It is nil for NULL.
func buffer(b *C.kubepki_buffer) []byte {
	if b == nil {
		return nil
	}
	defer C.kubepki_buffer_free(b)
	return textBytes(C.kubepki_buffer_text(b))
}

// secretBuffer does the same. It is the zero Secret for NULL.
func secretBuffer(b *C.kubepki_buffer) Secret {
	if b == nil {
		return Secret{}
	}
	return NewSecret(buffer(b))
}

// useList calls with texts as C has them: NULL for none.
func useList[T ~string | ~[]byte](texts []T, call func(*C.kubepki_list) error) error {
	if len(texts) == 0 {
		return call(nil)
	}
	var l *C.kubepki_list
	var a attempt
	a.do(C.kubepki_list_new(&l))
	if a.err != nil {
		return a.err
	}
	defer C.kubepki_list_free(l)
	for _, text := range texts {
		bytes := []byte(text)
		a.do(C.kubepki_list_add(l, byteChars(bytes), length(bytes)))
	}
	if a.err != nil {
		return a.err
	}
	return call(l)
}

// list copies and frees.
func list(l *C.kubepki_list, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	defer C.kubepki_list_free(l)
	texts := make([]string, C.kubepki_list_count(l))
	for i := range texts {
		texts[i] = str(C.kubepki_list_at(l, C.size_t(i)))
	}
	return texts, nil
}
