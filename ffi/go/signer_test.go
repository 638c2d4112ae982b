package kubepki_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kubepki"
)

// A hsm answers for a key, in some manner.
type hsm struct {
	crypto.Signer
	manner func(key crypto.Signer, digest []byte, opts crypto.SignerOpts) ([]byte, error)
	calls  atomic.Int32
}

func (h *hsm) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	h.calls.Add(1)
	if h.manner == nil {
		return h.Signer.Sign(rand.Reader, digest, opts)
	}
	return h.manner(h.Signer, digest, opts)
}

// Authorities of which the Kubernetes one's key is elsewhere.
func externalAuthorities(t testing.TB, algorithm kubepki.KeyAlgorithm) (kubepki.Cluster, kubepki.Files,
	crypto.Signer) {
	cluster := aCluster()
	cluster.KeyAlgorithm = algorithm
	made := open(kubepki.CreateAuthorities(cluster, now))(t)
	files, file := without(must(made.Files())(t), "pki/ca.key")
	return cluster, files, must(privateKey(file.Contents.Bytes()))(t)
}

func TestACryptoSignerSignsAllLeavesOfItsAuthority(t *testing.T) {
	for _, algorithm := range []kubepki.KeyAlgorithm{kubepki.ECDSAP256, kubepki.ECDSAP384, kubepki.RSA2048} {
		t.Run(string(algorithm), func(t *testing.T) {
			cluster, files, key := externalAuthorities(t, algorithm)
			authorities := open(kubepki.AuthoritiesFromFiles(files))(t)
			signer := &hsm{Signer: key}
			succeeds(t, authorities.Attach(kubepki.RoleKubernetesCA, signer))
			pki := open(authorities.First(cluster, aNode(), now))(t)

			roots := x509.NewCertPool()
			roots.AppendCertsFromPEM(must(authorities.TrustStorePEM())(t))
			leaves := []kubepki.Role{
				kubepki.RoleAPIServer, kubepki.RoleAPIServerKubeletClient, kubepki.RoleKubeletClient, kubepki.RoleAdmin,
				kubepki.RoleSuperAdmin, kubepki.RoleControllerManager, kubepki.RoleScheduler,
			}
			for _, role := range leaves {
				leaf := must(pki.Certificate(role))(t).Leaf
				_, err := leaf.Verify(x509.VerifyOptions{
					Roots:       roots,
					CurrentTime: now,
					KeyUsages:   []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
				})
				if err != nil {
					t.Errorf("%s: %v", role, err)
				}
			}
			if calls := int(signer.calls.Load()); calls != len(leaves) {
				t.Errorf("expected %d signatures, got %d", len(leaves), calls)
			}
			for _, file := range must(pki.Files())(t) {
				if file.Path == "pki/ca.key" {
					t.Error("there is a key that nobody has given")
				}
			}
			_, err := must(authorities.Issuer(kubepki.RoleKubernetesCA))(t).KeyPEM()
			fails(t, err, kubepki.ErrAbsent, "")
		})
	}
}

func TestWhatASignerDoesWrongIsAnError(t *testing.T) {
	cluster, files, key := externalAuthorities(t, kubepki.ECDSAP256)
	another := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	for name, wrong := range map[string]struct {
		manner func(key crypto.Signer, digest []byte, opts crypto.SignerOpts) ([]byte, error)
		code   kubepki.Code
		says   string
	}{
		"fails": {func(crypto.Signer, []byte, crypto.SignerOpts) ([]byte, error) {
			return nil, errors.New("slot 3: the token is locked")
		}, kubepki.ErrSigner, "slot 3: the token is locked"},
		"fails at length": {func(crypto.Signer, []byte, crypto.SignerOpts) ([]byte, error) {
			return nil, errors.New(strings.Repeat("no ", 1<<20))
		}, kubepki.ErrSigner, "no no no"},
		"fails without a word": {func(crypto.Signer, []byte, crypto.SignerOpts) ([]byte, error) {
			return nil, errors.New("")
		}, kubepki.ErrSigner, ""},
		"fails with an error that panics": {func(crypto.Signer, []byte, crypto.SignerOpts) ([]byte, error) {
			var none *unplugged
			return nil, none
		}, kubepki.ErrSigner, ""},
		"panics": {func(crypto.Signer, []byte, crypto.SignerOpts) ([]byte, error) {
			panic("unplugged")
		}, kubepki.ErrSigner, "panicked: unplugged"},
		"reads what is not there": {func(crypto.Signer, []byte, crypto.SignerOpts) ([]byte, error) {
			var none *hsm
			return nil, fmt.Errorf("%d", none.calls.Load())
		}, kubepki.ErrSigner, "panicked: runtime error"},
		"ends its goroutine": {func(crypto.Signer, []byte, crypto.SignerOpts) ([]byte, error) {
			runtime.Goexit()
			return nil, nil
		}, kubepki.ErrSigner, "ended its goroutine"},
		"says nothing": {func(crypto.Signer, []byte, crypto.SignerOpts) ([]byte, error) {
			return nil, nil
		}, kubepki.ErrSignerMismatch, ""},
		"lies": {func(crypto.Signer, []byte, crypto.SignerOpts) ([]byte, error) {
			return []byte("not a signature"), nil
		}, kubepki.ErrSignerMismatch, ""},
		"says too much": {func(crypto.Signer, []byte, crypto.SignerOpts) ([]byte, error) {
			return make([]byte, 1<<20), nil
		}, kubepki.ErrSigner, "1048576"},
		"has another key": {func(_ crypto.Signer, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
			return another.Sign(rand.Reader, digest, opts)
		}, kubepki.ErrSignerMismatch, ""},
		"signs something else": {func(key crypto.Signer, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
			return key.Sign(rand.Reader, make([]byte, len(digest)), opts)
		}, kubepki.ErrSignerMismatch, ""},
	} {
		t.Run(name, func(t *testing.T) {
			authorities := open(kubepki.AuthoritiesFromFiles(files))(t)
			succeeds(t, authorities.Attach(kubepki.RoleKubernetesCA, &hsm{Signer: key, manner: wrong.manner}))
			_, err := authorities.Issue(cluster, jane, now)
			fails(t, err, wrong.code, wrong.says)
			if len(err.Error()) > 4096 {
				t.Errorf("a message of %d bytes", len(err.Error()))
			}
			_, err = authorities.First(cluster, aNode(), now)
			fails(t, err, wrong.code, wrong.says)
		})
	}
}

// A timeout is an error of a signer's own.
type timeout struct{ slot int }

func (t *timeout) Error() string { return fmt.Sprintf("slot %d does not answer", t.slot) }
func (*timeout) Unwrap() error   { return context.DeadlineExceeded }

// Whoever asks gets the very error that a signer returned; whoever drops it leaves nothing behind.
func TestASignersErrorIsReached(t *testing.T) {
	cluster, files, key := externalAuthorities(t, kubepki.ECDSAP256)
	var made, gone atomic.Int32
	signer := &hsm{Signer: key}
	signer.manner = func(crypto.Signer, []byte, crypto.SignerOpts) ([]byte, error) {
		err := &timeout{slot: 3}
		made.Add(1)
		runtime.AddCleanup(err, func(gone *atomic.Int32) { gone.Add(1) }, &gone)
		return nil, err
	}
	authorities := open(kubepki.AuthoritiesFromFiles(files))(t)
	succeeds(t, authorities.Attach(kubepki.RoleKubernetesCA, signer))
	issuer := open(authorities.Issuer(kubepki.RoleKubernetesCA))(t)
	pki := open(kubepki.FromFiles(files))(t)
	succeeds(t, pki.Attach(kubepki.RoleKubernetesCA, signer))
	plan := open(pki.Plan(&kubepki.Expected{Cluster: cluster, Node: aNode()}, kubepki.Policy{}, now))(t)
	request := open(kubepki.NewRequest(cluster, jane))(t)
	csr := must(request.CSR("jane", "kubernetes.io/kube-apiserver-client", 0))(t)
	succeeds(t, csr.Approve("ByHand", "seen", now))
	below := kubepki.Profile{Role: kubepki.RoleIntermediate, Name: "a"}

	for name, fail := range map[string]func() error{
		"Authorities.First": func() error { return second(authorities.First(cluster, aNode(), now)) },
		"Authorities.Issue": func() error { return second(authorities.Issue(cluster, jane, now)) },
		"CSR.Sign":          func() error { return second(csr.Sign(csr.SignerName, issuer, day, now)) },
		"Issuer.Certify":    func() error { return second(issuer.Certify(key.Public(), cluster, jane, now)) },
		"Issuer.IntermediateBy": func() error {
			return second(issuer.IntermediateBy(signer, cluster, below, now))
		},
		"Plan.Apply": func() error { return plan.Apply(pki) },
		"SelfSignedBy": func() error {
			root := kubepki.Profile{Role: kubepki.RoleRootCA, Name: "a"}
			return second(kubepki.SelfSignedBy(signer, cluster, root, now))
		},
	} {
		err := fmt.Errorf("%s: %w", name, fail())
		fails(t, err, kubepki.ErrSigner, "slot 3 does not answer")
		var own *timeout
		if !errors.As(err, &own) || own.slot != 3 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v has not the signer's error behind it", err)
		}
	}
	if made.Load() < 7 {
		t.Errorf("only %d errors", made.Load())
	}
	eventually(t, func() bool { return gone.Load() == made.Load() })
}

func second[V any](_ V, err error) error { return err }

// A secret digest is no secret, but its owner may write to what he was given.
func TestASignerMayUseThisPackageAndWriteToWhatItWasGiven(t *testing.T) {
	cluster, files, key := externalAuthorities(t, kubepki.ECDSAP256)
	authorities := open(kubepki.AuthoritiesFromFiles(files))(t)
	signer := &hsm{Signer: key}
	signer.manner = func(key crypto.Signer, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
		defer clear(digest)
		if opts.HashFunc() != crypto.SHA256 || len(digest) != crypto.SHA256.Size() {
			return nil, errors.New("another hash")
		}
		other, err := kubepki.CreateAuthorities(cluster, now)
		if err != nil {
			return nil, err
		}
		defer other.Close()
		return key.Sign(rand.Reader, digest, opts)
	}
	succeeds(t, authorities.Attach(kubepki.RoleKubernetesCA, signer))
	open(authorities.First(cluster, aNode(), now))(t)
}

type unknown struct{ crypto.Signer }

func (unknown) Public() crypto.PublicKey { return "a key" }

func TestASignerThatCannotSignForAnAuthorityIsRefused(t *testing.T) {
	_, files, key := externalAuthorities(t, kubepki.ECDSAP256)
	authorities := open(kubepki.AuthoritiesFromFiles(files))(t)
	_, edwards, _ := ed25519.GenerateKey(rand.Reader)
	fails(t, authorities.Attach(kubepki.RoleKubernetesCA, nil), kubepki.ErrInvalid, "crypto.Signer")
	fails(t, authorities.Attach(kubepki.RoleKubernetesCA, unknown{key}), kubepki.ErrUnsupported, "public key")
	root := kubepki.Profile{Role: kubepki.RoleRootCA, Name: "a"}
	_, err := kubepki.SelfSignedBy(edwards, aCluster(), root, now)
	fails(t, err, kubepki.ErrUnsupported, "")
	another := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	fails(t, authorities.Attach(kubepki.RoleKubernetesCA, another), kubepki.ErrKeyMismatch, "")
	fails(t, authorities.Attach(kubepki.RoleEtcdCA, key), kubepki.ErrExists, "")
	fails(t, authorities.Attach(kubepki.RoleAPIServer, key), kubepki.ErrInvalid, "kube-apiserver")
	fails(t, authorities.Attach("kubernetes", key), kubepki.ErrInvalid, "kubernetes")
}

// A root's key is elsewhere, and so is that of the authority below it.
func TestAuthoritiesStandBelowARootOfASigner(t *testing.T) {
	root := must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))(t)
	site := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	cluster := aCluster()
	ofRoot := kubepki.Profile{Role: kubepki.RoleRootCA, Name: "Example Root", Lifetime: 7300 * day}
	made := open(kubepki.SelfSignedBy(root, cluster, ofRoot, now))(t)
	top := open(kubepki.NewIssuerBy(root, must(made.ChainPEM())(t)))(t)
	one := uint8(1)
	ofSite := kubepki.Profile{Role: kubepki.RoleIntermediate, Name: "Example Site", PathLength: &one}
	middle := open(top.IntermediateBy(site, cluster, ofSite, now))(t)
	authorities := open(kubepki.CreateAuthoritiesUnder(middle, cluster, now))(t)
	pki := open(authorities.First(cluster, aNode(), now))(t)

	chain := must(must(pki.Credential(kubepki.RoleAPIServer))(t).Chain())(t)
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AppendCertsFromPEM(must(made.ChainPEM())(t))
	for _, certificate := range chain[1:] {
		between.AddCert(certificate)
	}
	between.AppendCertsFromPEM(must(must(authorities.Issuer(kubepki.RoleKubernetesCA))(t).ChainPEM())(t))
	options := x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: now}
	chains := must(chain[0].Verify(options))(t)
	if names := len(chains[0]); names != 4 {
		t.Errorf("expected leaf, authority, site and root, got %d certificates", names)
	}
}

// No key of an authority was ever near the library.
func TestAllAuthoritiesAreElsewhereFromTheStart(t *testing.T) {
	cluster := aCluster()
	authorities := open(kubepki.NewAuthorities(must(kubepki.GenerateKey(kubepki.ECDSAP256))(t)))(t)
	roles := []kubepki.Role{kubepki.RoleKubernetesCA, kubepki.RoleEtcdCA, kubepki.RoleFrontProxyCA}
	_, err := authorities.First(cluster, aNode(), now)
	fails(t, err, kubepki.ErrNoIssuer, "kubernetes-ca")
	for _, role := range roles {
		key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
		issuer := open(kubepki.SelfSignedBy(key, cluster, kubepki.Profile{Role: role}, now))(t)
		succeeds(t, authorities.Add(role, issuer))
		fails(t, authorities.Add(role, issuer), kubepki.ErrInvalid, "once")
	}
	pki := open(authorities.First(cluster, aNode(), now))(t)
	for _, file := range must(pki.Files())(t) {
		if file.Part == kubepki.PartKey && slices.Contains(roles, file.Role) {
			t.Errorf("there is %s", file.Path)
		}
	}
	expected := kubepki.Expected{Cluster: cluster, Node: aNode(), First: true, External: roles}
	succeeds(t, must(pki.Audit(&expected, now))(t).Err())

	more := open(kubepki.NewAuthorities(must(kubepki.GenerateKey(kubepki.RSA2048))(t)))(t)
	issuer := open(authorities.Issuer(kubepki.RoleEtcdCA))(t)
	succeeds(t, more.Add(kubepki.RoleEtcdCA, issuer))
	fails(t, more.Add(kubepki.RoleFrontProxyCA, issuer), kubepki.ErrSharedAuthority, "")
	fails(t, more.Add(kubepki.RoleAPIServer, issuer), kubepki.ErrInvalid, "kube-apiserver")
	_, err = kubepki.NewAuthorities(kubepki.Secret{})
	fails(t, err, kubepki.ErrMalformed, "")
	_, err = kubepki.GenerateKey("")
	fails(t, err, kubepki.ErrInvalid, "")
}

func TestAnIntermediateThatEndsEarlierSaysSo(t *testing.T) {
	cluster := aCluster()
	ofRoot := kubepki.Profile{Role: kubepki.RoleRootCA, Name: "a", Lifetime: 10 * day}
	root := open(kubepki.SelfSigned(cluster, ofRoot, now))(t)
	profile := kubepki.Profile{Role: kubepki.RoleIntermediate, Name: "b", Lifetime: 20 * day}
	short := open(root.Intermediate(cluster, profile, now))(t)
	if from := must(short.ShortenedFrom())(t); !from.Equal(now.Add(20 * day)) {
		t.Error(from)
	}
	profile.Lifetime = 5 * day
	whole := open(root.Intermediate(cluster, profile, now))(t)
	if from := must(whole.ShortenedFrom())(t); !from.IsZero() {
		t.Error(from)
	}
	chain := must(whole.Chain())(t)
	if len(chain) != 2 || chain[0].Subject.CommonName != "b" || chain[1].Subject.CommonName != "a" {
		t.Error(chain)
	}
}

// The signer is let go when nothing signs by it any more: not before, and not never.
func TestASignerIsLetGoWithWhatSignsByIt(t *testing.T) {
	_, files, key := externalAuthorities(t, kubepki.ECDSAP256)
	var gone atomic.Int32
	attach := func(authorities *kubepki.Authorities, key crypto.Signer) error {
		signer := &hsm{Signer: key}
		runtime.AddCleanup(signer, func(gone *atomic.Int32) { gone.Add(1) }, &gone)
		return authorities.Attach(kubepki.RoleKubernetesCA, signer)
	}
	authorities := must(kubepki.AuthoritiesFromFiles(files))(t)
	succeeds(t, attach(authorities, key))
	issuer := must(authorities.Issuer(kubepki.RoleKubernetesCA))(t)
	succeeds(t, authorities.Close())
	runtime.GC()
	must(issuer.Issue(aCluster(), jane, now))(t)
	succeeds(t, issuer.Close())
	eventually(t, func() bool { return gone.Load() == 1 })

	// Those that are refused, and one whose authorities are forgotten.
	fails(t, attach(open(kubepki.AuthoritiesFromFiles(files[:1]))(t), unknown{key}), kubepki.ErrUnsupported, "")
	another := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	fails(t, attach(open(kubepki.AuthoritiesFromFiles(files[:1]))(t), another), kubepki.ErrKeyMismatch, "")
	eventually(t, func() bool { return gone.Load() == 3 })
	forgotten := must(kubepki.AuthoritiesFromFiles(files))(t)
	succeeds(t, attach(forgotten, key))
	runtime.KeepAlive(forgotten)
	eventually(t, func() bool { return gone.Load() == 4 })
}

// eventually collects garbage until something is so.
func eventually(t testing.TB, so func() bool) {
	t.Helper()
	for range 500 {
		runtime.GC()
		if so() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("it never is so")
}

// An unplugged is an error whose text needs more than nil.
type unplugged struct{ slot string }

func (u *unplugged) Error() string { return "nothing in " + u.slot }
