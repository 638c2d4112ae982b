package kubepki

// #include <kubepki.h>
import "C"

import (
	"time"
	"unsafe"
)

// GenerateBootstrapToken makes a bootstrap token, [a-z0-9]{6}.[a-z0-9]{16}: what stands before the dot is no
// secret.
func GenerateBootstrapToken() (Secret, error) {
	var out *C.kubepki_buffer
	err := failed(C.kubepki_bootstrap_token_generate(&out))
	return secretBuffer(out), err
}

// BootstrapTokenSecret is the object Secret that makes a cluster know a bootstrap token, for authentication
// and for signing cluster-info: with the moment when it ends, the groups that it gives besides
// system:bootstrappers, and what it is for, in words.
func BootstrapTokenSecret(token Secret, expires time.Time, groups []string, description string) (*Manifest,
	error) {
	var out *C.kubepki_manifest
	err := useList(groups, func(groups *C.kubepki_list) error {
		return failed(C.kubepki_manifest_bootstrap_token(secretChars(token), secretSize(token), moment(expires),
			groups,
			chars(description), size(description), &out))
	})
	return takeManifest(out, err)
}

// ClusterInfoConfigMap is the ConfigMap cluster-info, by which a machine that has a bootstrap token comes to
// trust its cluster, signed by these tokens. kube-controller-manager's bootstrapsigner signs it too.
func (a *Authorities) ClusterInfoConfigMap(cluster Cluster, tokens ...Secret) (*Manifest, error) {
	var out *C.kubepki_manifest
	texts := make([][]byte, len(tokens))
	for i, token := range tokens {
		texts[i] = token.Bytes()
	}
	err := cluster.use(func(cluster *C.kubepki_cluster) error {
		return useList(texts, func(tokens *C.kubepki_list) error {
			return a.handle.look(func(authorities *C.kubepki_authorities) error {
				return failed(C.kubepki_manifest_cluster_info(cluster, authorities, tokens, &out))
			})
		})
	})
	return takeManifest(out, err)
}

// Pins gives those of the Kubernetes authority, sha256: and 64 digits, as kubeadm join
// --discovery-token-ca-cert-hash takes them: of each certificate that clients trust.
func (a *Authorities) Pins() ([]string, error) {
	var out *C.kubepki_list
	err := a.handle.look(func(authorities *C.kubepki_authorities) error {
		return failed(C.kubepki_authorities_pins(authorities, &out))
	})
	return list(out, err)
}

// ClusterInfo is where a cluster is and whom to trust there, as a machine that joins has verified it.
type ClusterInfo struct {
	// Server is the URL of the API server.
	Server string
	// TrustedPEM are the certificates of the cluster's authority: the contents of pki/ca.crt.
	TrustedPEM []byte
	// BootstrapKubeconfig is that by which the kubelet asks for its first certificate
	// (--bootstrap-kubeconfig).
	BootstrapKubeconfig Secret

	handle *handle[*C.kubepki_cluster_info]
}

// KubeconfigFor gives the kubeconfig of any user at this cluster, in YAML, such as the kubelet's once it has
// its certificate.
func (i *ClusterInfo) KubeconfigFor(name string, user User) (Secret, error) {
	var out *C.kubepki_buffer
	err := user.use(func(user *C.kubepki_user) error {
		return i.handle.look(func(info *C.kubepki_cluster_info) error {
			return failed(C.kubepki_cluster_info_kubeconfig(info, chars(name), size(name), user, &out))
		})
	})
	return secretBuffer(out), err
}

// VerifyClusterInfo believes the ConfigMap cluster-info, in YAML or JSON, if the bootstrap token has signed
// it and every authority in it is pinned.
func VerifyClusterInfo(configMap []byte, token Secret, pins []string) (*ClusterInfo, error) {
	var info *C.kubepki_cluster_info
	err := useList(pins, func(pins *C.kubepki_list) error {
		return failed(C.kubepki_cluster_info_verify(unsafe.Pointer(&*first(configMap)), length(configMap),
			secretChars(token), secretSize(token), pins, &info))
	})
	h, err := own(info, err, func(info *C.kubepki_cluster_info) { C.kubepki_cluster_info_free(info) })
	if err != nil {
		return nil, err
	}
	return &ClusterInfo{
		Server:              str(C.kubepki_cluster_info_server(info)),
		TrustedPEM:          textBytes(C.kubepki_cluster_info_trusted_pem(info)),
		BootstrapKubeconfig: textSecret(C.kubepki_cluster_info_bootstrap_kubeconfig(info)),
		handle:              h,
	}, nil
}

// TokenIssuer says who issues the service-account tokens of a cluster, as its API servers are told.
func (c Cluster) TokenIssuer() (string, error) {
	var out *C.kubepki_buffer
	err := c.use(func(cluster *C.kubepki_cluster) error {
		return failed(C.kubepki_cluster_token_issuer(cluster, &out))
	})
	return string(buffer(out)), err
}

// A ServiceAccount is whom a token is for.
type ServiceAccount struct {
	Namespace string
	Name      string
	UID       string // the one that the API server has given it
}

// ServiceAccountToken makes a token for a service account, signed by sa.key, for these audiences, or for the
// API server without any. ErrAbsent where sa.key is not here.
func (a *Authorities) ServiceAccountToken(cluster Cluster, account ServiceAccount, lifetime time.Duration,
	now time.Time, audiences ...string) (Secret, error) {
	var checked attempt
	seconds := checked.seconds("lifetime", lifetime)
	if checked.err != nil {
		return Secret{}, checked.err
	}
	var out *C.kubepki_buffer
	err := cluster.use(func(cluster *C.kubepki_cluster) error {
		return useList(audiences, func(audiences *C.kubepki_list) error {
			return a.handle.look(func(authorities *C.kubepki_authorities) error {
				return failed(C.kubepki_service_account_token(cluster, authorities,
					chars(account.Namespace), size(account.Namespace), chars(account.Name), size(account.Name),
					chars(account.UID), size(account.UID), audiences, seconds, moment(now), &out))
			})
		})
	})
	return secretBuffer(out), err
}

// Claims are what a verified service-account token says.
type Claims struct {
	// User is the one that Kubernetes sees: system:serviceaccount:NAMESPACE:NAME.
	User string
	// UID is that of the service account.
	UID string
	// ID is the token's own; empty before Kubernetes 1.29.
	ID string
	// Issued is when it was issued, and Expires when it ends.
	Issued, Expires time.Time
}

// VerifyServiceAccountToken verifies a token as kube-apiserver does: by public keys, which are PEM as in
// sa.pub or a JSON Web Key Set; for one issuer and one of the audiences; at a moment, which may be a minute
// off.
func VerifyServiceAccountToken(token Secret, keys []byte, issuer, audience string, now time.Time) (*Claims,
	error) {
	var account *C.kubepki_service_account
	err := failed(C.kubepki_service_account_verify(secretChars(token), secretSize(token),
		unsafe.Pointer(&*first(keys)), length(keys), chars(issuer), size(issuer),
		chars(audience), size(audience), moment(now), &account))
	if err != nil {
		return nil, err
	}
	defer C.kubepki_service_account_free(account)
	claims := C.kubepki_service_account_claims(account)
	return &Claims{
		User:    str(claims.user),
		UID:     str(claims.uid),
		ID:      str(claims.id),
		Issued:  time.Unix(int64(claims.issued), 0).UTC(),
		Expires: time.Unix(int64(claims.expires), 0).UTC(),
	}, nil
}

// JWKS gives the JSON Web Key Set of public keys in PEM, as in sa.pub, byte for byte as kube-apiserver serves
// it.
func JWKS(keys []byte) ([]byte, error) {
	var out *C.kubepki_buffer
	err := failed(C.kubepki_jwks(unsafe.Pointer(&*first(keys)), length(keys), &out))
	return buffer(out), err
}

// OIDCDiscovery gives the discovery document of OpenID Connect for such keys: with the issuer, which must be
// a URL of https here, and the URL where the key set is served.
func OIDCDiscovery(keys []byte, issuer, jwksURL string) ([]byte, error) {
	var out *C.kubepki_buffer
	err := failed(C.kubepki_oidc_discovery(unsafe.Pointer(&*first(keys)), length(keys),
		chars(issuer), size(issuer), chars(jwksURL), size(jwksURL), &out))
	return buffer(out), err
}
