package kubepki_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"kubepki"
)

const day = 24 * time.Hour

var now = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// A cluster whose keys are made fast.
func aCluster() kubepki.Cluster {
	return kubepki.Cluster{Endpoint: "api.example.com:6443", KeyAlgorithm: kubepki.ECDSAP256}
}

func aNode() kubepki.Node {
	return kubepki.Node{Kind: kubepki.ControlPlane, Name: "cp-1", Advertise: netip.MustParseAddr("192.0.2.10")}
}

var (
	jane   = kubepki.Profile{Role: kubepki.RoleUser, Name: "jane"}
	worker = kubepki.Node{
		Kind:      kubepki.Worker,
		Name:      "w-1",
		Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.20")},
	}
)

// must returns a closure that takes the two results of a call, which has to succeed.
func must[V any](value V, err error) func(testing.TB) V {
	return func(t testing.TB) V {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// open is must for what is to be closed when the test ends.
func open[V interface{ Close() error }](value V, err error) func(testing.TB) V {
	return func(t testing.TB) V {
		t.Helper()
		must(value, err)(t)
		t.Cleanup(func() { succeeds(t, value.Close()) })
		return value
	}
}

// has checks that a text is among others.
func has(t testing.TB, texts []string, text string) {
	t.Helper()
	if !slices.Contains(texts, text) {
		t.Errorf("%s is not among %q", text, texts)
	}
}

func succeeds(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// fails checks that an error has this code and says this.
func fails(t testing.TB, err error, code kubepki.Code, says string) {
	t.Helper()
	var failure *kubepki.Error
	switch {
	case !errors.As(err, &failure), !errors.Is(err, code):
		t.Errorf("expected %q, got %v", code, err)
	case !strings.Contains(err.Error(), says):
		t.Errorf("expected a message with %q, got %v", says, err)
	case errors.Is(err, kubepki.Code("another")):
		t.Errorf("%v has any code", err)
	}
}

// without gives the files but for one, and that.
func without(files kubepki.Files, path string) (rest kubepki.Files, found kubepki.File) {
	for _, file := range files {
		if file.Path == path {
			found = file
		} else {
			rest = append(rest, file)
		}
	}
	return rest, found
}

func privateKey(text []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(text)
	switch block.Type {
	case "RSA PRIVATE KEY":
		return x509.ParsePKCS1PrivateKey(block.Bytes)
	default:
		return x509.ParseECPrivateKey(block.Bytes)
	}
}

func keyInTheHSM() crypto.Signer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	return key
}

func exampleDirectory(now time.Time) string {
	directory, err := os.MkdirTemp("", "kubepki")
	if err != nil {
		log.Fatal(err)
	}
	pki, err := kubepki.Create(aCluster(), aNode(), now)
	if err != nil {
		log.Fatal(err)
	}
	defer pki.Close()
	if err := pki.Save(kubepki.Layout{Directory: directory}); err != nil {
		log.Fatal(err)
	}
	return directory
}

func filesWithoutTheKey(now time.Time) (kubepki.Files, crypto.Signer) {
	authorities, err := kubepki.CreateAuthorities(aCluster(), now)
	if err != nil {
		log.Fatal(err)
	}
	defer authorities.Close()
	files, err := authorities.Files()
	if err != nil {
		log.Fatal(err)
	}
	files, file := without(files, "pki/ca.key")
	key, err := privateKey(file.Contents.Bytes())
	if err != nil {
		log.Fatal(err)
	}
	return files, key
}
