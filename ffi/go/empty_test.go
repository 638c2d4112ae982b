package kubepki_test

import (
	"strings"
	"sync"
	"testing"

	"kubepki"
)

// Go moves a stack that becomes too small, and ends the process when it finds an address there at which
// nothing can be. So nothing that the library gives may have one, also where it is empty.
func TestWhatIsEmptyIsReadWhileStacksAreMoved(t *testing.T) {
	long := strings.Repeat("a", 40000) // to copy it needs more stack than a call of C
	tokens := kubepki.StaticTokens{CSV: kubepki.NewSecret(long + ",alice,\n")}
	files := must(open(kubepki.Create(aCluster(), aNode(), now))(t).Files())(t)
	for i := range files {
		files[i].Contents = kubepki.Secret{}
	}
	pki := open(kubepki.FromFiles(files))(t)
	for name, call := range map[string]func(){
		"tokens": func() {
			if all := must(tokens.Tokens())(t); len(all) != 1 || all[0].User != "alice" || all[0].UID != "" {
				t.Errorf("%d tokens", len(all))
			}
		},
		"files": func() {
			for _, file := range must(pki.Files())(t) {
				if len(file.Contents.Bytes()) != 0 {
					t.Errorf("%s has %d bytes", file.Path, len(file.Contents.Bytes()))
				}
			}
		},
	} {
		t.Run(name, func(*testing.T) { atAnyDepth(call) })
	}
}

// atAnyDepth calls on many stacks, each of which is used up to another depth before.
func atAnyDepth(call func()) {
	var all sync.WaitGroup
	for depth := range 500 {
		all.Add(1)
		go func() {
			defer all.Done()
			below(depth, call)
		}()
	}
	all.Wait()
}

//go:noinline
func below(depth int, call func()) (used byte) {
	var frame [8]byte
	if depth == 0 {
		call()
	} else {
		frame[depth%len(frame)] = below(depth-1, call)
	}
	for _, b := range frame {
		used += b
	}
	return used
}
