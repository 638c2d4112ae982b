package kubepki

// #include <kubepki.h>
import "C"

import "unsafe"

// A Manifest is a Kubernetes object, for kubectl or a client of the API server. It may hold a secret.
type Manifest struct{ YAML, JSON Secret }

// takeManifest copies and frees.
func takeManifest(m *C.kubepki_manifest, err error) (*Manifest, error) {
	if err != nil {
		return nil, err
	}
	defer C.kubepki_manifest_free(m)
	return &Manifest{
		YAML: textSecret(C.kubepki_manifest_yaml(m)),
		JSON: textSecret(C.kubepki_manifest_json(m)),
	}, nil
}

// ClusterAdminsBinding is the ClusterRoleBinding that gives the user of admin.conf its power.
func ClusterAdminsBinding() (*Manifest, error) {
	var out *C.kubepki_manifest
	err := failed(C.kubepki_manifest_cluster_admins_binding(&out))
	return takeManifest(out, err)
}

// APIServerKubeletClientBinding is the ClusterRoleBinding that the API server needs to call kubelets where
// its client certificate has no group: with KubeadmNames from version 1.36 on.
func APIServerKubeletClientBinding() (*Manifest, error) {
	var out *C.kubepki_manifest
	err := failed(C.kubepki_manifest_apiserver_kubelet_client_binding(&out))
	return takeManifest(out, err)
}

// KubeletAPIAdminBinding is the ClusterRoleBinding that the API server needs to call kubelets with its
// serving certificate.
func KubeletAPIAdminBinding() (*Manifest, error) {
	var out *C.kubepki_manifest
	err := failed(C.kubepki_manifest_kubelet_api_admin_binding(&out))
	return takeManifest(out, err)
}

// KubeletConfiguration has the fields of a KubeletConfiguration that name a machine's files.
func KubeletConfiguration(expected Expected) (*Manifest, error) {
	var out *C.kubepki_manifest
	err := expected.use(func(expected *C.kubepki_expected) error {
		return failed(C.kubepki_manifest_kubelet_configuration(expected, &out))
	})
	return takeManifest(out, err)
}

// A BootstrapObject names an object that lets machines join by bootstrap tokens.
type BootstrapObject string

const (
	// NodeBootstrapperBinding lets a group ask for certificates.
	NodeBootstrapperBinding BootstrapObject = "node-bootstrapper-binding"
	// NodeApprovalBinding has kube-controller-manager approve what a group asks for kubelets.
	NodeApprovalBinding BootstrapObject = "node-approval-binding"
	// NodeReader and NodeReaderBinding let a group look whether a node is there, as kubeadm join does.
	NodeReader        BootstrapObject = "node-reader"
	NodeReaderBinding BootstrapObject = "node-reader-binding"
	// NodeRenewalBinding has kube-controller-manager approve what nodes ask for themselves. It is for no
	// group.
	NodeRenewalBinding BootstrapObject = "node-renewal-binding"
	// ClusterInfoReader and ClusterInfoReaderBinding let everybody read cluster-info. They are for no group.
	ClusterInfoReader        BootstrapObject = "cluster-info-reader"
	ClusterInfoReaderBinding BootstrapObject = "cluster-info-reader-binding"
)

// ForBootstrap is an object for a group of bootstrap tokens, such as
// system:bootstrappers:kubeadm:default-node-token; the group is empty where the object is for none.
func ForBootstrap(object BootstrapObject, group string) (*Manifest, error) {
	var out *C.kubepki_manifest
	name := string(object)
	err := failed(C.kubepki_manifest_for_bootstrap(chars(name), size(name), chars(group), size(group), &out))
	return takeManifest(out, err)
}

// ApproverRole is the ClusterRole of who approves requests of a signer such as example.com/serving.
func ApproverRole(name, signerName string) (*Manifest, error) {
	return role("approver", name, signerName)
}

// SignerRole is the ClusterRole of who signs requests of a signer.
func SignerRole(name, signerName string) (*Manifest, error) { return role("signer", name, signerName) }

// ImpersonatorRole is the ClusterRole of who may act as any user.
func ImpersonatorRole(name string) (*Manifest, error) { return role("impersonator", name, "") }

func role(kind, name, signerName string) (*Manifest, error) {
	var out *C.kubepki_manifest
	err := failed(C.kubepki_manifest_role(chars(kind), size(kind), chars(name), size(name),
		chars(signerName), size(signerName), &out))
	return takeManifest(out, err)
}

// A Subject is somebody to whom a role is given.
type Subject struct {
	Kind SubjectKind
	Name string // NAMESPACE:NAME, where it is a service account
}

// A SubjectKind says whether a [Subject] is a user, a group or a service account.
type SubjectKind string

const (
	SubjectUser           SubjectKind = "user"
	SubjectGroup          SubjectKind = "group"
	SubjectServiceAccount SubjectKind = "serviceaccount"
)

// RoleBinding is the RoleBinding in a namespace, or with no namespace the ClusterRoleBinding, that gives a
// role to somebody.
func RoleBinding(namespace, name, role string, subject Subject) (*Manifest, error) {
	var out *C.kubepki_manifest
	kind := string(subject.Kind)
	err := failed(C.kubepki_manifest_role_binding(chars(namespace), size(namespace), chars(name), size(name),
		chars(role), size(role), chars(kind), size(kind), chars(subject.Name), size(subject.Name), &out))
	return takeManifest(out, err)
}

// TLSSecret is the Secret of type kubernetes.io/tls with a certificate chain and its key.
func TLSSecret(namespace, name string, credential *Credential) (*Manifest, error) {
	var out *C.kubepki_manifest
	err := credential.use(func(credential *C.kubepki_credential) error {
		return failed(C.kubepki_manifest_tls_secret(chars(namespace), size(namespace), chars(name),
			size(name),
			credential, &out))
	})
	return takeManifest(out, err)
}

// CAConfigMap is the ConfigMap with the authorities that clients are to trust, under the key ca.crt.
func CAConfigMap(namespace, name string, trustedPEM []byte) (*Manifest, error) {
	var out *C.kubepki_manifest
	err := failed(C.kubepki_manifest_ca_config_map(chars(namespace), size(namespace), chars(name), size(name),
		unsafe.Pointer(&*first(trustedPEM)), length(trustedPEM), &out))
	return takeManifest(out, err)
}

// ClusterTrustBundle is the ClusterTrustBundle (certificates.k8s.io/v1beta1) with the authorities that vouch
// for what a signer signs, or with no signer, for anything. A signer's is named after it:
// example.com:serving:NAME.
func ClusterTrustBundle(signerName, name string, trustedPEM []byte) (*Manifest, error) {
	var out *C.kubepki_manifest
	err := failed(C.kubepki_manifest_cluster_trust_bundle(chars(signerName), size(signerName), chars(name),
		size(name),
		unsafe.Pointer(&*first(trustedPEM)), length(trustedPEM), &out))
	return takeManifest(out, err)
}
