package kubepki

// #include <kubepki.h>
import "C"

import (
	"crypto"
	"time"
	"unsafe"
)

// Authorities are a cluster's certificate authorities and its service-account key: what control-plane nodes
// share. Any number of goroutines may use them at once; Add, Attach and Close wait until they are alone.
type Authorities struct {
	handle *handle[*C.kubepki_authorities]
}

// CreateAuthorities makes the authorities of a new cluster, each its own root, and the service-account key.
func CreateAuthorities(cluster Cluster, now time.Time) (*Authorities, error) {
	var out *C.kubepki_authorities
	err := cluster.use(func(cluster *C.kubepki_cluster) error {
		return failed(C.kubepki_authorities_create(cluster, moment(now), &out))
	})
	return takeAuthorities(out, err)
}

// CreateAuthoritiesUnder makes the authorities of a new cluster, as intermediates below parent, and the
// service-account key. Trust files hold the intermediates, never what stands above them.
func CreateAuthoritiesUnder(parent *Issuer, cluster Cluster, now time.Time) (*Authorities, error) {
	var out *C.kubepki_authorities
	err := cluster.use(func(cluster *C.kubepki_cluster) error {
		return parent.of().look(func(parent *C.kubepki_issuer) error {
			return failed(C.kubepki_authorities_create_under(parent, cluster, moment(now), &out))
		})
	})
	return takeAuthorities(out, err)
}

// NewAuthorities takes the service-account key, in PEM, of a cluster whose authorities exist already, or have
// their keys elsewhere from the start: [Authorities.Add] adds them. [GenerateKey] makes such a key.
func NewAuthorities(serviceAccountKeyPEM Secret) (*Authorities, error) {
	var out *C.kubepki_authorities
	err := failed(C.kubepki_authorities_new(unsafe.Pointer(&*first(serviceAccountKeyPEM.Bytes())),
		secretSize(serviceAccountKeyPEM), &out))
	return takeAuthorities(out, err)
}

// GenerateKey makes a private key, in PEM. RSA takes its time, up to a second.
func GenerateKey(algorithm KeyAlgorithm) (Secret, error) {
	var out *C.kubepki_buffer
	err := failed(C.kubepki_key_generate(chars(string(algorithm)), size(string(algorithm)), &out))
	return secretBuffer(out), err
}

// LoadAuthorities reads authorities from the directory of a machine's Kubernetes files. One whose key is not
// there is an external one: [Authorities.Attach] lets it sign.
func LoadAuthorities(directory string) (*Authorities, error) {
	var out *C.kubepki_authorities
	err := failed(C.kubepki_authorities_load(chars(directory), size(directory), &out))
	return takeAuthorities(out, err)
}

// AuthoritiesFromFiles reads authorities from files in memory: those that [Authorities.Files] gave, or all of
// a machine. Each is what its Path says; Role, Part and Mode are passed over.
func AuthoritiesFromFiles(files Files) (*Authorities, error) {
	var out *C.kubepki_authorities
	err := files.use(func(files *C.kubepki_files) error {
		return failed(C.kubepki_authorities_from_files(files, &out))
	})
	return takeAuthorities(out, err)
}

func takeAuthorities(authorities *C.kubepki_authorities, err error) (*Authorities, error) {
	h, err := own(authorities, err,
		func(authorities *C.kubepki_authorities) { C.kubepki_authorities_free(authorities) })
	if err != nil {
		return nil, err
	}
	return &Authorities{h}, nil
}

func (a *Authorities) of() *handle[*C.kubepki_authorities] {
	if a == nil {
		return nil
	}
	return a.handle
}

// Close overwrites the keys. It does nothing the second time.
func (a *Authorities) Close() error { return a.of().close() }

// Files gives authorities and service-account key as files, for another control-plane machine.
func (a *Authorities) Files() (Files, error) {
	var out *C.kubepki_files
	err := a.of().look(func(authorities *C.kubepki_authorities) error {
		return failed(C.kubepki_authorities_files(authorities, &out))
	})
	return takeFiles(out, err)
}

// Add adds an authority that exists: RoleKubernetesCA, RoleEtcdCA or RoleFrontProxyCA, each once. What no
// node needs may be missing. No two may share a key, and none may stand below another. The issuer is copied.
func (a *Authorities) Add(role Role, issuer *Issuer) error {
	return issuer.of().look(func(issuer *C.kubepki_issuer) error {
		return a.of().change(func(authorities *C.kubepki_authorities) error {
			return failed(C.kubepki_authorities_add(authorities, chars(string(role)), size(string(role)),
				issuer))
		})
	})
}

// Attach lets signer sign for an authority whose key is not here: RoleKubernetesCA, RoleEtcdCA or
// RoleFrontProxyCA. [Issuer] says what is asked of it.
func (a *Authorities) Attach(role Role, signer crypto.Signer) error {
	return useSigner(signer, func(signer *C.kubepki_signer) error {
		return a.of().change(func(authorities *C.kubepki_authorities) error {
			return failed(C.kubepki_authorities_attach(authorities, chars(string(role)), size(string(role)),
				signer))
		})
	})
}

// First issues all that the first control-plane node of the cluster holds, super-admin.conf among it.
func (a *Authorities) First(cluster Cluster, node Node, now time.Time) (*PKI, error) {
	var out *C.kubepki_pki
	err := describe(&cluster, &node, func(cluster *C.kubepki_cluster, node *C.kubepki_node) error {
		return a.of().look(func(authorities *C.kubepki_authorities) error {
			return failed(C.kubepki_authorities_first(authorities, cluster, node, moment(now), &out))
		})
	})
	return takePKI(out, err)
}

// Join issues all that another node of the cluster holds: a control-plane node, a worker or a member of etcd.
func (a *Authorities) Join(cluster Cluster, node Node, now time.Time) (*PKI, error) {
	var out *C.kubepki_pki
	err := describe(&cluster, &node, func(cluster *C.kubepki_cluster, node *C.kubepki_node) error {
		return a.of().look(func(authorities *C.kubepki_authorities) error {
			return failed(C.kubepki_authorities_join(authorities, cluster, node, moment(now), &out))
		})
	})
	return takePKI(out, err)
}

// Issue makes a key, and has the authority of the profile's role sign a certificate for it.
func (a *Authorities) Issue(cluster Cluster, profile Profile, now time.Time) (*Credential, error) {
	var out *C.kubepki_credential
	err := profile.use(&cluster, func(profile *C.kubepki_profile) error {
		return a.of().look(func(authorities *C.kubepki_authorities) error {
			return failed(C.kubepki_authorities_issue(authorities, profile, moment(now), &out))
		})
	})
	return takeCredential(out, err)
}

// Issuer gives what signs for one authority, as a copy: ErrAbsent when that is not there or cannot sign.
func (a *Authorities) Issuer(role Role) (*Issuer, error) {
	var out *C.kubepki_issuer
	err := a.of().look(func(authorities *C.kubepki_authorities) error {
		return failed(C.kubepki_authorities_issuer(authorities, chars(string(role)), size(string(role)),
			&out))
	})
	return takeIssuer(out, err)
}

// TrustStorePEM gives the certificates by which a client outside the cluster verifies the API server, for
// [crypto/x509.CertPool.AppendCertsFromPEM]. ErrAbsent without a Kubernetes authority.
func (a *Authorities) TrustStorePEM() ([]byte, error) {
	var out *C.kubepki_buffer
	err := a.of().look(func(authorities *C.kubepki_authorities) error {
		return failed(C.kubepki_authorities_trust_store_pem(authorities, &out))
	})
	return buffer(out), err
}

// Kubeconfig gives the kubeconfig, in YAML, of a user whom the Kubernetes authority has issued this
// credential.
func (a *Authorities) Kubeconfig(cluster Cluster, credential *Credential) (Secret, error) {
	var out *C.kubepki_buffer
	err := cluster.use(func(cluster *C.kubepki_cluster) error {
		return credential.use(func(credential *C.kubepki_credential) error {
			return a.of().look(func(authorities *C.kubepki_authorities) error {
				return failed(C.kubepki_credential_kubeconfig(credential, cluster, authorities, &out))
			})
		})
	})
	return secretBuffer(out), err
}
