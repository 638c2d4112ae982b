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

// A BootstrapToken describes a bootstrap token that a cluster is to know.
type BootstrapToken struct {
	// Token is required, such as that of [GenerateBootstrapToken].
	Token Secret
	// Expires is when it ends. It is required.
	Expires time.Time
	// Usages say what it may be used for: everything when empty.
	Usages []BootstrapUsage
	// Groups are the groups that it gives besides system:bootstrappers.
	Groups []string
	// Description says in words what it is for.
	Description string
}

// A BootstrapUsage is what a bootstrap token may be used for.
type BootstrapUsage string

const (
	BootstrapAuthentication BootstrapUsage = "authentication" // machines that join say who they are by it
	BootstrapSigning        BootstrapUsage = "signing"        // it signs cluster-info
)

// BootstrapTokenSecret is the object Secret that makes a cluster know a bootstrap token.
func BootstrapTokenSecret(token BootstrapToken) (*Manifest, error) {
	var out *C.kubepki_manifest
	err := useList(token.Usages, func(usages *C.kubepki_list) error {
		return useList(token.Groups, func(groups *C.kubepki_list) error {
			return failed(C.kubepki_manifest_bootstrap_token(secretChars(token.Token),
				secretSize(token.Token), moment(token.Expires), usages, groups, chars(token.Description),
				size(token.Description), &out))
		})
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
			return a.of().look(func(authorities *C.kubepki_authorities) error {
				return failed(C.kubepki_manifest_cluster_info(cluster, authorities, tokens, &out))
			})
		})
	})
	return takeManifest(out, err)
}

// Pins gives the pins of the Kubernetes authority, sha256: and 64 digits, as kubeadm join
// --discovery-token-ca-cert-hash takes them: one of each certificate that clients trust.
func (a *Authorities) Pins() ([]string, error) {
	var out *C.kubepki_list
	err := a.of().look(func(authorities *C.kubepki_authorities) error {
		return failed(C.kubepki_authorities_pins(authorities, &out))
	})
	return list(out, err)
}

// ClusterInfo is where a cluster is and whom to trust there, as a machine that joins has verified it. It
// never changes, so any number of goroutines may use it at once.
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

func (i *ClusterInfo) of() *handle[*C.kubepki_cluster_info] {
	if i == nil {
		return nil
	}
	return i.handle
}

// Close overwrites the token in the library's memory, not that in BootstrapKubeconfig. It does nothing the
// second time.
func (i *ClusterInfo) Close() error { return i.of().close() }

// KubeconfigFor gives the kubeconfig of any user at this cluster, in YAML, such as the kubelet's once it has
// its certificate.
func (i *ClusterInfo) KubeconfigFor(name string, user User) (Secret, error) {
	var out *C.kubepki_buffer
	err := user.use(func(user *C.kubepki_user) error {
		return i.of().look(func(info *C.kubepki_cluster_info) error {
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
	return takeClusterInfo(info, err)
}

// VerifyClusterInfoUnpinned believes the ConfigMap cluster-info, in YAML or JSON, if the bootstrap token has
// signed it, with whatever authorities: anybody who knows the token can play the cluster.
func VerifyClusterInfoUnpinned(configMap []byte, token Secret) (*ClusterInfo, error) {
	var info *C.kubepki_cluster_info
	err := failed(C.kubepki_cluster_info_verify_unpinned(unsafe.Pointer(&*first(configMap)),
		length(configMap), secretChars(token), secretSize(token), &info))
	return takeClusterInfo(info, err)
}

func takeClusterInfo(info *C.kubepki_cluster_info, err error) (*ClusterInfo, error) {
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
