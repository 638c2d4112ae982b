package kubepki

// #include <kubepki.h>
import "C"

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"time"
	"unsafe"
)

// A Profile says what one certificate must be.
type Profile struct {
	// Role is required.
	Role Role
	// Node is the machine, where the role is one machine's: RoleAPIServer, RoleEtcdServer, RoleEtcdPeer,
	// RoleKubeletServer and RoleKubeletClient.
	Node *Node
	// Name is the common name of a RoleRootCA, a RoleIntermediate or a RoleUser, the first DNS name of a
	// RoleService, the first name of a RoleFrontProxyServer. Other roles have names of their own.
	Name string
	// SANs are additional DNS names and IP addresses of a serving certificate.
	SANs []string
	// Groups are the groups of a RoleUser.
	Groups []string
	// Lifetime is how long the certificate is valid, if not as the cluster says.
	Lifetime time.Duration
	// PathLength is how many authorities may stand between a RoleIntermediate and a leaf: at least 1 where it
	// is to sign those of a cluster, and any number when nil.
	PathLength *uint8
}

func (p *Profile) use(cluster *Cluster, call func(*C.kubepki_profile) error) error {
	return describe(cluster, p.Node, func(cluster *C.kubepki_cluster, node *C.kubepki_node) error {
		var profile *C.kubepki_profile
		role := string(p.Role)
		var a attempt
		a.do(C.kubepki_profile_new(cluster, node, chars(role), size(role), chars(p.Name), size(p.Name),
			&profile))
		if a.err != nil {
			return a.err
		}
		defer C.kubepki_profile_free(profile)
		for _, san := range p.SANs {
			a.do(C.kubepki_profile_add_san(profile, chars(san), size(san)))
		}
		for _, group := range p.Groups {
			a.do(C.kubepki_profile_add_group(profile, chars(group), size(group)))
		}
		a.span("Lifetime", p.Lifetime, func(seconds C.uint64_t) *C.kubepki_error {
			return C.kubepki_profile_set_lifetime(profile, seconds)
		})
		if p.PathLength != nil {
			a.do(C.kubepki_profile_set_path_length(profile, C.uint8_t(*p.PathLength)))
		}
		if a.err != nil {
			return a.err
		}
		return call(profile)
	})
}

// A Credential is an issued certificate with its private key.
type Credential struct {
	// ChainPEM has the certificate, and behind it the intermediates that its holder presents with it.
	ChainPEM []byte
	// KeyPEM has the private key.
	KeyPEM Secret
	// ShortenedFrom is the end that was asked for, when the certificate had to end earlier because its
	// authority does.
	ShortenedFrom time.Time
}

// TLS gives the credential for crypto/tls, with the certificate as its Leaf.
func (c *Credential) TLS() (tls.Certificate, error) {
	return tls.X509KeyPair(c.ChainPEM, c.KeyPEM.Bytes())
}

// Chain gives the certificates, the credential's own first.
func (c *Credential) Chain() ([]*x509.Certificate, error) { return parse(c.ChainPEM) }

// takeCredential copies and frees.
func takeCredential(c *C.kubepki_credential, err error) (*Credential, error) {
	if err != nil {
		return nil, err
	}
	defer C.kubepki_credential_free(c)
	return &Credential{
		ChainPEM: textBytes(C.kubepki_credential_chain_pem(c)),
		KeyPEM:   textSecret(C.kubepki_credential_key_pem(c)),
		ShortenedFrom: shortened(func(out *C.int64_t) *C.kubepki_error {
			return C.kubepki_credential_shortened_from(c, out)
		}),
	}, nil
}

// shortened asks for an end that most certificates do not have.
func shortened(ask func(*C.int64_t) *C.kubepki_error) time.Time {
	var end C.int64_t
	if e := ask(&end); e != nil {
		C.kubepki_error_free(e)
		return time.Time{}
	}
	return instant(end)
}

func (c *Credential) use(call func(*C.kubepki_credential) error) error {
	if c == nil {
		return null("credential")
	}
	var credential *C.kubepki_credential
	err := failed(C.kubepki_credential_from_pem(unsafe.Pointer(&*first(c.ChainPEM)), length(c.ChainPEM),
		unsafe.Pointer(&*first(c.KeyPEM.Bytes())), secretSize(c.KeyPEM), &credential))
	if err != nil {
		return err
	}
	defer C.kubepki_credential_free(credential)
	return call(credential)
}

// An Issuer is a certificate authority that signs: its certificate, those above it, and its key or a
// crypto.Signer. It never changes, so any number of goroutines may use it at once.
//
// A crypto.Signer is asked for PKCS#1 v1.5 or ECDSA signatures of SHA-256 or SHA-384 digests, from any
// goroutine and from several at once, until everything that signs by it is closed. Each signature is verified
// before anything is made of it. It must call no method of the value that is signing: that deadlocks when
// another goroutine waits to change or close it.
type Issuer struct{ handle *handle[*C.kubepki_issuer] }

// SelfSigned makes a key and a self-signed certificate by the profile of an authority: a root, or a cluster's
// own.
func SelfSigned(cluster Cluster, profile Profile, now time.Time) (*Issuer, error) {
	var out *C.kubepki_issuer
	err := profile.use(&cluster, func(profile *C.kubepki_profile) error {
		return failed(C.kubepki_issuer_self_signed(profile, moment(now), &out))
	})
	return takeIssuer(out, err)
}

// SelfSignedBy makes a self-signed certificate for a key that lives elsewhere.
func SelfSignedBy(signer crypto.Signer, cluster Cluster, profile Profile, now time.Time) (*Issuer, error) {
	var out *C.kubepki_issuer
	err := profile.use(&cluster, func(profile *C.kubepki_profile) error {
		return useSigner(signer, func(signer *C.kubepki_signer) error {
			return failed(C.kubepki_issuer_self_signed_by(profile, signer, moment(now), &out))
		})
	})
	return takeIssuer(out, err)
}

// NewIssuer takes an authority's certificate in PEM, behind it those above it as far as they are known, and
// its private key.
func NewIssuer(chainPEM []byte, keyPEM Secret) (*Issuer, error) {
	var out *C.kubepki_issuer
	err := failed(C.kubepki_issuer_from_pem(unsafe.Pointer(&*first(chainPEM)), length(chainPEM),
		unsafe.Pointer(&*first(keyPEM.Bytes())), secretSize(keyPEM), &out))
	return takeIssuer(out, err)
}

// NewIssuerBy takes an authority's certificate in PEM, behind it those above it as far as they are known, and
// a signer with its key.
func NewIssuerBy(signer crypto.Signer, chainPEM []byte) (*Issuer, error) {
	var out *C.kubepki_issuer
	err := useSigner(signer, func(signer *C.kubepki_signer) error {
		return failed(C.kubepki_issuer_with_signer(unsafe.Pointer(&*first(chainPEM)), length(chainPEM),
			signer, &out))
	})
	return takeIssuer(out, err)
}

func takeIssuer(issuer *C.kubepki_issuer, err error) (*Issuer, error) {
	h, err := own(issuer, err, func(issuer *C.kubepki_issuer) { C.kubepki_issuer_free(issuer) })
	if err != nil {
		return nil, err
	}
	return &Issuer{h}, nil
}

func (i *Issuer) of() *handle[*C.kubepki_issuer] {
	if i == nil {
		return nil
	}
	return i.handle
}

// Close overwrites the key. It does nothing the second time.
func (i *Issuer) Close() error { return i.of().close() }

// Intermediate makes a key and a certificate for an authority below this one, which it never outlives.
func (i *Issuer) Intermediate(cluster Cluster, profile Profile, now time.Time) (*Issuer, error) {
	var out *C.kubepki_issuer
	err := i.using(cluster, profile, func(issuer *C.kubepki_issuer, profile *C.kubepki_profile) error {
		return failed(C.kubepki_issuer_intermediate(issuer, profile, moment(now), &out))
	})
	return takeIssuer(out, err)
}

// IntermediateBy makes a certificate for an authority below this one, whose key lives elsewhere.
func (i *Issuer) IntermediateBy(signer crypto.Signer, cluster Cluster, profile Profile,
	now time.Time) (*Issuer, error) {
	var out *C.kubepki_issuer
	err := i.using(cluster, profile, func(issuer *C.kubepki_issuer, profile *C.kubepki_profile) error {
		return useSigner(signer, func(signer *C.kubepki_signer) error {
			return failed(C.kubepki_issuer_intermediate_by(issuer, profile, signer, moment(now), &out))
		})
	})
	return takeIssuer(out, err)
}

// Issue makes a key and a certificate for it, valid from five minutes before now. Whether the role is one
// that this authority should sign is not looked at: [Authorities.Issue] takes the right one.
func (i *Issuer) Issue(cluster Cluster, profile Profile, now time.Time) (*Credential, error) {
	var out *C.kubepki_credential
	err := i.using(cluster, profile, func(issuer *C.kubepki_issuer, profile *C.kubepki_profile) error {
		return failed(C.kubepki_issuer_issue(issuer, profile, moment(now), &out))
	})
	return takeCredential(out, err)
}

// Certify makes a certificate for a public key: the chain, its own certificate first.
func (i *Issuer) Certify(public crypto.PublicKey, cluster Cluster, profile Profile,
	now time.Time) ([]*x509.Certificate, error) {
	key, err := publicPEM(public)
	if err != nil {
		return nil, err
	}
	var out *C.kubepki_buffer
	err = i.using(cluster, profile, func(issuer *C.kubepki_issuer, profile *C.kubepki_profile) error {
		return failed(C.kubepki_issuer_certify(issuer, profile, unsafe.Pointer(&*first(key)), length(key),
			moment(now), &out))
	})
	if err != nil {
		return nil, err
	}
	return parse(buffer(out))
}

// ChainPEM gives the authority's certificate in PEM, then those above it as far as they are known.
func (i *Issuer) ChainPEM() ([]byte, error) {
	var out *C.kubepki_buffer
	err := i.of().look(func(issuer *C.kubepki_issuer) error {
		return failed(C.kubepki_issuer_chain_pem(issuer, &out))
	})
	return buffer(out), err
}

// Chain gives the authority's certificate, then those above it as far as they are known.
func (i *Issuer) Chain() ([]*x509.Certificate, error) {
	chain, err := i.ChainPEM()
	if err != nil {
		return nil, err
	}
	return parse(chain)
}

// ShortenedFrom gives the end that was asked for, when the certificate was just made and had to end earlier
// because the authority above does; otherwise the zero Time.
func (i *Issuer) ShortenedFrom() (end time.Time, err error) {
	err = i.of().look(func(issuer *C.kubepki_issuer) error {
		end = shortened(func(out *C.int64_t) *C.kubepki_error {
			return C.kubepki_issuer_shortened_from(issuer, out)
		})
		return nil
	})
	return end, err
}

// KeyPEM gives the authority's private key: ErrAbsent where that is with a crypto.Signer.
func (i *Issuer) KeyPEM() (Secret, error) {
	var out *C.kubepki_buffer
	err := i.of().look(func(issuer *C.kubepki_issuer) error {
		return failed(C.kubepki_issuer_key_pem(issuer, &out))
	})
	return secretBuffer(out), err
}

func (i *Issuer) using(cluster Cluster, profile Profile, call func(*C.kubepki_issuer,
	*C.kubepki_profile) error) error {
	return profile.use(&cluster, func(profile *C.kubepki_profile) error {
		return i.of().look(func(issuer *C.kubepki_issuer) error { return call(issuer, profile) })
	})
}

// publicPEM is a public key as C takes it.
func publicPEM(public crypto.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, &Error{Code: ErrUnsupported, Message: "public key: " + err.Error(), Err: err}
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}

// parse reads certificates in PEM.
func parse(chain []byte) (certificates []*x509.Certificate, err error) {
	for block, rest := pem.Decode(chain); block != nil; block, rest = pem.Decode(rest) {
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		certificates = append(certificates, certificate)
	}
	if certificates == nil {
		return nil, &Error{Code: ErrMalformed, Message: "chain: expected certificates in PEM, found none"}
	}
	return certificates, nil
}
