//go:build kubepki_shared

package kubepki

// #cgo pkg-config: kubepki
import "C"
