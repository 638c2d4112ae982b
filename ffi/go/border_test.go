package kubepki

import (
	"runtime"
	"sync"
	"testing"
	"time"
)

// Nobody waits in a circle for several handles, in whatever order they are given, while others change them.
func TestSeveralHandlesAreLookedAtInAnyOrder(t *testing.T) {
	one, _ := own(new(int), nil, func(*int) {})
	other, _ := own(new(int), nil, func(*int) {})
	var all sync.WaitGroup
	rounds := func(act func() error) {
		all.Add(1)
		go func() {
			defer all.Done()
			for range 20000 {
				if err := act(); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	for _, several := range [][]*handle[*int]{{one, other}, {other, one}, {one, other, one}} {
		rounds(func() error {
			return lookAll(several, func(pointers []*int) error {
				for i, pointer := range pointers {
					if pointer != several[i].pointer {
						t.Error("another order")
					}
				}
				runtime.Gosched()
				return nil
			})
		})
	}
	for _, single := range []*handle[*int]{one, other} {
		rounds(func() error {
			return single.change(func(pointer *int) error {
				*pointer++
				return nil
			})
		})
	}
	done := make(chan struct{})
	go func() {
		all.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("they wait for each other")
	}
}
