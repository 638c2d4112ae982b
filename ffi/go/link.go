//go:build !kubepki_shared

package kubepki

// #cgo pkg-config: kubepki-static
import "C"
